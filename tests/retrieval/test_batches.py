"""In no batch does a document answer another row's question; every row is trained on."""

import pytest

from doctobert_hf.retrieval.batches import Conflicts, make_sampler
from doctobert_hf.retrieval.pairs import Pair, PairSet, normalized


@pytest.fixture
def pairs():
    """Questions with several answers each, answers shared, and one in other case and accents."""
    made = [Pair(f"question {n}", (f"réponse {n % 7}", f"Réponse {n} bis")) for n in range(40)]
    made += [Pair("QUESTION 3", ("une autre",)), Pair("q", ("REPONSE 1",))]
    return PairSet.from_pairs("p", made)


def violations(pairs, rows, batch):
    answers = {}
    for query, right in pairs.relevant.items():
        said = answers.setdefault(normalized(pairs.queries[query]), set())
        said |= {normalized(pairs.documents[d]) for d in right}
    found = 0
    for one in batch:
        for other in batch:
            if one != other:
                mine = answers[normalized(pairs.queries[rows[one][0]])]
                found += any(normalized(pairs.documents[d]) in mine for d in rows[other][1:])
    return found


def test_no_row_is_a_wrong_answer_to_a_question_it_answers(pairs):
    rows = pairs.pairs()
    sampler = make_sampler(Conflicts(pairs, rows), 8, seed=3, epochs=3)
    stock_would = violations(pairs, rows, list(range(16)))
    assert stock_would, "rows in order do conflict"
    for epoch in range(3):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == len(sampler)
        assert sorted(row for batch in batches for row in batch) == list(range(len(rows)))
        assert max(map(len, batches)) <= 8
        assert sum(violations(pairs, rows, batch) for batch in batches) == 0


def test_epochs_differ_and_seeds_repeat(pairs):
    rows = pairs.pairs()
    sampler = make_sampler(Conflicts(pairs, rows), 8, seed=3)
    first = list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) != first
    assert list(make_sampler(Conflicts(pairs, rows), 8, seed=3)) == first


def test_few_distinct_answers_are_all_trained_on_and_told(caplog):
    pairs = PairSet.from_pairs("p", [Pair(f"q {n}", (f"a {n % 4}",)) for n in range(100)])
    sampler = make_sampler(Conflicts(pairs, pairs.pairs()), 32, seed=0)
    assert sum(map(len, sampler)) == 100
    assert "batches have 4.0 rows on average instead of 25.0" in caplog.text


def test_rows_that_go_with_no_other_are_counted(caplog):
    """All share an answer: each is a batch of its own, in which there is no wrong text."""
    pairs = PairSet.from_pairs("p", [Pair(f"q {n}", ("a",)) for n in range(5)])
    make_sampler(Conflicts(pairs, pairs.pairs()), 32, seed=0)
    assert "5 of 5 batches have one row" in caplog.text


def test_a_small_last_batch_is_no_conflict(caplog):
    pairs = PairSet.from_pairs("p", [Pair(f"q {n}", (f"a {n}",)) for n in range(40)])
    make_sampler(Conflicts(pairs, pairs.pairs()), 32, seed=1)
    assert "rows on average" not in caplog.text
