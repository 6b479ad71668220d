"""Searching documents: built from a folder or a Parquet file, kept in a folder.

Documents over the model's context are cut into hierarchical chunks; a document's score is that of
its best chunk. The search is exact.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.reporting.progress import Progress
from doctobert_hf.retrieval.bm25 import BM25
from doctobert_hf.retrieval.chunks import Passage, best_of_documents, cut, starts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from doctobert_hf.retrieval.models import RetrievalModel

_ELEMENTS = 20_000_000  # token similarities computed at once


@dataclass(frozen=True)
class Hit:
    """What a search found.

    Attributes:
        document: Id of the document.
        source: Where it comes from.
        score: Of its best passage.
        start: First character of that passage in the document.
        end: Behind its last character.
        text: The passage.
    """

    document: str
    source: str
    score: float
    start: int
    end: int
    text: str


class Index:
    """Passages of documents with their vectors, or with their words (BM25).

    Args:
        ids: Documents' ids.
        sources: Where each comes from.
        passages: Passages in document order.
        vectors: Dense: (passages, dimensions). Late interaction: (tokens, dimensions), a
            passage's tokens together. None with ``bm25``.
        offsets: Late interaction: index of each passage's first token.
        bm25: Scores by words instead.
        model: Encodes queries.
    """

    def __init__(
        self,
        ids: Sequence[str],
        sources: Sequence[str],
        passages: list[Passage],
        vectors: NDArray[np.floating] | None = None,
        offsets: NDArray[np.int64] | None = None,
        bm25: BM25 | None = None,
        model: RetrievalModel | None = None,
    ) -> None:
        self.ids, self.sources, self.passages = list(ids), list(sources), passages
        self.vectors, self.offsets, self.bm25, self.model = vectors, offsets, bm25, model
        self.starts = starts_of(passages)

    @classmethod
    def build(
        cls,
        documents: dict[str, str],
        model: RetrievalModel | None = None,
        sources: Sequence[str] | None = None,
        batch_size: int = 32,
        passages: list[Passage] | None = None,
    ) -> Index:
        """Encode documents.

        Args:
            documents: Text by id.
            model: A retrieval model; None: BM25.
            sources: Where each comes from; default: the ids.
            batch_size: Passages encoded at once.
            passages: The documents cut already; default: to the model's length, BM25 whole.

        Raises:
            DataError: No document, or one without text.
        """
        if not isinstance(documents, Mapping):
            raise UsageError(
                f"A {type(documents).__name__} as documents",
                "a mapping from ids to texts",
                "Of a list: dict(enumerate(texts)), with ids as strings",
            )
        if not documents:
            raise DataError("No document to search", "at least one")
        empty = [name for name, text in documents.items() if not text.strip()]
        if empty:
            raise DataError(
                f"{len(empty):,} documents have no text, e.g. '{empty[0]}'",
                "text",
                "Leave them out",
            )
        texts = list(documents.values())
        ids, places = list(documents), list(sources or documents)
        if model is None:
            whole = [Passage(n, 0, len(text), text) for n, text in enumerate(texts)]
            passages = passages or whole
            return cls(ids, places, passages, bm25=BM25([p.text for p in passages]))
        from doctobert_hf.retrieval.models import document_length

        prompt = model.prompts.get("document") or ""
        passages = passages or cut(texts, model.tokenizer, document_length(model), prompt)
        texts = [passage.text for passage in passages]
        with Progress("encoding", len(texts), "passages") as progress:
            first = model[0].register_forward_hook(lambda *_: progress.update(batch_size))
            try:
                encoded = model.encode_document(
                    texts, batch_size=batch_size, show_progress_bar=False
                )
            finally:
                first.remove()
        if not _is_late(model):
            return cls(ids, places, passages, _comparable(encoded, model), model=model)
        lengths = [len(tokens) for tokens in encoded]
        if not all(lengths):
            raise DataError(
                f"A passage has no token outside the skip list: "
                f"{passages[lengths.index(0)].text!r:.60}",
                "words in every passage",
                "Shorten the recipe's skiplist, or leave such documents out",
            )
        offsets = np.cumsum([0, *lengths[:-1]], dtype=np.int64)
        vectors = np.concatenate([tokens.cpu().numpy() for tokens in encoded]).astype(np.float16)
        return cls(ids, places, passages, vectors, offsets, model=model)

    @property
    def kind(self) -> str:
        """``bm25``, ``dense`` or ``late-interaction``."""
        if self.bm25 is not None:
            return "bm25"
        return "dense" if self.offsets is None else "late-interaction"

    @property
    def size(self) -> int:
        """Bytes of the vectors, or of BM25's table; texts not counted."""
        if self.bm25 is not None:
            return self.bm25.size
        assert self.vectors is not None
        return self.vectors.nbytes + (self.offsets.nbytes if self.offsets is not None else 0)

    def scores(self, queries: Sequence[str], batch_size: int = 32) -> NDArray[np.floating]:
        """Return the score of every passage: shape (queries, passages)."""
        if self.bm25 is not None:
            return self.bm25.scores(queries)
        if self.model is None or self.vectors is None:
            raise UsageError("An index without a model", "the model it was built with")
        encoded = self.model.encode_query(
            list(queries), batch_size=batch_size, show_progress_bar=False
        )
        if self.offsets is None:
            return _comparable(encoded, self.model) @ self.vectors.T
        return self._max_sim([tokens.cpu().numpy() for tokens in encoded])

    def _max_sim(self, queries: list[NDArray[np.floating]]) -> NDArray[np.floating]:
        """MaxSim: over a query's tokens, the sum of each one's best similarity in a passage.

        All queries' tokens meet a block of passages in one matrix product, without padding.
        """
        assert self.vectors is not None and self.offsets is not None
        tokens = np.concatenate(queries).astype(np.float32)
        begins = np.cumsum([0, *(len(query) for query in queries[:-1])])
        scores = np.empty((len(queries), len(self.passages)), np.float32)
        bounds = np.append(self.offsets, len(self.vectors))
        per_block = max(1, _ELEMENTS // len(tokens))
        first = 0
        while first < len(self.passages):
            last = int(np.searchsorted(bounds, bounds[first] + per_block, "right")) - 1
            last = min(max(last, first + 1), len(self.passages))
            block = self.vectors[bounds[first] : bounds[last]].astype(np.float32)
            similar = block @ tokens.T
            best = np.maximum.reduceat(similar, bounds[first:last] - bounds[first], axis=0)
            scores[:, first:last] = np.add.reduceat(best, begins, axis=1).T
            first = last
        return scores

    def rank(self, queries: Sequence[str], top: int) -> list[list[tuple[str, float]]]:
        """Return each query's best documents as (id, score); equal scores in order of id."""
        scores = best_of_documents(self.scores(queries), self.starts)
        top = min(top, len(self.ids))
        ranked = []
        for row in scores:
            limit = np.partition(row, -top)[-top]
            found = [(self.ids[i], float(row[i])) for i in np.flatnonzero(row >= limit)]
            ranked.append(sorted(found, key=lambda item: (-item[1], item[0]))[:top])
        return ranked

    def search(self, query: str, top: int = 5) -> list[Hit]:
        """Return the best documents for one question, each with its best passage.

        Raises:
            UsageError: An empty question.
        """
        if not query.strip():
            raise UsageError("An empty question", "words to search for")
        [scores] = self.scores([query])
        [documents] = best_of_documents(scores[None], self.starts)
        hits = []
        for number in np.argsort(-documents, kind="stable")[:top]:
            end = self.starts[number + 1] if number + 1 < len(self.starts) else len(scores)
            best = self.passages[
                self.starts[number] + int(scores[self.starts[number] : end].argmax())
            ]
            hits.append(
                Hit(
                    *(self.ids[number], self.sources[number], round(float(documents[number]), 4)),
                    *(best.start, best.end, best.text),
                )
            )
        return hits

    def save(
        self, folder: str | Path, model_name: str | None = None, overwrite: bool = False
    ) -> None:
        """Write passages, vectors and the name of the model to a folder.

        Args:
            folder: A new folder, or one that holds an index of the same model.
            model_name: Path or Hub id that opens the model again.
            overwrite: Move another index that is there aside.

        Raises:
            UsageError: The folder holds something else.
        """
        from doctobert_hf.runs import staged_run

        digest = hashlib.sha256()
        for passage in self.passages:
            digest.update(f"{self.ids[passage.document]}\0{passage.text}\0".encode())
        settings = {
            "kind": self.kind,
            "model": _absolute(model_name),
            "texts": digest.hexdigest()[:16],
        }
        with staged_run(folder, "retrieval-index", settings, overwrite=overwrite) as scratch:
            self.write(scratch, model_name)

    def write(self, folder: Path, model_name: str | None = None) -> None:
        """Write the files of an index into an empty folder."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pylist([asdict(passage) for passage in self.passages])
        pq.write_table(table, folder / "passages.parquet")
        names = pa.table({"id": self.ids, "source": self.sources})
        pq.write_table(names, folder / "documents.parquet")
        if self.vectors is not None:
            np.save(folder / "vectors.npy", self.vectors)
        if self.offsets is not None:
            np.save(folder / "offsets.npy", self.offsets)
        about = {
            "kind": self.kind,
            "model": _absolute(model_name),
            "documents": len(self.ids),
            "passages": len(self.passages),
        }
        (folder / "index.json").write_text(json.dumps(about, indent=2) + "\n")

    @classmethod
    def load(cls, folder: str | Path) -> Index:
        """Open a folder that :meth:`save` wrote, with its model.

        Raises:
            UsageError: No index there, or its model is gone.
        """
        import pyarrow.parquet as pq

        folder = Path(folder)
        if not (folder / "index.json").is_file():
            raise UsageError(
                f"'{folder}' is no index",
                "a folder with index.json",
                "Build one: doctobert-hf retrieval index DOCUMENTS --output FOLDER",
            )
        about = json.loads((folder / "index.json").read_text())
        passages = [
            Passage(**row) for row in pq.read_table(folder / "passages.parquet").to_pylist()
        ]
        names = pq.read_table(folder / "documents.parquet")
        made = cls(names["id"].to_pylist(), names["source"].to_pylist(), passages)
        if about["kind"] == "bm25":
            made.bm25 = BM25([passage.text for passage in passages])
            return made
        from doctobert_hf.retrieval.models import open_model

        made.vectors = np.load(folder / "vectors.npy")
        if about["kind"] == "late-interaction":
            made.offsets = np.load(folder / "offsets.npy")
        made.model = open_model(about["model"])
        return made


def _comparable(vectors: Any, model: Any) -> NDArray[np.floating]:
    """Set vectors to length one where the model compares by cosine: cut ones no longer have it."""
    vectors = np.asarray(vectors, np.float32)
    if model.similarity_fn_name == "cosine":
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return vectors


def _absolute(name: str | None) -> str | None:
    return str(Path(name).resolve()) if name and Path(name).exists() else name


def _is_late(model: Any) -> bool:
    return type(model).__name__ == "MultiVectorEncoder"
