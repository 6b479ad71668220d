"""Kinds of cards: each has its template, and others add their own."""

import pytest

from doctobert_hf.cli import main
from doctobert_hf.errors import UsageError
from doctobert_hf.hub import CardKind, register_card_kind
from doctobert_hf.hub.cards.kinds import KINDS, find_kind
from doctobert_hf.recipes import shared_folder


def test_each_kind_has_a_template_and_each_template_a_kind():
    templates = {path.stem for path in shared_folder("hub_cards").glob("*.md")}
    assert set(KINDS) == templates - {"README", "layout_model", "layout_dataset"}


def test_a_kind_of_something_else_is_refused_before_anything_is_read(
    tmp_path, tmp_path_factory, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))  # a dry run without --output begins there
    with pytest.raises(UsageError, match="No card of kind 'finemd'.*'finemed'"):
        find_kind("finemd", "dataset")
    for words in (["push-model", "--kind", "finemed"], ["push-dataset", "--kind", "encoder"]):
        command = ["hub", words[0], str(tmp_path), "o/n", "--dry-run", "--license", "mit"]
        assert main([*command, *words[1:]]) == 2
        assert f"No card of kind '{words[2]}'" in capsys.readouterr().err
    command = ["hub", "push-dataset", str(tmp_path), "o/n", "--dry-run", "--license", "mit"]
    assert main([*command, "--kind", "drbenchmark"]) == 2
    assert "without tasks" in capsys.readouterr().err


def test_a_card_of_a_kind_of_something_else_is_refused(tmp_path, tokenizer_dir):
    from doctobert_hf.hub import CardFacts
    from doctobert_hf.hub.publish.preview import render_path

    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UsageError, match="No card of kind 'finemed'"):
        render_path(tmp_path, "o/n", CardFacts(), kind="finemed")
    with pytest.raises(UsageError, match="No card of kind 'encoder'"):
        render_path(tokenizer_dir, "o/n", CardFacts(), kind="encoder")


def test_a_plugin_adds_a_kind(tmp_path, capsys):
    from transformers import BertConfig, BertForSequenceClassification

    sizes = {"hidden_size": 8, "intermediate_size": 8, "vocab_size": 16}
    config = BertConfig(num_hidden_layers=1, num_attention_heads=1, **sizes)
    BertForSequenceClassification(config).save_pretrained(tmp_path / "model")
    (tmp_path / "triage.md").write_text(
        '{% extends "layout_model.md" %}{% block introduction %}Sorts letters.{% endblock %}'
    )
    (tmp_path / "plugin.py").write_text(
        "from pathlib import Path\n"
        "from doctobert_hf.hub import CardKind, register_card_kind\n"
        "register_card_kind(CardKind('triage', 'model', 'text-classification', "
        "folder=Path(__file__).parent))\n"
    )
    try:
        words = ["hub", "card", str(tmp_path / "model"), "o/sorter", "--license", "mit"]
        plugin = ["--kind", "triage", "--plugin", str(tmp_path / "plugin.py")]
        assert main([*words, *plugin]) == 0
    finally:
        KINDS.pop("triage", None)
    card = capsys.readouterr().out
    assert "Sorts letters." in card and "pipeline_tag: text-classification" in card


def test_a_name_that_is_taken_and_a_kind_without_a_template_are_refused(tmp_path):
    with pytest.raises(UsageError, match="There is a card of kind 'encoder'"):
        register_card_kind(CardKind("encoder", "model", folder=tmp_path))
    with pytest.raises(UsageError, match="No template 'mine.md'"):
        register_card_kind(CardKind("mine", "model", folder=tmp_path))
