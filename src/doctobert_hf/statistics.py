"""What scores say with certainty: deviations, intervals, and tests that hold their level.

The one place for them: runner, report, cards and command line take them from here. SciPy computes
what it has; Holm's method it has not.

A score on a test set varies for two reasons: other documents could have been annotated, and
another seed gives another model. :func:`compare_runs` counts both; a test over seeds alone cannot
say anything with three of them, one over documents alone takes a lucky seed for a better model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DataError, UsageError

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 2000
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Interval:
    """A confidence interval around a value.

    Example:
        >>> Interval(0.6, 0.5, 0.7).high
        0.7
    """

    value: float
    low: float
    high: float


def deviation(values: Sequence[float]) -> float | None:
    """Sample standard deviation (n - 1); None below two values.

    Example:
        >>> deviation([1.0, 3.0])
        1.4142135623730951
        >>> deviation([1.0]) is None
        True
    """
    import statistics

    return statistics.stdev(values) if len(values) > 1 else None


def bootstrap_mean(
    values: Sequence[float], resamples: int = RESAMPLES, confidence: float = 0.95, seed: int = 42
) -> Interval:
    """Percentile bootstrap interval of a mean (``scipy.stats.bootstrap``).

    One value has an interval without width.

    Raises:
        DataError: No value, or one that is not finite.
        UsageError: ``resamples`` below 1 or ``confidence`` not between 0 and 1.

    Example:
        >>> found = bootstrap_mean([0.6, 0.5, 0.7, 0.6])
        >>> round(found.value, 2), found.low < found.value < found.high
        (0.6, True)
    """
    import numpy as np
    from scipy import stats

    check_bootstrap(resamples, confidence)
    if not len(values):
        raise DataError("No value to average")
    data = np.asarray(values, dtype=np.float64)
    if not np.isfinite(data).all():
        raise DataError("A value is not a finite number", "finite values")
    mean = float(data.mean())
    if (data == data[0]).all():
        return Interval(mean, mean, mean)
    found = stats.bootstrap(
        (data,),
        np.mean,
        n_resamples=resamples,
        confidence_level=confidence,
        method="percentile",
        random_state=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(mean, float(found.low), float(found.high))


def check_bootstrap(resamples: int, confidence: float) -> None:
    """Refuse numbers of draws and levels that cannot be.

    Raises:
        UsageError: ``resamples`` below 1 or ``confidence`` not between 0 and 1.

    Example:
        >>> check_bootstrap(2000, 0.95)
    """
    if resamples < 1 or not 0.0 < confidence < 1.0:
        raise UsageError(
            f"{resamples} resamples at confidence {confidence}", "at least 1, between 0 and 1"
        )


def percentiles(value: float, draws: Any, confidence: float = 0.95) -> Interval:
    """The middle share of some draws, NaN left out, as an interval around a value.

    Example:
        >>> percentiles(0.5, [0.4, 0.5, 0.6], confidence=0.5)
        Interval(value=0.5, low=0.45, high=0.55)
    """
    import numpy as np

    tail = 100.0 * (1.0 - confidence) / 2
    low, high = np.nanpercentile(np.asarray(draws, dtype=np.float64), [tail, 100.0 - tail])
    return Interval(value, float(low), float(high))


def paired_significance(
    ours: Sequence[float], theirs: Sequence[float], rounds: int = 9999, seed: int = 42
) -> float:
    """p-value of a paired permutation test (``scipy.stats.permutation_test``).

    The pairs must be independent of each other: means of different tasks, scores of different
    documents; not seeds of one task. All 2^n signs are tried where they are no more than
    ``rounds``, so that n pairs cannot give a p below 2 / 2^n.

    Args:
        ours: Scores of one model.
        theirs: Scores of the other, in the same order.
        rounds: Number of sign patterns.
        seed: Seed of the draws.

    Returns:
        Two-sided p-value in (0, 1].

    Raises:
        DataError: Not the same number of scores, or none, or one that is not finite.

    Example:
        >>> paired_significance([3.0, 4.0, 5.0], [2.0, 2.0, 2.0])
        0.25
    """
    import numpy as np
    from scipy import stats

    if len(ours) != len(theirs) or not len(ours):
        raise DataError(f"{len(ours)} and {len(theirs)} scores", "as many of each, at least one")
    difference = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    if not np.isfinite(difference).all():
        raise DataError("A score is not a finite number", "finite scores")
    if not difference.any() or len(difference) < 2:
        return 1.0
    # Sums of the same numbers in another order differ in their last digits.
    scaled = np.round(difference / np.abs(difference).max(), 12)
    found = stats.permutation_test(
        (scaled,),
        lambda x, axis: np.round(x.sum(axis=axis), 9),
        permutation_type="samples",
        vectorized=True,
        n_resamples=rounds,
        random_state=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number by Holm's step-down method.

    Example:
        >>> holm([0.01, 0.04])
        [0.02, 0.04]
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for place, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = largest
    return adjusted


@dataclass(frozen=True)
class Counts:
    """A score as a function of sums over documents, so that documents can be drawn again.

    Attributes:
        ids: Id of each document.
        values: ``[documents, numbers]``, of entities for example hits, guesses and right ones.
        score: Makes scores ``[...]`` of sums ``[..., numbers]``.

    Example:
        >>> import numpy as np
        >>> hits = np.array([[1, 2], [2, 2], [0, 1]])  # right ones and all, of each document
        >>> counts = Counts(("a", "b", "c"), hits, lambda sums: sums[..., 0] / sums[..., 1])
        >>> float(counts.score(counts.values.sum(axis=0)))
        0.6
    """

    ids: tuple[str, ...]
    values: np.ndarray
    score: Callable[[np.ndarray], np.ndarray]

    def by_document(self, documents: Mapping[str, str], least: int = 20) -> Counts:
        """Add up rows of one document, where there are enough documents to draw from.

        Args:
            documents: Document of each id.
            least: Below so many documents the rows stay units of their own.
        """
        import numpy as np

        names = [documents.get(name, name) for name in self.ids]
        order = list(dict.fromkeys(names))
        if len(order) < least or len(order) == len(names):
            return self
        place = {name: number for number, name in enumerate(order)}
        values = np.zeros((len(order), self.values.shape[1]))
        np.add.at(values, [place[name] for name in names], self.values)
        return Counts(tuple(order), values, self.score)


def _weights(documents: int, resamples: int, seed: int) -> np.ndarray:
    """How often each document is drawn, ``[resamples, documents]``."""
    import numpy as np

    generator = np.random.default_rng(seed)
    return generator.multinomial(documents, [1.0 / documents] * documents, size=resamples)


def _aligned(runs: Sequence[Counts]) -> list[np.ndarray]:
    """Values of runs on the same documents, in the order of the first.

    Raises:
        DataError: The runs are on different documents.
    """
    first = runs[0].ids
    found = []
    for run in runs:
        if run.ids == first:
            found.append(run.values)
            continue
        place = {name: number for number, name in enumerate(run.ids)}
        if set(place) != set(first) or len(place) != len(run.ids):
            raise DataError("Runs on different test documents", "the same documents")
        found.append(run.values[[place[name] for name in first]])
    return found


def document_interval(
    runs: Sequence[Counts], resamples: int = RESAMPLES, confidence: float = 0.95, seed: int = 42
) -> Interval:
    """Interval of a score, or of the mean over seeds, if other documents had been annotated.

    Args:
        runs: One run, or one for each seed, on the same documents.
        resamples: Number of draws of documents.
        confidence: Share of the draws inside.
        seed: Seed of the draws.

    Raises:
        DataError: The runs are on different documents.

    Example:
        >>> import numpy as np
        >>> hits = np.array([[1, 2], [2, 2], [0, 1], [1, 1]])
        >>> run = Counts(("a", "b", "c", "d"), hits, lambda s: s[..., 0] / s[..., 1])
        >>> found = document_interval([run])
        >>> round(found.value, 3), found.low < found.value < found.high
        (0.667, True)
    """
    import numpy as np

    check_bootstrap(resamples, confidence)
    values = _aligned(runs)
    weights = _weights(len(values[0]), resamples, seed)
    draws = np.mean([runs[0].score(weights @ table) for table in values], axis=0)
    mean = float(np.mean([runs[0].score(table.sum(axis=0)) for table in values]))
    return percentiles(mean, draws, confidence)


@dataclass(frozen=True)
class Comparison:
    """A difference between two models and whether it could be chance.

    Attributes:
        difference: First minus second, the mean over tasks.
        p_value: Two-sided.
        documents: Number of test documents.
        tasks: Number of tasks.
        with_seeds: Whether the spread between seeds is counted: both have two or more of each task.
            If not, the test is about these trained models, not about how they were trained.

    Example:
        >>> Comparison(0.02, 0.04, documents=100, tasks=1, with_seeds=True).p_value
        0.04
    """

    difference: float
    p_value: float
    documents: int
    tasks: int
    with_seeds: bool


def compare_runs(
    pairs: Sequence[tuple[Sequence[Counts], Sequence[Counts]]],
    resamples: int = 1000,
    seed: int = 42,
) -> Comparison:
    """Compare two models on one or more tasks, paired by document.

    The variance of the difference is that over test documents (bootstrap, the same draw for both
    models) plus that over the seeds of each; its degrees of freedom are Welch's and
    Satterthwaite's. Source: B. L. Welch, Biometrika 34 (1947); the sum of the two variances as in
    Bouthillier et al., "Accounting for Variance in Machine Learning Benchmarks" (MLSys 2021).

    Args:
        pairs: For each task the runs of the first model and of the second, one a seed.
        resamples: Draws of documents.
        seed: Seed of the draws.

    Raises:
        DataError: The runs of a task are on different documents.

    Example:
        >>> import numpy as np
        >>> names, share = tuple(map(str, range(50))), lambda sums: sums[..., 0] / sums[..., 1]
        >>> def run(right):
        ...     return Counts(names, np.array([[n % 10 < right, 1] for n in range(50)]), share)
        >>> found = compare_runs([([run(9)], [run(5)])])
        >>> round(found.difference, 2), found.p_value < 0.05, found.documents
        (0.4, True, 50)
    """
    import numpy as np
    from scipy import stats

    differences, parts, documents, with_seeds = [], [], 0, True
    for ours, theirs in pairs:
        values = _aligned([*ours, *theirs])
        score, size = ours[0].score, len(values[0])
        weights = _weights(size, resamples, seed)
        totals = np.array([score(table.sum(axis=0)) for table in values])
        draws = np.array([score(weights @ table) for table in values])
        cut = len(ours)
        differences.append(float(totals[:cut].mean() - totals[cut:].mean()))
        drawn = draws[:cut].mean(axis=0) - draws[cut:].mean(axis=0)
        documents += size
        if size > 1:
            parts.append((float(drawn.var(ddof=1)) * size / (size - 1), size - 1))
        for scores in (totals[:cut], totals[cut:]):
            if len(scores) > 1:
                parts.append((float(scores.var(ddof=1)) / len(scores), len(scores) - 1))
            else:
                with_seeds = False
    difference = float(np.mean(differences))
    variance = sum(part for part, _ in parts) / len(pairs) ** 2
    if variance <= 0.0:
        p_value = 1.0 if difference == 0.0 or documents < 2 else 0.0
    else:
        freedom = sum(part for part, _ in parts) ** 2 / sum(part**2 / df for part, df in parts)
        p_value = float(2 * stats.t.sf(abs(difference) / math.sqrt(variance), freedom))
    return Comparison(difference, p_value, documents, len(pairs), with_seeds)
