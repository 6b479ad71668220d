"""How well a search finds what answers a question, with intervals, sizes and speeds.

The measures are those of Sentence Transformers' ``InformationRetrievalEvaluator``; dense, late
interaction and BM25 go through the same index and the same code. Of graded judgements nDCG takes
the grades as gains, as trec_eval's ``ndcg_cut`` and mteb do; the rest counts every grade above 0 as
right.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.retrieval.chunks import Passage, cut, long_documents
from doctobert_hf.retrieval.index import Index, Method
from doctobert_hf.retrieval.pairs import PairSet

if TYPE_CHECKING:
    from doctobert_hf.retrieval.models import RetrievalModel

TOP = 10
MEASURES = ("ndcg@10", "recall@10", "mrr@10")
_GRADED = "judgements are graded, {:g} to {:g}: nDCG's gains; any grade is right for recall and MRR"


@dataclass
class Result:
    """One system on one set of questions.

    Attributes:
        system: Name of the model, or BM25.
        kind: ``dense``, ``late-interaction``, ``sparse``, ``plaid``, ``bm25`` or ``hybrid``.
        data: Name of the set.
        queries: Number of questions.
        documents: Number of documents searched.
        passages: Number of passages they were cut into.
        scores: Mean of each measure.
        intervals: 95 % bootstrap interval of each, over the questions.
        index_bytes: Size of vectors or table.
        documents_per_second: Documents encoded and indexed per second.
        queries_per_second: Questions encoded and searched per second, all in one call.
        notes: What was cut, one a line.
        per_query: nDCG@10 of each question, for paired comparisons.
        grades: Grades of right documents that occur, lowest first; [1.0]: judgements are ungraded.

    Example:
        >>> from doctobert_hf.retrieval import PairSet
        >>> texts = {"a": "Toux sèche.", "b": "Entorse."}
        >>> pairs = PairSet("mine", {"q": "toux"}, texts, {"q": ["a"]})
        >>> evaluate("bm25", pairs).scores["ndcg@10"]
        1.0
    """

    system: str
    kind: str
    data: str
    queries: int
    documents: int
    passages: int
    scores: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    index_bytes: int
    documents_per_second: float
    queries_per_second: float
    notes: list[str] = field(default_factory=list)
    per_query: list[float] = field(default_factory=list, repr=False)
    grades: list[float] = field(default_factory=lambda: [1.0])

    def as_json(self) -> dict[str, Any]:
        """Return plain types, without the single questions."""
        content = asdict(self)
        del content["per_query"]
        return content


def evaluate(
    system: str, pairs: PairSet, model: RetrievalModel | None = None, batch_size: int = 32
) -> Result:
    """Index a set's documents, search its questions and measure.

    Args:
        system: What to call it.
        pairs: The questions, held out from training.
        model: A retrieval model; None: BM25.
        batch_size: Texts encoded at once.

    Example:
        >>> from doctobert_hf.retrieval import PairSet
        >>> texts = {"a": "Toux sèche.", "b": "Entorse."}
        >>> pairs = PairSet("mine", {"q": "toux"}, texts, {"q": ["a"]})
        >>> evaluate("bm25", pairs).scores["recall@10"]
        1.0
    """
    return _evaluate(system, pairs, model, batch_size, (None,))[0]


def evaluate_with_words(
    system: str, pairs: PairSet, model: RetrievalModel, batch_size: int = 32
) -> list[Result]:
    """Measure a model's vectors, and the same index by vectors and words together (hybrid).

    Args:
        system: What to call it.
        pairs: The questions, held out from training.
        model: A dense or late-interaction model.
        batch_size: Texts encoded at once.

    Returns:
        Two results: that of :func:`evaluate`, and one of kind ``hybrid``.

    Example:
        >>> from doctobert_hf.retrieval import PairSet
        >>> from doctobert_hf.retrieval.models import open_model
        >>> texts = {"a": "Toux sèche.", "b": "Entorse."}
        >>> pairs = PairSet("mine", {"q": "toux"}, texts, {"q": ["a"]})
        >>> model = open_model("encoder", pooling="mean")
        >>> [result.kind for result in evaluate_with_words("mine", pairs, model)]
        ['dense', 'hybrid']
    """
    return _evaluate(system, pairs, model, batch_size, (None, "hybrid"))


def _evaluate(
    system: str, pairs: PairSet, model: Any, batch_size: int, methods: tuple[Method | None, ...]
) -> list[Result]:
    begin = time.perf_counter()
    index = Index.build(pairs.documents, model, batch_size=batch_size)
    building = time.perf_counter() - begin
    queries = list(pairs.relevant)
    results = []
    for method in methods:
        begin = time.perf_counter()
        ranked = index.rank([pairs.queries[query] for query in queries], TOP, method)
        searching = time.perf_counter() - begin
        rows = per_query(dict(zip(queries, ranked, strict=True)), pairs.relevant, pairs.gains)
        result = summary(
            (system, method or index.kind, pairs),
            rows,
            passages=len(index.passages),
            index_bytes=index.size,
            documents_per_second=len(pairs.documents) / building,
            queries_per_second=len(queries) / searching,
            notes=length_notes(pairs, index.passages, model) if method is None else [],
        )
        results.append(result)
    return results


def summary(what: tuple[str, str, PairSet], rows: dict[str, list[float]], **rest: Any) -> Result:
    """Put a system's measures together with their intervals."""
    from doctobert_hf.statistics import bootstrap_mean

    system, kind, pairs = what
    intervals = {name: bootstrap_mean(values) for name, values in rows.items()}
    grades = pairs.grades()
    if len(grades) > 1:
        rest["notes"] = [*rest.get("notes", []), _GRADED.format(grades[0], grades[-1])]
    return Result(
        system,
        kind,
        pairs.name,
        queries=len(pairs.queries),
        documents=len(pairs.documents),
        scores={name: float(np.mean(values)) for name, values in rows.items()},
        intervals={name: (each.low, each.high) for name, each in intervals.items()},
        per_query=rows["ndcg@10"],
        grades=grades,
        **rest,
    )


