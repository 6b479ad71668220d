"""Line breaks that only wrap a text: at a width, between a title and its name, inside a date."""

from __future__ import annotations

import re
from functools import lru_cache

from doctobert_hf.chunking.abbreviations import LOOKBACK, begins_note, starts_sentence

_SPLIT_NAME = re.compile(
    r"\b(?<!cher )(?<!chère )(?:docteur|professeur|madame|mademoiselle|monsieur|maître)\Z",
    re.IGNORECASE,
)
_SPLIT_DATE = re.compile(
    r"\b(?:janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre)\Z",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d\b(?!\s*:)")
_NAME = re.compile(r"[A-ZÀ-Ý](?:[^\W\d_A-ZÀ-Ý]|\.)")
_OF_ONE = re.compile(r"\b(?:le|du|au|ce)\s+\Z", re.IGNORECASE)
"""Before a doctor or professor who is named: "vu par le docteur", not "métier : docteur"."""


def is_split(text: str, start: int, end: int) -> bool:
    """Return whether a line break parts a title from its name, or a month from its year.

    Behind a title stands more of its line ("Vu par le docteur"): a greeting has a line of its own.
    """
    lead = text[max(0, start - LOOKBACK) : start]
    if _YEAR.match(text, end):
        return _SPLIT_DATE.search(lead) is not None
    title = _SPLIT_NAME.search(lead)
    if title is None or not lead[: title.start()].rstrip(" \t").strip("\n\r"):
        return False
    before = lead[: title.start()]
    own_line = before.rstrip(" \t").endswith(("\n", "\r", ",", ":"))
    polite = title[0].lower() in ("madame", "mademoiselle", "monsieur")
    if own_line or not (polite or _OF_ONE.search(before)):
        return False
    begins = starts_sentence(text, end) or begins_note(text, end)
    return bool(_NAME.match(text, end)) and not begins


def is_wrapped_at(text: str, start: int, end: int) -> bool:
    """Return whether a line break stands where the text, wrapped at a width, had to break.

    The next word would have gone beyond the width that the document is wrapped at.
    """
    width = wrap_width(text)
    if width is None:
        return False
    begin = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    word = _FIRST_WORD.match(text, end)
    return start - begin + 1 + (word.end() - end if word else 0) > width


_FIRST_WORD = re.compile(r"\S+")
_END_WITHIN_LINE = re.compile(r"[^\W\d_]{3}[.!?] [A-ZÀ-Ý]")
_FIELD = re.compile(r"[A-ZÀ-Ý][\w'’ /()-]{1,40}:\s")
"""A line of a form: "Antécédents : HTA"."""
_LEAST_LINES, _TIGHT, _LOWER, _WIDE = 3, 0.75, 0.25, 60


@lru_cache(maxsize=8)
def wrap_width(text: str) -> int | None:
    """Return the width that a document's lines are wrapped at; None where they are not.

    Wrapped text breaks where the next word does not fit: of its lines that end inside a sentence
    most are so, and some go on in lower case. Headings, items of lists and rows of tables are
    shorter than that; so are lines that a paragraph ends with, of which dialogues are made.
    """
    lines = text.splitlines()
    if len(lines) < 2:
        return None
    sizes = sorted(len(line.rstrip()) for line in lines)
    width = sizes[min(len(sizes) - 1, int(0.98 * len(sizes)))]
    if not 30 <= width <= 200:
        return None
    tight = loose = lower = upper = 0
    for line, following in zip(lines, lines[1:], strict=False):
        word = _FIRST_WORD.match(following)
        line = line.rstrip()
        if not line or word is None:
            continue
        if len(line) + 1 + word.end() > width and not _FIELD.match(following):
            tight += 1
            lower += word[0][0].islower()
            upper += word[0][0].isupper()
        elif line[-1] not in ".!?…»":
            loose += 1
    if tight < _LEAST_LINES - 1 or tight < _TIGHT * (tight + loose):
        return None
    # Short lines of about one length that all begin with a capital are findings, one a line, unless
    # sentences end within them.
    prose = width >= _WIDE or text.isupper() or lower >= max(1, _LOWER * (lower + upper))
    return width if prose or 6 * len(_END_WITHIN_LINE.findall(text)) >= len(lines) else None
