"""Putting finished files in their place: over those the record knows, never over others."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from doctobert_hf.errors import OutputError, UsageError
from doctobert_hf.files import explained_output
from doctobert_hf.runs.record import describe_output, sha256


def files_below(folder: Path) -> list[str]:
    """Return the paths of all files in a folder, relative to it, sorted."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    )


def publish(scratch: Path, folder: Path, own: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Move the files of ``scratch`` into ``folder``, each atomically.

    Args:
        scratch: Folder on the same file system.
        folder: The run folder.
        own: Files that an earlier run wrote there; those not written again are removed.

    Returns:
        The files that now are the run's own: ``bytes`` and ``sha256`` by path.

    Raises:
        OutputError: A file or folder that is not the run's own stands in the way; nothing moved.
    """
    names = files_below(scratch)
    foreign = [name for name in names if name not in own and _in_the_way(folder / name)]
    foreign += [name for name in names if _blocked(folder, name, own)]
    if foreign:
        raise OutputError(
            f"'{folder / foreign[0]}' is in the way, and this tool did not write it",
            "a place for the result",
            "Move it away, or choose another --output",
        )
    for name in own:
        if name not in names and _is_unchanged(folder / name, own[name]):
            (folder / name).unlink()
            _remove_empty_parents(folder / name, folder)
    made = {}
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(scratch / name, target)
        made[name] = describe_output(target)
    return made


def changed_outputs(folder: Path, own: dict[str, dict[str, Any]]) -> list[str]:
    """Return the run's own files that somebody has changed since, by path."""
    return [
        name
        for name, known in own.items()
        if "sha256" in known
        and (folder / name).is_file()
        and not _is_unchanged(folder / name, known)
    ]


def _is_unchanged(path: Path, known: dict[str, Any]) -> bool:
    if "sha256" not in known or path.is_symlink() or not path.is_file():
        return False
    return path.stat().st_size == known["bytes"] and sha256(path) == known["sha256"]


def _in_the_way(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _blocked(folder: Path, name: str, own: dict[str, Any]) -> bool:
    """Return whether a parent of a file is a file, which the run did not write."""
    parents = Path(name).parents
    return any(
        (folder / parent).is_symlink() or (folder / parent).is_file()
        for parent in parents
        if parent.as_posix() not in (".", *own)
    )


def _remove_empty_parents(path: Path, root: Path) -> None:
    for parent in path.parents:
        if parent == root or any(parent.iterdir()):
            return
        parent.rmdir()


def move_aside(path: Path) -> Path:
    """Rename a file or folder to ``NAME.replaced``, ``NAME.replaced-2``, ... and return its path.

    Raises:
        UsageError: It is the working directory, or holds it.
        OutputError: It cannot be renamed.
    """
    here = Path.cwd().resolve()
    whole = path.resolve()
    if whole == here or whole in here.parents:
        raise UsageError(
            f"'{path}' holds the working directory and cannot be moved aside",
            fix="Choose another --output, or run the command from elsewhere",
        )
    number, target = 1, whole.with_name(f"{whole.name}.replaced")
    while target.exists() or target.is_symlink():
        number += 1
        target = whole.with_name(f"{whole.name}.replaced-{number}")
    with explained_output(path):
        os.rename(whole, target)
    return target


def check_free(path: str | Path, inputs: Iterable[Any] = (), overwrite: bool = False) -> None:
    """Refuse a file to write that exists, or that is an input.

    Raises:
        UsageError: It exists and ``overwrite`` is not given, is an input, or its folder is missing.
    """
    path = Path(path)
    for given in inputs:
        if Path(str(given)).exists() and path.exists() and path.samefile(str(given)):
            raise UsageError(f"The output '{path}' is the input", fix="Choose another --output")
    if path.is_dir():
        raise UsageError(f"'{path}' is a folder", "a file to write", "Name a file in it")
    if (path.exists() or path.is_symlink()) and not overwrite:
        raise UsageError(
            f"The file '{path}' exists",
            "a new file",
            "Pass --overwrite to move it aside, or choose another --output",
        )


def write_output(path: str | Path, text: str, overwrite: bool = False) -> Path | None:
    """Write a file of its own, atomically; one that is there is moved aside with ``overwrite``.

    Returns:
        Where the earlier file is now; None if there was none.

    Raises:
        UsageError: The file exists and ``overwrite`` is not given.
        OutputError: It cannot be written.
    """
    from doctobert_hf.files import write_text_atomic

    path = Path(path)
    check_free(path, (), overwrite)
    aside = move_aside(path) if path.exists() else None
    write_text_atomic(path, text)
    return aside


def remove_tree(path: Path) -> None:
    """Remove a scratch folder of our own, if it is there."""
    shutil.rmtree(path, ignore_errors=True)
