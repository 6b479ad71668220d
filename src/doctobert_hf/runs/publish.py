"""Putting finished files in their place: over those the record knows, never over others."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from doctobert_hf.errors import OutputError, UsageError
from doctobert_hf.files import explained_output
from doctobert_hf.runs.record import RunRecord, describe_output, sha256


def files_below(folder: Path) -> list[str]:
    """Return the paths of all files in a folder, relative to it, sorted."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    )


def publish(scratch: Path, folder: Path, record: RunRecord, record_path: Path) -> None:
    """Move the files of ``scratch`` into ``folder``, each atomically, and record them.

    What is going to stand there is recorded before anything moves: after a kill in between, both
    the earlier and the new files are known as the run's own.

    Args:
        scratch: Folder on the same file system.
        folder: The run folder.
        record: Its record; files of an earlier run that are not written again are removed.
        record_path: Where the record is kept.

    Raises:
        OutputError: A file or folder that is not the run's own, or was changed since, stands in
            the way; nothing moved.
    """
    made = {name: describe_output(scratch / name) for name in files_below(scratch)}
    foreign = [n for n in made if not _is_own(folder, n, record) or _blocked(folder, n)]
    if foreign:
        raise OutputError(
            f"'{folder / foreign[0]}' is in the way, and this tool did not write it",
            "a place for the result",
            "Move it away, or choose another --output",
        )
    record.pending = made
    record.write(record_path)
    for name in record.outputs:
        if name not in made and is_unchanged(folder / name, record.outputs[name]):
            (folder / name).unlink()
            _remove_empty_parents(folder / name, folder)
    # What says that all is there comes last: a kill in between leaves no whole-looking result.
    for name in sorted(made, key=lambda name: name.rsplit("/", 1)[-1] == "manifest.json"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(scratch / name, target)
    record.outputs, record.pending, record.status = made, {}, "finished"
    record.write(record_path)


def _is_own(folder: Path, name: str, record: RunRecord) -> bool:
    """Return whether nothing is at a place, or a file that the run wrote and nobody changed."""
    path = folder / name
    if not path.exists() and not path.is_symlink():
        return True
    known = [files[name] for files in (record.outputs, record.pending) if name in files]
    return any(is_unchanged(path, one) for one in known)


def changed_outputs(folder: Path, record: RunRecord) -> list[str]:
    """Return the run's own files that somebody has changed since, by path."""
    return [
        name
        for name, known in record.outputs.items()
        if "sha256" in known and (folder / name).exists() and not _is_own(folder, name, record)
    ]


def is_unchanged(path: Path, known: dict[str, Any]) -> bool:
    """Return whether a file is as the record describes it."""
    if "sha256" not in known or path.is_symlink() or not path.is_file():
        return False
    return path.stat().st_size == known["bytes"] and sha256(path) == known["sha256"]


def _blocked(folder: Path, name: str) -> bool:
    """Return whether a parent of a file is a file or a link."""
    parents = [folder / parent for parent in Path(name).parents if parent != Path()]
    return any(parent.is_symlink() or parent.is_file() for parent in parents)


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
    whole = Path(os.path.abspath(path))  # of a link the link itself, not where it leads
    if path.resolve() == here or path.resolve() in here.parents:
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

    Example:
        >>> check_free("not-there-yet.jsonl", ["documents.parquet"])
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

    Example:
        >>> write_output("found.txt", "trois") is None
        True
        >>> write_output("found.txt", "quatre", overwrite=True).name
        'found.txt.replaced'
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


def remove_run(folder: Path) -> None:
    """Remove the files that a run's record knows, and its folder if nothing else is in it.

    Example:
        >>> from doctobert_hf.runs import open_run
        >>> with open_run("short-lived", "example", {}) as run:
        ...     run.finish()
        >>> remove_run(Path("short-lived"))
        >>> Path("short-lived").exists()
        False
    """
    from doctobert_hf.runs.record import RECORD, read_record

    record = read_record(folder)
    if record is None:
        return
    for name, known in record.outputs.items():
        if is_unchanged(folder / name, known):
            (folder / name).unlink()
            _remove_empty_parents(folder / name, folder)
    (folder / RECORD).unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()
