import pytest
from sentence_transformers.multi_vector_encoder.evaluation import (
    MultiVectorInformationRetrievalEvaluator,
)
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

from doctobert_hf.retrieval import Pair, PairSet, evaluate, open_model
from doctobert_hf.retrieval.evaluation import MEASURES, per_query, table, verdict


@pytest.fixture(scope="module")
def pairs(sample_texts):
    made = []
    for first, second in zip(sample_texts[:40:2], sample_texts[1:40:2], strict=True):
        made.append(Pair(first[:60], (first[60:160], second[:100])))
    return PairSet.from_pairs("sample", made)


@pytest.mark.parametrize(
    "kind, evaluator",
    [
        ("dense", InformationRetrievalEvaluator),
        ("late-interaction", MultiVectorInformationRetrievalEvaluator),
    ],
)
def test_measures_are_sentence_transformers_own(kind, evaluator, pairs, encoder):
    model = open_model(encoder, kind, "mean" if kind == "dense" else None)
    relevant = {query: set(ids) for query, ids in pairs.relevant.items()}
    theirs = evaluator(pairs.queries, pairs.documents, relevant, write_csv=False)(model)
    ours = evaluate("tiny", pairs, model)
    name = "cosine" if kind == "dense" else "maxsim"
    for measure in MEASURES:
        assert ours.scores[measure] == pytest.approx(theirs[f"{name}_{measure}"], abs=1e-3)
        low, high = ours.intervals[measure]
        assert low < ours.scores[measure] < high
    assert ours.kind == kind and ours.documents_per_second > 0 and ours.index_bytes > 0


def test_perfect_and_empty_rankings():
    relevant = {"q": ["a", "b"], "r": ["c"]}
    best = per_query({"q": [("a", 2.0), ("b", 1.0)], "r": [("x", 1.0), ("c", 0.5)]}, relevant)
    assert best["ndcg@10"] == pytest.approx([1.0, 0.6309], abs=1e-4)
    assert best["mrr@10"] == [1.0, 0.5]
    assert per_query({"q": [], "r": []}, relevant)["recall@10"] == [0.0, 0.0]


def test_table_and_verdict_set_systems_side_by_side(pairs, encoder):
    results = [
        evaluate("BM25", pairs),
        evaluate("tiny", pairs, open_model(encoder, pooling="mean")),
    ]
    header, rows = table(results)
    assert header[3] == "nDCG@10" and [row[1] for row in rows] == ["bm25", "dense"]
    [line] = verdict(results)
    assert "tiny (dense) is" in line and "BM25 (bm25)" in line
    results[0].per_query, results[1].per_query = [0.1] * 20, [0.9] * 20
    results[0].scores["ndcg@10"], results[1].scores["ndcg@10"] = 0.1, 0.9
    assert "is better than BM25" in verdict(results)[0]


def test_long_documents_and_questions_are_told(pairs, encoder, sample_texts):
    model = open_model(encoder, pooling="mean")
    model[0].document_length, model[0].query_length = 16, 8
    notes = evaluate("tiny", pairs, model).notes
    assert "searched by their chunks" in notes[0]
    assert "questions are over 8 tokens: the model truncates them" in notes[1]
