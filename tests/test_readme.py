"""Every code block of the README runs, in order, in one folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
THREADS = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(kind):
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    return [body for found, body in BLOCK.findall(text) if found == kind]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the documents the README speaks of."""
    from datasets import Dataset

    from doctobert_hf.quickstart.sample import sample_documents

    folder = tmp_path_factory.mktemp("readme")
    documents = [{"id": d.id, "text": d.text} for d in sample_documents(300)]
    Dataset.from_list(documents).to_parquet(folder / "documents.parquet")
    (folder / "raw").mkdir()
    made_up = Path(__file__).parent / "drbenchmark" / "data" / "made_up.zip"
    (folder / "raw" / "corpora.zip").write_bytes(made_up.read_bytes())
    return folder


def test_languages_are_known():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert {kind for kind, _ in BLOCK.findall(text)} <= {"bash", "python", "text", "yaml"}


@pytest.mark.long
@pytest.mark.timeout(1200)  # a dozen commands, one after another
def test_code_blocks_run(folder):
    bin_folder = Path(sys.executable).parent
    environment = {
        "PATH": f"{bin_folder}:/usr/bin:/bin",
        "HF_HUB_OFFLINE": "1",
        "HOME": str(folder),
        "PYTHONPATH": str(REPOSITORY / "src"),  # this checkout, whatever is installed
        **{name: os.environ[name] for name in THREADS if name in os.environ},
    }
    for body in blocks("bash"):
        if body.lstrip().startswith(("make ", "git ", "pip ", "python benchmarks/")):
            continue  # the environment itself, and the benchmarks: run by hand and by CI
        script = body.replace(
            "doctobert-hf quickstart",
            "doctobert-hf quickstart --phase1-tokens 40000 --phase2-tokens 20000 "
            "--retrieval-steps 10",
        )
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{body}\n{done.stderr[-3000:]}"
    program = "\n".join(blocks("python"))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_make_targets_named_in_the_readme_exist():
    makefile = (REPOSITORY / "Makefile").read_text()
    lines = [line for body in blocks("bash") for line in body.splitlines()]
    named = [line.split("#")[0].split()[1:] for line in lines if line.startswith("make ")]
    assert named
    for target in (target for targets in named for target in targets):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
