"""Which differences between two models could be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doctobert_hf.drbenchmark.leaderboard import paired_significance

if TYPE_CHECKING:
    from doctobert_hf.drbenchmark.report.board import Row

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Pair:
    """A comparison of two models.

    Attributes:
        first: Name of the model ranked higher.
        second: Name of the other.
        difference: Mean of ``first - second`` over the pairs, in points.
        p_value: Two-sided, of a paired permutation test.
        adjusted: The p-value by Holm's method for as many comparisons as the board has of this
            basis.
        pairs: Number of pairs.
        tasks: Number of tasks they are from.
        basis: ``seeds`` where a pair is two scores of the same task and seed, ``tasks`` where it
            is two means of a task.
    """

    first: str
    second: str
    difference: float
    p_value: float
    adjusted: float
    pairs: int
    tasks: int
    basis: str


def compare(rows: Sequence[Row]) -> list[Pair]:
    """Compare each of the results' models with every other model that shares a task with it.

    Published rows are not compared with each other: there is nothing but their printed means.
    """
    found = []
    for index, first in enumerate(rows):
        for second in rows[index + 1 :]:
            shared = [task for task in first.entries if task in second.entries]
            if shared and not (first.published and second.published):
                found.append((first, second, *_pairs(first, second, shared)))
    p_values = [paired_significance(ours, theirs) for _, _, ours, theirs, _, _ in found]
    adjusted = _adjusted(p_values, [basis for *_, basis in found])
    return [
        Pair(
            first.name,
            second.name,
            sum(a - b for a, b in zip(ours, theirs, strict=True)) / len(ours),
            p_value,
            corrected,
            len(ours),
            tasks,
            basis,
        )
        for (first, second, ours, theirs, tasks, basis), p_value, corrected in zip(
            found, p_values, adjusted, strict=True
        )
    ]


def _pairs(
    first: Row, second: Row, shared: Sequence[str]
) -> tuple[list[float], list[float], int, str]:
    seeds = [
        (task, seed)
        for task in shared
        for seed in first.entries[task].seeds
        if seed in second.entries[task].seeds
    ]
    if not seeds:
        ours = [first.entries[task].mean for task in shared]
        return ours, [second.entries[task].mean for task in shared], len(shared), "tasks"
    ours = [first.entries[task].seeds[seed] for task, seed in seeds]
    theirs = [second.entries[task].seeds[seed] for task, seed in seeds]
    return ours, theirs, len({task for task, _ in seeds}), "seeds"


def _adjusted(p_values: Sequence[float], bases: Sequence[str]) -> list[float]:
    """Adjust by basis: seven task means cannot give a small p, and scores are not to pay for it."""
    result = list(p_values)
    for basis in set(bases):
        places = [index for index, found in enumerate(bases) if found == basis]
        for index, value in zip(places, holm([p_values[i] for i in places]), strict=True):
            result[index] = value
    return result


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number by Holm's step-down method."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for place, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = largest
    return adjusted
