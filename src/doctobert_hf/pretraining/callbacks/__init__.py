"""Callbacks of pretraining runs. With a stock ``Trainer`` they do what it lets them, and say so."""

from doctobert_hf.pretraining.callbacks.budget import SignalCallback, TokenBudgetCallback
from doctobert_hf.pretraining.callbacks.energy import EnergyCallback
from doctobert_hf.pretraining.callbacks.logs import (
    JsonLinesCallback,
    StepProgressCallback,
    TokenProgressCallback,
    show_progress,
)
from doctobert_hf.pretraining.callbacks.probe import FillMaskProbeCallback
from doctobert_hf.pretraining.callbacks.spikes import LossSpikeCallback, SpikeRollback
from doctobert_hf.pretraining.callbacks.telemetry import (
    DoctobertCallback,
    MaskingScheduleCallback,
    PackingEfficiencyCallback,
    ScheduledGCCallback,
    ThroughputCallback,
)

__all__ = [
    "DoctobertCallback",
    "EnergyCallback",
    "FillMaskProbeCallback",
    "JsonLinesCallback",
    "LossSpikeCallback",
    "MaskingScheduleCallback",
    "PackingEfficiencyCallback",
    "ScheduledGCCallback",
    "SignalCallback",
    "SpikeRollback",
    "StepProgressCallback",
    "ThroughputCallback",
    "TokenBudgetCallback",
    "TokenProgressCallback",
    "show_progress",
]
