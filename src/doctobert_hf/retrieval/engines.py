"""Engines that find near vectors without comparing all of them, for indexes beyond exact search.

Exact search stays the default: it is right, and fast to some hundred thousand passages. An engine
may miss some of them; :func:`recall_of` says how much it finds of what exact search does. FAISS
keeps a file in the index's folder, Qdrant (:mod:`.qdrant`) is a server. An engine offers passages;
what they score is computed here, from the index's own vectors. Adding one is a class with
``nearest``, its name in ``ENGINES``, and where it is made and opened in :mod:`.index_engine`.
"""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from doctobert_hf.errors import DataError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from doctobert_hf.retrieval.vectors import Vectors


class Engine(Protocol):
    """What an index searches with."""

    def nearest(self, query: NDArray[np.floating], top: int) -> NDArray[np.int64]:
        """Return the numbers of passages near a question, at most about ``top``, in any order.

        Args:
            query: Shape (dimensions,); of late interaction (tokens, dimensions).
            top: Passages; of late interaction an engine may take as many for each token.
        """


def check_similarity(name: str, similarity: str) -> None:
    """Raise where a model compares otherwise than by products, which is all that engines do here.

    Raises:
        UsageError: By a distance.
    """
    if similarity not in ("cosine", "dot", "maxsim"):
        raise UsageError(
            f"The engine '{name}' for a model with similarity '{similarity}'",
            "cosine or dot",
            "Search exactly (the default)",
        )


class Faiss:
    """FAISS: a graph (HNSW) for passages' vectors, inverted lists (IVF) for tokens' vectors.

    Raises:
        UsageError: ``faiss`` is not installed, or the model's similarity is none of its own.
    """

    # benchmarks/retrieval.py prints recall@10 beside exact search with these.
    LINKS, BUILD_EFFORT, SEARCH_EFFORT = 32, 80, 128
    PROBES = 16

    def __init__(self) -> None:
        if importlib.util.find_spec("faiss") is None:
            raise UsageError(
                "The engine 'faiss' needs faiss",
                "it installed",
                "Install it: pip install 'doctobert-hf[faiss]', or search exactly (the default)",
            )
        # It tells which of its builds it tried, an exception's text included.
        logging.getLogger("faiss.loader").setLevel(logging.WARNING)
        self._index: Any = None
        self._firsts: NDArray[np.int64] | None = None

    def build(self, vectors: Vectors, similarity: str) -> None:
        """Take all vectors in."""
        import faiss

        check_similarity("faiss", similarity)
        self._firsts = vectors.firsts
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

    def nearest(self, query: NDArray[np.floating], top: int) -> NDArray[np.int64]:
        """Return the numbers of near passages; of late interaction ``top`` of each token."""
        import faiss as library

        faiss: Any = library  # its stubs know the C++ names only
        graph = isinstance(self._index, faiss.IndexHNSW)
        settings = (
            faiss.SearchParametersHNSW(efSearch=max(self.SEARCH_EFFORT, top))
            if graph
            else faiss.SearchParametersIVF(nprobe=self.PROBES)
        )
        queries = np.ascontiguousarray(np.atleast_2d(query), np.float32)
        near = self._index.search(queries, top, params=settings)[1]
        found = np.unique(near[near >= 0])
        if self._firsts is None:
            return found
        return np.unique(np.searchsorted(self._firsts, found, "right") - 1)

    def save(self, path: Path) -> None:
        """Write to a file."""
        import faiss

        faiss.write_index(self._index, str(path))

    def load(self, path: Path, vectors: Vectors) -> None:
        """Map a file that was made of these vectors."""
        import faiss

        self._firsts = vectors.firsts

        try:
            self._index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
        except RuntimeError as error:
            raise DataError(f"'{path}' is no index of FAISS ({error})") from error


ENGINES = ("exact", "faiss", "qdrant")
"""What ``--engine`` takes."""


def check_engine(name: str, place: str | None = None) -> None:
    """Check an engine's name, that it is installed, and that its server's address fits.

    Args:
        name: One of ``ENGINES``.
        place: Address of its server.

    Raises:
        UsageError: No such engine, what it needs is missing, or it has no server.
    """
    from doctobert_hf.errors import nearest

    if name not in ENGINES:
        known = list(ENGINES)
        raise UsageError(f"No engine '{name}'", f"one of {', '.join(known)}", nearest(name, known))
    if place is not None and name != "qdrant":
        raise UsageError(
            f"--engine-url with the engine '{name}'",
            "an engine with a server",
            "Pass --engine qdrant, or leave the address out",
        )
    if name == "faiss":
        Faiss()
    if name == "qdrant":
        from doctobert_hf.retrieval.qdrant import check_url, require_qdrant

        require_qdrant()
        check_url(place)


def recall_of(found: list[list[str]], exact: list[list[str]]) -> float:
    """Return the share of what exact search found that an engine found, mean over queries.

    Example:
        >>> recall_of([["a", "b"]], [["a", "c"]])
        0.5
    """
    shares = [len(set(f) & set(e)) / len(e) for f, e in zip(found, exact, strict=True) if e]
    return float(np.mean(shares)) if shares else 1.0
