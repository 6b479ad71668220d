"""Exact duplicates over parts: one of each, the first, whatever the parts are."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from finemed_helpers import excluded_of, rows_of

from doctobert_hf.finemed.cleaning import clean
from doctobert_hf.finemed.config import CleanConfig
from doctobert_hf.finemed.exact_duplicates import (
    ExactDuplicates,
    Fingerprints,
    Repeats,
    fingerprint_of,
    pieces_of,
)
from doctobert_hf.finemed.writing import Exclusions

WORDS = "fièvre toux dyspnée asthénie douleur prurit œdème vertige nausée palpitations".split()


@pytest.fixture
def corpus(tmp_path):
    """Five files of 24 documents; about every third repeats an earlier one in other letters."""
    draw, rows = random.Random(3), []
    for number in range(120):
        text = f"Le patient {number} présente : " + ", ".join(draw.choices(WORDS, k=12)) + "."
        if rows and draw.random() < 0.35:
            text = draw.choice(rows)["text"].upper().replace(",", " ;")
        rows.append({"id": f"d{number:03d}", "text": text})
    for file in range(5):
        table = pa.Table.from_pylist(rows[file * 24 : file * 24 + 24])
        pq.write_table(table, tmp_path / f"in-{file}.parquet")
    return rows, tuple(str(tmp_path / f"in-{file}.parquet") for file in range(5))


@pytest.mark.long
@pytest.mark.parametrize(("tasks", "workers"), [(1, 1), (3, 1), (20, 2)])
def test_one_of_each_whatever_the_parts(corpus, tmp_path, tasks, workers):
    rows, files = corpus
    out = tmp_path / "out"
    options = {"language": None, "minhash": False, "parts": tasks, "workers": workers}
    clean(CleanConfig(input=files, output=out, **options))
    kept, dropped = rows_of(out), excluded_of(out)
    assert len(kept) == len({fingerprint_of(row["text"]) for row in rows}) < 90
    assert len(kept) + len(dropped) == len(rows)
    text, stay = {row["id"]: row["text"] for row in rows}, {row["id"] for row in kept}
    for row in dropped:
        assert row["of"] in stay and row["of"] not in {r["id"] for r in dropped}
        assert fingerprint_of(text[row["id"]]) == fingerprint_of(text[row["of"]])
    if tasks == 1:  # the first in the input's order
        assert all(row["of"] < row["id"] for row in dropped)
    else:  # the work of the parts, not of one
        assert len(list((out / "excluded").glob("exact-*.jsonl"))) > 1


def test_a_part_that_is_run_again_writes_the_same(tmp_path):
    from datatrove.data import Document

    def part(*texts):
        return [Document(text=text, id=text) for text in texts]

    fingerprints, repeats = str(tmp_path / "fingerprints"), str(tmp_path / "repeats")
    parts = [part("Toux", "Fièvre"), part("FIÈVRE.", "toux !"), part()]
    for _ in range(2):
        for rank, documents in enumerate(parts):
            Fingerprints(fingerprints, 2).run(iter(documents), rank, 3)
        for piece in range(2):
            Repeats(fingerprints, repeats).run(None, piece, 2)
        step = ExactDuplicates(repeats, Exclusions(str(tmp_path / "excluded")))
        kept = [[d.id for d in step.run(iter(documents), r)] for r, documents in enumerate(parts)]
        assert kept == [["Toux", "Fièvre"], [], []]


@pytest.mark.long
def test_a_thousand_parts_do_not_make_a_million_files(tmp_path):
    from datatrove.data import Document

    fingerprints, repeats, parts = tmp_path / "fingerprints", tmp_path / "repeats", 40
    pieces = pieces_of(parts)
    for rank in range(parts):
        documents = [Document(text=f"Toux {n}", id=f"{rank}-{n}") for n in range(3)]
        Fingerprints(str(fingerprints), pieces).run(iter(documents), rank, parts)
    for piece in range(pieces):
        Repeats(str(fingerprints), str(repeats)).run(None, piece, pieces)
    for folder in (fingerprints, repeats):
        assert len([path for path in folder.rglob("*") if path.is_file()]) <= parts
    step = ExactDuplicates(str(repeats), Exclusions(str(tmp_path / "excluded")))
    left = [Document(text=f"Toux {n}", id=str(n)) for n in range(3)]
    assert [len(list(step.run(iter(left), rank))) for rank in range(parts)] == [3, *[0] * 39]
    assert pieces_of(1000) <= 128


def test_no_document_at_all(tmp_path):
    Fingerprints(str(tmp_path / "fingerprints"), 2).run(iter(()), 0, 1)
    Repeats(str(tmp_path / "fingerprints"), str(tmp_path / "repeats")).run(None, 0, 2)
    Repeats(str(tmp_path / "nothing"), str(tmp_path / "repeats")).run(None, 0, 2)
    step = ExactDuplicates(str(tmp_path / "repeats"), Exclusions(str(tmp_path / "excluded")))
    assert list(step.run(iter(()), 0)) == []
