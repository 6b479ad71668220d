"""Whether folders still hold what was recorded of them: a card tells no story of other files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from doctobert_hf.runs.record import describe_files, describe_input, read_record

_ONE_HASH = ("files", "bytes", "sha256")


def changed_rows(folder: Path, documents: int) -> str | None:
    """Say how the rows of a finished stage are not those that it wrote; None where they are.

    Args:
        folder: Its folder, with ``data`` and ``run.json``.
        documents: How many its manifest says.
    """
    import pyarrow.parquet as pq

    record = read_record(folder)
    if record is None:  # a manifest alone: there is nothing to hold it against
        return None
    data = folder / "data"
    files = sorted(data.glob("*.parquet")) if data.is_dir() else []
    there = sum(pq.read_metadata(path).num_rows for path in files)
    if files and there != documents:
        return f"'{folder}' has {there:,} rows, and its manifest says {documents:,}"
    known = (record.results or {}).get("data") or {}
    if files and "sha256" in known and not _is_as(known, describe_files(files, data)):
        return f"'{folder}' has other rows than the stage wrote"
    return None


def changed_input(folder: Path, place: str, before: Path) -> str | None:
    """Say how a stage's input is not what it read; None where it is, or that is not recorded.

    Args:
        folder: The stage's folder.
        place: The input, as the stage was given it.
        before: Where it is now.
    """
    record = read_record(folder)
    for told in record.inputs if record is not None else ():
        given, _, name = str(told.get("path", "")).rpartition(":")
        if given != place:
            continue
        file = next((p for p in (before / "data" / name, before / name) if p.is_file()), None)
        if file is None or not _is_as(told, describe_input(file)):
            return f"'{before}' was changed after '{folder}' was made of it"
    return None


def _is_as(known: dict[str, Any], now: dict[str, Any]) -> bool:
    """Return whether two descriptions may be of the same; of large ones sizes alone tell.

    A copy of a large folder has other times, of which its hash is.
    """
    from doctobert_hf.runs.record import HASHED

    large = known.get("bytes", 0) > HASHED
    keys = ("files", "bytes") if large else _ONE_HASH
    return all(known.get(key) == now.get(key) for key in keys if key in known)
