"""The engine: exact updates, bit-identical resumes, whole checkpoints, clear refusals."""

import errno
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pytest
import torch
import transformers
import warm
from packaging.version import Version
from safetensors.torch import load_file
from transformers import TrainerCallback

from doctobert_hf.errors import DataError, OutputError, UsageError
from doctobert_hf.pretraining import (
    FillMaskProbeCallback,
    LossSpikeCallback,
    MaskingScheduleCallback,
    MLMTrainer,
    MLMTrainingArguments,
    PackingEfficiencyCallback,
    ScheduledGCCallback,
    ThroughputCallback,
)
from doctobert_hf.pretraining.checkpoints import list_checkpoints

SCRIPT = Path(__file__).with_name("run_training.py")


def weights(trainer):
    return {name: p.detach().clone() for name, p in trainer.model.named_parameters()}


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize("preset", ["doctobert-tiny", "doctomodernbert-tiny"])
def test_resume_is_bit_identical(preset, make_trainer, tmp_path):
    whole = make_trainer(preset)
    whole.train()
    assert whole.tokens_seen >= 24_000
    run = tmp_path / "run"
    found = list_checkpoints(run)
    assert len(found) >= 4
    for kept, workers in ((1, 0), (3, 2)):
        copy = tmp_path / f"copy{kept}"
        shutil.copytree(run, copy)
        for folder in list_checkpoints(copy)[kept:]:
            shutil.rmtree(folder)
        part = make_trainer(preset, output=copy, dataloader_num_workers=workers)
        part.train(resume_from_checkpoint=True)
        assert same(weights(whole), weights(part)), f"{kept} checkpoints, {workers} workers"
        assert part.state.global_step == whole.state.global_step
        lines = [json.loads(s) for s in (copy / "metrics.jsonl").read_text().splitlines()]
        steps = [line["step"] for line in lines if "loss" in line]
        assert steps == sorted(set(steps))


@pytest.mark.parametrize("preset", ["doctobert-tiny", "doctomodernbert-tiny"])
def test_padded_batches_train_as_packed_rows_do(preset, make_trainer, tmp_path):
    """``packing=False``: the same batches, masks and losses, in another layout."""
    losses = []
    for packing in (True, False):
        keys = {"packing": packing, "max_tokens": 4000, "save_tokens": 0, "logging_steps": 1}
        trainer = make_trainer(preset, dropout=0.0, output=tmp_path / str(packing), **keys)
        for module in trainer.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        trainer.train()
        assert type(trainer.model).sparse_layout == ("packed" if packing else "padded")
        losses.append([row["loss"] for row in trainer.state.log_history if "loss" in row])
    assert len(losses[0]) > 3 and losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.long
@pytest.mark.versions
def test_a_damaged_checkpoint_is_passed_over(make_trainer, tmp_path, caplog):
    whole = make_trainer(max_tokens=12_000)
    whole.train()
    newest = list_checkpoints(tmp_path / "run")[-1]
    with open(newest / "model.safetensors", "r+b") as file:
        file.seek(200)
        file.write(b"\0\0\0\0\xff\xff")
    again = make_trainer(max_tokens=12_000)
    with caplog.at_level("WARNING"):
        again.train(resume_from_checkpoint=True)
    assert "model.safetensors is damaged; going back" in caplog.text
    assert same(weights(whole), weights(again))
    with pytest.raises(DataError, match="is damaged"):
        damaged = tmp_path / "damaged"
        shutil.copytree(newest, damaged)
        (damaged / "optimizer.pt").write_bytes(b"x")
        make_trainer().train(resume_from_checkpoint=str(damaged))


@pytest.mark.long
def test_a_checkpoint_of_another_recipe(make_trainer):
    make_trainer(max_tokens=6000).train()
    with pytest.raises(UsageError, match=r"another recipe: its micro_batch_tokens is 512"):
        make_trainer(micro_batch_tokens=1024).train(resume_from_checkpoint=True)
    with pytest.raises(UsageError, match="its seed is 17"):
        make_trainer(seed=3).train(resume_from_checkpoint=True)


