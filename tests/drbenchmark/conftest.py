"""A tiny encoder on disk, and the made-up corpora."""

from pathlib import Path

import pytest

MADE_UP = Path(__file__).parent / "data" / "made_up.zip"


@pytest.fixture(scope="session")
def made_up():
    return MADE_UP


@pytest.fixture(scope="session")
def make_encoder(tokenizer, tmp_path_factory):
    """Save a tiny model of an architecture and find it as a user's would be."""
    import torch
    from transformers import AutoConfig, AutoModel

    from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef

    sizes = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "pad_token_id": tokenizer.pad_token_id,
    }
    made = {}

    def make(kind="bert", **overrides):
        key = (kind, tuple(sorted(overrides.items())))
        if key not in made:
            torch.manual_seed(0)
            config = AutoConfig.for_model(
                kind, vocab_size=len(tokenizer), **sizes | {"initializer_range": 0.1} | overrides
            )
            for name in ("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"):
                if getattr(config, name, None) is not None:
                    setattr(config, name, tokenizer.cls_token_id)
            folder = tmp_path_factory.mktemp("models") / f"tiny-{kind}"
            AutoModel.from_config(config).save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            made[key] = ModelRef.find(str(folder))
        return made[key]

    return make
