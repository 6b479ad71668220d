"""Dates of a text, whatever form they have: ``12/03/2021`` is ``12 mars 2021``.

A date is one fact, no three numbers: read apart, "12 mai 2021" would keep all numbers of
"12 mars 2021". Two dates agree where they differ in nothing that both tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from doctobert_hf.finemed.words import fold

_MONTHS = tuple(
    "jan fev mar avr mai juin juil aou sep oct nov dec".split()  # how each begins, folded
)
_MONTH = (
    r"janv(?:ier|\.)?|f[ée]vr?(?:ier|\.)?|mars|avr(?:il|\.)?|mai|juin|juil(?:let|\.)?|ao[ûu]t|"
    r"sept(?:embre|\.)?|oct(?:obre|\.)?|nov(?:embre|\.)?|d[ée]c(?:embre|\.)?"
)
_S = "[ \u00a0\u202f]"
_DATE = re.compile(
    rf"(?<![\w/.,-])(?:"
    rf"(?P<y1>(?:19|20)\d\d)-(?P<m1>0[1-9]|1[0-2])-(?P<d1>[0-3]\d)"
    rf"|(?P<d2>[0-3]?\d)(?P<sep>[/.-])(?P<m2>0?[1-9]|1[0-2])(?P=sep)(?P<y2>(?:19|20)\d\d|\d\d)"
    rf"|(?:(?P<d3>[0-3]?\d)(?:er)?{_S}+)?(?P<m3>{_MONTH}){_S}+(?P<y3>(?:19|20)\d\d)"
    rf"|(?P<d4>[0-3]?\d)(?:er)?{_S}+(?P<m4>{_MONTH})"
    rf"|(?P<m5>0[1-9]|1[0-2])/(?P<y5>(?:19|20)\d\d)"
    rf")(?!\w|[/-]\d|[.,]\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Date:
    """A date; what is not told is None.

    Attributes:
        day: Of the month.
        month: 1 to 12.
        year: Of four digits, or of two where the text has two.
        surface: As it stands.
    """

    day: int | None
    month: int | None
    year: int | None
    surface: str

    def agrees(self, other: Date) -> bool:
        """Return whether both may name one day."""
        return (
            _same(self.day, other.day)
            and _same(self.month, other.month)
            and (_same(self.year, other.year) or _short(self.year, other.year))
        )


def _same(one: int | None, other: int | None) -> bool:
    return one is None or other is None or one == other


def _short(one: int | None, other: int | None) -> bool:
    """Return whether one of two years has two digits and agrees."""
    if one is None or other is None or min(one, other) >= 100:
        return False
    return one % 100 == other % 100


_DAY_MONTH = re.compile(r"(?<![\w/.,-])(?P<day>\d{1,2})/(?P<month>\d{1,2})(?![\w/]|[.,]\d)")


def take_dates(text: str, other: str = "") -> tuple[str, list[Date]]:
    """Return a text with blanks where dates stood, and the dates.

    Args:
        text: A source or its rewrite.
        other: The rewrite or the source. "15/09" may be a ratio or a tension: it is a date where
            the other text has one of that day and month ("15 septembre").
    """
    found: list[Date] = []

    def blank(match: re.Match[str]) -> str:
        parts = {name[0]: value for name, value in match.groupdict().items() if value}
        day = int(parts["d"]) if "d" in parts else None
        if day is not None and not 1 <= day <= 31:
            return match[0]
        year = int(parts["y"]) if "y" in parts else None
        found.append(Date(day, _month(parts["m"]), year, match[0].strip()))
        return " " * len(match[0])

    def blank_short(match: re.Match[str]) -> str:
        day, month = int(match["day"]), int(match["month"])
        if (day, month) not in days:
            return match[0]
        found.append(Date(day, month, None, match[0]))
        return " " * len(match[0])

    text = _DATE.sub(blank, text)
    if other and _DAY_MONTH.search(text):
        days = {(date.day, date.month) for date in take_dates(other)[1]}
        text = _DAY_MONTH.sub(blank_short, text)
    return text, found


def _month(told: str) -> int:
    if told.isdigit():
        return int(told)
    name = fold(told)
    return next(n for n, start in enumerate(_MONTHS, start=1) if name.startswith(start))


def date_reasons(old: list[Date], new: list[Date], numbers: set[float]) -> Iterator[str]:
    """Yield dates that are invented, or lost.

    Args:
        old: Dates of the source.
        new: Dates of the rewrite.
        numbers: Bare numbers of the source: "en 2019" may come back with its month told before.
    """
    for date in new:
        if any(date.agrees(known) for known in old):
            continue
        if not old and {date.day, date.month} <= numbers | {None}:
            continue  # "le 12/03" has no year to tell it from a ratio
        yield f"date invented: {date.surface}"
    for date in old:
        if not any(date.agrees(known) for known in new):
            yield f"date lost: {date.surface}"
