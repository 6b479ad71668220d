"""Models of other kinds, measured as what they are: sparse encoders and rerankers.

A sparse encoder (SPLADE) has a weight for each piece of the vocabulary; its passages are compared
by their dot product. A reranker (``CrossEncoder``) reads question and passage together, so that it
orders the best hundred passages that BM25 finds. Neither is indexed here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import UsageError
from doctobert_hf.retrieval.saved_kinds import OtherKind, other_kind
from doctobert_hf.retrieval.sparse import evaluate_sparse, open_sparse

if TYPE_CHECKING:
    from doctobert_hf.retrieval.evaluation import Result
    from doctobert_hf.retrieval.pairs import PairSet


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
    if kind == "SparseEncoder":
        return evaluate_sparse(system, pairs, open_sparse(place), batch_size)
    return _reranker(system, pairs, place, batch_size)


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
