"""Handing a recipe of kind ``pylate`` to its script, in the environment that PyLate needs.

PyLate 1.6 pins Sentence Transformers 5.3 and Transformers 5.3: it cannot be installed beside the
Sentence Transformers 6 of the other kinds. Its models open there as late interaction.
"""

from __future__ import annotations

import importlib.metadata
import runpy
from typing import TYPE_CHECKING

from doctobert_hf.errors import UsageError
from doctobert_hf.processes import world_size
from doctobert_hf.recipes import shared_folder

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from doctobert_hf.retrieval.recipe import RetrievalConfig

ENVIRONMENT = (
    "python -m venv pylate-env && "
    "pylate-env/bin/pip install 'doctobert-hf' 'pylate==1.6.*' bm25s PyStemmer"
)


def run_script(config: RetrievalConfig, recipe: str) -> int:
    """Train by PyLate and search with its PLAID index; return the exit code.

    Raises:
        UsageError: PyLate is not in this environment, with the commands that make the right one; or
            there are several processes.
    """
    if world_size() > 1:
        raise UsageError(
            f"kind 'pylate' in {world_size()} processes, each of which would write the same files",
            "one process",
            "Start it without torchrun; the other kinds train in several",
        )
    try:
        importlib.metadata.version("pylate")
    except importlib.metadata.PackageNotFoundError:
        raise UsageError(
            "PyLate is not in this environment",
            "an environment of its own: it pins Sentence Transformers 5.3 and Transformers 5.3",
            f"Make it: {ENVIRONMENT}. Then: pylate-env/bin/doctobert-hf retrieval train {recipe} "
            f"--kind pylate --output {config.output}",
        ) from None
    script = shared_folder("recipes") / "retrieval" / "pylate" / "train.py"
    return int(runpy.run_path(str(script))["train"](config))


def space_behind(marker: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """Return what must stand between a marker and a text for the text's tokens to be its own.

    PyLate puts the marker's id before the tokens of a text, Sentence Transformers 6 the marker
    before its characters. With tokenizers that mark the beginnings of words (SentencePiece) and a
    marker that ends with a space, the first word then loses its mark: a PyLate model of ours fell
    from 0.202 to 0.144 nDCG@10 by it. One more space keeps it.
    """
    text = "question"
    alone = tokenizer(text, add_special_tokens=False)["input_ids"]
    for space in ("", " "):
        joined = tokenizer(f"{marker}{space}{text}", add_special_tokens=False)["input_ids"]
        if joined == [tokenizer.convert_tokens_to_ids(marker), *alone]:
            return space
    return ""
