"""Cutting long documents along their structure, one tokenizer pass per document.

The document is encoded once. Each chunk takes as many tokens as fit, then ends at the last good
place inside: a sentence end or higher, else a soft line break or clause, else a word, and only then
inside a word. Cuts are positions in the original string, so joining the chunks gives it back.

A chunk encoded alone can differ from its slice of the document near its two ends (a leading space
that became part of a word, a merge across the cut). Both ends are therefore encoded again and
spliced to the document's tokens, which gives each chunk's exact ids and keeps the promise that no
chunk encodes to more than ``max_length``. Tokenizers that do not work word by word are encoded
again in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from doctobert_hf.chunking.backend import TokenizerBackend, text_problem
from doctobert_hf.chunking.boundaries import Level, iter_boundaries
from doctobert_hf.chunking.document import WINDOW, EncodedDocument
from doctobert_hf.chunking.headings import binds_forward
from doctobert_hf.errors import DataError, UsageError

if TYPE_CHECKING:
    from tokenizers import Encoding
    from transformers import PreTrainedTokenizerBase

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: ``prefix + text[start:end]`` and its ids, special tokens apart.

    Attributes:
        start: First character in the document.
        end: Behind its last character.
        ids: Tokens of the chunk, its prefix with them.
        prefix: The heading repeated before it, with a line break; empty without heading_prefix.

    Example:
        >>> chunk = HierarchicalChunker(tokenizer, 64).encode([text])[0][0]
        >>> piece = text[chunk.start : chunk.end]
        >>> tokenizer(piece, add_special_tokens=False)["input_ids"] == chunk.ids
        True
    """

    start: int
    end: int
    ids: list[int]
    prefix: str = ""


class _Span(NamedTuple):
    """A planned chunk: characters, and the document's tokens that end after each of its ends."""

    start: int
    end: int
    first: int
    last: int

    def is_long(self) -> bool:
        """Return whether the two ends may be encoded again apart from each other."""
        return self.last - self.first > 4 * WINDOW


