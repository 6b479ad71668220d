"""Aggregates against the published table and their definitions."""

import math

import pytest

from doctobert_hf.drbenchmark import published
from doctobert_hf.drbenchmark.leaderboard import (
    average_rank,
    bootstrap,
    min_max,
    win_probability,
    z_score,
)
from doctobert_hf.errors import DataError, UsageError

TWO = {"a": {"t": 1.0, "u": 3.0}, "b": {"t": 2.0, "u": 3.0}, "c": {"t": 4.0, "u": 3.0}}


def test_win_probability_reproduces_the_published_table():
    found = win_probability(published.SCORES)
    assert len(found) == 11
    for model, printed in published.WIN_PROBABILITY.items():
        assert found[model] == pytest.approx(printed, abs=0.01), model


def test_min_max_reproduces_the_published_table_to_its_misprints():
    for model, value in min_max(published.SCORES).items():
        assert value == pytest.approx(published.MIN_MAX[model], abs=1.0), model
    mended = {model: dict(row) for model, row in published.SCORES.items()}
    mended["BioClinical-ModernBERT"]["quaero_medline"] = 45.78
    mended["CamemBERT"]["deft2021_ner"] = 62.17
    for model, value in min_max(mended).items():
        assert value == pytest.approx(published.MIN_MAX[model], abs=0.02), model


def test_ranks_of_the_published_table():
    ranks = {model: round(rank, 2) for model, rank in average_rank(published.SCORES).items()}
    assert ranks["DoctoBERT-fr"] == 1.29
    assert ranks["TransBERT-bio-fr"] == 2.14
    assert ranks["BioClinical-ModernBERT"] == 10.86
    n = len(ranks)
    for model, value in win_probability(published.SCORES).items():
        expected = 100 * (n - average_rank(published.SCORES)[model]) / (n - 1)
        assert value == pytest.approx(expected)


def test_constant_tasks_and_ties():
    assert min_max(TWO) == {"a": 0.0, "b": pytest.approx(100 / 3), "c": 100.0}
    assert win_probability(TWO) == {"a": 25.0, "b": 50.0, "c": 75.0}
    assert average_rank(TWO) == {"a": 2.5, "b": 2.0, "c": 1.5}
    assert sum(z_score(TWO).values()) == pytest.approx(0.0)
    assert math.isnan(win_probability({"a": {"t": 1.0}})["a"])
    assert math.isnan(min_max({"a": {"t": 1.0}})["a"])


def test_missing_scores():
    gap = {"a": {"t": 1.0, "u": 2.0}, "b": {"t": 2.0}}
    assert win_probability(gap) == {"a": 0.0, "b": 100.0}
    with pytest.raises(DataError, match="'b' has no score for u"):
        min_max(gap)
    with pytest.raises(DataError, match="'a' has nan for t"):
        win_probability({"a": {"t": math.nan}})
    with pytest.raises(DataError, match="No scores"):
        min_max({})


def test_bootstrap_intervals_hold_the_value():
    for aggregate in (min_max, win_probability):
        intervals = bootstrap(published.SCORES, aggregate, resamples=300)
        for model, interval in intervals.items():
            assert interval.low <= interval.value <= interval.high, model
        again = bootstrap(published.SCORES, aggregate, resamples=300)
        assert again == intervals
    with pytest.raises(UsageError):
        bootstrap(published.SCORES, confidence=1.5)


def test_bootstrap_takes_what_the_aggregate_takes():
    gap = {"a": {"t": 1.0, "u": 2.0}, "b": {"t": 2.0}}
    assert bootstrap(gap, win_probability, resamples=50)["b"].value == 100.0
    with pytest.raises(DataError, match="has no score"):
        bootstrap(gap, min_max, resamples=50)
    with pytest.raises(DataError, match="'a' has None"):
        min_max({"a": {"t": None}})
