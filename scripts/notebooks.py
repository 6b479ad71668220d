"""Write the three notebooks of ``examples/notebooks`` from the pages: their text and their blocks.

python scripts/notebooks.py

A page's words become cells of text, its ``python`` and ``bash`` blocks cells to run. Each notebook
begins with what a fresh machine (Colab) needs: the package, sample documents and notes, and where a
page speaks of ``my-run``, a quickstart. Blocks that need a corpus which must be asked for work on
the sample's notes instead. A test executes them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "examples" / "notebooks"
NOTEBOOKS = {
    "chunks": ("chunking.md", "stock-trainer.md"),
    "entities": ("finetuning.md",),
    "search": ("retrieval.md",),
}
QUICKSTART = ("entities", "search")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n?", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]+\)")
INSTALL = "%pip install -q 'doctobert-hf[retrieval,plot]'"
DATA = """from pathlib import Path

from datasets import Dataset
from doctobert_hf.corpus.sample_notes import write_notes
from doctobert_hf.corpus.sample import sample_documents

documents = [{"id": d.id, "text": d.text} for d in sample_documents(300)]
dataset = Dataset.from_list(documents)
dataset.to_parquet("documents.parquet")
write_notes(Path("notes"))"""
TOKENIZER = """from doctobert_hf.tokenization import train_tokenizer

tokenizer = train_tokenizer(dataset["text"], "my-tokenizer", vocab_size=4096)"""
RUN = "%%bash\ndoctobert-hf quickstart --corpus documents.parquet --output my-run"


def notebook(name: str) -> dict[str, Any]:
    """Return a notebook in nbformat 4.5."""
    cells = [
        _code(INSTALL),
        _text("Sample documents and notes; none of them is real."),
        _code(DATA),
    ]
    if name in QUICKSTART:
        cells += [_text("A small model to begin with, in minutes:"), _code(RUN)]
    else:
        cells.append(_code(TOKENIZER))
    for page in NOTEBOOKS[name]:
        cells += _cells((ROOT / "docs" / page).read_text(encoding="utf-8"))
    for number, cell in enumerate(cells):
        cell["id"] = f"{name}-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cells(text: str) -> list[dict[str, Any]]:
    cells, place = [], 0
    for match in BLOCK.finditer(text):
        cells += _words(text[place : match.start()])
        place = match.end()
        kind, body = match[1], match[2].rstrip("\n")
        body = body.replace("--task quaero_medline --data-dir raw", "--corpus notes")
        lines = [line for line in body.split("\n") if not line.lstrip().startswith("pip install")]
        if kind == "python":
            cells.append(_code(body))
        elif kind == "bash" and any(lines):
            cells.append(_code("%%bash\nset -euo pipefail\n" + "\n".join(lines)))
        elif kind not in ("python", "bash"):
            cells.append(_text(f"```{kind}\n{body}\n```"))
    return cells + _words(text[place:])


def _words(text: str) -> list[dict[str, Any]]:
    text = LINK.sub(r"\1", text).strip()
    return [_text(text)] if text else []


def _text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def _code(source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }


def written(name: str) -> str:
    """Return the file of a notebook, as it is kept."""
    return json.dumps(notebook(name), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in NOTEBOOKS:
        (TARGET / f"{name}.ipynb").write_text(written(name), encoding="utf-8")
        print(TARGET / f"{name}.ipynb")
