"""Retrieval in French medical text: dense and late-interaction models of any encoder.

Training, evaluation beside BM25, and search, on Sentence Transformers.
"""

from __future__ import annotations

import importlib
from typing import Any

_NAMES = {
    "Hit": "index",
    "Index": "index",
    "Pair": "pairs",
    "PairSet": "pairs",
    "PairSplits": "pairs",
    "Result": "evaluation",
    "RetrievalConfig": "recipe",
    "RetrievalRun": "train",
    "evaluate": "evaluation",
    "load_splits": "builders",
    "open_model": "models",
    "read_pairs": "builders",
    "read_recipe": "recipe",
    "split_pairs": "builders",
}
__all__ = sorted(_NAMES)


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        value = getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
