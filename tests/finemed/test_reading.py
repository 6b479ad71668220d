"""Reading inputs: no column, row or file is lost without a word."""

import json

import pytest
from finemed_helpers import excluded_of, medical_text, rows_of

from doctobert_hf.errors import DataError
from doctobert_hf.finemed.config import DeidentifyConfig
from doctobert_hf.finemed.deidentification import deidentify_documents
from doctobert_hf.finemed.reading import tell_once


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return (str(path),)


def write_table(path, rows):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), path)
    return (str(path),)


@pytest.mark.parametrize(("write", "name"), [(write_lines, "a.jsonl"), (write_table, "a.parquet")])
def test_an_id_and_a_text_beside_those_that_were_named(tmp_path, caplog, write, name):
    tell_once.cache_clear()
    rows = [
        {"uid": f"u{i}", "id": f"old{i}", "body": medical_text(i), "text": "Menu", "url": "x"}
        for i in range(3)
    ]
    source = write(tmp_path / name, rows)
    columns = {"text_column": "body", "id_column": "uid"}
    deidentify_documents(DeidentifyConfig(input=source, output=tmp_path / "out", **columns))
    found = rows_of(tmp_path / "out")
    assert [row["id"] for row in found] == ["u0", "u1", "u2"]
    assert [row["text"] for row in found] == [medical_text(i) for i in range(3)]
    assert [row["input_id"] for row in found] == ["old0", "old1", "old2"]
    assert {(row["input_text"], row["url"]) for row in found} == {("Menu", "x")}
    assert "'uid' becomes 'id'; the input's own column 'id' is kept as 'input_id'" in caplog.text

    source = write(tmp_path / f"2{name}", [row | {"input_id": 1} for row in rows])
    with pytest.raises(DataError, match="'id' and 'input_id'.*Rename one"):
        deidentify_documents(DeidentifyConfig(input=source, output=tmp_path / "two", **columns))


@pytest.mark.parametrize(("write", "name"), [(write_lines, "a.jsonl"), (write_table, "a.parquet")])
def test_an_id_column_that_is_not_there(tmp_path, write, name):
    source = write(tmp_path / name, [{"uid": "u", "text": "Fièvre."}])
    with pytest.raises(DataError, match="no column 'uuid'.*--id-column.*'uid'"):
        deidentify_documents(
            DeidentifyConfig(input=source, output=tmp_path / "out", id_column="uuid")
        )
    deidentify_documents(DeidentifyConfig(input=source, output=tmp_path / "out"))
    assert [row["id"] for row in rows_of(tmp_path / "out")] == [f"{name}:0"]


def test_half_a_character_in_any_column(tmp_path):
    rows = [
        {"id": "a", "text": "Fièvre.", "url": "x\ud800"},
        {"id": "b\udc00", "text": "Fièvre."},
        {"id": "c", "text": "Toux.", "more": {"k": ["\ud83d"]}},
        {"id": "d", "text": "Toux 😀.", "url": "y"},
    ]
    source = write_lines(tmp_path / "in.jsonl", rows)
    raw = b'{"id": "e", "text": "Toux.", "url": "\xed\xa0\x80"}\n'
    (tmp_path / "in.jsonl").write_bytes((tmp_path / "in.jsonl").read_bytes() + raw)
    deidentify_documents(DeidentifyConfig(input=source, output=tmp_path / "out"))
    assert [(row["text"], row["url"]) for row in rows_of(tmp_path / "out")] == [("Toux 😀.", "y")]
    left = excluded_of(tmp_path / "out")
    assert [row["id"] for row in left] == ["a", "b?", "c", "e"]
    assert {row["reason"] for row in left} == {"half_a_character"}


def test_a_number_too_long_for_a_column_is_told(tmp_path):
    rows = [{"text": "Fièvre.", "n": 1}, {"text": "Toux.", "n": 2**70}]
    config = DeidentifyConfig(
        input=write_lines(tmp_path / "in.jsonl", rows), output=tmp_path / "out"
    )
    with pytest.raises(DataError, match="at most 64 bits"):
        deidentify_documents(config)


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_a_file_that_is_not_packed_as_its_name_says(tmp_path, packing):
    path = tmp_path / f"in.jsonl.{packing}"
    path.write_text(json.dumps({"text": "Fièvre."}) + "\n")
    config = DeidentifyConfig(input=(str(path),), output=tmp_path / "out")
    with pytest.raises(DataError, match="cannot be read to its end"):
        deidentify_documents(config)


def test_a_stage_that_lost_a_shard_is_no_input(tmp_path):
    from doctobert_hf.corpus import list_files

    rows = [{"id": str(i), "text": medical_text(i)} for i in range(6)]
    source = write_lines(tmp_path / "in.jsonl", rows)
    made = tmp_path / "made"
    deidentify_documents(DeidentifyConfig(input=source, output=made, tasks=3))
    assert len(list_files(made)) == 3
    shard = min((made / "data").glob("*.parquet"))
    shard.rename(tmp_path / "away")
    told = "has 4 documents, and its manifest says 6.*Fetch the shards"
    with pytest.raises(DataError, match=told):
        deidentify_documents(DeidentifyConfig(input=(str(made),), output=tmp_path / "out"))
    with pytest.raises(DataError, match=told):
        list_files(made)
    shard.write_bytes((tmp_path / "away").read_bytes()[:50])
    with pytest.raises(DataError, match="cannot be read to its end"):
        list_files(made)
