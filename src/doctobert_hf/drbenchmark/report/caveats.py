"""What makes a comparison doubtful: other protocol, other data, other input length, fewer seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from doctobert_hf.drbenchmark.results import Cell, Result

_PROTOCOLS = {
    "drbenchmark": "keeps every row as the benchmark's own loaders make them, rows without a "
    "label and duplicates too",
    "strict": "filters no test row and keeps every document in one split",
}
_PUBLISHED_PROTOCOL = (
    "'doctobert', which drops duplicates and, for entities, sentences without one, from the test "
    "split too"
)
_PUBLISHED_PROCEDURE = (
    "'legacy': inputs cut at 512 tokens, and a search in which the tuned dropout had no effect, "
    "the batch was not that of the later seeds, and seeds 43 to 46 trained with the winner of "
    "another rule than seed 42"
)
_PUBLISHED_TRIALS, _PUBLISHED_SEEDS = 20, 5
Names = Mapping[tuple[str, str], str]
"""Name on the board by model and revision."""


def protocol_gap(protocol: str, procedure: str) -> list[str]:
    """Say in what the results differ from how the published rows were made."""
    lines = []
    if protocol != "doctobert":
        lines.append(
            f"Protocols differ: these results are of '{protocol}', which {_PROTOCOLS[protocol]}; "
            f"the published rows are of {_PUBLISHED_PROTOCOL}. Scores on other test rows are not "
            "comparable, and the ranks among the published rows are only a hint"
        )
    if procedure != "legacy":
        lines.append(
            f"Procedures differ: these results are of the '{procedure}' procedure; the published "
            f"rows are of {_PUBLISHED_PROCEDURE}. '{procedure}' mends the search"
        )
    return lines


def budget_gap(results: Sequence[Result], names: Names) -> list[str]:
    """Say which models were tuned less, or on fewer seeds, than the published ones."""
    found: dict[str, list[str]] = {}
    for task in _tasks(results):
        trials = {names[r.cell.key]: _trials(r) for r in results if r.cell.task == task}
        seeds = Counter(names[result.cell.key] for result in results if result.cell.task == task)
        for name, count in trials.items():
            if (count, seeds[name]) != (_PUBLISHED_TRIALS, _PUBLISHED_SEEDS):
                line = f"{name} has {count} trials and {seeds[name]} seeds"
                found.setdefault(line, []).append(task)
    told = f"the published rows have {_PUBLISHED_TRIALS} and {_PUBLISHED_SEEDS}"
    return [f"Budgets differ: {line} ({told}) on {', '.join(t)}" for line, t in found.items()]


def _trials(result: Result) -> int:
    return int((result.tuning or {}).get("trials", 0))


def differences(results: Sequence[Result], names: Names) -> list[str]:
    """Find tasks on which results differ in data, metric, tuning, or treatment of long inputs."""
    found: dict[str, list[str]] = {}
    for task in _tasks(results):
        cells = [result for result in results if result.cell.task == task]
        for what, values in (
            ("data differ", [f"fingerprint {str(r.data.get('fingerprint'))[:16]}" for r in cells]),
            ("metrics differ", [r.metric for r in cells]),
            ("tuning differs", [f"{_trials(r)} trials" for r in cells]),
            ("treatment of long inputs differs", [_encoding(r.encoding) for r in cells]),
        ):
            groups: dict[str, list[str]] = {}
            for result, value in zip(cells, values, strict=True):
                groups.setdefault(value, []).append(names[result.cell.key])
            if len(groups) > 1:
                told = "; ".join(f"{v} for {_list(models)}" for v, models in groups.items())
                found.setdefault(f"the {what} between results ({told})", []).append(task)
    return _by_tasks(found)


def _encoding(encoding: Mapping[str, Any]) -> str:
    """Settings only: how many inputs were too long depends on the tokenizer."""
    return ", ".join(
        f"{name} {value}"
        for name, value in sorted(encoding.items())
        if name == "max_length" or isinstance(value, (str, bool))
    )


def failed_cells(
    failures: Sequence[Mapping[str, Any]],
    results: Sequence[Result],
    protocol: str,
    procedure: str,
) -> list[str]:
    """Tell of cells of this protocol and procedure that failed and have no result."""
    done = {result.cell for result in results}
    lines = []
    for failure in failures:
        cell = Cell(**failure["cell"])
        if (cell.protocol, cell.procedure) == (protocol, procedure) and cell not in done:
            reason = str(failure.get("error", "")).splitlines()
            lines.append(
                f"Failed: {cell.model} on {cell.task}, seed {cell.seed}"
                + (f" ({reason[0]})" if reason else "")
            )
    return lines


def seed_gaps(results: Sequence[Result], names: Names) -> list[str]:
    """Tell which models have fewer seeds of a task than another model has."""
    found: dict[str, list[str]] = {}
    for task in _tasks(results):
        counts = Counter(names[result.cell.key] for result in results if result.cell.task == task)
        most = max(counts.values())
        fewer = [f"{name} has {count}" for name, count in counts.items() if count < most]
        if fewer:
            line = f"fewer seeds than the {most} of others: {', '.join(fewer)}"
            found.setdefault(line, []).append(task)
    return _by_tasks(found)


def unknown_tasks(results: Sequence[Result]) -> list[str]:
    """Tell which tasks are no part of DrBenchmark: nothing about them is written for the Hub."""
    from doctobert_hf.drbenchmark.tasks import list_tasks

    known = {task.name for task in list_tasks()}
    own = sorted({result.cell.task for result in results} - known)
    if not own:
        return []
    return [f"No part of DrBenchmark, so left out of the records for the Hub: {', '.join(own)}"]


def _tasks(results: Sequence[Result]) -> list[str]:
    return sorted({result.cell.task for result in results})


def _by_tasks(found: Mapping[str, Sequence[str]]) -> list[str]:
    """One line for all tasks of which the same is said."""
    return [f"{', '.join(tasks)}: {line}" for line, tasks in found.items()]


def _list(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
