"""Reading documents from every kind of source, and saying what is wrong with the others."""

import gzip
import json
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict, IterableDataset

from doctobert_hf.corpus import iter_documents, iter_texts
from doctobert_hf.corpus.files import list_files
from doctobert_hf.errors import DataError, UsageError

TEXTS = ["Un\r\ndeux", "trois é", ""]


@pytest.fixture
def sources(tmp_path):
    rows = [{"text": text, "n": i} for i, text in enumerate(TEXTS)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "a.jsonl").write_text(lines)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "a.json").write_text(json.dumps(rows))
    Dataset.from_list(rows).to_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text('text,n\n"Un\r\ndeux",0\ntrois é,1\n"",2\n', newline="")
    return {
        "jsonl": tmp_path / "a.jsonl",
        "gz": str(tmp_path / "a.jsonl.gz"),
        "json": tmp_path / "a.json",
        "parquet": tmp_path / "a.parquet",
        "csv": tmp_path / "a.csv",
        "dataset": Dataset.from_list(rows),
        "stream": IterableDataset.from_generator(lambda: iter(rows)),
        "strings": iter(TEXTS),
        "paths": [tmp_path / "a.jsonl"],
        "names": [str(tmp_path / "a.parquet")],
    }


@pytest.mark.parametrize(
    "kind",
    ["jsonl", "gz", "json", "parquet", "csv", "dataset", "stream", "strings", "paths", "names"],
)
def test_sources_give_the_same_texts(sources, kind):
    assert list(iter_texts(sources[kind])) == TEXTS


def test_a_folder_of_text_files(tmp_path, caplog):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.txt").write_bytes(b"deux\r\n")
    (tmp_path / "1.txt").write_text("un")
    (tmp_path / "notes.md").write_text("not read")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "message.txt").write_text("hidden")
    (tmp_path / "._1.txt").write_text("hidden")
    assert [(r["id"], r["text"]) for r in iter_documents(tmp_path)] == [
        ("1.txt", "un"),
        ("b/2.txt", "deux\r\n"),
    ]
    assert "files that are not read: 2 hidden, 1 .md (notes.md)" in caplog.text
    caplog.clear()
    list(iter_texts(tmp_path))
    assert not caplog.text  # once


def test_upper_case_packed_and_semicolons(tmp_path):
    import pyarrow as pa

    (tmp_path / "A.TXT").write_text("un")
    (tmp_path / "B.JSONL.GZ").write_bytes(gzip.compress(b'{"text": "deux"}\n'))
    with pa.output_stream(str(tmp_path / "C.csv.zst"), compression="zstd") as file:
        file.write('text;n\n"trois; é";1\n'.encode())
    Dataset.from_list([{"text": "quatre"}]).to_parquet(tmp_path / "D.Parquet")
    assert list(iter_texts(tmp_path)) == ["un", "deux", "trois; é", "quatre"]
    assert list(iter_texts(tmp_path / "*.TXT")) == ["un"]
    with pytest.raises(UsageError, match="No corpus file matches"):
        list(iter_texts(tmp_path / "*.tsv"))


def test_a_folder_of_save_to_disk(tmp_path):
    rows = Dataset.from_list([{"text": "un", "id": "a"}, {"text": "deux", "id": "b"}])
    rows.save_to_disk(tmp_path / "one")
    assert [row["id"] for row in iter_documents(tmp_path / "one")] == ["a", "b"]
    DatasetDict(train=rows).save_to_disk(tmp_path / "many")
    with pytest.raises(UsageError, match="one split"):
        list(iter_documents(tmp_path / "many"))


