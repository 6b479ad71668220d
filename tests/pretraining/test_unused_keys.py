"""Keys that would do nothing are refused, in Python too; none of them is one that is read."""

import dataclasses

import pytest
import torch
from transformers import TrainingArguments

from doctobert_hf.cli import main
from doctobert_hf.errors import UsageError
from doctobert_hf.pretraining import MLMTrainingArguments
from doctobert_hf.pretraining.unused_keys import UNUSED


@pytest.mark.parametrize(
    "given",
    [
        {"num_train_epochs": 2},
        {"per_device_train_batch_size": 64},
        {"optim": "adafactor"},
        {"lr_scheduler_type": "cosine"},
        {"warmup_steps": 100},
        {"save_only_model": True},
        {"ignore_data_skip": False},  # the stream would be moved on twice
        {"eval_strategy": "steps"},
        {"hub_model_id": "me/x"},
        {"do_train": True},
        {"prediction_loss_only": True},
        {"bf16_full_eval": True},
        {"dataloader_drop_last": True},
    ],
)
def test_they_are_refused(given, tmp_path):
    (name,) = given
    with pytest.raises(UsageError, match=f"{name} .* does nothing"):
        MLMTrainingArguments(str(tmp_path), report_to="none", **given)


def test_the_usual_values_are_taken_and_those_that_are_made_too(tmp_path):
    made = MLMTrainingArguments(str(tmp_path), report_to="none", num_train_epochs=3.0)
    again = dataclasses.replace(made, learning_rate=1e-4)  # all fields, as Transformers left them
    assert again.learning_rate == 1e-4


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("tensorbord", "Did you mean 'tensorboard'"),
        (["doctobert", "doctobret"], "Did you mean 'doctobert'"),
        (["none", "doctobert"], "'none' alone"),
        ("clearml", "not installed here"),
    ],
)
def test_where_logs_cannot_go(given, said, tmp_path):
    with pytest.raises(UsageError, match=said):
        MLMTrainingArguments(str(tmp_path), report_to=given)


@pytest.mark.parametrize("given", ["none", ["none"], [], "doctobert", ["doctobert"], None, "all"])
def test_where_logs_go(given, tmp_path):
    MLMTrainingArguments(str(tmp_path), report_to=given)


@pytest.mark.parametrize("given", [True, "full_shard"])
def test_shards_in_one_process(given, tmp_path):
    with pytest.raises(UsageError, match="fsdp in one process.*torchrun --nproc-per-node"):
        MLMTrainingArguments(str(tmp_path), report_to="none", fsdp=given)
    MLMTrainingArguments.check_values(output_dir=str(tmp_path), fsdp=given)  # a plan of several


def test_a_plan_may_be_of_a_machine_that_has_more():
    MLMTrainingArguments.check_values(report_to=["clearml"])
    with pytest.raises(UsageError, match="tensorboard"):
        MLMTrainingArguments.check_values(report_to=["tensorbord"])


def test_each_is_a_key_of_transformers():
    there = {field.name for field in dataclasses.fields(TrainingArguments)}
    newer = {"hub_revision", "enable_jit_checkpoint", "train_sampling_strategy"}
    newer |= {"dataloader_in_order"}
    assert set(UNUSED) - there <= newer


def test_half_precision_that_a_processor_has_not(tmp_path):
    if torch.accelerator.is_available():
        pytest.skip("a GPU has it")
    with pytest.raises(UsageError, match="fp16 without a GPU"):
        MLMTrainingArguments(str(tmp_path), report_to="none", fp16=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--hidden-act", "nosuch"], "hidden_act 'nosuch'"),
        (["--gradient-checkpointing-kwargs", "xyz"], "Expected {key: value}"),
        (["--bf16", "true"], "a switch takes no value"),
        (["--do-train"], "do_train True does nothing"),
    ],
)
def test_values_that_no_run_could_use_are_refused_in_a_dry_run(words, said, tokenizer_dir, capsys):
    command = ["pretrain", "doctobert-tiny/pretrain", "--tokenizer", str(tokenizer_dir)]
    assert main([*command, "--dry-run", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert main([*command, "--dry-run", "--logging-strategy", "no"]) == 0
