"""The very lines that commands print for the user to run: they run."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest
import warm
from cli_helpers import command

from doctobert_hf.cli import main

LINE = re.compile(r"(?:next|Resume with|a task's page): (doctobert-hf .*)$", re.MULTILINE)


def printed(text):
    lines = LINE.findall(text)
    assert lines, text
    return [shlex.split(line)[1:] for line in lines]


@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    [
        *("tokenizer", "annotate", "clean", "filter", "decontaminate", "index"),
        *("push-tokenizer", "push-model", "push-dataset"),
    ],
)
def test_the_next_command(name, place, made, capsys, monkeypatch):
    monkeypatch.delenv("DOCTOBERT_DATA_DIR", raising=False)
    words = command(name, made, "out put")
    if name in ("annotate", "clean"):
        words += ["--parts", "1"]
    if name == "clean":
        words += ["--language", "none", "--no-minhash"]
    assert main(words) == 0, capsys.readouterr().err
    for line in printed(capsys.readouterr().err):
        assert main(line) == 0, (line, capsys.readouterr().err)
        capsys.readouterr()


@pytest.mark.long
def test_the_tasks_next_commands(data_dir, capsys):
    assert main(["benchmark", "tasks", "--data-dir", str(data_dir)]) == 0
    captured = capsys.readouterr()
    assert max(map(len, captured.out.splitlines())) <= 80
    page, check = printed(captured.err)
    assert main(page) == 0 and "# quaero_emea" in capsys.readouterr().out
    assert check == ["benchmark", "check", "--data-dir", str(data_dir)]


def stop_and_go_on(place, words, ready, number=signal.SIGINT):
    """Start a command, stop it when it has got somewhere, and run the line that it prints."""
    start = [sys.executable, "-m", "doctobert_hf"]
    first = warm.Popen([*start, *words], cwd=place, stderr=subprocess.PIPE, text=True)
    while not ready():
        assert first.poll() is None, first.communicate()[1][-2000:]
        time.sleep(0.05)
    first.send_signal(number)
    _, error = first.communicate(timeout=250)
    assert first.returncode in (130, 143), error[-2000:]
    (line,) = printed(error)
    again = warm.run([*start, *line], cwd=place, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr[-2000:]
    assert "missing keys" not in again.stderr and "Warning" not in again.stderr
    return line


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_pretraining(number, place, tokenizer_dir):
    """The options that were given come from the run's record, not from the recipe."""
    words = [
        "pretrain",
        "doctobert-tiny/pretrain",
        "--corpus",
        "corpus.jsonl",
        "--output",
        "my run",
    ]
    words += ["--tokenizer", "tok", "--max-tokens", "60000", "--save-tokens", "2000", "--seed", "3"]
    words += ["--warmup-tokens", "500", "--decay-tokens", "0", "--max-length", "64"]
    run = place / "my run"
    line = stop_and_go_on(place, words, lambda: list(run.glob("checkpoint-*")), number)
    assert line == ["pretrain", "--resume", "--output", "my run"]
    record = json.loads((run / "run.json").read_text())
    assert record["settings"]["max_tokens"] == 60000 and record["settings"]["seed"] == 3
    assert record["status"] == "finished" and (run / "model" / "config.json").is_file()
    rows = [json.loads(row) for row in (run / "metrics.jsonl").read_text().splitlines()]
    assert max(row.get("tokens", 0) for row in rows) >= 60000


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_retrieval_training(number, place, made):
    """A signal is not lost in whatever runs when it comes; the step is finished, and saved."""
    pytest.importorskip("sentence_transformers")
    rows = [{"query": f"question {n} ?", "positive": f"La réponse {n} du patient."}
            for n in range(300)]  # fmt: skip
    (place / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["retrieval", "train", "retrieval/dense", "--base-model", str(made / "model")]
    words += ["--data", "pairs.jsonl", "--output", "found", "--epochs", "40", "--batch-size", "8"]
    words += [
        "--query-length",
        "16",
        "--max-length",
        "16",
        "--evaluations",
        "40",
        "--patience",
        "0",
    ]
    run = place / "found"
    ready = lambda: list(run.glob("checkpoint-*/trainer_state.json"))  # noqa: E731
    line = stop_and_go_on(place, words, ready, number)
    assert line == ["retrieval", "train", "--resume", "--output", "found"]
    assert json.loads((run / "run.json").read_text())["settings"]["epochs"] == 40
    evaluate = ["retrieval", "evaluate", "found", "--with-bm25"]
    assert warm.run([sys.executable, "-m", "doctobert_hf", *evaluate], cwd=place).returncode == 0