def per_query(
    ranked: Mapping[str, Sequence[tuple[str, float]]],
    relevant: Mapping[str, Sequence[str]],
    gains: Mapping[str, Mapping[str, float]] | None = None,
) -> dict[str, list[float]]:
    """Measure each question by itself, with Sentence Transformers' own code.

    That code knows right and wrong only. The nDCG of questions whose documents have grades is
    trec_eval's ``ndcg_cut`` (pytrec_eval, mteb): a grade is its document's gain, without a power
    of two, discounted by the logarithm of the rank and divided by that of the best order.

    Args:
        ranked: Per query, documents and scores, best first.
        relevant: Per query, the documents that answer it.
        gains: Per query, the grades of those that are not 1.

    Returns:
        Per measure, one value a query, in the order of ``ranked``.
    """
    evaluator = _evaluator_class()
    rows: dict[str, list[float]] = {name: [] for name in MEASURES}
    for query, found in ranked.items():
        one = evaluator(
            {query: ""},
            {},
            {query: set(relevant[query])},
            precision_recall_at_k=[TOP],
            accuracy_at_k=[TOP],
            map_at_k=[TOP],
        )
        hits = [{"corpus_id": document, "score": score} for document, score in found]
        measured = one.compute_metrics([hits])
        for name in MEASURES:
            rows[name].append(float(measured[name.replace("10", "k")][TOP]))
        if graded := (gains or {}).get(query):
            of = {document: graded.get(document, 1.0) for document in relevant[query]}
            found_gains = [of.get(document, 0.0) for document, _ in found]
            rows["ndcg@10"][-1] = _dcg(found_gains) / _dcg(sorted(of.values(), reverse=True))
    return rows


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains[:TOP]))


def _evaluator_class() -> Any:
    """The class's place in Sentence Transformers 6, or in 5, which PyLate pins."""
    import importlib

    import sentence_transformers

    new = int(sentence_transformers.__version__.split(".")[0]) >= 6
    place = "sentence_transformers.sentence_transformer.evaluation" if new else None
    module = importlib.import_module(place or "sentence_transformers.evaluation")
    return module.InformationRetrievalEvaluator


