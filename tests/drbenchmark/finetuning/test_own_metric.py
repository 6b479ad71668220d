"""A private corpus scored by a plugin's metric: run, results, report, card, and without it."""

import json

import pytest

from doctobert_hf import extension
from doctobert_hf.cli import main
from doctobert_hf.drbenchmark import Predictor, tasks
from doctobert_hf.metrics import own

PLUGIN = """
from doctobert_hf.metrics import register_metric

def balanced(predictions, references):
    classes = sorted(set(references))
    found = [sum(p == r == c for p, r in zip(predictions, references)) for c in classes]
    return sum(f / references.count(c) for f, c in zip(found, classes)) / len(classes)

register_metric("balanced_recall", balanced)
"""
REASONS = {"urgent": "Douleur thoracique, sueurs", "routine": "Renouvellement de traitement"}


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    monkeypatch.setattr(own, "_OWN", {})
    monkeypatch.setattr(tasks, "RUN_FILES", {})
    (tmp_path / "mine.py").write_text(PLUGIN)
    rows = [
        {"text": f"{REASONS[label]} {number}", "label": label}
        for number in range(20)
        for label in sorted(REASONS)
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "visits.jsonl").write_text(lines)
    (tmp_path / "space.yaml").write_text(
        "defaults: {learning_rate: {low: 1.0e-3, high: 1.0e-2, log: true}}\n"
        "untuned: {learning_rate: 5.0e-3, epochs: 2, batch_size: 8}\n"
    )
    return tmp_path / "mine.py"


@pytest.mark.long
@pytest.mark.versions
def test_a_run_and_its_report(make_encoder, plugin, tmp_path, capsys, caplog):
    run = ["benchmark", "run", make_encoder().source, "--corpus", str(tmp_path / "visits.jsonl")]
    run += ["--trials", "0", "--seeds", "42", "--space", str(tmp_path / "space.yaml")]
    run += ["--max-length", "32", "--output", str(tmp_path / "results"), "--save-models", "best"]
    assert main([*run, "--metric", "balanced_recall"]) == 2
    assert "No metric 'balanced_recall'" in capsys.readouterr().err
    mine = [*run, "--metric", "balanced_recall", "--plugin", str(plugin)]
    assert main(mine) == 0
    [path] = (tmp_path / "results").rglob("seed-42.json")
    result = json.loads(path.read_text())
    assert result["metric"] == "balanced_recall" and result["interval"] is None
    assert result["score"] == result["scores"]["balanced_recall"] and "f1" in result["scores"]
    capsys.readouterr()
    # another metric's results are not taken for this one's
    assert main(run) == 2
    assert '"balanced_recall", not "f1"' in " ".join(capsys.readouterr().err.split())
    assert main(mine) == 0

    own.forget_metric("balanced_recall")  # whoever reads results need not have the plugin
    report = ["benchmark", "report", str(tmp_path / "results"), "--output", str(tmp_path / "page")]
    assert main([*report, "--protocol", "strict"]) == 0
    assert "no intervals over documents for metrics of plugins" in caplog.text
    assert "balanced_recall" in (tmp_path / "page" / "report.html").read_text()


@pytest.mark.long
@pytest.mark.versions
def test_a_model_is_scored_again_with_the_plugin_and_predicts_without(
    make_encoder, plugin, tmp_path, capsys
):
    corpus = ["--corpus", str(tmp_path / "visits.jsonl")]
    words = ["finetune", make_encoder().source, *corpus, "--max-length", "32", "--json"]
    words += ["--space", str(tmp_path / "space.yaml"), "--output", str(tmp_path / "run")]
    assert main([*words, "--metric", "balanced_recall", "--plugin", str(plugin)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["metric"] == "balanced_recall"
    card = (tmp_path / "run" / "model" / "README.md").read_text()
    assert "balanced_recall" in card
    again = ["predict", str(tmp_path / "run"), *corpus, "--json"]
    assert main([*again, "--plugin", str(plugin)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["metric"], told["score"]) == ("balanced_recall", result["score"])
    own.forget_metric("balanced_recall")
    [classes] = Predictor.from_pretrained(tmp_path / "run")(["Douleur thoracique"])
    assert {found["label"] for found in classes} == set(REASONS)
    assert main(again) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "No metric 'balanced_recall'" in error and "--plugin" in error


@pytest.mark.long
@pytest.mark.parametrize("installed", [False, True])
def test_trials_in_processes_of_their_own_know_it(
    installed, make_encoder, plugin, tmp_path, monkeypatch
):
    pytest.importorskip("optuna")
    how = ["--plugin", str(plugin)]
    if installed:  # as an installed package's entry point
        how = []
        monkeypatch.setattr(extension, "LOADED", list(extension.LOADED))
        (tmp_path / "site" / "theirs-1.dist-info").mkdir(parents=True)
        (tmp_path / "site" / "theirs.py").write_text(PLUGIN)
        about = tmp_path / "site" / "theirs-1.dist-info"
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1\n")
        (about / "entry_points.txt").write_text("[doctobert_hf.plugins]\ntheirs = theirs\n")
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
    run = ["benchmark", "run", make_encoder().source, "--corpus", str(tmp_path / "visits.jsonl")]
    run += ["--trials", "2", "--jobs", "2", "--seeds", "42", "--max-length", "32"]
    run += ["--space", str(tmp_path / "space.yaml"), "--output", str(tmp_path / "results")]
    assert main([*run, "--metric", "balanced_recall", *how]) == 0
    [path] = (tmp_path / "results").rglob("tuning.json")
    assert json.loads(path.read_text())["trials"] == 2
