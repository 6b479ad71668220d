"""Hierarchical chunking: long documents cut along their structure to fit a context, losslessly."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doctobert_hf.chunking.chunker import Chunk, HierarchicalChunker
    from doctobert_hf.chunking.collator import DataCollatorForHierarchicalChunking
    from doctobert_hf.chunking.sentences import split_sentences

_PUBLIC = {
    "HierarchicalChunker": "chunker",
    "Chunk": "chunker",
    "DataCollatorForHierarchicalChunking": "collator",
    "split_sentences": "sentences",
}
__all__ = [
    "Chunk",
    "DataCollatorForHierarchicalChunking",
    "HierarchicalChunker",
    "split_sentences",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
