"""All 27 tasks on made-up files in the raw layouts, against what the original code makes of them.

``data/made_up.zip`` holds random files that exercise the quirks of every layout. The digests in
``data/original_rows.json`` were computed with the benchmark's own loading scripts (DrBenchmark
``cfd005b``, file names sorted), not with this package.
"""

import hashlib
import json
from pathlib import Path

import pytest

from doctobert_hf.drbenchmark import get_task, list_tasks
from doctobert_hf.drbenchmark.conversion import convert
from doctobert_hf.drbenchmark.source import find_corpus

HERE = Path(__file__).parent / "data"
ORIGINAL = json.loads((HERE / "original_rows.json").read_text())


def without_names(task, row):
    """The columns that the original has too: not the names of rows and documents."""
    own = {"id", "document_id"} | ({"text"} if task.name == "frenchmedmcqa_cls" else set())
    return {k: v for k, v in row.items() if k not in own}


def as_float32(row):
    import numpy as np

    return row | {"score": float(np.float32(row["score"]))} if "score" in row else row


@pytest.mark.parametrize("name", sorted(ORIGINAL))
def test_rows_equal_the_original_code(name):
    task = get_task(name)
    splits = convert(task, find_corpus(task, HERE / "made_up.zip")).splits
    for split, (count, digest) in ORIGINAL[name].items():
        ours = hashlib.sha256()
        for row in splits[split]:
            row = as_float32(without_names(task, row))
            text = json.dumps(row, ensure_ascii=False, sort_keys=True)
            ours.update(text.encode("utf-8", "surrogatepass") + b"\n")
        assert len(splits[split]) == count
        assert ours.hexdigest() == digest, f"{split} differs"


def test_all_tasks_are_covered():
    assert {task.name for task in list_tasks()} == set(ORIGINAL)
    assert len(ORIGINAL) == 27


@pytest.mark.parametrize("name", sorted(ORIGINAL))
def test_strict_has_no_document_in_two_splits(name):
    from doctobert_hf.drbenchmark.families import family_of

    task = get_task(name)
    folder = find_corpus(task, HERE / "made_up.zip")
    strict = convert(task, folder, "strict").splits
    documents, contents = {}, {}
    for split, rows in strict.items():
        by_document = {}
        for number, row in enumerate(rows):
            by_document.setdefault(row.get("document_id", number), []).append(row)
        if rows and "document_id" in rows[0]:
            documents[split] = set(by_document)
        contents[split] = {
            tuple(family_of(task).content_key(r) for r in d) for d in by_document.values()
        }
    for seen in (documents, contents):
        for a, b in (("train", "validation"), ("train", "test"), ("validation", "test")):
            assert not seen.get(a, set()) & seen.get(b, set()), (a, b)
    for rows in strict.values():
        if task.kind == "token-classification":
            assert all(set(row[task.label_column]) <= set(task.labels) for row in rows)


def test_doctobert_filters():
    for name in ("quaero_emea", "e3c_clinical", "deft2021_ner", "pxcorpus_ner"):
        task = get_task(name)
        folder = find_corpus(task, HERE / "made_up.zip")
        plain = convert(task, folder).splits
        cleaned = convert(task, folder, "doctobert").splits
        assert sum(map(len, cleaned.values())) < sum(map(len, plain.values()))
        for split in plain:
            rows = cleaned[split]
            assert rows
            assert all(set(row["ner_tags"]) - {"O"} for row in rows)
            assert len({tuple(row["tokens"]) for row in rows}) == len(rows)
        test = {tuple(row["tokens"]) for row in cleaned["test"]}
        for split in ("train", "validation"):
            assert not test & {tuple(row["tokens"]) for row in cleaned[split]}
