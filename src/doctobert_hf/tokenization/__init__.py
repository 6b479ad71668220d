"""Tokenizers: SentencePiece BPE training, exact conversion to a fast tokenizer, evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doctobert_hf.lazy import lazy_names

if TYPE_CHECKING:
    from doctobert_hf.tokenization.convert import convert_sentencepiece as convert_sentencepiece
    from doctobert_hf.tokenization.evaluate import evaluate_tokenizer as evaluate_tokenizer
    from doctobert_hf.tokenization.extend import extend_tokenizer as extend_tokenizer
    from doctobert_hf.tokenization.train import (
        TokenizerConfig as TokenizerConfig,
        train_tokenizer as train_tokenizer,
    )

_NAMES = {
    "train_tokenizer": ".train",
    "TokenizerConfig": ".train",
    "convert_sentencepiece": ".convert",
    "evaluate_tokenizer": ".evaluate",
    "extend_tokenizer": ".extend",
}
__all__ = [*_NAMES]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _NAMES)
