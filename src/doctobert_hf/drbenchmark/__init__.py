"""DrBenchmark: French medical tasks as data, metrics and aggregates.

After ``import doctobert_hf``: ``load_dataset("doctobert_hf/drbenchmark", NAME, data_dir=DIR)``.
"""

from __future__ import annotations

import importlib
from typing import Any

_PUBLIC = {
    "TaskSpec": "doctobert_hf.drbenchmark.spec",
    "CorpusSpec": "doctobert_hf.drbenchmark.spec",
    "list_tasks": "doctobert_hf.drbenchmark.tasks",
    "get_task": "doctobert_hf.drbenchmark.tasks",
    "register_task": "doctobert_hf.drbenchmark.tasks",
    "Predictor": "doctobert_hf.drbenchmark.predictor",
    "compute_metrics": "doctobert_hf.drbenchmark.scoring",
}

__all__ = [*_PUBLIC, "leaderboard"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    if name == "leaderboard":
        return importlib.import_module("doctobert_hf.drbenchmark.leaderboard")
    raise AttributeError(f"module 'doctobert_hf.drbenchmark' has no attribute '{name}'")
