"""Making a token store from texts or ids: chunk after chunk, in bounded memory."""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.corpus import fingerprint_of, require_texts
from doctobert_hf.errors import DataError
from doctobert_hf.files import write_json_atomic
from doctobert_hf.pretraining.data.store import (
    MANIFEST,
    OFFSETS,
    TOKENS,
    VERSION,
    Manifest,
    TokenStore,
    tokenizer_fingerprint,
)
from doctobert_hf.reporting.progress import track
from doctobert_hf.runs import staged_run
from doctobert_hf.runs.record import tell_of_replacement

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

CHUNKS = "chunks.npy"
"""Of a part: how many chunks each document of the corpus gave, ``uint32 [source documents]``."""
BATCH, BATCH_CHARACTERS = 256, 8_000_000
"""Documents, and characters, that are cut at once."""


def dtype_for(vocabulary: int) -> np.dtype[Any]:
    """Return the smallest type that holds the ids of a vocabulary."""
    return np.dtype(np.uint16 if vocabulary <= 1 << 16 else np.uint32)


class StoreWriter:
    """Writes the files of a store into a folder.

    Args:
        folder: Where to.
        vocabulary: Number of ids.

    Attributes:
        source_documents: Documents of the corpus so far.
        empty_documents: Those without text.
    """

    def __init__(self, folder: Path, vocabulary: int) -> None:
        self.folder, self.dtype = folder, dtype_for(vocabulary)
        folder.mkdir(parents=True, exist_ok=True)
        self._file = open(folder / TOKENS, "wb")  # noqa: SIM115
        self._lengths = array("I")
        self._chunks = array("I")
        self.source_documents, self.empty_documents = 0, 0

    def __len__(self) -> int:
        return len(self._lengths)

    def document(self, chunks: Sequence[Sequence[int]]) -> None:
        """Write the chunks of one document of the corpus; none: it is empty."""
        self.source_documents += 1
        self.empty_documents += not chunks
        self._chunks.append(len(chunks))
        for chunk in chunks:
            self._lengths.append(len(chunk))
            self._file.write(np.asarray(chunk, dtype=self.dtype).tobytes())

    def extend(self, tokens: NDArray[Any], lengths: NDArray[Any]) -> None:
        """Write chunks that lie one after another."""
        self._lengths.frombytes(np.ascontiguousarray(lengths, dtype=np.uint32).tobytes())
        np.ascontiguousarray(tokens, dtype=self.dtype).tofile(self._file)

    def finish(self, max_length: int, made_with: str, with_chunks: bool = False) -> Manifest:
        """Close the files and write the manifest, which says that all is there."""
        self._file.close()
        offsets = np.zeros(len(self._lengths) + 1, dtype=np.int64)
        np.cumsum(np.frombuffer(self._lengths, dtype=np.uint32), out=offsets[1:])
        np.save(self.folder / OFFSETS, offsets)
        if with_chunks:
            np.save(self.folder / CHUNKS, np.frombuffer(self._chunks, dtype=np.uint32))
        manifest = Manifest(
            version=VERSION,
            documents=len(self._lengths),
            tokens=int(offsets[-1]),
            dtype=self.dtype.name,
            max_length=max_length,
            tokenizer_hash=made_with,
            source_documents=self.source_documents,
            empty_documents=self.empty_documents,
        )
        write_json_atomic(self.folder / MANIFEST, asdict(manifest))
        return manifest

    def close(self) -> None:
        """Close the file of a store that is not finished."""
        self._file.close()


