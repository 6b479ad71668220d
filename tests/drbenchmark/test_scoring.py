"""``compute_metrics`` for every kind of task, and in a real Trainer."""

from types import SimpleNamespace

import numpy as np
import pytest

from doctobert_hf.drbenchmark import compute_metrics, get_task, list_tasks
from doctobert_hf.drbenchmark.families.choice import COMBINATIONS
from doctobert_hf.errors import DataError, UsageError


def one_hot(classes, size):
    return np.eye(size)[np.asarray(classes)] * 10 - 5


def score(name, logits, labels, **options):
    return compute_metrics(name, **options)(SimpleNamespace(predictions=logits, label_ids=labels))


def test_tokens_leave_ignored_positions_out():
    labels = np.array([[-100, 1, 2, 0, -100]])
    right = one_hot([[0, 1, 2, 0, 0]], 3)
    scores = score("e3c_clinical", right, labels)
    assert (scores["f1"], scores["accuracy"], scores["support"]) == (1.0, 1.0, 1)
    illegal = one_hot([[0, 2, 2, 0, 0]], 3)
    assert score("e3c_clinical", illegal, labels)["f1"] == 1.0
    assert score("e3c_clinical", illegal, labels, mode="strict")["f1"] == 0.0
    with pytest.raises(DataError, match="Logits for 4 labels"):
        score("e3c_clinical", one_hot([[0]], 4), labels[:, :1])
    with pytest.raises(DataError, match="Logits for 2 labels of diamed"):
        score("diamed", np.zeros((1, 2)), np.zeros(1, dtype=int))
    with pytest.raises(DataError, match="0 and 1 for each answer"):
        score("frenchmedmcqa_mcqa", np.zeros((2, 5)), np.zeros(2, dtype=int))
    with pytest.raises(UsageError, match="'default' or 'strict'"):
        compute_metrics("e3c_clinical", mode="Strict")
    diverged = score("clister", np.array([[np.nan], [5.0]]), np.array([0.0, 5.0]))
    assert diverged["edrm"] == 1.0


def test_classes_labels_scores_and_choices():
    assert score("diamed", one_hot([3, 4], 22), np.array([3, 4]))["f1"] == 1.0
    table = np.eye(12)[:3]
    assert score("morfitt", table * 10 - 5, table)["f1"] == 1.0
    near = score("clister", np.array([[1.0], [5.5]]), np.array([1.0, 5.0]))
    assert near["edrm"] == 1.0
    right = np.array([[1, 0, 1, 0, 0], [0, 0, 0, 0, 1]])
    unsure = np.array([[4.0, -4, 4, -4, -4], [-9, -9, -9, -9, -1]])
    scores = score("frenchmedmcqa_mcqa", unsure, right)
    assert scores == {"hamming_score": 1.0, "exact_match_ratio": 1.0}
    combination = one_hot([COMBINATIONS.index("ac"), COMBINATIONS.index("a")], 31)
    gold = np.array([COMBINATIONS.index("ac"), COMBINATIONS.index("e")])
    assert score("frenchmedmcqa_mcqa", combination, gold)["exact_match_ratio"] == 0.5
    assert len(set(COMBINATIONS)) == 31


def test_thresholds_are_the_tasks():
    logits = np.full((1, 23), np.log(0.6 / 0.4))
    gold = np.ones((1, 23), dtype=int)
    assert score("deft2021_cls", logits, gold)["f1"] == 0.0
    logits, gold = logits[:, :12], gold[:, :12]
    assert score("morfitt", logits, gold)["f1"] == 1.0


def test_results_are_numbers_and_have_the_metric():
    for task in list_tasks():
        if task.kind == "similarity":
            logits, labels = np.array([[1.0], [2.0]]), np.array([1.0, 3.0])
        elif task.kind == "token-classification":
            size = len(task.labels)
            logits, labels = one_hot([[0, 1]], size), np.array([[0, 1]])
        elif task.kind in ("multilabel-classification", "multiple-choice"):
            labels = np.eye(len(task.labels), dtype=int)[:2]
            logits = labels * 4.0 - 2
        else:
            logits, labels = one_hot([0, 1], len(task.labels)), np.array([0, 1])
        scores = compute_metrics(task)(SimpleNamespace(predictions=logits, label_ids=labels))
        assert task.metric_key in scores
        assert all(isinstance(value, (int, float)) for value in scores.values())
        assert get_task(task.name) is task


def test_in_a_trainer(tokenizer, tmp_path):
    from datasets import Dataset
    from transformers import (
        BertConfig,
        BertForTokenClassification,
        DataCollatorForTokenClassification,
        Trainer,
        TrainingArguments,
    )

    task = get_task("e3c_clinical")
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, num_labels=len(task.labels),
    )  # fmt: skip
    rows = tokenizer(["le foie est normal", "douleur du genou"])
    labels = [[-100, *[0] * (len(ids) - 2), -100] for ids in rows["input_ids"]]
    trainer = Trainer(
        BertForTokenClassification(config),
        TrainingArguments(str(tmp_path), report_to=[], use_cpu=True),
        data_collator=DataCollatorForTokenClassification(tokenizer),
        eval_dataset=Dataset.from_dict({**rows, "labels": labels}),
        compute_metrics=compute_metrics(task),
    )
    result = trainer.evaluate()
    assert 0.0 <= result["eval_f1"] <= 1.0 and "eval_accuracy" in result
