"""The whole way: pushed to a Hub, then loaded by id where this package is not installed."""

from __future__ import annotations

import json

import pytest

FACTS = ("--license", "apache-2.0", "--contact", "a@example.org", "--authors", "A")

LOAD = """
import sys

sys.modules["doctobert_hf"] = None
from datasets import load_dataset
from transformers import AutoModelForMaskedLM, AutoTokenizer, pipeline

fill = pipeline("fill-mask", "me/petit")
assert fill("Le patient [MASK] bien.")[0]["token_str"]
model = AutoModelForMaskedLM.from_pretrained("me/petit")
tokenizer = AutoTokenizer.from_pretrained("me/tok")
assert tokenizer("Douleur.")["input_ids"] == AutoTokenizer.from_pretrained("me/petit")("Douleur.")[
    "input_ids"
]
rows = load_dataset("me/corpus", split="train")
assert len(rows) == 300, rows
streamed = load_dataset("me/corpus", split="train", streaming=True)
assert next(iter(streamed))["id"] == rows[0]["id"] == "d0"
print("loaded", model.num_parameters())
import os

sys.stdout.flush()
os._exit(0)  # threads of streaming readers can abort an interpreter that shuts down
"""


@pytest.mark.long
def test_model_tokenizer_and_corpus_by_id(
    hub, command, online, run_dir, tokenizer_dir, documents, tmp_path
):
    command("push-model", run_dir, "me/petit", *FACTS)
    command("push-tokenizer", tokenizer_dir, "me/tok", *FACTS)
    command("push-dataset", documents, "me/corpus", *FACTS)
    fresh = {"HF_HOME": str(tmp_path / "fresh"), "HF_TOKEN": ""}
    done = online("-c", LOAD, **fresh, PYTHONPATH="")
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("loaded ")
    for repo in ("me/petit", "me/corpus"):
        checks = json.loads(command("verify", repo, "--json", **fresh).stdout)
        assert {check["status"] for check in checks} == {"ok"}, checks
        assert any(check["what"] == "load by id" for check in checks)


@pytest.mark.long
def test_a_changed_file_on_the_hub_is_told(hub, command, tokenizer_dir):
    command("push-tokenizer", tokenizer_dir, "me/tok", *FACTS)
    hub.write("model", "me/tok", "tokenizer_config.json", b"{}")
    done = command("verify", "me/tok", "--json", check=False)
    checks = {check["what"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 1 and checks["fingerprints"]["status"] == "failed"
    assert "tokenizer_config.json" in checks["fingerprints"]["detail"]


@pytest.mark.long
def test_verify_a_revision_and_nothing(hub, command, tokenizer_dir):
    command("push-tokenizer", tokenizer_dir, "me/tok", *FACTS, "--revision", "v1")
    checks = json.loads(command("verify", "me/tok", "--revision", "v1", "--json").stdout)
    assert {check["status"] for check in checks} == {"ok"}
    done = command("verify", "me/none", check=False)
    assert done.returncode == 2 and "me/none" in done.stderr
