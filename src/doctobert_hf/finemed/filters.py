"""FineMed's filters: ``edu >= 4 and density >= 0.1 and subdomain in biocli5``.

The language is :mod:`doctobert_hf.filters`; here are FineMed's columns, sets and published mixes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doctobert_hf import filters
from doctobert_hf.filters import (
    MAX_CHARACTERS,
    MAX_COMPARISONS,
    MAX_DEPTH,
    Comparison,
    Filter,
    Group,
    NullPolicy,
    leaves,
)
from doctobert_hf.finemed.taxonomy import BIOCLI5, SUBDOMAINS

__all__ = [
    "ALIASES",
    "MAX_CHARACTERS",
    "MAX_COMPARISONS",
    "MAX_DEPTH",
    "PRESETS",
    "PUBLISHED_NULLS",
    "SETS",
    "Comparison",
    "Filter",
    "Group",
    "NullPolicy",
    "leaves",
    "parse",
]
ALIASES = {
    "edu": "edu_quality_normalized_score",
    "density": "medical_entity_density",
    "subdomain": "health_domain_classification_best_class",
    "words": "num_words",
}
"""Short names of FineMed's columns."""
SETS: dict[str, tuple[Any, ...]] = {"biocli5": BIOCLI5, "subdomains": SUBDOMAINS}
PUBLISHED_NULLS: dict[str, NullPolicy] = {
    "edu_quality_normalized_score": "pass",
    "medical_entity_density": "pass",
    "health_domain_classification_best_class": "fail",
    "num_words": "fail",
}
"""What the published mixes do with a missing value."""
_ALWAYS = "words >= 10 and subdomain != 'Others'"
PRESETS = {
    "all": _ALWAYS,
    "edu2": f"{_ALWAYS} and edu >= 2",
    "edu4": f"{_ALWAYS} and edu >= 4",
    "med01": f"{_ALWAYS} and density >= 0.1",
    "med02": f"{_ALWAYS} and density >= 0.2",
    "biocli5": f"{_ALWAYS} and subdomain in biocli5",
    "edu4_med01": f"{_ALWAYS} and edu >= 4 and density >= 0.1",
    "edu4_or_med01": f"{_ALWAYS} and (edu >= 4 or density >= 0.1)",
    "main": f"{_ALWAYS} and edu >= 4 and density >= 0.1",
    "annealing": f"{_ALWAYS} and edu >= 4 and density >= 0.1 and subdomain in biocli5",
}
"""The published mixes; ``main`` is for raw documents, rephrased ones take ``all``."""


def parse(
    expression: str,
    nulls: NullPolicy | Mapping[str, NullPolicy] | str | None = None,
    aliases: Mapping[str, str] | None = None,
    sets: Mapping[str, tuple[Any, ...]] | None = None,
) -> Filter:
    """Parse a filter expression, or the name of a published mix (``PRESETS``).

    Args:
        expression: Such as ``edu >= 4 and density >= 0.1 and subdomain in biocli5``.
        nulls: What a missing value does: ``pass``, ``fail`` or ``error`` for all columns, or by
            column; default: as the published mixes do, ``error`` for other columns.
        aliases: Further short names of columns.
        sets: Further named sets.

    Raises:
        UsageError: Not such an expression; the message points at what it does not allow.

    Example:
        >>> parse("edu >= 4").columns
        ('edu_quality_normalized_score',)
    """
    if nulls is None or isinstance(nulls, Mapping):
        nulls = {**PUBLISHED_NULLS, **(nulls or {})}
    return filters.parse(
        PRESETS.get(expression.strip(), expression),
        nulls,
        {**ALIASES, **(aliases or {})},
        {**SETS, **(sets or {})},
    )
