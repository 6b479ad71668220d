"""The predictions behind results, as sums over test documents."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from doctobert_hf.drbenchmark.results import Cell, Result, read_predictions
from doctobert_hf.drbenchmark.scoring import row_counts
from doctobert_hf.drbenchmark.spec import TaskSpec, task_without_data
from doctobert_hf.drbenchmark.tasks import find_task
from doctobert_hf.errors import DataError
from doctobert_hf.metrics.own import BENCHMARK
from doctobert_hf.statistics import Counts

logger = logging.getLogger(__name__)


def read_counts(results: Sequence[Result], root: Path) -> dict[Cell, Counts]:
    """Read what can be drawn by document; results without predictions are left out, and told of."""
    found: dict[Cell, Counts] = {}
    missing = []
    for result in results:
        try:
            counts = counts_of(result, root)
        except DataError:
            missing.append(result)
            continue
        if counts is not None:
            found[result.cell] = counts
    own = sorted({r.metric for r in results if r.metric not in BENCHMARK.values()})
    if own:
        logger.warning("no intervals over documents for metrics of plugins: %s", ", ".join(own))
    if missing:
        logger.warning(
            "%d of %d results have no predictions beside them (%s, ...): no intervals over "
            "documents for these",
            *(len(missing), len(results), missing[0].cell.path(root)),
        )
    return found


def counts_of(result: Result, root: Path) -> Counts | None:
    """Return a result's metric as sums over documents; None where its metric is no such.

    Raises:
        DataError: Its predictions are missing or damaged.
    """
    rows = read_predictions(result, root)
    if result.metric not in BENCHMARK.values():  # a plugin's, which may not be known here
        return None
    try:
        return row_counts(_task(result), rows)
    except (ValueError, TypeError, IndexError, DataError) as error:
        raise DataError(f"The predictions of {result.cell} are damaged ({error})") from error


def _task(result: Result) -> TaskSpec:
    known = find_task(result.cell.task)
    labels = tuple(result.settings.get("labels", known.labels if known else ()))
    ours = known is not None and known.metric in BENCHMARK
    if known is not None and ours and known.labels == labels:
        return known
    metric = next(name for name, key in BENCHMARK.items() if key == result.metric)
    return task_without_data(result.cell.task, result.kind, labels, metric=metric)
