"""The benchmark of pretraining runs at toy size, and its way in from the GPU benchmark holds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "pretraining.py"
TOY = "--layers 1 --hidden 64 --repeats 1 --chunks 20 --lengths 64 --micro-batch-tokens 512"


def run(*options):
    return subprocess.run(
        [sys.executable, SCRIPT, *TOY.split(), *options],
        capture_output=True,
        text=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )


@pytest.mark.long
def test_the_three_ways_are_timed(tmp_path):
    done = run("--tokens", "4000", "--json", tmp_path / "out.json")
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads((tmp_path / "out.json").read_text())["results"]["doctobert-base, 64"]
    assert min(found[name] for name in ("ours", "padded", "blocks")) > 0


@pytest.mark.long
def test_a_run_of_two_steps_is_refused():
    done = run("--tokens", "600")
    assert done.returncode == 1
    assert "all warm-up" in done.stderr
