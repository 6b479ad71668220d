"""Cutting documents before they are rewritten or mixed: pieces that know where they are from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep

from doctobert_hf.chunking.boundaries import Level, iter_boundaries
from doctobert_hf.finemed.words import WORD

_WORDS_PER_TOKEN = 0.6
"""French words a token, for limits in tokens where no tokenizer is given; on the safe side."""


class Pieces(PipelineStep):
    """datatrove step that cuts documents along their structure.

    Args:
        max_tokens: Longest piece.
        tokenizer: Path or Hub id; ``None``: words are counted, 0.6 a token.
    """

    name = "pieces"
    type = "FineMed"

    def __init__(self, max_tokens: int, tokenizer: str | None = None) -> None:
        super().__init__()
        self.max_tokens, self.tokenizer = max_tokens, tokenizer

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield a document for each piece, with ``chunk_id, parent_id, char_start, char_end``."""
        chunker: Any = None
        if self.tokenizer:
            from doctobert_hf.chunking import HierarchicalChunker
            from doctobert_hf.models.opening import open_tokenizer

            loaded = open_tokenizer(self.tokenizer)
            chunker = HierarchicalChunker(loaded, self.max_tokens)
        for document in data:
            if chunker is not None:
                spans = chunker.spans(document.text)
            else:
                spans = spans_by_words(document.text, int(self.max_tokens * _WORDS_PER_TOKEN))
            for index, (start, end) in enumerate(spans):
                if document.text[start:end].strip():
                    self.stat_update("pieces")
                    yield _piece(document, index, start, end)
                else:
                    self.stat_update("blank_pieces")


def _piece(document: Document, index: int, start: int, end: int) -> Document:
    chunk_id = f"{document.id}#{index}"
    where = {
        "chunk_id": chunk_id,
        "parent_id": document.id,
        "chunk_index": index,
        "char_start": start,
        "char_end": end,
    }
    return Document(
        text=document.text[start:end], id=chunk_id, metadata={**document.metadata, **where}
    )


def spans_by_words(text: str, limit: int) -> list[tuple[int, int]]:
    """Cut a text into spans of at most ``limit`` words at the best places, without gaps.

    Args:
        text: The document.
        limit: Most words of a span.

    Returns:
        ``(start, end)`` character offsets; a text that fits is one span.
    """
    ends = [match.end() for match in WORD.finditer(text)]
    if len(ends) <= limit:
        return [(0, len(text))] if text else []
    spans, start, first = [], 0, 0
    while len(ends) - first > limit:
        last = ends[first + limit - 1]
        end = _best_cut(text, (start + last) // 2, last) or last
        spans.append((start, end))
        start = end
        while first < len(ends) and ends[first] <= end:
            first += 1
    return [*spans, (start, len(text))]


def _best_cut(text: str, start: int, end: int) -> int | None:
    """The last place of the highest level in the second half of a span."""
    best: tuple[Level, int] | None = None
    for position, level in iter_boundaries(text, start, end):
        if best is None or level >= best[0]:
            best = (level, position)
    return best[1] if best else None
