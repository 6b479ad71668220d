"""Benchmark results for a card: which of them are of this model, and its table."""

from __future__ import annotations

import statistics
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.drbenchmark.report.board import METRICS
from doctobert_hf.drbenchmark.results import Result, read_results
from doctobert_hf.drbenchmark.tasks import list_tasks
from doctobert_hf.errors import UsageError
from doctobert_hf.files import write_text_atomic
from doctobert_hf.statistics import deviation

if TYPE_CHECKING:
    from doctobert_hf.hub.cards.facts import CardFacts

Key = tuple[str, str]
"""Name and revision of a model."""


def read_scores(root: Path, model: Path, repo_id: str, name: str | None = None) -> dict[str, Any]:
    """Summarise a results folder for the card of one model.

    Args:
        root: ``--output`` of ``doctobert-hf benchmark run``.
        model: The model's folder; a hash of its weights tells which results are its.
        repo_id: Its name on the Hub, which it may have been measured under.
        name: Its name in the results, where neither fits.

    Returns:
        ``tasks`` (names), ``rows`` (a record for each model: ``model``, ``ours``, ``cells`` by task
        with ``mean``, ``std``, ``seeds``, and ``min_max``, ``win_probability`` or None),
        ``metrics``, ``private`` (tasks that are none of DrBenchmark), ``protocol``,
        ``procedure``, ``ours`` (our results), ``published`` (see :func:`published_rows`) and
        ``warnings``.

    Raises:
        UsageError: There are no results, or which model is meant cannot be told.
        DataError: A result file is damaged.
    """
    results = read_results(root)
    ours, warnings = _own_key(sorted({r.cell.key for r in results}), model, repo_id, name)
    # A table compares one protocol: that with the most results of this model.
    settings = [(r.cell.protocol, r.cell.procedure) for r in results if r.cell.key == ours]
    protocol, procedure = max(sorted(set(settings)), key=settings.count)
    chosen = [r for r in results if (r.cell.protocol, r.cell.procedure) == (protocol, procedure)]
    cells: dict[Key, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    for result in chosen:
        cells[result.cell.key][result.cell.task].append(result)
    tasks = [task for task in sorted({r.cell.task for r in chosen}) if task in cells[ours]]
    means = {
        model: {task: 100 * _mean(found) for task, found in by_task.items() if task in tasks}
        for model, by_task in cells.items()
    }
    aggregates = _aggregates({m: s for m, s in means.items() if len(s) == len(tasks)})
    return {
        "tasks": tasks,
        "private": sorted({*tasks} - {task.name for task in list_tasks()}),
        "metrics": {task: METRICS.get(name := cells[ours][task][0].metric, name) for task in tasks},
        "protocol": protocol,
        "procedure": procedure,
        "rows": [
            {
                "model": key[0],
                "ours": key == ours,
                "cells": {task: _cell(cells[key][task]) for task in tasks if cells[key][task]},
                **aggregates.get(key, {"min_max": None, "win_probability": None}),
            }
            for key in sorted(means, key=lambda key: (key != ours, key))
        ],
        "ours": [result for task in tasks for result in cells[ours][task]],
        "ranked": bool(aggregates),
        "published": published_rows(tasks, protocol, procedure),
        "warnings": warnings,
    }


def _own_key(keys: list[Key], model: Path, repo_id: str, name: str | None) -> tuple[Key, list[str]]:
    """Find this model in the results: by a hash of its weights, else by name, with a warning."""
    from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef

    version = ModelRef.find(str(model)).version
    exact = [key for key in keys if key[1] == version]
    if exact and name is None:
        return exact[0], []
    # A name alone is no proof: an older model may have had it. Who names it answers for it.
    named = [key for key in keys if name is not None and key[0] == name]
    if len(named) == 1:
        told = f"The results of '{named[0][0]}' are of revision {named[0][1]}, this is {version}"
        return named[0], [] if named[0][1] == version else [told]
    raise UsageError(
        f"No result is of these weights ({version}); there are "
        + ", ".join(f"{known} at {revision}" for known, revision in keys),
        "results of this model",
        "Measure it with 'doctobert-hf benchmark run', or pass --results-model NAME",
    )


def _mean(results: list[Result]) -> float:
    return statistics.fmean(result.score for result in results)


def _cell(results: list[Result]) -> dict[str, Any]:
    scores = [100 * result.score for result in results]
    return {"mean": statistics.fmean(scores), "std": deviation(scores), "seeds": len(scores)}


def _aggregates(scores: dict[Key, dict[str, float]]) -> dict[Key, dict[str, float]]:
    from doctobert_hf.drbenchmark.leaderboard import min_max, says_something, win_probability

    if not says_something(len(scores), min(map(len, scores.values()), default=0)):
        return {}
    by_name = {"@".join(key): row for key, row in scores.items()}
    low, won = min_max(by_name), win_probability(by_name)
    return {
        key: {"min_max": low["@".join(key)], "win_probability": won["@".join(key)]}
        for key in scores
    }


def published_rows(tasks: list[str], protocol: str, procedure: str) -> list[dict[str, Any]]:
    """The paper's eleven models on these tasks, by family; empty where the data is not the same.

    Example:
        >>> len(published_rows(["morfitt"], "doctobert", "standard"))
        11
        >>> published_rows(["morfitt"], "drbenchmark", "standard")
        []
    """
    from doctobert_hf.drbenchmark.published import SCORES, TASKS

    if (protocol, procedure) != ("doctobert", "standard") or not set(tasks) & set(TASKS):
        return []
    rows = [
        {
            "family": "ModernBERT" if "Modern" in model else "BERT",
            "model": model,
            "cells": {task: score for task, score in cells.items() if task in tasks},
        }
        for model, cells in SCORES.items()
    ]
    return sorted(rows, key=lambda row: str(row["family"]))


def finetuning_index(
    record: dict[str, Any], pipeline: str | None, name: str, facts: CardFacts
) -> list[Any]:
    """The ``model-index`` of a fine-tuned model: its score on the test split, in percent.

    Args:
        record: ``doctobert_task.json``.
        pipeline: Its pipeline, which names the task.
        name: Name of the repository.
        facts: With the dataset that the owner names, if any.

    Returns:
        One entry; empty where no score is recorded.
    """
    from huggingface_hub import EvalResult, ModelCardData

    from doctobert_hf.drbenchmark.report.hub_records import DATASET

    result = record.get("result") or {}
    if not isinstance(result.get("score"), int | float):
        return []
    known = record["task"] in {task.name for task in list_tasks()}
    entry = EvalResult(
        task_type=pipeline or "other",
        dataset_type=facts.benchmark or (DATASET if known else "private"),
        dataset_revision=facts.benchmark_revision,
        dataset_name=f"DrBenchmark {record['task']}" if known else record["task"],
        dataset_config=record["task"] if known else None,
        dataset_split="test",
        metric_type=result["metric"],
        metric_name=f"{METRICS.get(result['metric'], result['metric'])}, seed {result['seed']}",
        metric_value=round(100 * result["score"], 2),
    )
    card = ModelCardData(model_name=name, eval_results=[entry], ignore_metadata_errors=False)
    return list(card.to_dict()["model-index"])


def _benchmark(facts: CardFacts) -> tuple[str, str | None]:
    """The dataset and revision that the owner names, or ours."""
    from doctobert_hf.drbenchmark.report.hub_records import DATASET

    return facts.benchmark or DATASET, facts.benchmark_revision


def model_index(scores: dict[str, Any], name: str, facts: CardFacts) -> list[dict[str, Any]]:
    """The ``model-index`` of a card under the repository's name."""
    from doctobert_hf.drbenchmark.report.hub_records import model_index

    index = model_index(scores["ours"], *_benchmark(facts)).get("model-index", [])
    return [entry | {"name": name} for entry in index]


def write_eval_results(scores: dict[str, Any], folder: Path, facts: CardFacts) -> Path | None:
    """Write ``.eval_results/drbenchmark.yaml`` into a model's folder.

    Returns:
        The file; None where no result is of a task of DrBenchmark.
    """
    import yaml

    from doctobert_hf.drbenchmark.report.hub_records import eval_results

    entries = eval_results(scores["ours"], *_benchmark(facts))
    if not entries:
        return None
    path = folder / ".eval_results" / "drbenchmark.yaml"
    write_text_atomic(path, yaml.safe_dump(entries, sort_keys=False, allow_unicode=True))
    return path
