"""Parquet and Arrow files: nothing is lost in silence, and damage is told in our words."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset

from doctobert_hf.corpus import iter_documents, iter_texts
from doctobert_hf.corpus.columnar import BATCH, count_rows, record_batches, schema_of
from doctobert_hf.corpus.files import corpus_files
from doctobert_hf.corpus.opening import UnreadableFile
from doctobert_hf.corpus.sections import section_texts, sections_of
from doctobert_hf.errors import DataError, UsageError

TEXTS = [f"Le patient {i} va bien." for i in range(3 * BATCH + 1)]


def saved(folder: Path, shards: int = 1) -> Path:
    Dataset.from_dict({"text": TEXTS}).save_to_disk(folder, num_shards=shards)
    return folder


def test_batches_are_small_whatever_the_file_has(tmp_path):
    pq.write_table(pa.table({"text": TEXTS}), tmp_path / "a.parquet")
    for file in (tmp_path / "a.parquet", corpus_files(saved(tmp_path / "saved"))[0].path):
        batches = list(record_batches(file))
        assert max(batch.num_rows for batch in batches) <= BATCH
        assert [text for batch in batches for text in batch.column("text").to_pylist()] == TEXTS
        assert schema_of(file).names == ["text"]
    assert count_rows([tmp_path / "a.parquet"] * 2) == 2 * len(TEXTS)
    assert count_rows([tmp_path / "a.parquet", Path("a.jsonl")]) is None


def test_a_page_that_is_damaged_is_told(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": TEXTS}), path, compression="zstd", use_dictionary=False)
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\0" * 300 + whole[400:])
    with pytest.raises(UnreadableFile, match="a.parquet.*cannot be read to its end"):
        list(iter_texts(path))
    with pytest.raises(UnreadableFile, match="cannot be read to its end"):
        [text for section in sections_of(path) for text in section_texts(section)]


def test_a_saved_dataset_that_lost_a_file_or_its_end(tmp_path):
    folder = saved(tmp_path / "saved", shards=3)
    assert list(iter_texts(folder)) == TEXTS
    first = sorted(folder.glob("*.arrow"))[0]
    content = first.read_bytes()
    first.write_bytes(content[:-8])  # between two batches: to Arrow a whole file
    with pytest.raises(UnreadableFile, match="cannot be read to its end"):
        list(iter_texts(folder))
    first.write_bytes(content[:200])
    with pytest.raises(UnreadableFile, match="cannot be read to its end"):
        list(iter_texts(folder))
    first.unlink()
    with pytest.raises(DataError, match=f"lacks its file '{first.name}'"):
        list(iter_texts(folder))
    (folder / "state.json").write_text("{}")
    with pytest.raises(DataError, match="damaged dataset"):
        list(iter_texts(folder))


def test_a_saved_dataset_keeps_its_order_columns_and_ids(tmp_path):
    rows = Dataset.from_dict({"text": TEXTS, "n": list(range(len(TEXTS)))})
    chosen = rows.select(range(len(TEXTS) - 1, -1, -1)).with_format("torch", columns=["n"])
    chosen.save_to_disk(tmp_path / "saved", num_shards=2)
    found = list(iter_documents(tmp_path / "saved"))
    assert [row["text"] for row in found] == TEXTS[::-1]
    assert [row["n"] for row in found] == list(range(len(TEXTS)))[::-1]
    assert [row["id"] for row in found] == [f"saved:{i}" for i in range(len(TEXTS))]


def test_splits_are_named_one_by_one(tmp_path):
    saved(tmp_path / "both" / "train")
    (tmp_path / "both" / "dataset_dict.json").write_text(json.dumps({"splits": ["train"]}))
    with pytest.raises(UsageError, match="holds the splits 'train'.*both/train"):
        corpus_files(tmp_path / "both")


def test_two_columns_of_one_name_are_refused_and_none_is_lost(tmp_path):
    table = pa.Table.from_arrays(
        [pa.array(["a"]), pa.array([1]), pa.array([2])], ["text", "x", "x"]
    )
    pq.write_table(table, tmp_path / "a.parquet")
    with (
        pa.OSFile(str(tmp_path / "a.arrow"), "wb") as sink,
        pa.ipc.new_stream(sink, table.schema) as writer,
    ):
        writer.write_table(table)
    with pytest.raises(DataError, match="a.parquet' has the column 'x' more than once"):
        list(iter_documents(tmp_path / "a.parquet"))
    for path in (tmp_path / "a.parquet", tmp_path / "a.arrow"):
        for read in (schema_of, lambda path: list(record_batches(path))):
            with pytest.raises(DataError, match="has the column 'x' more than once"):
                read(path)
