"""Sparse models (SPLADE): a weight for each piece of the vocabulary, from a masked LM's head.

A passage is compared with a question by their dot product: a search by words that also knows words
which are not there. They are trained and measured here; indexes hold dense vectors only.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.errors import UsageError
from doctobert_hf.retrieval.chunks import Passage, best_of_documents, cut, starts_of
from doctobert_hf.retrieval.models import (
    document_length,
    lengths_of,
    require_sentence_transformers,
    set_lengths,
    tokenizer_of,
    told_changes,
)
from doctobert_hf.retrieval.saved_kinds import other_kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from doctobert_hf.retrieval.evaluation import Result
    from doctobert_hf.retrieval.pairs import PairSet
    from doctobert_hf.retrieval.recipe import RetrievalConfig

logger = logging.getLogger(__name__)
_QUERIES = 64  # questions compared with all passages at once
_FLOAT = {"dtype": "float32"}


def is_sparse(model: Any) -> bool:
    """Return whether a model is a sparse one."""
    return type(model).__name__ == "SparseEncoder"


def open_sparse(place: str) -> Any:
    """Open a sparse encoder."""
    require_sentence_transformers()
    from sentence_transformers import SparseEncoder

    return SparseEncoder(place, model_kwargs=_FLOAT, trust_remote_code=False)


def new_sparse(config: RetrievalConfig) -> Any:
    """Make the sparse model a recipe trains: of a masked language model, or of a sparse encoder.

    A sparse encoder keeps its pooling, and its prompts unless the recipe names others, which is
    told.

    Raises:
        UsageError: The base has no masked-LM head: weights of the vocabulary would be random.
    """
    require_sentence_transformers()
    if trained := other_kind(config.base_model) == "SparseEncoder":
        model = open_sparse(config.base_model)
        if not hasattr(model[0], "document_length"):
            raise UsageError(
                f"base_model '{config.base_model}' looks questions up in a table (inference-free)",
                "a sparse encoder that reads both sides, or a masked language model",
            )
        logger.info("'%s' is a sparse encoder and keeps its pooling", config.base_model)
        for line in told_changes(model, config):
            logger.warning("the recipe changes the base's %s", line)
        model.prompts = {**model.prompts, **config.given_prompts}
    else:
        _check_head(config.base_model)
        model = _of_masked_lm(config.base_model)
        model.prompts = config.new_prompts
    set_lengths(model, *lengths_of(model, config, trained))
    return model


def _of_masked_lm(place: str) -> Any:
    from sentence_transformers import SparseEncoder
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sparse_encoder.modules import SpladePooling

    transformer = Transformer(place, transformer_task="fill-mask", model_kwargs=_FLOAT)
    return SparseEncoder(modules=[transformer, SpladePooling("max")])


def _check_head(place: str) -> None:
    """Refuse a base whose checkpoint has no head: Transformers would draw one at random."""
    from sentence_transformers.util import load_file_path

    offline = Path(place).is_dir()
    path = load_file_path(place, "config.json", local_files_only=offline)
    config = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    found = config.get("architectures") or []
    if not any(name.endswith(("ForMaskedLM", "ForPreTraining")) for name in found):
        raise UsageError(
            f"base_model '{place}' is {' or '.join(found) or 'no model with config.json'}",
            "a masked language model with its head (...ForMaskedLM): it says which words a text "
            "has to do with",
            "Name the model that pretraining left, or train kind dense",
        )


def make_sparse_loss(model: Any, config: RetrievalConfig) -> Any:
    """Return the contrastive loss, and what keeps few weights over zero (FLOPS)."""
    from sentence_transformers.sparse_encoder import losses

    inner = losses.SparseMultipleNegativesRankingLoss(model, scale=config.loss_scale)
    weights: dict[str, Any] = {
        "document_regularizer_weight": config.document_sparsity,
        "query_regularizer_weight": config.query_sparsity,
    }
    if config.mini_batch_size > 0:
        size = config.mini_batch_size
        return losses.CachedSpladeLoss(model, inner, **weights, mini_batch_size=size)
    return losses.SpladeLoss(model, inner, **weights)


class SparseTable:
    """Passages of documents with their weights, in memory.

    Args:
        documents: Text by id.
        model: A sparse encoder.
        batch_size: Passages encoded at once.

    Attributes:
        passages: Cut to the model's length, in document order.
        starts: Number of each document's first passage.
        weights: How many are not zero.
    """

    def __init__(self, documents: Mapping[str, str], model: Any, batch_size: int = 32) -> None:
        self.model = model
        prompt = model.prompts.get("document") or ""
        self.passages: list[Passage] = cut(
            documents.values(), tokenizer_of(model), document_length(model), prompt
        )
        self.starts = np.array(starts_of(self.passages))
        self._encoded = model.encode_document(
            [passage.text for passage in self.passages],
            batch_size=batch_size,
            show_progress_bar=False,
        ).coalesce()
        self.weights = self._encoded.values().numel()

    def scores(self, queries: Sequence[str]) -> NDArray[np.floating]:
        """Return the score of every passage: shape (queries, passages)."""
        asked = self.model.encode_query(list(queries), show_progress_bar=False)
        return self.model.similarity(asked, self._encoded).cpu().numpy()


def evaluate_sparse(system: str, pairs: PairSet, model: Any, batch_size: int = 32) -> Result:
    """Measure a sparse encoder on a set's questions.

    Args:
        system: What to call it.
        pairs: The questions, held out from training.
        model: The sparse encoder.
        batch_size: Texts encoded at once.
    """
    from doctobert_hf.retrieval.evaluation import TOP, length_notes, per_query, summary

    begin = time.perf_counter()
    names = list(pairs.documents)
    table = SparseTable(pairs.documents, model, batch_size)
    built = time.perf_counter()
    queries = list(pairs.relevant)
    order = np.argsort(np.argsort(np.array(names)))  # equal scores: in order of id
    ranked: dict[str, list[tuple[str, float]]] = {}
    for first in range(0, len(queries), _QUERIES):
        some = queries[first : first + _QUERIES]
        scores = best_of_documents(table.scores([pairs.queries[q] for q in some]), table.starts)
        for query, row in zip(some, scores, strict=True):
            ranked[query] = _best(row, names, order, TOP)
    searched = time.perf_counter()
    return summary(
        (system, "sparse", pairs),
        per_query(ranked, pairs.relevant, pairs.gains),
        passages=len(table.passages),
        index_bytes=table.weights * 8,
        documents_per_second=len(names) / (built - begin),
        queries_per_second=len(queries) / (searched - built),
        notes=[
            f"{table.weights / max(len(table.passages), 1):,.0f} weights a passage",
            *length_notes(pairs, table.passages, model),
        ],
    )


def _best(
    scores: NDArray[np.floating], names: list[str], order: NDArray[np.int64], top: int
) -> list[tuple[str, float]]:
    best = np.lexsort((order, -scores))[:top]
    return [(names[i], float(scores[i])) for i in best if scores[i] > 0]
