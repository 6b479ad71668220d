"""A private corpus of annotated documents as tasks: entities, and each of their qualifiers.

A folder of BRAT files (``.txt`` with ``.ann``) or of JSON lines, split by subfolders ``train``,
``validation`` (or ``dev``) and ``test``, else by document: of every ten documents, in an order that
depends on their names alone, seven train, one chooses and two test.

JSON lines: ``{"id": "...", "text": "...", "entities": [{"start": 3, "end": 14, "label": "DISO",
"qualifiers": {"negation": true, "date": "past"}}]}``; in BRAT qualifiers are attributes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from doctobert_hf.drbenchmark.iob import outermost_first
from doctobert_hf.drbenchmark.readers.brat import BratDocument, TextBound, read_brat
from doctobert_hf.drbenchmark.source import open_folder
from doctobert_hf.drbenchmark.spec import SPLITS, CorpusSpec, Report, TaskSpec, bio
from doctobert_hf.errors import DataError, UsageError

logger = logging.getLogger(__name__)
_WORD = re.compile(r"\w+|[^\w\s]")
_FOLDERS = {"train": "train", "validation": "validation", "dev": "validation", "test": "test"}


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
        words = [(m.start(), m.end()) for m in _WORD.finditer(document.text)]
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
    if not root.is_dir():
        raise UsageError(f"'{folder}' is not a folder", "a folder of annotated documents")
    parts = {p.name: _FOLDERS[p.name] for p in root.iterdir() if p.is_dir() and p.name in _FOLDERS}
    report = Report()
    if parts:
        found = [
            (split, d) for name, split in sorted(parts.items()) for d in _read(root / name, report)
        ]
    else:
        documents = list(_read(root, report))
        order = sorted(documents, key=lambda d: hashlib.sha256(d.name.encode()).hexdigest())
        found = [(_split(place), document) for place, document in enumerate(order)]
    for line in report.lines():
        logger.warning("%s: %s", root.name, line)
    names = [document.name for _, document in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"Documents of the same name: {', '.join(twice[:5])}", "different names")
    return tuple(found)


def _split(place: int) -> str:
    return {7: "validation", 8: "test", 9: "test"}.get(place % 10, "train")


def _read(root: Path, report: Report) -> Iterator[BratDocument]:
    if any(root.glob("*.txt")):
        yield from read_brat(open_folder(root.parent), root.name, report, repair=True)
    for path in sorted(root.glob("*.jsonl")):
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _from_json(line, f"{path.name}, line {number}")


def _from_json(line: str, where: str) -> BratDocument:
    try:
        row = json.loads(line)
        text, mentions, attributes = row["text"], [], {}
        for number, entity in enumerate(row.get("entities", [])):
            start, end = int(entity["start"]), int(entity["end"])
            if not 0 <= start < end <= len(text):
                raise ValueError(f"entity {number} goes from {start} to {end} of {len(text)}")
            key = f"T{number}"
            surface = (text[start:end],)
            mentions.append(TextBound(key, str(entity["label"]), ((start, end),), surface, where))
            kept = {k: v for k, v in (entity.get("qualifiers") or {}).items() if v}
            attributes[key] = [(key, k, "" if v is True else str(v)) for k, v in kept.items()]
        return BratDocument(str(row["id"]), text, tuple(mentions), {}, attributes)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{where}: {type(error).__name__}: {error}",
            '{"id", "text", "entities": [{"start", "end", "label", "qualifiers"}]}',
        ) from error
