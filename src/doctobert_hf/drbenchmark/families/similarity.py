"""Similarity: a score for a pair of texts."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from doctobert_hf.drbenchmark.families.base import (
    Family,
    Item,
    Predict,
    Row,
    mean_counts,
    wrong_width,
)
from doctobert_hf.statistics import Counts

if TYPE_CHECKING:
    import numpy as np
    import torch

    from doctobert_hf.drbenchmark.finetuning.encoding import ExampleEncoder
    from doctobert_hf.drbenchmark.spec import TaskSpec

logger = logging.getLogger(__name__)


class Similarity(Family):
    """Two texts and how similar they are, from 0 to 5."""

    kind: ClassVar[str] = "similarity"
    hub_task: ClassVar[str] = "sentence-similarity"

    def columns(self, task: TaskSpec) -> dict[str, Any]:
        """``text_1, text_2, score``."""
        from datasets import Value

        return {"text_1": Value("string"), "text_2": Value("string"), "score": Value("float32")}

    def target_column(self, task: TaskSpec) -> str:
        """``score``."""
        return "score"

    def content_key(self, row: Row) -> Hashable:
        """The two texts in any order."""
        return frozenset((row["text_1"], row["text_2"]))

    def reference(self, task: TaskSpec, row: Row) -> Any:
        """The score."""
        return row["score"]

    def label_ids(self, task: TaskSpec, rows: Iterable[Row]) -> set[int]:
        """None: scores are no labels."""
        return set()

    def width(self, task: TaskSpec) -> int:
        """One number."""
        return 1

    def encode(self, encoder: ExampleEncoder, rows: Sequence[Row]) -> list[Item]:
        """A sequence for each pair."""
        return [
            Item([encoder.plain(row["text_1"], row["text_2"])], float(row["score"])) for row in rows
        ]

    def loss(self, task: TaskSpec, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Squared error."""
        import torch

        return torch.nn.functional.mse_loss(outputs.float().reshape(-1), labels.float())

    def loss_weight(self, labels: torch.Tensor) -> int:
        """Pairs."""
        return len(labels)

    def score_logits(
        self, task: TaskSpec, logits: np.ndarray, labels: np.ndarray
    ) -> dict[str, Any]:
        """EDRM; a model that diverged scores as one that always says 0, and is told of."""
        from doctobert_hf.metrics import edrm

        return edrm(_finite(logits), labels.reshape(-1))

    def decided(self, task: TaskSpec, predictions: Any, references: Any) -> tuple[Any, Any]:
        """Scores."""
        import numpy as np

        logits, labels = np.asarray(predictions, dtype=np.float64), np.asarray(references)
        self.check_width(task, logits, labels)
        return _finite(logits).tolist(), labels.reshape(-1).tolist()

    def counts(
        self, task: TaskSpec, predictions: Any, references: Any, ids: Sequence[str]
    ) -> Counts | None:
        """EDRM: a mean over pairs."""
        scores = [
            self.score(task, [prediction], [reference])["edrm"]
            for prediction, reference in zip(predictions, references, strict=True)
        ]
        return mean_counts(scores, ids)

    def check_width(self, task: TaskSpec, logits: np.ndarray, labels: np.ndarray) -> None:
        """One number a row, with or without a dimension of its own."""
        wrong_width(task, logits, (1,) if logits.ndim > 1 else (logits.shape[-1],))

    def predict_pairs(
        self,
        task: TaskSpec,
        pairs: Iterable[tuple[str, str]],
        encoder: ExampleEncoder,
        predict: Predict,
    ) -> list[float]:
        """The score of each pair."""
        rows = [{"text_1": a, "text_2": b, "score": 0.0} for a, b in pairs]
        return [float(outputs[0]) for outputs in predict(self.encode(encoder, rows))]


def _finite(logits: np.ndarray) -> np.ndarray:
    """One number a row; those that are none count as 0, and are told of."""
    import numpy as np

    predictions = logits.reshape(-1)
    finite = np.isfinite(predictions)
    if not finite.all():
        logger.warning("%d predictions are not finite and count as 0", int((~finite).sum()))
    return np.where(finite, predictions, 0.0)


FAMILIES = (Similarity(),)
