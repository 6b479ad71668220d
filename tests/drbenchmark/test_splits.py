"""Random splits, cleaning, leak-free splits."""

import random

from doctobert_hf.drbenchmark import get_task
from doctobert_hf.drbenchmark.spec import Filter, Report
from doctobert_hf.drbenchmark.splits import (
    apply_filter,
    by_document,
    cut,
    leak_free,
    random_splits,
    shuffled,
)


def test_shuffle_is_pythons_three_times():
    ids = list(range(50))
    random.seed(4)
    for _ in range(3):
        random.shuffle(ids)
    assert shuffled(range(50)) == ids


def test_cuts_are_floating_point():
    # 180 * 0.70 is 125.99999999999999
    assert [len(part) for part in cut(range(180), 0.70, 0.80)] == [125, 19, 36]
    assert [len(part) for part in cut(range(100), 0.70, 0.80)] == [70, 10, 20]


def test_rows_keep_the_corpus_order():
    rows = [{"id": n} for n in range(40)]
    parts = random_splits(rows, 0.5)
    assert sorted(row["id"] for part in parts for row in part) == list(range(40))
    for part in parts:
        assert [r["id"] for r in part] == sorted(r["id"] for r in part)


def test_documents_stay_whole():
    rows = [{"document_id": f"d{n // 5}", "id": n} for n in range(100)]
    parts = by_document(rows, 0.7, 0.8)
    sets = [{row["document_id"] for row in part} for part in parts]
    assert [len(s) for s in sets] == [14, 2, 4]
    assert not sets[0] & sets[1] and not sets[0] & sets[2] and not sets[1] & sets[2]


def row(number, text, *tags):
    return {"id": str(number), "tokens": text.split(), "ner_tags": list(tags or ["B-X"])}


def test_scopes_of_the_filter():
    task = get_task("quaero_emea")
    splits = {
        "train": [row(1, "a"), row(2, "b"), row(3, "t"), row(4, "b")],
        "validation": [row(5, "b"), row(6, "t"), row(7, "c", "O")],
        "test": [row(8, "t"), row(9, "t"), row(10, "u", "O")],
    }

    def ids(scope, remember=False):
        rule = Filter(lambda r: tuple(r["tokens"]), scope, True, remember)
        cleaned = apply_filter(task, splits, rule, Report())
        return [[r["id"] for r in cleaned[split]] for split in ("train", "validation", "test")]

    assert ids("against_test") == [["1", "2"], ["5"], ["8"]]
    assert ids("cascade") == [["1"], ["5"], ["8"]]


def test_label_free_rows_may_be_remembered():
    task = get_task("e3c_clinical")
    splits = {"train": [row(1, "a")], "validation": [], "test": [row(2, "a", "O")]}
    for remember, kept in ((True, 0), (False, 1)):
        rule = Filter(lambda r: tuple(r["tokens"]), "cascade", True, remember)
        assert len(apply_filter(task, splits, rule, Report())["train"]) == kept


def test_leak_free_never_touches_test():
    def rows(*pairs):
        return [{"id": f"{d}{t}", "document_id": d, "text": t} for d, t in pairs]

    splits = {
        "train": rows(("1", "a"), ("2", "b"), ("3", "t"), ("4", "v")),
        "validation": rows(("5", "v"), ("6", "t"), ("1", "z")),
        "test": rows(("7", "t"), ("8", "t"), ("2", "q")),
    }
    report = Report()
    result = leak_free(splits, lambda r: r["text"], report)
    assert [r["id"] for r in result["test"]] == ["7t", "8t", "2q"]
    assert [r["id"] for r in result["validation"]] == ["5v", "1z"]
    # document 1 is in validation, 2 in test; text t is in test, v in validation
    assert [r["id"] for r in result["train"]] == []
    assert report.counts.total() == 5
