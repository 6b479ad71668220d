"""Tiling a small model into a larger one."""

import pytest
import torch
from transformers import AutoModelForMaskedLM

from doctobert_hf.errors import UsageError
from doctobert_hf.models import preset_config
from doctobert_hf.models.tiling import layer_source, tile_model, tile_tensor


def test_the_published_depth_map():
    sources = [layer_source(i, 22, 28) for i in range(28)]
    assert sources[7] == 6 and sources[21] == 16  # halves go to even: 5.5 -> 6, 16.5 -> 16
    assert sources[0] == 0 and sources[-1] == 21 and sources == sorted(sources)


def test_tensors_are_tiled_from_the_middle():
    assert tile_tensor(torch.arange(4), (8,)).tolist() == [2, 3, 0, 1, 2, 3, 0, 1]
    square = torch.arange(4).view(2, 2)
    assert tile_tensor(square, (2, 4)).tolist() == [[1, 0, 1, 0], [3, 2, 3, 2]]
    assert tile_tensor(square, (2, 2)) is square


@pytest.mark.long
def test_a_model_of_the_same_size_is_the_same():
    base = AutoModelForMaskedLM.from_config(preset_config("doctomodernbert-tiny")).eval()
    copy = tile_model(base, preset_config("doctomodernbert-tiny")).eval()
    ids = torch.arange(5, 50)[None]
    assert torch.equal(base(input_ids=ids).logits, copy(input_ids=ids).logits)


@pytest.mark.long
def test_growing():
    base = AutoModelForMaskedLM.from_config(preset_config("doctomodernbert-tiny"))
    large = tile_model(base, preset_config("doctomodernbert-large-tiny"))
    assert large.config.hidden_size == 96
    old, new = base.model.layers[1].attn.Wqkv.weight, large.model.layers[1].attn.Wqkv.weight
    assert torch.equal(new[16 : 16 + 64, 16 : 16 + 64], old[:64])  # the query part, in the middle
    assert torch.equal(new[96 + 16 : 96 + 80, 16:80], old[64:128])  # the key part
    assert large.decoder.weight is large.model.embeddings.tok_embeddings.weight
    assert torch.isfinite(large(input_ids=torch.arange(5, 50)[None]).logits).all()


def test_models_that_do_not_fit():
    base = AutoModelForMaskedLM.from_config(preset_config("doctomodernbert-tiny"))
    with pytest.raises(UsageError, match="the same vocabulary"):
        tile_model(base, preset_config("doctomodernbert-large-tiny", vocab_size=99))
    with pytest.raises(UsageError, match="the same width"):
        tile_model(base, preset_config("doctomodernbert-large-tiny", num_attention_heads=3))
    with pytest.raises(UsageError, match="ModernBERT models"):
        tile_model(base, preset_config("doctobert-tiny"))
