"""Loss spikes: noticed, recorded, and on request undone."""

from __future__ import annotations

import json
import statistics
from collections import deque
from pathlib import Path
from typing import Any, Literal

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from doctobert_hf.errors import UsageError

FILE = "spikes.jsonl"


class SpikeRollback(Exception):
    """Asks ``MLMTrainer`` to go back to the last checkpoint and leave the steps since then out.

    Example:
        >>> error = SpikeRollback(stream_step=100, loss=9.5)
        >>> error.stream_step, error.loss
        (100, 9.5)
    """

    def __init__(self, stream_step: int, loss: float) -> None:
        self.stream_step, self.loss = stream_step, loss
        super().__init__(f"Loss {loss:.3f} at stream step {stream_step}")


class LossSpikeCallback(TrainerCallback):
    """Compares each logged loss with the median of those before.

    Args:
        factor: A loss above ``factor`` times the median is a spike.
        window: Logged losses to take the median of.
        action: ``record``: write ``spikes.jsonl`` and go on. ``stop``: and end the run. With
            :class:`~doctobert_hf.pretraining.MLMTrainer`, ``rollback``: and go back to the last
            checkpoint, leaving out the steps up to the spike.
        max_rollbacks: After so many rollbacks a spike stops the run.

    Raises:
        UsageError: ``factor`` not above 1, or another action.

    Example:
        >>> callback = LossSpikeCallback(factor=2.0, action="rollback")
        >>> # MLMTrainer(..., callbacks=[callback])
    """

    def __init__(
        self,
        factor: float = 1.5,
        window: int = 20,
        action: Literal["record", "stop", "rollback"] = "record",
        max_rollbacks: int = 3,
    ) -> None:
        if factor <= 1.0 or window < 2:
            raise UsageError(f"factor {factor}, window {window}", "above 1, at least 2")
        self.stopped_at: int | None = None
        if action not in ("record", "stop", "rollback"):
            raise UsageError(f"action '{action}'", "record, stop or rollback")
        self.factor, self.action, self.max_rollbacks = factor, action, max_rollbacks
        self._losses: deque[float] = deque(maxlen=window)
        self._rollbacks = 0
        self._objective = "mlm"

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Look at a loss."""
        loss = (logs or {}).get("loss")
        if loss is None:
            return
        info = getattr(state, "doctobert", None)
        objective = getattr(info, "objective", "mlm")
        if objective != self._objective:  # another loss: not to be compared with those before
            self._objective = objective
            self._losses.clear()
        full = len(self._losses) == self._losses.maxlen
        if not full or loss <= self.factor * statistics.median(self._losses):
            self._losses.append(loss)
            return
        step = info.stream_step if info is not None else state.global_step
        if state.is_world_process_zero:
            median = statistics.median(self._losses)
            record = {"step": state.global_step, "stream_step": step, "loss": loss}
            record |= {"median": median, "action": self.action}
            with open(Path(str(args.output_dir)) / FILE, "a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        if self.action == "rollback" and info is not None and self._rollbacks < self.max_rollbacks:
            self._rollbacks += 1
            self._losses.clear()
            raise SpikeRollback(step, loss)
        if self.action != "record":
            # No checkpoint of a spiked model: the one before is what to go on from.
            control.should_training_stop, control.should_save = True, False
            self.stopped_at = state.global_step
