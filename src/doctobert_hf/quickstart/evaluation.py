"""Measuring a masked language model on held-out text, beside a unigram baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from doctobert_hf.chunking import DataCollatorForHierarchicalChunking
from doctobert_hf.chunking.masking import IGNORED
from doctobert_hf.errors import DataError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

EVALUATION_SEED = 1234

# Sentence with a mask, and words that a clinician would accept.
FILL_MASK: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Le patient présente une douleur [MASK] depuis deux jours.", ("thoracique", "abdominale")),
    ("Le traitement par [MASK] a été débuté.", ("amoxicilline", "paracétamol", "corticoïdes")),
    ("La radiographie du [MASK] est normale.", ("thorax", "poumon", "genou")),
    ("Prendre un comprimé par [MASK] au cours du repas.", ("jour",)),
    ("Si vous êtes enceinte, demandez conseil à votre [MASK].", ("médecin", "pharmacien")),
    ("L'examen [MASK] retrouve une température à 39 degrés.", ("clinique", "physique")),
    ("Il existe un risque de réaction [MASK] grave.", ("allergique", "cutanée")),
    ("La [MASK] artérielle est à 140/90.", ("pression", "tension")),
    ("Ne dépassez pas la [MASK] prescrite.", ("dose", "posologie")),
    ("L'évolution a été [MASK] sous traitement.", ("favorable", "bonne", "marquée")),
)


def evaluate_masked_lm(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    unigram_counts: np.ndarray,
    max_length: int,
    batch_size: int = 64,
) -> dict[str, float]:
    """Return masked accuracy and perplexity of a model and of unigrams, on the same masks.

    Args:
        model: A masked language model.
        tokenizer: Its tokenizer.
        texts: Held-out chunks, each within ``max_length``.
        unigram_counts: How often each token occurs in the training text, [vocabulary].
        max_length: Tokens per chunk.
        batch_size: Chunks per forward pass.

    Returns:
        ``accuracy, perplexity, unigram_accuracy, unigram_perplexity, masked_tokens``. All tokens
        chosen at 15 % count, weighted equally; masks are fixed by a seed. The unigram model has
        add-one smoothing and always answers the most frequent token.
    """
    collator = DataCollatorForHierarchicalChunking(
        tokenizer, max_length, 0.15, seed=EVALUATION_SEED, max_rows=batch_size
    )
    smoothed = (unigram_counts + 1) / (unigram_counts + 1).sum()
    log_unigram, best = np.log(smoothed), int(unigram_counts.argmax())
    device = next(model.parameters()).device
    model.eval()
    loss = unigram_loss = 0.0
    right = unigram_right = count = 0
    for first in range(0, len(texts), batch_size):
        batch = collator([{"text": text} for text in texts[first : first + batch_size]])
        asked = batch["labels"] != IGNORED
        labels = batch["labels"][asked]
        with torch.no_grad():
            logits = (
                model(
                    input_ids=batch["input_ids"].to(device),
                    attention_mask=batch["attention_mask"].to(device),
                )
                .logits.float()
                .cpu()[asked]
            )
        loss += torch.nn.functional.cross_entropy(logits, labels, reduction="sum").item()
        right += int((logits.argmax(-1) == labels).sum())
        unigram_loss -= float(log_unigram[labels.numpy()].sum())
        unigram_right += int((labels == best).sum())
        count += len(labels)
    if not count:
        raise DataError(
            f"The {len(texts)} held-out chunks are too short: no token of them was masked",
            "some hundred held-out words",
            "Give more or longer documents",
        )
    return {
        "accuracy": right / count,
        "perplexity": math.exp(min(loss / count, 700)),
        "unigram_accuracy": unigram_right / count,
        "unigram_perplexity": math.exp(unigram_loss / count),
        "masked_tokens": count,
    }


def fill_mask(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, top: int = 5
) -> list[dict[str, object]]:
    """Return the model's answers to :data:`FILL_MASK`: sentence, answers, expected, whether hit."""
    device = next(model.parameters()).device
    model.eval()
    rows: list[dict[str, object]] = []
    for sentence, expected in FILL_MASK:
        batch = tokenizer(sentence, return_tensors="pt").to(device)
        with torch.no_grad():
            logits = model(**batch).logits[batch["input_ids"] == tokenizer.mask_token_id][0]
        answers = [str(tokenizer.decode([i])).strip() for i in logits.topk(top).indices.tolist()]
        rows.append(
            {
                "sentence": sentence,
                "answers": answers,
                "expected": list(expected),
                "hit": any(answer in expected for answer in answers),
            }
        )
    return rows
