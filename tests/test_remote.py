"""Addresses of remote storage: read by FineMed's stages, refused elsewhere before any work."""

from pathlib import Path

import pytest

from doctobert_hf.cli import main
from doctobert_hf.corpus import iter_documents
from doctobert_hf.errors import UsageError
from doctobert_hf.files import is_remote
from doctobert_hf.runs import open_run

ADDRESS = "s3://bucket/notes"
OUTPUTS = (
    ["finemed", "clean", "--input", "here"],
    ["tokenizer", "train", "here"],
    ["pretrain", "store", "here", "--tokenizer", "tok"],
    ["pretrain", "doctobert-tiny/pretrain", "--corpus", "here"],
    ["retrieval", "index", "here"],
    ["predict", "model", "here"],
    ["finetune", "model", "--corpus", "here"],
    ["quickstart"],
)


@pytest.mark.parametrize("command", OUTPUTS, ids=lambda command: " ".join(command[:2]))
def test_an_output_is_never_a_folder_named_s3(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*command, "--output", f"{ADDRESS}/out"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert f"'{ADDRESS}/out' is remote storage" in told and "copy it there" in told
    assert not list(tmp_path.iterdir())


def test_in_python_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="'gs://b/run' is remote storage"):
        open_run(Path("gs://b/run"), "kind", {})
    with pytest.raises(UsageError, match="'hf://datasets/a/b' is remote storage"):
        list(iter_documents("hf://datasets/a/b"))
    assert not list(tmp_path.iterdir())


def test_a_stage_reads_an_address_or_says_why_not():
    pytest.importorskip("datatrove")
    import fsspec

    from doctobert_hf.finemed.reading import input_files

    memory = fsspec.filesystem("memory")
    memory.pipe("/notes/a.jsonl", b'{"text": "Pas de fi\xc3\xa8vre."}\n')
    assert [file.name for file in input_files("memory://notes")] == ["a.jsonl"]
    assert [file.name for file in input_files("memory://notes/a.jsonl")] == ["a.jsonl"]
    with pytest.raises(UsageError, match="cannot be reached|No file in|needs a driver"):
        input_files("memory://nothing")
    with pytest.raises(UsageError, match="needs a driver of fsspec|cannot be reached"):
        input_files("abfs://container/notes")


def test_what_only_looks_like_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not any(map(is_remote, ("C:/notes", r"D:\notes", "a:b", "notes", "/a/b", None)))
    (tmp_path / "s3:" / "notes").mkdir(parents=True)
    assert not is_remote("s3:/notes")  # a folder that is there is what it is
