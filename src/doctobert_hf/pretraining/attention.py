"""``attn_implementation="doctobert_varlen"``: attention that keeps packed documents apart.

Transformers packs encoder batches wrongly, with no warning: under ``sdpa``, ``eager`` and ``flex``
documents that share a row attend to each other. This function takes the borders of the documents
as keywords, ``cu_seq_lens_q`` (cumulative lengths from 0, int32) and ``max_length_q``, which every
Transformers encoder hands down to its attention; without them it serves padded batches.

On CUDA in half precision it is torch's variable-length flash attention; elsewhere an exact
reference, one document after another.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import UsageError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

ATTENTION_NAME = "doctobert_varlen"
_PUBLIC_KERNEL = False
"""Whether torch's public function takes windows; set on registration, older ones do not."""


_SHORT = 512
"""Tokens below which a processor's attention is faster in float32 than in bfloat16, backward pass
included (2.13: 52 and 134 ms for 32 documents of 128 tokens in 12 heads; equal at 512)."""


def register_attention() -> None:
    """Register the function and its mask with Transformers; doing it again does nothing.

    Example:
        >>> register_attention()
        >>> from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
        >>> "doctobert_varlen" in ALL_ATTENTION_FUNCTIONS
        True
    """
    from transformers.masking_utils import AttentionMaskInterface, flash_attention_mask
    from transformers.modeling_utils import AttentionInterface

    global _PUBLIC_KERNEL
    _PUBLIC_KERNEL = _takes_windows()
    AttentionInterface.register(ATTENTION_NAME, varlen_attention_forward)
    # As for flash attention: a 2-D mask where something is padded, else none at all.
    AttentionMaskInterface.register(ATTENTION_NAME, flash_attention_mask)


def use_attention(model: PreTrainedModel) -> bool:
    """Switch a model, however it was built, to ``doctobert_varlen``.

    Returns:
        Whether its code dispatches attention by name; if not, it is as it was.
    """
    register_attention()
    if model.config._attn_implementation != ATTENTION_NAME:
        with contextlib.suppress(ValueError):  # it says that it cannot
            model.set_attn_implementation(ATTENTION_NAME)
    if model.config._attn_implementation == ATTENTION_NAME:
        return True
    # Transformers up to 5.3 recognises a switchable model by its source, and misses ModernBERT's.
    source = inspect.getsource(sys.modules[type(model).__module__])
    if "ALL_ATTENTION_FUNCTIONS[" not in source:
        return False
    model.config._attn_implementation = ATTENTION_NAME
    return True


def _takes_windows() -> bool:
    from torch.nn.attention.varlen import varlen_attn

    return {"window_size", "scale"} <= set(inspect.signature(varlen_attn).parameters)


