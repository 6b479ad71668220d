"""Mistakes in their sentences, by kind and type."""

import json

import pytest

from doctobert_hf.cli import main
from doctobert_hf.drbenchmark.mistakes import _mistakes, line, page, spans_of, summary
from doctobert_hf.drbenchmark.results import Cell, Result

WORDS = "Il va bien . Pas de fièvre élevée ni de toux hier . Il dort .".split()
TRUE = ["O"] * 6 + ["B-D", "I-D", "O", "O", "B-D", "B-T"] + ["O"] * 4
FOUND = ["O", "B-D", "O", "O", "O", "O", "B-D", "O", "O", "O", "B-X", "O"] + ["O"] * 4


def test_kinds():
    made = list(_mistakes("n1", WORDS, spans_of(TRUE), spans_of(FOUND)))
    assert [(m.kind, m.expected, m.found) for m in made] == [
        ("wrong ends", ("D", "fièvre élevée"), ("D", "fièvre")),
        ("wrong type", ("D", "toux"), ("X", "toux")),
        ("missed", ("T", "hier"), ("", "")),
        ("invented", ("", ""), ("D", "va")),
    ]
    assert line(made[0]) == (
        "wrong ends D: 'fièvre élevée', not 'fièvre' (n1): Pas de [fièvre élevée] ni de toux hier ."
    )
    assert line(made[3]) == "invented D (n1): Il [va] bien ."
    header, rows = summary(made)
    assert header == ["type", "missed", "invented", "wrong ends", "wrong type"]
    assert rows == [["D", "0", "1", "1", "1"], ["T", "1", "0", "0", "0"]]
    assert not list(_mistakes("n1", WORDS, spans_of(TRUE), spans_of(TRUE)))


def test_a_page_shows_text_as_text():
    made = page("x", list(_mistakes("<n>", ["<script>"], spans_of(["B-D"]), [])))
    assert "<script" not in made and "&lt;script&gt;" in made and "D (1)" in made


@pytest.fixture
def results(tmp_path):
    cell = Cell("m", "local-1", "quaero_emea", "strict", "standard", 42)
    empty = {name: {} for name in ("hyperparameters", "data", "encoding", "model", "environment")}
    path = Result(cell, "token-classification", "f1", 0.5, {"f1": 0.5}, 0.5, tuning=None,
                  duration=1.0, energy_kwh=None, date="2026-01-01", predictions="p.jsonl",
                  **empty).write(tmp_path / "results")  # fmt: skip
    row = {"id": "n1", "tokens": WORDS, "reference": TRUE, "prediction": FOUND}
    (path.parent / "p.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path / "results"


def test_the_command(results, tmp_path, capsys):
    words = ["benchmark", "errors", str(results)]
    assert main([*words, "--html", str(tmp_path / "e.html")]) == 0
    out = capsys.readouterr().out
    assert "4 mistakes" in out and "missed T (n1)" in out
    assert (tmp_path / "e.html").read_text().count("<li") == 4
    assert main([*words, "--html", str(tmp_path / "e.html")]) == 2
    assert main([*words, "--type", "T", "--json"]) == 0
    assert [m["kind"] for m in json.loads(capsys.readouterr().out)] == ["missed"]
    assert main([*words, "--task", "other"]) == 2
    (predictions,) = results.glob("*/*/*/p.jsonl")
    predictions.write_text("{")
    assert main(words) == 1 and "p.jsonl' is damaged" in capsys.readouterr().err
