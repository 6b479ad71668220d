"""What a training step keeps in memory, traced on meta tensors: shapes only, no data, no device.

The whole model runs forward once at the recipe's row, on the path that a GPU takes (the
variable-length flash operators), in mixed precision where the recipe asks for it, and every tensor
that autograd keeps for the backward pass is counted once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_HALF = {
    torch.nn.functional.linear,
    torch.matmul,
    torch.bmm,
    torch.Tensor.matmul,
    torch.Tensor.__matmul__,
    torch.nn.functional.scaled_dot_product_attention,
}
_FULL = {torch.nn.functional.layer_norm, torch.nn.functional.cross_entropy, torch.Tensor.pow}


@dataclass(frozen=True)
class StepMemory:
    """Bytes of one device.

    Attributes:
        parameters: Number of weights.
        weights: Weights in float32; of those that are trained also gradients and two means.
        activations: What a row keeps for its backward pass.
        logits: Of one chunk of masked positions, with their gradient and softmax.
        traced: Whether activations were traced; an encoder whose attention is its own reads its
            data, and so gets an estimate by a formula.
    """

    parameters: int
    weights: int
    activations: int
    logits: int
    traced: bool = True

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.activations + self.logits


class _MetaAutocast(TorchFunctionMode):
    """Mixed precision for meta tensors, which torch's own autocast passes over.

    Its rules, as far as encoders meet them: products in half precision with a copy of the weights
    that is made once, normalisation and losses in float32, all else as it comes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._copies: dict[int, torch.Tensor] = {}

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        kind = torch.bfloat16 if function in _HALF else torch.float32 if function in _FULL else None
        if kind is not None:
            args = [self._cast(value, kind) for value in args]
            kwargs = {key: self._cast(value, kind) for key, value in kwargs.items()}
        return function(*args, **kwargs)

    def _cast(self, value: Any, kind: torch.dtype) -> Any:
        if not isinstance(value, torch.Tensor) or not value.is_floating_point():
            return value
        if value.dtype == kind:
            return value
        if not isinstance(value, torch.nn.Parameter):
            return value.to(kind)
        if id(value) not in self._copies:
            self._copies[id(value)] = value.to(kind)
        return self._copies[id(value)]


def step_memory(
    architecture: Any,
    row_tokens: int,
    longest: int,
    masked_share: float,
    half: bool,
    head_chunk: int = 4096,
    prepare: Callable[[Any], None] | None = None,
) -> StepMemory:
    """Trace a step and return what it keeps.

    Args:
        architecture: Configuration of a masked-LM model.
        row_tokens: Tokens of a row (``micro_batch_tokens``).
        longest: Tokens of its longest document.
        masked_share: Share of tokens that are predicted.
        half: Whether it is trained in bfloat16 mixed precision.
        head_chunk: Masked positions whose logits are held at once.
        prepare: Called with the model before: gradient checkpointing, adapters, what is frozen.

    Example:
        >>> from doctobert_hf.models import preset_config
        >>> found = step_memory(preset_config("doctobert-base"), 81920, 512, 0.15, half=True)
        >>> 33e9 < found.activations < 35e9
        True
    """
    model = meta_model(architecture, head_chunk)
    if prepare is not None:
        prepare(model)
    own = {_key(tensor) for tensor in (*model.parameters(), *model.buffers())}
    kept: dict[int, int] = {}
    held: list[torch.Tensor] = []  # a storage that is freed gives its number to another

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        held.append(tensor)
        if _key(tensor) not in own:
            kept[_key(tensor)] = tensor.untyped_storage().nbytes()
        return tensor

    sizes = [(p.numel(), 16 if p.requires_grad else 4) for p in model.parameters()]
    count, weights = sum(n for n, _ in sizes), sum(n * of_each for n, of_each in sizes)
    masked = int(row_tokens * masked_share)
    # More than a chunk are computed again in the backward pass; fewer are among what is kept.
    of_each = 12 if masked > head_chunk else 4
    logits = min(masked, head_chunk) * architecture.vocab_size * of_each
    if not getattr(type(model), "sparse_head", False):
        return StepMemory(
            count, weights, _by_formula(architecture, row_tokens, longest, half), logits, False
        )
    precision: Any = _MetaAutocast() if half else contextlib.nullcontext()
    try:
        with precision, torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            meta_step(model, row_tokens, longest, masked_share)
    except RuntimeError as error:
        if "autocast" not in str(error):
            raise
        # Transformers before 5.4 asks for autocast of the device itself, which has none.
        return StepMemory(
            count, weights, _by_formula(architecture, row_tokens, longest, half), logits, False
        )
    return StepMemory(count, weights, sum(kept.values()), logits)


def _by_formula(architecture: Any, row_tokens: int, longest: int, half: bool) -> int:
    """Korthikanti et al., 2022: 34 bytes a value of a layer in half precision, 5 a score."""
    width, heads = architecture.hidden_size, architecture.num_attention_heads
    a_layer = row_tokens * (34 * width + 5 * heads * longest)
    return architecture.num_hidden_layers * a_layer * (1 if half else 2)


def _key(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata


def meta_model(architecture: Any, head_chunk: int = 4096) -> Any:
    """Return a model without data, prepared as :class:`MLMTrainer` prepares it."""
    from transformers import AutoModelForMaskedLM

    from doctobert_hf.pretraining.attention import use_attention
    from doctobert_hf.pretraining.head import sparse_class

    with torch.device("meta"):
        model: Any = AutoModelForMaskedLM.from_config(architecture)
    if use_attention(model):
        # Whether documents stay apart is tried when training begins: that needs data.
        model.__class__ = sparse_class(type(model), head_chunk, "packed")
    return model.train()


def meta_step(model: Any, row_tokens: int, longest: int, masked_share: float) -> torch.Tensor:
    """Run a packed row of a length through a model of :func:`meta_model`; return the loss."""
    with torch.device("meta"):
        row = torch.zeros((1, row_tokens), dtype=torch.int64)
        borders = torch.zeros(row_tokens // longest + 2, dtype=torch.int32)
        masked = torch.zeros(max(1, int(row_tokens * masked_share)), dtype=torch.int64)
    return model(
        input_ids=row,
        position_ids=row,
        cu_seq_lens_q=borders,
        cu_seq_lens_k=borders,
        max_length_q=longest,
        max_length_k=longest,
        masked_positions=masked,
        masked_labels=masked,
        num_items=1,
    )["loss"]
