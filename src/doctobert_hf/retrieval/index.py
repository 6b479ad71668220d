"""Searching documents by vectors, by words, or by both.

Documents over the model's context are cut into hierarchical chunks; a document's score is that of
its best chunk. Search is exact unless an engine was asked for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from doctobert_hf.corpus import require_texts
from doctobert_hf.corpus.formats import checked_row
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.retrieval.bm25 import BM25
from doctobert_hf.retrieval.chunks import Passage, best_of_documents
from doctobert_hf.retrieval.passage_table import PassageTable
from doctobert_hf.retrieval.ranking import Place, fused, reranked
from doctobert_hf.retrieval.vectors import Vectors, comparable

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from doctobert_hf.retrieval.engines import Engine
    from doctobert_hf.retrieval.models import RetrievalModel

Method = Literal["dense", "late", "lexical", "hybrid"]
METHODS = ("dense", "late", "lexical", "hybrid")
_CANDIDATES = 100  # documents of each ranking that are fused, and passages an engine offers


@dataclass(frozen=True)
class Hit:
    """What a search found.

    Attributes:
        document: Id of the document.
        source: Where it comes from.
        score: Of its best passage; with ``hybrid`` the fused score.
        start: First character of that passage in the document.
        end: Behind its last character.
        text: The passage.
        sentence_start: First character, in the document, of the passage's sentence that answers
            best.
        sentence_end: Behind its last character.

    Example:
        >>> from doctobert_hf.retrieval import Index
        >>> hit = Index.build({"a": "Toux sèche depuis deux jours."}).search("toux")[0]
        >>> hit.document, hit.text[hit.sentence_start : hit.sentence_end]
        ('a', 'Toux sèche depuis deux jours.')
    """

    document: str
    source: str
    score: float
    start: int
    end: int
    text: str
    sentence_start: int
    sentence_end: int


class Index:
    """Passages of documents with their words, and with vectors where there is a model.

    Args:
        documents: Columns ``id``, ``source``, ``sha256``, and what else is known of documents.
        passages: Passages in document order.
        vectors: Of the passages; None for words only.
        model: Encodes queries, or what opens it when it is first needed.
        bm25: The table of words, or what opens it; made when it is first needed.
        engine: Finds near vectors instead of exact search.
        chunker: How the documents were cut, see :class:`.encoding.PassageEncoder`.
        abbreviations: Whether words meet their clinical abbreviations, see :mod:`.lexical`.

    Example:
        >>> index = Index.build({"a": "Hépatite C chronique.", "b": "Entorse de la cheville."})
        >>> [hit.document for hit in index.search("hepatite c")]
        ['a']
        >>> index.scores(["cheville"]).shape
        (1, 2)
        >>> index.allowed("source == 'b'").tolist()
        [False, True]
        >>> [[name for name, score in found] for found in index.rank(["cheville"], top=1)]
        [['b']]
        >>> index.save("my-index")
        >>> Index.load("my-index").fingerprint() == index.fingerprint()
        True
    """

    def __init__(
        self,
        documents: pa.Table,
        passages: PassageTable,
        vectors: Vectors | None = None,
        model: RetrievalModel | Callable[[], RetrievalModel] | None = None,
        bm25: BM25 | Callable[[], BM25] | None = None,
        engine: Engine | None = None,
        chunker: dict[str, Any] | None = None,
        abbreviations: bool = False,
    ) -> None:
        self.documents, self.passages, self.vectors = documents, passages, vectors
        self.ids: list[str] = documents["id"].to_pylist()
        self.sources: list[str] = documents["source"].to_pylist()
        self.starts = passages.starts
        self.engine, self.chunker, self.abbreviations = engine, chunker, abbreviations
        self._model, self._bm25 = model, bm25

    @classmethod
    def build(
        cls,
        documents: Mapping[str, str],
        model: RetrievalModel | None = None,
        sources: Sequence[str] | None = None,
        batch_size: int = 32,
        passages: list[Passage] | None = None,
        abbreviations: bool = False,
    ) -> Index:
        """Encode documents.

        Args:
            documents: Text by id.
            model: A retrieval model; None: words only (BM25).
            sources: Where each comes from; default: the ids.
            batch_size: Passages encoded at once.
            passages: The documents cut already; default: to the model's length, for words whole.
            abbreviations: Let clinical abbreviations and what they stand for find each other.

        Raises:
            DataError: No document, or one without text.
            UsageError: No mapping.
        """
        from doctobert_hf.retrieval.encoding import PassageEncoder, document_table

        if not isinstance(documents, Mapping):
            raise UsageError(
                f"A {type(documents).__name__} as documents",
                "a mapping from ids to texts",
                "Of a list: dict(enumerate(texts)), with ids as strings",
            )
        if not documents:
            raise DataError("No document to search", "at least one")
        for name, text in documents.items():
            checked_row({"text": text}, "text", f"Document '{name}'")
        empty = [name for name, text in documents.items() if not text.strip()]
        if empty:
            raise DataError(
                f"{len(empty):,} documents have no text, e.g. '{empty[0]}'",
                "text",
                "Leave them out",
            )
        places = sources or list(documents)
        rows = [
            {"id": name, "source": place, "text": text}
            for (name, text), place in zip(documents.items(), places, strict=True)
        ]
        given: dict[str, Any] | None = {"name": "whole"} if model is None else None
        if passages is not None:
            given = {"name": "given"}
        encoder = PassageEncoder(model, batch_size, given)
        if passages is None:
            passages = encoder.cut(list(documents.values()))
        table = PassageTable.of(passages)
        vectors = encoder.encode(table.texts)
        about: dict[str, Any] = {"chunker": encoder.chunker, "abbreviations": abbreviations}
        return cls(document_table(rows), table, vectors, model, **about)

    @property
    def kind(self) -> str:
        """``bm25``, ``dense`` or ``late-interaction``."""
        if self.vectors is None:
            return "bm25"
        return "late-interaction" if self.vectors.is_late else "dense"

    @property
    def default_method(self) -> Method:
        """How the index is searched where nobody says how."""
        methods: dict[str, Method] = {
            "bm25": "lexical",
            "dense": "dense",
            "late-interaction": "late",
        }
        return methods[self.kind]

    @property
    def opened_model(self) -> RetrievalModel | None:
        """The model, where it was needed already."""
        return self._model if hasattr(self._model, "encode") else None  # type: ignore[return-value]

    @property
    def model(self) -> RetrievalModel | None:
        """The model; opened when it is first asked for."""
        if self._model is not None and not hasattr(self._model, "encode"):
            self._model = self._model()  # type: ignore[operator]
        return self._model  # type: ignore[return-value]

    @property
    def bm25(self) -> BM25:
        """The table of words; made or read when it is first asked for."""
        if self._bm25 is None:
            self._bm25 = BM25(self.passages.texts, self.abbreviations)
        elif not isinstance(self._bm25, BM25):
            self._bm25 = self._bm25()
        return self._bm25

    @property
    def size(self) -> int:
        """Bytes of the vectors, or of the table of words; texts not counted."""
        return self.bm25.size if self.vectors is None else self.vectors.nbytes

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self.ids)

    def scores(
        self, queries: Sequence[str], batch_size: int = 32, method: Method | None = None
    ) -> NDArray[np.floating]:
        """Return the score of every passage: shape (queries, passages).

        Args:
            queries: The questions.
            batch_size: Questions encoded at once.
            method: ``lexical`` for words; default: the index's own vectors where it has some.

        Raises:
            UsageError: One string instead of several questions.
        """
        require_texts(queries, "questions")
        if (method or self.default_method) == "lexical":
            return self.bm25.scores(queries)
        return self._vectors().scores(self._encoded(queries, batch_size))

    def _vectors(self) -> Vectors:
        if self.vectors is None:
            raise UsageError("An index without vectors", "one that was built with a model")
        return self.vectors

    def _encoded(self, queries: Sequence[str], batch_size: int = 32) -> Any:
        if self.model is None:
            raise UsageError("An index without a model", "the model it was built with")
        encoded = self.model.encode_query(
            list(queries), batch_size=batch_size, show_progress_bar=False
        )
        if self._vectors().is_late:
            return [tokens.cpu().numpy() for tokens in encoded]
        return comparable(encoded, self.model)

    def allowed(self, condition: str | None = None) -> NDArray[np.bool_]:
        """Return which documents a filter keeps: shape (documents,).

        Args:
            condition: Such as ``year >= 2020 and source == 'hal'``, over the documents' columns, of
                which what is no letter or digit is written "_"; a document without a value is not
                kept.

        Raises:
            UsageError: No such expression.
            DataError: No such column.
        """
        if condition is None:
            return np.ones(len(self.ids), bool)
        import pyarrow as pa

        from doctobert_hf.filters import parse

        numbers = pa.array(np.arange(len(self.ids)))
        numbered = self.documents.append_column("", numbers)
        kept = parse(condition, nulls="fail", aliases=self._short_names(condition)).apply(numbered)
        allowed = np.zeros(len(self.ids), bool)
        allowed[kept.column(kept.num_columns - 1).to_numpy()] = True
        return allowed

    def _short_names(self, condition: str) -> dict[str, str]:
        """Return what columns are called in a filter whose names are no words of it.

        Raises:
            UsageError: The filter has one that means several.
        """
        columns = set(self.documents.column_names)
        found: dict[str, str] = {}
        for name in self.documents.column_names:
            short = re.sub(r"\W", "_", name)
            if short in columns:
                continue  # a column's own name means it alone
            if short in found and re.search(rf"(?<!\w){short}(?!\w)", condition):
                raise UsageError(
                    f"'{short}' in a filter means the columns '{found[short]}' and '{name}'",
                    "columns of other names",
                )
            found[short] = name
        return found

    def rank(
        self,
        queries: Sequence[str],
        top: int,
        method: Method | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> list[list[tuple[str, float]]]:
        """Return each query's best documents as (id, score); equal scores in order of id.

        Words that stand nowhere find nothing: a score of 0 is no hit for ``lexical``.
        """
        rows = self._ranked(queries, top, method, allowed)
        return [[(self.ids[place.document], place.score) for place in row] for row in rows]

    def search(
        self,
        query: str,
        top: int = 5,
        method: Method | None = None,
        condition: str | None = None,
        rerank: Any = None,
    ) -> list[Hit]:
        """Return the best documents for one question, each with its best passage.

        Args:
            query: The question.
            top: Most documents.
            method: ``dense``, ``late``, ``lexical`` or ``hybrid`` (reciprocal rank fusion of
                vectors and words); default: vectors where there are some.
            condition: Filter over the documents' columns, see :meth:`allowed`.
            rerank: A ``CrossEncoder`` that reranks the best hundred passages.

        Raises:
            UsageError: An empty question, or a method the index has not.

        Example:
            >>> index = Index.build({"a": "Une hépatite B.", "b": "Une hépatite C."})
            >>> index.search("hepatite c")[0].document
            'b'
        """
        from doctobert_hf.retrieval.snippets import best_sentences

        if not isinstance(query, str):
            raise UsageError(
                f"A {type(query).__name__} as a question", "one string", "Call it for each question"
            )
        if not query.strip():
            raise UsageError("An empty question", "words to search for")
        if top < 1:
            raise UsageError(f"top {top}", "1 or more")
        wanted = _CANDIDATES if rerank is not None else top
        [found] = self._ranked([query], max(wanted, top), method, self.allowed(condition))
        if rerank is not None and found:
            found = reranked(rerank, query, found, self.passages)
        found = found[:top]
        passages = [self.passages[place.passage] for place in found]
        sentences = best_sentences(self, query, passages, method or self.default_method)
        return [
            Hit(
                *(self.ids[place.document], self.sources[place.document], round(place.score, 4)),
                *(passage.start, passage.end, passage.text),
                *(passage.start + begin, passage.start + end),
            )
            for place, passage, (begin, end) in zip(found, passages, sentences, strict=True)
        ]

    def _ranked(
        self,
        queries: Sequence[str],
        top: int,
        method: Method | None,
        allowed: NDArray[np.bool_] | None,
    ) -> list[list[Place]]:
        method = method or self.default_method
        allowed = self.allowed() if allowed is None else allowed
        _check_method(method, self.kind)
        if method != "hybrid":
            return self._by(method, queries, top, allowed)
        many = max(top, _CANDIDATES)
        both = (self._by(m, queries, many, allowed) for m in (self.default_method, "lexical"))
        return [fused(rows, self.ids)[:top] for rows in zip(*both, strict=True)]

    def _by(
        self, method: Any, queries: Sequence[str], top: int, allowed: NDArray[np.bool_]
    ) -> list[list[Place]]:
        if self.engine is not None and method != "lexical" and allowed.all():
            return [self._by_engine(vector, top) for vector in self._encoded(queries)]
        least = 0.0 if method == "lexical" else -np.inf
        ranked = []
        for scores in self.scores(queries, method=method):
            [documents] = best_of_documents(scores[None], self.starts)
            documents = np.where(allowed, documents, -np.inf)
            ranked.append(self._best(documents, scores, top, least))
        return ranked

    def _best(
        self, documents: NDArray[np.floating], scores: NDArray[np.floating], top: int, least: float
    ) -> list[Place]:
        """Return the best of all documents, without sorting them all."""
        kept = np.flatnonzero(documents > least)
        if len(kept) > top:
            limit = np.partition(documents[kept], -top)[-top]
            kept = kept[documents[kept] >= limit]
        order = sorted(kept, key=lambda n: (-documents[n], self.ids[n]))[:top]
        bounds = np.append(self.starts, len(scores))
        return [
            Place(
                int(n),
                int(bounds[n] + scores[bounds[n] : bounds[n + 1]].argmax()),
                float(documents[n]),
            )
            for n in order
        ]

    def _by_engine(self, query: NDArray[np.floating], top: int) -> list[Place]:
        assert self.engine is not None
        found = self._offered(query, top)
        if not len(found):
            return []
        scores = self._vectors().rescored(query, found)
        best: dict[int, Place] = {}
        for passage, score in zip(found, scores, strict=True):
            document = int(self.passages.documents[passage])
            if document not in best or score > best[document].score:
                best[document] = Place(document, int(passage), float(score))
        return sorted(best.values(), key=lambda p: (-p.score, self.ids[p.document]))[:top]

    def _offered(self, query: NDArray[np.floating], top: int) -> NDArray[np.int64]:
        """Ask an engine for passages until they are of ``top`` documents: one may have them all."""
        assert self.engine is not None
        many, before = max(4 * top, _CANDIDATES), -1
        while True:
            found = self.engine.nearest(query, many)
            documents = len(np.unique(self.passages.documents[found]))
            enough = documents >= min(top, len(self.ids)) or many >= len(self.passages)
            if enough or len(found) == before:
                return found
            many, before = 4 * many, len(found)

    def save(
        self, folder: str | Path, model_name: str | Path | None = None, overwrite: bool = False
    ) -> None:
        """Write the index to a folder, see :mod:`.index_folder`.

        Args:
            folder: A new folder, or one that holds an index of the same texts and model.
            model_name: Path or Hub id that opens the model again.
            overwrite: Move another index that is there aside.

        Raises:
            UsageError: The folder holds something else.
        """
        from doctobert_hf.retrieval.index_folder import save_index

        save_index(self, Path(folder), model_name, overwrite)

    @classmethod
    def load(
        cls,
        folder: str | Path,
        model: str | Path | RetrievalModel | None = None,
        engine_place: str | None = None,
    ) -> Index:
        """Open a folder that :meth:`save` or ``retrieval index build`` wrote.

        The model is opened when it is first needed.

        Args:
            folder: The folder.
            model: The model, or where it is now; default: where it was.
            engine_place: Address of its engine's server; default: the one it was built with.

        Raises:
            UsageError: No index there.
            DataError: Its files are not those it was made with.
        """
        from doctobert_hf.retrieval.index_folder import load_index

        return load_index(cls, Path(folder), model, engine_place)

    def fingerprint(self) -> str:
        """Return a short hash of ids and passages."""
        digest = hashlib.sha256()
        for passage in self.passages:
            digest.update(f"{self.ids[passage.document]}\0{passage.text}\0".encode())
        return digest.hexdigest()[:16]


def _check_method(method: str, kind: str) -> None:
    has = {"bm25": ["lexical"], "dense": ["dense"], "late-interaction": ["late"]}[kind]
    has += ["lexical", "hybrid"] if kind != "bm25" else []
    if method not in has:
        raise UsageError(
            f"The method '{method}' for an index of kind {kind}",
            f"one of {', '.join(has)}",
            "Build an index with a model that has such vectors (--model)"
            if method in METHODS
            else "",
        )
