"""Words of free text, as entities are trained and predicted by: one rule for both."""

from __future__ import annotations

import re

_MARKS = r"\u0300-\u036f\u0483-\u0487\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
WORD = re.compile(rf"(?:\w[{_MARKS}]*)+|[^\w\s][{_MARKS}]*")
"""A word, or a mark of punctuation; combining accents (NFD) belong to what they stand on."""


def word_spans(text: str) -> list[tuple[int, int]]:
    """Return the characters of each word.

    Example:
        >>> word_spans("Pas de toux.")
        [(0, 3), (4, 6), (7, 11), (11, 12)]
    """
    return [match.span() for match in WORD.finditer(text)]
