"""The sections of a card: its headings, and what stands under them."""

from __future__ import annotations

import re

from doctobert_hf.hub.cards.render import KEEP

_HEADING = re.compile(r"^#{1,2} .+$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1[^\S\n]*$", re.DOTALL | re.MULTILINE)


def sections(text: str, with_beginning: bool = False) -> list[tuple[str, str]]:
    """Return headings of the first two levels with what stands under them.

    Args:
        text: A card's body. What looks like a heading in a region of people or a fence is none.
        with_beginning: Also, under an empty heading, what stands before the first.
    """
    masked = text
    for pattern in (KEEP, _FENCE):
        masked = pattern.sub(lambda match: " " * len(match[0]), masked)
    starts = [match.start() for match in _HEADING.finditer(masked)]
    ends = [*starts[1:], len(text)]
    found = [
        (text[a:b].splitlines()[0].strip(), text[a:b]) for a, b in zip(starts, ends, strict=True)
    ]
    first = [("", text[: starts[0] if starts else len(text)])] if with_beginning else []
    return [*first, *found]


def first_difference(theirs: str, ours: str) -> str:
    """Return the first line of a text that another has not, cut to 80 characters."""
    lines = set(ours.splitlines())
    new = next((line for line in theirs.splitlines() if line.strip() and line not in lines), "")
    return new.strip()[:80]
