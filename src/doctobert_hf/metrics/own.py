"""Metrics from outside the package: a plugin registers them, tasks are scored by them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

from doctobert_hf.errors import DataError, UsageError, nearest

Metric = Callable[[Any, Any], float | Mapping[str, float]]
BENCHMARK = {
    "entity_f1": "f1",
    "weighted_f1": "f1",
    "multilabel_f1": "f1",
    "edrm": "edrm",
    "exact_match_ratio": "exact_match_ratio",
    "hamming_score": "hamming_score",
}
"""Metrics of the benchmark, and the key of each one's result that is reported."""
_TAKEN = frozenset(
    "accuracy macro_f1 micro_f1 partial pearson per_class per_type precision recall rmse spearman "
    "strict support".split()
)
"""What else stands among the scores of the package's families."""
_OWN: dict[str, Metric] = {}


def register_metric(name: str, function: Metric) -> None:
    """Make a metric of your own known: for ``TaskSpec(metric=NAME)`` and ``--metric NAME``.

    Args:
        name: Its name: small letters, digits and ``_``. Results, reports and cards have it.
        function: Called with predictions and references, which are lists: of words, sequences of
            tag names; of classes, a number a row; of several classes or answers, 0 or 1 for each;
            of similarity, a score a row. Returns a number from 0 to 1, the higher the better (of
            an error, one minus it), or a mapping with that under ``name``; its other numbers are
            kept beside it as ``NAME_KEY``.

    Raises:
        UsageError: The name is no such, or is taken.

    Example:
        >>> def share_right(predictions, references):
        ...     return sum(map(lambda a, b: a == b, predictions, references)) / len(references)
        >>> register_metric("share_right", share_right)
        >>> "share_right" in own_metrics()
        True
        >>> forget_metric("share_right")
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UsageError(f"A metric named '{name}'", "small letters, digits and '_', as kappa_2")
    if not callable(function):
        raise UsageError(f"The metric '{name}' is {function!r:.60}", "a function")
    known = _OWN.get(name)
    # A plugin that is run a second time makes the same function anew.
    code = getattr(function, "__code__", None)
    again = known is function or (code is not None and code == getattr(known, "__code__", None))
    if name in BENCHMARK or name in BENCHMARK.values() or name in _TAKEN or (known and not again):
        raise UsageError(f"There is a metric '{name}' already", "a name of its own")
    _OWN[name] = function


def forget_metric(name: str) -> None:
    """Take a metric of one's own out again, as tests do; doing it again does nothing."""
    _OWN.pop(name, None)


def own_metrics() -> list[str]:
    """Return the names of the metrics that were registered."""
    return list(_OWN)


def metric_key(name: str) -> str:
    """Return the key of a metric's result that is reported.

    Raises:
        UsageError: No such metric; the message has the nearest name.

    Example:
        >>> metric_key("entity_f1"), metric_key("edrm")
        ('f1', 'edrm')
    """
    if name in _OWN:
        return name
    if name not in BENCHMARK:
        raise UsageError(
            f"No metric '{name}'",
            fix=f"{nearest(name, [*BENCHMARK, *_OWN])} One of your own: --plugin FILE.py that "
            "calls register_metric",
        )
    return BENCHMARK[name]


def own_scores(name: str, predictions: Any, references: Any) -> dict[str, float]:
    """Return what a metric of one's own says, checked.

    Returns:
        Its value under its name, and its other numbers as ``NAME_KEY``.

    Raises:
        DataError: It fails, or says something else than numbers, the first of them from 0 to 1.
    """
    try:
        said = _OWN[name](predictions, references)
        found = dict(said) if isinstance(said, Mapping) else {name: said}
    except Exception as error:
        raise DataError(f"The metric '{name}' failed ({type(error).__name__}: {error})") from error
    value = found.pop(name, None)
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= value <= 1:
        raise DataError(
            f"The metric '{name}' says {value!r:.60}",
            "a number from 0 to 1, the higher the better",
            "Bring it there in its function; of an error, return one minus it",
        )
    others = {f"{name}_{key}": number for key, number in found.items()}
    for key, number in others.items():
        if not isinstance(number, Real) or not math.isfinite(number):
            raise DataError(f"{key} of the metric '{name}' is {number!r:.60}", "a number")
    return {name: float(value)} | {key: float(number) for key, number in others.items()}
