"""Records: a run says of itself what cards show; the Hub's code knows no command's files."""

import json
from pathlib import Path

import doctobert_hf
from doctobert_hf.hub.cards.records import ModelFolder, read_model, read_results


def test_what_a_run_says_of_itself_is_what_a_card_is_given(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text('{"architectures": ["BertForMaskedLM"]}')
    (tmp_path / "resolved_config.yaml").write_text("")
    results = {"corpus": {"source": "notes", "generated": False}, "held_out": {"accuracy": 0.5}}
    record = {"schema_version": 1, "kind": "of-tomorrow", "settings": {}}
    (tmp_path / "run.json").write_text(json.dumps(record | {"results": results}))
    assert read_results(tmp_path) == results
    found = read_model(ModelFolder(model, tmp_path))
    assert found["corpus"]["source"] == "notes" and found["held_out"] == {"accuracy": 0.5}


def test_results_lie_in_the_run_and_nowhere_else(tmp_path):
    for name in ("mine", "benchmark"):
        (tmp_path / name).mkdir()
    run = tmp_path / "mine"
    record = {"schema_version": 1, "kind": "k", "settings": {}}
    (run / "run.json").write_text(json.dumps(record | {"results": {"benchmark": "../benchmark"}}))
    assert ModelFolder(run / "model", run).benchmark is None


def test_the_hub_knows_no_command_by_name():
    folder = Path(doctobert_hf.__file__).with_name("hub")
    told = [
        path.name
        for path in folder.rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in ("quickstart", '"state.json"'))
    ]
    assert told == []


def test_a_run_of_before_that_says_nothing_is_refused_and_not_guessed(tmp_path):
    import pytest

    from doctobert_hf.errors import UsageError

    record = {"schema_version": 1, "settings": {}}
    (tmp_path / "run.json").write_text(json.dumps(record | {"kind": "quickstart"}))
    with pytest.raises(UsageError, match="once more with --resume"):
        read_results(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(record | {"kind": "pretrain"}))
    assert read_results(tmp_path) == {}
