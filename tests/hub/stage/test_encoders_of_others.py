"""Encoders that others made: without a head, without a mask, without a pooler, without records."""

import pytest
import torch
from huggingface_hub import ModelCard
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM

from doctobert_hf.hub import CardFacts
from doctobert_hf.hub.publish.verification import verify
from doctobert_hf.hub.stage.package import package_model


def saved(folder, tokenizer, kind, mask=True, pooler=True):
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        "bert", vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=64, max_position_embeddings=130,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    more = {} if kind is AutoModelForMaskedLM else {"add_pooling_layer": pooler}
    model = kind.from_config(config, **more)
    model.save_pretrained(folder)
    made = type(tokenizer)(tokenizer_object=tokenizer.backend_tokenizer, model_max_length=128)
    for name in ("pad_token", "unk_token", "cls_token", "sep_token", *(["mask_token"] * mask)):
        setattr(made, name, getattr(tokenizer, name))
    made.save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("kind", "mask", "fills"),
    [(AutoModel, True, False), (AutoModel, False, False), (AutoModelForMaskedLM, True, True)],
)
def test_only_a_masked_lm_with_a_mask_fills_masks(kind, mask, fills, tokenizer, tmp_path):
    place = saved(tmp_path / "model", tokenizer, kind, mask)
    made = package_model(place, "me/petit", tmp_path / "staged", CardFacts(license="mit"))
    card = made.render(None).text
    assert ModelCard(card).data.pipeline_tag == ("fill-mask" if fills else "feature-extraction")
    assert ("Fill in a masked word" in card) is fills
    assert ("is a masked language model" in card) is fills
    assert "French medical encoder" not in card  # nothing is recorded of what it read


def test_a_pooler_that_nothing_reads_may_be_missing(tokenizer, tmp_path):
    place = saved(tmp_path / "model", tokenizer, AutoModel, pooler=False)
    checks = {check.what: check for check in verify(str(place))}
    assert checks["load by path"].status == "ok", checks["load by path"].detail
