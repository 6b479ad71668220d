"""Loss and prediction of each family of tasks, on the logits of all sequences of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from doctobert_hf.chunking.masking import IGNORED
from doctobert_hf.drbenchmark.finetuning.encoding import Item
from doctobert_hf.drbenchmark.spec import TaskSpec

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def output_width(task: TaskSpec) -> int:
    """Numbers the head gives for a sequence (or a token): labels, or 1 for scores and choices."""
    one = task.kind in ("similarity", "multiple-choice", "parallel-sentence")
    return 1 if one else len(task.labels)


def collate(
    task: TaskSpec, tokenizer: PreTrainedTokenizerBase, items: list[Item]
) -> dict[str, torch.Tensor]:
    """Pad the sequences of some rows to the longest of them.

    Returns:
        ``input_ids``, ``attention_mask`` and, where there are, ``token_type_ids``
        ``[sequences, length]``; ``owner`` ``[sequences]``: the row of each; ``labels``:
        ``[sequences, length]`` for tokens, else ``[rows]`` or ``[rows, labels]``.
    """
    inputs = [sequence for item in items for sequence in item.inputs]
    batch = dict(tokenizer.pad(inputs, return_tensors="pt", verbose=False))
    owners = [number for number, item in enumerate(items) for _ in item.inputs]
    batch["owner"] = torch.tensor(owners)
    if task.kind == "token-classification":
        length = batch["input_ids"].shape[1]
        rows = [labels for item in items for labels in item.labels]
        left = tokenizer.padding_side == "left"
        filled = [
            [IGNORED] * (length - len(row)) + row if left else row + [IGNORED] * (length - len(row))
            for row in rows
        ]
        batch["labels"] = torch.tensor(filled)
    else:
        batch["labels"] = torch.tensor([item.labels for item in items])
    return batch


def row_outputs(task: TaskSpec, logits: torch.Tensor, owner: torch.Tensor) -> torch.Tensor:
    """Bring the logits of sequences to what belongs to rows.

    Args:
        task: The task.
        logits: ``[sequences, length, labels]`` for tokens, else ``[sequences, width]``.
        owner: Row of each sequence, ascending.

    Returns:
        Tokens: as they are. Choices: ``[rows, choices]``. Else ``[rows, width]``, the mean over a
        row's chunks.
    """
    if task.kind == "token-classification":
        return logits
    if task.kind in ("multiple-choice", "parallel-sentence"):
        return logits.reshape(-1, len(task.labels))
    rows = int(owner[-1]) + 1
    total = logits.new_zeros(rows, logits.shape[-1], dtype=torch.float32)
    total.index_add_(0, owner, logits.float())
    return total / torch.bincount(owner, minlength=rows).clamp(min=1)[:, None]


def loss(task: TaskSpec, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean loss of a batch.

    Cross-entropy of tags, classes and candidates; binary cross-entropy of labels and of answers,
    several of which may be right; squared error of scores.
    """
    functional, outputs = torch.nn.functional, outputs.float()
    if task.kind == "token-classification":
        flat = outputs.reshape(-1, outputs.shape[-1])
        total = functional.cross_entropy(
            flat, labels.reshape(-1), ignore_index=IGNORED, reduction="sum"
        )
        return total / (labels != IGNORED).sum().clamp(min=1)
    if task.kind in ("multilabel-classification", "multiple-choice"):
        return functional.binary_cross_entropy_with_logits(outputs, labels.float())
    if task.kind == "similarity":
        return functional.mse_loss(outputs.reshape(-1), labels.float())
    return functional.cross_entropy(outputs, labels)


def decode(task: TaskSpec, items: list[Item], outputs: torch.Tensor) -> list[Any]:
    """Turn a batch's outputs into one prediction a row.

    Returns:
        Tokens: tag names of every word, ``O`` (or the first tag) for a word without a token; else a
        list of logits.
    """
    if task.kind != "token-classification":
        return outputs.float().cpu().tolist()
    best = outputs.argmax(-1).cpu().numpy()
    default = "O" if "O" in task.labels else task.labels[0]
    predictions, first = [], 0
    for item in items:
        tags = [
            default if number < 0 else task.labels[best[first + number, position]]
            for number, position in item.places
        ]
        predictions.append(tags if item.as_published else _continued(tags, item.places))
        first += len(item.inputs)
    return predictions


def _continued(tags: list[str], places: list[tuple[int, int]]) -> list[str]:
    """Words that share a token are one entity: ``B-X I-X``, not ``B-X B-X``.

    Tokenizers join what words keep apart: ``++``, ``+/-``, ``°C`` in XLM-R's vocabulary.
    """
    return [
        "I-" + tag[2:] if n and place == places[n - 1] != (-1, -1) and tag[:2] == "B-" else tag
        for n, (tag, place) in enumerate(zip(tags, places, strict=True))
    ]