@pytest.mark.long
@pytest.mark.versions
def test_a_full_disk_loses_no_checkpoint(make_trainer, tmp_path, monkeypatch):
    trainer = make_trainer()
    original, calls = MLMTrainer._save_rng_state, []

    def full(self, folder):
        calls.append(folder)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(self, folder)

    monkeypatch.setattr(MLMTrainer, "_save_rng_state", full)
    with pytest.raises(OutputError, match="No space left"):
        trainer.train()
    run = tmp_path / "run"
    assert len(list_checkpoints(run)) == 2 and not (run / ".incomplete").exists()
    again = make_trainer()
    again.train(resume_from_checkpoint=True)
    assert again.tokens_seen >= 24_000


@pytest.mark.long
def test_a_loss_that_is_not_finite(make_trainer, tmp_path):
    trainer = make_trainer(logging_steps=1, save_tokens=1)
    trainer.train_store  # noqa: B018
    step = MLMTrainer.training_step

    def poisoned(self, model, inputs, num=None):
        if self.state.global_step == 3:
            with torch.no_grad():
                next(model.parameters()).fill_(float("nan"))
        return step(self, model, inputs, num)

    trainer.training_step = poisoned.__get__(trainer)
    with pytest.raises(DataError, match="infinite or NaN before step 4"):
        trainer.train()
    good = list_checkpoints(tmp_path / "run")[-1]
    assert good.name == "checkpoint-3"
    assert all(torch.isfinite(t).all() for t in load_file(good / "model.safetensors").values())


@pytest.mark.long
def test_evaluation_has_fixed_masks(make_trainer):
    trainer = make_trainer()
    first = trainer.evaluate()
    assert trainer.evaluate() == first
    constant = {"mlm_probability": 0.4, "mlm_probability_end": None, "mlm_decay_tokens": 0}
    other = make_trainer(micro_batch_tokens=1024, **constant)
    second = other.evaluate()
    assert second["eval_masked_tokens"] == first["eval_masked_tokens"]
    assert second["eval_loss"] == pytest.approx(first["eval_loss"], rel=1e-5)


@pytest.mark.long
@pytest.mark.versions
def test_callbacks_tell(make_trainer, tmp_path):
    callbacks = [
        ThroughputCallback(peak_flops=1e12),
        PackingEfficiencyCallback(),
        MaskingScheduleCallback(),
        ScheduledGCCallback(3),
        FillMaskProbeCallback(),
        LossSpikeCallback(),
    ]
    make_trainer("doctomodernbert-tiny", callbacks=callbacks, max_tokens=8000).train()
    run = tmp_path / "run"
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    train = [row for row in rows if "loss" in row]
    for key in ("tokens_per_second", "mfu", "data_wait", "packing_efficiency", "mlm_probability"):
        assert all(key in row for row in train), key
    rates = [row["mlm_probability"] for row in train]
    assert rates == sorted(rates, reverse=True) and rates[0] > rates[-1]
    assert all(row["packing_efficiency"] == 1.0 for row in train)
    assert len(json.loads((run / "fill_mask.jsonl").read_text().splitlines()[0])["answers"]) == 3
    import gc

    assert gc.isenabled()


@pytest.mark.long
@pytest.mark.versions
def test_a_spike_rolls_back_and_leaves_the_steps_out(make_trainer, tmp_path):
    step = MLMTrainer.training_step
    bad = 12

    def spiking(self, model, inputs, num=None):
        loss = step(self, model, inputs, num)
        return loss * 10 if inputs["state"].step == bad else loss

    callback = LossSpikeCallback(factor=3.0, window=3, action="rollback")
    trainer = make_trainer(callbacks=[callback], logging_steps=1, save_tokens=3000)
    trainer.training_step = spiking.__get__(trainer)
    trainer.train()
    record = json.loads((tmp_path / "run" / "spikes.jsonl").read_text().splitlines()[0])
    assert record["stream_step"] == bad and record["action"] == "rollback"
    (skipped,) = trainer.args.skip_steps
    assert skipped[0] <= bad == skipped[1]
    assert trainer.tokens_seen >= 24_000
    early = make_trainer(
        callbacks=[LossSpikeCallback(factor=3.0, window=3, action="rollback")],
        logging_steps=1,
        save_tokens=0,
        output=tmp_path / "early",
    )
    early.training_step = spiking.__get__(early)
    with pytest.raises(DataError, match="before there was a checkpoint"):
        early.train()


