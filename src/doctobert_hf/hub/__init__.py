"""The Hub: cards made of records, and models, tokenizers and datasets published as one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doctobert_hf.lazy import lazy_names

if TYPE_CHECKING:
    from doctobert_hf.hub.callback import PushToHubCallback as PushToHubCallback
    from doctobert_hf.hub.facts import CardFacts as CardFacts
    from doctobert_hf.hub.push import (
        Report as Report,
        Target as Target,
        push_dataset as push_dataset,
        push_model as push_model,
        push_tokenizer as push_tokenizer,
    )
    from doctobert_hf.hub.verification import verify as verify

_NAMES = {
    "CardFacts": ".facts",
    "Target": ".push",
    "Report": ".push",
    "push_model": ".push",
    "push_tokenizer": ".push",
    "push_dataset": ".push",
    "PushToHubCallback": ".callback",
    "verify": ".verification",
}
__all__ = [*_NAMES]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _NAMES)
