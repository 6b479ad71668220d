"""Every command that writes: folders of others stay as they are, hashed before and after."""

import os
from pathlib import Path

import pytest
from cli_helpers import COMMANDS, command, hashes

from doctobert_hf.cli import main


@pytest.mark.parametrize("more", [[], ["--overwrite"]], ids=["plain", "overwrite"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_of_strangers_stays_as_it_is(name, more, place, made, capsys):
    before = hashes(place)
    code = main([*command(name, made, "mine"), *more])
    error = capsys.readouterr().err
    assert code in (1, 2), error
    assert "mine" in error and "this tool did not write" in error and "--output" in error
    assert hashes(place) == before


@pytest.mark.parametrize("name", COMMANDS)
def test_a_run_of_another_kind_is_refused_and_can_be_moved_aside(name, place, made, capsys):
    from doctobert_hf.runs import open_run

    with open_run("other", "another-kind", {"a": 1}) as run:
        (Path("other") / "note.txt").write_text("mine")
        run.finish("note.txt")
    if name.startswith("push"):  # keep their record beside the folder
        with open_run("other2", "another-kind", {"a": 1}, beside=True) as run:
            (Path("other2") / "note.txt").write_text("mine")
            run.finish("note.txt")
    target = "other2" if name.startswith("push") else "other"
    before = hashes(place / target)
    assert main(command(name, made, target)) in (1, 2)
    error = capsys.readouterr().err
    assert "another kind, another-kind" in error and "--overwrite" in error
    assert hashes(place / target) == before


@pytest.mark.parametrize("name", [n for n in COMMANDS if "corpus.jsonl" in COMMANDS[n]])
def test_output_that_holds_the_input(name, place, made, capsys):
    """``--output .`` where the input lies, and the corpus itself as output."""
    before = hashes(place)
    for output in (".", "corpus.jsonl"):
        assert main(command(name, made, output)) in (1, 2)
        capsys.readouterr()
    assert hashes(place) == before


def test_a_folder_of_documents_is_not_its_own_index(place, capsys):
    pytest.importorskip("bm25s")
    for output in ("corpus", "corpus/index"):
        assert main(["retrieval", "index", "corpus", "--output", output]) == 2
        assert "input" in capsys.readouterr().err
    assert sorted(os.listdir("corpus")) == ["a.parquet"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["pretrain", "doctobert-tiny/pretrain", "--corpus", "absent.jsonl"],
        ["pretrain", "doctobert-tiny/pretrain", "--corpus", "corpus.jsonl"],
        ["pretrain", "doctobert-tiny/pretrain", "--init-from", "nowhere/at/all"],
        ["tokenizer", "train", "absent.txt"],
        ["tokenizer", "train", "corpus.jsonl", "--vocab-size", "30000"],
        ["finemed", "annotate", "finemed/light", "--input", "absent"],
        ["finemed", "annotate", "finemed/light", "--input", "corpus.jsonl",
         "--lexicons", "no-such-lexicon"],
        ["finemed", "decontaminate", "--input", "corpus.jsonl", "--benchmark", "no_such_task"],
        ["finemed", "distil", "--input", "corpus.jsonl"],
        ["finemed", "stats", "--input", "absent"],
        ["retrieval", "train", "retrieval/dense", "--base-model", "m", "--data", "absent.jsonl"],
        ["retrieval", "train", "retrieval/dense", "--base-model", "m", "--data", "corpus.jsonl"],
        ["retrieval", "index", "absent"],
        ["hub", "push-dataset", "corpus", "me/data", "--dry-run"],
        ["quickstart", "--corpus", "absent"],
    ],
)  # fmt: skip
def test_a_refused_start_leaves_nothing(arguments, place, made, capsys):
    before = hashes(place), sorted(os.listdir(place))
    assert main([*arguments, "--output", "deep/new"]) in (1, 2)
    assert "error: " in capsys.readouterr().err
    assert (hashes(place), sorted(os.listdir(place))) == before
