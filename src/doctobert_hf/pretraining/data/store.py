"""A token store: all documents of a corpus, tokenised once, in one flat memory-mapped file.

``tokens.bin`` holds ids one after another (uint16 where the vocabulary allows, else uint32),
``offsets.npy`` where each document begins, ``manifest.json`` what made it: special tokens are
inside, a document is at most ``max_length`` long. Reading a document is a slice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.errors import DataError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

TOKENS, OFFSETS, MANIFEST = "tokens.bin", "offsets.npy", "manifest.json"
VERSION = 1


@dataclass(frozen=True)
class Manifest:
    """What a store holds.

    Attributes:
        version: Of the format.
        documents: Number of documents.
        tokens: Number of tokens in all, special tokens counted.
        dtype: ``uint16`` or ``uint32``.
        max_length: Most tokens of a document, special tokens counted.
        tokenizer_hash: Fingerprint of the tokenizer's vocabulary and rules (the format's key).
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
        folder: Folder that :func:`doctobert_hf.pretraining.build_store` wrote.
        tokenizer: The tokenizer training runs with; checked to be the store's.

    Raises:
        UsageError: No store there, or another tokenizer's.
        DataError: Files are cut short or do not fit each other.

    Example:
        >>> from doctobert_hf.pretraining import build_store
        >>> _ = build_store(texts, tokenizer, "store", max_length=64)
        >>> store = TokenStore("store", tokenizer)
        >>> len(store) > len(texts), int(store.lengths.max()) <= 64
        (True, True)
        >>> store.lengths_of([0, 1]).tolist() == store.lengths[:2].tolist()
        True
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
                "Make one: doctobert-hf pretrain store CORPUS --tokenizer T --output FOLDER",
            )
        self.manifest = Manifest(**json.loads(path.read_text()))
        if (
            tokenizer is not None
            and tokenizer_fingerprint(tokenizer) != self.manifest.tokenizer_hash
        ):
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
        try:
            self.offsets: NDArray[np.int64] = np.load(self.folder / OFFSETS)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(
                f"{self.folder / OFFSETS} cannot be read ({error})", fix="Build the store again"
            ) from error
        if len(self.offsets) != manifest.documents + 1 or self.offsets[-1] != manifest.tokens:
            raise DataError(
                f"{self.folder / OFFSETS} has {len(self.offsets) - 1:,} documents up to token "
                f"{int(self.offsets[-1]):,}",
                f"{manifest.documents:,} documents and {manifest.tokens:,} tokens",
                "Build the store again",
            )
        # A plain array over the map: slices of np.memmap cost more than what they read.
        self.tokens = np.asarray(np.memmap(tokens, dtype=manifest.dtype, mode="r"))

    def __len__(self) -> int:
        return self.manifest.documents

    def __getitem__(self, index: int) -> NDArray[Any]:
        """Return a document's ids, special tokens included."""
        return self.tokens[self.offsets[index] : self.offsets[index + 1]]

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


def tokenizer_fingerprint(tokenizer: PreTrainedTokenizerBase) -> str:
    """Hash what decides the ids of a text: vocabulary, merges, rules, special tokens."""
    backend = json.loads(tokenizer.backend_tokenizer.to_str())
    for transient in ("truncation", "padding"):
        backend.pop(transient, None)
    special = [str(tokenizer.special_tokens_map), len(tokenizer)]
    text = json.dumps([backend, special], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
