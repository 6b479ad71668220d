"""Whether a model keeps packed documents apart, seen by trying, not by its attention's name.

A document is changed, and the others' hidden states must not move; packed documents must come out
as each alone. Where a model mixes documents (its attention is its own, as DeBERTa-v2's is), its
rows are unpacked into padded batches instead: the same result, with some padding.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from doctobert_hf.errors import UsageError
from doctobert_hf.models.positions import first_position

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

logger = logging.getLogger(__name__)
Layout = Literal["packed", "padded"]
TOLERANCE = 1e-3
"""Largest difference of hidden states, relative to their size; float32 gives some 1e-6."""
WASTE = 1.25
"""Most that a padded batch may be larger than its tokens."""


def hidden_states(
    model: PreTrainedModel, layout: Layout, input_ids: torch.Tensor, **row: Any
) -> torch.Tensor:
    """Hidden states of a packed row.

    Args:
        model: A masked-LM model.
        layout: ``packed``: documents in one row; ``padded``: each in a row of padded batches.
        input_ids: ``[1, tokens]``.
        **row: ``position_ids``, ``cu_seq_lens_q``, ``max_length_q`` and so on.

    Returns:
        ``[1, tokens, width]``.
    """
    if layout == "packed" or "cu_seq_lens_q" not in row:
        return model.base_model(input_ids=input_ids, **row)[0]
    return _padded(model, input_ids, row["cu_seq_lens_q"])


def _padded(model: PreTrainedModel, ids: torch.Tensor, borders: torch.Tensor) -> torch.Tensor:
    """Run the documents of a row in padded batches of like length, and lay them out again."""
    import torch

    ends = borders.tolist()
    spans = [(a, b) for a, b in zip(ends, ends[1:], strict=False) if b > a]
    pad = int(model.config.pad_token_id or 0)
    order, pieces = [], []
    for group in _groups(spans):
        longest = max(b - a for a, b in group)
        batch = ids.new_full((len(group), longest), pad)
        mask = torch.zeros_like(batch)
        for number, (a, b) in enumerate(group):
            batch[number, : b - a] = ids[0, a:b]
            mask[number, : b - a] = 1
            order.append(torch.arange(a, b, device=ids.device))
        hidden = model.base_model(input_ids=batch, attention_mask=mask)[0]
        pieces.append(hidden[mask.bool()])
    flat, places = torch.cat(pieces), torch.cat(order)
    out = flat.new_zeros((ids.shape[1], flat.shape[-1]))
    return out.index_copy(0, places, flat)[None]


def _groups(spans: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Spans of like length together, so that padding stays small."""
    groups: list[list[tuple[int, int]]] = []
    tokens = 0
    for span in sorted(spans, key=lambda s: s[0] - s[1]):
        size = span[1] - span[0]
        if groups:
            longest = groups[-1][0][1] - groups[-1][0][0]
            if longest * (len(groups[-1]) + 1) <= WASTE * (tokens + size):
                groups[-1].append(span)
                tokens += size
                continue
        groups.append([span])
        tokens = size
    return groups


def find_layout(model: PreTrainedModel, packing: bool = True) -> Layout:
    """Return how a model is given packed rows so that no document sees another.

    Args:
        model: A masked-LM model.
        packing: Whether packed rows are wanted where it keeps documents apart in them.

    Raises:
        UsageError: Neither way keeps them apart.
    """
    if packing and keeps_apart(model):
        return "packed"
    failed: list[Exception] = []
    if keeps_apart(model, "padded", failed):
        if packing:
            logger.warning(
                "%s would mix packed documents: they are trained in padded batches instead",
                type(model).__name__,
            )
        return "padded"
    if failed:
        why = f"{type(failed[0]).__name__}: {failed[0]}"
        raise UsageError(
            f"{type(model).__name__} does not run on rows of documents ({why})",
            "an encoder that reads input_ids and attention_mask",
            "Train it with a stock Trainer and padded rows (packing=False of the collator)",
        )
    raise UsageError(
        f"{type(model).__name__} lets documents of a row see each other",
        "an encoder whose attention keeps documents apart",
        "Train it with a stock Trainer and padded rows (packing=False of the collator)",
    )


