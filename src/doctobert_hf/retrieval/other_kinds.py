"""Models of other kinds, measured as what they are: sparse encoders and rerankers.

A sparse encoder (SPLADE) has a weight for each piece of the vocabulary; its passages are compared
by their dot product. A reranker (``CrossEncoder``) reads question and passage together, so that it
orders the best hundred passages that BM25 finds. Neither is trained or indexed here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.errors import UsageError
from doctobert_hf.retrieval.chunks import best_of_documents, cut, starts_of
from doctobert_hf.retrieval.saved_kinds import OtherKind, other_kind

if TYPE_CHECKING:
    from doctobert_hf.retrieval.evaluation import Result
    from doctobert_hf.retrieval.pairs import PairSet

_QUERIES = 64
_FLOAT = {"dtype": "float32"}


def open_reranker(place: str) -> Any:
    """Open a CrossEncoder.

    Any other model would open as one too, with a head drawn at random.

    Args:
        place: Folder or Hub id.

    Raises:
        UsageError: It is none, or has several outputs.
    """
    from sentence_transformers import CrossEncoder

    from doctobert_hf.retrieval.models import saved_kind

    try:
        kind = other_kind(place)
        found = kind or saved_kind(place) or "plain encoder's"
        model = CrossEncoder(place, trust_remote_code=False) if kind == "CrossEncoder" else None
    except (OSError, ValueError) as error:
        raise UsageError(
            f"'{place}' is no CrossEncoder ({' '.join(str(error).split())[:200]})",
            "a folder or Hub id of one",
        ) from error
    if model is None:
        raise UsageError(
            f"'{place}' is no CrossEncoder but a {found} model",
            "a folder or Hub id of one with one output",
            "Name a reranker, or leave --rerank out",
        )
    if model.num_labels != 1:
        raise UsageError(
            f"'{place}' has {model.num_labels} outputs", "one output: a reranker's score"
        )
    return model


def evaluate_other(
    system: str, pairs: PairSet, place: str, kind: OtherKind, batch_size: int = 32
) -> Result:
    """Measure a sparse encoder or a reranker on a set's questions.

    Args:
        system: What to call it.
        pairs: The questions, held out from training.
        place: Folder or Hub id.
        kind: Which of the two.
        batch_size: Texts, or pairs, encoded at once.

    Raises:
        UsageError: A reranker with several outputs.
    """
    measure = _sparse if kind == "SparseEncoder" else _reranker
    return measure(system, pairs, place, batch_size)


def _sparse(system: str, pairs: PairSet, place: str, batch_size: int) -> Result:
    from sentence_transformers import SparseEncoder

    from doctobert_hf.retrieval.evaluation import TOP, per_query, summary

    model: Any = SparseEncoder(place, model_kwargs=_FLOAT, trust_remote_code=False)
    begin = time.perf_counter()
    names = list(pairs.documents)
    prompt = model.prompts.get("document") or ""
    passages = cut(pairs.documents.values(), model.tokenizer, model.max_seq_length, prompt)
    encoded = model.encode_document(
        [passage.text for passage in passages], batch_size=batch_size, show_progress_bar=False
    ).coalesce()
    built = time.perf_counter()
    queries, starts = list(pairs.relevant), starts_of(passages)
    order = np.argsort(np.argsort(np.array(names)))  # equal scores: in order of id
    ranked: dict[str, list[tuple[str, float]]] = {}
    for first in range(0, len(queries), _QUERIES):
        some = queries[first : first + _QUERIES]
        asked = model.encode_query([pairs.queries[q] for q in some], show_progress_bar=False)
        scores = model.similarity(asked, encoded).cpu().numpy()
        for query, row in zip(some, best_of_documents(scores, starts), strict=True):
            ranked[query] = _best(row, names, order, TOP)
    searched = time.perf_counter()
    weights = encoded.values().numel()
    return summary(
        (system, "sparse", pairs),
        per_query(ranked, pairs.relevant, pairs.gains),
        passages=len(passages),
        index_bytes=weights * 8,
        documents_per_second=len(names) / (built - begin),
        queries_per_second=len(queries) / (searched - built),
        notes=[f"{weights / max(len(passages), 1):,.0f} weights a passage"],
    )


def _best(
    scores: np.ndarray, names: list[str], order: np.ndarray, top: int
) -> list[tuple[str, float]]:
    best = np.lexsort((order, -scores))[:top]
    return [(names[i], float(scores[i])) for i in best if scores[i] > 0]


def _reranker(system: str, pairs: PairSet, place: str, batch_size: int) -> Result:
    from doctobert_hf.retrieval.evaluation import TOP, per_query, summary
    from doctobert_hf.retrieval.index import Index

    model = open_reranker(place)
    begin = time.perf_counter()
    index = Index.build(pairs.documents)
    built = time.perf_counter()
    ranked = {
        query: [
            (hit.document, hit.score)
            for hit in index.search(pairs.queries[query], TOP, "lexical", rerank=model)
        ]
        for query in pairs.relevant
    }
    searched = time.perf_counter()
    return summary(
        (system, "reranker", pairs),
        per_query(ranked, pairs.relevant, pairs.gains),
        passages=len(index.passages),
        index_bytes=index.size,
        documents_per_second=len(pairs.documents) / (built - begin),
        queries_per_second=len(ranked) / (searched - built),
        notes=["orders the best hundred passages of BM25"],
    )
