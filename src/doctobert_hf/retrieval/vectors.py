"""Passages' vectors, in memory or mapped from files, and their exact similarity to queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ELEMENTS = 20_000_000
"""Similarities of tokens computed at once."""


@dataclass
class Vectors:
    """Vectors of parts, one behind the other.

    Attributes:
        blocks: Of each part. Dense: (passages, dimensions). Late interaction: (tokens,
            dimensions), a passage's tokens together.
        offsets: Late interaction: of each part, the index of each passage's first token; empty for
            dense.
    """

    blocks: list[NDArray[np.floating]]
    offsets: list[NDArray[np.int64]] = field(default_factory=list)

    @property
    def is_late(self) -> bool:
        """Return whether a passage has a vector for each token."""
        return bool(self.offsets)

    @property
    def nbytes(self) -> int:
        """Bytes of vectors and offsets."""
        return sum(array.nbytes for array in (*self.blocks, *self.offsets))

    def __len__(self) -> int:
        return sum(map(len, self.offsets or self.blocks))

    @property
    def bases(self) -> NDArray[np.int64]:
        """How many rows stand before each block."""
        return np.cumsum([0, *map(len, self.blocks)])[:-1]

    @property
    def firsts(self) -> NDArray[np.int64] | None:
        """Late interaction: number of each passage's first token, over all parts."""
        if not self.is_late:
            return None
        parts = zip(self.offsets, self.bases, strict=True)
        return np.concatenate([offsets + base for offsets, base in parts])

    def of_part(self, number: int) -> Vectors:
        """Return the vectors of one part."""
        return Vectors([self.blocks[number]], [self.offsets[number]] if self.is_late else [])

    def passage(self, number: int) -> NDArray[np.floating]:
        """Return one passage's vector, or its tokens'; of vectors of one part."""
        [block] = self.blocks
        if not self.is_late:
            return block[number]
        bounds = [*self.offsets[0][number : number + 2], len(block)]
        return block[bounds[0] : bounds[1]]

    def scores(self, queries: Any) -> NDArray[np.floating]:
        """Return the similarity of every passage: shape (queries, passages).

        Args:
            queries: Dense: (queries, dimensions). Late interaction: a list of (tokens,
                dimensions).
        """
        if not self.is_late:
            return np.concatenate([queries @ np.asarray(b).T for b in self.blocks], axis=1)
        parts = zip(self.blocks, self.offsets, strict=True)
        return np.concatenate([max_sim(queries, block, begin) for block, begin in parts], axis=1)

    def rescored(self, query: NDArray[np.floating], passages: NDArray[np.int64]) -> Any:
        """Return one query's similarity to some passages, sorted ones."""
        if not self.is_late:
            bases = self.bases
            blocks = np.searchsorted(bases, passages, "right") - 1
            rows = [self.blocks[b][n - bases[b]] for b, n in zip(blocks, passages, strict=True)]
            return np.stack(rows) @ query
        firsts = np.cumsum([0, *map(len, self.offsets)])
        scores = np.empty(len(passages), np.float32)
        for number, (block, begin) in enumerate(zip(self.blocks, self.offsets, strict=True)):
            mine = np.flatnonzero((passages >= firsts[number]) & (passages < firsts[number + 1]))
            bounds = np.append(begin, len(block))
            spans = [(bounds[p], bounds[p + 1]) for p in passages[mine] - firsts[number]]
            if spans:
                tokens = np.concatenate([block[low:high] for low, high in spans])
                starts = np.cumsum([0, *(high - low for low, high in spans[:-1])])
                scores[mine] = max_sim([query], tokens, starts)[0]
        return scores


def max_sim(
    queries: Sequence[NDArray[np.floating]],
    vectors: NDArray[np.floating],
    offsets: NDArray[np.int64],
) -> NDArray[np.floating]:
    """MaxSim: over a query's tokens, the sum of each one's best similarity in a passage.

    All queries' tokens meet a block of passages in one matrix product, without padding.

    Args:
        queries: Of each query (tokens, dimensions).
        vectors: Passages' tokens, (tokens, dimensions).
        offsets: Index of each passage's first token.

    Returns:
        Shape (queries, passages), float32.
    """
    tokens = np.concatenate(queries).astype(np.float32)
    begins = np.cumsum([0, *(len(query) for query in queries[:-1])])
    scores = np.empty((len(queries), len(offsets)), np.float32)
    bounds = np.append(offsets, len(vectors))
    per_block = max(1, ELEMENTS // len(tokens))
    first = 0
    while first < len(offsets):
        last = int(np.searchsorted(bounds, bounds[first] + per_block, "right")) - 1
        last = min(max(last, first + 1), len(offsets))
        block = vectors[bounds[first] : bounds[last]].astype(np.float32)
        best = np.maximum.reduceat(block @ tokens.T, bounds[first:last] - bounds[first], axis=0)
        scores[:, first:last] = np.add.reduceat(best, begins, axis=1).T
        first = last
    return scores


def comparable(vectors: Any, model: Any) -> NDArray[np.floating]:
    """Set vectors to length one where the model compares by cosine: cut ones no longer have it.

    Raises:
        UsageError: The model compares by a distance: the products here would rank otherwise.
    """
    if model.similarity_fn_name not in ("cosine", "dot"):
        raise UsageError(
            f"A model that compares by '{model.similarity_fn_name}'",
            "one that compares by cosine or dot",
            "Set its similarity_fn_name to 'cosine' if it was trained so",
        )
    vectors = np.asarray(vectors, np.float32)
    if model.similarity_fn_name == "cosine":
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return vectors
