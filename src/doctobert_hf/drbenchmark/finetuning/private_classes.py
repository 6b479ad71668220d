"""A private corpus of texts with classes as a task: one class a text, or several.

Its files are those that :mod:`doctobert_hf.drbenchmark.readers.labelled` reads.
"""

from __future__ import annotations

import logging
from collections import Counter
from functools import lru_cache
from pathlib import Path

from doctobert_hf.drbenchmark.readers.labelled import EXPECTED, LabelledText, split_labelled_texts
from doctobert_hf.drbenchmark.source import RawFolder
from doctobert_hf.drbenchmark.spec import SPLITS, CorpusSpec, Report, Row, Splits, TaskSpec
from doctobert_hf.errors import DataError, UsageError

logger = logging.getLogger(__name__)
MOST_CLASSES = 0.5
"""Classes are at most this share of the texts: with more, the column holds something else."""


@lru_cache(maxsize=1)
def class_task(place: str, name: str) -> TaskSpec:
    """Return the task of a file or folder of texts with classes, ``NAME_classes``.

    Where every text has exactly one class it is a classification, else a multi-label one.

    Args:
        place: The file or folder.
        name: Name of the corpus.

    Raises:
        UsageError: No text has a class.
        DataError: One class alone, or almost as many classes as texts.
    """
    texts = [text for _, text in split_labelled_texts(place)[0]]
    if not texts:
        raise UsageError(f"No text with a class in '{place}'", EXPECTED)
    counts = Counter(label for text in texts for label in text.labels)
    if len(counts) < 2:
        raise DataError(f"'{place}' has the class '{next(iter(counts), '')}' alone", "two or more")
    if len(counts) > max(2, MOST_CLASSES * len(texts)):
        raise DataError(
            f"'{place}' has {len(counts):,} classes in {len(texts):,} texts",
            "classes that come back, as 'urgent' and 'routine' do",
            "If the column is a number or a free text, it is no class",
        )
    single = all(len(text.labels) == 1 for text in texts)
    logger.info(
        "%s: %s texts, %s classes, %s",
        *(name, f"{len(texts):,}", len(counts), "one each" if single else "several a text"),
    )
    corpus = CorpusSpec(name, name, "Private corpus.", "", "private", False, "", "text, label")
    return TaskSpec(
        name=f"{name}_classes",
        corpus=corpus,
        kind="classification" if single else "multilabel-classification",
        labels=tuple(sorted(counts)),
        metric="weighted_f1" if single else "multilabel_f1",
        files=(),
        read=lambda task, folder, protocol, report: _read(place, task, folder, report),
        label_column="label" if single else "labels",
    )


def _read(place: str, task: TaskSpec, folder: RawFolder, report: Report) -> Splits:
    """Rows by split, labels are numbers already."""
    found, left_out = split_labelled_texts(place)
    for kind, count in left_out.counts.items():
        report.add(kind, left_out.examples[kind][0], count)
    rows: Splits = {split: [] for split in SPLITS}
    for split, text in found:
        for label in text.labels:
            report.account(label, "kept")
        rows[split].append(_row(task, text))
    return rows


def _row(task: TaskSpec, text: LabelledText) -> Row:
    ids = [task.labels.index(label) for label in text.labels]
    row: Row = {"id": text.id, "document_id": text.id, "text": text.text}
    return row | ({"label": ids[0]} if task.label_column == "label" else {"labels": ids})


def corpus_name(place: Path) -> str:
    """Return the file's or folder's name without what makes a split or an ending."""
    return place.name.split(".")[0] if place.is_file() else place.name
