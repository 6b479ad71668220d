#!/usr/bin/env bash
# Build the wheel, install it into an empty environment, and run the quickstart from another folder.
# usage: wheel_test.sh PYTHON_WITH_BUILD      (PYTHON: the interpreter for the new environment)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
builder=$(cd "$root" && realpath -s "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cd "$root"
"$builder" -m build -q --wheel --no-isolation --outdir "$scratch/dist"
"${PYTHON:-python3}" -m venv "$scratch/venv"
bin="$scratch/venv/bin"
"$bin/python" -m pip install -q --upgrade "pip>=24"
"$bin/python" -m pip install -q "torch==$(sed -n 's/^torch==//p' constraints/tested.txt)"
"$bin/python" -m pip install -q -c constraints/tested.txt "$scratch"/dist/*.whl

mkdir "$scratch/elsewhere"
cd "$scratch/elsewhere"
"$bin/doctobert-hf" --version
"$bin/doctobert-hf" env > env.txt
"$bin/doctobert-hf" quickstart tiny/quickstart --phase1-tokens 40000 --phase2-tokens 20000 \
    --hidden-size 64 --num-hidden-layers 2 2> log.txt \
    || { cat log.txt; exit 1; }
# The base install has no retrieval: the run says how to get it and goes on.
grep -qF "pip install 'doctobert-hf[retrieval]'" log.txt
test -s quickstart-run/cards/model/README.md
"$bin/doctobert-hf" pretrain doctobert-base/pretrain --dry-run
MADE_UP="$root/tests/drbenchmark/data/made_up.zip" "$bin/python" - <<'PY'
from transformers import AutoModelForMaskedLM, AutoTokenizer

model = AutoModelForMaskedLM.from_pretrained("quickstart-run/model")
tokenizer = AutoTokenizer.from_pretrained("quickstart-run/model")
assert model.config.vocab_size == len(tokenizer)
assert "## Masked tokens" in open("quickstart-run/report.md", encoding="utf-8").read()

import os

os.environ["HF_HUB_OFFLINE"] = "1"
import evaluate
from datasets import load_dataset

import doctobert_hf

made_up = os.environ["MADE_UP"]
for task in doctobert_hf.list_tasks():
    assert len(load_dataset("doctobert_hf/drbenchmark", task.name, data_dir=made_up, split="train"))
assert evaluate.load("doctobert_hf/edrm").compute(predictions=[1.0], references=[2.0])
PY
echo "wheel test passed"
