"""Documents as the passages a model reads: whole if they fit, else their hierarchical chunks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

_BATCH = 512


@dataclass(frozen=True, slots=True)
class Passage:
    """What is encoded and found: ``document[start:end]``.

    Attributes:
        document: Number of the document.
        start: First character.
        end: Behind its last character.
        text: The characters.
    """

    document: int
    start: int
    end: int
    text: str


def cut(
    texts: Iterable[str],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    prompt: str | None = None,
) -> list[Passage]:
    """Cut documents over the model's context along their structure; nothing is truncated.

    Args:
        texts: The documents.
        tokenizer: The model's tokenizer, a fast one.
        max_length: Most tokens of a passage, special tokens and ``prompt`` counted.
        prompt: What the model puts before each passage.

    Returns:
        The passages in order; a document's joined are the document.
    """
    from doctobert_hf.chunking import HierarchicalChunker

    # A prompt is encoded in one piece with the text: one token more covers a merge across the seam.
    taken = len(tokenizer.tokenize(prompt)) + 1 if prompt else 0
    chunker = HierarchicalChunker(tokenizer, max_length=max_length - taken)
    passages: list[Passage] = []
    texts = list(texts)
    for first in range(0, len(texts), _BATCH):
        batch = texts[first : first + _BATCH]
        cuts = chunker.encode(batch)  # one reading tells what fits and where the rest is cut
        for number, (text, chunks) in enumerate(zip(batch, cuts, strict=True), start=first):
            spans = [(chunk.start, chunk.end) for chunk in chunks] or [(0, len(text))]
            passages.extend(Passage(number, start, end, text[start:end]) for start, end in spans)
    return passages


def starts_of(passages: Iterable[Passage]) -> NDArray[np.int64]:
    """Return the index of each document's first passage; passages are in document order."""
    documents = np.fromiter((passage.document for passage in passages), np.int64)
    return np.flatnonzero(np.diff(documents, prepend=-1))


def best_of_documents(
    scores: NDArray[np.floating], starts: NDArray[np.int64]
) -> NDArray[np.floating]:
    """Return each document's score: that of its best passage.

    Args:
        scores: Shape (queries, passages).
        starts: See :func:`starts_of`.

    Returns:
        Shape (queries, documents).
    """
    return np.maximum.reduceat(scores, starts, axis=1)


def long_documents(documents: Mapping[str, str], passages: Iterable[Passage]) -> list[str]:
    """Return the ids of the documents that were cut, in order."""
    names = list(documents)
    counts = np.bincount([passage.document for passage in passages], minlength=len(names))
    return [name for name, count in zip(names, counts) if count > 1]
