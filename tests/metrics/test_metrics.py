"""Metrics against seqeval, scikit-learn and SciPy, and as ``evaluate`` modules."""

import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.metrics import (
    edrm,
    entity_f1,
    exact_match_ratio,
    hamming_score,
    list_metrics,
    load,
    module_folder,
    multilabel_f1,
    weighted_f1,
)

KINDS = (
    *("O", "B-A", "I-A", "B-B", "I-B", "B", "I", "B_scope_neg", "I_scope_neg", "B-A-B", "I--A"),
    *("E-A", "S-A", "L-A", "U-A", ".", "-", "X-A"),
)
pairs = st.lists(
    st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)), max_size=8),
    min_size=1,
    max_size=5,
)
iob2_pairs = st.lists(
    st.lists(st.tuples(st.sampled_from(KINDS[:11]), st.sampled_from(KINDS[:11])), max_size=8),
    min_size=1,
    max_size=5,
)


def both(sequences):
    predictions = [[p for p, _ in s] for s in sequences]
    references = [[r for _, r in s] for s in sequences]
    return predictions, references


def check(sequences, our_mode, **options):
    from seqeval.metrics import (
        accuracy_score,
        classification_report,
        f1_score,
        precision_score,
        recall_score,
    )

    predictions, references = both(sequences)
    ours = entity_f1(predictions, references, our_mode)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ours["f1"] == pytest.approx(f1_score(references, predictions, **options))
        assert ours["recall"] == pytest.approx(recall_score(references, predictions, **options))
        precision = precision_score(references, predictions, **options)
        assert ours["precision"] == pytest.approx(precision)
        if any(sequences):
            accuracy = accuracy_score(references, predictions)
            assert ours["accuracy"] == pytest.approx(accuracy)
        if ours["per_type"]:
            report = classification_report(references, predictions, output_dict=True, **options)
            for name, scores in ours["per_type"].items():
                if name in report and not name.endswith("avg"):
                    assert scores["f1"] == pytest.approx(report[name]["f1-score"])
                    assert scores["support"] == report[name]["support"]
            types = {n for n in report if not n.endswith("avg")}
            assert types == set(ours["per_type"])


@pytest.mark.long
@settings(max_examples=300, deadline=None)
@given(pairs)
def test_default_mode_equals_seqeval_on_any_tags(sequences):
    check(sequences, "default")


@pytest.mark.long
@settings(max_examples=300, deadline=None)
@given(iob2_pairs)
def test_strict_mode_equals_seqeval_on_any_iob2_tags(sequences):
    from seqeval.scheme import IOB2

    check(sequences, "strict", mode="strict", scheme=IOB2)


def test_the_two_modes_differ_on_ill_formed_tags():
    predictions, references = [["O", "I-A", "I-A"]], [["O", "B-A", "I-A"]]
    assert entity_f1(predictions, references)["f1"] == 1.0
    assert entity_f1(predictions, references, mode="strict")["f1"] == 0.0


def test_entity_errors_say_where():
    with pytest.raises(DataError, match="1 predicted and 2 true sequences"):
        entity_f1([["O"]], [["O"], ["O"]])
    with pytest.raises(DataError, match="Sequence 1 has 1 predicted and 2 true tags"):
        entity_f1([["O"], ["O"]], [["O"], ["O", "O"]])
    with pytest.raises(DataError, match="The tag ''"):
        entity_f1([[""]], [["O"]])
    with pytest.raises(DataError, match="is one string"):
        entity_f1(["OO"], ["OO"])
    with pytest.raises(DataError, match="'E-A' in strict mode"):
        entity_f1([["E-A"]], [["O"]], mode="strict")
    with pytest.raises(UsageError, match="'default' or 'strict'"):
        entity_f1([["O"]], [["O"]], mode="IOB2")
    with pytest.raises(DataError, match="No sequence"):
        entity_f1([], [])
    with pytest.raises(DataError, match="'MISC' beside 'B-PER'"):  # not a type ISC
        entity_f1([["B-PER", "MISC"]], [["B-PER", "O"]])


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_weighted_f1_equals_scikit_learn(classes):
    from sklearn.metrics import f1_score, precision_score

    predicted, true = zip(*classes, strict=True)
    ours = weighted_f1(predicted, true)
    options = {"average": "weighted", "zero_division": 0}
    assert ours["f1"] == pytest.approx(f1_score(true, predicted, **options))
    assert ours["precision"] == pytest.approx(precision_score(true, predicted, **options))
    macro = f1_score(true, predicted, average="macro", zero_division=0)
    assert ours["macro_f1"] == pytest.approx(macro)


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(st.integers(1, 12), st.integers(2, 6), st.integers(0, 10**6), st.sampled_from([0.5, 0.7]))
def test_multilabel_f1_equals_scikit_learn(rows, columns, seed, threshold):
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(seed)
    scores = np.round(rng.random((rows, columns)), 1)
    true = rng.integers(0, 2, (rows, columns))
    ours = multilabel_f1(scores, true, threshold)
    predicted = (scores >= threshold).astype(int)
    for key, average in (("f1", "weighted"), ("macro_f1", "macro"), ("micro_f1", "micro")):
        expected = f1_score(true, predicted, average=average, zero_division=0)
        assert ours[key] == pytest.approx(expected), key