class HierarchicalChunker:
    """Cuts documents so that each chunk encodes to at most ``max_length`` tokens.

    Args:
        tokenizer: Any fast Transformers tokenizer.
        max_length: Most tokens a chunk may encode to, special tokens counted.
        paragraph_slack: Share of a chunk that may stay empty for it to end at a paragraph
            (0: only what ending at a sentence costs; 0.3: keep sections together).
        min_fill: Below this share, a chunk does not end at a sentence but goes on to a clause.
        text_column: Column that holds the text, for use in ``Dataset.map``.
        heading_prefix: Repeat the heading of its section before each chunk that does not begin with
            it, for search. It counts in ``max_length``; one longer than a quarter of a chunk is not
            repeated. Offsets are those of the document, and ``split`` gives its own text.

    Example:
        >>> chunker = HierarchicalChunker(tokenizer, max_length=512)
        >>> "".join(chunker.split(text)) == text
        True
        >>> chunks = dataset.map(chunker, batched=True, remove_columns=dataset.column_names)
        >>> start, end = chunker.spans(text)[0]
        >>> start, text[start:end] == chunker.split(text)[0]
        (0, True)
        >>> max(len(chunk.ids) for chunk in chunker.encode([text])[0]) <= 510
        True

    Raises:
        UsageError: A slow tokenizer, or a ``max_length`` under 8. One over the tokenizer's
            ``model_max_length`` is a warning.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        max_length: int = 512,
        paragraph_slack: float = 0.0,
        min_fill: float = 0.6,
        text_column: str = "text",
        heading_prefix: bool = False,
    ) -> None:
        for name, share in (("paragraph_slack", paragraph_slack), ("min_fill", min_fill)):
            if not 0.0 <= share < 1.0:
                raise UsageError(f"{name} {share}", "a share from 0 to below 1")
        self.backend = TokenizerBackend(tokenizer)
        self.capacity = self.backend.capacity(max_length)
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.paragraph_slack = paragraph_slack
        self.min_fill = min_fill
        self.text_column = text_column
        self.heading_prefix = heading_prefix

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the chunks of one text as ``(start, end)`` character offsets, without gaps.

        Raises:
            UsageError: Not a string.
        """
        if not isinstance(text, str):
            raise UsageError(f"A {type(text).__name__}", "a string", "Call encode for several")
        return [(chunk.start, chunk.end) for chunk in self.encode([text])[0]]

    def split(self, text: str) -> list[str]:
        """Return the chunks of one text; joined, they are the text. An empty text has none."""
        return [text[start:end] for start, end in self.spans(text)]

    def encode(self, texts: Sequence[str]) -> list[list[Chunk]]:
        """Return the chunks of each text with their exact ids, special tokens apart.

        Raises:
            UsageError: One string, a table or a mapping instead of several texts.
            DataError: A single character that encodes to more than a whole chunk.
        """
        from doctobert_hf.corpus import require_texts

        require_texts(texts)
        if not isinstance(texts, Sequence):  # a generator, a column of a table
            texts = list(texts)
        results: list[list[Chunk]] = []
        for first in range(0, len(texts), _BATCH):
            batch = list(texts[first : first + _BATCH])
            try:
                results.extend(self._encode_batch(batch))
            except DataError:  # looked for only then: a check of each text costs time
                checked_texts(batch, (f"Text {first + number}" for number in range(len(batch))))
                raise
        return results

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        """Chunk a batch of rows, for ``Dataset.map(chunker, batched=True)``.

        Args:
            batch: Columns of equal length; ``text_column`` holds the documents.

        Returns:
            One row per chunk: every other column repeated, ``text_column`` cut, and
            ``document_id`` (the column of that name, else ``id``, else the text's hash),
            ``chunk_index``, ``char_start``, ``char_end``, ``num_tokens`` (special tokens counted).
            An empty document gives one empty chunk, so that it is not lost.

        Raises:
            DataError: No such column, or columns that chunks have of their own.
            UsageError: A single row, or a batch of another format (arrow, polars).
        """
        if not isinstance(batch, Mapping) and not hasattr(batch, "iloc"):
            raise UsageError(
                f"A {type(batch).__name__} as a batch",
                "columns of Python values",
                "Use dataset.with_format(None).map(chunker, batched=True)",
            )
        if self.text_column not in batch:
            raise DataError(
                f"The batch has the columns {', '.join(batch)}",
                f"a column '{self.text_column}'",
                "Pass text_column=... to HierarchicalChunker",
            )
        taken = [name for name in _ADDED[1:] if name in batch]
        if taken:
            raise DataError(
                f"The batch already has the columns {', '.join(taken)}",
                "documents, not chunks",
                "Chunk the documents themselves, or rename or remove these columns",
            )
        texts = batch[self.text_column]
        if isinstance(texts, str):
            raise UsageError("A single row", "a batch of rows", "Use map(chunker, batched=True)")
        named = any(name in batch for name in ("document_id", "id"))
        identities = _document_ids(batch, texts)
        which = [
            f"Document {identity!r}" if named else f"Row {number} of the batch"
            for number, identity in enumerate(identities)
        ]
        others = [name for name in batch if name not in (self.text_column, *_ADDED)]
        rows: dict[str, list[Any]] = {name: [] for name in (*others, self.text_column, *_ADDED)}
        special = self.backend.special_tokens
        for index, chunks in enumerate(self.encode(checked_texts(texts, which))):
            for number, chunk in enumerate(chunks or [Chunk(0, 0, [])]):
                for name in others:
                    rows[name].append(batch[name][index])
                rows[self.text_column].append(chunk.prefix + texts[index][chunk.start : chunk.end])
                rows["document_id"].append(identities[index])
                rows["chunk_index"].append(number)
                rows["char_start"].append(chunk.start)
                rows["char_end"].append(chunk.end)
                rows["num_tokens"].append(len(chunk.ids) + special)
        return rows

    def _encode_batch(self, texts: list[str]) -> list[list[Chunk]]:
        documents = [
            EncodedDocument(text, encoding)
            for text, encoding in zip(texts, self.backend.encode_batch(texts), strict=True)
        ]
        plans = [self._plan(document) for document in documents]
        wanted = [(d, span) for d, plan in zip(documents, plans, strict=True) for span in plan]
        measured = iter(self._measure(wanted))
        return [
            self._checked_chunks(document, [next(measured) for _ in plan])
            for document, plan in zip(documents, plans, strict=True)
        ]

    def _checked_chunks(self, document: EncodedDocument, chunks: list[Chunk]) -> list[Chunk]:
        """Keep chunks up to the first that is over; from there plan and measure one at a time."""
        over = next((i for i, c in enumerate(chunks) if len(c.ids) > self.capacity), None)
        if over is None:
            return chunks
        kept = chunks[:over]
        start = chunks[over].start
        while start < len(document.text):
            chunk = self._fitting_chunk(document, start)
            kept.append(chunk)
            start = chunk.end
        return kept

    def _fitting_chunk(self, document: EncodedDocument, start: int) -> Chunk:
        """Return the longest planned chunk from ``start`` on that is within capacity, measured."""
        limit, tried = self._room(document, start), len(document.text) + 1
        while limit > 0:
            span = self._next_span(document, start, document.token_at(start), limit)
            if span is None or span.end >= tried:
                limit -= 1
                continue
            tried = span.end
            [chunk] = self._measure([(document, span)])
            if len(chunk.ids) <= self.capacity:
                return chunk
            limit -= len(chunk.ids) - self.capacity
        # No slice of tokens fits: a character can still be shorter on its own.
        [chunk] = self._measure([(document, _Span(start, start + 1, 0, 0))])
        if len(chunk.ids) <= self.capacity:
            return chunk
        raise DataError(
            f"The character {document.text[start]!r} at position {start} encodes to "
            f"{len(chunk.ids)} tokens, more than the {self.capacity} that fit",
            "characters that fit in a chunk",
            "Raise max_length",
        )

    def _plan(self, document: EncodedDocument) -> list[_Span]:
        """Return spans by the document's own token counts."""
        spans, start, first, size = [], 0, 0, len(document.text)
        while start < size:
            span = self._next_span(document, start, first, self._room(document, start))
            if span is None:  # a character of more tokens than fit: measured and refused later
                last = document.token_at(start + 1, first)
                span = _Span(start, start + 1, first, last)
            spans.append(span)
            start, first = span.end, span.last
        return spans

    def _prefix(self, document: EncodedDocument, start: int) -> str:
        """Return the heading to repeat before a chunk, with its line break."""
        if not self.heading_prefix:
            return ""
        heading = document.headings.above(start)
        if not heading:
            return ""
        prefix = f"{heading}\n"
        if prefix not in document.prefixes:
            document.prefixes[prefix] = len(self.backend.encode_batch([prefix])[0])
        return prefix if document.prefixes[prefix] <= self.capacity // 4 else ""

    def _room(self, document: EncodedDocument, start: int) -> int:
        """Return how many of the document's tokens a chunk may take."""
        prefix = self._prefix(document, start)
        # One token more covers a merge across the seam.
        return self.capacity - (document.prefixes[prefix] + 1 if prefix else 0)

    def _next_span(
        self, document: EncodedDocument, start: int, first: int, limit: int
    ) -> _Span | None:
        """Return the chunk that begins at ``start`` and takes at most ``limit`` tokens."""
        end = self._next_cut(document, start, first, limit)
        if end is None:
            return None
        last = document.token_at(end, first, first + limit + 1)
        return _Span(start, end, first, last)

    def _next_cut(
        self, document: EncodedDocument, start: int, first: int, limit: int
    ) -> int | None:
        """Return where the chunk that begins at ``start`` ends, None if no character fits."""
        if first + limit >= document.size:
            return len(document.text)
        last = document.start_of(first + limit)
        if last <= start:
            return None
        # The last place may need one token more, for the space it leaves at the chunk's end.
        high = document.start_of(first + limit - self.backend.trailing_space_tokens)

        def after(share: float) -> int:
            # The first token may begin before the chunk, with the space that the last one kept.
            return max(start, document.start_of(first + int(limit * share)))

        if self.paragraph_slack:
            near = after(1.0 - self.paragraph_slack)
            higher = _last_place(document.text, near, high, (Level.PARAGRAPH, Level.LINE))
            if higher:
                return higher
        # Most chunks find their end in the last tenth; looking there first saves reading the rest.
        for share in (0.9, self.min_fill):
            found = _last_place(document.text, after(share), high, (Level.SENTENCE,))
            if found:
                return found
        # Headings one behind the other, and nothing else: better behind one than inside a sentence.
        found = _last_place(document.text, after(self.min_fill), high, (Level.SENTENCE,), False)
        if found:
            return found
        wanted = (Level.SOFT_LINE, Level.CLAUSE, Level.WORD)
        found = _last_place(document.text, after(self.min_fill), high, wanted)
        return found or _last_place(document.text, start, high, wanted) or last

    def _measure(self, wanted: list[tuple[EncodedDocument, _Span]]) -> list[Chunk]:
        """Return chunks with the ids that each encodes to alone."""
        windows = [w for document, span in wanted for w in self._windows(document, span)]
        encodings = iter(self.backend.encode_batch(windows) if windows else [])
        chunks: list[Chunk] = []
        unmet: list[int] = []
        for document, span in wanted:
            ids = self._spliced(document, span, encodings)
            if ids is None:
                unmet.append(len(chunks))
            prefix = self._prefix(document, span.start)
            chunks.append(Chunk(span.start, span.end, ids or [], prefix))
        if unmet:
            texts = [wanted[i][0].text[chunks[i].start : chunks[i].end] for i in unmet]
            for i, encoding in zip(unmet, self.backend.encode_batch(texts), strict=True):
                chunks[i] = Chunk(chunks[i].start, chunks[i].end, encoding.ids)
        return chunks

    def _windows(self, document: EncodedDocument, span: _Span) -> Iterator[str]:
        """Yield the texts to encode again: the whole chunk, or its beginning and its end."""
        text = document.text
        if span.start == 0 and span.end == len(text):
            return  # the document's own encoding is the chunk's
        if prefix := self._prefix(document, span.start):
            yield prefix + text[span.start : span.end]
            return
        if not self.backend.word_local or not span.is_long():
            yield text[span.start : span.end]
            return
        if span.start > 0:
            yield text[span.start : document.start_of(span.first + WINDOW)]
        if span.end < len(text):
            yield text[document.start_of(span.last - WINDOW) : span.end]

    def _spliced(
        self, document: EncodedDocument, span: _Span, encodings: Iterator[Encoding]
    ) -> list[int] | None:
        """Return a chunk's ids out of the re-encoded windows and the document, None if unmet."""
        if span.start == 0 and span.end == len(document.text):
            return document.ids
        alone = not self.backend.word_local or not span.is_long()
        if alone or self._prefix(document, span.start):
            return next(encodings).ids
        head: tuple[int, int] | None = (0, 0)
        tail: tuple[int, int] | None = (0, document.size)
        head_ids: list[int] = []
        tail_ids: list[int] = []
        # Both windows are always taken from the stream, also where the first does not meet.
        if span.start > 0:
            window = next(encodings)
            head_ids, head = window.ids, document.meet(window, span.start, span.first)
        if span.end < len(document.text):
            window = next(encodings)
            low = span.last - WINDOW
            tail_ids, tail = window.ids, document.meet(window, document.start_of(low), low)
        if head is None or tail is None or head[1] > tail[1]:
            return None
        return head_ids[: head[0]] + document.ids[head[1] : tail[1]] + tail_ids[tail[0] :]


