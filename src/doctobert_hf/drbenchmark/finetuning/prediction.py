"""Predicting items with a model: the evaluator's, and so what is printed and what is used agree."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from doctobert_hf.drbenchmark.families import family_of
from doctobert_hf.reporting.progress import Progress

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from doctobert_hf.drbenchmark.families import Item
    from doctobert_hf.drbenchmark.spec import TaskSpec

BATCH = 32
"""Items of a batch; they are sorted by length first."""
MOST_TOKENS = 32_768
"""Tokens of a batch, padding counted: long documents are many sequences."""


def predict_items(
    task: TaskSpec,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    items: Sequence[Item],
    scored: bool = False,
    autocast: Callable[[], Any] = contextlib.nullcontext,
) -> list[Any]:
    """Predict items, in their order; those of like length are batched together.

    Args:
        task: The task.
        model: Encoder with a head for it, on its device; its training mode is put back.
        tokenizer: Pads.
        items: Encoded rows.
        scored: Whether predictions come with their certainty.
        autocast: Context in which the model computes.

    Returns:
        One prediction an item, as the family's ``decode`` or ``decode_scored`` makes them.
    """
    import torch

    family = family_of(task)
    decode = family.decode_scored if scored else family.decode
    training = model.training
    model.eval()
    found: list[Any] = [None] * len(items)
    with Progress(f"predicting {task.name}", len(items), "rows") as progress:
        for places in _batches(items):
            batch = [items[place] for place in places]
            inputs = family.collate(task, tokenizer, batch)
            inputs = {name: value.to(model.device) for name, value in inputs.items()}
            owner = inputs.pop("owner")
            inputs.pop("labels")
            with torch.no_grad(), autocast():
                outputs = family.outputs(task, _logits(model, inputs), owner)
            for place, prediction in zip(places, decode(task, batch, outputs), strict=True):
                found[place] = prediction
            progress.update(len(batch))
    model.train(training)
    return found


def _batches(items: Sequence[Item]) -> list[list[int]]:
    """Places of each batch's items, by length; at least one item a batch."""
    order = sorted(range(len(items)), key=lambda i: items[i].longest)
    batches: list[list[int]] = []
    sequences = 0
    for place in order:
        item = items[place]
        full = (
            not batches
            or len(batches[-1]) == BATCH
            or (sequences + len(item.inputs)) * item.longest > MOST_TOKENS
        )
        if full:
            batches.append([])
            sequences = 0
        batches[-1].append(place)
        sequences += len(item.inputs)
    return batches


def _logits(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """The model's logits; the sequences of one huge document in several passes."""
    import torch

    count, length = inputs["input_ids"].shape
    step = max(1, MOST_TOKENS // length)
    if count <= step:
        return model(**inputs).logits
    parts = [
        model(**{name: value[i : i + step] for name, value in inputs.items()}).logits
        for i in range(0, count, step)
    ]
    return torch.cat(parts)
