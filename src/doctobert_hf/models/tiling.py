"""Growing a model: a larger ModernBERT whose weights are a smaller one's, tiled.

Depth as in Gopher (layers repeated evenly), width as in Phi (tensors repeated cyclically around the
centre), as the published large model was begun from the base model's first phase. Fused tensors
are split before they are tiled, so that heads and gates stay aligned.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doctobert_hf.errors import UsageError

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel

_LAYER = re.compile(r"^(.*\blayers\.)(\d+)(\..*)$")
_FUSED = {"attn.Wqkv.weight": 3, "mlp.Wi.weight": 2}
"""Tensors that hold several matrices one above the other."""


def tile_model(base: PreTrainedModel, config: PretrainedConfig) -> PreTrainedModel:
    """Return a larger model begun from a smaller one.

    Args:
        base: ``ModernBertForMaskedLM``.
        config: Of the larger model: same vocabulary and head width, at least as deep and wide.

    Raises:
        UsageError: The models do not fit each other.
    """
    import torch
    from transformers import AutoModelForMaskedLM

    _check(base.config, config)
    large = AutoModelForMaskedLM.from_config(config)
    old = base.state_dict()
    new = large.state_dict()
    depth = (base.config.num_hidden_layers, config.num_hidden_layers)
    with torch.no_grad():
        for name, target in new.items():
            source = old.get(_source_name(name, *depth))
            if source is None:  # the first layer has no norm in front; its copies have
                target.copy_(torch.ones_like(target))
                continue
            parts = next((n for end, n in _FUSED.items() if name.endswith(end)), 1)
            pieces = zip(source.chunk(parts), target.chunk(parts), strict=True)
            target.copy_(torch.cat([tile_tensor(piece, goal.shape) for piece, goal in pieces]))
    large.load_state_dict(new)
    large.tie_weights()
    return large


def tile_tensor(source: torch.Tensor, shape: torch.Size | tuple[int, ...]) -> torch.Tensor:
    """Put a tensor in the middle of a larger one and repeat it cyclically outwards."""
    for axis, (old, new) in enumerate(zip(source.shape, shape, strict=True)):
        if old != new:
            import torch

            index = (torch.arange(new, device=source.device) - (new - old) // 2) % old
            source = source.index_select(axis, index)
    return source


def layer_source(layer: int, old_depth: int, new_depth: int) -> int:
    """Which old layer a new one is begun from (Python's rounding: halves to even)."""
    return min(round(layer * old_depth / new_depth), old_depth - 1)


def _source_name(name: str, old_depth: int, new_depth: int) -> str:
    found = _LAYER.match(name)
    if not found:
        return name
    return f"{found[1]}{layer_source(int(found[2]), old_depth, new_depth)}{found[3]}"


def _check(small: PretrainedConfig, large: PretrainedConfig) -> None:
    if small.model_type != "modernbert" or large.model_type != "modernbert":
        raise UsageError(f"Tiling {small.model_type} into {large.model_type}", "ModernBERT models")
    if small.vocab_size != large.vocab_size:
        raise UsageError(
            f"Vocabularies of {small.vocab_size:,} and {large.vocab_size:,}", "the same vocabulary"
        )
    width = [c.hidden_size // c.num_attention_heads for c in (small, large)]
    if width[0] != width[1]:
        raise UsageError(f"Heads of width {width[0]} and {width[1]}", "the same width")
    for key in ("hidden_size", "num_hidden_layers", "intermediate_size"):
        if getattr(large, key) < getattr(small, key):
            raise UsageError(f"{key} {getattr(large, key)}", f"at least {getattr(small, key)}")