@pytest.mark.long
@pytest.mark.versions
def test_a_spike_that_stops_leaves_the_checkpoint_before_it(make_trainer, tmp_path):
    step = MLMTrainer.training_step

    def spiking(self, model, inputs, num=None):
        loss = step(self, model, inputs, num)
        return loss * 10 if inputs["state"].step == 12 else loss

    trainer = make_trainer(
        callbacks=[LossSpikeCallback(factor=3.0, window=3, action="stop")],
        logging_steps=1,
        save_tokens=3000,
        save_total_limit=1,
    )
    trainer.training_step = spiking.__get__(trainer)
    trainer.train()
    assert not trainer.is_over and not trainer.is_saved
    (kept,) = list_checkpoints(tmp_path / "run")
    assert int(kept.name.removeprefix("checkpoint-")) < trainer.state.global_step


def test_refusals(make_trainer, make_store, make_model, tokenizer, other_tokenizers, tmp_path):
    with pytest.raises(UsageError, match="gradient_accumulation_steps 4"):
        make_trainer(gradient_accumulation_steps=4)
    with pytest.raises(UsageError, match="PushToHubCallback"):
        make_trainer(push_to_hub=True, hub_model_id="me/x")
    with pytest.raises(UsageError, match="token stores.*PushToHubCallback"):
        make_trainer().push_to_hub()
    with pytest.raises(UsageError, match="a multiple of micro_batch_tokens"):
        make_trainer(global_batch_tokens=1000)
    for rate in (0.0, 1.0):
        with pytest.raises(UsageError, match="a share between 0 and 1"):
            make_trainer(mlm_probability=rate)
    arguments = MLMTrainingArguments(output_dir=str(tmp_path), use_cpu=True, report_to=[])
    with pytest.raises(UsageError, match="a model of 30 positions"):
        small = make_model(max_position_embeddings=32)
        MLMTrainer(small, arguments, make_store(), tokenizer)
    with pytest.raises(UsageError, match="another tokenizer"):
        MLMTrainer(make_model(), arguments, make_store(), other_tokenizers["wordpiece"])
    with pytest.raises(UsageError, match="No whole checkpoint"):
        make_trainer().train(resume_from_checkpoint=True)


# -- processes ------------------------------------------------------------------------------


@pytest.fixture
def options(make_store, tokenizer_dir, tmp_path, run_arguments):
    def make(name, preset="doctobert-tiny", dropout=True, **arguments):
        values = {
            "tokenizer": str(tokenizer_dir),
            "store": str(make_store().folder),
            "eval": str(make_store(part="eval").folder),
            "output": str(tmp_path / name),
            "preset": preset,
            "dropout": dropout,
            "arguments": run_arguments | arguments,
        }
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(values))
        return path, tmp_path / name

    return make


