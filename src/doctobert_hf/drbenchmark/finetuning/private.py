"""A private corpus of annotated documents as tasks: entities, and each of their qualifiers.

A folder of BRAT files (``.txt`` with ``.ann``), of JSON lines, or of an annotation tool's export
(:mod:`doctobert_hf.drbenchmark.readers.exports`). It is split by subfolders or files named after
splits, as Datasets names them (``train``, ``validation``, ``valid``, ``val``, ``dev``, ``test``),
else by document, those of one patient together: of every ten, in an order that depends on their
names alone, seven train, one chooses and two test.

JSON lines: ``{"id": "...", "text": "...", "entities": [{"start": 3, "end": 14, "label": "DISO",
"qualifiers": {"negation": true, "date": "past"}}]}``; in BRAT qualifiers are attributes.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from doctobert_hf.drbenchmark.iob import outermost_first
from doctobert_hf.drbenchmark.readers.brat import BratDocument, TextBound, read_brat
from doctobert_hf.drbenchmark.readers.exports import read_export
from doctobert_hf.drbenchmark.source import open_folder
from doctobert_hf.drbenchmark.spec import SPLITS, CorpusSpec, Report, TaskSpec, bio
from doctobert_hf.drbenchmark.words import word_spans
from doctobert_hf.errors import DataError, UsageError

logger = logging.getLogger(__name__)


def list_private_tasks(folder: str) -> list[TaskSpec]:
    """Return the tasks of a corpus: ``NAME_entities`` and ``NAME_QUALIFIER`` for each qualifier.

    Raises:
        UsageError: The folder is not there or holds no annotated document.
        DataError: A file is malformed; the message says where.
    """
    return [task for task, _ in _tasks(folder)]


def read_corpus(folder: str, name: str) -> tuple[TaskSpec, dict[str, list[dict[str, Any]]]]:
    """Read one task of a private corpus.

    Returns:
        The task, and rows by split: ``id, document_id, text, tokens, starts, ner_tags``; a row is a
        document, ``starts`` are the characters its words begin at.

    Raises:
        UsageError: No such task.
        DataError: A file is malformed.
    """
    tasks = {task.name: (task, qualifier) for task, qualifier in _tasks(folder)}
    if name not in tasks:
        raise UsageError(f"No task '{name}' in '{folder}'", " or ".join(tasks))
    task, qualifier = tasks[name]
    types = [label[2:] for label in task.labels if label.startswith("B-")]
    report = Report()
    ids = {label: i for i, label in enumerate(task.labels)}
    rows: dict[str, list[dict[str, Any]]] = {split: [] for split in SPLITS}
    for split, document in _documents(folder):
        words = word_spans(document.text)
        if not words:
            report.add("document without words left out", document.name)
            continue
        tags = outermost_first(words, _relabelled(document, qualifier), types, report)
        rows[split].append(
            {
                "id": document.name,
                "document_id": document.name,
                "text": document.text,
                "tokens": [document.text[a:b] for a, b in words],
                "starts": [start for start, _ in words],
                "ner_tags": [ids[tag] for tag in tags],
            }
        )
    for line in report.lines():
        logger.warning("%s: %s", name, line)
    return task, rows


def _tasks(folder: str) -> list[tuple[TaskSpec, str | None]]:
    """Tasks with the qualifier they are about; None for the entities themselves."""
    types: set[str] = set()
    qualifiers: dict[str, set[str]] = {}
    for _, document in _documents(folder):
        for mention in document.mentions:
            types.add(mention.label)
            for _, name, value in document.attributes.get(mention.id, ()):
                qualifiers.setdefault(name, set()).add(_value(name, value))
    if not types:
        raise UsageError(
            f"No annotated document in '{folder}'",
            "BRAT files (.txt and .ann) or .jsonl with 'text' and 'entities'",
        )
    name = re.sub(r"[^\w]+", "_", Path(folder).resolve().name.lower())
    corpus = CorpusSpec(name, name, "Private corpus.", "", "private", False, "", "BRAT or JSONL")
    groups: list[tuple[str, str | None, set[str]]] = [("entities", None, types)]
    groups += [(key.lower(), key, values) for key, values in sorted(qualifiers.items())]
    names = Counter(suffix for suffix, _, _ in groups)
    if clash := [key or suffix for suffix, key, _ in groups if names[suffix] > 1]:
        raise DataError(
            f"Qualifiers of '{folder}' that would be one task: {', '.join(sorted(clash))}",
            "names that differ by more than case, and none 'entities'",
            "Rename one of them in the annotation",
        )
    specs = [
        TaskSpec(
            name=f"{name}_{suffix}",
            corpus=corpus,
            kind="token-classification",
            labels=bio(*sorted(labels)),
            metric="entity_f1",
            files=(),
            read=_not_here,
            label_column="ner_tags",
        )
        for suffix, _, labels in groups
    ]
    return [(spec, qualifier) for spec, (_, qualifier, _) in zip(specs, groups, strict=True)]


def _not_here(*_: Any) -> Any:
    raise UsageError("A private corpus is read by read_corpus")


def _value(name: str, value: str) -> str:
    """A binary qualifier is its name, others their value."""
    return value or name


def _relabelled(document: BratDocument, qualifier: str | None) -> list[TextBound]:
    if qualifier is None:
        return list(document.mentions)
    return [
        TextBound(m.id, _value(name, value), m.fragments, m.surfaces, m.where)
        for m in document.mentions
        for _, name, value in document.attributes.get(m.id, ())
        if name == qualifier
    ]


@lru_cache(maxsize=1)
def _documents(folder: str) -> tuple[tuple[str, BratDocument], ...]:
    """All documents with their split."""
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


_SPLIT_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""Names of splits, as Datasets knows them."""


def _split_of(name: str) -> str | None:
    """The split that a folder or file is named after: ``Train``, ``val``, ``notes-test.jsonl``."""
    words = re.split(r"[^a-z]+", name.lower())
    found = {split for split, known in _SPLIT_WORDS.items() if set(words) & set(known)}
    return found.pop() if len(found) == 1 else None


def _given_splits(root: Path) -> list[tuple[str, Path]]:
    """Folders or files that are splits; none where the corpus has no split of its own.

    Raises:
        DataError: Some are and others are not, or a split is missing.
    """
    entries = [path for path in sorted(root.iterdir()) if not path.name.startswith(".")]
    folders = [path for path in entries if path.is_dir()]
    files = [path for path in entries if path.suffix in (".jsonl", ".json")]
    texts = any(path.suffix == ".txt" for path in entries)
    for candidates in (folders, files):
        named = [(_split_of(path.stem), path) for path in candidates]
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
    files = [root] if root.is_file() else sorted(root.glob("*.json*"))
    for path in files:
        if path.suffix in (".jsonl", ".json"):
            yield from read_export(path, report)
