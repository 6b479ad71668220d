"""Tokenizers: SentencePiece BPE training, exact conversion to a fast tokenizer, evaluation."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doctobert_hf.tokenization.convert import convert_sentencepiece
    from doctobert_hf.tokenization.evaluate import evaluate_tokenizer
    from doctobert_hf.tokenization.train import TokenizerConfig, train_tokenizer

_PUBLIC = {
    "train_tokenizer": "train",
    "TokenizerConfig": "train",
    "convert_sentencepiece": "convert",
    "evaluate_tokenizer": "evaluate",
}
__all__ = ["TokenizerConfig", "convert_sentencepiece", "evaluate_tokenizer", "train_tokenizer"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
