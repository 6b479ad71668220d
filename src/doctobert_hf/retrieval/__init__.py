"""Retrieval in French medical text: dense and late-interaction models of any encoder.

Training, evaluation beside BM25, and search, on Sentence Transformers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doctobert_hf.lazy import lazy_names

if TYPE_CHECKING:
    from doctobert_hf.retrieval.builders import (
        load_splits as load_splits,
        split_pairs as split_pairs,
    )
    from doctobert_hf.retrieval.evaluation import Result as Result, evaluate as evaluate
    from doctobert_hf.retrieval.index import Hit as Hit, Index as Index
    from doctobert_hf.retrieval.models import open_model as open_model
    from doctobert_hf.retrieval.pair_files import read_pairs as read_pairs
    from doctobert_hf.retrieval.pairs import (
        Pair as Pair,
        PairSet as PairSet,
        PairSplits as PairSplits,
    )
    from doctobert_hf.retrieval.recipe import (
        RetrievalConfig as RetrievalConfig,
        read_recipe as read_recipe,
    )
    from doctobert_hf.retrieval.train import RetrievalRun as RetrievalRun

_NAMES = {
    "Hit": ".index",
    "Index": ".index",
    "Pair": ".pairs",
    "PairSet": ".pairs",
    "PairSplits": ".pairs",
    "Result": ".evaluation",
    "RetrievalConfig": ".recipe",
    "RetrievalRun": ".train",
    "evaluate": ".evaluation",
    "load_splits": ".builders",
    "open_model": ".models",
    "read_pairs": ".pair_files",
    "read_recipe": ".recipe",
    "split_pairs": ".builders",
}
__all__ = [*_NAMES]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _NAMES)