def keeps_apart(
    model: PreTrainedModel, layout: Layout = "packed", failed: list[Exception] | None = None
) -> bool:
    """Return whether documents of a row do not see each other.

    Tried with three documents: packed, each alone, and with the first one changed.

    Args:
        model: A masked-LM model.
        layout: How the rows reach it.
        failed: Gets the error where the model cannot be tried.
    """
    import torch

    ids, row = _trial(model)
    changed = _with_others(model, ids, slice(0, _LENGTHS[0]))
    borders = row["cu_seq_lens_q"].tolist()
    with _evaluating(model), torch.no_grad():
        try:
            packed = hidden_states(model, layout, ids, **row)[0].float()
            other = hidden_states(model, layout, changed, **row)[0].float()
            alone = [
                model.base_model(input_ids=ids[:, a:b])[0][0].float()
                for a, b in zip(borders, borders[1:], strict=False)
            ]
        except (TypeError, ValueError, RuntimeError, UsageError) as error:
            if failed is not None:
                failed.append(error)
            return False  # it does not take packed rows at all
    moved = _difference(packed[5:], other[5:], packed)
    return moved <= TOLERANCE and _difference(packed, torch.cat(alone), packed) <= TOLERANCE


def looks_back_only(model: PreTrainedModel) -> bool:
    """Return whether with ``past_only`` a token sees itself and what stands before it.

    Tried by changing the second document from its fifth token on: what stands before must not move,
    and what stands behind must.
    """
    import torch

    ids, row = _trial(model)
    first = _LENGTHS[0] + 4
    changed = _with_others(model, ids, slice(first, first + 1))
    with _evaluating(model), torch.no_grad():
        try:
            before = model.base_model(input_ids=ids, past_only=True, **row)[0][0].float()
            after = model.base_model(input_ids=changed, past_only=True, **row)[0][0].float()
        except (TypeError, ValueError, RuntimeError, UsageError):
            return False
    still = [*range(first), *range(_LENGTHS[0] + _LENGTHS[1], sum(_LENGTHS))]
    moves = _difference(before[first + 1], after[first + 1], before)
    return _difference(before[still], after[still], before) <= TOLERANCE < moves


_LENGTHS = (5, 9, 4)


def _trial(model: PreTrainedModel) -> tuple[torch.Tensor, dict[str, Any]]:
    """Return ids of three documents in a row, and what says where each ends."""
    import torch

    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(0)
    low = min(10, model.config.vocab_size - 2)
    ids = torch.randint(low, model.config.vocab_size, (1, sum(_LENGTHS)), generator=generator)
    borders = torch.tensor([0, 5, 14, 18], dtype=torch.int32, device=device)
    places = torch.cat([torch.arange(size) for size in _LENGTHS])[None]
    row = {
        "position_ids": (places + first_position(model.config)).to(device),
        "cu_seq_lens_q": borders,
        "cu_seq_lens_k": borders,
        "max_length_q": max(_LENGTHS),
        "max_length_k": max(_LENGTHS),
    }
    return ids.to(device), row


def _with_others(model: PreTrainedModel, ids: torch.Tensor, where: slice) -> torch.Tensor:
    """Return ids with other tokens at some places."""
    low = min(10, model.config.vocab_size - 2)
    changed = ids.clone()
    old = changed[0, where]
    changed[0, where] = low + (old - low + 1) % (model.config.vocab_size - low)
    return changed


def _difference(one: torch.Tensor, other: torch.Tensor, whole: torch.Tensor) -> float:
    return float((one - other).abs().max()) / (float(whole.abs().mean()) + 1e-9)


@contextmanager
def _evaluating(model: PreTrainedModel) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
