"""Which differences between two models could be chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doctobert_hf.drbenchmark.results import Cell, Result
from doctobert_hf.statistics import Counts, compare_runs, holm, paired_significance

if TYPE_CHECKING:
    from doctobert_hf.drbenchmark.report.board import Row

Evidence = Mapping[tuple[str, str], Mapping[str, Sequence[Counts]]]
"""Sums over documents of each run, by model and revision, then by task."""


@dataclass(frozen=True)
class Pair:
    """A comparison of two models.

    Attributes:
        first: Name of the model ranked higher.
        second: Name of the other.
        difference: Mean over tasks of ``first - second``, in points.
        p_value: Two-sided.
        adjusted: The p-value by Holm's method for as many comparisons as the board has of this
            basis.
        pairs: Number of test documents, or of tasks.
        tasks: Number of tasks.
        basis: ``documents``: documents and, where ``with_seeds``, seeds are drawn; ``tasks``: a
            pair is two means of a task, all that is known where predictions are not.
        with_seeds: Whether the spread between seeds is counted.
    """

    first: str
    second: str
    difference: float
    p_value: float
    adjusted: float
    pairs: int
    tasks: int
    basis: str
    with_seeds: bool = False


def evidence_of(results: Sequence[Result], counts: Mapping[Cell, Counts]) -> Evidence:
    """Group the sums of results; a task counts where every seed of it has its predictions."""
    found: dict[tuple[str, str], dict[str, list[Counts]]] = {}
    lacking = set()
    for result in results:
        cell = result.cell
        key = (cell.model, cell.revision)
        if cell in counts:
            found.setdefault(key, {}).setdefault(cell.task, []).append(counts[cell])
        else:
            lacking.add((key, cell.task))
    return {
        key: {task: runs for task, runs in tasks.items() if (key, task) not in lacking}
        for key, tasks in found.items()
    }


def compare(rows: Sequence[Row], evidence: Evidence | None = None) -> list[Pair]:
    """Compare each of the results' models with every other model that shares a task with it.

    Published rows are not compared with each other: there is nothing but their printed means.
    """
    found = [
        pair_of(first, second, evidence or {})
        for index, first in enumerate(rows)
        for second in rows[index + 1 :]
        if any(task in second.entries for task in first.entries)
        and not (first.published and second.published)
    ]
    adjusted = _adjusted([pair.p_value for pair in found], [pair.basis for pair in found])
    return [
        Pair(**{**vars(pair), "adjusted": corrected})
        for pair, corrected in zip(found, adjusted, strict=True)
    ]


def pair_of(first: Row, second: Row, evidence: Evidence) -> Pair:
    """Compare two models on the tasks that both have; ``adjusted`` is for one comparison."""
    shared = [task for task in first.entries if task in second.entries]
    ours, theirs = (evidence.get((row.model, row.revision), {}) for row in (first, second))
    if all(task in ours and task in theirs for task in shared):
        found = compare_runs([(ours[task], theirs[task]) for task in shared])
        return Pair(
            *(first.name, second.name, 100.0 * found.difference, found.p_value, found.p_value),
            *(found.documents, len(shared), "documents", found.with_seeds),
        )
    left = [first.entries[task].mean for task in shared]
    right = [second.entries[task].mean for task in shared]
    difference = (sum(left) - sum(right)) / len(shared)
    p_value = paired_significance(left, right)
    names = (first.name, second.name)
    return Pair(*names, difference, p_value, p_value, len(shared), len(shared), "tasks")


def _adjusted(p_values: Sequence[float], bases: Sequence[str]) -> list[float]:
    """Adjust by basis: seven task means cannot give a small p, and others are not to pay for it."""
    result = list(p_values)
    for basis in set(bases):
        places = [index for index, found in enumerate(bases) if found == basis]
        for index, value in zip(places, holm([p_values[i] for i in places]), strict=True):
            result[index] = value
    return result
