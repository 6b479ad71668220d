"""Presets have the published sizes, the small ones theirs."""

import pytest
import torch
from transformers import AutoModelForMaskedLM

from doctobert_hf.errors import UsageError
from doctobert_hf.models import count_parameters, list_presets, preset_config, preset_positions


@pytest.mark.parametrize(
    ("name", "total", "embeddings"),
    [
        ("doctobert-base", 111e6, 26e6),
        ("doctomodernbert-base", 149e6, 39e6),
        ("doctomodernbert-large", 395e6, 52e6),
        ("doctobert-small", 11.61e6, 3.93e6),
        ("doctomodernbert-small", 10.2e6, 3.93e6),
    ],
)
def test_sizes(name, total, embeddings):
    with torch.device("meta"):
        model = AutoModelForMaskedLM.from_config(preset_config(name))
    counts = count_parameters(model)
    assert counts["total"] == pytest.approx(total, rel=0.005)
    if name == "doctobert-base":  # published as 85M + 26M embeddings, position table counted
        positions = model.roberta.embeddings.position_embeddings.weight.numel()
        assert counts["embeddings"] + positions == pytest.approx(embeddings, rel=0.02)
        layers = sum(p.numel() for p in model.roberta.encoder.parameters())
        assert layers == pytest.approx(85e6, rel=0.005)
    else:
        assert counts["embeddings"] == pytest.approx(embeddings, rel=0.02)


@pytest.mark.parametrize("name", list_presets())
def test_special_ids_and_rope(name):
    config = preset_config(name)
    assert (config.pad_token_id, config.bos_token_id, config.eos_token_id) == (1, 2, 3)
    if "modern" in name:
        rope = config.rope_parameters
        assert rope["full_attention"]["rope_theta"] == 160_000
        assert rope["sliding_attention"]["rope_theta"] == 10_000
        assert (config.local_attention, config.global_attn_every_n_layers) in ((128, 3), (32, 3))


def test_the_tokenizer_sets_the_vocabulary(tokenizer):
    config = preset_config("doctobert-tiny", tokenizer)
    assert config.vocab_size == len(tokenizer)
    model = AutoModelForMaskedLM.from_config(config)
    full = torch.full((1, 512), 10)
    assert model(input_ids=full).logits.shape == (1, 512, len(tokenizer))


def test_positions():
    assert preset_positions("doctobert-base") == 512
    assert preset_positions("doctomodernbert-large") == 8192


def test_wrong_presets():
    with pytest.raises(UsageError, match="doctobert-base"):
        preset_config("doctobert-bas")
    with pytest.raises(UsageError, match="padding id of 1"):
        preset_config("doctobert-base", pad_token_id=50282)
