"""Multi-label classification: any number of classes a text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from doctobert_hf.drbenchmark.families.base import Row, binary_loss, class_counts, sigmoid
from doctobert_hf.drbenchmark.families.text import Classification, ranked
from doctobert_hf.statistics import Counts

if TYPE_CHECKING:
    import numpy as np
    import torch

    from doctobert_hf.drbenchmark.spec import TaskSpec


class MultilabelClassification(Classification):
    """A text and its classes: those whose probability reaches the task's threshold."""

    kind: ClassVar[str] = "multilabel-classification"
    gives_several: ClassVar[bool] = True

    def columns(self, task: TaskSpec) -> dict[str, Any]:
        """``document_id, text, labels``."""
        from datasets import ClassLabel, List, Value

        text = Value("string")
        labels = List(ClassLabel(names=list(task.labels)))
        return {"document_id": text, "text": text, "labels": labels}

    def target_column(self, task: TaskSpec) -> str:
        """``labels``."""
        return "labels"

    def reference(self, task: TaskSpec, row: Row) -> Any:
        """0 or 1 for each label."""
        return [int(i in row["labels"]) for i in range(len(task.labels))]

    def label_ids(self, task: TaskSpec, rows: Iterable[Row]) -> set[int]:
        """Numbers of the labels of some rows."""
        return {i for row in rows for i in row["labels"]}

    def facts(self, task: TaskSpec) -> list[list[str]]:
        """The threshold."""
        return [["threshold", f"{task.threshold:g}"]]

    def target(self, task: TaskSpec, row: Row) -> Any:
        """0 or 1 for each label."""
        return [float(i in row["labels"]) for i in range(len(task.labels))]

    def loss(self, task: TaskSpec, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Binary cross-entropy of each label."""
        return binary_loss(outputs, labels)

    def loss_weight(self, labels: torch.Tensor) -> int:
        """Texts."""
        return len(labels)

    def score_logits(
        self, task: TaskSpec, logits: np.ndarray, labels: np.ndarray
    ) -> dict[str, Any]:
        """F1 at the task's threshold."""
        from doctobert_hf.metrics import multilabel_f1

        return multilabel_f1(sigmoid(logits), labels, task.threshold)

    def decided(self, task: TaskSpec, predictions: Any, references: Any) -> tuple[Any, Any]:
        """0 or 1 for each class, at the task's threshold."""
        import numpy as np

        logits, labels = np.asarray(predictions, dtype=np.float64), np.asarray(references)
        self.check_width(task, logits, labels)
        return (sigmoid(logits) >= task.threshold).astype(int).tolist(), labels.tolist()

    def counts(
        self, task: TaskSpec, predictions: Any, references: Any, ids: Sequence[str]
    ) -> Counts | None:
        """F1 at the task's threshold."""
        import numpy as np

        chosen = sigmoid(np.asarray(predictions, dtype=np.float64)) >= task.threshold
        return class_counts(chosen, np.asarray(references), ids)

    def classes(self, task: TaskSpec, logits: Sequence[float]) -> list[dict[str, Any]]:
        """Labels at the threshold or above."""
        import torch

        scores = torch.tensor(logits).sigmoid().tolist()
        return ranked(task, scores, [i for i, s in enumerate(scores) if s >= task.threshold])


FAMILIES = (MultilabelClassification(),)
