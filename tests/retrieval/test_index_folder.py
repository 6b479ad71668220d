"""Indexes in folders: what they know of themselves, changes, kills and strangers' files."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.retrieval import search
from doctobert_hf.retrieval.index import Index
from doctobert_hf.retrieval.models import open_model
from doctobert_hf.retrieval.search import (
    add_documents,
    build_index,
    delete_documents,
    index_documents,
)

HOLD = """
import sys
from pathlib import Path
from doctobert_hf.retrieval.index_folder import changing
with changing(Path(sys.argv[1]), []):
    print("held", flush=True)
    sys.stdin.readline()
"""
QUESTION = "Quel traitement pour la douleur ?"


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


@pytest.fixture
def rows(sample_texts):
    return [
        {"id": f"d{n}", "text": text, "year": 2000 + n, "kind": "note" if n % 2 else "leaflet"}
        for n, text in enumerate(sample_texts[:12])
    ]


@pytest.fixture
def corpus(rows, tmp_path):
    return write_rows(tmp_path / "corpus.jsonl", rows)


@pytest.fixture(scope="module")
def models(encoder, tmp_path_factory):
    """Folders of a dense and of a late-interaction model."""
    folder = tmp_path_factory.mktemp("models")
    dense = open_model(encoder, pooling="mean")
    dense.prompts = {"query": "question : ", "document": ""}
    dense.save_pretrained(str(folder / "dense"))
    open_model(encoder, "late-interaction").save_pretrained(str(folder / "late"))
    return folder


KINDS = [None, "dense", "late"]


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_many_parts_answer_as_one(kind, corpus, models, tmp_path, monkeypatch):
    place = kind and str(models / kind)
    one = build_index(corpus, tmp_path / "one", place)
    monkeypatch.setattr(search, "PART_CHARACTERS", 3000)
    many = build_index(corpus, tmp_path / "many", place)
    assert len(list((tmp_path / "many" / "parts").iterdir())) > 2
    methods = [None, "lexical", "hybrid"] if kind else [None]
    for method in methods:
        assert many.search(QUESTION, 5, method) == one.search(QUESTION, 5, method)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_added_updated_and_deleted_is_as_built_at_once(kind, rows, models, tmp_path):
    place = kind and str(models / kind)
    first = [*rows[:6], {**rows[6], "text": "Un texte tout autre, sans rien."}]
    index = tmp_path / "index"
    build_index(write_rows(tmp_path / "a.jsonl", first), index, place)
    later = write_rows(tmp_path / "b.jsonl", [rows[0], *rows[6:9]])
    with pytest.raises(UsageError, match="'d6' is in the index with another text"):
        add_documents(index, later)
    change = add_documents(index, later, replace=True)
    assert (change.added, change.replaced, change.unchanged, change.documents) == (2, 1, 1, 9)
    assert add_documents(index, later).unchanged == 4
    assert delete_documents(index, ["d1"], "year == 2003").deleted == 2
    wanted = [row for row in rows[:9] if row["id"] not in ("d1", "d3")]
    whole = build_index(write_rows(tmp_path / "c.jsonl", wanted), tmp_path / "whole", place)
    changed = Index.load(index)
    assert sorted(changed.ids) == sorted(whole.ids)
    for method in [None, "lexical"]:
        assert changed.search(QUESTION, 20, method) == whole.search(QUESTION, 20, method)
    left = b"".join(path.read_bytes() for path in index.rglob("*") if path.is_file())
    assert rows[1]["text"][:60].encode() not in left, "what is deleted is gone"
    assert len(list((index / "words").iterdir())) == 1


def test_a_change_that_is_refused_changes_nothing(corpus, rows, tmp_path):
    index = tmp_path / "index"
    build_index(corpus, index)
    before = {p: p.read_bytes() for p in index.rglob("*") if p.is_file()}
    with pytest.raises(UsageError, match="No document 'nobody'"):
        delete_documents(index, ["d1", "nobody"])
    with pytest.raises(DataError, match="no column 'yaer'.* 'year'"):
        delete_documents(index, condition="yaer == 2001")
    with pytest.raises(UsageError, match="Nothing to delete"):
        delete_documents(index)
    with pytest.raises(DataError, match="'x' occurs twice"):
        add_documents(index, write_rows(tmp_path / "x.jsonl", [{"id": "x", "text": "a"}] * 2))
    assert {p: p.read_bytes() for p in index.rglob("*") if p.is_file()} == before


def test_a_change_that_was_killed_leaves_the_index_of_before(corpus, tmp_path, monkeypatch):
    folder = tmp_path / "index"
    build_index(corpus, folder)
    before = Index.load(folder).search("patient", 5)
    new = write_rows(tmp_path / "n.jsonl", [{"id": "n", "text": "nouveau"}])
    finish = search.finish

    def killed(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(search, "finish", killed)
    with pytest.raises(KeyboardInterrupt):
        add_documents(folder, new)
    with pytest.raises(KeyboardInterrupt):
        delete_documents(folder, ["d0"])
    (folder / ".incomplete-abcd1234").mkdir()
    assert Index.load(folder).search("patient", 5) == before
    monkeypatch.setattr(search, "finish", finish)
    add_documents(folder, new)
    assert len(list((folder / "parts").iterdir())) == 2
    assert not (folder / ".incomplete-abcd1234").exists()
    assert Index.load(folder).search("nouveau")[0].document == "n"


def test_filters_over_columns(corpus, tmp_path):
    index = build_index(corpus, tmp_path / "index")
    hits = index.search("patient", 20, condition="year >= 2006 and kind == 'note'")
    assert {hit.document for hit in hits} <= {"d7", "d9", "d11"}
    assert index.allowed("year >= 2006 and kind == 'note'").sum() == 3
    with pytest.raises(UsageError, match="is no filter"):
        index.search("patient", condition="year >=")


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_a_build_that_was_stopped_goes_on(kind, corpus, models, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(search, "PART_CHARACTERS", 3000)
    place = kind and str(models / kind)
    parts = []

    def stop_at_the_third(*args):
        parts.append(args)
        if len(parts) == 3:
            raise KeyboardInterrupt
        return write(*args)

    write = search.write_part
    monkeypatch.setattr(search, "write_part", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        build_index(corpus, tmp_path / "index", place)
    with pytest.raises(UsageError, match="is not complete"):
        Index.load(tmp_path / "index")
    monkeypatch.setattr(search, "write_part", write)
    resumed = build_index(corpus, tmp_path / "index", place)
    assert "continuing after" in caplog.text
    whole = build_index(corpus, tmp_path / "whole", place)
    assert resumed.ids == whole.ids
    assert resumed.search(QUESTION) == whole.search(QUESTION)
    caplog.clear()
    build_index(corpus, tmp_path / "index", place)
    assert "nothing is left to do" in caplog.text


@pytest.mark.long
def test_another_model_behind_the_same_path_is_told(corpus, models, tmp_path, encoder):
    import torch

    place = tmp_path / "model"
    shutil.copytree(models / "dense", place)
    build_index(corpus, tmp_path / "index", str(place))
    other = open_model(str(place))
    with torch.no_grad():
        next(other.parameters()).add_(0.1)
    other.save_pretrained(str(place))
    index = Index.load(tmp_path / "index")
    with pytest.raises(DataError, match="made with another model"):
        index.search("douleur")
    assert index.search("douleur", method="lexical")  # words need no model
    with pytest.raises(DataError, match="made with another model"):
        add_documents(
            tmp_path / "index", write_rows(tmp_path / "n.jsonl", [{"id": "n", "text": "nouveau"}])
        )


@pytest.mark.long
def test_a_moved_index_opens_where_its_model_is(corpus, models, tmp_path):
    place = tmp_path / "model"
    shutil.copytree(models / "dense", place)
    before = build_index(corpus, tmp_path / "index", str(place)).search(QUESTION)
    place.rename(tmp_path / "moved")
    (tmp_path / "index").rename(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="--model FOLDER"):
        Index.load(tmp_path / "elsewhere").search(QUESTION)
    assert Index.load(tmp_path / "elsewhere", tmp_path / "moved").search(QUESTION) == before
    assert Index.load(tmp_path / "elsewhere", str(tmp_path / "moved")).search(QUESTION) == before


def test_prompts_and_size_survive(corpus, models, tmp_path):
    model = open_model(str(models / "dense"))
    model.truncate_dim = 16
    texts = {row: f"texte {row} sur la douleur" for row in "abc"}
    index = Index.build(texts, model)
    index.save(tmp_path / "index", models / "dense")
    again = Index.load(tmp_path / "index")
    assert again.model.truncate_dim == 16 and again.model.prompts["query"] == "question : "
    np.testing.assert_allclose(again.scores(["douleur"]), index.scores(["douleur"]), atol=1e-6)
    about = json.loads((tmp_path / "index" / "index.json").read_text())["model"]
    assert about["dimensions"] == 16 and about["pooling"] == "mean"
    index.save(tmp_path / "index", models / "dense")  # the same again is no error


@pytest.mark.parametrize("damage", ["vectors.npy", "documents.parquet", "passages.arrow", "words"])
def test_swapped_files_are_told(damage, corpus, models, tmp_path):
    folder = tmp_path / "index"
    build_index(corpus, folder, str(models / "dense"))
    if damage == "words":
        [path] = (folder / "words").rglob("data*.npy")
        path.write_bytes(path.read_bytes()[:-8])
    else:
        [path] = (folder / "parts").rglob(damage)
        if damage == "vectors.npy":
            np.save(path, np.load(path) * 2)
        elif damage == "documents.parquet":
            table = pq.read_table(path)
            pq.write_table(
                table.set_column(0, "id", table["id"].take(list(range(11, -1, -1)))), path
            )
        else:
            path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="is not the file the index was made with"):
        Index.load(folder).search("douleur", method="lexical")


def test_an_index_of_before_and_a_damaged_one(tmp_path):
    (tmp_path / "index.json").write_text('{"kind": "bm25", "documents": 1}')
    with pytest.raises(UsageError, match="Index the documents anew"):
        Index.load(tmp_path)
    (tmp_path / "index.json").write_text('{"schema_version": 2}')
    with pytest.raises(DataError, match="is damaged"):
        Index.load(tmp_path)


def test_strangers_files_stay(corpus, rows, tmp_path):
    folder = tmp_path / "index"
    build_index(corpus, folder)
    mine = [folder / "notes.txt", folder / "parts" / "mine.txt", folder / "words" / "x" / "y"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    add_documents(folder, write_rows(tmp_path / "n.jsonl", [{"id": "n", "text": "nouveau"}]))
    delete_documents(folder, ["d0"])
    assert all(path.read_text() == "mine" for path in mine)
    assert Index.load(folder).search("nouveau")[0].document == "n"


def test_a_second_writer_is_refused(corpus, tmp_path):
    folder = tmp_path / "index"
    build_index(corpus, folder)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(UsageError, match="in use"):
            delete_documents(folder, ["d0"])
        assert Index.load(folder).search("patient")  # reading is free
    finally:
        holder.communicate(b"done\n")
    assert delete_documents(folder, ["d0"]).documents == 11


@pytest.mark.long
@pytest.mark.parametrize("kind", ["dense", "late"])
def test_an_engine_finds_what_exact_search_finds(kind, corpus, rows, models, tmp_path):
    pytest.importorskip("faiss")
    from doctobert_hf.retrieval.engines import recall_of

    exact = build_index(corpus, tmp_path / "exact", str(models / kind))
    folder = tmp_path / "fast"
    build_index(corpus, folder, str(models / kind), engine="faiss")
    fast = Index.load(folder)
    queries = [row["text"][:80] for row in rows]
    found, right = ([[n for n, _ in r] for r in i.rank(queries, 3)] for i in (fast, exact))
    assert recall_of(found, right) > 0.9
    add_documents(folder, write_rows(tmp_path / "n.jsonl", [{"id": "n", "text": "tout nouveau"}]))
    assert Index.load(folder).search("tout nouveau")[0].document == "n"
    fast.save(tmp_path / "again", models / kind)
    again = Index.load(tmp_path / "again")
    assert type(again.engine) is type(fast.engine) and again.rank(queries, 3) == fast.rank(
        queries, 3
    )
    with pytest.raises(UsageError, match="without --model"):
        build_index(corpus, tmp_path / "words", engine="faiss")
    with pytest.raises(UsageError, match="No engine 'fais'.*'faiss'"):
        build_index(corpus, tmp_path / "words", str(models / kind), engine="fais")


@pytest.mark.long
def test_an_engine_of_ones_own_is_not_saved_and_that_is_told(corpus, models, tmp_path, caplog):
    class Everything:
        def nearest(self, query, top):
            return np.arange(5)

    build_index(corpus, tmp_path / "index", str(models / "dense"))
    index = Index.load(tmp_path / "index")
    index.engine = Everything()
    index.save(tmp_path / "again", models / "dense")
    assert "the engine Everything is not saved" in caplog.text
    assert Index.load(tmp_path / "again").engine is None


def test_columns_of_other_types_are_refused_before_anything_is_written(rows, tmp_path, monkeypatch):
    index = tmp_path / "index"
    build_index(write_rows(tmp_path / "a.jsonl", rows), index)
    before = {p: p.read_bytes() for p in index.rglob("*") if p.is_file()}
    table = tmp_path / "b.csv"
    table.write_text("id,text,year\nnew,Une toux,2024\n")
    for replace in (False, True):
        with pytest.raises(DataError, match="several types.*year.*int64.*string"):
            add_documents(index, table, replace=replace)
    assert {p: p.read_bytes() for p in index.rglob("*") if p.is_file()} == before
    mixed = write_rows(tmp_path / "c.jsonl", [*rows, {"id": "z", "text": "Toux", "year": "2024"}])
    monkeypatch.setattr(search, "PART_CHARACTERS", 1)
    with pytest.raises(DataError, match="several types"):
        build_index(mixed, tmp_path / "mixed")
    whole = write_rows(tmp_path / "d.jsonl", [{"id": "f", "text": "Toux", "year": 2024.5}])
    assert add_documents(index, whole).added == 1, "numbers go together"
    assert Index.load(index).search("toux", condition="year > 2024")[0].document == "f"


def test_a_column_may_have_any_name(tmp_path):
    rows = [{"id": str(n), "text": "Une toux", "#": n, "": n, "told": n > 0} for n in range(2)]
    index = build_index(write_rows(tmp_path / "a.jsonl", rows), tmp_path / "index")
    assert [hit.document for hit in index.search("toux", condition="told == True")] == ["1"]
    with pytest.raises(UsageError, match="is True or False"):
        index.search("toux", condition="told == true")


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_how_documents_were_cut_is_recorded_and_kept_to(kind, corpus, models, tmp_path):
    index = tmp_path / "index"
    build_index(corpus, index, kind and str(models / kind))
    about = json.loads((index / "index.json").read_text())
    size = {"tokens": about["model"]["document_length"]} if kind else {"characters": 1000}
    assert about["chunker"] == {"name": "hierarchical" if kind else "characters", **size}
    (index / "index.json").write_text(json.dumps(about | {"chunker": {"name": "other"}}))
    new = write_rows(tmp_path / "n.jsonl", [{"id": "n", "text": "nouveau"}])
    with pytest.raises(DataError, match="cut otherwise than this version cuts .name other"):
        add_documents(index, new)
    assert Index.load(index).search("patient", method="lexical"), "it answers as before"
    about.pop("chunker")  # as before it was recorded
    (index / "index.json").write_text(json.dumps(about))
    assert add_documents(index, new).added == 1


def test_documents_added_to_an_index_of_whole_ones_stay_whole(tmp_path):
    long = "Une phrase de plus. " * 200
    Index.build({"a": long}).save(tmp_path / "index")
    add_documents(tmp_path / "index", write_rows(tmp_path / "b.jsonl", [{"id": "b", "text": long}]))
    assert len(Index.load(tmp_path / "index").passages) == 2


def test_a_document_that_lost_its_text_does_not_stay_as_it_was(rows, tmp_path):
    index = tmp_path / "index"
    build_index(write_rows(tmp_path / "a.jsonl", [*rows, {"id": "blank", "text": " "}]), index)
    new = [{"id": "new", "text": ""}, {"id": "d1", "text": " "}]
    for replace in (False, True):
        with pytest.raises(UsageError, match="'d1' is in the index, and has no text"):
            add_documents(index, write_rows(tmp_path / "b.jsonl", new), replace=replace)
    change = add_documents(index, write_rows(tmp_path / "b.jsonl", [new[0], rows[0]]))
    assert (change.added, change.unchanged, change.documents) == (0, 1, len(rows))


@pytest.mark.long
@pytest.mark.parametrize("kind", ["dense", "late"])
def test_an_index_of_many_parts_is_saved_as_one(kind, corpus, models, tmp_path, monkeypatch):
    monkeypatch.setattr(search, "PART_CHARACTERS", 3000)
    place = models / kind
    many = build_index(corpus, tmp_path / "many", str(place))
    Index.load(tmp_path / "many").save(tmp_path / "one", place)
    assert len(list((tmp_path / "one" / "parts").iterdir())) == 1
    assert Index.load(tmp_path / "one").search(QUESTION, 5) == many.search(QUESTION, 5)


def test_a_column_of_one_part_only_deletes_too(tmp_path):
    first, more = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_text('{"id": "old", "text": "Toux sèche."}\n')
    more.write_text('{"id": "new", "text": "Une hépatite C.", "year": 2024}\n')
    index = tmp_path / "index"
    build_index(first, index)
    add_documents(index, more)
    assert delete_documents(index, condition="year >= 2020").deleted == 1
    assert Index.load(index).ids == ["old"]


def test_a_damaged_file_among_others_is_named_and_left_out(tmp_path, caplog):
    """One scan or torn download does not stop the index of a whole folder; alone it is an error."""
    pytest.importorskip("markitdown")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("Une hépatite C chronique.")
    (tmp_path / "docs" / "torn.pdf").write_bytes(b"%PDF-1.4 torn")
    (tmp_path / "docs" / "b.html").write_text("<p>Une angine.</p>", encoding="utf-8")
    index = index_documents(tmp_path / "docs")
    assert sorted(index.ids) == ["a.txt", "b.html"]
    assert "left out: " in caplog.text and "torn.pdf" in caplog.text
    assert "1 of 3 files could not be read" in caplog.text
    with pytest.raises(DataError, match="torn.pdf"):
        index_documents(tmp_path / "docs" / "torn.pdf")


def test_columns_with_blanks_are_filtered_and_lists_are_told(tmp_path, caplog):
    rows = [
        {"id": n, "text": f"Une hépatite {n}.", "year of issue": 2000 + n, "tags": ["x", "y"]}
        for n in range(4)
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    index = index_documents(path)
    assert index.allowed("year_of_issue >= 2002").tolist() == [False, False, True, True]
    assert "are not kept, for no filter reads them: tags" in caplog.text


def test_columns_whose_short_names_are_one_are_not_guessed(tmp_path):
    rows = [{"id": n, "text": f"Une hépatite {n}.", "a_b": n, "a-b": -n} for n in range(3)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert index_documents(path).allowed("a_b == 1").tolist() == [False, True, False]
    rows = [{"id": n, "text": f"Une hépatite {n}.", "a b": n, "a-b": -n} for n in range(3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(UsageError, match="means the columns 'a b' and 'a-b'"):
        index_documents(path).allowed("a_b == 1")
    assert index_documents(path).allowed("id == '1'").sum() == 1
