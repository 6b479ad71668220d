"""Masked-LM pretraining on ``Trainer``: packed, exact, resumable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doctobert_hf.lazy import lazy_names

if TYPE_CHECKING:
    from doctobert_hf.pretraining.arguments import MLMTrainingArguments as MLMTrainingArguments
    from doctobert_hf.pretraining.attention import register_attention as register_attention
    from doctobert_hf.pretraining.callbacks import (
        FillMaskProbeCallback as FillMaskProbeCallback,
        LossSpikeCallback as LossSpikeCallback,
        MaskingScheduleCallback as MaskingScheduleCallback,
        PackingEfficiencyCallback as PackingEfficiencyCallback,
        ScheduledGCCallback as ScheduledGCCallback,
        ThroughputCallback as ThroughputCallback,
        TokenBudgetCallback as TokenBudgetCallback,
    )
    from doctobert_hf.pretraining.data.building import (
        build_store as build_store,
        build_store_from_ids as build_store_from_ids,
    )
    from doctobert_hf.pretraining.data.dataset import PackedMLMDataset as PackedMLMDataset
    from doctobert_hf.pretraining.data.packing import SequencePacker as SequencePacker
    from doctobert_hf.pretraining.data.store import TokenStore as TokenStore
    from doctobert_hf.pretraining.head import prepare_model as prepare_model
    from doctobert_hf.pretraining.optim import StableAdamW as StableAdamW
    from doctobert_hf.pretraining.schedules import token_schedule as token_schedule
    from doctobert_hf.pretraining.trainer import MLMTrainer as MLMTrainer

_NAMES = {
    "register_attention": ".attention",
    "prepare_model": ".head",
    "TokenStore": ".data.store",
    "build_store": ".data.building",
    "build_store_from_ids": ".data.building",
    "SequencePacker": ".data.packing",
    "PackedMLMDataset": ".data.dataset",
    "StableAdamW": ".optim",
    "token_schedule": ".schedules",
    "MLMTrainingArguments": ".arguments",
    "MLMTrainer": ".trainer",
    "TokenBudgetCallback": ".callbacks",
    "ThroughputCallback": ".callbacks",
    "PackingEfficiencyCallback": ".callbacks",
    "MaskingScheduleCallback": ".callbacks",
    "LossSpikeCallback": ".callbacks",
    "ScheduledGCCallback": ".callbacks",
    "FillMaskProbeCallback": ".callbacks",
}
__all__ = [*_NAMES]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _NAMES)
