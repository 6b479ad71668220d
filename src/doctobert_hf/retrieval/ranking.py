"""Rankings of documents: fused into one, or ordered again by a cross-encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from doctobert_hf.errors import UsageError
from doctobert_hf.retrieval.passage_table import PassageTable

_FUSION = 60  # k of reciprocal rank fusion (Cormack et al., SIGIR 2009)


@dataclass(frozen=True)
class Place:
    """A document's place in a ranking: its number, its best passage's, and the score."""

    document: int
    passage: int
    score: float


def fused(rankings: Sequence[list[Place]], ids: Sequence[str]) -> list[Place]:
    """Return rankings as one, by reciprocal rank fusion: the sum of 1 / (60 + rank) over them.

    Args:
        rankings: Places of documents, the best first.
        ids: Of all documents; equal sums are in order of id.

    Example:
        >>> one, two = Place(0, 0, 0.9), Place(1, 3, 0.8)
        >>> [place.document for place in fused([[one, two], [one]], ["a", "b"])]
        [0, 1]
    """
    scores: dict[int, float] = {}
    first: dict[int, Place] = {}
    for ranking in rankings:
        for rank, place in enumerate(ranking, start=1):
            scores[place.document] = scores.get(place.document, 0.0) + 1 / (_FUSION + rank)
            first.setdefault(place.document, place)
    order = sorted(scores, key=lambda n: (-scores[n], ids[n]))
    return [Place(n, first[n].passage, scores[n]) for n in order]


def reranked(model: Any, query: str, found: list[Place], passages: PassageTable) -> list[Place]:
    """Return places in the order of a cross-encoder's scores of query and passage.

    Raises:
        UsageError: The model gives more than one number a pair.
    """
    pairs = [(query, passages[place.passage].text) for place in found]
    scores = np.asarray(model.predict(pairs, show_progress_bar=False), np.float32)
    if scores.ndim != 1:
        raise UsageError(
            f"A reranker with {scores.shape[1]} outputs a pair",
            "one output: a CrossEncoder's score",
        )
    order = np.argsort(-scores, kind="stable")
    return [Place(found[n].document, found[n].passage, float(scores[n])) for n in order]
