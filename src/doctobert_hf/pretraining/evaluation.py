"""Held-out documents as packed rows with masks that never change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.chunking.masking import IGNORED, TokenMasker
from doctobert_hf.pretraining.dataset import pack_row
from doctobert_hf.pretraining.packing import SequencePacker
from doctobert_hf.pretraining.store import TokenStore

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def eval_rows(
    store: TokenStore,
    tokenizer: PreTrainedTokenizerBase,
    row_tokens: int,
    mlm_probability: float,
    seed: int,
    position: int,
) -> list[dict[str, Any]]:
    """Pack every document of a store once; its masks are drawn from its index alone."""
    masker = TokenMasker(tokenizer, mlm_probability)
    size = len(store)
    packer = SequencePacker(store.lengths, row_tokens, order=lambda _: np.arange(size))
    rows, left = [], set(range(size))
    while left:
        documents = [d for d in packer.next_row() if d in left]
        left -= set(documents)
        if not documents:
            continue
        parts = [
            masker(store[d].astype(np.int64), np.random.default_rng([seed, 2, d]))
            for d in documents
        ]
        labels = np.concatenate([part[1] for part in parts])
        positions = np.flatnonzero(labels != IGNORED)
        if len(positions):
            ids = np.concatenate([part[0] for part in parts])
            lengths = store.lengths_of(documents)
            row = pack_row(ids, lengths, positions, labels[positions], 0, first_position=position)
            rows.append(row)
    return rows
