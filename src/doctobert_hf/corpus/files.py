"""Which files of a folder are a corpus; what is passed over is told, never read by accident."""

from __future__ import annotations

import difflib
import logging
import re
from pathlib import Path

from doctobert_hf.errors import UsageError
from doctobert_hf.files import refuse_remote

logger = logging.getLogger(__name__)
_PACKED = (".gz", ".zst")
_LINES = (".txt", ".jsonl", ".csv", ".tsv")
SUFFIXES = (
    ".txt",
    ".jsonl",
    ".json",
    ".parquet",
    ".csv",
    ".tsv",
    *(f"{kind}{packed}" for kind in _LINES for packed in _PACKED),
)
"""Endings of corpus files, in any case."""
CONVERTED = (".md", ".markdown", ".html", ".htm", ".pdf", ".docx", ".pptx", ".xlsx", ".epub")
"""Endings of documents that are read where one document is one file (:mod:`.converted`)."""
_TOLD: set[str] = set()


def has_suffix(name: str, suffixes: tuple[str, ...] = SUFFIXES) -> bool:
    """Return whether a file's name ends like a corpus file, in lower or upper case."""
    return name.lower().endswith(suffixes)


def is_saved_dataset(path: str | Path) -> bool:
    """Return whether a folder was written by ``Dataset.save_to_disk`` or ``DatasetDict``'s.

    Example:
        >>> is_saved_dataset("documents.parquet")
        False
    """
    folder = Path(path)
    return (folder / "dataset_dict.json").is_file() or (
        (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file()
    )


def list_files(path: str | Path, converted: bool = False) -> list[Path]:
    """Return the corpus files at ``path``, a file, a glob, or a folder searched in depth, sorted.

    Hidden files and folders (``.git``, ``._notes.txt``) are passed over; how many, and which files
    of other kinds, is told once for a folder.

    Args:
        path: File, folder, or a pattern such as ``notes/*.txt``.
        converted: Take Markdown, HTML, PDF and office files too.

    Raises:
        UsageError: Nothing is there, or nothing of a corpus.

    Example:
        >>> [path.name for path in list_files("documents.parquet")]
        ['documents.parquet']
    """
    suffixes = (*SUFFIXES, *CONVERTED) if converted else SUFFIXES
    refuse_remote(
        path,
        "documents",
        "Copy or mount it; the stages of finemed read such addresses themselves (fsspec)",
    )
    path = Path(path)
    if path.is_file():
        if not has_suffix(path.name, suffixes):
            raise UsageError(f"The file '{path}'", f"one of {', '.join(suffixes)}")
        return [path]
    if path.is_dir():
        if is_saved_dataset(path):
            return sorted(path.rglob("*.arrow"))
        return _in_folder(stage_data(path), suffixes)
    if any(mark in path.name for mark in "*?[") and path.parent.is_dir():
        found = sorted(p for p in path.parent.glob(path.name) if has_suffix(p.name, suffixes))
        if found:
            return found
        raise UsageError(f"No corpus file matches '{path}'", f"one of {', '.join(suffixes)}")
    if not path.parent.is_dir():
        fix = f"'{path.parent}' does not exist either"
    else:
        close = difflib.get_close_matches(path.name, [p.name for p in path.parent.iterdir()], n=1)
        fix = f"Did you mean '{close[0]}'?" if close else "Check the path"
    raise UsageError(f"No file or folder '{path}'", fix=fix)


def stage_data(path: Path) -> Path:
    """Return where the documents of a FineMed stage or mix lie; another folder as it is.

    Raises:
        UsageError: The stage is not finished.
    """
    if not is_stage(path):
        return path
    if not (path / "manifest.json").is_file():
        raise UsageError(f"'{path}' is a stage that is not finished", fix="Run it again to its end")
    return path / "data"


def is_stage(folder: Path) -> bool:
    """Return whether a folder was written by a FineMed stage: its logs are no documents."""
    record = folder / "run.json"
    if record.is_file():
        return '"kind": "finemed-' in record.read_text(encoding="utf-8", errors="replace")[:500]
    begun = any((folder / name).exists() for name in ("data", "logs", "manifest.json"))
    return begun and (folder / "resolved_config.yaml").is_file()


def _in_folder(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    files: list[Path] = []
    others: dict[str, list[str]] = {}
    hidden = 0
    runs = [p.parent for p in folder.rglob("resolved_config.yaml") if p.parent != folder]
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or any(run in path.parents for run in runs):
            continue
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            hidden += has_suffix(path.name, suffixes)
        elif has_suffix(path.name, suffixes):
            files.append(path)
        else:
            kind = path.suffix.lower() or path.name
            others.setdefault(kind, []).append(path.relative_to(folder).as_posix())
    if not files:
        raise UsageError(
            f"The folder '{folder}' has no corpus file",
            f"{', '.join(suffixes)} in it or below",
            f"There are {_listed(others)}" if others else "",
        )
    passed = [f"{hidden:,} hidden"] if hidden else []
    passed += [f"those of the run '{run.relative_to(folder)}'" for run in runs[:3]]
    passed += [_listed(others)] if others else []
    if passed and (key := str(folder.resolve())) not in _TOLD:
        _TOLD.add(key)
        logger.warning("'%s': files that are not read: %s", folder, ", ".join(passed))
    return files


def _listed(others: dict[str, list[str]]) -> str:
    """Return the number and first names of files, by kind, the most frequent first."""
    shown = []
    for kind, names in sorted(others.items(), key=lambda item: -len(item[1]))[:5]:
        more = ", ..." if len(names) > 3 else ""
        told = f" ({', '.join(names[:3])}{more})" if names != [kind] else ""
        shown.append(f"{len(names):,} {kind}{told}")
    return f"{', '.join(shown)}, ..." if len(others) > 5 else ", ".join(shown)


SPLIT_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""Names of splits, as Datasets knows them."""


def split_of(name: str) -> str | None:
    """Return the split that a folder or file is named after; None where it is after none.

    Example:
        >>> split_of("notes-dev.jsonl"), split_of("Test"), split_of("notes.jsonl")
        ('validation', 'test', None)
    """
    words = re.split(r"[^a-z]+", name.lower())
    found = {split for split, known in SPLIT_WORDS.items() if set(words) & set(known)}
    return found.pop() if len(found) == 1 else None
