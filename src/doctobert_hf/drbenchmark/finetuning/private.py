"""A private corpus as tasks: annotated entities, and each of their qualifiers, or classes.

Texts with classes are :mod:`.private_classes`; what follows is of entities.

Its files are those that :mod:`doctobert_hf.drbenchmark.readers.folder` reads. JSON lines:
``{"id": "...", "text": "...", "entities": [{"start": 3, "end": 14, "label": "DISO", "qualifiers":
{"negation": true, "date": "past"}}]}``; in BRAT qualifiers are attributes.

Where annotations overlap, or are in fragments, the task has one layer for each type
(:mod:`doctobert_hf.drbenchmark.families.nested`), so that none is lost to another type;
``NAME_flat`` is then the same with the outermost annotation alone.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from doctobert_hf.drbenchmark.families.nested import TAGS, layer_labels, layer_types
from doctobert_hf.drbenchmark.finetuning.private_classes import class_task, corpus_name
from doctobert_hf.drbenchmark.iob import layered_tags, outermost_first, overlapping, widest_gap
from doctobert_hf.drbenchmark.readers.brat import BratDocument, TextBound
from doctobert_hf.drbenchmark.readers.folder import split_documents
from doctobert_hf.drbenchmark.readers.labelled import holds_labelled_texts
from doctobert_hf.drbenchmark.source import RawFolder, open_folder
from doctobert_hf.drbenchmark.spec import SPLITS, CorpusSpec, Report, Row, Splits, TaskSpec, bio
from doctobert_hf.drbenchmark.words import word_spans
from doctobert_hf.errors import DataError, UsageError

logger = logging.getLogger(__name__)
Tagger = Callable[[BratDocument, list[tuple[int, int]], Report], Any]
"""Makes the tags of a document's words, by name."""


def list_private_tasks(folder: str, extra: bool = False) -> list[TaskSpec]:
    """Return the tasks of a corpus: ``NAME_entities`` and ``NAME_QUALIFIER`` for each qualifier.

    Args:
        folder: The corpus.
        extra: Whether ``NAME_flat`` is among them, where annotations nest.

    Raises:
        UsageError: The folder is not there or holds no annotated document.
        DataError: A file is malformed; the message says where.
    """
    return [task for task in _tasks(folder) if extra or not task.extra]


def read_corpus(folder: str, name: str) -> tuple[TaskSpec, dict[str, list[dict[str, Any]]]]:
    """Read one task of a private corpus.

    Returns:
        The task, and rows by split: ``id, document_id, text, tokens, starts, ner_tags``; a row is a
        document, ``starts`` are the characters its words begin at.

    Raises:
        UsageError: No such task.
        DataError: A file is malformed.
    """
    task, rows, report = _read(folder, name)
    for line in report.lines():
        logger.warning("%s: %s", name, line)
    return task, rows


def annotation_accounts(folder: str, name: str) -> dict[str, dict[str, int]]:
    """Say what became of the annotations of a private corpus.

    Returns:
        By type, how many were ``kept``, ``kept as fragments``, or lost for what reason.

    Raises:
        UsageError: No such task.
        DataError: A file is malformed.
    """
    _, _, report = _read(folder, name)
    return {kind: dict(fates) for kind, fates in sorted(report.annotations.items())}


def _read(folder: str, name: str) -> tuple[TaskSpec, Splits, Report]:
    tasks = {task.name: task for task in _tasks(folder)}
    if name not in tasks:
        raise UsageError(f"No task '{name}' in '{folder}'", " or ".join(tasks))
    task, report = tasks[name], Report()
    place = Path(folder)
    source = open_folder(place if place.is_dir() else place.parent)
    return task, task.read(task, source, "strict", report), report