def encoded_documents(
    texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> Iterator[list[list[int]]]:
    """Yield the chunks of each document as ids, special tokens included; empty ones have none.

    Raises:
        DataError: A text that is no string, or no valid Unicode.
    """
    from doctobert_hf.chunking import HierarchicalChunker
    from doctobert_hf.chunking.backend import special_tokens_around
    from doctobert_hf.chunking.chunker import checked_texts

    chunker = HierarchicalChunker(tokenizer, max_length=max_length)
    before, after = special_tokens_around(tokenizer)
    read = 0
    for batch in _batches(texts):
        checked_texts(batch, (f"Document {read + number}" for number in range(len(batch))))
        read += len(batch)
        found = iter(chunker.encode([text for text in batch if text.strip()]))
        for text in batch:
            chunks = next(found) if text.strip() else []
            yield [[*before, *chunk.ids, *after] for chunk in chunks]


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text) if isinstance(text, str) else 0
        if len(batch) == BATCH or size >= BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def build_store(
    documents: Iterable[str],
    tokenizer: PreTrainedTokenizerBase,
    folder: str | Path,
    max_length: int = 512,
    overwrite: bool = False,
) -> TokenStore:
    """Cut documents along their structure, tokenise them, and write a store.

    Args:
        documents: Texts of any length.
        tokenizer: A fast tokenizer that adds ``[CLS]`` and ``[SEP]`` or their like.
        folder: Folder for the store; an unfinished one never looks finished.
        max_length: Most tokens of a chunk, special tokens counted.
        overwrite: Move a store of other settings that is in ``folder`` aside.

    Returns:
        The store, opened.

    Raises:
        DataError: No text at all.
        UsageError: The folder holds something else; further those of
            :class:`~doctobert_hf.chunking.HierarchicalChunker`.
        OutputError: The folder cannot be written.

    Example:
        >>> store = build_store(texts, tokenizer, "my-store", max_length=64)
        >>> len(store) >= len(texts), int(store.lengths.max()) <= 64
        (True, True)
    """
    require_texts(documents, "documents")
    rows = encoded_documents(track(documents, "tokenising"), tokenizer, max_length)
    return _write(rows, tokenizer, folder, max_length, overwrite, fingerprint_of(documents))


def build_store_from_ids(
    rows: Iterable[Sequence[int]],
    tokenizer: PreTrainedTokenizerBase,
    folder: str | Path,
    max_length: int = 512,
    overwrite: bool = False,
) -> TokenStore:
    """Write a store from documents that are already tokenised, special tokens included.

    Args:
        rows: Ids of each document, such as the ``input_ids`` column of a Parquet dataset.
        tokenizer: The tokenizer they were made with.
        folder: Folder for the store.
        max_length: Most tokens a row may have.
        overwrite: Move a store of other settings that is in ``folder`` aside.

    Raises:
        DataError: A row is longer, or has an id that the tokenizer lacks.
        OutputError: The folder cannot be written.

    Example:
        >>> rows = tokenizer(["Pas de fièvre.", "Toux sèche."])["input_ids"]
        >>> len(build_store_from_ids(rows, tokenizer, "ids-store", max_length=64))
        2
    """

    def checked() -> Iterator[list[Sequence[int]]]:
        for number, row in enumerate(track(rows, "reading ids", unit="rows")):
            if len(row) > max_length:
                raise DataError(
                    f"Row {number} has {len(row)} tokens",
                    f"at most {max_length}",
                    "Chunk the documents first (doctobert_hf.chunking.HierarchicalChunker)",
                )
            if len(row) and (min(row) < 0 or max(row) >= len(tokenizer)):
                wrong = min(row) if min(row) < 0 else max(row)
                raise DataError(f"Row {number} has the id {wrong}", f"ids below {len(tokenizer)}")
            yield [row] if len(row) else []

    return _write(checked(), tokenizer, folder, max_length, overwrite, fingerprint_of(rows))


def _write(
    documents: Iterable[Sequence[Sequence[int]]],
    tokenizer: PreTrainedTokenizerBase,
    folder: str | Path,
    max_length: int,
    overwrite: bool,
    texts: str | None,
) -> TokenStore:
    made_with = tokenizer_fingerprint(tokenizer)
    settings = {"max_length": max_length, "tokenizer": made_with, "texts": texts}
    tell_of_replacement(folder, texts)
    with (
        staged_run(folder, "token-store", settings, overwrite=overwrite) as scratch,
        contextlib.closing(StoreWriter(scratch, len(tokenizer))) as writer,
    ):
        for chunks in documents:
            writer.document(chunks)
        if not len(writer):
            raise DataError("There is no text to tokenise", "at least one document with text")
        writer.finish(max_length, made_with)
    return TokenStore(folder)
