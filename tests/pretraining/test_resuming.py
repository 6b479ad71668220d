"""What a checkpoint goes on with, and what is refused instead of being ignored."""

import json
import shutil

import pytest

from doctobert_hf.cli import main
from doctobert_hf.errors import UsageError
from doctobert_hf.pretraining.checkpoints import list_checkpoints
from doctobert_hf.pretraining.recipe import PretrainConfig
from doctobert_hf.pretraining.resuming import check_fingerprint, last_evaluation


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize(
    "changed",
    [
        {"learning_rate": 1e-5},
        {"weight_decay": 0.5},
        {"adam_beta1": 0.8},
        {"adam_beta2": 0.5},
        {"adam_epsilon": 1e-8},
    ],
)
def test_what_would_be_ignored_is_refused(changed, make_trainer):
    make_trainer(max_tokens=6000).train()
    (name,) = changed
    with pytest.raises(UsageError, match=f"another recipe: its {name} is "):
        make_trainer(max_tokens=9000, **changed).train(resume_from_checkpoint=True)


@pytest.mark.long
def test_a_decay_where_there_was_none_is_refused(make_trainer):
    make_trainer(max_tokens=6000, weight_decay=0.0).train()
    with pytest.raises(UsageError, match=r"its weight_decay is 0\.0"):
        make_trainer(max_tokens=9000, weight_decay=0.5).train(resume_from_checkpoint=True)
    make_trainer(max_tokens=9000, weight_decay=0.0).train(resume_from_checkpoint=True)


@pytest.mark.long
@pytest.mark.versions
def test_another_schedule_holds_from_there_on(make_trainer):
    make_trainer(max_tokens=6000).train()
    options = {"max_tokens": 12_000, "lr_schedule": "constant", "logging_steps": 1}
    again = make_trainer(**options)
    again.train(resume_from_checkpoint=True)
    rates = [row["learning_rate"] for row in again.state.log_history if "loss" in row]
    assert rates[-1] == again.args.learning_rate  # and is in the arguments of every checkpoint


def test_a_checkpoint_from_before_a_key_was_there(tmp_path):
    check_fingerprint({"seed": 1}, {"seed": 1, "newer": 2}, tmp_path)
    with pytest.raises(UsageError, match="its seed is 2"):
        check_fingerprint({"seed": 2}, {"seed": 1, "newer": 2}, tmp_path)


@pytest.mark.long
def test_a_failed_evaluation_costs_no_model(make_trainer, tmp_path, monkeypatch):
    trainer = make_trainer(max_tokens=6000, save_tokens=0)

    def broken(*given, **more):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(trainer, "evaluate", broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        trainer.train()
    assert len(list_checkpoints(tmp_path / "run")) == 1
    again = make_trainer(max_tokens=6000, save_tokens=0)
    again.train(resume_from_checkpoint=True)  # trains no further, and makes up for it
    step = again.state.global_step
    told = last_evaluation(tmp_path / "run", step)
    assert told is not None and told["eval_masked_tokens"] > 0
    third = make_trainer(max_tokens=6000, save_tokens=0)
    third.train(resume_from_checkpoint=True)
    assert third.state.log_history[-1]["eval_loss"] == told["eval_loss"]
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert sum("eval_loss" in json.loads(line) for line in lines) == 1


@pytest.mark.long
@pytest.mark.versions
def test_whatever_stops_a_run_saves_it(make_trainer, tmp_path):
    from transformers import TrainerCallback

    class Stop(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            control.should_training_stop = state.global_step >= 2

    make_trainer(save_tokens=0, callbacks=[Stop()]).train()
    assert [folder.name for folder in list_checkpoints(tmp_path / "run")] == ["checkpoint-2"]
    shutil.rmtree(tmp_path / "run")
    make_trainer(save_tokens=0, max_steps=3).train()
    assert [folder.name for folder in list_checkpoints(tmp_path / "run")] == ["checkpoint-3"]


def begun(folder, tokenizer_dir, store, change):
    """A run of the command, stopped half way, whose record is as an earlier version wrote it."""
    words = ["pretrain", "doctobert-tiny/pretrain", "--train-store", str(store.folder)]
    words += ["--tokenizer", str(tokenizer_dir), "--max-tokens", "9000", "--warmup-tokens", "0"]
    words += ["--save-tokens", "3000", "--output", str(folder)]
    assert main([*words, "--max-steps", "2"]) == 0
    path = folder / "run.json"
    record = json.loads(path.read_text())
    record["status"] = "stopped"
    change(record["settings"])
    path.write_text(json.dumps(record))


@pytest.mark.long
def test_a_run_from_before_a_setting_was_renamed_goes_on(make_store, tokenizer_dir, tmp_path):
    def change(settings):
        settings["hand_over"] = settings.pop("init_mode")

    begun(tmp_path / "run", tokenizer_dir, make_store(), change)
    assert main(["pretrain", "--resume", "--output", str(tmp_path / "run")]) == 0


@pytest.mark.long
def test_a_run_begun_with_what_is_refused_today_goes_on(
    make_store, tokenizer_dir, tmp_path, caplog
):
    begun(tmp_path / "run", tokenizer_dir, make_store(), lambda s: s.update(long_tokens=77))
    assert main(["pretrain", "--resume", "--output", str(tmp_path / "run")]) == 0
    assert "long_tokens without long_share" in caplog.text
    with pytest.raises(UsageError, match="long_tokens without long_share"):
        PretrainConfig(long_tokens=77)
