"""Gopher's repetition rules and MinHash's shingles on sequences that are cut from one string.

datatrove joins the words of every sequence anew, seven times over a document, and takes accents off
letter by letter. Cut from the joined text the sequences are the same, and so are the verdicts and
signatures, in less than half the time.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate
from typing import Any

from datatrove.data import Document
from datatrove.pipeline.filters import GopherRepetitionFilter
from datatrove.pipeline.filters.gopher_repetition_filter import find_duplicates
from datatrove.utils.text import TextNormConfig, simplify_text, split_into_words

from doctobert_hf.finemed.words import WORD


class Repetition(GopherRepetitionFilter):
    """datatrove's filter, with its thresholds and verdicts."""

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        """Return whether a document stays, and why not."""
        text = doc.text
        if not text:
            return False, "empty"
        for parts, share, characters, name in (
            (
                self.paragraph_exp.split(text.strip()),
                self.dup_para_frac,
                self.dup_para_char_frac,
                "para",
            ),
            (
                self._line_splitter.split(text),
                self.dup_line_frac,
                self.dup_line_char_frac,
                "line",
            ),
        ):
            times, length = find_duplicates(parts)
            if share and times / len(parts) > share:
                return False, f"dup_{name}_frac"
            if characters and length / len(text) > characters:
                return False, f"dup_{name}_char_frac"
        words = split_into_words(text, self.language)
        for n, most in self.top_n_grams:
            found = Counter(_sequences(words, n, " "))
            if found:
                sequence, times = found.most_common(1)[0]
                if len(sequence) * times / len(text) > most:
                    return False, f"top_{n}_gram"
        for n, most in self.dup_n_grams:
            if _repeated(words, n) / len(text) > most:
                return False, f"duplicated_{n}_n_grams"
        return True


def _sequences(words: list[str], n: int, between: str) -> Iterator[str]:
    """Yield each ``n`` words that follow each other, joined."""
    joined, gap = between.join(words), len(between)
    ends = list(accumulate(len(word) + gap for word in words))
    starts = (0, *ends)
    return (joined[a : b - gap] for a, b in zip(starts, ends[n - 1 :], strict=False))


def _repeated(words: list[str], n: int) -> int:
    """Return how many characters stand in sequences of ``n`` words that were there before."""
    joined = "".join(words)
    starts = [0, *accumulate(map(len, words))]
    seen: set[str] = set()
    length = at = 0
    last = len(words) - n
    while at <= last:
        sequence = joined[starts[at] : starts[at + n]]
        if sequence in seen:
            length += len(sequence)
            at += n
        else:
            seen.add(sequence)
            at += 1
    return length


def shingle_hashes(text: str, n: int, norm: TextNormConfig) -> Any:
    """Return 64 bits of SHA-1 of each sequence of ``n`` words of a simplified text.

    Args:
        text: A document.
        n: Words of a sequence.
        norm: How datatrove simplifies it.

    Returns:
        An array ``[sequences, 1]`` of unsigned integers, as datatrove makes it.
    """
    import numpy as np

    plain = simplify_text(text, replace(norm, norm_unicode_diacritics=False))
    if norm.norm_unicode_diacritics:
        plain = unicodedata.normalize("NFD", plain)
        for mark in [c for c in set(plain) if unicodedata.category(c) == "Mn"]:
            plain = plain.replace(mark, "")
        plain = plain.strip()
    sha1 = hashlib.sha1
    joined = " ".join(WORD.findall(plain)).encode()
    blanks = np.flatnonzero(np.frombuffer(joined, dtype=np.uint8) == ord(" ")).tolist()
    starts, ends = [0, *(blank + 1 for blank in blanks)], [*blanks, len(joined)]
    sequences = zip(starts, ends[n - 1 :], strict=False) if joined else ()
    digests = [sha1(joined[a:b]).digest()[:8] for a, b in sequences]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64).reshape((-1, 1))