def _tasks(folder: str) -> list[TaskSpec]:
    """Tasks of the entities themselves, then of each qualifier; or the one of the classes."""
    place = Path(folder)
    if not place.exists():
        raise UsageError(
            f"There is no folder '{folder}'",
            "a folder of annotated documents, or a table of texts with their classes",
        )
    corpus_title = re.sub(r"[^\w]+", "_", corpus_name(place.resolve()).lower())
    if holds_labelled_texts(place):
        return [class_task(folder, corpus_title)]
    documents = [document for _, document in split_documents(str(folder))]
    types: set[str] = set()
    qualifiers: dict[str, set[str]] = {}
    for document in documents:
        for mention in document.mentions:
            types.add(mention.label)
            for _, name, value in document.attributes.get(mention.id, ()):
                qualifiers.setdefault(name, set()).add(_value(name, value))
    if not types:
        raise UsageError(
            f"No annotated document in '{folder}'",
            "BRAT files (.txt and .ann), .jsonl with 'text' and 'entities', or a table with 'text' "
            "and 'label'",
        )
    corpus = CorpusSpec(
        corpus_title, corpus_title, "Private corpus.", "", "private", False, "", "BRAT or JSONL"
    )
    groups: list[tuple[str, str | None, set[str]]] = [("entities", None, types)]
    groups += [(key.lower(), key, values) for key, values in sorted(qualifiers.items())]
    names = Counter(suffix for suffix, _, _ in [*groups, ("flat", None, types)])
    if clash := [key or suffix for suffix, key, _ in groups if names[suffix] > 1]:
        raise DataError(
            f"Qualifiers of '{folder}' that would be one task: {', '.join(sorted(clash))}",
            "names that differ by more than case, and none 'entities' or 'flat'",
            "Rename one of them in the annotation",
        )
    tasks = []
    for suffix, qualifier, labels in groups:
        mentions = [_relabelled(document, qualifier) for document in documents]
        title = f"{corpus_title}_{suffix}"
        if any(map(overlapping, mentions)):
            tasks.append(_layered(title, corpus, labels, qualifier, documents))
            if qualifier is None:
                tasks.append(_flat(f"{corpus_title}_flat", corpus, labels, None, extra=True))
        else:
            tasks.append(_flat(title, corpus, labels, qualifier))
    return tasks


def _flat(
    name: str, corpus: CorpusSpec, types: set[str], qualifier: str | None, extra: bool = False
) -> TaskSpec:
    labels = bio(*sorted(types))

    def tags(document: BratDocument, words: list[tuple[int, int]], report: Report) -> list[str]:
        return outermost_first(words, _relabelled(document, qualifier), sorted(types), report)

    return TaskSpec(
        name=name,
        corpus=corpus,
        kind="token-classification",
        labels=labels,
        metric="entity_f1",
        files=(),
        read=_reader(tags),
        label_column="ner_tags",
        extra=extra,
    )


def _layered(
    name: str,
    corpus: CorpusSpec,
    types: set[str],
    qualifier: str | None,
    documents: list[BratDocument],
) -> TaskSpec:
    order = sorted(types)

    def tags(document: BratDocument, words: list[tuple[int, int]], report: Report) -> Any:
        return layered_tags(words, _relabelled(document, qualifier), order, report)

    gap = max(widest_gap(word_spans(d.text), _relabelled(d, qualifier)) for d in documents)
    logger.info(
        "%s: annotations overlap or are in fragments: one layer for each of %d types",
        *(name, len(order)),
    )
    return TaskSpec(
        name=name,
        corpus=corpus,
        kind="nested-token-classification",
        labels=layer_labels(order),
        metric="entity_f1",
        files=(),
        read=_reader(tags),
        label_column="ner_tags",
        max_gap=gap,
    )


def _reader(tags: Tagger) -> Callable[[TaskSpec, RawFolder, str, Report], Splits]:
    """Return a task's ``read``: a row is a document, labels are numbers already."""

    def read(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
        rows: Splits = {split: [] for split in SPLITS}
        for split, document in split_documents(folder.where("").rstrip("/")):
            words = word_spans(document.text)
            if not words:
                report.add("document without words left out", document.name)
                for mention in document.mentions:
                    report.account(mention.label, "covers no word")
                continue
            rows[split].append(_row(task, document, words, tags(document, words, report)))
        return rows

    return read


def _row(task: TaskSpec, document: BratDocument, words: list[tuple[int, int]], tags: Any) -> Row:
    if task.labels[0] == "O":
        ids = {label: number for number, label in enumerate(task.labels)}
        numbers: Any = [ids[tag] for tag in tags]
    else:
        numbers = [[TAGS.index(tag) for tag in layer] for layer in tags]
        assert len(numbers) == len(layer_types(task))
    return {
        "id": document.name,
        "document_id": document.name,
        "text": document.text,
        "tokens": [document.text[a:b] for a, b in words],
        "starts": [start for start, _ in words],
        "ner_tags": numbers,
    }


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
