"""Questions, documents and which answers which: the data that training and evaluation share."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from doctobert_hf.corpus import require_texts
from doctobert_hf.errors import DataError

_LETTERS = re.compile(r"[^\W_]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")


class Pair(NamedTuple):
    """One example: a question, the texts that answer it, and texts that look as if they did.

    ``gains`` says how well each positive answers, where judgements are graded; empty: all alike.

    Example:
        >>> Pair("Que traite l'amoxicilline ?", ("Des infections bactériennes.",)).negatives
        ()
    """

    query: str
    positives: tuple[str, ...]
    negatives: tuple[str, ...] = ()
    id: str | None = None
    split: str | None = None
    gains: tuple[float, ...] = ()


@dataclass
class PairSet:
    """Queries and documents by id, with every relevant document of each query.

    Attributes:
        name: What results are named after.
        queries: Text by query id.
        documents: Text by document id, all that a search may return.
        relevant: Ids of a query's relevant documents, at least one each.
        negatives: Ids of documents known to be wrong for a query.
        notes: What was merged or left out, one a line.
        gains: Of graded judgements, per query: the grades of its relevant documents that are not 1.

    Example:
        >>> texts = {"a": "Toux sèche.", "b": "Entorse."}
        >>> pairs = PairSet("mine", {"q": "toux"}, texts, {"q": ["a"]})
        >>> len(pairs.queries), len(pairs.documents)
        (1, 2)
        >>> pairs.pairs(), pairs.gain("q", "a"), pairs.gain("q", "b"), pairs.grades()
        ([('q', 'a')], 1.0, None, [1.0])
        >>> len(pairs.subset(["q"], "few", all_documents=False).documents)
        1
        >>> len(PairSet.from_pairs("made", [Pair("toux", ("Toux sèche.",))]).documents)
        1
    """

    name: str
    queries: dict[str, str] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    relevant: dict[str, list[str]] = field(default_factory=dict)
    negatives: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    gains: dict[str, dict[str, float]] = field(default_factory=dict)

    @classmethod
    def from_pairs(cls, name: str, pairs: Iterable[Pair], documents: Iterable[str] = ()) -> PairSet:
        """Gather pairs: the same question asked twice has the answers of both.

        Texts that differ in white space only are one; a text that is right and wrong for the same
        question counts as right; of two grades of one text for a question the higher one counts.
        All are counted in ``notes``.

        Args:
            name: Name of the set.
            pairs: The examples.
            documents: Further texts to search among.

        Raises:
            UsageError: One string or a table as documents.
            DataError: A pair without a relevant document, an empty text, one id for two questions,
                or no pair at all.
        """
        require_texts(documents, "documents")
        made = cls(name)
        known: dict[str, str] = {}  # id that was given -> query id
        merged: Counter[str] = Counter()
        for number, pair in enumerate(pairs, start=1):
            where = f"{name}, pair {pair.id or number}"
            query = _text(pair.query, "question", where)
            if not pair.positives:
                raise DataError(
                    f"{where} has no relevant document",
                    "at least one text that answers the question",
                    "Leave such questions out: neither training nor a score can use them",
                )
            identity = text_id("q", query)
            if pair.id is not None and known.setdefault(pair.id, identity) != identity:
                raise DataError(
                    f"{where}: the id '{pair.id}' stands for two questions", "an id for each"
                )
            if identity in made.queries:
                merged["questions asked more than once are one, with the answers of all"] += 1
            made.queries.setdefault(identity, query)
            for text, gain in zip(pair.positives, _gains(pair, where), strict=True):
                if made._grade(identity, made._document(text, where), gain):
                    merged["texts graded twice for a question have the higher grade"] += 1
            for text in pair.negatives:
                _add(made.negatives, identity, made._document(text, where))
        for text in documents:
            made._document(text, f"{name}, further documents")
        if not made.queries:
            raise DataError(f"{name} has no pairs", "at least one question with its answer")
        for identity, wrong in list(made.negatives.items()):
            right = set(made.relevant[identity])
            kept = [document for document in wrong if document not in right]
            if len(kept) < len(wrong):
                merged["texts given as right and as wrong for a question count as right"] += 1
            made.negatives[identity] = kept
        made.notes = [f"{name}: {count:,} {what}" for what, count in merged.items()]
        return made

    def _document(self, text: str, where: str) -> str:
        text = _text(text, "document", where)
        identity = text_id("d", text)
        self.documents.setdefault(identity, text)
        return identity

    def _grade(self, query: str, document: str, gain: float) -> bool:
        """Take in a relevant document; return whether it had another grade."""
        before = self.gain(query, document)
        best = gain if before is None else max(gain, before)
        _add(self.relevant, query, document)
        graded = {**self.gains.pop(query, {}), document: best}
        if left := {key: value for key, value in graded.items() if value != 1}:
            self.gains[query] = left
        return before not in (None, gain)

    def gain(self, query: str, document: str) -> float | None:
        """Return how well a document answers: its grade, 1 without grades, None if it does not."""
        if document not in self.relevant.get(query, ()):
            return None
        return self.gains.get(query, {}).get(document, 1.0)

    def grades(self) -> list[float]:
        """Return the grades of relevant documents that occur, lowest first; [1.0]: ungraded."""
        return sorted({self.gain(*pair) or 0.0 for pair in self.pairs()})

    def pairs(self) -> list[tuple[str, str]]:
        """Return every (query id, relevant document id)."""
        return [(query, document) for query, right in self.relevant.items() for document in right]

    def subset(self, queries: Iterable[str], name: str, all_documents: bool) -> PairSet:
        """Return some of the queries, with all documents to search or only their own."""
        kept = [query for query in queries if query in self.queries]
        relevant = {query: self.relevant[query] for query in kept}
        negatives = {query: self.negatives[query] for query in kept if query in self.negatives}
        own = {d for group in (relevant, negatives) for ids in group.values() for d in ids}
        documents = {
            key: text for key, text in self.documents.items() if all_documents or key in own
        }
        texts = {query: self.queries[query] for query in kept}
        gains = {query: self.gains[query] for query in kept if query in self.gains}
        return PairSet(name, texts, documents, relevant, negatives, gains=gains)


class PairSplits(NamedTuple):
    """Training, validation and test pairs of one source.

    Example:
        >>> part = PairSet("mine", {"q": "toux"}, {"a": "Toux sèche."}, {"q": ["a"]})
        >>> PairSplits(part, part, part).test.name
        'mine'
    """

    train: PairSet
    validation: PairSet
    test: PairSet


def text_id(kind: str, text: str) -> str:
    """Return an id that the same text always has, however its white space is laid out."""
    return f"{kind}-{hashlib.sha256(' '.join(text.split()).encode()).hexdigest()[:16]}"


def normalized(text: str) -> str:
    """Return what makes two texts the same one: letters and digits, without case and accents."""
    # Casefolding between two decompositions: "℠" is only then two letters that have a case.
    plain = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text)).casefold()
    parts = unicodedata.normalize("NFKD", plain)
    folded = "".join(c for c in parts if not unicodedata.combining(c))
    return " ".join(_LETTERS.findall(folded.replace("œ", "oe").replace("æ", "ae")))


def leaked_queries(train: PairSet, held_out: PairSet) -> list[str]:
    """Return ids of training queries that ``held_out`` asks too, whatever their case and marks."""
    asked = {normalized(text) for text in held_out.queries.values()}
    return [key for key, text in train.queries.items() if normalized(text) in asked]


def refuse_leakage(train: PairSet, held_out: PairSet) -> None:
    """Raise where a held-out question is among those of the training.

    Raises:
        DataError: The number of such questions and one of them.
    """
    leaked = leaked_queries(train, held_out)
    if leaked:
        raise DataError(
            f"{len(leaked):,} of the {len(train.queries):,} training questions are also in "
            f"{held_out.name}, e.g. '{train.queries[leaked[0]]:.60}'",
            "questions that training has not seen",
            "Set leaked_questions: drop to leave them out of training, or repair the files",
        )


def without_leaked(train: PairSet, held_out: PairSet) -> PairSet:
    """Return ``train`` without the questions that ``held_out`` asks; the number is noted."""
    leaked = set(leaked_queries(train, held_out))
    if not leaked:
        return train
    kept = train.subset((q for q in train.queries if q not in leaked), train.name, False)
    note = f"{train.name}: {len(leaked):,} questions that {held_out.name} also asks are left out"
    kept.notes = [*train.notes, note]
    return kept


def _text(text: object, what: str, where: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise DataError(
            f"{where}: the {what} is {text!r:.40}", "a text", "Fill it in or leave the pair out"
        )
    return text.strip()


def _gains(pair: Pair, where: str) -> tuple[float, ...]:
    gains = pair.gains or (1.0,) * len(pair.positives)
    if len(gains) != len(pair.positives) or not all(0 < gain < math.inf for gain in gains):
        raise DataError(
            f"{where}: {len(pair.positives)} right texts, and their gains are {pair.gains!r:.60}",
            "none, or a number above 0 for each",
        )
    return gains


def _add(table: dict[str, list[str]], key: str, value: str) -> None:
    values = table.setdefault(key, [])
    if value not in values:
        values.append(value)
