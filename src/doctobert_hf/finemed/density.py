"""Medical-term density: the share of a document's characters that belong to medical terms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from doctobert_hf.corpus import require_texts
from doctobert_hf.errors import UsageError

Interval = tuple[int, int]


def medical_term_density(
    text: str,
    terms: Iterable[str] | Iterable[Interval],
    method: Literal["union", "legacy"] | str = "union",
) -> float:
    """Share of characters in medical terms.

    The two methods are not interchangeable: the published thresholds (0.1 and 0.2) belong to the
    legacy value, which counts inside words, counts nested terms again, and can pass 1.

    Args:
        text: The document.
        terms: Surfaces, or for ``union`` also character intervals ``(start, end)`` as an annotator
            gives them.
        method: ``union``: characters covered by any term, once each. Surfaces are looked for as
            whole words, whatever their case. ``legacy``: ``sum(count(term) * len(term))`` over
            distinct surfaces, case-sensitive, also inside words (DoctoBERT's released code).

    Returns:
        0 to 1 for ``union``; 0 or more for ``legacy``. 0 for an empty text.

    Raises:
        UsageError: Unknown method, intervals for ``legacy``, or an interval outside the text.
    """
    require_texts(terms, "terms")
    found: list[str | Interval] = list(terms)
    if method not in ("union", "legacy"):
        raise UsageError(f"method '{method}'", "'union' or 'legacy'")
    if not text:
        return 0.0
    surfaces = [term for term in found if isinstance(term, str)]
    if method == "legacy":
        if len(surfaces) < len(found):
            raise UsageError("Intervals with method 'legacy'", "surfaces: it counts strings")
        return sum(text.count(term) * len(term) for term in set(surfaces) if term) / len(text)
    intervals = [term for term in found if not isinstance(term, str)]
    for start, end in intervals:
        if not 0 <= start <= end <= len(text):
            raise UsageError(f"The interval ({start}, {end})", f"within 0 and {len(text)}")
    return covered(intervals + find_terms(text, surfaces)) / len(text)


def find_terms(text: str, terms: Sequence[str]) -> list[Interval]:
    """Find terms as whole words, whatever their case; of overlapping ones the longest first.

    Args:
        text: Where to look.
        terms: Surfaces; empty ones are passed over.

    Returns:
        ``(start, end)`` in order, without overlaps.
    """
    require_texts(terms, "terms")
    distinct = sorted({term.strip() for term in terms if term.strip()}, key=len, reverse=True)
    if not distinct:
        return []
    pattern = "|".join(map(re.escape, distinct))
    return [m.span() for m in re.finditer(rf"(?<!\w)(?:{pattern})(?!\w)", text, re.IGNORECASE)]


def covered(intervals: Iterable[Interval]) -> int:
    """Characters that lie in at least one interval."""
    total, reach = 0, 0
    for start, end in sorted(intervals):
        total += max(0, end - max(start, reach))
        reach = max(reach, end)
    return total
