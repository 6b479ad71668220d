"""Which sentence of a passage answers a question, so that a reader sees it first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from doctobert_hf.chunking import split_sentences

if TYPE_CHECKING:
    from doctobert_hf.retrieval.chunks import Passage
    from doctobert_hf.retrieval.index import Index


def best_sentences(
    index: Index, query: str, passages: Sequence[Passage], method: str
) -> list[tuple[int, int]]:
    """Return the span of each passage's best sentence, in characters of the passage.

    By words the sentence with most of the question's words; by vectors the one nearest to it.
    """
    spans = [split_sentences(passage.text) or [(0, len(passage.text))] for passage in passages]
    texts = [p.text[a:b] for p, row in zip(passages, spans, strict=True) for a, b in row]
    if not texts:
        return []
    scores = (
        _by_words(index, query, texts) if method == "lexical" else _by_vectors(index, query, texts)
    )
    found, first = [], 0
    for row in spans:
        found.append(row[int(np.argmax(scores[first : first + len(row)]))])
        first += len(row)
    return found


def _by_words(index: Index, query: str, texts: Sequence[str]) -> list[float]:
    analyze = index.bm25.analyze
    wanted = set(analyze.words(query))
    return [float(len(wanted & set(words))) for words in analyze(texts)]


def _by_vectors(index: Index, query: str, texts: Sequence[str]) -> list[float]:
    from doctobert_hf.retrieval.encoding import PassageEncoder

    encoded = index._encoded([query])
    vectors = PassageEncoder(index.model).encode(texts, told=False)
    assert vectors is not None
    return vectors.scores(encoded)[0].tolist()
