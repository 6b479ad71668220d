"""The GPU benchmark runs at toy size on a CPU, part by part."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "gpu.py"


@pytest.mark.long
def test_every_part_runs_dry(tmp_path):
    out = tmp_path / "gpu.json"
    done = subprocess.run(
        [sys.executable, SCRIPT, "--dry", "--json", out],
        capture_output=True,
        text=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    results = json.loads(out.read_text())["results"]
    assert list(results) == ["checks", "kernels", "graphs", "speed", "head", "optimizer"]
    exact = results["checks"]["window 65"]
    assert exact["gradient, max relative difference"] < 1e-6  # on a CPU both are the reference
    speed = results["speed"]["doctobert-tiny 64"]
    assert speed["ours"]["tokens/s"] > 0 and speed["stock padded"]["tokens/s"] > 0