def length_notes(pairs: PairSet, passages: Sequence[Passage], model: Any) -> list[str]:
    """Say how many documents were cut and how many questions are truncated.

    Args:
        pairs: The questions and documents.
        passages: What the documents were cut into.
        model: The model; None: words only, which cut nothing.
    """
    if model is None:
        return []
    notes = []
    cuts = len(long_documents(pairs.documents, passages))
    if cuts:
        notes.append(f"{cuts:,} documents are over the model's length: searched by their chunks")
    from doctobert_hf.retrieval.models import tokenizer_of

    length = getattr(model[0], "query_length", None) or model.max_seq_length
    if isinstance(length, int):
        pieces = cut(
            pairs.queries.values(), tokenizer_of(model), length, model.prompts.get("query")
        )
        over = len(long_documents(pairs.queries, pieces))
        if over:
            notes.append(f"{over:,} questions are over {length} tokens: the model truncates them")
    return notes


def table(results: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the table that sets systems side by side."""
    header = ["system", "kind", "data", "nDCG@10", "95 %", "recall@10", "MRR@10", "index",
              "docs/s", "queries/s"]  # fmt: skip
    rows = []
    for result in results:
        low, high = result.intervals["ndcg@10"]
        rows.append(
            [
                *(result.system, result.kind, result.data),
                f"{result.scores['ndcg@10']:.3f}",
                f"{low:.3f}-{high:.3f}",
                *(f"{result.scores[name]:.3f}" for name in MEASURES[1:]),
                _size(result.index_bytes),
                f"{result.documents_per_second:,.0f}",
                f"{result.queries_per_second:,.0f}",
            ]
        )
    return header, rows


def verdict(results: Sequence[Result]) -> list[str]:
    """Say of each system after the first whether it differs from the first, by a paired test.

    What training changed is told too, ``after training`` beside ``before training``, and whether
    words help a model's vectors.
    """
    lines: list[str] = []
    by_data: dict[str, Result] = {}
    for result in results:
        first = by_data.setdefault(result.data, result)
        lines += _compared(result, first)
        if result.kind == "hybrid":
            lines += _advised(result, results, first)
        if result.system == "after training":
            lines += [
                line
                for before in results
                if before.system == "before training" and before is not first
                for line in _compared(result, before)
            ]
    return lines


def _advised(hybrid: Result, results: Sequence[Result], told: Result) -> list[str]:
    """Compare vectors and words together with the vectors alone, and say which to search by."""
    from doctobert_hf.statistics import SIGNIFICANT, paired_significance

    place = next(n for n, result in enumerate(results) if result is hybrid)
    same = [
        result
        for result in results[:place]
        if (result.system, result.data) == (hybrid.system, hybrid.data) and result.kind != "hybrid"
    ]
    if not same or len(same[-1].per_query) != len(hybrid.per_query) or not hybrid.per_query:
        return []
    alone = same[-1]
    gain = hybrid.scores["ndcg@10"] - alone.scores["ndcg@10"]
    helps = gain > 0 and paired_significance(hybrid.per_query, alone.per_query) < SIGNIFICANT
    advice = "search with --method hybrid" if helps else "search by the vectors alone"
    lines = _compared(hybrid, alone) if alone is not told else []
    return [*lines, f"{hybrid.data}: {hybrid.system}: {advice}"]


def _compared(result: Result, first: Result) -> list[str]:
    from doctobert_hf.statistics import SIGNIFICANT, paired_significance

    comparable = first.data == result.data and len(first.per_query) == len(result.per_query)
    if first is result or not comparable or not result.per_query:
        return []
    gain = result.scores["ndcg@10"] - first.scores["ndcg@10"]
    chance = paired_significance(result.per_query, first.per_query)
    what = "better than" if gain > 0 else "worse than"
    if chance >= SIGNIFICANT:
        what = "not clearly different from"
    return [
        f"{result.data}: {result.system} ({result.kind}) is {what} {first.system} "
        f"({first.kind}): {gain:+.3f} nDCG@10, p {chance:.2g}"
    ]


def _size(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"
