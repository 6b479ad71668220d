"""What of a text is compared with other texts: its sequences of words, and its numbers, as hashes.

A text of a thousand words is some eight kilobytes; two are compared in some ten microseconds.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from doctobert_hf.finemed.words import plain, plain_words, values

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAME_NUMBERS = 0.8
"""Share of two texts' numbers that are the same; a form filled in otherwise is another document."""
_MULTIPLIER = 0x9E3779B97F4A7C15  # odd, so that no bit of a word is lost
_COUNT = struct.Struct("<I")


@dataclass(frozen=True, eq=False)
class Signature:
    """What of a text is compared, as 64-bit hashes in ascending order, each once.

    Attributes:
        shingles: Its sequences of words, ``[sequences]``.
        numbers: Its numbers and signs (:func:`.words.values`), ``[numbers]``: one that stands
            twice has two hashes.
    """

    shingles: NDArray[np.uint64]
    numbers: NDArray[np.uint64]

    @classmethod
    def of(cls, text: str, words: int) -> Signature:
        """Read a text; one of fewer words is one sequence."""
        tokens = plain_words(text)
        sequences = _sequences(_hashes(tokens), min(words, max(1, len(tokens))))
        times: Counter[str] = Counter()
        occurrences = []
        for value in values(plain(text)):
            occurrences.append(f"{value} {times[value]}")
            times[value] += 1
        return cls(_sorted(sequences), _sorted(_hashes(occurrences)))

    def sketch(self) -> list[int]:
        """Return the 16 smallest hashes of the sequences: near texts share most of them."""
        found: list[int] = self.shingles[:16].tolist()
        return found

    def is_near(self, other: Signature, similarity: float) -> bool:
        """Return whether two texts share so many of their sequences, and their numbers.

        Args:
            other: The other text.
            similarity: Least share (Jaccard) of the sequences of both.
        """
        few, many = sorted((len(self.shingles), len(other.shingles)))
        if few < similarity * many:
            return False
        common = _common(self.shingles, other.shingles)
        return common >= similarity * (few + many - common) and self.same_numbers(other)

    def same_numbers(self, other: Signature) -> bool:
        """Return whether nearly all numbers of both are the same."""
        most = max(len(self.numbers), len(other.numbers))
        return _common(self.numbers, other.numbers) >= SAME_NUMBERS * most

    def pack(self) -> bytes:
        """Return it as bytes."""
        size = _COUNT.pack(len(self.shingles))
        return size + self.shingles.tobytes() + self.numbers.tobytes()

    @classmethod
    def unpack(cls, packed: bytes) -> Signature:
        """Read what :meth:`pack` returned."""
        import numpy as np

        (size,) = _COUNT.unpack_from(packed)
        hashes = np.frombuffer(packed, np.uint64, offset=_COUNT.size)
        return cls(hashes[:size], hashes[size:])


@lru_cache(maxsize=1 << 17)
def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def _hashes(words: list[str]) -> NDArray[np.uint64]:
    import numpy as np

    return np.fromiter(map(_hash, words), np.uint64, len(words))


def _sequences(words: NDArray[np.uint64], length: int) -> NDArray[np.uint64]:
    """Hash each ``length`` words that follow each other: a polynomial of their hashes."""
    import numpy as np

    count = max(0, len(words) - length + 1)
    found = np.zeros(count, np.uint64)
    for place in range(length):
        found = found * np.uint64(_MULTIPLIER) + words[place : place + count]
    return found


def _sorted(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    import numpy as np

    return np.unique(hashes)


def _common(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> int:
    """Return how many hashes stand in both."""
    few, many = (one, other) if len(one) <= len(other) else (other, one)
    if not len(few):
        return 0
    places = many.searchsorted(few)
    places[places == len(many)] = 0  # larger than all: it is not the first either
    return int((many[places] == few).sum())
