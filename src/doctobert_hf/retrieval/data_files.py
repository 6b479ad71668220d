"""What a recipe's pairs are read from, as the record of a run names it.

A run is gone on with, and its results are told again, only if these are as they were.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.corpus import inputs_of
from doctobert_hf.runs.record import describe_input

if TYPE_CHECKING:
    from doctobert_hf.retrieval.recipe import RetrievalConfig


def data_files(config: RetrievalConfig) -> list[Path]:
    """Return the files and folders of a recipe's pairs and distractors.

    Those of FrenchMedMCQA are found by DrBenchmark's rules, and described only
    (:func:`described_data`).

    Raises:
        UsageError: The named corpus is not there.

    Example:
        >>> from doctobert_hf.retrieval import RetrievalConfig
        >>> [path.name for path in data_files(RetrievalConfig("encoder", data="documents.parquet"))]
        ['documents.parquet']
    """
    from doctobert_hf.retrieval.builders import LABFORSIMS2_FILES, find_pair_corpus

    found: list[Path] = []
    if config.data == "labforsims2":
        place = find_pair_corpus(config.data_dir, config.data)
        # Of a folder those files alone: it may be the one with all corpora.
        found = [place / name for name in LABFORSIMS2_FILES] if place.is_dir() else [place]
    elif Path(config.data).exists():
        found = [Path(config.data)]
    return found + (inputs_of(config.distractors) if config.distractors is not None else [])


def described_data(config: RetrievalConfig) -> list[dict[str, Any]]:
    """Return what the record says of a recipe's data: path, size and hash of each.

    Raises:
        UsageError: The named corpus is not there.
    """
    found = [describe_input(path) for path in data_files(config)]
    if config.data != "frenchmedmcqa":
        return found
    return [_described_exam(config.data_dir), *found]


def _described_exam(data_dir: Path | None) -> dict[str, Any]:
    from doctobert_hf.drbenchmark.conversion import locate
    from doctobert_hf.drbenchmark.tasks import get_task

    task = get_task("frenchmedmcqa_mcqa")
    folder = locate(task, data_dir)
    if folder is None:
        return {"path": task.corpus.homepage}  # downloaded, and always the same
    digest, size = hashlib.sha256(), 0
    for name in sorted(task.files):
        content = folder.read_bytes(name)
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
        size += len(content)
    return {"path": folder.where(""), "bytes": size, "sha256": digest.hexdigest()}
