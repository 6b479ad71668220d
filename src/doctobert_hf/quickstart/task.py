"""The benchmark's stage: one real task as a table, and what memorising words scores on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from doctobert_hf.drbenchmark.check import data_found
from doctobert_hf.drbenchmark.conversion import convert, locate
from doctobert_hf.drbenchmark.spec import SPLITS, Row, Splits, TaskSpec
from doctobert_hf.drbenchmark.tasks import list_tasks
from doctobert_hf.errors import UsageError
from doctobert_hf.metrics import entity_f1
from doctobert_hf.runs.commands import command_line


def task_record(data_dir: Path | None) -> dict[str, Any]:
    """Describe the first entity task whose raw files are found.

    Args:
        data_dir: Folder of raw corpora; None: ``$DOCTOBERT_DATA_DIR``.

    Returns:
        ``found`` (all tasks with data) and, if one is an entity task, ``task``, ``splits`` (rows,
        words and entities of each split), ``types`` (entities by type) and ``baseline``: scores on
        test of giving each word its most frequent tag in train.
    """
    found = [task for task in list_tasks() if data_found(task, data_dir) not in _NOT_HERE]
    record: dict[str, Any] = {"found": [task.name for task in found]}
    entity_tasks = [task for task in found if task.label_column == "ner_tags"]
    if not entity_tasks:
        return record
    task = entity_tasks[0]
    folder = locate(task, data_dir)
    assert folder is not None
    splits = convert(task, folder).splits
    return record | {"task": task.name, "metric": task.metric, **_described(task, splits)}


def check_data_dir(data_dir: Path | None) -> None:
    """Refuse a folder of raw corpora that holds none.

    Raises:
        UsageError: With the command that says what is looked for.
    """
    if data_dir is None or any(data_found(t, data_dir) not in _NOT_HERE for t in list_tasks()):
        return
    line = command_line("benchmark", "check", data_dir=data_dir)
    raise UsageError(
        f"No corpus of DrBenchmark in '{data_dir}'",
        "a folder or archive of raw corpora",
        f"{line} says what is looked for; without --data-dir the sample's own notes are used",
    )


_NOT_HERE = ("download", "missing")


def _described(task: TaskSpec, splits: Splits) -> dict[str, Any]:
    entities = {split: _entities(splits[split]) for split in SPLITS}
    scores = entity_f1(*_memorised(splits["train"], splits["test"]))
    return {
        "splits": {
            split: {
                "rows": len(splits[split]),
                "words": sum(len(row["tokens"]) for row in splits[split]),
                "entities": entities[split].total(),
            }
            for split in SPLITS
        },
        "types": {
            name: {split: entities[split][name] for split in SPLITS}
            for name in sorted({name for counts in entities.values() for name in counts})
        },
        "baseline": {key: scores[key] for key in ("precision", "recall", "f1")},
    }


def _entities(rows: list[Row]) -> Counter[str]:
    tags = (tag for row in rows for tag in row["ner_tags"])
    return Counter(tag[2:] for tag in tags if tag.startswith("B"))


def _memorised(train: list[Row], test: list[Row]) -> tuple[list[list[str]], list[list[str]]]:
    """Each word's most frequent tag in train; an unseen word is outside."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in train:
        for word, tag in zip(row["tokens"], row["ner_tags"], strict=True):
            counts[word.lower()][tag] += 1
    best = {word: seen.most_common(1)[0][0] for word, seen in counts.items()}
    predictions = [[best.get(word.lower(), "O") for word in row["tokens"]] for row in test]
    return predictions, [row["ner_tags"] for row in test]
