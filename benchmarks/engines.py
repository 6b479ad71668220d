"""Engines beside exact search, on made-up vectors: ``retrieval.py --sizes N --late N``.

Dense: 10^4, 10^5 and 10^6 vectors in groups, as texts have them (the largest take 6 GB of memory in
all). Late interaction: passages of 60 tokens that share the words of their topic. Latency is the
median of single questions, as time that passed and as processor time, which other programs disturb
less (with OMP_NUM_THREADS=1 the two are the same on an idle machine); how many cores others kept
busy stands beside them. Qdrant is measured embedded, where it is installed: its server is another
program, and is not measured here.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from doctobert_hf.reporting.tables import text_table
from doctobert_hf.retrieval.engines import Faiss, recall_of
from doctobert_hf.retrieval.vectors import Vectors

TOP = 10
CANDIDATES = 100  # as an index asks an engine for


def scale(sizes: list[int], width: int = 384, questions: int = 200) -> dict[str, Any]:
    """Time exact search and FAISS on vectors in groups, and measure recall@10 beside exact."""
    import faiss

    rows = []
    for size in sizes:
        rows.append({"vectors": size, **engines_beside(*groups(size, width, questions))})
        cells = [f"{v:,.3f}" if isinstance(v, float) else f"{v:,}" for v in rows[-1].values()]
        print(text_table(list(rows[-1]), [cells]))
    return {
        "faiss": faiss.__version__,
        "threads": faiss.omp_get_max_threads(),
        "dimensions": width,
        "questions": questions,
        "sizes": rows,
    }


def engines_beside(vectors: Vectors, queries: Any) -> dict[str, float]:
    """Measure exact search and FAISS on the same vectors and questions."""
    busy = others_busy()
    exact_times, exact = timed(lambda query: nearest_exactly(vectors, query), queries)
    engine = Faiss()
    begin, worked = time.perf_counter(), time.process_time()
    engine.build(vectors, "cosine")
    built = {
        "faiss_build_seconds": time.perf_counter() - begin,
        "faiss_build_cpu_seconds": time.process_time() - worked,
    }
    faiss_times, found = timed(lambda query: engine.nearest(query, TOP), queries)
    return {
        **{f"exact_{name}": value for name, value in exact_times.items()},
        **{f"faiss_{name}": value for name, value in faiss_times.items()},
        "faiss_recall": recall_of(found, exact),
        **built,
        "others_busy_cores": busy,
    }


def timed(search: Callable[[Any], Any], queries: Any) -> tuple[dict[str, float], list[list[str]]]:
    """Return median milliseconds of a single search, passed and of processor, and what it found."""
    found, times = [], []
    for query in queries:
        begin, worked = time.perf_counter(), time.process_time()
        near = search(query)
        times.append((time.perf_counter() - begin, time.process_time() - worked))
        found.append([str(n) for n in near])
    passed, worked = 1e3 * np.median(times, axis=0)
    return {"ms": float(passed), "cpu_ms": float(worked)}, found


def nearest_exactly(vectors: Vectors, query: Any) -> Any:
    """Compare a question with all vectors, as an index without an engine does."""
    return np.argpartition(-vectors.scores(query[None])[0], TOP)[:TOP]


def others_busy() -> float:
    """Return how many cores other programs keep busy now: this one sleeps meanwhile."""
    import psutil

    return round(psutil.cpu_percent(interval=2) / 100 * (psutil.cpu_count() or 1), 1)


def groups(size: int, width: int, questions: int) -> tuple[Vectors, Any]:
    """Return unit vectors around random centres, one for each thousand, and questions like them."""
    draw = np.random.default_rng(0)
    centres = draw.standard_normal((max(10, size // 1000), width), np.float32)

    def around(count: int) -> Any:
        made = np.empty((count, width), np.float32)
        for first in range(0, count, 65_536):  # a million at once would take memory several times
            part = made[first : first + 65_536]
            draw.standard_normal(out=part, dtype=np.float32)
            part *= 0.6
            part += centres[draw.integers(len(centres), size=len(part))]
            part /= np.linalg.norm(part, axis=1, keepdims=True)
        return made

    return Vectors([around(size)]), around(questions)


def late(passages: int, questions: int = 30) -> dict[str, Any]:
    """Time exact MaxSim, FAISS over tokens and embedded Qdrant, and measure recall@10 beside exact.

    Engines offer a hundred passages (FAISS as many for each token of a question), which are scored
    exactly: as an index searches.
    """
    vectors, queries = topics(passages, questions)
    row: dict[str, Any] = {"passages": passages, "tokens": len(vectors.blocks[0]), "others": 0.0}
    row["others"] = others_busy()
    times, exact = timed(lambda q: best(vectors.scores([q])[0]), queries)
    row |= {f"exact_{name}": value for name, value in times.items()}
    packages = {"faiss": "faiss-cpu", "qdrant": "qdrant-client"}
    engines: dict[str, Callable[[], Any]] = {"faiss": lambda: _faiss(vectors)}
    if importlib.util.find_spec("qdrant_client") is not None:
        engines["qdrant"] = lambda: _qdrant(vectors)
    for name, make in engines.items():
        begin = time.perf_counter()
        engine = make()
        engine.nearest(queries[0], CANDIDATES)  # embedded Qdrant is filled now
        row[f"{name}_build_seconds"] = time.perf_counter() - begin
        times, found = timed(lambda q, engine=engine: rescored(engine, vectors, q), queries)
        row |= {f"{name}_{key}": value for key, value in times.items()}
        row[f"{name}_recall"] = recall_of(found, exact)
    print(text_table(["late interaction", ""], [[k, f"{v:,.3f}"] for k, v in row.items()]))
    row |= {name: importlib.metadata.version(packages[name]) for name in engines}
    return row


def _faiss(vectors: Vectors) -> Any:
    engine = Faiss()
    engine.build(vectors, "maxsim")
    return engine


def _qdrant(vectors: Vectors) -> Any:
    from doctobert_hf.retrieval.qdrant import Qdrant

    engine = Qdrant(None, "benchmark")
    engine.attach({"00001": vectors})
    return engine


def rescored(engine: Any, vectors: Vectors, query: Any) -> Any:
    """Return the best of what an engine offers, by exact scores."""
    found = engine.nearest(query, CANDIDATES)
    return found[best(vectors.rescored(query, found))]


def best(scores: Any) -> Any:
    """Return the numbers of the best scores."""
    return np.argsort(-scores, kind="stable")[:TOP]


def topics(passages: int, questions: int, width: int = 128) -> tuple[Vectors, list[Any]]:
    """Return passages' tokens around the words of their topics, and questions of 16 tokens."""
    draw = np.random.default_rng(0)
    words = draw.standard_normal((2000, width), np.float32)
    vocabularies = draw.integers(0, len(words), (max(10, passages // 100), 40))

    def text(length: int) -> Any:
        chosen = draw.choice(vocabularies[draw.integers(len(vocabularies))], length)
        tokens = words[chosen] + 0.7 * draw.standard_normal((length, width), np.float32)
        return (tokens / np.linalg.norm(tokens, axis=1, keepdims=True)).astype(np.float32)

    lengths = draw.integers(30, 90, passages)
    tokens = np.concatenate([text(int(length)) for length in lengths]).astype(np.float16)
    offsets = np.cumsum([0, *lengths[:-1]], dtype=np.int64)
    return Vectors([tokens], [offsets]), [text(16) for _ in range(questions)]
