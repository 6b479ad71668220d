"""``compute_metrics`` for ``Trainer``, one factory for all tasks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from doctobert_hf.drbenchmark.spec import TaskSpec
from doctobert_hf.drbenchmark.tasks import get_task
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.metrics import (
    edrm,
    entity_f1,
    exact_match_ratio,
    hamming_score,
    multilabel_f1,
    weighted_f1,
)

if TYPE_CHECKING:
    import numpy as np

logger = logging.getLogger(__name__)
IGNORED = -100
COMBINATIONS = (
    *("c", "a", "e", "d", "b", "be", "ae", "bc", "bd", "ab", "de", "cd", "ac", "ad", "ce", "bce"),
    *("abc", "cde", "bcd", "ace", "ade", "abe", "acd", "bde", "abd", "abde", "abcd", "bcde"),
    *("abce", "acde", "abcde"),
)
"""Sets of right answers of FrenchMedMCQA in the order of the original's 31 classes."""


def score_predictions(
    task: TaskSpec, predictions: Any, references: Any, mode: str = "default"
) -> dict[str, Any]:
    """Score a task's rows, one prediction and one right answer each.

    Args:
        task: The task.
        predictions: Token classification: tag names of each word. Else logits of each row: of
            classes, labels, answers or candidates, or ``[score]``.
        references: Token classification: tag names. Else a class number, 0 or 1 for each label or
            answer, or a score.
        mode: For token classification, ``default`` or ``strict``.

    Returns:
        Scores with the tables per type or class.
    """
    import numpy as np

    if task.kind == "token-classification":
        return entity_f1(predictions, references, mode)
    logits, labels = np.asarray(predictions, dtype=np.float64), np.asarray(references)
    _check_width(task, logits, labels)
    if task.kind == "multilabel-classification":
        return multilabel_f1(_sigmoid(logits), labels, task.threshold)
    if task.kind == "similarity":
        return _similarity(logits.reshape(-1), labels.reshape(-1))
    if task.kind == "multiple-choice":
        return _choices(logits, labels)
    return weighted_f1(logits.argmax(axis=-1), labels)


def compute_metrics(
    task: str | TaskSpec, mode: str = "default"
) -> Callable[[Any], dict[str, float]]:
    """Return a function for ``Trainer(compute_metrics=...)`` that scores a task.

    Args:
        task: A task or its name.
        mode: For token classification: ``default`` as the benchmark scores, or ``strict``.

    Returns:
        A function of an ``EvalPrediction`` with logits and labels:

        * token classification: logits ``(examples, length, labels)``, labels with -100 where a
          position does not count;
        * classification, parallel sentence: logits ``(examples, labels)``, class numbers;
        * multi-label: logits ``(examples, labels)``, 0/1 tables; sigmoid and the task's threshold;
        * similarity: one number per example, scores;
        * multiple choice: logits ``(examples, 5)`` with 0/1 tables (sigmoid, 0.5, at least the
          best answer), or ``(examples, 31)`` with classes in the order of ``COMBINATIONS``.

        Its result has numbers only, among them the task's ``metric_key``.
    """
    spec = get_task(task) if isinstance(task, str) else task
    if mode not in ("default", "strict"):
        raise UsageError(f"mode '{mode}'", "'default' or 'strict'")

    def compute(output: Any) -> dict[str, float]:
        logits, labels = _arrays(output)
        _check_width(spec, logits, labels)
        if spec.kind == "token-classification":
            return _tokens(logits, labels, spec.labels, mode)
        return _flat(score_predictions(spec, logits, labels))

    return compute


def _arrays(output: Any) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    logits, labels = output.predictions, output.label_ids
    if isinstance(logits, tuple):  # some models return hidden states behind the logits
        logits = logits[0]
    return np.asarray(logits, dtype=np.float64), np.asarray(labels)


def _check_width(spec: TaskSpec, logits: np.ndarray, labels: np.ndarray) -> None:
    """Logits of another width would score as if the model were merely bad."""
    if spec.kind == "similarity":
        wanted: tuple[int, ...] = (1,) if logits.ndim > 1 else (logits.shape[-1],)
    elif spec.kind == "multiple-choice":
        wanted = (len(spec.labels), len(COMBINATIONS))
        if logits.shape[-1] == len(spec.labels) and labels.shape != logits.shape:
            raise DataError(f"Labels of shape {labels.shape}", "0 and 1 for each answer")
    else:
        wanted = (len(spec.labels),)
    if logits.shape[-1] not in wanted:
        raise DataError(
            f"Logits for {logits.shape[-1]} labels of {spec.name}",
            f"{' or '.join(map(str, wanted))} labels",
        )


def _similarity(predictions: np.ndarray, references: np.ndarray) -> dict[str, float]:
    """A model that diverged scores as one that always says 0, and is told of."""
    import numpy as np

    finite = np.isfinite(predictions)
    if not finite.all():
        logger.warning("%d predictions are not finite and count as 0", int((~finite).sum()))
    return edrm(np.where(finite, predictions, 0.0), references)


def _tokens(
    logits: np.ndarray, labels: np.ndarray, names: tuple[str, ...], mode: str
) -> dict[str, float]:
    predicted = logits.argmax(axis=-1)
    kept = labels != IGNORED
    predictions = [[names[i] for i in row[keep]] for row, keep in zip(predicted, kept, strict=True)]
    references = [[names[i] for i in row[keep]] for row, keep in zip(labels, kept, strict=True)]
    return _flat(entity_f1(predictions, references, mode))


def _choices(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    import numpy as np

    if logits.shape[-1] == len(COMBINATIONS):
        chosen = [list(COMBINATIONS[i]) for i in logits.argmax(axis=-1)]
        right = [list(COMBINATIONS[i]) for i in labels.reshape(-1)]
    else:
        at_least = logits == logits.max(axis=-1, keepdims=True)
        chosen = [list(np.flatnonzero(row)) for row in (_sigmoid(logits) >= 0.5) | at_least]
        right = [list(np.flatnonzero(row)) for row in labels]
    return hamming_score(chosen, right) | exact_match_ratio(chosen, right)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    import numpy as np

    return 1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0)))


def _flat(scores: dict[str, Any]) -> dict[str, float]:
    """Scores without their tables per type: Trainer logs numbers."""
    return {name: value for name, value in scores.items() if not isinstance(value, dict)}
