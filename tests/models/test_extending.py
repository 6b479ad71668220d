"""Embeddings of new pieces: the mean of their old ones, in every table that has a row for each."""

import json

import pytest
import torch
from encoders import small

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.models.extending import EXTENSION, extend_embeddings
from doctobert_hf.pretraining.initial_model import make_model
from doctobert_hf.pretraining.recipe import PretrainConfig
from doctobert_hf.tokenization import extend_tokenizer

TEXTS = [f"Hypokaliémie et azathioprine {i} mg." for i in range(30)]


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("bert", {}),
        ("bert", {"tie_word_embeddings": False}),
        ("roberta", {}),
        ("xlm-roberta", {}),
        ("electra", {"embedding_size": 16}),
        ("modernbert", {"global_attn_every_n_layers": 2, "local_attention": 8}),
        ("deberta-v2", {}),
    ],
)
@pytest.mark.parametrize("padded", [0, 5])
def test_every_table(kind, more, padded, tokenizer):
    model = small(tokenizer, kind, padded=padded, **more)
    size = len(tokenizer)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    ids = torch.randint(10, size, (2, 9))
    before = model.eval()(ids).logits
    table = model.get_input_embeddings().weight.detach().clone()
    out = model.get_output_embeddings()
    bias = None if out is None or out.bias is None else out.bias.detach().clone()
    extend_embeddings(model, {"first_id": size, "pieces": [[7, 8], [9, 7, 7]]})
    assert model.config.vocab_size == max(size + padded, size + 2)
    new = model.get_input_embeddings().weight
    assert torch.equal(new[:size], table[:size])
    assert torch.allclose(new[size], (table[7] + table[8]) / 2)
    assert torch.allclose(new[size + 1], (table[9] + 2 * table[7]) / 3)
    logits = model(ids).logits
    assert torch.allclose(logits[..., :size], before[..., :size], atol=1e-5)
    if bias is not None:
        assert torch.allclose(model.get_output_embeddings().bias[size], (bias[7] + bias[8]) / 2)
    # A logit is linear in its row: that of a mean is the mean of the logits.
    if out is not None:
        expected = (before[..., 7] + before[..., 8]) / 2
        assert torch.allclose(logits[..., size], expected, atol=1e-4)


def test_a_phase_begins_with_an_extended_tokenizer(tokenizer, tmp_path):
    model = small(tokenizer)
    model.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    made = extend_tokenizer(tokenizer, TEXTS, tmp_path / "more", add=20)
    config = PretrainConfig(init_from=str(tmp_path / "base"), tokenizer=str(tmp_path / "more"))
    begun = make_model(config, made)
    assert begun.config.vocab_size == len(made) > len(tokenizer) + 10
    begun.save_pretrained(tmp_path / "next")
    made.save_pretrained(tmp_path / "next")
    again = PretrainConfig(init_from=str(tmp_path / "next"), tokenizer=str(tmp_path / "more"))
    assert make_model(again, made).config.vocab_size == len(made)  # it has them already


@pytest.mark.long
def test_an_extension_of_another_tokenizer_is_refused(tokenizer, other_tokenizers, tmp_path):
    small(tokenizer).save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    made = extend_tokenizer(other_tokenizers["unigram"], TEXTS, tmp_path / "more", add=20)
    config = PretrainConfig(init_from=str(tmp_path / "base"), tokenizer=str(tmp_path / "more"))
    with pytest.raises(UsageError, match="tokenizer extend"):
        make_model(config, made)
    ours = extend_tokenizer(tokenizer, TEXTS, tmp_path / "ours", add=20)
    record = json.loads((tmp_path / "ours" / EXTENSION).read_text())
    (tmp_path / "ours" / EXTENSION).write_text(json.dumps({**record, "pieces": [["x"]]}))
    config = PretrainConfig(init_from=str(tmp_path / "base"), tokenizer=str(tmp_path / "ours"))
    with pytest.raises(DataError, match="damaged"):
        make_model(config, ours)
