"""Hierarchical chunking: long documents cut along their structure to fit a context, losslessly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doctobert_hf.lazy import lazy_names

if TYPE_CHECKING:
    from doctobert_hf.chunking.chunker import (
        Chunk as Chunk,
        HierarchicalChunker as HierarchicalChunker,
    )
    from doctobert_hf.chunking.collator import (
        DataCollatorForHierarchicalChunking as DataCollatorForHierarchicalChunking,
    )
    from doctobert_hf.chunking.sentences import split_sentences as split_sentences

_NAMES = {
    "HierarchicalChunker": ".chunker",
    "Chunk": ".chunker",
    "DataCollatorForHierarchicalChunking": ".collator",
    "split_sentences": ".sentences",
}
__all__ = [*_NAMES]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _NAMES)
