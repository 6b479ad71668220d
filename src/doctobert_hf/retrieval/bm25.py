"""BM25 over French words, by ``bm25s``: the baseline every retrieval model is measured beside."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.corpus import require_texts
from doctobert_hf.errors import DataError, UsageError

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
    """BM25 (Lucene's variant, k1 1.5, b 0.75) over the words of :class:`.lexical.FrenchAnalyzer`.

    Args:
        texts: The passages.
        abbreviations: Whether clinical abbreviations meet what they stand for.

    Raises:
        UsageError: ``bm25s`` or ``PyStemmer`` is not installed.

    Example:
        >>> BM25(["une hépatite B", "une hépatite C"]).scores(["hepatite c"])[0].argmax()
        np.int64(1)
    """

    def __init__(self, texts: Sequence[str], abbreviations: bool = False) -> None:
        require_texts(texts)
        self._begin(len(texts), abbreviations)
        words = self.analyze(texts)
        if any(words):
            self._index.index(words, show_progress=False)
            self._has_words = True

    def _begin(self, count: int, abbreviations: bool) -> None:
        require_bm25()
        import bm25s

        from doctobert_hf.retrieval.lexical import FrenchAnalyzer

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it tells of every step
        self.analyze = FrenchAnalyzer(abbreviations)
        self._index: Any = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
        self._count, self._has_words = count, False

    def __len__(self) -> int:
        """Return the number of passages."""
        return self._count

    @property
    def size(self) -> int:
        """Bytes of the table of scores and its vocabulary of words."""
        if not self._has_words:
            return 0
        table: Any = self._index.scores
        arrays = (table[key] for key in ("data", "indices", "indptr"))
        words = sum(len(word.encode()) for word in self._index.vocab_dict)
        return sum(np.asarray(array).nbytes for array in arrays) + words

    def words(self, query: str) -> tuple[list[str], list[str]]:
        """Return a query's words that stand in a passage, and those that do not, as written.

        Words that are found by their abbreviation are not among the latter.
        """
        vocabulary = self._index.vocab_dict if self._has_words else {}
        known, unknown = dict[str, None](), dict[str, None]()
        for written, word in self.analyze.pairs(query):
            if word in vocabulary:
                known[written] = None
            elif " " not in written:  # else a wording whose abbreviation stands nowhere
                unknown[written] = None
        met = {word for written in known for word in written.split(" ")}
        return list(known), [word for word in unknown if word not in met]

    def scores(self, queries: Sequence[str]) -> NDArray[np.floating]:
        """Return the score of every passage: shape (queries, passages)."""
        require_texts(queries, "questions")
        scores = np.zeros((len(queries), self._count), np.float32)
        if self._has_words:
            for row, words in zip(scores, self.analyze(queries), strict=True):
                known = [word for word in words if word in self._index.vocab_dict]
                if known:
                    row[:] = self._index.get_scores(known)
        return scores

    def save(self, folder: Path) -> None:
        """Write the table into a folder."""
        if self._has_words:
            self._index.save(str(folder), show_progress=False)

    @classmethod
    def load(cls, folder: Path, count: int, abbreviations: bool = False) -> BM25:
        """Open a table that :meth:`save` wrote, by memory map.

        Args:
            folder: The folder.
            count: Number of passages it was made of.
            abbreviations: What it was made with.

        Raises:
            DataError: It cannot be read, or is of another number of passages.
        """
        import bm25s

        made = cls.__new__(cls)
        made._begin(count, abbreviations)
        if not any(folder.iterdir()):
            return made  # passages without a word
        try:
            made._index = bm25s.BM25.load(str(folder), mmap=True, show_progress=False)
            documents = int(made._index.scores["num_docs"])
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"The table of words '{folder}' is damaged ({error})") from error
        if documents != count:
            raise DataError(
                f"The table of words '{folder}' is of {documents:,} passages", f"{count:,}"
            )
        made._has_words = True
        return made
