"""Choices: questions with several right answers, and which of some sentences is parallel."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from doctobert_hf.drbenchmark.families.base import (
    Family,
    Item,
    Row,
    binary_loss,
    chosen_counts,
    mean_counts,
    sigmoid,
    wrong_width,
)
from doctobert_hf.errors import DataError
from doctobert_hf.statistics import Counts

if TYPE_CHECKING:
    import numpy as np
    import torch

    from doctobert_hf.drbenchmark.finetuning.encoding import ExampleEncoder
    from doctobert_hf.drbenchmark.spec import TaskSpec

COMBINATIONS = (
    *("c", "a", "e", "d", "b", "be", "ae", "bc", "bd", "ab", "de", "cd", "ac", "ad", "ce", "bce"),
    *("abc", "cde", "bcd", "ace", "ade", "abe", "acd", "bde", "abd", "abde", "abcd", "bcde"),
    *("abce", "acde", "abcde"),
)
"""Sets of right answers of FrenchMedMCQA in the order of the original's 31 classes."""


class ParallelSentence(Family):
    """A source and candidates, one of which is right; each pair is a sequence."""

    kind: ClassVar[str] = "parallel-sentence"
    hub_task: ClassVar[str] = "multiple-choice"

    def columns(self, task: TaskSpec) -> dict[str, Any]:
        """``source, candidate_1 ..., label``."""
        from datasets import ClassLabel, Value

        candidates = {f"candidate_{number}": Value("string") for number in task.labels}
        label = ClassLabel(names=list(task.labels))
        return {"source": Value("string"), **candidates, "label": label}

    def content_key(self, row: Row) -> Hashable:
        """Source and candidates."""
        return tuple(v for k, v in row.items() if k == "source" or k.startswith("candidate_"))

    def width(self, task: TaskSpec) -> int:
        """One number for each pair."""
        return 1

    def encode(self, encoder: ExampleEncoder, rows: Sequence[Row]) -> list[Item]:
        """A sequence for each candidate."""
        task = encoder.task
        return [
            Item([encoder.plain(*pair) for pair in self.pairs(task, row)], self.target(task, row))
            for row in rows
        ]

    def pairs(self, task: TaskSpec, row: Row) -> list[tuple[str, str]]:
        """The texts of each sequence."""
        return [(row["source"], row[f"candidate_{name}"]) for name in task.labels]

    def target(self, task: TaskSpec, row: Row) -> Any:
        """What the loss takes for a row."""
        return int(row["label"])

    def outputs(self, task: TaskSpec, logits: torch.Tensor, owner: torch.Tensor) -> torch.Tensor:
        """``[rows, choices]``."""
        return logits.reshape(-1, len(task.labels))

    def check_width(self, task: TaskSpec, logits: np.ndarray, labels: np.ndarray) -> None:
        """One number for each candidate."""
        wrong_width(task, logits, (len(task.labels),))

    def counts(
        self, task: TaskSpec, predictions: Any, references: Any, ids: Sequence[str]
    ) -> Counts | None:
        """Weighted F1."""
        return chosen_counts(predictions, references, len(task.labels), ids)


class MultipleChoice(ParallelSentence):
    """A question and its answers, some of which are right."""

    kind: ClassVar[str] = "multiple-choice"

    def columns(self, task: TaskSpec) -> dict[str, Any]:
        """``question, answer_a ..., correct_answers``."""
        from datasets import ClassLabel, List, Value

        answers = {f"answer_{letter}": Value("string") for letter in task.labels}
        right = List(ClassLabel(names=list(task.labels)))
        return {"question": Value("string"), **answers, "correct_answers": right}

    def target_column(self, task: TaskSpec) -> str:
        """``correct_answers``."""
        return "correct_answers"

    def content_key(self, row: Row) -> Hashable:
        """The question and its answers in any order."""
        return row["question"], frozenset(v for k, v in row.items() if k.startswith("answer_"))

    def reference(self, task: TaskSpec, row: Row) -> Any:
        """0 or 1 for each answer."""
        return [int(i in row["correct_answers"]) for i in range(len(task.labels))]

    def label_ids(self, task: TaskSpec, rows: Iterable[Row]) -> set[int]:
        """Numbers of the right answers of some rows."""
        return {i for row in rows for i in row["correct_answers"]}

    def pairs(self, task: TaskSpec, row: Row) -> list[tuple[str, str]]:
        """The question with each answer."""
        return [(row["question"], row[f"answer_{letter}"]) for letter in task.labels]

    def target(self, task: TaskSpec, row: Row) -> Any:
        """0 or 1 for each answer."""
        return [float(answer) for answer in self.reference(task, row)]

    def loss(self, task: TaskSpec, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Binary cross-entropy of each answer: several may be right."""
        return binary_loss(outputs, labels)

    def loss_weight(self, labels: torch.Tensor) -> int:
        """Questions."""
        return len(labels)

    def check_width(self, task: TaskSpec, logits: np.ndarray, labels: np.ndarray) -> None:
        """Answers, or the original's 31 combinations of them."""
        if logits.shape[-1] == len(task.labels) and labels.shape != logits.shape:
            raise DataError(f"Labels of shape {labels.shape}", "0 and 1 for each answer")
        wrong_width(task, logits, (len(task.labels), len(COMBINATIONS)))

    def score_logits(
        self, task: TaskSpec, logits: np.ndarray, labels: np.ndarray
    ) -> dict[str, Any]:
        """Hamming score and exact match of the answers at 0.5, at least the best one."""
        import numpy as np

        from doctobert_hf.metrics import exact_match_ratio, hamming_score

        rows = self.decided(task, logits, labels)
        chosen, right = ([list(np.flatnonzero(row)) for row in side] for side in rows)
        return hamming_score(chosen, right) | exact_match_ratio(chosen, right)

    def decided(self, task: TaskSpec, predictions: Any, references: Any) -> tuple[Any, Any]:
        """0 or 1 for each answer: those at 0.5, at least the best one."""
        import numpy as np

        logits, labels = np.asarray(predictions, dtype=np.float64), np.asarray(references)
        self.check_width(task, logits, labels)
        if logits.shape[-1] == len(COMBINATIONS):
            sides = logits.argmax(axis=-1), labels.reshape(-1)
            chosen, right = (
                [[int(letter in COMBINATIONS[i]) for letter in "abcde"] for i in side]
                for side in sides
            )
            return chosen, right
        at_least = logits == logits.max(axis=-1, keepdims=True)
        return ((sigmoid(logits) >= 0.5) | at_least).astype(int).tolist(), labels.tolist()

    def counts(
        self, task: TaskSpec, predictions: Any, references: Any, ids: Sequence[str]
    ) -> Counts | None:
        """A mean over questions."""
        scores = [
            self.score(task, [prediction], [reference])[task.metric_key]
            for prediction, reference in zip(predictions, references, strict=True)
        ]
        return mean_counts(scores, ids)


FAMILIES = (MultipleChoice(), ParallelSentence())
