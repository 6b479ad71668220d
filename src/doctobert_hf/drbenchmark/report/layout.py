"""The board as columns of numbers with marks, the same for every format it is written in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from doctobert_hf.drbenchmark.report.board import METRICS, Board, Row
from doctobert_hf.statistics import Interval

Mark = Literal["best", "second", ""]
DIGITS = 2


@dataclass(frozen=True)
class Field:
    """A number of a table.

    Attributes:
        value: The number; None where there is none.
        deviation: Standard deviation over seeds, for a score.
        interval: 95 % interval: of a score over documents, of an aggregate over tasks.
        mark: Whether it is the best or second best of its column.
    """

    value: float | None
    deviation: float | None = None
    interval: Interval | None = None
    mark: Mark = ""

    @property
    def text(self) -> str:
        """The number as it is printed; a dash for none."""
        return "–" if self.value is None else f"{self.value:.{DIGITS}f}"

    @property
    def deviation_text(self) -> str:
        """The deviation as it is printed; empty for none."""
        return "" if self.deviation is None else f"±{self.deviation:.{DIGITS}f}"

    @property
    def interval_text(self) -> str:
        """The bounds as they are printed; empty for none."""
        if self.interval is None:
            return ""
        return f"[{self.interval.low:.{DIGITS}f}, {self.interval.high:.{DIGITS}f}]"


@dataclass(frozen=True)
class Column:
    """A column of a table: its fields are in the order of the board's rows.

    Attributes:
        title: Name of the task or aggregate.
        explanation: What the numbers are.
        larger_is_better: Direction.
        fields: One for each row.
    """

    title: str
    explanation: str
    larger_is_better: bool
    fields: tuple[Field, ...]


def task_columns(board: Board) -> list[Column]:
    """Return one column of scores per task."""
    columns = []
    for task in board.tasks:
        fields = []
        for row in board.rows:
            entry = row.entries.get(task)
            fields.append(
                Field(entry.mean, entry.deviation, entry.interval) if entry else Field(None)
            )
        metric = METRICS.get(board.metrics[task], board.metrics[task])
        columns.append(_column(task, f"{metric}, %, mean of the seeds", True, fields))
    return columns


def aggregate_columns(board: Board) -> list[Column]:
    """Return Min-Max, WP and average rank; no column where nothing is ranked."""
    if all(row.standing is None for row in board.rows):
        return []
    count = len(board.ranked_tasks)
    tasks = f"over {count} task{'s' * (count > 1)}"
    return [
        _column(
            "Min-Max",
            f"mean place between the worst and the best model, 0 to 100, {tasks}",
            True,
            [_aggregate(row, "min_max") for row in board.rows],
        ),
        _column(
            "WP",
            f"chance to beat another model, %, {tasks}",
            True,
            [_aggregate(row, "win_probability") for row in board.rows],
        ),
        _column(
            "Rank",
            f"mean rank, 1 is best, {tasks}",
            False,
            [_aggregate(row, "average_rank") for row in board.rows],
        ),
    ]


def _aggregate(row: Row, name: str) -> Field:
    interval: Interval | None = getattr(row.standing, name) if row.standing else None
    return Field(interval.value, interval=interval) if interval else Field(None)


def _column(
    title: str, explanation: str, larger_is_better: bool, fields: Sequence[Field]
) -> Column:
    """Mark the best and second best as they are printed: equal prints share the mark."""
    values = [
        None if f.value is None or math.isnan(f.value) else round(f.value, DIGITS) for f in fields
    ]
    known = [value for value in values if value is not None]
    ranked = sorted(set(known), reverse=larger_is_better)
    marks: dict[float | None, Mark] = {}
    if len(ranked) > 1:  # where all are equal, or there is but one, none is best
        marks = {ranked[0]: "best", ranked[1]: "second"}
    marked = tuple(
        Field(field.value, field.deviation, field.interval, marks.get(value, ""))
        for field, value in zip(fields, values, strict=True)
    )
    return Column(title, explanation, larger_is_better, marked)
