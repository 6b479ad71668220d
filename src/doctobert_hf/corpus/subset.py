"""A uniform sample of documents within a number of characters, drawn in one pass."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class Subset:
    """Documents drawn, and what they were drawn from.

    Attributes:
        rows: The documents drawn, in the order read.
        read: Documents read.
        empty: Those without text, which are left out.
        characters: Characters read.
    """

    rows: list[dict[str, Any]]
    read: int = 0
    empty: int = 0
    characters: int = 0


def draw_characters(
    rows: Iterable[Mapping[str, Any]], most: int, seed: int, text_column: str = "text"
) -> Subset:
    """Draw documents at random until their texts hold at most so many characters.

    The order is random and does not know lengths; near the end a short document fits more often.
    One is drawn even if it is longer than ``most``.

    Args:
        rows: Documents.
        most: Characters to take at most.
        seed: Of the choice.
        text_column: Column that holds the text.

    Example:
        >>> notes = [{"text": "Toux."}, {"text": " "}, {"text": "Fièvre."}]
        >>> drawn = draw_characters(notes, most=9, seed=0)
        >>> len(drawn.rows), drawn.read, drawn.empty, drawn.characters
        (1, 3, 1, 13)
    """
    rng, subset, total = random.Random(seed), Subset([]), 0
    heap: list[tuple[float, int, dict[str, Any]]] = []
    for index, row in enumerate(rows):
        text = row[text_column]
        subset.read += 1
        subset.characters += len(text)
        if not text.strip():
            subset.empty += 1
            continue
        heapq.heappush(heap, (-rng.random(), index, dict(row)))
        total += len(text)
        while total > most and len(heap) > 1:
            total -= len(heapq.heappop(heap)[2][text_column])
    subset.rows = [row for _, _, row in sorted(heap, key=lambda item: item[1])]
    return subset
