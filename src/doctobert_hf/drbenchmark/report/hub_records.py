"""Results as the Hub reads them: ``model-index`` of a model card, and ``.eval_results`` files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from doctobert_hf.drbenchmark.families import find_family
from doctobert_hf.drbenchmark.report.board import METRICS
from doctobert_hf.drbenchmark.results import Result
from doctobert_hf.drbenchmark.tasks import list_tasks
from doctobert_hf.errors import DataError

DATASET = "doctobert_hf/drbenchmark"


def model_index(
    results: Sequence[Result], dataset: str = DATASET, revision: str | None = None
) -> dict[str, Any]:
    """Return the ``model-index`` of a model's card: mean over seeds by task, in percent.

    Args:
        results: Results of one model and revision, of one protocol and procedure. Tasks that are
            no part of DrBenchmark, private ones say, are left out.
        dataset: Hub id of the benchmark's dataset.
        revision: Of that dataset; default: of ours the fingerprint of the rows, of others none.

    Returns:
        ``{"model-index": [...]}``, to merge into the front matter; empty without a task left.

    Raises:
        DataError: The results are of several models, protocols or procedures.

    Example:
        >>> (model,) = model_index(results[:1])["model-index"]
        >>> model["results"][0]["metrics"][0]["value"]
        60.0
    """
    from huggingface_hub import EvalResult, ModelCardData

    groups = _by_task(results)
    if not groups:
        return {}
    entries = [
        EvalResult(
            task_type=find_family(group[0].kind).hub_task,
            dataset_type=dataset,
            dataset_name=f"DrBenchmark {task}",
            dataset_config=task,
            dataset_split="test",
            dataset_revision=revision or _own_revision(dataset, group[0]),
            dataset_args={
                "protocol": group[0].cell.protocol,
                "procedure": group[0].cell.procedure,
            },
            metric_type=group[0].metric,
            metric_name=f"{METRICS.get(group[0].metric, group[0].metric)}, {_seeds(group)}",
            metric_value=_mean(group),
        )
        for task, group in groups.items()
    ]
    name = results[0].cell.model.split("/")[-1]
    card = ModelCardData(model_name=name, eval_results=entries, ignore_metadata_errors=False)
    return {"model-index": card.to_dict()["model-index"]}


def eval_results(
    results: Sequence[Result], dataset: str = DATASET, revision: str | None = None
) -> list[dict[str, Any]]:
    """Return the entries of a ``.eval_results/*.yaml`` file, one per task, in percent.

    ``dataset.revision`` of our dataset is the fingerprint of the rows. The source, where the
    model is a revision on the Hub, is the weights that were scored.

    Args:
        results: As for :func:`model_index`.
        dataset: As there.
        revision: As there.

    Raises:
        DataError: As there.

    Example:
        >>> [entry["value"] for entry in eval_results(results[:1])]
        [60.0]
    """
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    entries = []
    for task, group in _by_task(results).items():
        cell = group[0].cell
        url = _hub_url(cell.model, cell.revision)
        entries.append(
            EvalResultEntry(
                dataset_id=dataset,
                task_id=task,
                value=_mean(group),
                dataset_revision=revision or _own_revision(dataset, group[0]),
                date=max(result.date for result in group),
                source_url=url,
                source_name="weights that were scored" if url else None,
                notes=f"{METRICS.get(group[0].metric, group[0].metric)} in percent, "
                f"{_seeds(group)}, protocol {cell.protocol}, {cell.procedure} procedure",
            )
        )
    return eval_result_entries_to_yaml(entries)


def _own_revision(dataset: str, result: Result) -> str | None:
    """Return the fingerprint of the rows, of our own dataset only: no other's revision is known."""
    return result.data.get("fingerprint") if dataset == DATASET else None


def _by_task(results: Sequence[Result]) -> dict[str, list[Result]]:
    kinds = {(r.cell.model, r.cell.revision, r.cell.protocol, r.cell.procedure) for r in results}
    if len(kinds) > 1:
        raise DataError(f"Results of {len(kinds)} models, protocols or procedures", "those of one")
    known = {task.name for task in list_tasks()}
    groups: dict[str, list[Result]] = {}
    for result in sorted(results, key=lambda result: (result.cell.task, result.cell.seed)):
        if result.cell.task in known:
            groups.setdefault(result.cell.task, []).append(result)
    return groups


def _mean(group: Sequence[Result]) -> float:
    return round(100.0 * sum(result.score for result in group) / len(group), 2)


def _seeds(group: Sequence[Result]) -> str:
    seeds = ", ".join(str(result.cell.seed) for result in group)
    return f"mean of seeds {seeds}" if len(group) > 1 else f"seed {seeds}"


def _hub_url(model: str, revision: str) -> str | None:
    """Address of a revision on the Hub; None for a local model, whose revision is no commit."""
    if re.fullmatch(r"[0-9a-f]{40}", revision) and re.fullmatch(r"[\w.-]+/[\w.-]+", model):
        return f"https://huggingface.co/{model}/tree/{revision}"
    return None
