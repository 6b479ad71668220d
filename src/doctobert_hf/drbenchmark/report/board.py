"""The board: models in ranked order with their scores, aggregates, comparisons and warnings."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from doctobert_hf.drbenchmark import published
from doctobert_hf.drbenchmark.leaderboard import (
    Scores,
    average_rank,
    bootstrap,
    min_max,
    says_something,
    win_probability,
)
from doctobert_hf.drbenchmark.report.caveats import (
    budget_gap,
    differences,
    failed_cells,
    protocol_gap,
    seed_gaps,
    unknown_tasks,
)
from doctobert_hf.drbenchmark.report.significance import Evidence, Pair, compare, evidence_of
from doctobert_hf.drbenchmark.results import PROCEDURES, Cell, Result
from doctobert_hf.drbenchmark.spec import check_protocol
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.statistics import Counts, Interval, deviation, document_interval

BASELINES = ("published",)
METRICS = {
    "f1": "F1",
    "edrm": "EDRM",
    "exact_match_ratio": "exact match",
    "hamming_score": "Hamming score",
}


@dataclass(frozen=True)
class Entry:
    """Scores of a model on a task, in percent.

    Attributes:
        mean: Mean over seeds, or the printed score of a published row.
        deviation: Standard deviation over seeds (n - 1); None below two seeds.
        seeds: Score by seed; empty for a published row.
        interval: 95 % interval of the mean over test documents; None without predictions.
    """

    mean: float
    deviation: float | None
    seeds: Mapping[int, float]
    interval: Interval | None = None


@dataclass(frozen=True)
class Standing:
    """Aggregates of a model over the ranked tasks, None where they say nothing.

    Attributes:
        min_max: 0 to 100, larger is better.
        win_probability: 0 to 100, larger is better.
        average_rank: 1 is best.
    """

    min_max: Interval | None
    win_probability: Interval | None
    average_rank: Interval | None


@dataclass(frozen=True)
class Row:
    """A model of the board.

    Attributes:
        name: Its name on the board, unique.
        model: Its own name.
        revision: Its revision; empty for a published row.
        published: Whether the scores are the paper's.
        entries: Scores by task.
        standing: Aggregates; None where nothing is ranked.
    """

    name: str
    model: str
    revision: str
    published: bool
    entries: Mapping[str, Entry]
    standing: Standing | None


@dataclass(frozen=True)
class Board:
    """Everything a report says.

    Attributes:
        rows: Models, best Min-Max first.
        tasks: Tasks that any model has, those of the published table first.
        metrics: Metric by task.
        ranked_tasks: Tasks that all models have: aggregates are over these.
        left_out: The other tasks, each with the models that lack it.
        protocol: Protocol of the results.
        procedure: Procedure of the results.
        pairs: Comparisons of two models with at least one of the results.
        warnings: What makes the comparison doubtful.
        notes: How to read it.
        results: The results it is made of.

    Example:
        >>> board = build_board(results)
        >>> [row.model for row in board.rows], board.tasks
        (['org/one', 'org/two'], ('quaero_emea',))
    """

    rows: tuple[Row, ...]
    tasks: tuple[str, ...]
    metrics: Mapping[str, str]
    ranked_tasks: tuple[str, ...]
    left_out: Mapping[str, tuple[str, ...]]
    protocol: str
    procedure: str
    pairs: tuple[Pair, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    results: tuple[Result, ...]

    def results_of(self, row: Row, task: str | None = None) -> list[Result]:
        """Results behind a row, by task and seed; none for a published row."""
        return [
            result
            for result in self.results
            if (result.cell.model, result.cell.revision) == (row.model, row.revision)
            and task in (None, result.cell.task)
        ]


def build_board(
    results: Sequence[Result],
    baselines: str | None = None,
    protocol: str | None = None,
    procedure: str | None = None,
    failures: Sequence[Mapping[str, Any]] = (),
    counts: Mapping[Cell, Counts] | None = None,
) -> Board:
    """Rank the models of some results.

    Args:
        results: At least one result.
        baselines: ``published`` ranks the eleven models of the DoctoBERT paper among them.
        protocol: Use only results of this protocol; needed where there are several.
        procedure: The same, ``standard`` or ``legacy``.
        failures: Failed cells, as ``read_failures`` gives them; they are reported.
        counts: Predictions as sums over documents (:mod:`.evidence`), for intervals and tests.

    Raises:
        UsageError: Several protocols or procedures and no choice, nothing of the chosen ones, or
            unknown baselines.
        DataError: Two results for the same cell.

    Example:
        >>> build_board(results).metrics
        {'quaero_emea': 'f1'}
    """
    if baselines not in (None, *BASELINES):
        raise UsageError(f"Baselines '{baselines}'", f"one of {', '.join(BASELINES)}, or none")
    chosen = _choose(results, protocol, procedure)
    protocol, procedure = chosen[0].cell.protocol, chosen[0].cell.procedure
    evidence = evidence_of(chosen, counts or {})
    rows = _own_rows(chosen, evidence) + (_published_rows() if baselines else [])
    tasks = _task_order({task for row in rows for task in row.entries})
    lacking = {t: tuple(r.name for r in rows if t not in r.entries) for t in tasks}
    ranked = tuple(task for task in tasks if not lacking[task])
    left_out = {task: names for task, names in lacking.items() if names}
    standings = rank({r.name: {t: r.entries[t].mean for t in ranked} for r in rows})
    rows = [_placed(row, standings) for row in rows]
    rows.sort(key=_order)
    warnings = [
        *(protocol_gap(protocol, procedure) if baselines else []),
        *(budget_gap(chosen, _names(chosen)) if baselines else []),
        *differences(chosen, _names(chosen)),
        *_gaps(rows, ranked, left_out),
        *failed_cells(failures, chosen, protocol, procedure),
    ]
    notes = [
        *seed_gaps(chosen, _names(chosen)),
        *unknown_tasks(chosen),
        *_reading(rows, ranked, bool(baselines)),
    ]
    return Board(
        rows=tuple(rows),
        tasks=tasks,
        metrics={t: "f1" for t in published.TASKS if t in tasks}
        | {result.cell.task: result.metric for result in chosen},
        ranked_tasks=ranked,
        left_out=left_out,
        protocol=protocol,
        procedure=procedure,
        pairs=tuple(compare(rows, evidence)),
        warnings=tuple(warnings),
        notes=tuple(notes),
        results=tuple(chosen),
    )


def rank(scores: Scores) -> dict[str, Standing]:
    """Aggregate complete scores, with 95 % bootstrap intervals over tasks.

    Args:
        scores: Scores by model and task; every model has every task.

    Returns:
        Standing by model; empty with fewer than three models or tasks.
    """
    if not says_something(len(scores), min(map(len, scores.values()), default=0)):
        return {}
    found = [_intervals(scores, a) for a in (min_max, win_probability, average_rank)]
    return {model: Standing(*(intervals[model] for intervals in found)) for model in scores}


def _intervals(
    scores: Scores, aggregate: Callable[[Scores], dict[str, float]]
) -> dict[str, Interval | None]:
    # Models that are equal on every task have no Min-Max, and no draw of tasks gives them one.
    if any(math.isnan(value) for value in aggregate(scores).values()):
        return dict.fromkeys(scores)
    return {**bootstrap(scores, aggregate)}


def _choose(results: Sequence[Result], protocol: str | None, procedure: str | None) -> list[Result]:
    if not results:
        raise UsageError("No result", "at least one; baselines alone are no report")
    if protocol is not None:
        check_protocol(protocol)
    if procedure is not None and procedure not in PROCEDURES:
        raise UsageError(f"Procedure '{procedure}'", f"one of {', '.join(PROCEDURES)}")
    chosen = [
        result
        for result in results
        if protocol in (None, result.cell.protocol) and procedure in (None, result.cell.procedure)
    ]
    if not chosen:
        raise UsageError(
            f"No result of {_wanted(protocol, procedure)}; there are {_inventory(results)}",
            "a protocol and procedure that was run",
        )
    protocols = {result.cell.protocol for result in chosen}
    procedures = {result.cell.procedure for result in chosen}
    if len(protocols) > 1 or len(procedures) > 1:
        options = ["--protocol"] * (len(protocols) > 1) + ["--procedure"] * (len(procedures) > 1)
        raise UsageError(
            f"The results are a mixture: {_inventory(chosen)}",
            "one protocol and one procedure in a report, as their scores cannot be compared",
            f"Pass {' and '.join(options)} to choose",
        )
    check_protocol(protocols.pop())
    return sorted(chosen, key=lambda r: (r.cell.model, r.cell.revision, r.cell.task, r.cell.seed))


def _wanted(protocol: str | None, procedure: str | None) -> str:
    parts = [f"protocol '{protocol}'"] * bool(protocol)
    return " and ".join(parts + [f"procedure '{procedure}'"] * bool(procedure))


def _inventory(results: Sequence[Result]) -> str:
    counts: dict[tuple[str, str], int] = {}
    for result in results:
        key = (result.cell.protocol, result.cell.procedure)
        counts[key] = counts.get(key, 0) + 1
    return ", ".join(
        f"{count} of protocol '{protocol}' with the {procedure} procedure"
        for (protocol, procedure), count in sorted(counts.items())
    )


def _names(results: Sequence[Result]) -> dict[tuple[str, str], str]:
    """Name on the board by model and revision: the revision is told where there are two."""
    keys = sorted({(result.cell.model, result.cell.revision) for result in results})
    names = {}
    for model, revision in keys:
        others = [r for m, r in keys if m == model and r != revision]
        short = revision[:12]
        shown = revision if short in {other[:12] for other in others} else short
        names[model, revision] = f"{model}@{shown}" if others else model
    return names


def _own_rows(results: Sequence[Result], evidence: Evidence) -> list[Row]:
    scores: dict[tuple[str, str], dict[str, dict[int, float]]] = {}
    seen: set[Cell] = set()
    for result in results:
        cell = result.cell
        if cell in seen:
            raise DataError(f"Two results for {cell}", "one result for each cell")
        seen.add(cell)
        by_task = scores.setdefault((cell.model, cell.revision), {})
        by_task.setdefault(cell.task, {})[cell.seed] = 100.0 * result.score
    names = _names(results)
    return [
        Row(
            names[key],
            *key,
            False,
            {t: _entry(seeds, evidence.get(key, {}).get(t)) for t, seeds in by_task.items()},
            None,
        )
        for key, by_task in scores.items()
    ]


def _entry(seeds: Mapping[int, float], runs: Sequence[Counts] | None) -> Entry:
    values = list(seeds.values())
    interval = None
    if runs:
        found = document_interval(runs)
        interval = Interval(100.0 * found.value, 100.0 * found.low, 100.0 * found.high)
    return Entry(sum(values) / len(values), deviation(values), dict(seeds), interval)


def _published_rows() -> list[Row]:
    return [
        Row(
            name=f"{model} (published)",
            model=model,
            revision="",
            published=True,
            entries={task: Entry(score, None, {}) for task, score in row.items()},
            standing=None,
        )
        for model, row in published.SCORES.items()
    ]


def _task_order(tasks: set[str]) -> tuple[str, ...]:
    first = [task for task in published.TASKS if task in tasks]
    return (*first, *sorted(tasks - set(first)))


def _placed(row: Row, standings: Mapping[str, Standing]) -> Row:
    standing = standings.get(row.name)
    return Row(row.name, row.model, row.revision, row.published, row.entries, standing)


def _order(row: Row) -> tuple[float, float, str]:
    """Best Min-Max first, then best WP; without a ranking most tasks, then the best mean."""
    if row.standing is None:
        means = [entry.mean for entry in row.entries.values()]
        return (-len(means), -sum(means) / max(len(means), 1), row.name)
    found = (row.standing.min_max, row.standing.win_probability)
    values = [-interval.value if interval else 0.0 for interval in found]
    return (values[0], values[1], row.name)


def _gaps(
    rows: Sequence[Row], ranked: tuple[str, ...], left_out: Mapping[str, tuple[str, ...]]
) -> list[str]:
    if len(rows) < 2:
        return []
    theirs = {row.name for row in rows if row.published}
    by_models: dict[str, list[str]] = {}
    for task, names in left_out.items():
        own = [name for name in names if name not in theirs]
        told = ", ".join(own + ["the published rows"] * (len(own) < len(names)))
        by_models.setdefault(told, []).append(task)
    lines = [
        f"Left out of the ranking: {', '.join(tasks)} (no score of {models})"
        for models, tasks in by_models.items()
    ]
    if not ranked:
        lines.append("Nothing is ranked: there is no task that all models have")
    return lines


def _reading(rows: Sequence[Row], ranked: tuple[str, ...], with_published: bool) -> list[str]:
    if len(rows) < 2:
        return ["One model alone is not ranked"]
    if not ranked:
        return []
    lines = []
    if says_something(len(rows), len(ranked)):
        lines.append(
            f"Min-Max, WP and average rank are over {len(ranked)} tasks ({', '.join(ranked)}) and "
            f"relative to the {len(rows)} models of this report; intervals are 95 % bootstrap "
            "intervals over tasks, 2,000 draws"
        )
    else:
        lines.append(
            "No Min-Max, WP or rank: they mean something from three models and three tasks on, "
            f"here are {len(rows)} and {len(ranked)}"
        )
    if with_published:
        lines.append(
            "Published rows: scores as table 5 of the DoctoBERT paper prints them (arXiv "
            "2606.22079), means of five seeds; the single seeds are not printed, and two of the "
            "printed cells seem to differ from those the paper's own Min-Max was computed with"
        )
    return lines
