"""Results are whole or absent."""

import os
import subprocess
import sys

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


_LIMITED = """
import resource, signal, sys, torch
from safetensors.torch import save_file
from doctobert_hf.errors import OutputError
from doctobert_hf.files import explained_output
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
big = {"a": torch.zeros(200_000)}
for name, write in (("x.pt", torch.save), ("x.safetensors", save_file)):
    try:
        with explained_output(sys.argv[1]):
            write(big, f"{sys.argv[1]}/{name}")
    except OutputError as error:
        print(name, error)
"""


@pytest.mark.long
def test_a_file_that_torch_could_not_write_whole_is_explained(tmp_path):
    """A limit on the size of files stands for a full disk: the writers fail in the same place."""
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    first, second = done.stdout.splitlines()
    assert "torch could not write a whole file" in first and "MB are free there" in first
    assert "Free some space" in first
    assert second.startswith("x.safetensors Cannot write") and "ulimit" in second
