"""Values of an architecture in a recipe: what is taken, what is refused, what is saved."""

import json

import pytest
from transformers import AutoConfig, AutoModelForMaskedLM, BertConfig, BertForMaskedLM

from doctobert_hf.cli import main
from doctobert_hf.config import build_config
from doctobert_hf.errors import UsageError
from doctobert_hf.models import preset_config
from doctobert_hf.models.architecture import check_architecture, restore, set_dropout
from doctobert_hf.pretraining.recipe import PretrainConfig
from doctobert_hf.pretraining.trainer_keys import merged, split_keys


def test_names_and_types_are_checked():
    roberta, modern = preset_config("doctobert-tiny"), preset_config("doctomodernbert-tiny")
    given = {"hidden_size": 96, "num_attention_heads": 3, "hidden_dropout_prob": 0}
    assert check_architecture(given, roberta)["hidden_dropout_prob"] == 0.0
    assert check_architecture({"local_attention": 16}, modern) == {"local_attention": 16}
    for bad, message in (
        ({"local_attention": 16}, "A roberta model has no"),
        ({"hidden_siz": 16}, "hidden_size"),
        ({"hidden_size": "96"}, "a value such as"),
        ({"hidden_size": True}, "a value such as"),
        ({"num_hidden_layers": 0}, "a value such as"),
        ({"hidden_dropout_prob": 1.5}, "a value such as"),
        ({"hidden_size": 65}, "num_attention_heads divides"),
        ({"vocab_size": 100}, "the tokenizer decides"),
    ):
        with pytest.raises(UsageError, match=message):
            check_architecture(bad, roberta)
    with pytest.raises(UsageError, match="even parts"):
        check_architecture({"hidden_size": 60}, modern)


def test_keys_find_their_place():
    recipe = {"max_tokens": 10, "hidden_size": 96, "gradient_checkpointing": True}
    split = split_keys(recipe, PretrainConfig, "recipe")
    assert split["architecture"] == {"hidden_size": 96}
    assert split["training"] == {"gradient_checkpointing": True}
    again = merged(split, split_keys({"num_hidden_layers": 2}, PretrainConfig, "options"))
    assert again["architecture"] == {"hidden_size": 96, "num_hidden_layers": 2}
    assert build_config(PretrainConfig, split, again).architecture == again["architecture"]
    with pytest.raises(UsageError, match="hidden_size"):
        split_keys({"hiden_size": 96}, PretrainConfig, "recipe")


def test_dropout_of_a_continued_model_is_for_the_training(tmp_path):
    config = BertConfig(
        vocab_size=60, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16,
    )  # fmt: skip
    BertForMaskedLM(config).save_pretrained(tmp_path / "m")
    known = AutoConfig.from_pretrained(tmp_path / "m")
    own = set_dropout(known, {"hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0.25})
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "m", config=known)
    restore(model, own)
    layer = model.bert.encoder.layer[0]
    assert layer.output.dropout.p == 0.0 and layer.attention.self.dropout.p == 0.25
    assert model.config.hidden_dropout_prob == model.config.attention_probs_dropout_prob == 0.1
    with pytest.raises(UsageError, match="dropout alone"):
        set_dropout(known, {"hidden_size": 32})
    with pytest.raises(UsageError, match="hidden_dropout_prob"):
        set_dropout(known, {"hiden_dropout_prob": 0.0})


@pytest.mark.long
@pytest.mark.versions
def test_in_a_run(tmp_path, capsys):
    line = [
        "pretrain",
        "doctobert-tiny/pretrain",
        "--hidden_size",
        "32",
        "--num_hidden_layers",
        "1",
    ]
    assert main([*line, "--dry-run", "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)["parameters"]
    assert main(["pretrain", "doctobert-tiny/pretrain", "--dry-run", "--json"]) == 0
    assert planned < json.loads(capsys.readouterr().out)["parameters"]
    short = ["--max-tokens", "3000", "--warmup-tokens", "0", "--decay-tokens", "0"]
    assert main([*line, *short, "--output", str(tmp_path / "run")]) == 0
    saved = json.loads((tmp_path / "run/model/config.json").read_text())
    assert saved["hidden_size"] == 32 and saved["num_hidden_layers"] == 1