def test_multilabel_wants_probabilities():
    with pytest.raises(DataError, match="Apply a sigmoid"):
        multilabel_f1([[2.3, -1.0]], [[1, 0]])
    with pytest.raises(DataError, match="same shape"):
        multilabel_f1([[0.5]], [[1, 0]])
    with pytest.raises(UsageError, match="between 0 and 1"):
        multilabel_f1([[0.5]], [[1]], threshold=7)
    with pytest.raises(DataError, match="0 and 1"):
        multilabel_f1([[0.5]], [[3]])


def test_edrm_is_the_corrected_one():
    # reference 4: the largest possible distance is 4, whatever is predicted; 7 counts as 5
    assert edrm([3.0], [4.0])["edrm"] == pytest.approx(1 - 1 / 4)
    assert edrm([7.0], [4.0])["edrm"] == pytest.approx(1 - 1 / 4)
    assert edrm([-2.0, 5.0], [0.0, 5.0])["edrm"] == 1.0
    with pytest.raises(DataError, match="from 0.0 to 5.0"):
        edrm([1.0], [6.0])
    with pytest.raises(DataError, match="same length"):
        edrm([1.0], [1.0, 2.0])
    with pytest.raises(DataError, match="finite"):
        edrm([float("nan")], [1.0])


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.5, 2.0, 4.0]), st.sampled_from([0.0, 1.0, 2.5, 5.0])),
        min_size=3,
        max_size=20,
    )
)
def test_correlations_equal_scipy(values):
    from scipy import stats

    predicted, true = map(list, zip(*values, strict=True))
    ours = edrm(predicted, true)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spearman = stats.spearmanr(predicted, true).statistic
        pearson = stats.pearsonr(predicted, true).statistic
    assert ours["spearman"] == pytest.approx(spearman, nan_ok=True)
    assert ours["pearson"] == pytest.approx(pearson, nan_ok=True)


def test_choices():
    predictions, references = [["a", "b"], ["c"], []], [["a"], ["c"], ["d"]]
    assert hamming_score(predictions, references)["hamming_score"] == pytest.approx(0.5)
    assert exact_match_ratio(predictions, references)["exact_match_ratio"] == pytest.approx(1 / 3)
    assert exact_match_ratio([["b", "a"]], [["a", "b"]])["exact_match_ratio"] == 1.0
    with pytest.raises(DataError, match="as many of each"):
        hamming_score([["a"]], [])
    with pytest.raises(DataError, match="not 0 and 1 for each"):
        hamming_score([[1, 0, 0, 0, 0]], [[0, 0, 0, 0, 1]])
    with pytest.raises(DataError, match="list of different answers"):
        exact_match_ratio(["ab"], ["ab"])
    with pytest.raises(DataError, match="fractions"):
        weighted_f1([0.9, 1.2], [0, 1])


OTHERS = {
    "hamming_score": ([[0, 1], []], [[0], [3]]),
    "exact_match_ratio": ([[0, 1]], [[1, 0]]),
    "weighted_f1": (["x", "y"], ["x", "x"]),
}
EXAMPLES = {
    "entity_f1": ([["B-A", "O"], ["O"]], [["B-A", "O"], ["B-A"]]),
    "multilabel_f1": ([[0.9, 0.2]], [[1, 1]]),
    "weighted_f1": ([0, 1, 1], [0, 1, 0]),
    "edrm": ([1.0, 2.0, 4.5], [1.5, 2.0, 5.0]),
    "hamming_score": ([["a", "b"]], [["a"]]),
    "exact_match_ratio": ([["a", "b"]], [["a"]]),
}


@pytest.mark.parametrize("name", list_metrics())
def test_modules_give_the_same_result(name):
    from doctobert_hf import metrics

    predictions, references = EXAMPLES[name]
    expected = getattr(metrics, name)(predictions, references)
    assert load(name).compute(predictions=predictions, references=references) == expected
    if name in OTHERS:  # numbers where names are usual, and the other way round
        predictions, references = OTHERS[name]
        expected = getattr(metrics, name)(predictions, references)
        assert load(name).compute(predictions=predictions, references=references) == expected


def test_modules_take_options():
    predictions, references = [["O", "I-A"]], [["O", "B-A"]]
    metric = load("entity_f1")
    assert metric.compute(predictions=predictions, references=references, mode="strict")["f1"] == 0
    metric = load("multilabel_f1")
    result = metric.compute(predictions=[[0.6]], references=[[1]], threshold=0.7)
    assert result["f1"] == 0.0
    with pytest.raises(UsageError, match="Did you mean 'edrm'"):
        load("edrn")


def test_evaluate_knows_the_ids_offline():
    import evaluate  # after doctobert_hf: the tests import that first

    metrics = ["doctobert_hf/hamming_score", "doctobert_hf/exact_match_ratio"]
    combined = evaluate.combine(metrics).compute(predictions=[["a", "b"]], references=[["a"]])
    assert combined == {"hamming_score": 0.5, "exact_match_ratio": 0.0}


@pytest.mark.long
def test_folders_load_without_the_plugin_and_ids_when_evaluate_came_first(tmp_path):
    code = f"""
import evaluate, json, sys
metric = evaluate.load({str(module_folder("weighted_f1"))!r})
folder = metric.compute(predictions=[1, 0], references=[1, 1])["f1"]
import doctobert_hf
by_id = evaluate.load("doctobert_hf/edrm").compute(predictions=[1.0], references=[2.0])["edrm"]
print(json.dumps([folder, by_id]))"""
    environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-1500:]
    assert json.loads(done.stdout.splitlines()[-1]) == pytest.approx([2 / 3, 2 / 3])
