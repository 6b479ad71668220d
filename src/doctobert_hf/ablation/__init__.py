"""Ablation: several ways to pretrain, each measured on the same tasks, before GPUs are rented.

Source of the idea: the ablations of FineWeb (arXiv 2406.17557) and DataComp-LM (arXiv 2406.11794):
a small model, an equal budget of tokens for every arm, and tests that say what is noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doctobert_hf.lazy import lazy_names

if TYPE_CHECKING:
    from doctobert_hf.ablation.plan import AblationPlan as AblationPlan, read_plan as read_plan
    from doctobert_hf.ablation.run import run_ablation as run_ablation

_NAMES = {
    "AblationPlan": ".plan",
    "read_plan": ".plan",
    "run_ablation": ".run",
}
__all__ = [*_NAMES]
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _NAMES)
