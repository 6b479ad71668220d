"""Checkpoints that are whole or not there at all.

A checkpoint is written into a hidden folder and renamed when everything, fingerprints included, is
on disk: a run killed at any moment leaves the checkpoints before. On resume the newest whole one is
taken; a damaged one is passed over with a warning.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from doctobert_hf.errors import UsageError

logger = logging.getLogger(__name__)
MANIFEST = "checkpoint.json"
STREAM = "data_state.json"
PREFIX = "checkpoint-"
STAGING = ".incomplete"


def seal(folder: Path) -> None:
    """Write the manifest of a finished checkpoint: size and CRC-32 of every file, on disk."""
    files = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        files[path.relative_to(folder).as_posix()] = [path.stat().st_size, _crc(path)]
        _sync(path)
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps({"files": files}, indent=1))
    _sync(manifest)
    _sync(folder)


def publish(staged: Path, target: Path) -> None:
    """Rename a sealed checkpoint into its place."""
    if target.exists():
        shutil.rmtree(target)
    os.replace(staged, target)
    _sync(target.parent)


def problem(folder: Path) -> str | None:
    """Say what is wrong with a checkpoint, or None."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return f"no {MANIFEST}"
    try:
        files = json.loads(manifest.read_text())["files"]
    except (ValueError, KeyError):
        return f"{MANIFEST} cannot be read"
    for name, (size, crc) in files.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        now = path.stat()
        if now.st_size != size or _crc_of(path.absolute(), now.st_ino, now.st_ctime_ns) != crc:
            return f"{name} is damaged"
    return None


def list_checkpoints(run: Path) -> list[Path]:
    """Checkpoints of a run, oldest first."""
    found = [p for p in run.glob(f"{PREFIX}*") if p.name.removeprefix(PREFIX).isdecimal()]
    return sorted(found, key=lambda path: int(path.name.removeprefix(PREFIX)))


def last_whole_checkpoint(run: Path) -> Path:
    """Return the newest whole checkpoint; damaged ones are passed over with a warning.

    Raises:
        UsageError: There is none.
    """
    for folder in reversed(list_checkpoints(run)):
        wrong = problem(folder)
        if wrong is None:
            return folder
        logger.warning("%s is not used: %s; going back to the one before", folder, wrong)
    raise UsageError(f"No whole checkpoint in '{run}'", fix="Start that run anew")


def rotate(run: Path, keep: int | None) -> None:
    """Delete all but the newest ``keep`` checkpoints."""
    if keep is not None and keep > 0:
        for folder in list_checkpoints(run)[:-keep]:
            shutil.rmtree(folder, ignore_errors=True)


@lru_cache(maxsize=256)
def _crc_of(path: Path, inode: int, changed_ns: int) -> int:
    """Return the sum of a file as it is now: gigabytes that several ask for are read once."""
    return _crc(path)


def _crc(path: Path) -> int:
    value = 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return value


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load_renamed(model: Any, folder: Path) -> None:
    """Load the weights of a checkpoint that stand under names of old.

    Transformers 5.3 writes the norms of a BERT that it loaded as ``gamma`` and ``beta``, and its
    ``Trainer`` passes over names that the model has not.
    """
    from safetensors.torch import load_file

    file = folder / "model.safetensors"
    if not file.is_file():
        return
    own = model.state_dict().keys()
    found = {}
    for name, value in load_file(file).items():
        now = re.sub(r"LayerNorm\.(gamma|beta)$", _norm_name, name)
        if name not in own and now in own:
            found[now] = value
    if found:
        model.load_state_dict(found, strict=False)


def _norm_name(match: re.Match[str]) -> str:
    return "LayerNorm.weight" if match[1] == "gamma" else "LayerNorm.bias"
