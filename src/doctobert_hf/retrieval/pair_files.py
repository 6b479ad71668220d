"""Pairs from the user's own files: columns, scores, terminologies, and BEIR's layout."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from doctobert_hf.errors import DataError
from doctobert_hf.retrieval.pairs import Pair, PairSet

logger = logging.getLogger(__name__)


def read_pairs(
    source: Path,
    kind: Literal["pairs", "terms", "passages"] = "pairs",
    text_column: str = "text",
) -> Iterator[Pair]:
    """Yield pairs from a user's file or folder (Parquet, JSON lines, CSV, TSV).

    Args:
        source: The file or folder.
        kind: ``pairs``: columns ``query`` (or ``anchor``) and ``positive``, optional ``negative``
            (or ``negative_1``, ``negative_2``, ...), ``id``, ``split`` and ``score`` (or
            ``scores``, ``label``, ``labels``, the first that is there); ``positive`` and
            ``negative`` may be lists; a ``score`` of 0 or less makes a row's positive a wrong
            document, one above a right one of that grade; lists of scores are not read, nor are
            names of classes; what is taken for the grade is told. ``terms``: a
            terminology with ``term`` and ``synonym``, ``definition`` or both. ``passages``:
            documents, see :mod:`doctobert_hf.retrieval.passages`.
        text_column: Column of ``passages`` that holds the text.

    Raises:
        DataError: Missing columns, or what :meth:`PairSet.from_pairs` refuses.

    Example:
        >>> _ = Path("pairs.jsonl").write_text('{"query": "toux", "positive": "Toux sèche."}')
        >>> [pair.query for pair in read_pairs(Path("pairs.jsonl"))]
        ['toux']
    """
    from doctobert_hf.corpus import iter_documents

    if kind == "pairs":
        grades = _Grades(source)
        yield from scored(
            (_pair(row, name), grades.of(row, name)) for row, name in _pair_rows(source)
        )
    elif kind == "terms":
        for row in iter_documents(source, "term"):
            name = str(row["id"])
            found = _texts(row, "synonym", name) + _texts(row, "definition", name)
            yield Pair(row["term"], found, (), name, row.get("split") or None)
    else:
        from doctobert_hf.retrieval.passages import passage_pairs

        yield from passage_pairs(iter_documents(source, text_column), text_column)


def _pair_rows(source: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield rows of pairs with their question as ``query``, whichever of its names it has."""
    from doctobert_hf.corpus import iter_documents, list_files

    for path in list_files(source):
        for column in ("query", "anchor"):
            try:
                for number, row in enumerate(iter_documents(path, column)):
                    if number == 0:
                        _tell_unread(path, row)
                    yield {**row, "query": row[column]}, _name(source, path, str(row["id"]))
                break
            except DataError:
                if column == "anchor" or not _lacks(path, column):
                    raise


_NUMBERED = re.compile(r"negative_\d+")
_SCORES = ("score", "scores", "label", "labels")
"""Sentence Transformers' names of a row's label."""


def _name(source: Path, path: Path, name: str) -> str:
    """Return a row's id; one made of its file's name alone may stand for two in a folder."""
    made = name.startswith(f"{path.name}:") and source.is_dir()
    return f"{path.relative_to(source).parent / name}" if made else name


def _tell_unread(path: Path, row: dict[str, Any]) -> None:
    """Tell of columns that look as if they held documents, under a name that is not read."""
    known = ("positive", "negative")
    unread = [
        name
        for name in row
        if name.lower().startswith(known) and name not in known and not _NUMBERED.fullmatch(name)
    ]
    if unread:
        logger.warning(
            "'%s': columns that are not read: %s (read are positive, negative, negative_1, ...)",
            path,
            ", ".join(unread),
        )


def _lacks(path: Path, column: str) -> bool:
    """Return whether a file's first row has another question column."""
    from doctobert_hf.corpus import iter_documents

    try:
        next(iter_documents(path, "anchor"), None)
    except DataError:
        return False
    try:
        next(iter_documents(path, column), None)
    except DataError:
        return True
    return False


def _pair(row: dict[str, Any], name: str) -> Pair:
    numbered = sorted(filter(_NUMBERED.fullmatch, row), key=lambda key: int(key[9:]))
    wrong = [t for key in ("negative", *numbered) for t in _texts(row, key, name)]
    return Pair(
        row["query"], _texts(row, "positive", name), tuple(wrong), name, row.get("split") or None
    )


