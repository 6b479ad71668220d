"""Looking for patterns only where they can begin, for texts of many megabytes.

A pattern that begins with a condition on what stands before is tried at every character, and Python
needs half a second for ten megabytes of them. What it can begin with is found in a tenth of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

Matches = Iterator[re.Match[str]]
DIGITS_START = re.compile(r"\d(?<!\d\d)")
"""Where a run of digits begins."""


def scan(pattern: re.Pattern[str], starts: re.Pattern[str], text: str) -> Matches:
    """Yield what ``pattern.finditer(text)`` does.

    Args:
        pattern: What is looked for.
        starts: Matches wherever the pattern can; begins with a character class to be fast.
        text: Where.
    """
    end = 0
    match_at = pattern.match
    for start in starts.finditer(text):
        at = start.start()
        if at >= end and (found := match_at(text, at)) is not None:
            end = found.end()
            yield found


def around(
    pattern: re.Pattern[str], places: Iterable[int], before: int, behind: int, text: str
) -> Matches:
    """Yield the matches of a pattern near places, each once.

    Args:
        pattern: What is looked for.
        places: Where a sign of it stands, in order.
        before: Characters before a place in which it may begin.
        behind: Characters behind a place in which it may end.
        text: Where.
    """
    windows: list[list[int]] = []
    for place in places:
        start, end = max(0, place - before), min(len(text), place + behind)
        if windows and start <= windows[-1][1]:
            windows[-1][1] = end
        else:
            windows.append([start, end])
    for start, end in windows:
        yield from pattern.finditer(text, start, end)


@lru_cache(maxsize=1)
def lowered(text: str) -> str:
    """Return a text in lower case: several finders ask whether a word is in it."""
    return text.lower()
