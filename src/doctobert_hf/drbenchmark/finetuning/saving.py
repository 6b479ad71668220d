"""A fine-tuned model as a folder: plain Transformers, with a note of what it was trained for."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.drbenchmark.spec import TaskSpec, task_without_data
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.files import write_json_atomic
from doctobert_hf.runs.record import weights_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

RECORD = "doctobert_task.json"
FORMAT = 1


@dataclass(frozen=True)
class TaskRecord:
    """What a fine-tuned model was trained for, beside its weights.

    Attributes:
        task: Name of the task.
        kind: Its family.
        labels: Tags, classes or answers in the order of the head's outputs.
        metric: Of the task.
        label_column: Column of the tags.
        threshold: Probability from which a label of several counts.
        protocol: Protocol of the data.
        max_length: Most tokens of a sequence, special tokens counted.
        long_inputs: What is done about longer documents.
        split_words: Whether words go to the tokenizer one by one (``--legacy``).
        base_model: What was fine-tuned, without its path.
        result: ``metric, score, validation_score, seed`` and the scores of the test split.
        max_gap: Most words between two fragments of one entity.
        base_model_id: Hub id of what was fine-tuned; None of a folder.
    """

    task: str
    kind: str
    labels: tuple[str, ...]
    metric: str
    label_column: str
    threshold: float
    protocol: str
    max_length: int
    long_inputs: str
    split_words: bool
    base_model: str
    result: dict[str, Any]
    max_gap: int = 0
    base_model_id: str | None = None

    def spec(self) -> TaskSpec:
        """The task, whether it is one of DrBenchmark's or somebody's own."""
        from doctobert_hf.drbenchmark.tasks import find_task

        known = find_task(self.task)
        if known is not None:
            return replace(known, metric=self.metric)
        return task_without_data(
            self.task,
            self.kind,
            self.labels,
            metric=self.metric,
            label_column=self.label_column,
            threshold=self.threshold,
            max_gap=self.max_gap,
        )


def save_model(
    folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, record: TaskRecord
) -> None:
    """Save weights, configuration, tokenizer and the task's record into an empty folder."""
    before = tokenizer.model_max_length
    tokenizer.model_max_length = record.max_length
    try:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    finally:
        tokenizer.model_max_length = before
    content = {**record.__dict__, "labels": list(record.labels), "weights": weights_of(folder)}
    write_json_atomic(folder / RECORD, {"format": FORMAT, **content})


def read_record(folder: str | Path) -> TaskRecord:
    """Read the record of a fine-tuned model.

    Raises:
        UsageError: The folder has none: it was not made by ``finetune``.
        DataError: It is damaged.
    """
    path = Path(folder) / RECORD
    if not Path(folder).exists():
        raise UsageError(f"There is no folder '{folder}'", "a folder of 'doctobert-hf finetune'")
    if not path.is_file():
        raise UsageError(
            f"'{folder}' is no model of 'doctobert-hf finetune' (no {RECORD})",
            "the folder 'model' of a fine-tuning run",
            "Fine-tune one: doctobert-hf finetune MODEL --task NAME --output DIR",
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content.pop("weights", None)  # for cards: whose scores they are
        # A plugin's metric is asked for where something is scored, not by who predicts.
        if content.pop("format") != FORMAT or not isinstance(content["metric"], str):
            raise ValueError("another format")
        return TaskRecord(**content | {"labels": tuple(content["labels"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"'{path}' is damaged ({type(error).__name__}: {error})") from error
