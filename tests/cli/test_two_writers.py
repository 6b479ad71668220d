"""Two runs in one output: the second is refused, by name, and the first is as if it were alone."""

import json
import signal
import subprocess
import sys
import time

import pytest
import warm
from cli_helpers import COMMANDS, command, hashes

from doctobert_hf.cli import main

HOLD = """
import sys, time
from pathlib import Path
from doctobert_hf.runs.lock import RunLock
lock = RunLock(Path(sys.argv[1]), "x")
lock.acquire()
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(place):
    """A live process that works in ``busy``, with its lock inside and beside."""
    (place / "busy").mkdir()
    found = []
    for lock in ("busy/.run.lock", ".busy.run.lock"):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(place / lock)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "ready\n"
        found.append(process)
    yield found
    for process in found:
        process.kill()
        process.wait()


@pytest.mark.parametrize("name", [n for n in COMMANDS if not n.startswith("benchmark")])
def test_a_live_run_is_named_and_left_alone(name, holder, place, made, capsys):
    before = hashes(place)
    assert main(command(name, made, "busy")) == 2
    error = capsys.readouterr().err
    pid = holder[name.startswith("push")].pid
    assert f"in use by process {pid} on" in error and "Traceback" not in error
    assert hashes(place) == before


def start(place, *arguments):
    return warm.Popen(
        [sys.executable, "-m", "doctobert_hf", *arguments],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.long
def test_two_pretrainings_in_one_folder(place):
    """Both orders: a second start, and --resume beside a live run."""
    words = ["pretrain", "doctobert-tiny/pretrain", "--dataloader-num-workers", 0]
    words += ["--max-tokens", 60000, "--warmup-tokens", 500, "--decay-tokens", 0]
    first = start(place, *words, "--output", "run")
    while not (place / "run" / "metrics.jsonl").is_file():
        assert first.poll() is None, first.communicate()
        time.sleep(0.05)
    first.send_signal(signal.SIGSTOP)  # held, so that it is live for as long as the others try
    for more in (["--seed", 2], ["--resume"], ["--overwrite"]):
        recipe = words if more != ["--resume"] else ["pretrain"]
        second = start(place, *recipe, *more, "--output", "run")
        _, error = second.communicate(timeout=200)
        assert second.returncode == 2 and f"in use by process {first.pid}" in error, error
    first.send_signal(signal.SIGCONT)
    out, error = first.communicate(timeout=200)
    assert first.returncode == 0, error
    assert json.loads((place / "run" / "run.json").read_text())["settings"]["seed"] == 17
    alone = start(place, *words, "--output", "alone")
    expected, error = alone.communicate(timeout=200)
    assert alone.returncode == 0, error
    assert out.replace("run/model", "") == expected.replace("alone/model", "")
    weights = [(place / name / "model" / "model.safetensors").read_bytes() for name in
               ("run", "alone")]  # fmt: skip
    assert weights[0] == weights[1]
