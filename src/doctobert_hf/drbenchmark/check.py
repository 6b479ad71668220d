"""What a user has of the benchmark's raw data, and whether it is what it should be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from doctobert_hf.drbenchmark.conversion import convert, fingerprint_of, locate
from doctobert_hf.drbenchmark.families import family_of
from doctobert_hf.drbenchmark.spec import SPLITS, Splits, TaskSpec
from doctobert_hf.errors import DataError, DoctobertError, UsageError


def data_found(task: TaskSpec, data_dir: str | Path | None) -> str:
    """Say where a task's raw files are: a place, ``download``, ``missing`` or ``unreadable``."""
    try:
        folder = locate(task, data_dir)
    except DataError:
        return "unreadable"
    except UsageError:
        folder = None
    if folder is not None:
        return folder.where("").rstrip(":/")
    return "download" if task.corpus.urls else "missing"


def is_here(task: str, data_dir: str | Path | None) -> bool:
    """Return whether a task's raw files are there, and readable."""
    from doctobert_hf.drbenchmark.tasks import get_task

    return data_found(get_task(task), data_dir) not in ("download", "missing", "unreadable")


def require_task(task: str, data_dir: str | Path | None) -> None:
    """Refuse a folder of raw corpora that is named and has not a task's; None is passed.

    Raises:
        UsageError: With the command that says what is looked for.
    """
    from doctobert_hf.runs.commands import command_line

    if data_dir is None or is_here(task, data_dir):
        return
    line = command_line("benchmark", "check", data_dir=data_dir)
    raise UsageError(
        f"No readable files of {task} in '{data_dir}'",
        "a folder or archive of raw corpora with them",
        f"{line} says what is looked for; without --data-dir the sample's own notes are used",
    )


@dataclass
class Check:
    """Result of checking one task's raw data.

    Attributes:
        task: Name of the task.
        status: ``ok``, ``differs`` (readable, but not what is expected), ``absent`` or ``error``.
        sizes: Rows of train, validation and test under ``protocol="drbenchmark"``.
        fingerprint: ``equal``, ``differs`` or ``unknown`` (the real files were never at hand here).
        findings: What is unexpected, one sentence each; not what is merely worth knowing.
        notes: Repairs of the conversion, duplicates, documents shared between splits.
    """

    task: str
    status: str = "ok"
    sizes: tuple[int, ...] | None = None
    fingerprint: str = "unknown"
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check_task(task: TaskSpec, data_dir: str | Path | None) -> Check:
    """Read a task's raw files and compare them with what is known of them. Downloads nothing."""
    result = Check(task.name)
    if data_found(task, data_dir) in ("download", "missing"):
        result.status = "absent"
        try:
            locate(task, data_dir)
        except DoctobertError as error:
            result.findings.append(str(error))
        return result
    try:
        folder = locate(task, data_dir)
        assert folder is not None
        converted = convert(task, folder)
    except Exception as error:  # one corpus's trouble must not keep the others from being checked
        result.status = "error"
        known = isinstance(error, DoctobertError)
        result.findings.append(str(error) if known else f"{type(error).__name__}: {error}")
        return result
    splits = converted.splits
    result.sizes = tuple(len(splits[split]) for split in SPLITS)
    _compare(task, splits, result)
    result.notes += converted.report.lines()
    result.notes += _duplicates(task, splits)
    result.notes += _shared_documents(splits)
    return result


def _compare(task: TaskSpec, splits: Splits, result: Check) -> None:
    if task.sizes is not None and result.sizes != task.sizes:
        known = "measured on the real files" if task.measured else "as published"
        result.findings.append(f"{result.sizes} rows instead of {task.sizes} ({known})")
    if task.fingerprint:
        result.fingerprint = "equal" if fingerprint_of(splits) == task.fingerprint else "differs"
    if result.fingerprint == "differs":
        result.findings.append("rows differ from those of the real files")
    if result.findings:
        result.status = "differs"


def _duplicates(task: TaskSpec, splits: Splits) -> list[str]:
    keys = {split: [family_of(task).content_key(row) for row in splits[split]] for split in SPLITS}
    distinct = {split: set(keys[split]) for split in SPLITS}
    lines = []
    for split in SPLITS:
        extra = sum(count - 1 for count in Counter(keys[split]).values())
        if extra:
            lines.append(f"{extra} rows of {split} repeat another row of it")
    for earlier, later in (("train", "validation"), ("train", "test"), ("validation", "test")):
        shared = len(distinct[earlier] & distinct[later])
        if shared:
            lines.append(f"{shared} rows are in {earlier} and {later}")
    return lines


def _shared_documents(splits: Splits) -> list[str]:
    documents = {
        split: {row["document_id"] for row in splits[split] if "document_id" in row}
        for split in SPLITS
    }
    lines = []
    for earlier, later in (("train", "validation"), ("train", "test"), ("validation", "test")):
        shared = documents[earlier] & documents[later]
        if shared:
            lines.append(
                f"{len(shared)} of the {len(documents[later])} documents of {later} are in "
                f"{earlier} too"
            )
    return lines
