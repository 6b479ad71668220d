"""From raw files to the rows of a task under a protocol: the one road all loaders take."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from doctobert_hf.drbenchmark.families import family_of
from doctobert_hf.drbenchmark.source import RawFolder, find_corpus, how_to_obtain
from doctobert_hf.drbenchmark.spec import SPLITS, Report, Splits, TaskSpec, check_protocol
from doctobert_hf.drbenchmark.splits import apply_filter, leak_free
from doctobert_hf.errors import DataError, UsageError

logger = logging.getLogger(__name__)
DATA_DIR_VARIABLE = "DOCTOBERT_DATA_DIR"


@dataclass(frozen=True)
class Converted:
    """Rows of a task, and what the conversion had to report."""

    splits: Splits
    report: Report


def convert(task: TaskSpec, folder: RawFolder, protocol: str = "drbenchmark") -> Converted:
    """Read a task's raw files into rows.

    Args:
        task: The task.
        folder: The corpus's own folder, see :func:`~doctobert_hf.drbenchmark.source.find_corpus`.
        protocol: ``drbenchmark``: as the benchmark's own conversion makes them. ``doctobert``:
            plus the filters behind the published DoctoBERT scores, which also clean the test set.
            ``strict``: repaired labels, no filtering of test, no document in two splits.

    Raises:
        DataError: The files are not what the task's layout says; names file and line.
    """
    report = Report()
    splits = task.read(task, folder, check_protocol(protocol), report)
    if protocol == "doctobert" and task.filter is not None:
        splits = apply_filter(task, splits, task.filter, report)
    elif protocol == "strict":
        splits = leak_free(splits, family_of(task).content_key, report)
    empty = [split for split in SPLITS if not splits[split]]
    if len(empty) == len(SPLITS):
        raise DataError(
            f"{task.corpus.title} in {folder.where('')} gives no row at all", task.corpus.layout
        )
    return Converted(splits, report)


def locate(task: TaskSpec, data_dir: str | Path | None) -> RawFolder | None:
    """Find a task's raw files in ``data_dir``, else in ``$DOCTOBERT_DATA_DIR``.

    Returns:
        The corpus; None if no folder is named, or if the variable's folder has no such corpus and
        the corpus can be downloaded.

    Raises:
        UsageError: ``data_dir`` is named and does not hold the corpus, or the variable names
            nothing that exists.
        DataError: An archive cannot be read.
    """
    if data_dir is not None:
        return find_corpus(task, data_dir)
    named = os.environ.get(DATA_DIR_VARIABLE)
    if not named:
        return None
    if not Path(named).expanduser().exists():
        raise UsageError(f"{DATA_DIR_VARIABLE} names '{named}', which does not exist", "a folder")
    try:
        return find_corpus(task, named)
    except UsageError:
        if task.corpus.urls:
            return None
        raise


def missing(task: TaskSpec) -> UsageError:
    """The error for a corpus that cannot be downloaded and was not given."""
    return UsageError(f"{task.name} needs data_dir", fix=how_to_obtain(task))


def log_report(task: TaskSpec, report: Report) -> None:
    """Tell what a conversion repaired or left out: one warning, a line per kind."""
    if report.counts:
        logger.warning("%s: %s", task.name, "; ".join(report.lines()))


def fingerprint_of(splits: Splits) -> str:
    """SHA-256 over all rows of all splits, labels by name: equal fingerprints, equal data."""
    total = hashlib.sha256()
    for split in SPLITS:
        for row in splits[split]:
            text = json.dumps({"split": split, **row}, ensure_ascii=False, sort_keys=True)
            total.update(text.encode("utf-8", "surrogatepass") + b"\n")
    return total.hexdigest()
