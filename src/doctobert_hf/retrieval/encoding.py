"""Documents into the parts of an index: cut, counted and encoded."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.errors import DataError
from doctobert_hf.retrieval.chunks import Passage, cut
from doctobert_hf.retrieval.vectors import Vectors, comparable

if TYPE_CHECKING:
    import pyarrow as pa

    from doctobert_hf.retrieval.models import RetrievalModel

logger = logging.getLogger(__name__)
CHARACTERS = 1000
"""Of a passage where there is no tokenizer to count tokens."""
COLUMNS = ("id", "source", "sha256")
"""What an index knows of every document."""


class PassageEncoder:
    """Cuts texts to a model's length, and encodes the passages.

    Args:
        model: A retrieval model; None: passages of a thousand characters, without vectors.
        batch_size: Passages encoded at once.
        chunker: How texts are cut, as an index records it (``chunker``); None: as usual.

    Attributes:
        chunker: ``name`` of the way texts are cut (``hierarchical``: along their structure;
            ``characters``: at ends of sentences; ``whole``: not at all; ``given``: by the caller),
            and the most ``tokens`` or ``characters`` of a passage.
    """

    def __init__(
        self,
        model: RetrievalModel | None = None,
        batch_size: int = 32,
        chunker: Mapping[str, Any] | None = None,
    ) -> None:
        self.model, self.batch_size = model, batch_size
        self.chunker = dict(chunker) if chunker is not None else self._usual()

    def _usual(self) -> dict[str, Any]:
        if self.model is None:
            return {"name": "characters", "characters": CHARACTERS}
        from doctobert_hf.retrieval.models import document_length

        return {"name": "hierarchical", "tokens": document_length(self.model)}

    def cut(self, texts: Sequence[str]) -> list[Passage]:
        """Return the texts' passages; a text's joined are the text.

        Raises:
            DataError: They cannot be cut as the index's were.
        """
        how = self.chunker
        if how == {"name": "whole"}:
            return [Passage(n, 0, len(text), text) for n, text in enumerate(texts)]
        if how == {"name": "characters", "characters": CHARACTERS}:
            return [passage for n, text in enumerate(texts) for passage in by_characters(n, text)]
        if how.get("name") != "hierarchical" or self.model is None:
            told = ", ".join(f"{name} {value}" for name, value in how.items())
            raise DataError(
                f"The passages of the index were cut otherwise than this version cuts ({told})",
                "new passages cut as those that are there",
                "Index the documents anew",
            )
        from doctobert_hf.retrieval.models import tokenizer_of

        prompt = self.model.prompts.get("document") or ""
        return cut(texts, tokenizer_of(self.model), int(how["tokens"]), prompt)

    def encode(self, texts: Sequence[str], told: bool = True) -> Vectors | None:
        """Return passages' vectors; None without a model.

        Raises:
            DataError: A passage all of whose tokens are skipped.
        """
        if self.model is None:
            return None
        from doctobert_hf.reporting.progress import Progress
        from doctobert_hf.retrieval.models import is_late

        model: Any = self.model
        with Progress("encoding", len(texts) if told else None, "passages") as progress:
            first = model[0].register_forward_hook(lambda *_: progress.update(self.batch_size))
            try:
                encoded = model.encode_document(
                    list(texts), batch_size=self.batch_size, show_progress_bar=False
                )
            finally:
                first.remove()
        if not is_late(model):
            return Vectors([comparable(encoded, model)])
        lengths = [len(tokens) for tokens in encoded]
        if not all(lengths):
            raise DataError(
                f"A passage has no token outside the skip list: {texts[lengths.index(0)]!r:.60}",
                "words in every passage",
                "Shorten the recipe's skiplist, or leave such documents out",
            )
        offsets = np.cumsum([0, *lengths[:-1]], dtype=np.int64)
        tokens = np.concatenate([each.cpu().numpy() for each in encoded]).astype(np.float16)
        return Vectors([tokens], [offsets])


def by_characters(number: int, text: str) -> Iterator[Passage]:
    """Cut at the last sentence end of the second half of a thousand characters, or the last word.

    Args:
        number: Of the document.
        text: Its text.
    """
    start = 0
    while start < len(text):
        limit = min(start + CHARACTERS, len(text))
        end = limit if limit == len(text) else _last_end(text, start + CHARACTERS // 2, limit)
        yield Passage(number, start, end, text[start:end])
        start = end


def _last_end(text: str, first: int, limit: int) -> int:
    from doctobert_hf.chunking.boundaries import iter_boundaries

    for sentences_only in (True, False):
        ends = [position for position, _ in iter_boundaries(text, first, limit, sentences_only)]
        if ends:
            return ends[-1]
    return limit


def document_table(rows: Iterable[Mapping[str, Any]], text_column: str = "text") -> pa.Table:
    """Return what an index keeps of documents: id, source, hash of the text, and plain columns.

    Args:
        rows: Rows with ``id``, ``source`` and the text; columns of numbers, strings and booleans
            are kept, for filters.
        text_column: Column that holds the text.

    Raises:
        DataError: A column whose values are of several types.
    """
    import pyarrow as pa

    rows = list(rows)
    kept = [
        {
            "id": str(row["id"]),
            "source": str(row["source"]),
            "sha256": text_fingerprint(row[text_column]),
            **{
                name: _plain(value)
                for name, value in row.items()
                if name not in (*COLUMNS, text_column) and _is_plain(value)
            },
        }
        for row in rows
    ]
    names = list(dict.fromkeys(name for row in kept for name in row))
    dropped = {name for row in rows for name in row} - {*names, text_column}
    if dropped:
        _tell_dropped(", ".join(sorted(dropped)))
    columns = {}
    for name in names:
        values = [row.get(name) for row in kept]
        try:
            columns[name] = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            if not all(isinstance(v, (int, float)) or v is None for v in values):
                kinds = sorted({type(value).__name__ for value in values if value is not None})
                raise DataError(
                    f"The column '{name}' has values of the types {', '.join(kinds)}",
                    "values of one type",
                    "Make them alike, or leave the column out",
                ) from None
            columns[name] = pa.array(values, pa.float64())
    return pa.table(columns)


@lru_cache(maxsize=64)
def _tell_dropped(names: str) -> None:
    """Tell once of columns that no filter can be over."""
    logger.warning("columns of lists are not kept, for no filter reads them: %s", names)


def text_fingerprint(text: str) -> str:
    """Return a short hash of a document's text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _is_plain(value: Any) -> bool:
    import datetime

    return value is None or isinstance(value, (str, bool, int, float, datetime.date))


def _plain(value: Any) -> Any:
    """Dates as text: ISO 8601 compares in order."""
    return value.isoformat() if hasattr(value, "isoformat") else value
