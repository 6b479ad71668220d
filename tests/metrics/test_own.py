"""A metric from outside: its name, what it is given, what it may say, and who is told."""

import dataclasses

import numpy as np
import pytest

from doctobert_hf.drbenchmark import compute_metrics, get_task, register_task
from doctobert_hf.drbenchmark.scoring import row_counts, score_predictions
from doctobert_hf.drbenchmark.spec import task_without_data, with_metric
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.metrics import (
    edrm,
    entity_f1,
    list_metrics,
    load,
    multilabel_f1,
    own,
    partial_entity_f1,
    register_metric,
    weighted_f1,
)


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    monkeypatch.setattr(own, "_OWN", {})


def share_right(predictions, references):
    assert isinstance(predictions, list) and isinstance(references, list)
    return sum(map(lambda a, b: a == b, predictions, references)) / len(references)


def task(kind, *labels, **known):
    return task_without_data("mine", kind, labels, metric="share_right", **known)


@pytest.mark.parametrize("kind", ["token-classification", "nested-token-classification"])
def test_of_words_it_is_given_tags(kind):
    register_metric("share_right", share_right)
    spec = task(kind, "O", "B-X", "I-X")
    wrap = (lambda rows: [[row] for row in rows]) if kind.startswith("nested") else list
    rows = wrap([["B-X", "O"], ["O"]]), wrap([["B-X", "O"], ["B-X"]])
    scores = score_predictions(spec, *rows)
    assert spec.metric_key == "share_right" and scores["share_right"] == 0.5
    assert scores["recall"] == 0.5  # the family's own scores are there beside it


@pytest.mark.parametrize(
    ("spec", "predictions", "references", "value"),
    [
        (task("classification", "a", "b"), [[2.0, 1], [0, 1]], [0, 0], 0.5),
        (task("parallel-sentence", "1", "2"), [[2.0, 1], [0, 1]], [0, 1], 1.0),
        (
            *(task("multilabel-classification", "a", "b", threshold=0.7), [[1.0, -1], [0.5, 3]]),
            *([[1, 0], [0, 1]], 1.0),
        ),
        (task("multiple-choice", *"abcde"), [[-1.0, -2, -3, -4, -5]], [[1, 0, 0, 0, 0]], 1.0),
        (task("multiple-choice", *"abcde"), [[9.0] + [0.0] * 30], [0], 1.0),
        (task("similarity"), [[3.0], [4.0]], [3.0, 5.0], 0.5),
    ],
)
def test_of_rows_it_is_given_what_was_decided(spec, predictions, references, value):
    register_metric("share_right", share_right)
    assert score_predictions(spec, predictions, references)["share_right"] == value


def test_a_stock_trainer_scores_by_it():
    from transformers import EvalPrediction

    register_metric("share_right", share_right)
    logits = np.array([[[0.0, 1, 0], [1, 0, 0]], [[1, 0, 0], [1, 0, 0]]])
    labels = np.array([[1, -100], [0, 2]])
    spec = task("token-classification", "O", "B-X", "I-X")
    assert compute_metrics(spec)(EvalPrediction(logits, labels))["share_right"] == 0.5


def test_it_is_no_sum_over_documents():
    register_metric("share_right", share_right)
    rows = [{"id": "a", "prediction": [2.0, 1], "reference": 0}]
    assert row_counts(task("classification", "a", "b"), rows) is None


def test_a_mapping_has_more_numbers():
    register_metric("kappa", lambda p, r: {"kappa": np.float32(0.5), "raw": -3})
    spec = dataclasses.replace(task("classification", "a", "b"), metric="kappa")
    scores = score_predictions(spec, [[1.0, 0]], [0])
    assert scores["kappa"] == 0.5 and scores["kappa_raw"] == -3.0 and scores["f1"] == 1.0


@pytest.mark.parametrize("said", [1.5, -0.1, float("nan"), None, "1", True, {"other": 1.0}])
def test_what_is_no_score_is_refused(said):
    register_metric("kappa", lambda p, r: said)
    spec = dataclasses.replace(task("classification", "a", "b"), metric="kappa")
    with pytest.raises(DataError, match="'kappa' says .* from 0 to 1"):
        score_predictions(spec, [[1.0, 0]], [0])


def test_one_that_fails_is_named():
    register_metric("kappa", lambda p, r: 1 / 0)
    spec = dataclasses.replace(task("classification", "a", "b"), metric="kappa")
    with pytest.raises(DataError, match=r"'kappa' failed \(ZeroDivisionError"):
        score_predictions(spec, [[1.0, 0]], [0])
    register_metric("kappa_2", lambda p, r: {"kappa_2": 1.0, "x": "much"})
    with pytest.raises(DataError, match="kappa_2_x"):
        score_predictions(dataclasses.replace(spec, metric="kappa_2"), [[1.0, 0]], [0])


def test_names_that_are_taken_or_none():
    scores = (
        entity_f1([["B-X"]], [["B-X"]]),
        partial_entity_f1([["B-X"]], [["B-X"]]),
        weighted_f1([0, 1], [0, 1]),
        multilabel_f1([[0.9]], [[1]]),
        edrm([1.0, 2.0], [1.0, 2.0]),
    )
    taken = {key for table in scores for key in table} | {"strict", "partial", "entity_f1"}
    for name in sorted(taken):
        with pytest.raises(UsageError, match="already"):
            register_metric(name, share_right)
    for name in ("", "Ma mesure", "é", "2nd"):
        with pytest.raises(UsageError, match="small letters"):
            register_metric(name, share_right)
    with pytest.raises(UsageError, match="a function"):
        register_metric("kappa", 0.5)
    register_metric("share_right", share_right)
    register_metric("share_right", share_right)  # a plugin that is run twice
    with pytest.raises(UsageError, match="already"):
        register_metric("share_right", lambda p, r: 1.0)


def test_the_nearest_name_is_told_of_ones_own_too():
    register_metric("share_right", share_right)
    assert list_metrics()[-1] == "share_right"
    mine = dataclasses.replace(get_task("morfitt"), name="mine", metric="share_rigth")
    with pytest.raises(UsageError, match="Did you mean 'share_right'"):
        register_task(mine)
    with pytest.raises(UsageError, match="Did you mean 'share_right'"):
        with_metric(get_task("morfitt"), "share_rigth")
    with pytest.raises(UsageError, match="one of a plugin"):
        with_metric(get_task("morfitt"), "edrm")
    with pytest.raises(UsageError, match="plugin's function"):
        load("share_right")
