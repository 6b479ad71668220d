"""Metrics of the benchmark: pure functions, and thin ``evaluate`` modules over them.

``entity_f1(predictions, references)`` and the others return dictionaries. ``load(name)`` gives an
``evaluate.Metric`` with the same result; ``evaluate.load("doctobert_hf/NAME")`` and
``evaluate.load(module_folder(NAME))`` do so too, offline. :func:`register_metric` adds one of your
own to what tasks are scored by.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import UsageError, nearest
from doctobert_hf.metrics.choice import exact_match_ratio, hamming_score
from doctobert_hf.metrics.classification import multilabel_f1, weighted_f1, weighted_f1_of
from doctobert_hf.metrics.entities import entity_counts, entity_f1, partial_entity_f1
from doctobert_hf.metrics.own import own_metrics, register_metric
from doctobert_hf.metrics.similarity import edrm

if TYPE_CHECKING:
    from evaluate import EvaluationModule

METRICS = {
    "entity_f1": entity_f1,
    "multilabel_f1": multilabel_f1,
    "weighted_f1": weighted_f1,
    "edrm": edrm,
    "hamming_score": hamming_score,
    "exact_match_ratio": exact_match_ratio,
}

__all__ = [
    *METRICS,
    "entity_counts",
    "list_metrics",
    "load",
    "module_folder",
    "partial_entity_f1",
    "register_metric",
    "weighted_f1_of",
]


def list_metrics() -> list[str]:
    """Return the names of all metrics: the benchmark's, then those that were registered.

    Example:
        >>> list_metrics()[:2]
        ['entity_f1', 'multilabel_f1']
    """
    return [*METRICS, *own_metrics()]


def module_folder(name: str) -> Path:
    """Return the folder of a metric's ``evaluate`` module.

    Raises:
        UsageError: No such metric (the message has the nearest name), or one of a plugin.

    Example:
        >>> module_folder("edrm").name
        'edrm'
    """
    if name in own_metrics():
        raise UsageError(
            f"The metric '{name}' is a plugin's function", "one with a module", "Call it"
        )
    if name not in METRICS:
        raise UsageError(f"No metric '{name}'", fix=nearest(name, list(METRICS)))
    return Path(__file__).parent / "modules" / name


def load(name: str, **options: Any) -> EvaluationModule:
    """Return a metric as an ``evaluate.Metric``, without network.

    Args:
        name: One of :func:`list_metrics`.
        options: Options of ``evaluate.load``, such as ``experiment_id``.

    Raises:
        UsageError: No such metric.

    Example:
        >>> metric = load("weighted_f1")
        >>> metric.compute(predictions=[0, 1], references=[0, 1])["f1"]
        1.0
    """
    import evaluate

    return evaluate.load(str(module_folder(name)), **options)
