"""French medical encoders on the Hugging Face ecosystem.

Tokenizers, hierarchical chunking, pretraining, evaluation and publication, as plain Transformers,
Datasets and Sentence Transformers objects. Importing this package loads no heavy library: every
public name is resolved on first use. It registers the dataset id ``doctobert_hf/drbenchmark`` and
the metric ids ``doctobert_hf/NAME``, the attention ``doctobert_varlen`` and the integration
``doctobert``.
"""

from __future__ import annotations

import importlib
from typing import Any

from doctobert_hf.registration import register
from doctobert_hf.version import __version__

_PUBLIC = {
    "HierarchicalChunker": "doctobert_hf.chunking",
    "DataCollatorForHierarchicalChunking": "doctobert_hf.chunking",
    "train_tokenizer": "doctobert_hf.tokenization",
    "evaluate_tokenizer": "doctobert_hf.tokenization",
    "preset_config": "doctobert_hf.models",
    "list_presets": "doctobert_hf.models",
    "list_tasks": "doctobert_hf.drbenchmark",
    "DoctobertError": "doctobert_hf.errors",
}
_SUBMODULES = (
    *("chunking", "tokenization", "models", "errors", "config", "recipes"),
    *("metrics", "drbenchmark", "pretraining", "registration", "finemed", "hub", "retrieval"),
)

__all__ = ["__version__", "register", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    if name in _SUBMODULES:
        return importlib.import_module(f"doctobert_hf.{name}")
    raise AttributeError(f"module 'doctobert_hf' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC, *_SUBMODULES])


register()
