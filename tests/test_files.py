"""Results are whole or absent."""

import os

import pytest

from doctobert_hf.errors import OutputError
from doctobert_hf.files import staged_folder, write_json_atomic, write_text_atomic


def test_files_move_only_when_the_block_ends_well(tmp_path):
    (tmp_path / "kept").write_text("kept")
    with pytest.raises(RuntimeError), staged_folder(tmp_path) as scratch:
        (scratch / "half").write_text("x")
        raise RuntimeError
    assert os.listdir(tmp_path) == ["kept"]
    with staged_folder(tmp_path) as scratch:
        (scratch / "whole").write_text("x")
    assert sorted(os.listdir(tmp_path)) == ["kept", "whole"]


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="another name"), staged_folder(tmp_path / "file" / "sub"):
        pass


def test_a_full_disk_is_explained(tmp_path):
    with pytest.raises(OutputError, match="Free some space"), staged_folder(tmp_path):
        raise Exception("No space left on device (os error 28)")
    assert os.listdir(tmp_path) == []


def test_atomic_text_leaves_nothing_behind(tmp_path):
    write_text_atomic(tmp_path / "a.txt", "é")
    write_json_atomic(tmp_path / "a.json", {"é": 1})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "é": 1\n}\n'
    assert sorted(os.listdir(tmp_path)) == ["a.json", "a.txt"]
