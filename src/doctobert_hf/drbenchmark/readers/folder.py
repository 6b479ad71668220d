"""A folder of documents with annotated entities, with the split of each.

BRAT files (``.txt`` with ``.ann``), JSON lines, or an export of a tool (:mod:`.exports`).
Splits are those of :mod:`.splitting`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from doctobert_hf.drbenchmark.readers.brat import BratDocument, read_brat
from doctobert_hf.drbenchmark.readers.exports import SUFFIXES, read_export
from doctobert_hf.drbenchmark.readers.splitting import (
    drawn_splits,
    given_splits,
    refuse_doubles,
    tell_of_shared_texts,
)
from doctobert_hf.drbenchmark.source import open_folder
from doctobert_hf.drbenchmark.spec import Report
from doctobert_hf.errors import UsageError

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
        raise UsageError(
            f"There is no '{folder}'",
            "a folder of annotated documents, or a table of texts with their classes",
        )
    if not root.is_dir():
        raise UsageError(
            f"'{folder}' is a file without the columns 'text' and 'label' (or 'labels')",
            "a table of texts with their classes, or a folder of annotated documents",
            "Name the columns text and label, or put annotated documents into a folder",
        )
    report = Report()
    parts = given_splits(root, lambda path: path.suffix in SUFFIXES, loose_texts=True)
    if parts:
        found = [(split, d) for split, place in parts for d in _read(place, report)]
    else:
        found = drawn_splits(list(_read(root, report)), lambda d: d.group or d.name)
    for line in report.lines():
        logger.warning("%s: %s", root.name, line)
    refuse_doubles(document.name for _, document in found)
    tell_of_shared_texts(root.name, ((split, d.text) for split, d in found))
    return tuple(found)


def _read(root: Path, report: Report) -> Iterator[BratDocument]:
    """Documents of a folder (BRAT, JSON lines, exports), or of one file."""
    if root.is_dir() and any(root.glob("*.txt")):
        yield from read_brat(open_folder(root.parent), root.name, report, True, True)
    files = [root] if root.is_file() else sorted(root.iterdir())
    for path in files:
        if path.suffix in SUFFIXES:
            yield from read_export(path, report)
