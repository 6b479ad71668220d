"""Aggregates over tasks: Min-Max, win probability, ranks, z-scores, and their intervals.

Source: ``tools/AggregateMetricsFromRuns.py`` of Doctolib's DrBenchmark fork. ``scores`` is always a
mapping of models to mappings of tasks to scores, larger being better.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from doctobert_hf.errors import DataError
from doctobert_hf.statistics import Interval, check_bootstrap, deviation, percentiles

Scores = Mapping[str, Mapping[str, float]]


def min_max(scores: Scores) -> dict[str, float]:
    """Mean position of each model between the worst and the best of every task.

    ``100 * mean_t (s(m, t) - min_t) / (max_t - min_t)``; a task on which all are equal, or only one
    model is scored, says nothing and is left out.

    Args:
        scores: Scores by model and task; every model must have every task.

    Returns:
        0 to 100 by model; NaN if no task tells models apart.

    Raises:
        DataError: A model lacks a task, or a score is not a finite number.

    Example:
        >>> min_max({"a": {"t": 0.9, "u": 0.5}, "b": {"t": 0.7, "u": 0.6}})
        {'a': 50.0, 'b': 50.0}
    """
    tasks = _complete(scores)
    positions: dict[str, list[float]] = {model: [] for model in scores}
    for task in tasks:
        values = [scores[model][task] for model in scores]
        low, high = min(values), max(values)
        if high > low:
            for model in scores:
                positions[model].append((scores[model][task] - low) / (high - low))
    return {model: 100.0 * _mean(found) for model, found in positions.items()}


def win_probability(scores: Scores) -> dict[str, float]:
    """Chance that a model beats another on a task, both drawn at random.

    ``100 * mean over opponents of (tasks won + 0.5 * tasks tied) / tasks``; a task that either
    lacks is left out of the pair. Equals the normalised Borda count.

    Args:
        scores: Scores by model and task; tasks may be missing.

    Returns:
        0 to 100 by model; NaN for a model without an opponent.

    Raises:
        DataError: A score is not a finite number.

    Example:
        >>> win_probability({"a": {"t": 0.9, "u": 0.5}, "b": {"t": 0.7, "u": 0.5}})
        {'a': 75.0, 'b': 25.0}
    """
    _finite(scores)
    result = {}
    for model in scores:
        rates = [_pair_rate(scores[model], scores[other]) for other in scores if other != model]
        result[model] = 100.0 * _mean([rate for rate in rates if rate is not None])
    return result


def _pair_rate(ours: Mapping[str, float], theirs: Mapping[str, float]) -> float | None:
    shared = [task for task in ours if task in theirs]
    if not shared:
        return None
    points = sum(
        1.0 if ours[task] > theirs[task] else 0.5 if ours[task] == theirs[task] else 0.0
        for task in shared
    )
    return points / len(shared)


def average_rank(scores: Scores) -> dict[str, float]:
    """Mean rank over tasks, 1 being best; equal scores share the mean of their ranks.

    Raises:
        DataError: A model lacks a task, or a score is not a finite number.

    Example:
        >>> average_rank({"a": {"t": 0.9, "u": 0.5}, "b": {"t": 0.7, "u": 0.5}})
        {'a': 1.25, 'b': 1.75}
    """
    tasks = _complete(scores)
    return {model: _mean([_rank(scores, model, task) for task in tasks]) for model in scores}


def _rank(scores: Scores, model: str, task: str) -> float:
    ours = scores[model][task]
    better = sum(row[task] > ours for row in scores.values())
    equal = sum(row[task] == ours for row in scores.values())
    return better + (equal + 1) / 2


def z_score(scores: Scores) -> dict[str, float]:
    """Mean over tasks of ``(score - mean) / standard deviation`` of the models (n - 1).

    A task on which all are equal is left out.

    Raises:
        DataError: A model lacks a task, or a score is not a finite number.

    Example:
        >>> found = z_score({"a": {"t": 3.0}, "b": {"t": 2.0}, "c": {"t": 1.0}})
        >>> found
        {'a': 1.0, 'b': 0.0, 'c': -1.0}
    """
    tasks = _complete(scores)
    found: dict[str, list[float]] = {model: [] for model in scores}
    for task in tasks:
        values = [scores[model][task] for model in scores]
        centre, spread = _mean(values), deviation(values)
        if spread:
            for model in scores:
                found[model].append((scores[model][task] - centre) / spread)
    return {model: _mean(values) for model, values in found.items()}


def bootstrap(
    scores: Scores,
    aggregate: Callable[[Scores], dict[str, float]] = min_max,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 42,
) -> dict[str, Interval]:
    """Percentile intervals of an aggregate under another choice of tasks.

    Tasks are drawn with replacement; the models stay, so that the interval tells how far the
    ranking hangs on which tasks the benchmark happens to have.

    Args:
        scores: Scores by model and task.
        aggregate: One of the aggregates of this module.
        resamples: Number of draws.
        confidence: Share of draws inside the interval, between 0 and 1.
        seed: Seed of the draws.

    Raises:
        DataError: As the aggregate does.
        UsageError: ``resamples`` below 1 or ``confidence`` not between 0 and 1.

    Example:
        >>> scores = {"a": {"t": 0.9, "u": 0.5, "v": 0.4}, "b": {"t": 0.7, "u": 0.6, "v": 0.3}}
        >>> found = bootstrap(scores, average_rank, resamples=200)["a"]
        >>> found.low <= found.value <= found.high
        True
    """
    import numpy as np

    check_bootstrap(resamples, confidence)
    values = aggregate(scores)
    _finite(scores)
    tasks = list(dict.fromkeys(task for row in scores.values() for task in row))
    generator = np.random.default_rng(seed)
    draws: dict[str, list[float]] = {model: [] for model in scores}
    for drawn in generator.integers(len(tasks), size=(resamples, len(tasks))):
        sample = {
            model: {f"{n}": row[tasks[i]] for n, i in enumerate(drawn) if tasks[i] in row}
            for model, row in scores.items()
        }
        for model, value in aggregate(sample).items():
            draws[model].append(value)
    return {model: percentiles(values[model], draws[model], confidence) for model in scores}


def says_something(models: int, tasks: int) -> bool:
    """Return whether aggregates over tasks mean something: three models and three tasks at least.

    Of two models one has Min-Max 0 and the other 100, however small their difference.

    Example:
        >>> says_something(models=3, tasks=6), says_something(models=2, tasks=6)
        (True, False)
    """
    return models >= 3 and tasks >= 3


def _complete(scores: Scores) -> list[str]:
    """Tasks that all models have.

    Raises:
        DataError: No model, or one lacks a task of another.
    """
    _finite(scores)
    tasks = list(dict.fromkeys(task for row in scores.values() for task in row))
    for model, row in scores.items():
        lacking = [task for task in tasks if task not in row]
        if lacking:
            raise DataError(
                f"'{model}' has no score for {', '.join(lacking)}",
                "every task for every model",
                "Leave the model or the task out; a missing score is not guessed",
            )
    return tasks


def _finite(scores: Scores) -> None:
    if not scores or not any(scores.values()):
        raise DataError("No scores", "scores[model][task]")
    for model, row in scores.items():
        for task, value in row.items():
            if not isinstance(value, (int, float)) or not math.isfinite(value):
                raise DataError(f"'{model}' has {value} for {task}", "a finite score")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
