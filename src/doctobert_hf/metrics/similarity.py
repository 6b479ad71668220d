"""Scores of similarity tasks: EDRM, Spearman and Pearson correlation, RMSE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doctobert_hf.errors import DataError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike


def edrm(
    predictions: ArrayLike,
    references: ArrayLike,
    minimum: float = 0.0,
    maximum: float = 5.0,
) -> dict[str, float]:
    """Mean relative closeness to the solution (EDRM), the measure of the DEFT campaigns.

    ``mean(1 - |r - h| / max(|minimum - r|, |maximum - r|))`` for references ``r`` and predictions
    ``h`` clipped to the scale. The benchmark's first version took the largest possible distance of
    the *prediction* and scored predictions off the scale 0; this is the corrected one (DrBenchmark
    pull request 1, Doctolib's fork).

    Args:
        predictions: Predicted scores, any real numbers.
        references: True scores on the scale.
        minimum: Lower end of the scale.
        maximum: Upper end of the scale.

    Returns:
        ``edrm``, ``spearman``, ``pearson`` (NaN where all values are equal) and ``rmse`` of the
        predictions as given.

    Raises:
        DataError: Lengths differ, none, not finite, or a reference off the scale.
        UsageError: ``minimum`` is not below ``maximum``.

    Example:
        >>> edrm([0.0, 5.0, 2.5], [0.0, 5.0, 2.5])["edrm"]
        1.0
    """
    import numpy as np

    if not minimum < maximum:
        raise UsageError(f"A scale from {minimum} to {maximum}", "minimum below maximum")
    predicted = np.asarray(predictions, dtype=np.float64)
    true = np.asarray(references, dtype=np.float64)
    if predicted.shape != true.shape or true.ndim != 1 or not len(true):
        raise DataError(
            f"Predictions of shape {predicted.shape} and references of shape {true.shape}",
            "two lists of numbers of the same length, at least one",
        )
    if not (np.isfinite(predicted).all() and np.isfinite(true).all()):
        raise DataError("A prediction or reference is not a finite number", "numbers")
    slack = 1e-6 * (maximum - minimum)  # references may have been stored as float32
    if true.min() < minimum - slack or true.max() > maximum + slack:
        raise DataError(
            f"References from {true.min():g} to {true.max():g}", f"from {minimum} to {maximum}"
        )
    largest = np.maximum(np.abs(minimum - true), np.abs(maximum - true))
    distance = np.abs(true - np.clip(predicted, minimum, maximum))
    return {
        "edrm": float(np.mean(1.0 - distance / largest)),
        "spearman": _correlation("spearmanr", predicted, true),
        "pearson": _correlation("pearsonr", predicted, true),
        "rmse": float(np.sqrt(np.mean((predicted - true) ** 2))),
    }


def _correlation(name: str, a: np.ndarray, b: np.ndarray) -> float:
    """A correlation of SciPy's; NaN, without its warning, where all values are equal."""
    from scipy import stats

    if (a == a[0]).all() or (b == b[0]).all():
        return float("nan")
    return float(getattr(stats, name)(a, b).statistic)
