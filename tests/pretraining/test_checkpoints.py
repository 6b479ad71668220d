"""Checkpoints on disk: sealed, looked at, damaged."""

import os

import pytest

from doctobert_hf.pretraining import checkpoints


@pytest.fixture
def sealed(tmp_path):
    (tmp_path / "checkpoint-1").mkdir()
    (tmp_path / "checkpoint-1" / "model.safetensors").write_bytes(b"0" * 5000)
    checkpoints.seal(tmp_path / "checkpoint-1")
    return tmp_path / "checkpoint-1"


def test_a_file_is_read_once_by_all_who_ask(sealed, monkeypatch):
    """A start from a run asks three times whether its checkpoint is whole."""
    read = []
    original = checkpoints._crc
    monkeypatch.setattr(checkpoints, "_crc", lambda path: read.append(path) or original(path))
    checkpoints._crc_of.cache_clear()
    assert [checkpoints.problem(sealed) for _ in range(3)] == [None] * 3
    assert len(read) == 1


@pytest.mark.parametrize("same_time", [True, False])
def test_a_change_of_as_many_bytes_is_seen(sealed, same_time):
    path = sealed / "model.safetensors"
    before = path.stat()
    assert checkpoints.problem(sealed) is None
    changed = path.with_suffix(".new")
    changed.write_bytes(b"0" * 4999 + b"1")
    changed.replace(path)
    if same_time:  # as rsync and cp -p leave it
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert checkpoints.problem(sealed) == "model.safetensors is damaged"
