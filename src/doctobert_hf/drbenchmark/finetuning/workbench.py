"""Everything that the runs of one model on one task share: rows, items, one training run."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from doctobert_hf.drbenchmark.families import family_of
from doctobert_hf.drbenchmark.finetuning.config import EVALUATIONS, LongInputs
from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef
from doctobert_hf.drbenchmark.finetuning.encoding import ExampleEncoder
from doctobert_hf.drbenchmark.finetuning.hyperparameters import HyperParameters
from doctobert_hf.drbenchmark.finetuning.trainer import Split, TaskTrainer
from doctobert_hf.drbenchmark.spec import SPLITS, TaskSpec, with_metric
from doctobert_hf.drbenchmark.tasks import get_task
from doctobert_hf.errors import DataError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Context:
    """What a model is measured on and how; equal contexts share their tokenised rows.

    Attributes:
        encoder: The model.
        task: Name of the task.
        protocol: Protocol of the data.
        legacy: The published procedure with its bugs.
        max_length: Most tokens of a sequence, special tokens counted.
        long_inputs: What is done about longer ones.
        data_dir: Raw corpora; None for the default places.
        corpus: Folder of a private corpus; None for the benchmark's own.
        max_train_rows: Training rows to take, evenly spaced; None for all.
        max_eval_rows: Rows of validation and of test to take, likewise.
        evaluations: Times a run looks at the validation split.
        bf16: Mixed precision on a processor too.
        tokens_at_once: Most tokens computed at once in training; None: the device's default.
        metric: Metric of a plugin; None: the task's own.
    """

    encoder: ModelRef
    task: str
    protocol: str
    legacy: bool = False
    max_length: int = 512
    long_inputs: LongInputs = "chunk"
    data_dir: str | None = None
    corpus: str | None = None
    max_train_rows: int | None = None
    max_eval_rows: int | None = None
    evaluations: int = EVALUATIONS
    bf16: bool = False
    tokens_at_once: int | None = None
    metric: str | None = None


class Workbench:
    """Rows of a task, tokenised once for a model.

    Args:
        context: Model, task and data.

    Attributes:
        task: The task.
        rows: Rows by split, labels as numbers.

    Raises:
        UsageError: No such model, task or data.
        DataError: A split is missing or has rows without label.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        task, self.rows = _load(context)
        self.task = with_metric(task, context.metric)
        _check_rows(self.task, self.rows)
        for name, rows in self.rows.items():
            most = context.max_train_rows if name == "train" else context.max_eval_rows
            if most is not None and len(rows) > most:
                self.rows[name] = [rows[i * len(rows) // most] for i in range(most)]
        self.tokenizer = context.encoder.tokenizer()
        self.max_length = context.encoder.max_length(context.max_length)
        self._encoder = ExampleEncoder(
            self.task,
            self.tokenizer,
            self.max_length,
            "truncate" if context.legacy else context.long_inputs,
            split_words=context.legacy,
        )

    @cached_property
    def splits(self) -> dict[str, Split]:
        """The three splits, encoded."""
        family = family_of(self.task)
        return {
            name: Split(self._encoder(rows), [family.reference(self.task, row) for row in rows])
            for name, rows in self.rows.items()
        }

    def fine_tune(
        self,
        parameters: HyperParameters,
        seed: int,
        on_evaluation: Callable[[int, float], None] | None = None,
    ) -> TaskTrainer:
        """Train a fresh head and the encoder, and put the best weights back.

        Raises:
            DataError: The loss or the scores became infinite or NaN.
        """
        from transformers import set_seed

        set_seed(seed)
        # The published runs set dropout after the layers were built, which does nothing.
        dropout = None if self.context.legacy else parameters.dropout
        model = self.context.encoder.load(self.task, dropout)
        splits = self.splits
        with tempfile.TemporaryDirectory() as scratch:
            trainer = TaskTrainer(
                *(self.task, model, self.tokenizer, splits["train"], splits["validation"]),
                *(parameters, seed, scratch, on_evaluation, self.context.evaluations),
                bf16=self.context.bf16,
                tokens_at_once=self.context.tokens_at_once,
            )
            trainer.train_best()
        return trainer

    @cached_property
    def data_record(self) -> dict[str, Any]:
        """What a result file says of the data."""
        total = hashlib.sha256()
        for name in SPLITS:
            for row in self.rows[name]:
                line = json.dumps({"split": name, **row}, ensure_ascii=False, sort_keys=True)
                total.update(line.encode("utf-8", "surrogatepass") + b"\n")
        sizes = {name: len(self.rows[name]) for name in SPLITS}
        record: dict[str, Any] = {"fingerprint": total.hexdigest(), "rows": sizes}
        if self.context.corpus is not None:
            from doctobert_hf.drbenchmark.finetuning.private import annotation_accounts

            record["annotations"] = annotation_accounts(self.context.corpus, self.task.name)
        return record

    def encoding_record(self) -> dict[str, Any]:
        """What a result file says of the encoding; counts are rows and words of all splits."""
        _ = self.splits
        return {
            "max_length": self.max_length,
            "long_inputs": self._encoder.long_inputs,
            **({"precision": "bfloat16"} if self.context.bf16 else {}),
            **{name: int(count) for name, count in sorted(self._encoder.counts.items()) if count},
        }


@lru_cache(maxsize=1)
def workbench(context: Context) -> Workbench:
    """Return the workbench of a context; the last one is kept."""
    return Workbench(context)


def _load(context: Context) -> tuple[TaskSpec, dict[str, list[dict[str, Any]]]]:
    if context.corpus is not None:
        from doctobert_hf.drbenchmark.finetuning.private import read_corpus

        return read_corpus(context.corpus, context.task)
    from datasets import load_dataset

    import doctobert_hf

    doctobert_hf.register()
    task = get_task(context.task)
    dataset = load_dataset(
        "doctobert_hf/drbenchmark",
        task.name,
        data_dir=context.data_dir,
        protocol=context.protocol,
    )
    return task, {name: dataset[name].to_list() for name in dataset}


def _check_rows(task: TaskSpec, rows: dict[str, list[dict[str, Any]]]) -> None:
    lacking = [name for name in SPLITS if not rows.get(name)]
    if lacking:
        raise DataError(
            f"{task.name} has no row in {' and '.join(lacking)}",
            "rows to train on, to choose by and to test on",
            "Take another protocol or leave the task out",
        )
    family = family_of(task)
    column = family.target_column(task)
    for name in SPLITS:
        unlabelled = sum(row.get(column) is None or row[column] == -1 for row in rows[name])
        if unlabelled:
            raise DataError(
                f"{task.name}: {unlabelled} of {len(rows[name])} rows of {name} have no {column}",
                "a label for every row",
            )
    seen = family.label_ids(task, rows["train"])
    for name in SPLITS[1:]:
        new = family.label_ids(task, rows[name]) - seen
        if new:
            names = ", ".join(sorted(task.labels[i] for i in new))
            logger.warning("%s: %s has labels that train has not: %s", task.name, name, names)
