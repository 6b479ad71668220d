"""Words of French text, for n-grams, shingles and counts: letters and digits, case folded."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

WORD = re.compile(r"\w+")


@lru_cache(maxsize=1 << 17)
def fold(word: str) -> str:
    """A word in lower case without accents: ``Hépatite`` and ``hepatite`` are one term."""
    plain = unicodedata.normalize("NFD", word.lower())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def words(text: str) -> list[str]:
    """The words of a text, in lower case, without punctuation."""
    return WORD.findall(text.lower())


def ngrams(tokens: list[str], length: int) -> list[str]:
    """Sequences of ``length`` words, each joined by spaces."""
    return [" ".join(tokens[i : i + length]) for i in range(len(tokens) - length + 1)]


_MARKS = re.compile(
    "[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff]"  # accents, soft hyphens, joiners, marks
)
# What stands inside words: a place to break a long one, and type faces.
_INLINE = re.compile(
    r"(?<=\w)</?(?:wbr|b|i|em|strong|u|span|font|mark)(?:\s[^<>]{0,300})?/?>(?=\w)", re.IGNORECASE
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")
_CUT = re.compile(r"(?<=\w)[-\u2010\u2011][ \t]*\r?\n[ \t]*(?=\w)")


@lru_cache(maxsize=1)  # several looks at one document fold it once
def plain(text: str) -> str:
    """Return a text without the forms that the web gives it.

    HTML entities and tags, accents (composed or not), ligatures, compatibility forms, soft hyphens
    and joiners, words cut at a line's end, and case are folded; line breaks stay.
    """
    if "&" in text:
        text = html.unescape(html.unescape(text))  # pages often hold them twice
    if "<" in text:
        text = _TAG.sub(" ", _INLINE.sub("", text))
    text = _MARKS.sub("", unicodedata.normalize("NFKD", _CUT.sub("", text)))
    # Underlines are for emphasis ("_mot_"), or stand for spaces.
    return text.lower().replace("œ", "oe").replace("æ", "ae").replace("_", " ")


def plain_words(text: str) -> list[str]:
    """The words of a text, folded as :func:`plain` does."""
    return WORD.findall(plain(text))


_VALUE = re.compile(
    r"(?:(?P<limit>[<>≤≥±]|(?<![\w)])[+-](?=\d))\s?)?(?P<word>\w+(?:(?<=\d)[.,]\d\w*)*)"
    # found or not: "VIH +", "toxo -,", "Rh-"; a dash between words is none
    r"|(?<=\w)[ \u00a0\u202f]?(?P<found>\+(?!\d)|-(?=\s*(?:[,.;:)/]|$)))"
)

_DIGIT = re.compile(r"\d")


def values(text: str) -> list[str]:
    """Numbers of a text with the signs before them, and signs that say found or not found.

    Case and line breaks make no difference; a dash is a sign before punctuation and at the end.

    Example:
        >>> values("Potassium < 3,5 mmol/L, base -2, VIH +, toxo -.")
        ['<3.5', '-2', '+', '-']
    """
    return [
        match["found"] or (match["limit"] or "") + match["word"].replace(",", ".")
        for near in _with_values(text.replace("\u2212", "-").lower().split())
        for match in _VALUE.finditer(near)
        if match["found"] or _DIGIT.search(match["word"])
    ]


_VALUED = re.compile(r"[\d<>≤≥±+-]")


def _with_values(tokens: list[str]) -> Iterator[str]:
    """Yield what stands between blanks and may be a value, with what stands on both sides of it."""
    start = end = 0
    for place in (place for place, token in enumerate(tokens) if _VALUED.search(token)):
        if place - 1 > end:
            yield " ".join(tokens[start:end])
            start = place - 1
        end = place + 2
    yield " ".join(tokens[start:end])
