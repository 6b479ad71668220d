"""Medical-term density: the share of a document's characters that belong to medical terms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from doctobert_hf.corpus import require_texts
from doctobert_hf.errors import UsageError

Interval = tuple[int, int]
_FEW = 300
"""Terms up to which counting each is faster than one pass for all."""


def medical_term_density(
    text: str,
    terms: Iterable[str] | Iterable[Interval],
    method: Literal["union", "legacy"] = "union",
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
        UsageError: No string, unknown method, intervals for ``legacy``, or an interval outside the
            text.

    Example:
        >>> medical_term_density("asthme sévère", ["asthme"])
        0.46153846153846156
    """
    found = _checked(text, terms)
    if method not in ("union", "legacy"):
        raise UsageError(f"method '{method}'", "'union' or 'legacy'")
    if not text:
        return 0.0
    surfaces = [term for term in found if isinstance(term, str)]
    if method == "legacy":
        if len(surfaces) < len(found):
            raise UsageError("Intervals with method 'legacy'", "surfaces: it counts strings")
        return _legacy(text, {term for term in surfaces if term}) / len(text)
    intervals = [term for term in found if not isinstance(term, str)]
    for start, end in intervals:
        if not 0 <= start <= end <= len(text):
            raise UsageError(f"The interval ({start}, {end})", f"within 0 and {len(text)}")
    return covered(intervals + find_terms(text, surfaces)) / len(text)


def _checked(text: Any, terms: Any) -> list[str | Interval]:
    """Return the terms as a list; a text that is none would have a density of 0 in silence."""
    if not isinstance(text, str):
        raise UsageError(f"A {type(text).__name__} as text", "a string", "Call it for each text")
    require_texts(terms, "terms")
    found = list(terms)
    for term in found:
        if not isinstance(term, str) and not (isinstance(term, (tuple, list)) and len(term) == 2):
            raise UsageError(f"The term {term!r:.80}", "a string, or a pair (start, end)")
    return found


def find_terms(text: str, terms: Sequence[str]) -> list[Interval]:
    """Find terms as whole words, whatever their case; of overlapping ones the longest first.

    Args:
        text: Where to look.
        terms: Surfaces; empty ones are passed over.

    Returns:
        ``(start, end)`` in order, without overlaps.

    Example:
        >>> find_terms("Asthme sévère, toux.", ["asthme", "asthme sévère", "toux"])
        [(0, 13), (15, 19)]
    """
    require_texts(terms, "terms")
    distinct = {_lower(term.strip()) for term in terms if term.strip()}
    if not distinct:
        return []
    pattern = re.compile(rf"(?<!\w){trie_pattern(distinct)}(?!\w)", re.IGNORECASE)
    return [match.span() for match in pattern.finditer(text)]


def _lower(text: str) -> str:
    """Lower case letter by letter, as a pattern that ignores case compares."""
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


def trie_pattern(terms: Iterable[str]) -> str:
    """Return a pattern of terms, the longest first, that shares their beginnings.

    One alternative after another costs as many steps at each place as there are terms.
    """
    root: dict[str, Any] = {}
    for term in terms:
        node = root
        for letter in term:
            node = node.setdefault(letter, {})
        node[""] = {}

    def way(letter: str, node: dict[str, Any]) -> str:
        while len(node) == 1 and "" not in node:  # one way on: no recursion for long terms
            ((more, node),) = node.items()
            letter += more
        return re.escape(letter) + written(node)

    def written(node: dict[str, Any]) -> str:
        ways = [way(letter, node[letter]) for letter in sorted(node) if letter]
        if not ways:
            return ""
        inner = ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"
        return f"(?:{inner})?" if "" in node else inner

    return f"(?:{written(root)})"


def _legacy(text: str, terms: set[str]) -> int:
    """Sum of ``text.count(term) * len(term)``, in one pass over the text.

    Where several terms begin at a place, all are beginnings of the longest.
    """
    if len(terms) < _FEW:
        return sum(text.count(term) * len(term) for term in terms)
    inside = {
        term: [term[:end] for end in range(1, len(term) + 1) if term[:end] in terms]
        for term in terms
    }
    total = 0
    behind: dict[str, int] = {}  # by term the end of its last occurrence: str.count overlaps none
    for match in re.finditer(f"(?=({trie_pattern(terms)}))", text):
        start = match.start()
        for term in inside[match[1]]:
            if start >= behind.get(term, 0):
                behind[term] = start + len(term)
                total += len(term)
    return total


def covered(intervals: Iterable[Interval]) -> int:
    """Characters that lie in at least one interval."""
    total, reach = 0, 0
    for start, end in sorted(intervals):
        total += max(0, end - max(start, reach))
        reach = max(reach, end)
    return total
