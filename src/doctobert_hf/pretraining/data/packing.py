"""Which documents share a row: packing in stream order with a short look-ahead.

A *row* is one micro-batch: a flat stream of at most ``row_tokens`` tokens. Documents come in the
order of a seeded permutation, epoch after epoch, and fill row after row; when a row is nearly full
the longest waiting document that still fits is taken. Nothing is dropped: what does not fit waits
for the next row. The state is a few integers, and the same whoever asks for which row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.errors import DataError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOOK_AHEAD = 32
"""Documents that may wait. 32 give all but 0.1 to 0.4 % of what a full search would."""


@dataclass
class PackerState:
    """Where a packer is.

    Attributes:
        epoch: Passes over the corpus begun, from 0.
        cursor: Documents of this epoch's permutation taken.
        waiting: Documents taken and not yet placed, oldest first.
    """

    epoch: int = 0
    cursor: int = 0
    waiting: list[int] = field(default_factory=list)

    def copy(self) -> PackerState:
        """Return a copy that does not change with this one."""
        return PackerState(self.epoch, self.cursor, list(self.waiting))

    def to_json(self) -> dict[str, Any]:
        """Return plain numbers and lists."""
        return {"epoch": self.epoch, "cursor": self.cursor, "waiting": list(self.waiting)}


class SequencePacker:
    """Fills rows with whole documents.

    Args:
        lengths: Tokens of each document, ``[documents]``.
        row_tokens: Most tokens of a row.
        seed: Seed of the permutations.
        order: Documents of an epoch in order, given the epoch; default: a seeded permutation.
        look_ahead: Documents that may wait for a row they fit in.
        max_documents: Most documents of a row; None: as many as fit.

    Raises:
        UsageError: No document, or a row that the longest document does not fit in.

    Example:
        >>> import numpy as np
        >>> packer = SequencePacker(np.array([30, 50, 20, 40]), row_tokens=100)
        >>> row = packer.next_row()
        >>> sum(int(packer.lengths[document]) for document in row) <= 100
        True
        >>> state = packer.state
        >>> following = packer.next_row()
        >>> packer.load(state)  # go back to it
        >>> packer.next_row() == following
        True
    """

    def __init__(
        self,
        lengths: NDArray[np.int64],
        row_tokens: int,
        seed: int = 0,
        order: Callable[[int], NDArray[np.int64]] | None = None,
        look_ahead: int = LOOK_AHEAD,
        max_documents: int | None = None,
    ) -> None:
        if not len(lengths):
            raise UsageError("A corpus without documents")
        longest = int(lengths.max())
        if longest > row_tokens:
            raise UsageError(
                f"Rows of {row_tokens} tokens and a document of {longest}",
                f"rows of at least {longest} tokens",
            )
        self.lengths, self.row_tokens, self.look_ahead = lengths, row_tokens, look_ahead
        self.max_documents = max_documents or row_tokens
        self._near = min(2 * longest, row_tokens)
        self._order = order or partial(_permutation, len(lengths), seed)
        self.state = PackerState()
        self._epoch_order: tuple[int, NDArray[np.int64]] | None = None

    def load(self, state: PackerState) -> None:
        """Go on from a state."""
        self.state = state.copy()

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the documents of each row, for ever."""
        while True:
            yield self.next_row()

    def next_row(self) -> list[int]:
        """Return the documents of the next row."""
        waiting, length_of = self.state.waiting, self.lengths.item
        row: list[int] = []
        room = self.row_tokens
        while (room > self._near and len(row) < self.max_documents) or not row:
            # Far from the end everything fits: oldest first.
            document = waiting.pop(0) if waiting else self._take()
            size = length_of(document)
            if size > room:  # only in rows that hold about one document
                waiting.insert(0, document)
                break
            row.append(document)
            room -= size
        sizes = [length_of(document) for document in waiting]
        while True:
            while len(waiting) < self.look_ahead:
                waiting.append(self._take())
                sizes.append(length_of(waiting[-1]))
            size = max((size for size in sizes if size <= room), default=0)
            if not size or len(row) == self.max_documents:
                return row
            best = sizes.index(size)  # of equal lengths the one that waited longest
            row.append(waiting.pop(best))
            room -= sizes.pop(best)

    def _take(self) -> int:
        state = self.state
        if self._epoch_order is None or self._epoch_order[0] != state.epoch:
            self._epoch_order = (state.epoch, self._order(state.epoch))
        order = self._epoch_order[1]
        if not len(order):
            raise DataError(f"No document is in the order of epoch {state.epoch}")
        if state.cursor >= len(order):
            state.epoch, state.cursor = state.epoch + 1, 0
            return self._take()
        state.cursor += 1
        return order.item(state.cursor - 1)


def _permutation(size: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(size)


def long_document_order(
    lengths: NDArray[np.int64], seed: int, long_tokens: int, long_share: float
) -> Callable[[int], NDArray[np.int64]]:
    """Orders in which long documents have a given share of the tokens, for context extension.

    Every long document is in every epoch; of the short ones a random part, another each epoch, as
    large as leaves the long ones their share.

    Args:
        lengths: Tokens of each document.
        seed: Seed of choice and permutation.
        long_tokens: A document of at least so many tokens is long.
        long_share: Share of tokens in long documents, in (0, 1).

    Raises:
        UsageError: No document is long, or a share outside (0, 1).
    """
    if not 0.0 < long_share < 1.0:
        raise UsageError(f"long_share {long_share}", "a share between 0 and 1")
    long = np.flatnonzero(lengths >= long_tokens)
    short = np.flatnonzero(lengths < long_tokens)
    if not len(long):
        raise UsageError(
            f"No document has {long_tokens} tokens or more (the longest: {int(lengths.max())})",
            "long documents to extend the context with",
        )
    wanted = lengths[long].sum() * (1 - long_share) / long_share
    keep = min(1.0, wanted / max(int(lengths[short].sum()), 1))

    return partial(_with_part, long, short, keep, seed)


def _with_part(
    long: NDArray[np.int64], short: NDArray[np.int64], keep: float, seed: int, epoch: int
) -> NDArray[np.int64]:
    """Return the long documents and a part of the short ones, shuffled; picklable for loaders."""
    generator = np.random.default_rng([seed, epoch])
    part = short[generator.random(len(short)) < keep]
    return generator.permutation(np.concatenate((long, part)))
