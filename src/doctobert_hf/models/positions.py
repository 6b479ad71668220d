"""Where an architecture begins to count positions, and how many tokens that leaves it.

RoBERTa and its kin number positions from ``pad_token_id + 1``, so that many rows of their position
table are never a token's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PretrainedConfig

OFFSET = frozenset(
    "roberta roberta-prelayernorm camembert xlm-roberta xlm-roberta-xl xmod longformer ibert mpnet "
    "data2vec-text luke".split()
)
"""Values of ``model_type`` that count from the padding id + 1."""
_PAD = 1  # of all these architectures, where config.json leaves it out; MPNet has no other


def first_position(config: PretrainedConfig | Mapping[str, Any]) -> int:
    """Return the number of a text's first position.

    Args:
        config: A configuration, or the content of ``config.json``.

    Example:
        >>> first_position({"model_type": "roberta", "pad_token_id": 1})
        2
        >>> first_position({"model_type": "bert", "pad_token_id": 0})
        0
    """
    if _value(config, "model_type") not in OFFSET:
        return 0
    return int(_value(config, "pad_token_id", _PAD) or 0) + 1


def max_positions(config: PretrainedConfig | Mapping[str, Any]) -> int | None:
    """Return the most tokens a text may have; None where the configuration names no limit.

    Args:
        config: A configuration, or the content of ``config.json``.

    Example:
        >>> from doctobert_hf.models import preset_config
        >>> max_positions(preset_config("doctobert-base"))
        512
    """
    table = _value(config, "max_position_embeddings")
    return int(table) - first_position(config) if table else None


def _value(config: PretrainedConfig | Mapping[str, Any], name: str, default: Any = None) -> Any:
    if isinstance(config, Mapping):
        return config.get(name, default)
    return getattr(config, name, default)