def test_documents_are_converted_where_that_is_asked_for(tmp_path, caplog):
    pytest.importorskip("markitdown")
    (tmp_path / "a.md").write_text("# Titre\n\nUn texte.")
    (tmp_path / "b.HTML").write_text("<h1>Notice</h1><p>Prendre un comprimé.</p>")
    (tmp_path / "c.pdf").write_bytes(b"no")
    with pytest.raises(UsageError, match="no corpus file.* 1 .md"):
        list(iter_texts(tmp_path))
    with pytest.raises(DataError, match="c.pdf' cannot be converted"):
        list(iter_documents(tmp_path / "c.pdf", converted=True))
    rows = [(row["id"], row["text"]) for row in iter_documents(tmp_path, converted=True)]
    assert rows == [
        ("a.md", "# Titre\n\nUn texte."),
        ("b.HTML", "# Notice\n\nPrendre un comprimé."),
    ]
    assert "c.pdf' cannot be converted" in caplog.text
    assert "1 of 3 files could not be read" in caplog.text


def test_a_text_that_looks_like_a_path_is_a_text():
    texts = ["10/10 aux deux yeux " * 400, "a/b", "voir rapport.txt et plus"]
    assert list(iter_texts(texts)) == texts


def test_a_text_that_is_a_file_s_name_is_a_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("cr.txt").write_text("un compte rendu")
    texts = ["Voir le compte rendu.", "cr.txt"]
    assert list(iter_texts(texts)) == texts
    assert list(iter_texts(Dataset.from_dict({"text": texts})["text"])) == texts
    assert list(iter_texts(["cr.txt"])) == ["un compte rendu"]


@pytest.mark.parametrize("kind", ["arrow", "pandas", "numpy"])
def test_a_dataset_of_any_format_gives_rows(kind):
    rows = Dataset.from_dict({"text": ["un", "deux"]}).with_format(kind)
    assert list(iter_texts(rows)) == ["un", "deux"]


def test_what_a_pattern_passes_over_is_told(tmp_path, caplog):
    folder = tmp_path / "notes [2020]"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.txt", "._a.txt", "b.doc", "sub/a.txt"):
        (folder / name).write_text(name)
    assert list(iter_texts(folder / "*")) == ["a.txt"]
    assert "files that are not read: 1 hidden, 1 .doc (b.doc), 1 folder (sub)" in caplog.text
    rows = list(iter_documents(str(folder / "**" / "*.txt")))
    assert [row["id"] for row in rows] == ["a.txt", "sub/a.txt"]
    assert [row["id"] for row in iter_documents(folder / "*" / "a.txt")] == ["sub/a.txt"]


