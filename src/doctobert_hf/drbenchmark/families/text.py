"""Classification: one class a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from doctobert_hf.drbenchmark.families.base import Family, Item, Predict, Row, chosen_counts
from doctobert_hf.statistics import Counts

if TYPE_CHECKING:
    from doctobert_hf.drbenchmark.finetuning.encoding import ExampleEncoder
    from doctobert_hf.drbenchmark.spec import TaskSpec


class Classification(Family):
    """A text and its class; the chunks of a long text are averaged."""

    kind: ClassVar[str] = "classification"

    def columns(self, task: TaskSpec) -> dict[str, Any]:
        """``document_id, text, label``."""
        from datasets import ClassLabel, Value

        text = Value("string")
        return {"document_id": text, "text": text, "label": ClassLabel(names=list(task.labels))}

    def encode(self, encoder: ExampleEncoder, rows: Sequence[Row]) -> list[Item]:
        """A sequence for each chunk of the text."""
        items = []
        for row in rows:
            inputs = [encoder.plain(piece) for piece in encoder.pieces(row["text"] or "")]
            items.append(Item(inputs, self.target(encoder.task, row)))
        return items

    def target(self, task: TaskSpec, row: Row) -> Any:
        """What the loss takes for a row."""
        return int(row["label"])

    def counts(
        self, task: TaskSpec, predictions: Any, references: Any, ids: Sequence[str]
    ) -> Counts | None:
        """Weighted F1."""
        return chosen_counts(predictions, references, len(task.labels), ids)

    def predict_texts(
        self, task: TaskSpec, texts: Sequence[str], encoder: ExampleEncoder, predict: Predict
    ) -> list[list[dict[str, Any]]]:
        """Classes with ``label, score``, the best first."""
        rows = [{"text": text, "label": 0, "labels": []} for text in texts]
        return [self.classes(task, logits) for logits in predict(self.encode(encoder, rows))]

    def classes(self, task: TaskSpec, logits: Sequence[float]) -> list[dict[str, Any]]:
        """All classes with their probability."""
        import torch

        scores = torch.tensor(logits).softmax(-1).tolist()
        return ranked(task, scores, range(len(scores)))


def ranked(task: TaskSpec, scores: Sequence[float], kept: Sequence[int]) -> list[dict[str, Any]]:
    """Labels with their scores, the highest first."""
    order = sorted(kept, key=lambda i: -scores[i])
    return [{"label": task.labels[i], "score": scores[i]} for i in order]


FAMILIES = (Classification(),)