def varlen_attention_forward(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    sliding_window: int | None = None,
    cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int | None = None,
    past_only: bool = False,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attend inside each document.

    Args:
        module: The attention layer; ``is_causal`` must not be set.
        query: ``[batch, heads, length, width]``; ``batch`` is 1 for packed input.
        key: Same shape, or fewer heads, each of which several of the query's share.
        value: As the key.
        attention_mask: ``[batch, length]``, 1 for tokens, for padded input; None for packed.
        dropout: Probability of dropping an attention weight.
        scaling: Factor of the scores; default ``width ** -0.5``.
        sliding_window: Tokens seen on each side plus one (as ModernBERT gives it); None for all.
        cu_seq_lens_q: Borders of the documents in a packed row, int32 from 0 to ``length``.
        max_length_q: Longest document; keep it constant where the model is compiled.
        past_only: A token sees itself and what stands before it in its document (the causal
            detour); the model stays an encoder.
        **kwargs: Further keywords of the model, not used.

    Returns:
        ``[batch, length, heads, width]``, and None for the weights.

    Raises:
        UsageError: A causal layer, packed input in several rows or with a mask, or borders that do
            not span the row.
    """
    import torch

    if getattr(module, "is_causal", False):
        raise UsageError("A causal attention layer", "an encoder", f"{ATTENTION_NAME} is two-sided")
    if key.shape[1] != query.shape[1]:  # grouped queries: several heads share keys and values
        each = query.shape[1] // key.shape[1]
        key, value = (x.repeat_interleave(each, dim=1) for x in (key, value))
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    window = None if sliding_window is None else sliding_window - 1
    if cu_seq_lens_q is None:
        if past_only:
            raise UsageError("past_only with padded batches", "a packed row (cu_seq_lens_q)")
        return _padded(query, key, value, attention_mask, dropout, scale, window), None
    if query.shape[0] != 1 or attention_mask is not None:
        raise UsageError(
            f"cu_seq_lens_q with {query.shape[0]} rows"
            + ("" if attention_mask is None else " and an attention mask"),
            "one packed row and no mask",
        )
    if query.is_cuda and torch.is_autocast_enabled("cuda"):
        # Rotary embeddings may have left float32 behind, which the kernel does not take.
        half = torch.get_autocast_dtype("cuda")
        query, key, value = query.to(half), key.to(half), value.to(half)
    if query.is_meta:  # shapes only (dry runs, tests): on the way that a GPU takes
        query, key, value = query.to(value.dtype), key.to(value.dtype), value
    if query.is_meta or (query.is_cuda and query.dtype in (torch.float16, torch.bfloat16)):
        longest = max_length_q or int((cu_seq_lens_q[1:] - cu_seq_lens_q[:-1]).max())
        out = _flash(query, key, value, cu_seq_lens_q, longest, dropout, scale, window, past_only)
    else:
        out = _by_document(query, key, value, cu_seq_lens_q, dropout, scale, window, past_only)
    return out, None


def _flash(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    borders: torch.Tensor,
    longest: int,
    dropout: float,
    scale: float,
    window: int | None,
    past_only: bool = False,
) -> torch.Tensor:
    """Flash attention over a flat row; the operator below the public one also takes dropout."""
    import torch

    q, k, v = (x[0].transpose(0, 1).contiguous() for x in (query, key, value))
    side = -1 if window is None else window
    ahead = 0 if past_only else side
    if dropout == 0.0 and _PUBLIC_KERNEL:
        from torch.nn.attention.varlen import varlen_attn

        out: Any = varlen_attn(
            q, k, v, borders, borders, longest, longest, scale=scale, window_size=(side, ahead)
        )
    else:
        out = torch.ops.aten._flash_attention_forward(
            *(q, k, v, borders, borders, longest, longest, dropout, past_only, False),
            scale=scale,
            window_size_left=window,
            window_size_right=0 if past_only and window is not None else window,
        )[0]
    return out.unsqueeze(0)


def _by_document(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    borders: torch.Tensor,
    dropout: float,
    scale: float,
    window: int | None,
    past_only: bool = False,
) -> torch.Tensor:
    """The exact reference, one document after another.

    The row is split, not sliced: the backward pass of a slice fills a tensor of the row's size.
    Documents of near lengths in one padded product are slower on a processor (measured).
    """
    import torch

    ends = borders.tolist()
    length = query.shape[2]
    if ends[0] != 0 or ends[-1] != length:
        raise UsageError(f"cu_seq_lens_q from {ends[0]} to {ends[-1]}", f"from 0 to {length}")
    lengths = [end - start for start, end in zip(ends, ends[1:], strict=False) if end != start]
    pieces = [
        _attend(q, k, v, _band(q.shape[2], window, q.device, past_only), dropout, scale)
        for q, k, v in zip(*(x.split(lengths, dim=2) for x in (query, key, value)), strict=True)
    ]
    return torch.cat(pieces, dim=2).transpose(1, 2).contiguous()


def _padded(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    dropout: float,
    scale: float,
    window: int | None,
) -> torch.Tensor:
    allowed = _band(query.shape[2], window, query.device)
    if mask is not None:
        if mask.ndim != 2:
            raise UsageError(f"A mask of shape {tuple(mask.shape)}", "[batch, length]")
        seen = mask.bool()[:, None, None, :]
        allowed = seen if allowed is None else seen & allowed
        # A row that sees nothing would be NaN; it is padding, so let it see itself.
        allowed = allowed | _diagonal(query.shape[2], query.device)
    return _attend(query, key, value, allowed, dropout, scale).transpose(1, 2).contiguous()


def _attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    allowed: torch.Tensor | None,
    dropout: float,
    scale: float,
) -> torch.Tensor:
    import torch

    if query.device.type != "cpu":
        return torch.nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=allowed, dropout_p=dropout, scale=scale
        )
    # Autocast would cast back what is computed in float32 here; rotary embeddings leave it behind.
    kind = value.dtype
    exact = torch.float32 if kind == torch.bfloat16 and query.shape[2] < _SHORT else kind
    query, key, value = query.to(exact), key.to(exact), value.to(exact)
    with torch.autocast("cpu", enabled=False):
        return torch.nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=allowed, dropout_p=dropout, scale=scale
        ).to(kind)


def _band(
    length: int, window: int | None, device: torch.device, past_only: bool = False
) -> torch.Tensor | None:
    """Which pairs lie within the window and, if so asked, in the past; None where all do."""
    import torch

    if window is not None and length <= window + 1:
        window = None
    if window is None and not past_only:
        return None
    place = torch.arange(length, device=device)
    back = place[:, None] - place[None, :]
    near = back.abs() <= (length if window is None else window)
    return near & (back >= 0) if past_only else near


def _diagonal(length: int, device: torch.device) -> torch.Tensor:
    import torch

    return torch.eye(length, dtype=torch.bool, device=device)


def check_isolating(model: torch.nn.Module) -> None:
    """Check that a model's attention keeps packed documents apart.

    Raises:
        UsageError: It would let them see each other, or its kernel lacks the dropout configured.
    """
    config: Any = model.config
    name = config._attn_implementation
    if name != ATTENTION_NAME and not str(name).startswith("flash_attention"):
        raise UsageError(
            f"Packed documents and attn_implementation='{name}', which would mix them",
            f"attn_implementation='{ATTENTION_NAME}'",
            f"Call model.set_attn_implementation('{ATTENTION_NAME}') or load the model with it",
        )
    rate = max(
        float(getattr(config, key, 0.0) or 0.0)
        for key in ("attention_probs_dropout_prob", "attention_dropout")
    )
    if str(name) in ("flash_attention_3", "flash_attention_4") and rate:
        raise UsageError(
            f"Attention dropout {rate} with {name}, which would leave it out",
            f"'{ATTENTION_NAME}', or attention dropout 0",
        )
