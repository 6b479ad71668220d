"""What callbacks may know of a pretraining step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class StepInfo:
    """What callbacks may know of the last step; on ``state.doctobert``.

    Attributes:
        stream_step: Its number in the data stream (skipped steps counted).
        tokens: Its tokens on all ranks.
        computed: Positions computed on all ranks, padding included.
        rows: Its rows on all ranks.
        mlm_probability: Its masking rate; 1 where next tokens are predicted.
        objective: ``mlm`` or ``clm``.
        mean_length: ``sum(length^2) / sum(length)`` of its documents on this rank.
    """

    stream_step: int
    tokens: int
    computed: int
    rows: int
    mlm_probability: float
    mean_length: float
    objective: str = "mlm"
