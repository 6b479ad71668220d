"""Predicting items with a model: the evaluator's, and so what is printed and what is used agree."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from doctobert_hf.drbenchmark.finetuning import families
from doctobert_hf.reporting.progress import Progress

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from doctobert_hf.drbenchmark.finetuning.encoding import Item
    from doctobert_hf.drbenchmark.spec import TaskSpec

T = TypeVar("T")
BATCH = 32
"""Items of a batch; they are sorted by length first."""
MOST_TOKENS = 32_768
"""Tokens of a batch, padding counted: long documents are many sequences."""


def predict_items(
    task: TaskSpec,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    items: Sequence[Item],
    decode: Callable[[TaskSpec, list[Item], torch.Tensor], list[Any]] = families.decode,
    autocast: Callable[[], Any] = contextlib.nullcontext,
) -> list[Any]:
    """Predict items, in their order; those of like length are batched together.

    Args:
        task: The task.
        model: Encoder with a head for it, on its device; its training mode is put back.
        tokenizer: Pads.
        items: Encoded rows.
        decode: Makes predictions of a batch's outputs (:func:`families.decode`).
        autocast: Context in which the model computes.

    Returns:
        One prediction an item, as ``decode`` makes them.
    """
    import torch

    training = model.training
    model.eval()
    found: list[Any] = [None] * len(items)
    with Progress(f"predicting {task.name}", len(items), "rows") as progress:
        for places in _batches(items):
            batch = [items[place] for place in places]
            inputs = families.collate(task, tokenizer, batch)
            inputs = {name: value.to(model.device) for name, value in inputs.items()}
            owner = inputs.pop("owner")
            inputs.pop("labels")
            with torch.no_grad(), autocast():
                outputs = families.row_outputs(task, _logits(model, inputs), owner)
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


def decode_with_scores(task: TaskSpec, items: list[Item], outputs: torch.Tensor) -> list[Any]:
    """Like :func:`families.decode`; for words, tags with the probability of each word's tag.

    Returns:
        Tokens: ``(tags, probabilities)`` of each item; else a list of logits.
    """
    tags = families.decode(task, items, outputs)
    if task.kind != "token-classification":
        return tags
    best = outputs.float().softmax(-1).amax(-1).cpu().numpy()
    found, first = [], 0
    for item, own in zip(items, tags, strict=True):
        scores = [
            0.0 if number < 0 else float(best[first + number, position])
            for number, position in item.places
        ]
        found.append((own, scores))
        first += len(item.inputs)
    return found
