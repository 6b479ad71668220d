"""BM25 over French words, by ``bm25s``: the baseline every retrieval model is measured beside."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def require_bm25() -> None:
    """Raise where what BM25 is computed with is not installed.

    Raises:
        UsageError: ``bm25s`` or ``PyStemmer`` is absent, with the command that installs them.
    """
    missing = [name for name in ("bm25s", "Stemmer") if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"BM25 needs {' and '.join(missing)}",
            "them installed",
            "Install them: pip install 'doctobert-hf[retrieval]'",
        )


class BM25:
    """BM25 (Lucene's variant, k1 1.5, b 0.75) with French stop words and Snowball's stemmer.

    Stop words and stemming are there because they make it better on French medical questions:
    nDCG@10 on LabForSims2's test questions is 0.081 with both and 0.051 with neither.

    Args:
        texts: The passages.

    Raises:
        UsageError: ``bm25s`` or ``PyStemmer`` is not installed.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        require_bm25()
        import bm25s
        import Stemmer

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it tells of every step
        self._stem = Stemmer.Stemmer("french")
        self._index = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
        self._count = len(texts)
        words = self._words(texts)
        self._has_words = any(words)
        if self._has_words:
            self._index.index(words, show_progress=False)

    @property
    def size(self) -> int:
        """Bytes of the table of scores and its vocabulary of words."""
        if not self._has_words:
            return 0
        table: Any = self._index.scores
        arrays = (table[key] for key in ("data", "indices", "indptr"))
        words = sum(len(word.encode()) for word in self._index.vocab_dict)
        return sum(np.asarray(array).nbytes for array in arrays) + words

    def scores(self, queries: Sequence[str]) -> NDArray[np.floating]:
        """Return the score of every passage: shape (queries, passages)."""
        scores = np.zeros((len(queries), self._count), np.float32)
        if self._has_words:
            for row, words in zip(scores, self._words(queries), strict=True):
                known = [word for word in words if word in self._index.vocab_dict]
                if known:
                    row[:] = self._index.get_scores(known)
        return scores

    def _words(self, texts: Sequence[str]) -> list[list[str]]:
        import bm25s

        return bm25s.tokenize(
            list(texts),
            stopwords="fr",
            stemmer=self._stem,
            return_ids=False,
            show_progress=False,
        )
