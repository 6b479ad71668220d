"""From a folder or a file of documents to an index."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DataError
from doctobert_hf.reporting.progress import track
from doctobert_hf.retrieval.chunks import Passage
from doctobert_hf.retrieval.index import Index

if TYPE_CHECKING:
    from doctobert_hf.retrieval.models import RetrievalModel

logger = logging.getLogger(__name__)
_CHARACTERS = 1000  # of a passage where there is no tokenizer to count tokens


def index_documents(
    source: Path, model: RetrievalModel | None = None, text_column: str = "text"
) -> Index:
    """Index the documents of a file or folder; those without text are left out and counted.

    A row's ``id`` names it, its ``url`` or ``source`` says where it comes from, else its file.

    Args:
        source: Parquet, JSON lines, CSV, TSV or text, or a folder of these.
        model: A retrieval model; None: BM25 over passages of a thousand characters.
        text_column: Column that holds the text.

    Raises:
        DataError: No document with text, or two documents with one id.
    """
    from doctobert_hf.corpus import iter_documents

    documents: dict[str, str] = {}
    sources: list[str] = []
    empty = 0
    for row in track(iter_documents(source, text_column), "reading"):
        name = str(row["id"])
        if name in documents:
            raise DataError(f"The id '{name}' is there twice in '{source}'", "an id for each row")
        if not row[text_column].strip():
            empty += 1
            continue
        documents[name] = row[text_column]
        sources.append(str(row.get("url") or row.get("source") or name))
    if empty:
        logger.warning("%s documents without text are left out", f"{empty:,}")
    passages = None
    if model is None:
        passages = [p for n, text in enumerate(documents.values()) for p in _passages(n, text)]
    return Index.build(documents, model, sources, passages=passages)


def _passages(number: int, text: str) -> Iterator[Passage]:
    """Cut at the last sentence end, or else the last word, within the size."""
    from doctobert_hf.chunking.boundaries import Level, iter_boundaries

    start = 0
    while start < len(text):
        limit = min(start + _CHARACTERS, len(text))
        end = limit
        if limit < len(text):
            places: dict[Any, int] = {}
            for position, level in iter_boundaries(text, start, limit):
                places["sentence" if level >= Level.SENTENCE else "word"] = position
            good = places.get("sentence", 0)
            end = good if good > start + _CHARACTERS // 2 else max(good, places.get("word", limit))
        yield Passage(number, start, end, text[start:end])
        start = end


def build_index(
    source: Path,
    output: Path,
    model_place: str | None = None,
    text_column: str = "text",
    overwrite: bool = False,
) -> Index:
    """Index documents and keep the index in a folder.

    Args:
        source: As for :func:`index_documents`.
        output: A new folder, or one with an index of the same documents and model, which is
            written anew.
        model_place: Path or Hub id of a retrieval model; None: BM25.
        text_column: Column that holds the text.
        overwrite: Move another index that is in ``output`` aside first.

    Raises:
        UsageError: ``output`` holds something else, lies in ``source`` or holds it, or an extra is
            missing.
        DataError: As of :func:`index_documents`.
    """
    from doctobert_hf.corpus import list_files
    from doctobert_hf.retrieval.bm25 import require_bm25
    from doctobert_hf.runs import open_run

    list_files(source)
    if model_place is None:
        require_bm25()
    model = model_place
    if model is not None and Path(model).exists():
        model = str(Path(model).resolve())
    settings = {"model": model, "text_column": text_column}
    with open_run(
        *(output, "retrieval-index", settings, [source]),
        overwrite=overwrite,
        uses=(model_place,),
    ) as run:
        loaded = None
        if model_place is not None:
            from doctobert_hf.retrieval.models import open_model

            loaded = open_model(model_place)
        index = index_documents(source, loaded, text_column)
        with run.staged() as scratch:
            index.write(scratch, model_place)
    return index