def launch(path, start_new_session=False, **environment):
    return warm.Popen(
        [sys.executable, str(SCRIPT), str(path)],
        start_new_session=start_new_session,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def launch_two(path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return [launch(path, RANK=str(r), LOCAL_RANK=str(r), **common) for r in range(2)]


def finish(process):
    _, words = process.communicate(timeout=240)
    assert process.returncode == 0, words[-2000:]


def logged_step(folder):
    """The last step a run has logged; 0 before it has."""
    path = folder / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return max((json.loads(s)["step"] for s in lines if s.endswith("}")), default=0)


def final(folder):
    return load_file(folder / "final" / "model.safetensors")


@pytest.mark.long
def test_one_and_two_processes_make_the_same_updates(options):
    short = {"max_tokens": 12_000, "batch_warmup_tokens": 0}
    alone, alone_folder = options("alone", dropout=False, **short)
    finish(launch(alone))
    pair, pair_folder = options("pair", dropout=False, **short)
    for rank in launch_two(pair):
        finish(rank)
    one, two = final(alone_folder), final(pair_folder)
    for name in one:
        assert (one[name] - two[name]).abs().max() < 1e-5, name
    losses = []
    for folder in (alone_folder, pair_folder):
        rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        losses.append([row["loss"] for row in rows if "loss" in row])
        losses.append([row["eval_loss"] for row in rows if "eval_loss" in row])
    assert losses[0] == pytest.approx(losses[2], rel=1e-4)
    assert losses[1] == pytest.approx(losses[3], rel=1e-4)


@pytest.mark.long
@pytest.mark.parametrize("workers", [0, 2])
def test_killed_at_random_points_and_still_bit_identical(options, workers):
    """Five kills for each number of workers, ten in all; SIGKILL, at any moment."""
    arguments = {"dataloader_num_workers": workers, "save_tokens": 2000}
    whole, whole_folder = options("whole", **arguments)
    finish(launch(whole))
    last = logged_step(whole_folder)
    path, folder = options("killed", **arguments)
    rng = random.Random(workers)
    targets = sorted(rng.uniform(0.1, 0.8) * last for _ in range(5))
    for target in targets:
        process = launch(path)
        while logged_step(folder) < target and process.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 0.15))  # in a step, or in the middle of a checkpoint
        assert process.poll() is None, "it came to its end before the kill"
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not (folder / "final").exists()
    finish(launch(path))
    one, two = final(whole_folder), final(folder)
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.long
def test_sigterm_saves_and_the_run_goes_on(options):
    whole, whole_folder = options("all", max_tokens=12_000)
    finish(launch(whole))
    path, folder = options("stopped", max_tokens=12_000, save_tokens=0)
    process = launch(path)
    while not (folder / "metrics.jsonl").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    finish(process)
    assert len(list_checkpoints(folder)) == 1
    if not (folder / "final").exists():
        finish(launch(path))
    one, two = final(whole_folder), final(folder)
    assert all(torch.equal(one[name], two[name]) for name in one)


