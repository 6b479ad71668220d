"""A local Hub, and commands that talk to it in processes of their own."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


def _server():
    """The module beside this file (tests are imported by path)."""
    spec = importlib.util.spec_from_file_location(
        "hub_test_server", Path(__file__).with_name("server.py")
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SERVER = _server()


@pytest.fixture(scope="session")
def _hub():
    server = SERVER.Hub()
    yield server
    server.close()


@pytest.fixture
def hub(_hub):
    _hub.reset()
    return _hub


@pytest.fixture(scope="session")
def _environment(_hub, tmp_path_factory):
    return {
        **os.environ,
        "HF_ENDPOINT": _hub.endpoint,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(tmp_path_factory.mktemp("hf-home")),
        "HF_TOKEN": SERVER.TOKEN,
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }


@pytest.fixture
def online(hub, _environment, tmp_path):
    """Runs Python in a process for which the local server is the Hub."""

    def run(*arguments, cwd=None, **more):
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            env={**_environment, **more},
            cwd=cwd or tmp_path,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    return run


WORKER = """
import contextlib, faulthandler, io, json, os, sys
from doctobert_hf.cli import main

faulthandler.enable()

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    order = json.loads(line)
    if order is None:
        break
    os.chdir(order["cwd"])
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(order["arguments"])
    print(json.dumps([code, out.getvalue(), err.getvalue()]), file=answers, flush=True)
"""


@pytest.fixture(scope="session")
def _worker(_environment, tmp_path_factory):
    """One process that runs command after command: the libraries are imported once."""
    log = tmp_path_factory.mktemp("worker") / "stderr"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            env=_environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        yield process, log
        _end(process, log)


def _end(process, log):
    """Asks the worker to end; one that does not is made to say where it stands.

    Asked in words: its standard input ends only when every process forked from this one has
    ended too, and a test may have left one.
    """
    try:
        print("null", file=process.stdin, flush=True)
        process.wait(120)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        process.wait()
        pytest.fail(f"the worker did not end: {log.read_text(errors='replace')[-5000:]}")
    finally:
        process.stdin.close()


@pytest.fixture
def command(_worker, online, tmp_path):
    """``doctobert-hf hub ...`` against the local server; other variables take a new process."""

    def run(*arguments, check=True, **variables):
        arguments = ["hub", *map(str, arguments)]
        if variables:
            done = online("-m", "doctobert_hf", *arguments, **variables)
        else:
            process, log = _worker
            print(
                json.dumps({"arguments": arguments, "cwd": str(tmp_path)}),
                file=process.stdin,
                flush=True,
            )
            code, out, err = json.loads(process.stdout.readline())
            done = subprocess.CompletedProcess(arguments, code, out, err)
            assert SERVER.TOKEN not in log.read_text(errors="replace")
        assert SERVER.TOKEN not in done.stdout + done.stderr
        if check:
            assert done.returncode == 0, done.stderr[-3000:]
        return done

    return run


@pytest.fixture(scope="session")
def model_dir(tokenizer_dir, tmp_path_factory) -> Path:
    """A tiny masked language model with its tokenizer."""
    import torch
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    from doctobert_hf.models import preset_config

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("published") / "model"
    # Its own copy: the session's tokenizer is everybody's.
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_dir, model_max_length=64)
    AutoModelForMaskedLM.from_config(preset_config("doctobert-tiny", tokenizer)).save_pretrained(
        folder
    )
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def documents(tmp_path) -> Path:
    """A Parquet file of 300 rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "documents.parquet"
    rows = [f"Compte rendu {i}. Le patient va bien, retour au domicile." for i in range(300)]
    pq.write_table(
        pa.table({"text": rows, "id": [f"d{i}" for i in range(300)]}), path, row_group_size=70
    )
    return path


@pytest.fixture(scope="session")
def run_dir(tokenizer_dir, sample_texts, tmp_path_factory) -> Path:
    """A real, short pretraining run: two checkpoints, all records, the final model."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from doctobert_hf.pretraining.recipe import (
        PretrainConfig,
        finish_pretraining,
        open_pretraining,
    )

    folder = tmp_path_factory.mktemp("runs")
    corpus = folder / "leaflets.parquet"
    pq.write_table(pa.table({"text": sample_texts[:40]}), corpus)
    config = PretrainConfig(
        output=folder / "run",
        corpus=corpus,
        tokenizer=str(tokenizer_dir),
        preset="doctobert-tiny",
        max_length=64,
        eval_documents=4,
        max_tokens=4000,
        micro_batch_tokens=512,
        save_tokens=2000,
        logging_steps=2,
        dataloader_num_workers=0,
    )
    with pytest.MonkeyPatch.context() as patch:
        # Measuring takes seconds.
        patch.setattr("doctobert_hf.energy.EnergyMeter.available", staticmethod(bool))
        trainer = open_pretraining(config, resume=False)
    trainer.train()
    finish_pretraining(trainer, config)
    return folder / "run"
