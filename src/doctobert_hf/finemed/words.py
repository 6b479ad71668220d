"""Words of French text, for n-grams, shingles and counts: letters and digits, case folded."""

from __future__ import annotations

import re
import unicodedata
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
