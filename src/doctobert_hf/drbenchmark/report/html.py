"""The board as one HTML page that needs nothing else: sortable, for phones too, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from doctobert_hf.drbenchmark.report.annotations import HEADER, account_rows, accounts_of
from doctobert_hf.drbenchmark.report.board import Board, Row
from doctobert_hf.drbenchmark.report.figures import CAPTIONS
from doctobert_hf.drbenchmark.report.layout import (
    Column,
    aggregate_columns,
    task_columns,
)
from doctobert_hf.drbenchmark.report.tables import (
    PAIR_HEADER,
    count,
    pair_cells,
    significance_note,
)
from doctobert_hf.drbenchmark.report.types import TABLES, type_scores
from doctobert_hf.drbenchmark.results import Result
from doctobert_hf.statistics import deviation


@dataclass(frozen=True)
class Table:
    """A small table of the details.

    Attributes:
        caption: What it shows.
        header: Titles of its columns.
        rows: Cells; the first of each row names it.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Details:
    """What is behind the scores of a task."""

    task: str
    summary: str
    tables: Sequence[Table]


def page(board: Board, figures: Mapping[str, str], missing: str = "") -> str:
    """Return the page.

    Args:
        board: What to report.
        figures: SVG by a name of ``CAPTIONS``.
        missing: Why there is no figure, if so.
    """
    from jinja2 import Environment, StrictUndefined

    source = files(__package__).joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    aggregates = aggregate_columns(board)
    return environment.from_string(source).render(
        board=board,
        columns=[*aggregates, *task_columns(board)],
        aggregates=len(aggregates),
        size=count(len(board.results), "result"),
        pair_header=PAIR_HEADER,
        pairs=[pair_cells(pair) for pair in board.pairs],
        significance_note=significance_note(),
        details=[_details(board, column) for column in task_columns(board)],
        figures=figures,
        captions=CAPTIONS,
        missing=missing,
    )


def _details(board: Board, column: Column) -> Details:
    task = column.title
    best = [
        f"{row.name} {field.text}"
        for row, field in zip(board.rows, column.fields, strict=True)
        if field.mark == "best"
    ]
    own = [row for row in board.rows if not row.published and task in row.entries]
    results = {row.name: board.results_of(row, task) for row in own}
    tables = [
        _seed_table(board, own, results, task),
        _score_table(results),
        _type_table(board, task),
        Table(
            "Annotations of the corpus",
            list(HEADER),
            account_rows(accounts_of(board.results, task)),
        ),
        _setting_table(
            "Hyper-parameters",
            {name: [r.hyperparameters for r in rs] for name, rs in results.items()},
        ),
        _setting_table("Runs", {name: [_run(r) for r in rs] for name, rs in results.items()}),
    ]
    summary = f"best: {', '.join(best)}" if best else column.explanation
    return Details(task, summary, [table for table in tables if table.rows])


def _seed_table(
    board: Board, rows: Sequence[Row], results: Mapping[str, list[Result]], task: str
) -> Table:
    seeds = sorted({seed for row in rows for seed in row.entries[task].seeds})
    body = []
    for row in rows:
        entry = row.entries[task]
        validation = [100.0 * result.validation_score for result in results[row.name]]
        body.append(
            [
                row.name,
                f"{entry.mean:.2f}",
                "–" if entry.deviation is None else f"{entry.deviation:.2f}",
                f"{sum(validation) / len(validation):.2f}",
                *(f"{entry.seeds[s]:.2f}" if s in entry.seeds else "–" for s in seeds),
            ]
        )
    header = ["model", "mean", "std", "validation", *(f"seed {seed}" for seed in seeds)]
    return Table(f"Scores, % ({board.metrics[task]})", header, body)


def _score_table(results: Mapping[str, list[Result]]) -> Table:
    """All scores of the test split as they are in the result files, mean and deviation of seeds."""
    found = {name: [_numbers(result.scores) for result in rs] for name, rs in results.items()}
    names = dict.fromkeys(name for seeds in found.values() for seed in seeds for name in seed)
    rows = [
        [name, *(_spread([s[name] for s in seeds if name in s]) for seeds in found.values())]
        for name in names
    ]
    return Table("All scores of the test split, 0 to 1", ["score", *found], rows)


def _numbers(scores: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in scores.items():
        if isinstance(value, Mapping) and name not in TABLES:
            found |= _numbers(value, f"{prefix}{name} ")
        elif isinstance(value, (int, float)):
            found[prefix + name] = value
    return found


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    if all(isinstance(value, int) for value in values):  # counts
        return f"{sum(values) / len(values):,.0f}"
    spread = deviation(values)
    mean = f"{sum(values) / len(values):.4f}"
    return mean if spread is None else f"{mean} ±{spread:.4f}"


def _type_table(board: Board, task: str) -> Table:
    """F1 by entity type or class, mean of the seeds."""
    found = type_scores(board, task)
    models = list(found[0].scores) if found else []
    rows = []
    for item in found:
        means = [item.mean(model) for model in models]
        rows.append(
            [
                item.kind,
                "–" if item.support is None else f"{item.support:,}",
                *("–" if mean is None else f"{mean:.2f}" for mean in means),
            ]
        )
    return Table("F1 by type, %", ["type", "support", *models], rows)


def _run(result: Result) -> dict[str, Any]:
    """What else is known of a run, as settings."""
    tuning = result.tuning or {}
    return {
        **{f"data: {n}": value for n, value in result.data.items() if n != "annotations"},
        **{f"input: {name}": value for name, value in result.encoding.items()},
        **{f"model: {name}": value for name, value in result.model.items()},
        **{f"tuning: {n}": v for n, v in tuning.items() if not isinstance(v, (list, dict))},
        **{f"with: {name}": value for name, value in result.environment.items()},
        "seconds": round(result.duration, 1),
        "energy, kWh": result.energy_kwh,
        "date": result.date,
    }


def _setting_table(caption: str, settings: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    """One row per setting, one column per model; what differs between seeds is listed."""
    names = dict.fromkeys(name for runs in settings.values() for run in runs for name in run)
    rows = [
        [name, *(_values(run[name] for run in runs if name in run) for runs in settings.values())]
        for name in names
    ]
    return Table(caption, ["setting", *settings], rows)


def _values(values: Iterable[Any]) -> str:
    shown = dict.fromkeys(_value(value) for value in values)
    return ", ".join(shown) or "–"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_value(inner)}" for name, inner in value.items())
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and value >= 10_000:
        return f"{value:,}"
    return "–" if value is None else str(value)
