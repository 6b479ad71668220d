"""DrBenchmark: French medical tasks as data, metrics and aggregates.

After ``import doctobert_hf``: ``load_dataset("doctobert_hf/drbenchmark", NAME, data_dir=DIR)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doctobert_hf.lazy import lazy_names

if TYPE_CHECKING:
    from doctobert_hf.drbenchmark import leaderboard as leaderboard
    from doctobert_hf.drbenchmark.finetuning.probe import (
        BenchmarkProbeCallback as BenchmarkProbeCallback,
    )
    from doctobert_hf.drbenchmark.predictor import Predictor as Predictor
    from doctobert_hf.drbenchmark.scoring import compute_metrics as compute_metrics
    from doctobert_hf.drbenchmark.spec import CorpusSpec as CorpusSpec, TaskSpec as TaskSpec
    from doctobert_hf.drbenchmark.tasks import (
        get_task as get_task,
        list_tasks as list_tasks,
        register_task as register_task,
    )

_NAMES = {
    "BenchmarkProbeCallback": ".finetuning.probe",
    "TaskSpec": ".spec",
    "CorpusSpec": ".spec",
    "list_tasks": ".tasks",
    "get_task": ".tasks",
    "register_task": ".tasks",
    "Predictor": ".predictor",
    "compute_metrics": ".scoring",
}
_MODULES = ("leaderboard",)
__all__ = [*_NAMES, "leaderboard"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _NAMES, _MODULES)
