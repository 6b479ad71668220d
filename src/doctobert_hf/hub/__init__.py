"""The Hub: cards made of records, and models, tokenizers and datasets published as one commit."""

from __future__ import annotations

import importlib
from typing import Any

_PUBLIC = {
    "CardFacts": "doctobert_hf.hub.facts",
    "Target": "doctobert_hf.hub.push",
    "Report": "doctobert_hf.hub.push",
    "push_model": "doctobert_hf.hub.push",
    "push_tokenizer": "doctobert_hf.hub.push",
    "push_dataset": "doctobert_hf.hub.push",
    "PushToHubCallback": "doctobert_hf.hub.callback",
    "verify": "doctobert_hf.hub.verification",
}

__all__ = [*_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'doctobert_hf.hub' has no attribute '{name}'")
