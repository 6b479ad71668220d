import dataclasses
import math
import random

import pytest
from sentence_transformers.multi_vector_encoder.evaluation import (
    MultiVectorInformationRetrievalEvaluator,
)
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

from doctobert_hf.cli.retrieval import _tell_data
from doctobert_hf.retrieval import Pair, PairSet, evaluate, open_model
from doctobert_hf.retrieval.evaluation import (
    MEASURES,
    evaluate_with_words,
    per_query,
    table,
    verdict,
)
from doctobert_hf.retrieval.pairs import PairSplits


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


def graded_judgements(seed, grades):
    """Rankings of 1 to 30 documents without equal scores, some of them judged."""
    draw = random.Random(seed)
    names = [f"d{n}" for n in range(30)]
    judged = {d: draw.choice(grades) for d in draw.sample(names, draw.randint(1, 20))}
    found = draw.sample(names, draw.randint(1, 30))
    return judged, [(name, float(len(found) - n)) for n, name in enumerate(found)]


@pytest.mark.parametrize("seed", range(40))
def test_ndcg_of_grades_is_trec_evals(seed):
    """``ndcg_cut`` has the grades as gains; recall and MRR count every grade as right."""
    pytrec_eval = pytest.importorskip("pytrec_eval")
    judged, found = graded_judgements(seed, [1, 2, 3])
    judge = pytrec_eval.RelevanceEvaluator({"q": judged}, {"ndcg_cut.10", "recall.10"})
    theirs = judge.evaluate({"q": dict(found)})["q"]
    gains = {d: float(grade) for d, grade in judged.items() if grade != 1}
    ours = per_query({"q": found}, {"q": list(judged)}, {"q": gains})
    assert ours["ndcg@10"] == pytest.approx([theirs["ndcg_cut_10"]], abs=1e-9)
    assert ours["recall@10"] == pytest.approx([theirs["recall_10"]], abs=1e-9)
    ungraded = per_query({"q": found}, {"q": list(judged)})
    assert all(ours[name] == ungraded[name] for name in ("recall@10", "mrr@10"))


def test_grades_are_told_and_ungraded_judgements_score_as_before(capsys):
    texts = {"a": "Toux sèche.", "b": "Toux grasse et fièvre."}
    ungraded = PairSet("mine", {"q": "toux"}, texts, {"q": ["a", "b"]})
    graded = PairSet("mine", {"q": "toux"}, texts, {"q": ["a", "b"]}, gains={"q": {"b": 3.0}})
    one, two = evaluate("BM25", ungraded), evaluate("BM25", graded)
    assert one.scores["ndcg@10"] == 1.0 and one.grades == [1.0] and one.notes == []
    best = 3 + 1 / math.log2(3)
    assert two.scores["ndcg@10"] == pytest.approx((1 + 3 / math.log2(3)) / best)
    assert two.scores["recall@10"] == 1.0 and two.as_json()["grades"] == [1.0, 3.0]
    assert "judgements are graded, 1 to 3: nDCG's gains" in two.notes[0]
    _tell_data(PairSplits(ungraded, graded, ungraded))
    first, second, _ = capsys.readouterr().out.splitlines()
    assert first.endswith("2 documents") and second.endswith("2 documents, graded 1 to 3")


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


def test_words_beside_vectors_are_measured_and_advised(encoder, sample_texts):
    """A model that knows nothing, with words: better, and it says to search so."""
    signs = ("douleur", "toux", "plaie", "fracture", "brûlure", "tumeur", "gêne", "raideur")
    organs = ("genou", "foie", "rein", "cœur", "dos", "pied")
    asked = [f"{sign} du {organ}" for sign in signs for organ in organs]
    answers = [f"{text[:150]} {what}. {text[150:300]}" for text, what in zip(sample_texts, asked)]
    made = [Pair(what, (answer,)) for what, answer in zip(asked, answers, strict=True)]
    pairs = PairSet.from_pairs("mine", made)
    model = open_model(encoder, pooling="mean")
    alone, both = evaluate_with_words("tiny", pairs, model)
    assert (alone.kind, both.kind) == ("dense", "hybrid")
    assert alone.scores == evaluate("tiny", pairs, model).scores
    assert both.scores["ndcg@10"] > alone.scores["ndcg@10"]
    told = verdict([evaluate("BM25", pairs), alone, both])
    assert any("tiny (hybrid) is better than tiny (dense)" in line for line in told)
    assert told[-1] == "mine: tiny: search with --method hybrid"
    worse = dataclasses.replace(both, per_query=alone.per_query, scores=alone.scores)
    assert verdict([alone, worse])[-1] == "mine: tiny: search by the vectors alone"
    assert verdict([both]) == [], "nothing to compare it with"
    other = dataclasses.replace(alone, per_query=both.per_query, scores=both.scores)
    assert verdict([alone, other, both])[-1] == "mine: tiny: search by the vectors alone"