def test_links_to_folders_are_told(tmp_path, caplog):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.txt").write_text("b")
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    (folder / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    assert list(iter_texts(folder)) == ["a"]
    assert "1 broken link (gone.txt), 1 linked folder (more)" in caplog.text


def test_a_saved_dataset_in_a_folder_is_not_read_as_files(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    Dataset.from_dict({"text": ["b"]}).save_to_disk(tmp_path / "saved")
    with pytest.raises(UsageError, match="Name it itself"):
        list(iter_texts(tmp_path))


def test_packed_json_and_quoted_headers(tmp_path):
    _write(tmp_path / "a.json.gz", gzip.compress(b'[{"text": "un"}]'))
    _write(tmp_path / "b.csv", b'"n, ou m, ou o";text\n1;deux\n')
    assert list(iter_texts(tmp_path)) == ["un", "deux"]


def test_files_of_one_name_have_ids_of_their_own(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "note.txt").write_bytes(b"\xef\xbb\xbfune note")
    rows = list(iter_documents(tmp_path))
    assert [row["id"] for row in rows] == ["a/note.txt", "b/note.txt"]
    assert [row["text"] for row in rows] == ["une note"] * 2


def test_a_long_field_of_a_table(tmp_path):
    (tmp_path / "x.tsv").write_text("text\tn\n" + "mot " * 40_000 + "\t1\n")
    assert [len(text) for text in iter_texts(tmp_path / "x.tsv")] == [160_000]


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda d: d / "absent.parquet", UsageError, ["absent.parquet"]),
        (lambda d: [str(d / "absent.txt")], UsageError, ["absent.txt"]),
        (lambda d: d, UsageError, ["no corpus file"]),
        (lambda d: _write(d / "x.pdf", b""), UsageError, ["x.pdf", ".parquet"]),
        (lambda d: _write(d / "x.txt", b"a\nb\xe9"), DataError, ["line 2", "0xe9", "iconv"]),
        (lambda d: _write(d / "x.txt", "a".encode("utf-16")), DataError, ["UTF-16", "iconv"]),
        (lambda d: _write(d / "x.json", b'{"text": "a"}\n{}'), DataError, ["Name the file .jsonl"]),
        (lambda d: _write(d / "x.txt.zst", b"no"), DataError, ["Zstandard"]),
        (lambda d: _write(d / "x.jsonl", b'{"text": "a"}\n{'), DataError, ["line 2", "JSON"]),
        (lambda d: _write(d / "x.jsonl", b'{"texte": "a"}'), DataError, ["texte", "'text'"]),
        (lambda d: _write(d / "x.jsonl", b'{"text": null}'), DataError, ["None", "a string"]),
        (lambda d: _write(d / "x.jsonl", b'{"text": "\\ud800"}'), DataError, ["lone surrogate"]),
        (lambda d: _write(d / "x.parquet", b"no"), DataError, ["not a readable Parquet"]),
        (lambda d: _write(d / "x.csv", b"text\na,b\n"), DataError, ["line 2", "more fields"]),
        (lambda d: _write(d / "x.tsv", b'n\ttext\n1\t"a\n2\tb\n'), DataError, ["readable table"]),
        (lambda d: _write(d / "x.jsonl.gz", gzip.compress(b"{}")[:-6]), DataError, ["gzip"]),
        (lambda d: _write(d / "x.csv", b"Un patient,1\n"), DataError, ["named in the first line"]),
        (lambda d: _write(d / "x.csv", b""), DataError, ["is empty"]),
        (lambda d: _write(d / "x.csv", b"text,n\na,1\nto"), DataError, ["line 3", "fewer fields"]),
        (lambda d: _write(d / "x.csv", b"text,text\na,b\n"), DataError, ["more than once"]),
        (lambda d: _write(d / "x.txt", "Toux".encode("utf-16-le")), DataError, ["UTF-16"]),
        (lambda d: ["a", "b\ud83d"], DataError, ["item 1", "lone surrogate"]),
        (lambda d: iter([str(_write(d / "x.txt", b"a"))]), UsageError, ["names a file"]),
        (lambda d: DatasetDict(), UsageError, ["split"]),
        (lambda d: 3, UsageError, ["int"]),
        (lambda d: [3], DataError, ["int"]),
    ],
)
def test_wrong_sources_are_explained(tmp_path, make, error, words):
    with pytest.raises(error) as caught:
        list(iter_texts(make(tmp_path)))
    for word in words:
        assert word in str(caught.value)


def test_a_table_without_a_header_is_not_shown_whole(tmp_path):
    path = _write(tmp_path / "x.csv", f"Le patient {'va bien ' * 40},1\n".encode())
    with pytest.raises(DataError, match="named in the first line") as caught:
        list(iter_texts(path))
    assert len(str(caught.value)) < 400 + len(str(path))


def test_a_parquet_file_without_the_column(tmp_path):
    Dataset.from_list([{"texte": "a"}]).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataError, match="Did you mean 'texte'"):
        list(iter_texts(tmp_path / "x.parquet"))


def test_a_stage_of_finemed_is_its_documents(tmp_path):
    stage = tmp_path / "clean"
    for name in ("data", "logs", "excluded"):
        (stage / name).mkdir(parents=True)
    (stage / "resolved_config.yaml").write_text("input: [x]\n")
    (stage / "logs" / "executor.json").write_text('{"pipeline": []}')
    (stage / "data" / "a.jsonl").write_text('{"text": "Le patient."}\n')
    (stage / "excluded" / "b.jsonl").write_text('{"text": "Non."}\n')
    with pytest.raises(UsageError, match="not finished"):
        list_files(stage)
    (stage / "manifest.json").write_text("{}")
    assert [file.name for file in list_files(stage)] == ["a.jsonl"]
    assert list(iter_texts(str(stage))) == ["Le patient."]
    (tmp_path / "c.jsonl").write_text('{"text": "Autre."}\n')
    assert [file.name for file in list_files(tmp_path)] == ["c.jsonl"]  # beside a run


