"""A token store: all documents of a corpus, tokenised once, in one flat memory-mapped file.

``tokens.bin`` holds ids one after another (uint16 where the vocabulary allows, else uint32),
``offsets.npy`` where each document begins, ``manifest.json`` what made it: special tokens are
inside, a document is at most ``max_length`` long. Reading a document is a slice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.corpus import fingerprint_of, require_texts
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.files import write_json_atomic
from doctobert_hf.reporting.progress import track
from doctobert_hf.runs import staged_run
from doctobert_hf.runs.record import tell_of_replacement

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

TOKENS, OFFSETS, MANIFEST = "tokens.bin", "offsets.npy", "manifest.json"
VERSION = 1
BATCH = 256


@dataclass(frozen=True)
class Manifest:
    """What a store holds.

    Attributes:
        version: Of the format.
        documents: Number of documents.
        tokens: Number of tokens in all, special tokens counted.
        dtype: ``uint16`` or ``uint32``.
        max_length: Most tokens of a document, special tokens counted.
        tokenizer_hash: Of the tokenizer's vocabulary and rules.
        source_documents: Documents before they were cut.
        empty_documents: Documents without text, left out.
    """

    version: int
    documents: int
    tokens: int
    dtype: str
    max_length: int
    tokenizer_hash: str
    source_documents: int
    empty_documents: int


class TokenStore:
    """A store opened for reading; cheap to open and to copy into loader workers.

    Args:
        folder: Folder that :func:`build_store` wrote.
        tokenizer: The tokenizer training runs with; checked to be the store's.

    Raises:
        UsageError: No store there, or another tokenizer's.
        DataError: Files are cut short or do not fit each other.
    """

    def __init__(
        self, folder: str | Path, tokenizer: PreTrainedTokenizerBase | None = None
    ) -> None:
        self.folder = Path(folder)
        path = self.folder / MANIFEST
        if not path.is_file():
            raise UsageError(
                f"No token store in '{folder}'",
                f"a folder with {MANIFEST}",
                "Make one with doctobert_hf.pretraining.build_store",
            )
        self.manifest = Manifest(**json.loads(path.read_text()))
        if tokenizer is not None and tokenizer_hash(tokenizer) != self.manifest.tokenizer_hash:
            raise UsageError(
                f"The store in '{folder}' was made with another tokenizer",
                "the tokenizer it was made with",
                "Build the store again with this tokenizer",
            )
        self._open()

    def _open(self) -> None:
        manifest = self.manifest
        size = np.dtype(manifest.dtype).itemsize
        tokens = self.folder / TOKENS
        found = tokens.stat().st_size if tokens.is_file() else 0
        if found != manifest.tokens * size:
            raise DataError(
                f"{tokens} has {found:,} bytes",
                f"{manifest.tokens * size:,} ({manifest.tokens:,} tokens)",
                "The store was cut short; build it again",
            )
        self.offsets: NDArray[np.int64] = np.load(self.folder / OFFSETS)
        if len(self.offsets) != manifest.documents + 1 or self.offsets[-1] != manifest.tokens:
            raise DataError(
                f"{self.folder / OFFSETS} has {len(self.offsets) - 1:,} documents up to token "
                f"{int(self.offsets[-1]):,}",
                f"{manifest.documents:,} documents and {manifest.tokens:,} tokens",
                "Build the store again",
            )
        # A plain array over the map: slices of np.memmap cost more than what they read.
        self._tokens = np.asarray(np.memmap(tokens, dtype=manifest.dtype, mode="r"))

    def __len__(self) -> int:
        return self.manifest.documents

    def __getitem__(self, index: int) -> NDArray[Any]:
        """Return a document's ids, special tokens included."""
        return self._tokens[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each document."""
        return np.diff(self.offsets)

    def lengths_of(self, documents: Sequence[int]) -> NDArray[np.int64]:
        """Tokens of some documents."""
        at = np.asarray(documents)
        return self.offsets[at + 1] - self.offsets[at]

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "manifest": self.manifest}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()


def tokenizer_hash(tokenizer: PreTrainedTokenizerBase) -> str:
    """Hash what decides the ids of a text: vocabulary, merges, rules, special tokens."""
    backend = json.loads(tokenizer.backend_tokenizer.to_str())
    for transient in ("truncation", "padding"):
        backend.pop(transient, None)
    special = [str(tokenizer.special_tokens_map), len(tokenizer)]
    text = json.dumps([backend, special], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


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
    """
    from doctobert_hf.chunking import HierarchicalChunker
    from doctobert_hf.chunking.backend import special_tokens_around
    from doctobert_hf.chunking.chunker import checked_texts

    require_texts(documents, "documents")
    chunker = HierarchicalChunker(tokenizer, max_length=max_length)
    before, after = special_tokens_around(tokenizer)
    counts = {"source": 0, "empty": 0}

    def encoded() -> Iterator[Sequence[int]]:
        iterator = iter(documents)
        while batch := list(islice(iterator, BATCH)):
            checked_texts(batch, range(counts["source"], counts["source"] + len(batch)))
            counts["source"] += len(batch)
            kept = [text for text in batch if text.strip()]
            counts["empty"] += len(batch) - len(kept)
            for chunks in chunker.encode(kept):  # its ids are those of each chunk alone
                yield from ([*before, *chunk.ids, *after] for chunk in chunks)

    texts = fingerprint_of(documents)
    return _write(encoded(), tokenizer, folder, max_length, counts, overwrite, texts)


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
    """
    counts = {"source": 0, "empty": 0}

    def checked() -> Iterator[Sequence[int]]:
        for number, row in enumerate(rows):
            counts["source"] += 1
            if not len(row):
                counts["empty"] += 1
                continue
            if len(row) > max_length:
                raise DataError(
                    f"Row {number} has {len(row)} tokens",
                    f"at most {max_length}",
                    "Chunk the documents first (doctobert_hf.chunking.HierarchicalChunker)",
                )
            if min(row) < 0 or max(row) >= len(tokenizer):
                raise DataError(
                    f"Row {number} has the id {max(row)}", f"ids below {len(tokenizer)}"
                )
            yield row

    texts = fingerprint_of(rows)
    return _write(checked(), tokenizer, folder, max_length, counts, overwrite, texts)


def _write(
    rows: Iterable[Sequence[int]],
    tokenizer: PreTrainedTokenizerBase,
    folder: str | Path,
    max_length: int,
    counts: dict[str, int],
    overwrite: bool,
    texts: str | None,
) -> TokenStore:
    dtype = np.dtype(np.uint16 if len(tokenizer) <= 1 << 16 else np.uint32)
    lengths: list[int] = []
    made_with = tokenizer_hash(tokenizer)
    settings = {"max_length": max_length, "tokenizer": made_with, "texts": texts}
    tell_of_replacement(folder, texts)
    with staged_run(folder, "token-store", settings, overwrite=overwrite) as scratch:
        with open(scratch / TOKENS, "wb") as file:
            for row in track(rows, "tokenising", unit="chunks"):
                lengths.append(len(row))
                file.write(np.asarray(row, dtype=dtype).tobytes())
        if not lengths:
            raise DataError("There is no text to tokenise", "at least one document with text")
        offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        np.save(scratch / OFFSETS, offsets)
        manifest = Manifest(
            version=VERSION,
            documents=len(lengths),
            tokens=int(offsets[-1]),
            dtype=dtype.name,
            max_length=max_length,
            tokenizer_hash=made_with,
            source_documents=counts["source"],
            empty_documents=counts["empty"],
        )
        write_json_atomic(scratch / MANIFEST, asdict(manifest))
    return TokenStore(folder)
