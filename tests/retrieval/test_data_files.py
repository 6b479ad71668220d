"""A finished run's results are told again only of the data that they are results of."""

import json

import pytest

from doctobert_hf.cli import main
from doctobert_hf.retrieval import RetrievalConfig
from doctobert_hf.retrieval.data_files import data_files, described_data

from .conftest import write_labforsims2

SHORT = "--max-steps 1 --evaluations 1 --batch-size 8 --query-length 32 --max-length 48".split()


def run(*words):
    return main(["retrieval", "train", *map(str, words)])


@pytest.fixture
def finished(encoder, tmp_path, capsys):
    def make(*words):
        output = tmp_path / "run"
        given = ["retrieval/dense", "--base-model", encoder, *SHORT, *words, "--output", output]
        assert run(*given, "--json") == 0, capsys.readouterr().err
        return output, json.loads(capsys.readouterr().out)

    return make


@pytest.mark.long
def test_changed_pairs_are_refused_and_equal_ones_tell_the_results(finished, pairs_file, capsys):
    output, results = finished("--data", pairs_file)
    assert run("--resume", "--output", output, "--json") == 0
    assert json.loads(capsys.readouterr().out) == results
    before = pairs_file.read_text()
    pairs_file.write_text(before.replace("que faire", "quoi faire"))
    record = (output / "run.json").read_bytes()
    assert run("--resume", "--output", output) == 2
    told = capsys.readouterr()
    assert told.out == "" and "have changed since it was started" in told.err
    assert "Pass --overwrite to move the run aside" in told.err
    assert (output / "run.json").read_bytes() == record, "nothing is written"
    pairs_file.write_text(before)
    assert run("--resume", "--output", output, "--json") == 0
    assert json.loads(capsys.readouterr().out) == results


@pytest.mark.long
def test_changed_distractors_are_refused(finished, pairs_file, tmp_path, capsys):
    others = tmp_path / "others.txt"
    others.write_text("Une entorse de la cheville.")
    output, _ = finished("--data", pairs_file, "--distractors", others)
    others.write_text("Une fracture du poignet.")
    assert run("--resume", "--output", output) == 2
    assert "have changed since it was started" in capsys.readouterr().err


@pytest.mark.long
def test_another_corpus_behind_the_same_name_is_refused(
    finished, labforsims2, tmp_path, monkeypatch, capsys
):
    """By the variable, so that no option differs; and by its archive written anew."""
    monkeypatch.setenv("DOCTOBERT_DATA_DIR", str(labforsims2))
    output, _ = finished("--data", "labforsims2")
    assert run("--resume", "--output", output) == 0
    monkeypatch.setenv("DOCTOBERT_DATA_DIR", str(write_labforsims2(tmp_path / "other", 40)))
    assert run("--resume", "--output", output) == 2
    assert "have changed since it was started" in capsys.readouterr().err
    monkeypatch.setenv("DOCTOBERT_DATA_DIR", str(labforsims2))
    assert run("--resume", "--output", output, "--data-dir", tmp_path / "other") == 2
    assert "--resume with data_dir" in capsys.readouterr().err


def test_of_a_folder_of_corpora_its_own_files_are_described(labforsims2, tmp_path):
    import zipfile

    root = tmp_path / "all"
    with zipfile.ZipFile(labforsims2 / "labforsims2.zip") as archive:
        archive.extractall(root)
    config = RetrievalConfig("encoder", data="labforsims2", data_dir=root)
    (root / "another-corpus.zip").write_text("grows")
    assert {path.name for path in data_files(config)} == {"doctor.txt", "patient.txt", "d_p.txt"}


def test_exam_questions_are_known_by_their_content(frenchmedmcqa):
    config = RetrievalConfig("encoder", data="frenchmedmcqa", data_dir=frenchmedmcqa())
    [before] = described_data(config)
    assert data_files(config) == [] and len(before["sha256"]) == 64
    frenchmedmcqa(0)  # the same once more, at another time
    assert described_data(config) == [before]
    frenchmedmcqa(2)
    assert described_data(config) != [before]
