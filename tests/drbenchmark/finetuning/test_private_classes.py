"""Texts with classes as a task of one's own: tables, exports, splits, and what is refused."""

import csv
import json

import pytest

from doctobert_hf.drbenchmark import Predictor
from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig
from doctobert_hf.drbenchmark.finetuning.finetune import finetune
from doctobert_hf.drbenchmark.finetuning.private import (
    annotation_accounts,
    list_private_tasks,
    read_corpus,
)
from doctobert_hf.drbenchmark.readers.labelled import split_labelled_texts
from doctobert_hf.errors import DataError, UsageError

REASONS = {"urgent": "Douleur thoracique, sueurs", "routine": "Renouvellement de traitement"}


@pytest.fixture(autouse=True)
def fresh():
    split_labelled_texts.cache_clear()


def _rows(count=20):
    return [
        {"text": f"{REASONS[label]} {number}", "label": label}
        for number in range(count)
        for label in sorted(REASONS)
    ]


def _json_lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
    return path


def test_a_table_is_a_task(tmp_path):
    path = tmp_path / "visits.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["text", "label"], delimiter=";")
        writer.writeheader()
        writer.writerows(_rows())
    (task,) = list_private_tasks(str(path))
    assert (task.name, task.kind, task.metric) == (
        "visits_classes", "classification", "weighted_f1"
    )  # fmt: skip
    assert task.labels == ("routine", "urgent")
    _, rows = read_corpus(str(path), task.name)
    assert {split: len(found) for split, found in rows.items()} == {
        "train": 28, "validation": 4, "test": 8
    }  # fmt: skip
    for row in rows["train"]:
        assert row["text"].startswith(REASONS[task.labels[row["label"]]])
    assert annotation_accounts(str(path), task.name) == {
        "routine": {"kept": 20}, "urgent": {"kept": 20}
    }  # fmt: skip


def test_files_named_after_splits_are_splits(tmp_path):
    for name, count in (("train", 6), ("dev", 2), ("test", 3)):
        rows = [{"id": f"{name}{i}", **row} for i, row in enumerate(_rows(count))]
        _json_lines(tmp_path / "visits" / f"{name}.jsonl", rows)
    _, rows = read_corpus(str(tmp_path / "visits"), "visits_classes")
    assert [len(rows[split]) for split in ("train", "validation", "test")] == [12, 4, 6]


def test_one_patients_texts_stay_together(tmp_path):
    rows = [{**row, "patient_id": i % 9} for i, row in enumerate(_rows())]
    path = _json_lines(tmp_path / "visits.jsonl", rows)
    split_of = {}
    for split, text in split_labelled_texts(str(path))[0]:
        split_of.setdefault(text.group, set()).add(split)
    assert len(split_of) == 9
    assert all(len(splits) == 1 for splits in split_of.values())


@pytest.mark.parametrize(
    "shape",
    [
        lambda text, labels: {"text": text, "labels": labels},
        lambda text, labels: {"text": text, "labels": "|".join(labels)},
        lambda text, labels: {"text": text, "label": labels},  # doccano
        lambda text, labels: {"text": text, "accept": labels, "answer": "accept"},  # Prodigy
        lambda text, labels: {  # Label Studio
            "id": text,
            "data": {"text": text},
            "annotations": [{"result": [{"type": "choices", "value": {"choices": labels}}]}],
        },
    ],
)
def test_several_classes_in_every_tools_shape(tmp_path, shape):
    kinds = (["asthme"], ["asthme", "tabac"], ["tabac"])
    rows = [shape(f"note {i}", kinds[i % 3]) for i in range(30)]
    place = tmp_path / "notes"
    _json_lines(place / "export.jsonl", rows)
    (task,) = list_private_tasks(str(place))
    assert (task.name, task.kind) == ("notes_classes", "multilabel-classification")
    _, found = read_corpus(str(place), task.name)
    by_text = {row["text"]: row["labels"] for split in found.values() for row in split}
    assert by_text["note 1"] == [0, 1]
    assert by_text["note 2"] == [1]


def test_what_has_no_class_is_counted(tmp_path, caplog):
    rows = _rows()
    rows[3]["label"] = None
    rows[5]["text"] = " "
    rows[7]["answer"] = "reject"
    path = _json_lines(tmp_path / "visits.jsonl", rows)
    _, found = read_corpus(str(path), "visits_classes")
    assert sum(map(len, found.values())) == 37
    told = caplog.text
    for kind in ("text without a class", "empty text", "text with the answer 'reject'"):
        assert f"1 x {kind} left out" in told


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"text": f"t{i}", "label": "a"} for i in range(9)], "the class 'a' alone"),
        ([{"text": f"t{i}", "label": i} for i in range(9)], "9 classes in 9 texts"),
        ([{"text": f"t{i}", "label": i / 7} for i in range(1, 9)], "is a number, not a class"),
        ([{"text": "a", "label": "x"}, {"text": 3, "label": "y"}], "line 2: text is a int"),
        (
            [{"text": "a", "label": "x"}, {"text": "b", "entities": [{"start": 0}]}],
            "line 2: entities, and other rows have classes",
        ),
    ],
)
def test_what_is_no_classification_is_refused(tmp_path, rows, said):
    path = _json_lines(tmp_path / "visits" / "all.jsonl", rows)
    with pytest.raises(DataError, match=said):
        list_private_tasks(str(path.parent))


