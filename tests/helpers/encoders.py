"""Encoders of a few thousand weights, for a tokenizer."""

import torch
from transformers import AutoConfig, AutoModelForMaskedLM


def small(tokenizer, kind="bert", seed=0, padded=0, **more):
    """Return a masked-LM model drawn by a seed, with ``padded`` rows more than there are pieces."""
    torch.manual_seed(seed)
    usual = {
        "vocab_size": len(tokenizer) + padded,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 130,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
        "eos_token_id": None,
    }
    return AutoModelForMaskedLM.from_config(AutoConfig.for_model(kind, **(usual | more)))
