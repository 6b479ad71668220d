"""LoRA (Hu et al., 2021): small matrices beside those of the encoder, merged into it at the end.

peft puts them in; the model keeps its class, so that attention and head stay what they were. What
is saved at the end is the plain model, with the product added to its weights.
"""

from __future__ import annotations

import math
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import UsageError

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def add_adapters(
    model: PreTrainedModel, rank: int, alpha: int | None = None, targets: tuple[str, ...] = ()
) -> list[str]:
    """Freeze an encoder and give its linear layers adapters; the head goes on training.

    Args:
        model: A masked-LM model; changed in place.
        rank: Width of the small matrices.
        alpha: Their product counts ``alpha / rank`` times; None: ``2 x rank``.
        targets: Patterns of the layers' names; empty: all linear layers of the encoder.

    Returns:
        Names of the layers that have adapters.

    Raises:
        UsageError: peft is not installed, or a pattern names no linear layer of the encoder.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise UsageError(
            "lora_rank without peft", fix="Install it: pip install 'doctobert-hf[lora]'"
        ) from error
    layers = _linear_layers(model)
    for pattern in targets:
        if not any(fnmatch(name, pattern) for name in layers):
            raise UsageError(
                f"lora_targets '{pattern}' names no linear layer of the encoder",
                f"names such as '{layers[0]}'" if layers else "an encoder with linear layers",
            )
    chosen = [n for n in layers if not targets or any(fnmatch(n, p) for p in targets)]
    body = {id(parameter) for parameter in model.base_model.parameters()}
    settings = LoraConfig(
        r=rank, lora_alpha=2 * rank if alpha is None else alpha, target_modules=chosen
    )
    inject_adapter_in_model(settings, model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(id(parameter) not in body and "lora_embedding" not in name)
    return chosen


def _linear_layers(model: PreTrainedModel) -> list[str]:
    import torch

    body: Any = model.base_model
    prefix = model.base_model_prefix
    return [
        f"{prefix}.{name}"
        for name, module in body.named_modules()
        if isinstance(module, torch.nn.Linear) and "pooler" not in name
    ]


def merge_adapters(model: PreTrainedModel) -> int:
    """Add each adapter to its layer and take it out; return how many there were.

    Raises:
        UsageError: A weight is not finite afterwards.
    """
    if not has_adapters(model):
        return 0
    from peft.tuners.lora import LoraLayer

    count = 0
    for name, module in list(model.named_modules()):
        if not isinstance(module, LoraLayer):
            continue
        merged: Any = module
        merged.merge()
        layer = merged.get_base_layer()
        if not math.isfinite(float(layer.weight.sum())):
            raise UsageError(f"'{name}' is not finite after its adapter was merged")
        parent, _, own = name.rpartition(".")
        setattr(model.get_submodule(parent), own, layer)
        count += 1
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    if hasattr(model, "peft_config"):
        del model.peft_config
    return count


def has_adapters(model: PreTrainedModel) -> bool:
    """Return whether a model has adapters in it."""
    return any("lora_A" in name for name, _ in model.named_parameters())
