"""How well documents were cut: fill, kinds of cuts, chunks over length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from doctobert_hf.chunking.boundaries import Level, iter_boundaries

if TYPE_CHECKING:
    from doctobert_hf.chunking.chunker import HierarchicalChunker


@dataclass
class ChunkStatistics:
    """Counts over documents; add with :meth:`add`, read with the properties.

    Args:
        capacity: Most tokens a chunk may have, special tokens apart.
    """

    capacity: int
    documents: int = 0
    chunks: int = 0
    over_length: int = 0
    cuts: Counter[Level] = field(default_factory=Counter)
    cut_tokens: int = 0

    def add(self, text: str, spans: Sequence[tuple[int, int]], tokens: Sequence[int]) -> None:
        """Count one document: its chunks and how many tokens each encodes to, specials apart."""
        self.documents += 1
        self.chunks += len(spans)
        self.over_length += sum(count > self.capacity for count in tokens)
        self.cut_tokens += sum(tokens[:-1])
        for _, end in spans[:-1]:
            self.cuts[cut_level(text, end)] += 1

    @property
    def fill(self) -> float:
        """Tokens over capacity, each document's last chunk apart; 1.0 where nothing was cut."""
        cuts = self.cuts.total()
        return self.cut_tokens / (cuts * self.capacity) if cuts else 1.0

    @property
    def sentence_share(self) -> float:
        """Share of cuts at a sentence end or higher; 1.0 where nothing was cut."""
        good = sum(count for level, count in self.cuts.items() if level >= Level.SENTENCE)
        return good / self.cuts.total() if self.cuts else 1.0


def chunk_statistics(chunker: HierarchicalChunker, texts: Iterable[str]) -> ChunkStatistics:
    """Cut documents and count how well.

    Raises:
        UsageError: One string, a table or a mapping instead of several texts.

    Example:
        >>> from doctobert_hf.chunking import HierarchicalChunker
        >>> found = chunk_statistics(HierarchicalChunker(tokenizer, 64), texts)
        >>> found.documents == len(texts), found.over_length
        (True, 0)
    """
    from doctobert_hf.corpus import require_texts

    require_texts(texts)
    found, rest = ChunkStatistics(chunker.capacity), iter(texts)
    while batch := list(islice(rest, 256)):
        for text, chunks in zip(batch, chunker.encode(batch), strict=True):
            found.add(text, [(c.start, c.end) for c in chunks], [len(c.ids) for c in chunks])
    return found


def cut_level(text: str, position: int) -> Level:
    """Return the level of a cut, ``ANYWHERE`` where it is no place at all."""
    start = position
    while start > 0 and text[start - 1].isspace():
        start -= 1
    for place, level in iter_boundaries(text, start, position):
        if place == position:
            return level
    return Level.ANYWHERE
