"""Masked-LM pretraining on ``Trainer``: packed, exact, resumable."""

from __future__ import annotations

import importlib
from typing import Any

_PUBLIC = {
    "register_attention": "attention",
    "prepare_model": "head",
    "TokenStore": "store",
    "build_store": "store",
    "build_store_from_ids": "store",
    "SequencePacker": "packing",
    "PackedMLMDataset": "dataset",
    "StableAdamW": "optim",
    "token_schedule": "schedules",
    "MLMTrainingArguments": "arguments",
    "MLMTrainer": "trainer",
    "TokenBudgetCallback": "callbacks",
    "ThroughputCallback": "callbacks",
    "PackingEfficiencyCallback": "callbacks",
    "MaskingScheduleCallback": "callbacks",
    "LossSpikeCallback": "callbacks",
    "ScheduledGCCallback": "callbacks",
    "FillMaskProbeCallback": "callbacks",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        module = importlib.import_module(f"doctobert_hf.pretraining.{_PUBLIC[name]}")
        return getattr(module, name)
    raise AttributeError(f"module 'doctobert_hf.pretraining' has no attribute '{name}'")
