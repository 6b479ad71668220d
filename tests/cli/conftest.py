"""Inputs, commands that write, and a folder full of somebody's files."""

import hashlib
import json
import os
import sys
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

STRANGERS = {
    "documents.parquet": b"PAR1 mine",
    "figures/mine.png": b"mine",
    "models/mine.safetensors": b"mine",
    "tokenizer.json": b"{}",
    "config.json": b"{}",
    "run.txt": b"mine",
    "data/train.parquet": b"mine",
    "report.md": b"mine",
    "index.json": b"{}",
    "model/config.json": b"{}",
    "thèse/é.txt": b"mine",
}


def hashes(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def place(tmp_path, monkeypatch, tokenizer_dir):
    """A working directory with inputs, and ``mine``: a folder full of somebody's files."""
    monkeypatch.chdir(tmp_path)
    for name, content in STRANGERS.items():
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_bytes(content)
    rows = [
        {"id": str(n), "text": f"Le patient {n} a de la fièvre.", "kind": "a"} for n in range(30)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "corpus.jsonl").write_text(lines)
    labels = "".join(json.dumps({**row, "label": "Others"}) + "\n" for row in rows)
    (tmp_path / "labels.jsonl").write_text(labels)
    (tmp_path / "test.jsonl").write_text('{"text": "Une phrase que personne ne connaît."}\n')
    (tmp_path / "corpus").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "corpus" / "a.parquet")
    (tmp_path / "mix.yaml").write_text("sources:\n  - {name: a, input: corpus.jsonl}\n")
    os.symlink(tokenizer_dir, tmp_path / "tok")
    entities = [{"start": 0, "end": 2, "label": "X"}]
    notes = [{"id": str(n), "text": "Il va.", "entities": entities} for n in range(10)]
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "n.jsonl").write_text("".join(json.dumps(n) + "\n" for n in notes))
    return tmp_path


MODEL = "MODEL"  # a tiny encoder, made where a test needs it
COMMANDS = {
    "quickstart": ["quickstart"],
    "pretrain": ["pretrain", "doctobert-tiny/pretrain"],
    "tokenizer": ["tokenizer", "train", "corpus.jsonl", "--vocab-size", "590"],
    "benchmark run": ["benchmark", "run", MODEL, "--corpus", "notes", "--trials", "0"],
    "finetune": ["finetune", MODEL, "--corpus", "notes"],
    "benchmark report": ["benchmark", "report", "RESULTS"],
    "annotate": ["finemed", "annotate", "finemed/light", "--input", "corpus.jsonl",
                 "--lexicons", "base"],
    "clean": ["finemed", "clean", "--input", "corpus.jsonl"],
    "filter": ["finemed", "filter", "--input", "corpus.jsonl", "--where", "kind == 'a'"],
    "decontaminate": ["finemed", "decontaminate", "--input", "corpus.jsonl",
                      "--benchmark", "test.jsonl", "--least-words", "3"],
    "rephrase": ["finemed", "rephrase", "--input", "corpus.jsonl", "--where", "kind == 'a'"],
    "mix": ["finemed", "mix", "mix.yaml", "--tokenizer", "tok"],
    "stats": ["finemed", "stats", "--input", "corpus.jsonl"],
    "distil": ["finemed", "distil", "--input", "labels.jsonl", "--model", "tok"],
    "retrieval train": ["retrieval", "train", "retrieval/dense", "--base-model", MODEL,
                        "--data", "corpus.jsonl"],
    "index": ["retrieval", "index", "corpus.jsonl"],
    "push-tokenizer": ["hub", "push-tokenizer", "tok", "me/tok", "--license", "mit", "--dry-run"],
    "push-model": ["hub", "push-model", MODEL, "me/model", "--license", "mit", "--dry-run"],
    "push-dataset": ["hub", "push-dataset", "corpus", "me/data", "--license", "mit", "--dry-run"],
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory, tokenizer):
    """What commands need that takes longer to make."""
    from transformers import BertConfig, BertForMaskedLM

    from doctobert_hf.drbenchmark.results import Cell, Result

    folder = tmp_path_factory.mktemp("made")
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "intermediate_size": 16}
    config = BertConfig(
        vocab_size=len(tokenizer),
        num_attention_heads=2,
        pad_token_id=tokenizer.pad_token_id,
        **sizes,
    )
    BertForMaskedLM(config).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    cell = Cell("m", "local-1", "quaero_emea", "strict", "standard", 42)
    empty = {name: {} for name in ("hyperparameters", "data", "encoding", "model", "environment")}
    Result(cell, "token-classification", "f1", 0.5, {"f1": 0.5}, 0.5, tuning=None, duration=1.0,
           energy_kwh=None, date="2026-01-01", predictions="p", **empty).write(
        folder / "results")  # fmt: skip
    return folder


def command(name, made, output):
    if name in ("retrieval train", "index"):
        pytest.importorskip("sentence_transformers")
    places = {MODEL: str(made / "model"), "RESULTS": str(made / "results")}
    return [places.get(word, word) for word in COMMANDS[name]] + ["--output", str(output)]


helpers = ModuleType("cli_helpers")  # importlib mode knows no sibling modules
helpers.COMMANDS, helpers.command, helpers.hashes = COMMANDS, command, hashes
sys.modules["cli_helpers"] = helpers