class _Grades:
    """Reads what rows say of their pairs: a score, or a label that is a number; tells it once.

    Args:
        source: The file or folder, for messages.
    """

    def __init__(self, source: Path) -> None:
        self._source, self._told = source, set[tuple[str, str]]()

    def of(self, row: dict[str, Any], name: str) -> float | None:
        """Return a row's grade; None where it has none.

        Raises:
            DataError: It is no number.
        """
        for column in _SCORES:
            value = row.get(column)
            if value is None:
                continue
            if isinstance(value, (list, tuple)):
                self._tell(
                    column, "holds lists, one value for each document perhaps: it is not read"
                )
                continue
            if (score := _number(value)) is not None:
                self._tell_taken(column)
                return score
            if not self._is_class(column, value):
                raise DataError(f"pair {name}: '{column}' is {value!r:.40}", "a number")
            self._tell(column, "names classes: it is not read")
            return None
        return None

    @staticmethod
    def _is_class(column: str, value: Any) -> bool:
        named = column.startswith("label") and isinstance(value, str)
        return named and not _INFINITE.fullmatch(value)

    def _tell_taken(self, column: str) -> None:
        taken = "is taken as the grade: above 0 a row's positive is right, else it is wrong"
        if column.startswith("label"):
            # In NLI 0 is entailment, the right one.
            taken += "; if its numbers are classes, as in NLI, rename the column or leave it out"
        self._tell(column, taken, logging.WARNING if column.startswith("label") else logging.INFO)

    def _tell(self, column: str, what: str, level: int = logging.WARNING) -> None:
        if (column, what) not in self._told:
            self._told.add((column, what))
            logger.log(level, "'%s': the column '%s' %s", self._source, column, what)


_INFINITE = re.compile(r"\s*[+-]?(?:nan|inf|infinity)\s*", re.I)


def _number(value: Any) -> float | None:
    """Return a score as a number that can be counted with; None: it is none."""
    try:
        return number if math.isfinite(number := float(value)) else None
    except (TypeError, ValueError):
        return None


def scored(pairs: Iterable[tuple[Pair, float | None]]) -> Iterator[Pair]:
    """Yield pairs; of scored ones a question's rows are one, right and wrong documents by score.

    A score above 0 is kept as the document's grade, which nDCG counts as its gain.
    A question none of whose documents has a score above 0 is left out, and told.
    """
    graded: dict[tuple[str, str | None], Pair] = {}
    for pair, score in pairs:
        if score is None:
            yield pair
            continue
        right = score > 0
        key = (pair.query, pair.split)
        before = graded.get(key, Pair(pair.query, (), (), pair.id, pair.split))
        graded[key] = before._replace(
            positives=before.positives + (pair.positives if right else ()),
            gains=before.gains + (score,) * len(pair.positives if right else ()),
            negatives=before.negatives + pair.negatives + (() if right else pair.positives),
        )
    kept = [pair for pair in graded.values() if pair.positives]
    if left := len(graded) - len(kept):
        logger.warning("%s questions have no document with a score above 0: left out", f"{left:,}")
    if graded:
        logger.info("scores are read as grades of right documents (above 0) and wrong ones")
    yield from kept


def is_beir(place: Path) -> bool:
    """Return whether a folder is laid out as BEIR's: corpus, queries and ``qrels/SPLIT.tsv``."""
    return place.is_dir() and (place / "qrels").is_dir() and any(place.glob("corpus.jsonl*"))


def beir_sets(place: Path, further: Iterable[str] = ()) -> dict[str, PairSet]:
    """Read a folder in BEIR's layout: a set for each ``qrels/SPLIT.tsv``, all documents in each.

    Args:
        place: The folder.
        further: Texts beside its corpus to search among.

    Raises:
        DataError: A judgement of a question or document that is not there.
    """
    from doctobert_hf.corpus import iter_documents
    from doctobert_hf.corpus.files import split_of

    def rows(name: str) -> Iterator[dict[str, Any]]:
        [path] = sorted(place.glob(f"{name}.jsonl*"))[:1] or [place / f"{name}.jsonl"]
        return iter_documents(path, "text")

    documents = {
        str(row["_id"]): f"{row['title']}\n{row['text']}" if row.get("title") else row["text"]
        for row in rows("corpus")
    }
    queries = {str(row["_id"]): row["text"] for row in rows("queries")}
    texts = [text for text in (*documents.values(), *further) if text.strip()]
    found = {}
    for path in sorted((place / "qrels").glob("*.tsv")):
        split = split_of(path.stem)
        if split is None:
            raise DataError(f"'{path}' is named after no split", "train.tsv, dev.tsv or test.tsv")
        judged: list[tuple[Pair, float | None]] = []
        for row in iter_documents(path, "corpus-id"):
            query, document = str(row.get("query-id")), row["corpus-id"]
            if query not in queries or document not in documents:
                raise DataError(
                    f"'{path}' judges '{document}' for the question '{query}'",
                    "ids of corpus.jsonl and queries.jsonl",
                )
            pair = Pair(queries[query], (documents[document],), (), query, split)
            score = _number(row.get("score"))
            if score is None:
                raise DataError(
                    f"'{path}', question '{query}': the score is {row.get('score')!r}", "a number"
                )
            judged.append((pair, score))
        found[split] = PairSet.from_pairs(f"{place.name} {split}", scored(judged), texts)
    return found


def _texts(row: dict[str, Any], column: str, name: str) -> tuple[str, ...]:
    value = row.get(column)
    if value is None or value == "":
        return ()
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    if any(not isinstance(text, str) or not text.strip() for text in values):
        raise DataError(f"pair {name}: '{column}' holds {value!r:.60}", "a text or a list of texts")
    return tuple(values)
