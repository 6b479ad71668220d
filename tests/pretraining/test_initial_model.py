"""What a phase begins with is one whole checkpoint: weights, tokenizer and optimizer of it."""

import shutil

import pytest
import torch

from doctobert_hf.cli import main
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.pretraining.checkpoints import list_checkpoints
from doctobert_hf.pretraining.initial_model import checkpoint_of, model_of, source_of
from doctobert_hf.pretraining.optim import StableAdamW, parameter_groups, take_over
from doctobert_hf.pretraining.recipe import PretrainConfig


@pytest.fixture
def run(make_store, tokenizer_dir, tmp_path):
    words = ["pretrain", "doctobert-tiny/pretrain", "--train-store", str(make_store().folder)]
    words += ["--tokenizer", str(tokenizer_dir), "--max-tokens", "9000", "--warmup-tokens", "0"]
    words += ["--save-tokens", "4000", "--eval-store", str(make_store(part="eval").folder)]
    assert main([*words, "--output", str(tmp_path / "run")]) == 0
    return tmp_path / "run"


def config(place, **more):
    return PretrainConfig(init_from=str(place), **more)


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize("finished", [True, False])
def test_weights_and_optimizer_are_of_one_checkpoint(finished, run, caplog):
    if not finished:
        shutil.rmtree(run / "model")
    *_, before, last = list_checkpoints(run)
    assert source_of(config(run, init_mode="full")) == str(last)
    (last / "optimizer.pt").write_bytes(b"cut")
    both = config(run, init_mode="full")
    assert source_of(both) == checkpoint_of(both) == str(before)
    assert "optimizer.pt is damaged; going back" in caplog.text
    assert source_of(config(run)) == str(run / "model" if finished else before)


@pytest.mark.long
@pytest.mark.versions
def test_a_damaged_checkpoint_is_no_beginning(run):
    shutil.rmtree(run / "model")
    *_, before, last = list_checkpoints(run)
    (last / "model.safetensors").write_bytes(b"cut")
    assert model_of(str(run)) == str(before)
    for init_mode in ("weights", "full"):
        with pytest.raises(DataError, match=r"model.safetensors is damaged.*Name the run"):
            source_of(config(last, init_mode=init_mode))
    for folder in list_checkpoints(run):
        (folder / "config.json").write_bytes(b"cut")
    with pytest.raises(UsageError, match="No whole checkpoint"):
        model_of(str(run))


@pytest.mark.long
@pytest.mark.versions
def test_a_model_has_no_optimizer(run):
    with pytest.raises(UsageError, match=r"no checkpoint with its optimizer.*init_mode weights"):
        source_of(config(run / "model", init_mode="full"))


@pytest.mark.long
@pytest.mark.versions
def test_an_optimizer_of_other_weights_is_not_taken_over(run):
    model = torch.nn.Linear(3, 2)
    optimizer = StableAdamW(parameter_groups(model, 0.1))
    with pytest.raises(UsageError, match=r"of \d+ weights, this run's of 2.*init_mode weights"):
        take_over(optimizer, list_checkpoints(run)[-1])


def test_the_last_checkpoint_of_a_stock_trainer_is_taken(tmp_path):
    """It does not say whether it is whole."""
    for step in (5, 10):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "config.json").write_text('{"model_type": "bert"}')
    assert model_of(str(tmp_path)) == str(tmp_path / "checkpoint-10")


@pytest.mark.long
@pytest.mark.versions
def test_a_recipe_with_the_older_name_of_a_key_is_read(run, tmp_path, capsys, caplog):
    (tmp_path / "r.yaml").write_text(f"preset: doctobert-tiny\ninit_from: {run}\nhand_over: full\n")
    words = ["pretrain", str(tmp_path / "r.yaml"), "--max-tokens", "9000", "--max-length", "64"]
    assert main([*words, "--dry-run"]) == 0
    assert "'hand_over' in the recipe" in caplog.text and "'init_mode' now" in caplog.text


def test_a_plan_for_a_gpu_may_be_made_without_one(capsys):
    assert main(["pretrain", "doctobert-tiny/pretrain", "--dry-run", "--fp16", "true"]) == 0
