"""Floating-point operations per token, for MFU.

``F = 6 N + 12 d (g s + l min(s, 2w + 1)) + 6 p (d^2 + d V)``: forward and backward without
recomputation. N: weights of the blocks' matrix products; d: width; g, l: global and local layers;
s: ``sum(length^2) / sum(length)`` over documents, not the length of a row; w: tokens seen on each
side by local layers; p: share of positions that reach the head; V: vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

PEAK_BF16 = {"H100": 989.4e12, "H200": 989.4e12, "A100": 312e12, "L40": 181e12, "B200": 2250e12}
"""Dense bf16 operations per second of one device, by a part of its name."""


def flops_per_token(model: torch.nn.Module, mean_length: float, head_share: float) -> float:
    """Operations per token.

    Args:
        model: A prepared or plain masked-LM model.
        mean_length: ``s``, tokens.
        head_share: ``p``, between 0 and 1.
    """
    config: Any = model.config
    width, vocabulary = config.hidden_size, config.vocab_size
    blocks = sum(
        p.numel()
        for name, p in model.named_parameters()
        if p.ndim == 2 and ".layer" in name and "embeddings" not in name
    )
    kinds = getattr(config, "layer_types", None) or ["full_attention"] * config.num_hidden_layers
    whole = sum(kind == "full_attention" for kind in kinds)
    window = int(getattr(config, "local_attention", 0) or 0) + 1
    seen = whole * mean_length + (len(kinds) - whole) * min(mean_length, window)
    head = head_share * (width * width + width * vocabulary)
    return 6.0 * blocks + 12.0 * width * seen + 6.0 * head


def peak_flops(device_name: str) -> float | None:
    """Dense bf16 peak of a device, or None if it is not in the table."""
    for part, peak in PEAK_BF16.items():
        if part in device_name:
            return peak
    return None
