"""Held-out documents as packed rows with masks that never change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from doctobert_hf.chunking.masking import IGNORED, TokenMasker
from doctobert_hf.pretraining.callbacks.logs import shows_progress
from doctobert_hf.pretraining.data.dataset import causal_row, pack_row
from doctobert_hf.pretraining.data.packing import SequencePacker
from doctobert_hf.pretraining.data.store import TokenStore
from doctobert_hf.pretraining.objectives import Objective
from doctobert_hf.reporting.progress import track

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def eval_rows(
    store: TokenStore,
    tokenizer: PreTrainedTokenizerBase,
    row_tokens: int,
    mlm_probability: float,
    seed: int,
    position: int,
    objective: Objective = "mlm",
) -> list[dict[str, Any]]:
    """Pack every document of a store once; its masks are drawn from its index alone."""
    masker = TokenMasker(tokenizer, mlm_probability)
    size = len(store)
    packer = SequencePacker(store.lengths, row_tokens, order=lambda _: np.arange(size))
    rows, left = [], set(range(size))
    while left:
        documents = [d for d in packer.next_row() if d in left]
        left -= set(documents)
        if not documents:
            continue
        if objective == "clm":
            ids = np.concatenate([store[d] for d in documents]).astype(np.int64)
            rows.append(causal_row(ids, store.lengths_of(documents), 0, None, position))
            continue
        parts = [
            masker(store[d].astype(np.int64), np.random.default_rng([seed, 2, d]))
            for d in documents
        ]
        labels = np.concatenate([part[1] for part in parts])
        positions = np.flatnonzero(labels != IGNORED)
        if len(positions):
            ids = np.concatenate([part[0] for part in parts])
            lengths = store.lengths_of(documents)
            row = pack_row(ids, lengths, positions, labels[positions], 0, first_position=position)
            rows.append(row)
    return rows


def unigram_scores(train: TokenStore, held_out: TokenStore) -> dict[str, float]:
    """Return what a model scores that knows only how often each token occurs.

    It always answers the most frequent token; its probabilities have add-one smoothing. The
    baseline of a masked language model's ``eval_accuracy`` and ``eval_perplexity``.

    Args:
        train: Where tokens are counted. Special tokens at a document's ends count in neither.
        held_out: What is predicted: every token of it.

    Returns:
        ``accuracy`` (0 to 1) and ``perplexity``.

    Example:
        >>> from doctobert_hf.pretraining import build_store
        >>> store = build_store(texts, tokenizer, "store", max_length=64)
        >>> 0 < unigram_scores(store, store)["accuracy"] < 1
        True
    """
    counts, asked = (
        np.bincount(np.concatenate([store[i][1:-1] for i in range(len(store))]))
        for store in (train, held_out)
    )
    size = max(len(counts), len(asked))
    counts, asked = (np.pad(found, (0, size - len(found))) for found in (counts, asked))
    log_shares = np.log((counts + 1) / (counts + 1).sum())
    return {
        "accuracy": float(asked[counts.argmax()] / max(asked.sum(), 1)),
        "perplexity": float(np.exp(-(asked * log_shares).sum() / max(asked.sum(), 1))),
    }


def measured(trainer: Any, rows: list[dict[str, Any]]) -> list[float]:
    """Return summed loss, right predictions and predicted tokens over all ranks.

    Args:
        trainer: The trainer, whose model is evaluated as it is now.
        rows: Packed rows; each rank takes every n-th.
    """
    import torch.distributed as dist

    model, args = trainer.model, trainer.args
    exact = torch.float32 if args.device.type == "mps" else torch.float64  # Apple has no doubles
    sums = torch.zeros(3, dtype=exact, device=args.device)
    training = model.training
    model.eval()
    mine = rows[args.process_index :: args.world_size]
    shown = trainer.is_world_process_zero() and shows_progress(args)
    with torch.no_grad():
        for row in track(mine, "evaluating", unit="rows") if shown else mine:
            # Before training the model is not wrapped yet, and would run in float32.
            with trainer.compute_loss_context_manager(), trainer.accelerator.autocast():
                output = model(**moved(row, args.device), num_items=1)
            count = int((row["masked_labels"] != IGNORED).sum())
            sums += torch.stack(
                [output["loss"].to(exact), output["right"].to(exact), sums.new_tensor(count)]
            )
    model.train(training)
    if args.world_size > 1:
        dist.all_reduce(sums)
    return sums.tolist()


def moved(row: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """Return a row with its tensors on a device."""
    return {
        name: value.to(device, non_blocking=True) if isinstance(value, torch.Tensor) else value
        for name, value in row.items()
    }
