"""Results are whole or absent."""

import os

import pytest

from doctobert_hf.errors import OutputError
from doctobert_hf.files import explained_output, write_json_atomic, write_text_atomic


def test_a_full_disk_is_explained(tmp_path):
    with pytest.raises(OutputError, match="Free some space"), explained_output(tmp_path):
        raise Exception("No space left on device (os error 28)")


def test_atomic_text_leaves_nothing_behind(tmp_path):
    write_text_atomic(tmp_path / "a.txt", "é")
    write_json_atomic(tmp_path / "a.json", {"é": 1})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "é": 1\n}\n'
    assert sorted(os.listdir(tmp_path)) == ["a.json", "a.txt"]