def two_ranks(script, preset, make_store, tokenizer_dir, *more):
    """Run a script in two processes that speak by gloo; return what the first one prints."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    place = str(Path(__file__).with_name(script))
    words = [sys.executable, place, preset, str(make_store().folder), str(tokenizer_dir), *more]
    ranks = [
        warm.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "RANK": str(r), **common},
        )
        for r in range(2)
    ]  # fmt: skip
    told = [rank.communicate(timeout=240) for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], told[0][1][-2000:] + told[1][1][-2000:]
    return json.loads(told[0][0].splitlines()[-1])


@pytest.mark.long
@pytest.mark.parametrize("preset", ["doctobert-tiny", "doctomodernbert-tiny"])
def test_twenty_packings_of_two_processes_are_one_graph(preset, make_store, tokenizer_dir):
    told = two_ranks("run_compiled.py", preset, make_store, tokenizer_dir)
    assert told == {"graphs": 1, "breaks": 0}


@pytest.mark.long
@pytest.mark.parametrize("preset", ["doctobert-tiny", "doctomodernbert-tiny"])
def test_sharded_layers_make_the_same_updates(preset, make_store, tokenizer_dir):
    """FSDP2 of torch on two processes: packed rows, sparse head and StableAdamW on DTensors."""
    found = [two_ranks("run_sharded.py", preset, make_store, tokenizer_dir, how)
             for how in ("copies", "sharded")]  # fmt: skip
    assert [one["kind"] for one in found] == ["Parameter", "DTensor"]
    assert found[0]["losses"] == pytest.approx(found[1]["losses"], rel=1e-6)


@pytest.mark.long
def test_fsdp_that_would_be_copies_is_refused(options):
    """On a processor accelerate trains whole copies where sharding was asked for."""
    path, folder = options("fsdp", fsdp=True, fsdp_config={"version": 2})
    for rank in launch_two(path):
        _, words = rank.communicate(timeout=240)
        assert rank.returncode and "would train whole copies" in words
    assert not list(folder.glob("checkpoint-*"))


@pytest.mark.long
@pytest.mark.parametrize("told", [0, 1])
def test_sigterm_of_one_process_stops_both_behind_the_same_step(options, told):
    whole, whole_folder = options("all", max_tokens=12_000)
    for rank in launch_two(whole):
        finish(rank)
    path, folder = options("stopped", max_tokens=12_000, save_tokens=0)
    ranks = launch_two(path)
    while logged_step(folder) < 2 and ranks[0].poll() is None:
        time.sleep(0.01)
    ranks[told].send_signal(signal.SIGTERM)  # the other hears of it from this one
    for rank in ranks:
        finish(rank)
    assert len(list_checkpoints(folder)) == 1
    assert not (folder / "final").exists(), "it came to its end before the signal"
    for rank in launch_two(path):
        finish(rank)
    one, two = final(whole_folder), final(folder)
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.long
def test_sigterm_to_the_whole_group_saves_with_loader_workers(options):
    path, folder = options("group", max_tokens=40_000, save_tokens=0, dataloader_num_workers=2)
    process = launch(path, start_new_session=True)
    while logged_step(folder) < 2 and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGTERM)
    finish(process)
    assert len(list_checkpoints(folder)) == 1 and not (folder / "final").exists()


@pytest.mark.long
def test_a_finished_run_trains_no_further(make_trainer, tmp_path):
    first = make_trainer(max_tokens=6000)
    first.train()
    again = make_trainer(max_tokens=6000)
    again.train(resume_from_checkpoint=True)
    assert again.state.global_step == first.state.global_step
    assert again.tokens_seen == first.tokens_seen
    for ours, theirs in zip(again.model.parameters(), first.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_float32_on_a_gpu_is_told(caplog):
    from types import SimpleNamespace

    from doctobert_hf.pretraining.fit import tell_of_slow_attention

    cuda = SimpleNamespace(type="cuda")
    tell_of_slow_attention(SimpleNamespace(device=cuda, bf16=True, fp16=False))
    assert not caplog.text
    tell_of_slow_attention(SimpleNamespace(device=cuda, bf16=False, fp16=False))
    assert "--bf16" in caplog.text


def test_bf16_on_a_processor_needs_no_word_more(tmp_path):
    if torch.accelerator.is_available():
        pytest.skip("an accelerator is there")
    assert MLMTrainingArguments(output_dir=str(tmp_path), bf16=True).use_cpu


@pytest.mark.long
@pytest.mark.versions
def test_a_new_head_learns_alone_at_first(make_trainer, tmp_path):
    trainer = make_trainer(max_tokens=12_000, new_head_tokens=6000, warmup_tokens=2000)
    begun = weights(trainer)
    moved = {}

    class Watch(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            now = weights(trainer)
            names = {name for name in now if not torch.equal(now[name], begun[name])}
            moved[trainer.tokens_seen] = names

    trainer.add_callback(Watch())
    trainer.train()
    before = [names for tokens, names in moved.items() if tokens <= 6000]
    assert len(before) > 1 and all(before[1:])
    assert all(name.startswith("lm_head.") for names in before for name in names)
    assert not any("decoder.weight" in name for names in before for name in names)
    after = set.union(*(names for tokens, names in moved.items()))
    assert any(name.startswith("roberta.encoder") for name in after)
    with pytest.raises(UsageError, match="fewer than max_tokens"):
        make_trainer(max_tokens=6000, new_head_tokens=6000)


@pytest.mark.long
def test_resume_while_the_head_learns_alone_is_bit_identical(make_trainer, tmp_path):
    options = {"max_tokens": 14_000, "new_head_tokens": 8000, "save_tokens": 4000}
    whole = make_trainer(output=tmp_path / "whole", **options)
    whole.train()
    half = make_trainer(output=tmp_path / "half", **options)
    half.train()
    for folder in list_checkpoints(tmp_path / "half")[1:]:
        shutil.rmtree(folder)
    again = make_trainer(output=tmp_path / "half", **options)
    again.train(resume_from_checkpoint=True)
    assert same(weights(whole), weights(again))
    other = make_trainer(output=tmp_path / "half", **{**options, "new_head_tokens": 2000})
    with pytest.raises(UsageError, match="new_head_tokens"):
        other.train(resume_from_checkpoint=True)


@pytest.mark.long
@pytest.mark.versions
def test_evaluation_before_training_is_in_the_precision_of_training(make_trainer, monkeypatch):
    trainer = make_trainer(bf16=True)
    seen = set()
    layer = trainer.model.base_model.encoder.layer[0].output.dense
    layer.register_forward_hook(lambda module, given, out: seen.add(out.dtype))
    trainer.evaluate()
    assert seen == {torch.bfloat16}


def test_several_gpus_in_one_process_are_refused(make_trainer, monkeypatch):
    monkeypatch.setattr(MLMTrainingArguments, "n_gpu", property(lambda self: 2))
    with pytest.raises(UsageError, match="torchrun --nproc-per-node 2"):
        make_trainer(max_tokens=6000)


def test_a_step_with_nothing_masked_is_skipped_and_counted(make_trainer, caplog):
    trainer = make_trainer(max_tokens=6000)
    steps = [
        {**item, "rows": [{**row, "masked_labels": row["masked_labels"][:0],
                           "masked_positions": row["masked_positions"][:0]}
                          for row in item["rows"]]}
        for item in islice(trainer.stream(), 3)
    ]  # fmt: skip
    for step in steps:
        loss = trainer.training_step(trainer.model, step)
        assert float(loss) == 0.0
        assert all(parameter.grad is None for parameter in trainer.model.parameters())
    assert trainer.empty_steps == 3 and "has no masked token: skipped" in caplog.text
    trainer.log({})
    assert trainer.state.log_history[-1]["empty_steps"] == 3
    before = trainer.training_step(trainer.model, next(iter(trainer.stream())))
    assert float(trainer.training_step(trainer.model, steps[0])) == float(before), "not 0"
    trainer.check_finite()
    trainer._eval_cache["mlm"] = []
    assert trainer.evaluate() == {}
    assert "it is not evaluated" in caplog.text


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize("preset", ["doctobert-tiny", "doctomodernbert-tiny"])
@pytest.mark.parametrize("objective", [("mlm",), ("clm:20000", "mlm")])
def test_a_step_reads_nothing_back_from_its_device(preset, objective, make_trainer, monkeypatch):
    """On a device whose values nobody can read: item(), bool() and copies to the host raise."""
    if "modernbert" in preset and Version(transformers.__version__) < Version("5.20"):
        pytest.skip("this Transformers asks whether such a device casts by itself, which raises")
    trainer = make_trainer(preset, objective=objective, batch_warmup_tokens=0)
    steps = list(islice(trainer.stream(), 2))
    trainer.model.to("meta")
    monkeypatch.setattr(MLMTrainingArguments, "device", torch.device("meta"))
    optimizer = trainer.create_optimizer()
    for step in steps:
        loss = trainer.training_step(trainer.model, step)
        optimizer.step()
        assert loss.is_meta and trainer._finite.is_meta
        assert sum(p.grad is not None for p in trainer.model.base_model.parameters()) > 10
    with pytest.raises(RuntimeError, match="meta"):
        trainer.check_finite()  # reads; only where something is logged or saved


@pytest.mark.long
@pytest.mark.versions
def test_energy_of_every_session_is_kept(make_trainer, tmp_path, monkeypatch):
    pytest.importorskip("codecarbon")
    monkeypatch.setenv("CODECARBON_COUNTRY_ISO_CODE", "BEL")
    from doctobert_hf.energy import EnergyMeter
    from doctobert_hf.pretraining.callbacks import EnergyCallback

    make_trainer(max_tokens=6000, callbacks=[EnergyCallback()]).train()
    make_trainer(max_tokens=9000, callbacks=[EnergyCallback()]).train(resume_from_checkpoint=True)
    if EnergyMeter().stop() is None:
        pytest.skip("codecarbon can read nothing here")
    sessions = json.loads((tmp_path / "run" / "energy.json").read_text())
    assert len(sessions) == 2
    assert all(row["energy_kwh"] > 0 and row["country"] == "BEL" for row in sessions)
    assert not list(tmp_path.rglob("emissions.csv"))


@pytest.mark.long
def test_an_interrupt_saves_then_is_raised(make_trainer, tmp_path):
    import os
    import signal

    from transformers import TrainerCallback

    class Interrupt(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == 3:
                os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match="Saved at"):
        make_trainer(max_tokens=20_000, callbacks=[Interrupt()]).train()
    assert signal.getsignal(signal.SIGINT) is before
    assert [path.name for path in (tmp_path / "run").glob("checkpoint-*")] == ["checkpoint-4"]
