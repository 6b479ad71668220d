"""Several processes of one run on a machine without a GPU."""

import json
import os
import signal
import threading

import pytest

from doctobert_hf.processes import rank, sigterm_interrupts, world_size


def test_sigterm_stops_as_ctrl_c_does():
    before = signal.getsignal(signal.SIGTERM)
    cleaned = []
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"), sigterm_interrupts():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(30)
        finally:
            cleaned.append(True)
    assert cleaned and signal.getsignal(signal.SIGTERM) is before
    thread = threading.Thread(target=lambda: cleaned.append(sigterm_interrupts().__enter__()))
    thread.start()
    thread.join()
    assert len(cleaned) == 2, "a thread takes no signals"


@pytest.mark.long
def test_who_this_is(monkeypatch):
    assert (rank(), world_size()) == (0, 1)
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert (rank(), world_size()) == (3, 4)


@pytest.mark.long
def test_pretrain_of_two_processes_is_one_run(tokenizer_dir, two_processes, tmp_path):
    """Without bf16 each took itself for the only one, and they wrote over each other's files."""
    words = ["pretrain", "doctobert-tiny/pretrain", "--tokenizer", tokenizer_dir]
    words += ["--max-tokens", 4096, "--warmup-tokens", 0, "--decay-tokens", 0]
    words += ["--micro-batch-tokens", 512, "--global-batch-tokens", 2048, "--max-length", 128]
    output = tmp_path / "run"
    codes, printed, said = two_processes("-m", "doctobert_hf", *words, "--output", output)
    assert codes == [0, 0], said
    assert "model: " in printed[0] and printed[1] == ""
    record = json.loads((output / "run.json").read_text())
    assert record["status"] == "finished"
    lines = [json.loads(line) for line in (output / "metrics.jsonl").open()]
    losses = [line["step"] for line in lines if "eval_loss" in line]
    assert losses == sorted(set(losses)), "each evaluation is written once"