def _last_place(
    text: str, low: int, high: int, wanted: tuple[Level, ...], keep_headings: bool = True
) -> int | None:
    """Return the last place in ``(low, high]`` of the first wanted level that is there at all.

    Places behind a heading, or between a name and its value, are passed over.
    """
    places = list(iter_boundaries(text, low, high, sentences_only=wanted[-1] >= Level.SENTENCE))
    for least in wanted:
        for position, level in reversed(places):
            bound = keep_headings and level >= Level.SENTENCE and binds_forward(text, position)
            if level >= least and not bound:
                return position
    return None


_ADDED = ("document_id", "chunk_index", "char_start", "char_end", "num_tokens")


def _document_ids(batch: Mapping[str, Sequence[Any]], texts: Sequence[Any]) -> list[Any]:
    for name in ("document_id", "id"):
        if name in batch:
            return list(batch[name])
    import hashlib

    # A position in the batch would not be unique across batches or processes.
    return [hashlib.sha256(str(text).encode("utf-8", "replace")).hexdigest()[:16] for text in texts]


def checked_texts(texts: Iterable[Any], which: Iterable[str]) -> list[str]:
    """Return texts if a tokenizer can take them all.

    Args:
        texts: What should be texts.
        which: What an error calls each: "Document 'a1'".

    Raises:
        DataError: One is no string, or no valid Unicode; the error says which.
    """
    checked = []
    for text, name in zip(texts, which, strict=True):
        if (problem := text_problem(text, name)) is not None:
            raise problem
        checked.append(text)
    return checked
