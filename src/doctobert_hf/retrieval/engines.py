"""Engines that find near vectors without comparing all of them, for indexes beyond exact search.

Exact search stays the default: it is right, and fast to some hundred thousand passages. An engine
is approximate; :func:`recall_of` says how much it finds of what exact search does. Adding one is a
class here and its name in ``ENGINES``.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from doctobert_hf.errors import DataError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from doctobert_hf.retrieval.vectors import Vectors


class Engine(Protocol):
    """What an engine can do."""

    def build(self, vectors: Vectors, similarity: str) -> None:
        """Take all vectors in; tokens' vectors for late interaction."""

    def nearest(self, queries: NDArray[np.floating], top: int) -> NDArray[np.int64]:
        """Return the numbers of the nearest vectors, shape (queries, top); -1: none."""

    def save(self, path: Path) -> None:
        """Write to a file."""

    def load(self, path: Path) -> None:
        """Read from a file, mapped where the engine can."""


class Faiss:
    """FAISS: a graph (HNSW) for passages' vectors, inverted lists (IVF) for tokens' vectors.

    Raises:
        UsageError: ``faiss`` is not installed, or the model's similarity is none of its own.
    """

    # benchmarks/searching.py prints recall@10 beside exact search with these.
    LINKS, BUILD_EFFORT, SEARCH_EFFORT = 32, 80, 128
    PROBES = 16

    def __init__(self) -> None:
        if importlib.util.find_spec("faiss") is None:
            raise UsageError(
                "The engine 'faiss' needs faiss",
                "it installed",
                "Install it: pip install faiss-cpu, or search exactly (the default)",
            )
        self._index: Any = None

    def build(self, vectors: Vectors, similarity: str) -> None:
        """Take all vectors in."""
        import faiss

        if similarity not in ("cosine", "dot", "maxsim"):
            raise UsageError(
                f"The engine 'faiss' for a model with similarity '{similarity}'",
                "cosine or dot",
                "Search exactly (the default)",
            )
        width, count = vectors.blocks[0].shape[1], sum(map(len, vectors.blocks))
        inner = faiss.METRIC_INNER_PRODUCT
        if vectors.is_late:
            lists = int(np.clip(4 * np.sqrt(count), 1, max(1, count // 39)))
            self._index = faiss.index_factory(width, f"IVF{lists},SQfp16", inner)
            sample = np.concatenate(
                [block[:: max(1, count // 200_000)] for block in vectors.blocks]
            )
            self._index.train(sample.astype(np.float32))
        else:
            self._index = faiss.IndexHNSWFlat(width, self.LINKS, inner)
            self._index.hnsw.efConstruction = self.BUILD_EFFORT
        for block in vectors.blocks:
            for first in range(0, len(block), 65_536):
                self._index.add(np.asarray(block[first : first + 65_536], np.float32))

    def nearest(self, queries: NDArray[np.floating], top: int) -> NDArray[np.int64]:
        """Return the numbers of the nearest vectors."""
        import faiss as library

        faiss: Any = library  # its stubs know the C++ names only
        graph = isinstance(self._index, faiss.IndexHNSW)
        settings = (
            faiss.SearchParametersHNSW(efSearch=max(self.SEARCH_EFFORT, top))
            if graph
            else faiss.SearchParametersIVF(nprobe=self.PROBES)
        )
        queries = np.ascontiguousarray(queries, np.float32)
        return self._index.search(queries, top, params=settings)[1]

    def save(self, path: Path) -> None:
        """Write to a file."""
        import faiss

        faiss.write_index(self._index, str(path))

    def load(self, path: Path) -> None:
        """Map a file."""
        import faiss

        try:
            self._index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
        except RuntimeError as error:
            raise DataError(f"'{path}' is no index of FAISS ({error})") from error


ENGINES: dict[str, type[Faiss]] = {"faiss": Faiss}
"""Engines by the name that ``--engine`` takes; ``exact`` is none of them."""


def make_engine(name: str) -> Engine | None:
    """Return an engine; None for ``exact``.

    Raises:
        UsageError: No such engine, or what it needs is missing.
    """
    from doctobert_hf.errors import nearest

    if name == "exact":
        return None
    if name not in ENGINES:
        known = ["exact", *ENGINES]
        raise UsageError(f"No engine '{name}'", f"one of {', '.join(known)}", nearest(name, known))
    return ENGINES[name]()


def recall_of(found: list[list[str]], exact: list[list[str]]) -> float:
    """Return the share of what exact search found that an engine found, mean over queries.

    Example:
        >>> recall_of([["a", "b"]], [["a", "c"]])
        0.5
    """
    shares = [len(set(f) & set(e)) / len(e) for f, e in zip(found, exact, strict=True) if e]
    return float(np.mean(shares)) if shares else 1.0
