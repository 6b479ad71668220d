"""F1 of classes, single- and multi-label, weighted by how often each class occurs.

Equal to scikit-learn's ``f1_score(average=..., zero_division=0)``, which the benchmark reads from
``classification_report``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DataError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike


def weighted_f1(predictions: ArrayLike, references: ArrayLike) -> dict[str, Any]:
    """F1 of single-label classification.

    Args:
        predictions: Predicted classes, numbers or names.
        references: True classes, as many.

    Returns:
        ``f1`` (weighted by class frequency in the references), ``precision`` and ``recall``
        (weighted), ``macro_f1``, ``accuracy``, and ``per_class`` with ``precision, recall, f1,
        support`` of each class that occurs.

    Raises:
        DataError: Not as many predictions as references, or none.

    Example:
        >>> round(weighted_f1([0, 1, 1], [0, 1, 0])["f1"], 3)
        0.667
    """
    import numpy as np

    predicted, true = np.asarray(predictions), np.asarray(references)
    if predicted.shape != true.shape or true.ndim != 1 or not len(true):
        raise DataError(
            f"Predictions of shape {predicted.shape} and references of shape {true.shape}",
            "two lists of classes of the same length, at least one",
        )
    for values in (predicted, true):
        if values.dtype.kind == "f" and not np.array_equal(values, np.trunc(values)):
            raise DataError("Classes that are fractions", "class numbers or names")
    classes = sorted(set(true.tolist()) | set(predicted.tolist()))
    columns = [(predicted == name, true == name) for name in classes]
    scores = _averages(
        np.stack([p for p, _ in columns], 1), np.stack([t for _, t in columns], 1), classes
    )
    scores["accuracy"] = float((predicted == true).mean())
    return scores


def multilabel_f1(
    predictions: ArrayLike,
    references: ArrayLike,
    threshold: float = 0.5,
) -> dict[str, Any]:
    """F1 of multi-label classification.

    Args:
        predictions: Probabilities (or 0 and 1), shape ``(examples, classes)``; a class is predicted
            where its probability is at least ``threshold``. Apply a sigmoid to logits first.
        references: 1 where a class is true, 0 elsewhere, same shape.
        threshold: Between 0 and 1; the benchmark uses 0.5 for MorFITT, 0.70 for DEFT-2021.

    Returns:
        As :func:`weighted_f1`, ``accuracy`` being the share of examples with exactly the right
        set, and ``micro_f1``.

    Raises:
        DataError: Shapes differ, or predictions are not probabilities.
        UsageError: ``threshold`` is not between 0 and 1.

    Example:
        >>> multilabel_f1([[0.9, 0.2], [0.1, 0.8]], [[1, 0], [0, 1]])["f1"]
        1.0
    """
    import numpy as np

    if not 0.0 <= threshold <= 1.0:
        raise UsageError(f"threshold {threshold}", "between 0 and 1")
    scores, true = np.asarray(predictions, dtype=np.float64), np.asarray(references)
    if scores.shape != true.shape or true.ndim != 2 or not true.size:
        raise DataError(
            f"Predictions of shape {scores.shape} and references of shape {true.shape}",
            "two tables (examples, classes) of the same shape",
        )
    if scores.min() < 0.0 or scores.max() > 1.0 or np.isnan(scores).any():
        raise DataError(
            f"Predictions from {scores.min():.3g} to {scores.max():.3g}",
            "probabilities between 0 and 1",
            "Apply a sigmoid to logits first",
        )
    if not np.isin(true, (0, 1)).all():
        raise DataError("References other than 0 and 1", "one column per class, 1 where it is true")
    predicted, true = scores >= threshold, true.astype(bool)
    result = _averages(predicted, true, list(range(true.shape[1])))
    hits, guessed, gold = (int(a.sum()) for a in (predicted & true, predicted, true))
    result["micro_f1"] = 2 * hits / (guessed + gold) if guessed + gold else 0.0
    result["accuracy"] = float((predicted == true).all(axis=1).mean())
    return result


def weighted_f1_of(sums: np.ndarray) -> np.ndarray:
    """Weighted F1 of hits, predicted and true numbers of each class.

    Args:
        sums: ``[..., 3, classes]``.

    Returns:
        ``[...]``; 0 where nothing is true.

    Example:
        >>> import numpy as np
        >>> hits, predicted, true = [2, 1], [2, 2], [2, 1]  # of two classes
        >>> float(weighted_f1_of(np.array([hits, predicted, true])).round(3))
        0.889
    """
    import numpy as np

    hits, guessed, gold = (sums[..., i, :].astype(np.float64) for i in range(3))
    f1 = np.divide(2 * hits, guessed + gold, out=np.zeros_like(hits), where=guessed + gold > 0)
    total = gold.sum(axis=-1)
    weighted = (f1 * gold).sum(axis=-1)
    return np.divide(weighted, total, out=np.zeros_like(total), where=total > 0)


def _averages(predicted: np.ndarray, true: np.ndarray, classes: list[Any]) -> dict[str, Any]:
    """Weighted and macro averages over columns of booleans, shape ``(examples, classes)``."""
    import numpy as np

    hits = (predicted & true).sum(axis=0).astype(np.float64)
    guessed, gold = predicted.sum(axis=0), true.sum(axis=0)
    precision = _ratio(hits, guessed)
    recall = _ratio(hits, gold)
    f1 = _ratio(2 * hits, guessed + gold)
    weights = gold / gold.sum() if gold.sum() else np.zeros(len(classes))
    return {
        "f1": float(f1 @ weights),
        "precision": float(precision @ weights),
        "recall": float(recall @ weights),
        "macro_f1": float(f1.mean()),
        "per_class": {
            str(name): {
                "precision": float(precision[i]),
                "recall": float(recall[i]),
                "f1": float(f1[i]),
                "support": int(gold[i]),
            }
            for i, name in enumerate(classes)
        },
    }


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
