"""The splits of a private corpus: those its files are named after, or drawn by document.

Names are those that Datasets knows (``train``, ``validation``, ``valid``, ``val``, ``dev``,
``test``), of subfolders or files. Without them documents are drawn, those of one patient together:
of every ten, in an order that depends on their names alone, seven train, one chooses and two test.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from doctobert_hf.corpus.files import split_of
from doctobert_hf.drbenchmark.spec import SPLITS
from doctobert_hf.errors import DataError

logger = logging.getLogger(__name__)
T = TypeVar("T")
_ENDINGS = re.compile(r"(?:\.(?:jsonl|json|csv|tsv|parquet|xmi|txt|gz|zst))+\Z", re.IGNORECASE)


def given_splits(
    root: Path, is_data: Callable[[Path], bool], loose_texts: bool = False
) -> list[tuple[str, Path]]:
    """Return folders or files that are splits; none where the corpus has no split of its own.

    Args:
        root: The corpus's folder.
        is_data: Whether a file holds documents.
        loose_texts: Whether text files beside them are documents without a split.

    Raises:
        DataError: Some are and others are not, or a split is missing.
    """
    entries = [path for path in sorted(root.iterdir()) if not path.name.startswith(".")]
    folders = [path for path in entries if path.is_dir()]
    files = [path for path in entries if path.is_file() and is_data(path)]
    texts = loose_texts and any(path.suffix == ".txt" for path in entries)
    for candidates in (folders, files):
        named = [(split_of(_ENDINGS.sub("", path.name)), path) for path in candidates]
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


def drawn_splits(documents: Sequence[T], key: Callable[[T], str]) -> list[tuple[str, T]]:
    """Split at random by document, those of one key (a patient, a source) together."""
    groups: dict[str, list[T]] = {}
    for document in documents:
        groups.setdefault(key(document), []).append(document)
    order = sorted(groups, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    if len(order) < len(documents):
        logger.warning(
            "%s documents of %s patients or sources are split by these",
            *(f"{len(documents):,}", f"{len(order):,}"),
        )
    return [(_split(place), d) for place, name in enumerate(order) for d in groups[name]]


def _split(place: int) -> str:
    return {7: "validation", 8: "test", 9: "test"}.get(place % 10, "train")


def refuse_doubles(names: Iterable[str]) -> None:
    """Refuse documents of the same name.

    Raises:
        DataError: Two or more have one.
    """
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DataError(f"Documents of the same name: {', '.join(twice[:5])}", "different names")


def tell_of_shared_texts(name: str, texts: Iterable[tuple[str, str]]) -> None:
    """Warn of texts, given with their split, that stand in more than one."""
    splits: dict[str, set[str]] = {}
    for split, text in texts:
        splits.setdefault(" ".join(text.split()), set()).add(split)
    shared = sum(len(where) > 1 for where in splits.values())
    if shared:
        logger.warning("%s: %s texts stand in more than one split", name, f"{shared:,}")
