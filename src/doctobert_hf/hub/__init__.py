"""The Hub: cards made of records, and models, tokenizers and datasets published as one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doctobert_hf.lazy import lazy_names

if TYPE_CHECKING:
    from doctobert_hf.hub.cards.facts import CardFacts as CardFacts
    from doctobert_hf.hub.cards.kinds import (
        CardKind as CardKind,
        register_card_kind as register_card_kind,
    )
    from doctobert_hf.hub.publish.callback import PushToHubCallback as PushToHubCallback
    from doctobert_hf.hub.publish.push import (
        PushReport as PushReport,
        Target as Target,
        push_dataset as push_dataset,
        push_model as push_model,
        push_tokenizer as push_tokenizer,
    )
    from doctobert_hf.hub.publish.verification import verify as verify

_NAMES = {
    "CardFacts": ".cards.facts",
    "CardKind": ".cards.kinds",
    "register_card_kind": ".cards.kinds",
    "Target": ".publish.push",
    "PushReport": ".publish.push",
    "push_model": ".publish.push",
    "push_tokenizer": ".publish.push",
    "push_dataset": ".publish.push",
    "PushToHubCallback": ".publish.callback",
    "verify": ".publish.verification",
}
__all__ = [*_NAMES]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _NAMES)
