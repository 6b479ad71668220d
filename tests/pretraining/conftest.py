"""Small stores and models for the pretraining engine."""

import pytest


@pytest.fixture(scope="session")
def make_store(sample_texts, tokenizer, tmp_path_factory):
    from doctobert_hf.pretraining import build_store

    made = {}

    def make(max_length=64, part="train"):
        if (max_length, part) not in made:
            texts = sample_texts[:120] if part == "train" else sample_texts[120:]
            folder = tmp_path_factory.mktemp("store")
            made[max_length, part] = build_store(texts, tokenizer, folder, max_length)
        return made[max_length, part]

    return make


@pytest.fixture
def make_model(tokenizer):
    import torch
    from transformers import AutoModelForMaskedLM

    from doctobert_hf.models import preset_config
    from doctobert_hf.pretraining import register_attention

    register_attention()

    def make(preset="doctobert-tiny", dropout=0.0, attention="doctobert_varlen", **overrides):
        torch.manual_seed(0)
        config = preset_config(preset, tokenizer, initializer_range=0.06, **overrides)
        for key in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            if hasattr(config, key):
                setattr(config, key, dropout)
        return AutoModelForMaskedLM.from_config(config, attn_implementation=attention)

    return make