def test_a_row_that_is_no_object_has_its_place(tmp_path):
    path = _json_lines(tmp_path / "visits" / "all.jsonl", [{"text": "a", "label": "x"}, ["b"]])
    with pytest.raises(DataError, match="line 2: a list"):
        list_private_tasks(str(path.parent))


def test_a_folder_without_annotation_says_what_is_read(tmp_path):
    (tmp_path / "notes").mkdir()
    with pytest.raises(UsageError, match="a table with 'text' and 'label'"):
        list_private_tasks(str(tmp_path / "notes"))


@pytest.mark.long
def test_it_is_learnt_kept_and_used(tmp_path, make_encoder):
    path = _json_lines(tmp_path / "visits.jsonl", _rows(40))
    space = tmp_path / "space.yaml"
    space.write_text(
        "untuned: {learning_rate: 0.002, weight_decay: 0.01, warmup_ratio: 0.1, epochs: 6, "
        "batch_size: 8}\n"
    )
    config = BenchmarkConfig(
        corpus=path, protocol="strict", trials=0, seeds=(1,), space=str(space), max_length=32,
        output=tmp_path / "unused",
    )  # fmt: skip
    made = finetune(make_encoder().source, tmp_path / "kept", None, config)
    assert made["task"] == "visits_classes"
    assert made["score"] > 0.9
    (found,) = Predictor.from_pretrained(tmp_path / "kept" / "model")(["Douleur thoracique"])
    assert found[0]["label"] == "urgent"


def test_dotted_names_of_splits(tmp_path):
    for name, count in (("notes.train", 6), ("notes.dev", 2), ("notes.test", 3)):
        rows = [{"id": f"{name}{i}", **row} for i, row in enumerate(_rows(count))]
        _json_lines(tmp_path / "visits" / f"{name}.jsonl", rows)
    _, rows = read_corpus(str(tmp_path / "visits"), "visits_classes")
    assert [len(rows[split]) for split in ("train", "validation", "test")] == [12, 4, 6]


def test_folders_of_splits_with_files_of_one_name(tmp_path):
    for split, count in (("train", 6), ("dev", 2), ("test", 3)):
        place = tmp_path / "visits" / split / "data.csv"
        place.parent.mkdir(parents=True)
        lines = [f"{row['text']};{row['label']}" for row in _rows(count)]
        place.write_text("text;label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    _, rows = read_corpus(str(tmp_path / "visits"), "visits_classes")
    assert [len(rows[split]) for split in ("train", "validation", "test")] == [12, 4, 6]


def test_what_was_not_annotated_does_not_change_the_task(tmp_path, caplog):
    rows = [{"text": f"note {i}", "label": [("a", "b")[i % 2]]} for i in range(20)]
    rows[4]["label"] = []  # doccano
    rows[5]["label"] = " "
    path = _json_lines(tmp_path / "notes.jsonl", rows)
    _, found = read_corpus(str(path), "notes_classes")
    assert sum(map(len, found.values())) == 18 and "label" in found["train"][0]
    assert "2 x text without a class left out" in caplog.text


def test_annotators_who_differ_and_several_questions_are_refused(tmp_path):
    def task(*answers):
        return [
            {"result": [{"from_name": q, "value": {"choices": [c]}} for q, c in answer]}
            for answer in answers
        ]

    for given, said in (
        (task([("q", "a")], [("q", "b")]), "annotators who do not agree"),
        (task([("q", "a"), ("r", "b")]), "several questions"),
        ([1], "has no attribute"),
    ):
        rows = [{"data": {"text": f"t{i}"}, "annotations": given} for i in range(4)]
        path = _json_lines(tmp_path / said[:7].strip() / "export.jsonl", rows)
        with pytest.raises(DataError, match=said):
            list_private_tasks(str(path))
    with pytest.raises(DataError, match="both 'label' and 'labels'"):
        list_private_tasks(
            str(_json_lines(tmp_path / "b.jsonl", [{"text": "a", "label": "x", "labels": ["y"]}]))
        )


def test_a_table_of_something_else_beside_entities(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "codes.csv").write_text("id;age\n1;40\n")
    entities = [{"start": 0, "end": 4, "label": "SYMPT"}]
    rows = [{"id": str(i), "text": f"Toux {i}", "entities": entities} for i in range(20)]
    _json_lines(tmp_path / "notes" / "notes.jsonl", rows)
    assert [task.name for task in list_private_tasks(str(tmp_path / "notes"))] == ["notes_entities"]


def test_a_table_of_other_columns_is_told_by_its_columns(tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text("texte,classe\nune toux,a\n")
    with pytest.raises((DataError, UsageError), match="text.*label"):
        list_private_tasks(str(path))
    with pytest.raises(UsageError, match="table of texts"):
        list_private_tasks(str(tmp_path / "absent.csv"))
