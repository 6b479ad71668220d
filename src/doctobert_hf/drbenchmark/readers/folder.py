"""A folder of annotated documents, with the split of each.

BRAT files (``.txt`` with ``.ann``), JSON lines, or an export of a tool (:mod:`.exports`).
It is split by subfolders or files named after splits, as Datasets names them (``train``,
``validation``, ``valid``, ``val``, ``dev``, ``test``), else by document, those of one patient
together: of every ten, in an order that depends on their names alone, seven train, one chooses and
two test.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from doctobert_hf.corpus.files import split_of
from doctobert_hf.drbenchmark.readers.brat import BratDocument, read_brat
from doctobert_hf.drbenchmark.readers.exports import SUFFIXES, read_export
from doctobert_hf.drbenchmark.source import open_folder
from doctobert_hf.drbenchmark.spec import SPLITS, Report
from doctobert_hf.errors import DataError, UsageError

logger = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def split_documents(folder: str) -> tuple[tuple[str, BratDocument], ...]:
    """Return all documents of a folder, each with its split.

    Raises:
        UsageError: There is no such folder.
        DataError: A file is malformed, or splits and other documents are mixed.
    """
    root = Path(folder)
    if not root.exists():
        raise UsageError(f"There is no folder '{folder}'", "a folder of annotated documents")
    if not root.is_dir():
        raise UsageError(
            f"'{folder}' is a file", "a folder of annotated documents", "Put it into one"
        )
    report = Report()
    parts = _given_splits(root)
    if parts:
        found = [(split, d) for split, place in parts for d in _read(place, report)]
    else:
        found = _drawn_splits(list(_read(root, report)))
    for line in report.lines():
        logger.warning("%s: %s", root.name, line)
    names = [document.name for _, document in found]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DataError(f"Documents of the same name: {', '.join(twice[:5])}", "different names")
    _tell_of_shared_texts(root.name, found)
    return tuple(found)


def _given_splits(root: Path) -> list[tuple[str, Path]]:
    """Folders or files that are splits; none where the corpus has no split of its own.

    Raises:
        DataError: Some are and others are not, or a split is missing.
    """
    entries = [path for path in sorted(root.iterdir()) if not path.name.startswith(".")]
    folders = [path for path in entries if path.is_dir()]
    files = [path for path in entries if path.suffix in SUFFIXES]
    texts = any(path.suffix == ".txt" for path in entries)
    for candidates in (folders, files):
        named = [(split_of(path.stem), path) for path in candidates]
        if not any(split for split, _ in named):
            continue
        loose = [path.name for split, path in named if split is None]
        other = [path.name for path in (files if candidates is folders else [])]
        if loose or other or texts:
            left = (loose + other + ["the .txt files"] * texts)[0]
            raise DataError(
                f"'{root}' has splits ({', '.join(p.name for s, p in named if s)}) and beside them "
                f"{left}",
                "train, validation and test, or documents without any split",
                "Move what is no split elsewhere",
            )
        lacking = [name for name in SPLITS if name not in {split for split, _ in named}]
        if lacking:
            raise DataError(
                f"'{root}' has no split {' and no '.join(lacking)}",
                "train, validation (or dev) and test",
                "Name a folder or file after it, or put all documents together to have them split",
            )
        return [(split, path) for split, path in named if split]
    return []


def _drawn_splits(documents: list[BratDocument]) -> list[tuple[str, BratDocument]]:
    """Split at random by document, those of one patient or source together."""
    groups: dict[str, list[BratDocument]] = {}
    for document in documents:
        groups.setdefault(document.group or document.name, []).append(document)
    order = sorted(groups, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    if len(order) < len(documents):
        logger.warning(
            "%s documents of %s patients or sources are split by these",
            *(f"{len(documents):,}", f"{len(order):,}"),
        )
    return [(_split(place), d) for place, name in enumerate(order) for d in groups[name]]


def _tell_of_shared_texts(name: str, found: list[tuple[str, BratDocument]]) -> None:
    splits: dict[str, set[str]] = {}
    for split, document in found:
        splits.setdefault(" ".join(document.text.split()), set()).add(split)
    shared = sum(len(where) > 1 for where in splits.values())
    if shared:
        logger.warning("%s: %s texts stand in more than one split", name, f"{shared:,}")


def _split(place: int) -> str:
    return {7: "validation", 8: "test", 9: "test"}.get(place % 10, "train")


def _read(root: Path, report: Report) -> Iterator[BratDocument]:
    """Documents of a folder (BRAT, JSON lines, exports), or of one file."""
    if root.is_dir() and any(root.glob("*.txt")):
        yield from read_brat(open_folder(root.parent), root.name, report, True, True)
    files = [root] if root.is_file() else sorted(root.iterdir())
    for path in files:
        if path.suffix in SUFFIXES:
            yield from read_export(path, report)