def test_a_run_of_another_kind_is_no_stage(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "resolved_config.yaml").write_text("preset: x\n")
    (tmp_path / "run.json").write_text('{"schema_version": 1, "kind": "quickstart"}')
    (tmp_path / "data" / "a.jsonl").write_text('{"text": "Le patient."}\n')
    assert "a.jsonl" in [file.name for file in list_files(tmp_path)]
    (tmp_path / "run.json").write_text('{"schema_version": 1, "kind": "finemed-clean"}')
    with pytest.raises(UsageError, match="not finished"):
        list_files(tmp_path)


def test_a_hidden_folder_is_no_dataset(tmp_path):
    (tmp_path / "a.txt").write_text("Toux.")
    saved = tmp_path / ".cache" / "ds"
    saved.mkdir(parents=True)
    for name in ("state.json", "dataset_info.json"):
        (saved / name).write_text("{}")
    assert list(iter_texts(tmp_path)) == ["Toux."]


@pytest.mark.parametrize("kind", [set, frozenset, lambda names: dict.fromkeys(names).keys()])
def test_a_set_of_files_is_not_read_as_texts(kind, tmp_path):
    (tmp_path / "a.txt").write_text("Toux.")
    with pytest.raises(UsageError, match="names a file"):
        list(iter_texts(kind([str(tmp_path / "a.txt")])))
    assert list(iter_texts(kind(["Pas de toux."]))) == ["Pas de toux."]


@pytest.mark.parametrize(("name", "content"), [(".txt", "Toux."), (".jsonl", '{"text": "Toux."}')])
def test_a_file_that_is_called_as_its_ending_is_read_where_it_is_named(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert [row["text"] for row in iter_documents(tmp_path / name)] == ["Toux."]


def test_a_pattern_tells_of_names_in_other_case(tmp_path, caplog):
    from doctobert_hf.corpus import iter_documents

    for name in ("a.txt", "B.TXT", ".c.txt"):
        (tmp_path / name).write_text("Une toux.")
    with caplog.at_level("WARNING"):
        assert [row["id"] for row in iter_documents(str(tmp_path / "*.txt"))] == ["a.txt"]
    assert "1 whose name differs from the pattern in case" in caplog.text


def test_json_lines_in_a_packed_json_are_told_of(tmp_path):
    import gzip

    from doctobert_hf.corpus import iter_documents

    path = tmp_path / "notes.json.gz"
    path.write_bytes(gzip.compress(b'{"text": "a"}\n{"text": "b"}\n'))
    with pytest.raises(DataError, match="Name the file"):
        list(iter_documents(path))


def test_files_of_one_name_in_a_list_keep_apart(tmp_path):
    for year in ("2023", "2024"):
        (tmp_path / year).mkdir()
        (tmp_path / year / "note.txt").write_text(f"Vue en {year}.", encoding="utf-8")
    (tmp_path / "other.txt").write_text("Autre.", encoding="utf-8")
    notes = [tmp_path / "2023/note.txt", tmp_path / "2024/note.txt", tmp_path / "other.txt"]
    ids = [row["id"] for row in iter_documents(notes)]
    assert len(set(ids)) == 3 and ids[0].startswith("2023/note.txt")
    folders = [row["id"] for row in iter_documents([tmp_path / "2023", tmp_path / "2024"])]
    assert folders == ids[:2]
    alone = [row["id"] for row in iter_documents([notes[0], notes[2]])]
    assert alone[0].startswith("note.txt")  # as ever where nothing is alike


def test_a_mistyped_file_in_a_list_is_refused(tmp_path):
    good = tmp_path / "a.txt"
    good.write_text("Pas de fièvre.", encoding="utf-8")
    for other in (str(tmp_path / "b.txtt"), "notes/b.docxx", "b.csvv"):
        with pytest.raises(UsageError, match=r"A list of files with '.*which is none"):
            list(iter_documents([str(good), other]))
    texts = [row["text"] for row in iter_documents([str(good), "Toux sèche."])]
    assert texts == [str(good), "Toux sèche."]  # a text may be a file's name
