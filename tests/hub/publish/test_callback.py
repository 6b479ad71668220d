"""Publishing from a Trainer: each checkpoint, the end, and training that does not mind."""

from __future__ import annotations

import json
import threading
import time

import pytest

TRAIN = """
import json, os, sys
from pathlib import Path

from transformers import AutoModelForMaskedLM, AutoTokenizer, DataCollatorForLanguageModeling
from transformers import Trainer, TrainingArguments

from doctobert_hf.hub import CardFacts, PushToHubCallback

model, every, out = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(model)
callback = PushToHubCallback("me/run", CardFacts(license="mit"), every=every)
callback.patience = float(os.environ.get("PATIENCE", callback.patience))
rows = [tokenizer("Le patient va bien.") for _ in range(8)]
trainer = Trainer(
    AutoModelForMaskedLM.from_pretrained(model),
    TrainingArguments(
        out,
        max_steps=4,
        save_steps=2,
        logging_steps=2,
        eval_strategy="steps",
        save_total_limit=1,
        report_to="none",
    ),
    train_dataset=rows,
    eval_dataset=rows[:2],
    processing_class=tokenizer,
    data_collator=DataCollatorForLanguageModeling(tokenizer),
    callbacks=[callback],
)
trainer.train()
errors = [str(error) for error in callback.errors]
print(json.dumps([trainer.state.global_step, len(callback.reports), errors]))
"""


def train(online, model_dir, every, tmp_path, **more):
    done = online("-c", TRAIN, model_dir, every, tmp_path / "out", **more)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.long
def test_each_checkpoint_is_one_commit(hub, online, model_dir, tmp_path):
    steps, reports, errors = train(online, model_dir, "checkpoint", tmp_path)
    repo = hub.repos["model", "me/run"]
    made = [message for message in repo.messages.values() if message.startswith("Step")]
    assert (steps, errors) == (4, []) and reports >= 2
    assert made[0] == "Step 2" and made[-1] == "Step 4"
    assert "optimizer.pt" not in hub.files("model", "me/run")
    assert {"model.safetensors", "README.md", "tokenizer.json"} <= set(hub.files("model", "me/run"))


@pytest.mark.long
def test_a_hub_that_refuses_does_not_stop_training(hub, online, model_dir, tmp_path):
    steps, reports, errors = train(
        online, model_dir, "end", tmp_path, HF_TOKEN="hf_" + "wrongwrongwrong" * 2
    )
    assert (steps, reports, len(errors)) == (4, 0, 1)
    assert "hf auth login" in errors[0] and not hub.repos


@pytest.mark.long
def test_a_hub_that_stalls_does_not_keep_training_from_ending(hub, online, model_dir, tmp_path):
    hub.fail("POST", "/api/repos/create", before=lambda: time.sleep(300), times=99)
    begin = time.monotonic()
    steps, reports, errors = train(online, model_dir, "checkpoint", tmp_path, PATIENCE="2")
    assert (steps, reports) == (4, 0) and "within 2 seconds" in errors[-1]
    assert time.monotonic() - begin < 200  # it ends at all: the server answers after 300


def test_the_newest_checkpoint_waits_and_replaces(tmp_path, monkeypatch):
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from doctobert_hf.hub import CardFacts, PushToHubCallback
    from doctobert_hf.hub.publish import callback as module

    begun, go, sent = threading.Event(), threading.Event(), []

    def push(folder, target, facts):
        sent.append(target.message)
        begun.set()
        assert go.wait(60)

    monkeypatch.setattr(module, "push_model", push)
    pushing = PushToHubCallback("me/run", CardFacts(license="mit"))
    for step in (1, 2, 3, 4):
        (tmp_path / f"checkpoint-{step}").mkdir()
        state = TrainerState(is_world_process_zero=True, global_step=step)
        pushing.on_save(TrainingArguments(str(tmp_path)), state, TrainerControl())
        assert begun.wait(60)  # the first is being sent, the others come meanwhile
    go.set()
    pushing.wait()
    assert sent == ["Step 1", "Step 4"] and not pushing.errors


@pytest.mark.long
def test_the_card_of_a_stock_trainer_has_its_arguments_log_and_metrics(
    hub, online, model_dir, tmp_path
):
    train(online, model_dir, "end", tmp_path)
    files = hub.files("model", "me/run")
    card = files["README.md"].decode()
    assert "4 steps of Transformers' `Trainer`" in card and "| learning_rate | 5e-05 |" in card
    assert "| eval_loss |" in card and "| 2 |" in card
    log = [json.loads(line) for line in files["training/metrics.jsonl"].splitlines()]
    assert [row["step"] for row in log if "loss" in row] == [2, 4]
    assert b"torch" in files["training/environment.json"]
