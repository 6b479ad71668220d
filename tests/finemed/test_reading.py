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
    deidentify_documents(DeidentifyConfig(input=source, output=made, parts=3))
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


@pytest.fixture
def every_kind(tmp_path):
    """Write the same three rows in every form that the ground reads; return the places."""
    import gzip

    import pyarrow as pa
    from datasets import Dataset

    rows = [{"id": f"d{i}", "text": medical_text(i), "year": str(2020 + i)} for i in range(3)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    fields = [[f'"{value}"' for value in row.values()] for row in rows]
    table = [["id", "text", "year"], *fields]
    (tmp_path / "a.jsonl").write_text(lines)
    (tmp_path / "a.JSONL.gz").write_bytes(gzip.compress(lines.encode()))
    with pa.output_stream(str(tmp_path / "a.jsonl.zst"), compression="zstd") as file:
        file.write(lines.encode())
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (tmp_path / "a.csv").write_text("".join(";".join(row) + "\n" for row in table))
    (tmp_path / "a.tsv").write_text("".join("\t".join(row) + "\n" for row in table))
    Dataset.from_list(rows).to_parquet(tmp_path / "a.parquet")
    Dataset.from_list(rows).save_to_disk(tmp_path / "saved")
    (tmp_path / "parts").mkdir()
    for i in range(3):
        (tmp_path / "parts" / f"{i}.jsonl").write_text(json.dumps(rows[i]) + "\n")
    kinds = ("a.jsonl", "a.JSONL.gz", "a.jsonl.zst", "a.json", "a.csv", "a.tsv", "a.parquet")
    return rows, [str(tmp_path / name) for name in (*kinds, "saved", "parts", "parts/*.jsonl")]


@pytest.mark.long
def test_a_stage_reads_what_the_ground_reads(every_kind, tmp_path):
    rows, places = every_kind
    for number, place in enumerate(places):
        out = tmp_path / f"out{number}"
        made = deidentify_documents(DeidentifyConfig(input=(place,), output=out, parts=2))
        assert made["read"] == 3, place
        found = sorted(rows_of(out), key=lambda row: row["id"])
        assert [{key: row[key] for key in rows[0]} for row in found] == rows, place


def test_notes_are_documents_named_after_their_files(tmp_path):
    (tmp_path / "notes" / "a").mkdir(parents=True)
    for name in ("1.txt", "a/2.TXT"):
        (tmp_path / "notes" / name).write_text(f"Pas de fièvre, {name}.\r\n", newline="")
    (tmp_path / "notes" / "empty.txt").write_text(" \n")
    deidentify_documents(
        DeidentifyConfig(input=(str(tmp_path / "notes"),), output=tmp_path / "out")
    )
    found = [(row["id"], row["text"]) for row in rows_of(tmp_path / "out")]
    assert found == [(name, f"Pas de fièvre, {name}.\r\n") for name in ("1.txt", "a/2.TXT")]
    assert [(row["id"], row["reason"]) for row in excluded_of(tmp_path / "out")] == [
        ("empty.txt", "empty_text")
    ]


def test_rows_have_the_ids_that_the_ground_gives_them(tmp_path):
    from doctobert_hf.corpus import iter_documents

    (tmp_path / "a.jsonl").write_text('{"text": "Un."}\n\n"Deux."\n{"text": "Trois."}\n')
    config = DeidentifyConfig(input=(str(tmp_path / "a.jsonl"),), output=tmp_path / "out")
    deidentify_documents(config)
    found = [(row["id"], row["text"]) for row in rows_of(tmp_path / "out")]
    assert found == [(row["id"], row["text"]) for row in iter_documents(tmp_path / "a.jsonl")]
    assert [identity for identity, _ in found] == ["a.jsonl:0", "a.jsonl:2", "a.jsonl:3"]


def test_json_that_is_no_row_is_excluded(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "Un."}\n12\n["a"]\nnull\n')
    config = DeidentifyConfig(input=(str(tmp_path / "a.jsonl"),), output=tmp_path / "out")
    deidentify_documents(config)
    left = [(row["id"], row["reason"], row["text"]) for row in excluded_of(tmp_path / "out")]
    assert left == [
        ("a.jsonl:1", "broken_json", "12"),
        ("a.jsonl:2", "broken_json", '["a"]'),
        ("a.jsonl:3", "broken_json", "null"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"text,n\na,1,2\n", "line 2 has more fields"),
        ("a.json", b'{"text": "a"}\n{"text": "b"}', "Name the file .jsonl"),
        ("a.jsonl", '{"text": "é"}\n'.encode("utf-16"), "UTF-16"),
        ("a.txt", b"a\xe9", "iconv"),
    ],
)
def test_a_file_that_is_not_what_its_ending_says_is_told_before_anything_is_written(
    tmp_path, name, content, words
):
    (tmp_path / name).write_bytes(content)
    config = DeidentifyConfig(input=(str(tmp_path / name),), output=tmp_path / "out")
    with pytest.raises(DataError, match=words):
        deidentify_documents(config)
    assert not (tmp_path / "out").exists()


def test_what_matches_a_pattern_is_apart_from_the_output(tmp_path):
    from doctobert_hf.errors import UsageError

    write_lines(tmp_path / "a.jsonl", [{"text": "Toux."}])
    config = DeidentifyConfig(input=(str(tmp_path / "*.jsonl"),), output=tmp_path)
    with pytest.raises(UsageError, match="holds the input"):
        deidentify_documents(config)


@pytest.mark.long
def test_remote_files_of_every_kind(every_kind, tmp_path):
    import fsspec

    rows, places = every_kind
    memory = fsspec.filesystem("memory")
    for place in places[:7]:
        name = f"/kinds/{place.rsplit('/', 1)[-1]}"
        with open(place, "rb") as file:
            memory.pipe(name, file.read())
        out = tmp_path / "out" / name[7:]
        deidentify_documents(DeidentifyConfig(input=(f"memory:/{name}",), output=out))
        found = sorted(rows_of(out), key=lambda row: row["id"])
        assert [{key: row[key] for key in rows[0]} for row in found] == rows, name


def test_categories_and_views_are_read_as_what_they_hold(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    places = []
    for name, start, count in (("a", 0, 3), ("b", 100, 150)):
        texts = [medical_text(n) for n in range(start, start + count)]
        wards = pa.array([f"ward {n}" for n in range(count)])
        columns = {
            "text": pa.array(texts, pa.string_view()),
            # As pandas writes a category: with eight bits, which 150 of them do not fit.
            "ward": wards.cast(
                pa.dictionary(pa.int8() if count < 100 else pa.int16(), pa.string())
            ),
            "units": pa.array([["mg"]] * count, pa.list_(pa.dictionary(pa.int8(), pa.string()))),
        }
        if name == "a":
            columns["text"] = pa.array(texts).dictionary_encode()
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
        places.append(str(tmp_path / f"{name}.parquet"))
    deidentify_documents(DeidentifyConfig(input=tuple(places), output=tmp_path / "out"))
    found = rows_of(tmp_path / "out")
    assert len(found) == 153 and {row["units"][0] for row in found} == {"mg"}
    assert {row["ward"] for row in found} == {f"ward {n}" for n in range(150)}
    assert medical_text(0) in {row["text"] for row in found}
