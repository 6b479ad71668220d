"""Whether a model, a tokenizer and a store fit each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doctobert_hf.errors import UsageError
from doctobert_hf.models.positions import max_positions
from doctobert_hf.pretraining.store import TokenStore, tokenizer_hash

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def check_store(
    store: TokenStore, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Check that a store's documents can be trained on.

    Raises:
        UsageError: Another tokenizer's store, a smaller vocabulary, or too few positions.
    """
    if store.manifest.tokenizer_hash != tokenizer_hash(tokenizer):
        raise UsageError(
            f"The store in '{store.folder}' was made with another tokenizer",
            fix="Pass the tokenizer it was made with, or build the store again",
        )
    if len(tokenizer) > model.config.vocab_size:
        raise UsageError(
            f"A tokenizer of {len(tokenizer):,} and a model of {model.config.vocab_size:,} ids",
            "a model with at least as many",
        )
    longest, positions = int(store.lengths.max()), max_positions(model.config)
    if positions is not None and longest > positions:
        raise UsageError(
            f"A document of {longest:,} tokens and a model of {positions:,} positions",
            f"documents of at most {positions:,} tokens",
            f"Build the store with max_length={positions}, or take a model with more positions",
        )
