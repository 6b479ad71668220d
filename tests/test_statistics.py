"""Intervals and tests: equal to SciPy's, and a level that holds where nothing differs."""

import math

import numpy as np
import pytest

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.metrics import entity_counts, entity_f1, weighted_f1, weighted_f1_of
from doctobert_hf.statistics import (
    Counts,
    bootstrap_mean,
    compare_runs,
    deviation,
    document_interval,
    holm,
    paired_significance,
)


def f1(sums):
    return 2 * sums[..., 0] / np.maximum(sums[..., 1] + sums[..., 2], 1)


def run(generator, difficulty, skill):
    """One trained model on some documents: ten entities each, some of them found."""
    chance = 1 / (1 + np.exp(-(difficulty + skill)))
    hits = generator.binomial(10, chance)
    values = np.stack([hits, np.full(len(hits), 10), np.full(len(hits), 10)], 1)
    return Counts(tuple(map(str, range(len(hits)))), values.astype(float), f1)


def models(generator, difficulty, mean, seeds, spread=0.15):
    """Seeds of a way to train: each gives a model a little better or worse."""
    return [run(generator, difficulty, mean + spread * generator.normal()) for _ in range(seeds)]


@pytest.mark.long
@pytest.mark.parametrize(("seeds", "tasks"), [(3, 1), (5, 1), (3, 3)])
def test_equal_ways_to_train_are_told_apart_no_more_often_than_the_level_says(seeds, tasks):
    generator = np.random.default_rng(1)
    found = 0
    for _ in range(300):
        pairs = []
        for _ in range(tasks):
            difficulty = generator.normal(size=60)
            pairs.append([models(generator, difficulty, 0.0, seeds) for _ in range(2)])
        comparison = compare_runs(pairs, resamples=200)
        assert comparison.with_seeds and comparison.tasks == tasks
        found += comparison.p_value < 0.05
    # 5 % of 300 is 15; more than 25 has a probability below 0.01.
    assert found <= 25


def test_a_real_difference_is_found_with_three_seeds():
    generator = np.random.default_rng(2)
    found = 0
    for _ in range(50):
        difficulty = generator.normal(size=200)
        pair = [models(generator, difficulty, skill, 3) for skill in (0.8, 0.0)]
        comparison = compare_runs([pair], resamples=200)
        found += comparison.difference > 0 and comparison.p_value < 0.05
    assert found >= 40


def test_one_seed_is_about_these_models_and_one_document_about_nothing():
    generator = np.random.default_rng(3)
    difficulty = generator.normal(size=100)
    one = [run(generator, difficulty, 0.0)]
    assert not compare_runs([(one, [run(generator, difficulty, 1.0)])]).with_seeds
    assert compare_runs([(one, one)]).p_value == 1.0
    alone = Counts(("a",), np.array([[1.0, 2, 2]]), f1)
    other = Counts(("a",), np.array([[2.0, 2, 2]]), f1)
    assert compare_runs([([alone], [other])]).p_value == 1.0
    with pytest.raises(DataError, match="different test documents"):
        compare_runs([(one, [alone])])


def test_documents_may_stand_in_another_order():
    values = np.array([[1.0, 2, 2], [2, 2, 3], [0, 1, 1]])
    first = Counts(("a", "b", "c"), values, f1)
    second = Counts(("c", "a", "b"), values[[2, 0, 1]], f1)
    assert compare_runs([([first], [second])]).difference == 0.0
    assert document_interval([first]) == document_interval([first, second])


def test_rows_of_a_document_are_drawn_together_where_there_are_enough():
    values = np.ones((60, 3))
    rows = Counts(tuple(map(str, range(60))), values, f1)
    grouped = rows.by_document({str(n): f"d{n // 3}" for n in range(60)})
    assert len(grouped.ids) == 20 and grouped.values.sum() == values.sum()
    assert rows.by_document({str(n): f"d{n // 30}" for n in range(60)}) is rows


def test_an_interval_holds_the_score_and_narrows_with_more_documents():
    generator = np.random.default_rng(4)
    widths = []
    for size in (50, 800):
        found = document_interval([run(generator, generator.normal(size=size), 0.0)])
        assert found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 3


def test_sums_make_the_scores_that_the_metrics_print():
    generator = np.random.default_rng(5)
    tags = ["O", "B-A", "I-A", "B-B", "I-B"]
    both = [[list(generator.choice(tags, n)) for n in (0, 1, 7, 30, 4)] for _ in range(2)]
    counts = entity_counts(*both)
    assert counts.shape == (5, 3)
    assert f1(counts.sum(0).astype(float)) == pytest.approx(entity_f1(*both)["f1"])
    for row in range(1, 5):
        alone = entity_counts([both[0][row]], [both[1][row]])
        assert counts[row].tolist() == alone[0].tolist()
    predicted, true = generator.integers(4, size=(2, 50))
    one_hot = [np.eye(4, dtype=bool)[a] for a in (predicted, true)]
    sums = np.stack([one_hot[0] & one_hot[1], *one_hot], 1).sum(0)
    assert weighted_f1_of(sums) == pytest.approx(weighted_f1(predicted, true)["f1"])


def test_deviation_is_that_of_a_sample():
    assert deviation([1.0, 2.0, 4.0]) == pytest.approx(np.std([1, 2, 4], ddof=1))
    assert deviation([1.0]) is None and deviation([]) is None


def test_bootstrap_mean():
    found = bootstrap_mean([0.1, 0.5, 0.7, 0.3] * 10)
    assert found.value == pytest.approx(0.4) and found.low < 0.4 < found.high
    alone = bootstrap_mean([0.5])
    assert (alone.low, alone.value, alone.high) == (0.5, 0.5, 0.5)
    with pytest.raises(DataError):
        bootstrap_mean([])
    with pytest.raises(DataError):
        bootstrap_mean([math.nan])
    with pytest.raises(UsageError):
        bootstrap_mean([1.0], confidence=2.0)


def test_significance_of_pairs():
    assert paired_significance([1.0, 2.0, 3.0], [0.0, 0.0, 0.0]) == 0.25
    assert paired_significance([1.0], [0.0]) == 1.0
    ours = [70.0, 71.0, 72.0, 70.5, 71.5, 70.2, 71.1, 70.9]
    theirs = [value - 1.0 for value in ours]
    assert paired_significance(ours, theirs) == pytest.approx(2 / 2**8)
    assert paired_significance(ours, ours) == 1.0
    assert paired_significance(ours, theirs) == paired_significance(theirs, ours)
    long = ours * 4
    assert paired_significance(long, [v - 1 for v in long], rounds=999) == pytest.approx(0.002)
    large = [v * 1e4 for v in ours]
    assert paired_significance(large, [v - 1e4 for v in large]) == pytest.approx(2 / 2**8)
    with pytest.raises(DataError):
        paired_significance([1.0], [])
    with pytest.raises(DataError, match="finite"):
        paired_significance([math.nan, 1.0], [1.0, 2.0])


def test_holm():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.6, 0.9]) == [1.0, 1.0]
