"""The table of tasks: names, labels, documentation pages, checks, command line."""

import json
from pathlib import Path

import pytest

from doctobert_hf.cli import main
from doctobert_hf.drbenchmark import get_task, list_tasks
from doctobert_hf.drbenchmark.check import check_task
from doctobert_hf.drbenchmark.pages import pages
from doctobert_hf.drbenchmark.spec import find_label
from doctobert_hf.errors import UsageError
from doctobert_hf.metrics import list_metrics

REPOSITORY = Path(__file__).resolve().parents[2]
MADE_UP = Path(__file__).parent / "data" / "made_up.zip"
LABEL_COUNTS = {
    "cas_pos": 31, "cas_cls": 4, "cas_ner_neg": 3, "cas_ner_spec": 3, "essai_pos": 35,
    "essai_cls": 4, "essai_ner_neg": 4, "essai_ner_spec": 4, "quaero_emea": 21,
    "quaero_medline": 21, "e3c_clinical": 3, "e3c_temporal": 11, "morfitt": 12,
    "frenchmedmcqa_mcqa": 5, "frenchmedmcqa_cls": 5, "mantragsc_emea": 18,
    "mantragsc_medline": 18, "mantragsc_patents": 17, "clister": 0, "deft2019": 9,
    "deft2020_sts": 0, "deft2020_cls": 3, "deft2021_cls": 23, "deft2021_ner": 27, "diamed": 22,
    "pxcorpus_ner": 52, "pxcorpus_cls": 4,
}  # fmt: skip


def test_names_labels_and_metrics():
    assert {task.name: len(task.labels) for task in list_tasks()} == LABEL_COUNTS
    for task in list_tasks():
        assert len(set(task.labels)) == len(task.labels)
        assert task.metric in list_metrics()
        assert task.strict and task.corpus.citation.startswith("@")
    assert [t.name for t in list_tasks() if t.doctobert] == [
        *("quaero_emea", "quaero_medline", "e3c_clinical", "e3c_temporal"),
        *("morfitt", "deft2021_ner", "diamed"),
    ]
    assert get_task("pxcorpus_ner").labels[38] == "I-cma_event"
    assert get_task("e3c_temporal").labels[6] == "I-EVENT"


def test_labels_are_looked_up_as_datasets_does():
    assert find_label("b", ("a", "b")) == "b"
    assert find_label(" b\n", ("a", "b")) == "b"
    assert find_label("0", ("1", "2")) == "1"
    assert find_label("2", ("a", "b")) is None


def test_an_unknown_task_names_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'quaero_emea'"):
        get_task("quaero_ema")


def test_documentation_pages_are_made_from_the_declarations():
    folder = REPOSITORY / "docs" / "tasks"
    if not folder.is_dir():
        pytest.skip("no docs beside this package")
    made = pages()
    assert {path.name for path in folder.iterdir()} == set(made)
    for name, text in made.items():
        assert (folder / name).read_text() == text, f"run `make docs` for {name}"
    for task in list_tasks():
        assert all(f"`{label}`" in made[f"{task.name}.md"] for label in task.labels)


def test_check_finds_duplicates_and_shared_documents():
    check = check_task(get_task("e3c_temporal"), MADE_UP)
    assert check.status == "differs"
    assert "rows instead of (776, 111, 222)" in check.findings[0]
    assert check.fingerprint == "differs"
    assert any("documents of test are in train too" in note for note in check.notes)
    differs = check_task(get_task("cas_pos"), MADE_UP.parent)
    assert differs.status == "differs"  # the made-up corpus is smaller than the real one


def test_check_tells_a_damaged_archive_from_none(tmp_path, capsys):
    assert check_task(get_task("quaero_emea"), tmp_path).status == "absent"
    (tmp_path / "quaero.zip").write_bytes(MADE_UP.read_bytes()[:9999])
    assert check_task(get_task("quaero_emea"), tmp_path).status == "error"
    assert main(["benchmark", "check", "--data-dir", str(tmp_path)]) == 1
    assert "quaero.zip cannot be read" in capsys.readouterr().err
    assert main(["benchmark", "tasks", "--data-dir", str(tmp_path)]) == 0
    assert "unreadable" in capsys.readouterr().out


def test_check_on_real_data(data_dir):
    check = check_task(get_task("morfitt"), data_dir)
    assert (check.status, check.fingerprint) == ("ok", "equal")
    assert check.notes == ["1 rows are in validation and test"]


@pytest.mark.long
def test_command_line(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("DOCTOBERT_DATA_DIR", raising=False)
    assert main(["benchmark", "tasks", "--data-dir", str(MADE_UP), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 27 and all("made_up.zip" in row["data"] for row in rows)
    assert main(["benchmark", "tasks", "--data-dir", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "missing" in shown and "download" in shown
    assert main(["benchmark", "check", "--data-dir", str(tmp_path)]) == 0
    assert main(["benchmark", "check", "--data-dir", str(tmp_path), "--tasks", "cas_pos"]) == 1
    assert "agreement" in capsys.readouterr().err
    arguments = ["benchmark", "check", "--data-dir", str(MADE_UP), "--tasks", "cas_cls", "--json"]
    assert main(arguments) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert result["status"] == "ok" and result["fingerprint"] == "unknown"
    assert main(["benchmark", "tasks", "--data-dir", str(tmp_path / "no")]) == 2
    assert main(["benchmark", "check", "--tasks", "nope"]) == 2
