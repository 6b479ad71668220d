"""Throughput, MFU, data wait, packing, masking rate; garbage collection on schedule."""

from __future__ import annotations

import gc
import time
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from doctobert_hf.errors import UsageError


class ThroughputCallback(TrainerCallback):
    """Adds ``tokens_per_second``, ``mfu`` and ``data_wait`` to every log.

    With a stock ``Trainer``: tokens need ``include_num_input_tokens_seen="non_padding"``; MFU is
    given with :class:`~doctobert_hf.pretraining.MLMTrainer` only, which knows the documents'
    lengths. ``data_wait`` is the share of time between the end of a step and the start of the next.

    Args:
        peak_flops: Operations per second of one device; default: from a table by its name.

    Example:
        >>> callback = ThroughputCallback(peak_flops=989e12)  # an H100 in bfloat16
        >>> # Trainer(..., callbacks=[callback])
    """

    def __init__(self, peak_flops: float | None = None) -> None:
        self.peak_flops = peak_flops
        self._reset(0)

    def _reset(self, tokens: int) -> None:
        self._tokens, self._begin = tokens, time.perf_counter()
        self._ended, self._waited, self._flops = self._begin, 0.0, 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start the clock."""
        import torch

        if self.peak_flops is None and torch.cuda.is_available():
            from doctobert_hf.pretraining.flops import peak_flops

            self.peak_flops = peak_flops(torch.cuda.get_device_name())
        self._reset(int(state.num_input_tokens_seen))

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Data is there."""
        self._waited += time.perf_counter() - self._ended

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        **_: Any,
    ) -> None:
        """Count a step's operations."""
        info = getattr(state, "doctobert", None)
        if info is not None and model is not None:
            from doctobert_hf.pretraining.flops import flops_per_token

            each = flops_per_token(model, info.mean_length, info.mlm_probability)
            self._flops += each * info.tokens / args.world_size
        self._ended = time.perf_counter()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Add the figures to a training log."""
        seconds = time.perf_counter() - self._begin
        tokens = int(state.num_input_tokens_seen) - self._tokens
        if logs is None or "loss" not in logs or seconds <= 0 or tokens <= 0:
            return
        logs["tokens_per_second"] = tokens / seconds
        logs["data_wait"] = self._waited / seconds
        if self.peak_flops and self._flops:
            logs["mfu"] = self._flops / seconds / self.peak_flops
        self._reset(int(state.num_input_tokens_seen))


class PackingEfficiencyCallback(TrainerCallback):
    """Adds ``packing_efficiency`` to every log: real tokens by positions computed.

    Needs :class:`~doctobert_hf.pretraining.MLMTrainer`; a stock ``Trainer`` does not tell.

    Example:
        >>> callback = PackingEfficiencyCallback()
        >>> # MLMTrainer(..., callbacks=[callback])
    """

    def __init__(self) -> None:
        self._tokens = self._computed = 0

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Count."""
        info = getattr(state, "doctobert", None)
        if info is not None:
            self._tokens += info.tokens
            self._computed += info.computed

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Add the figure."""
        if logs is not None and "loss" in logs and self._computed:
            logs["packing_efficiency"] = self._tokens / self._computed
            self._tokens = self._computed = 0


class MaskingScheduleCallback(TrainerCallback):
    """Adds ``mlm_probability`` to every log.

    It tells, it does not drive: a callback cannot change the masking rate where a loader has
    workers. ``MLMTrainingArguments.mlm_probability_end`` makes the rate a function of tokens in the
    stream itself.

    Example:
        >>> callback = MaskingScheduleCallback()
        >>> # MLMTrainer(..., callbacks=[callback])
    """

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Add the figure."""
        info = getattr(state, "doctobert", None)
        if logs is not None and "loss" in logs and info is not None:
            logs["mlm_probability"] = info.mlm_probability


class ScheduledGCCallback(TrainerCallback):
    """Collects garbage every so many steps and around evaluations, and never in between.

    On many ranks an unplanned collection on one makes all wait. Works with any ``Trainer``.

    Args:
        steps: Steps between collections.

    Example:
        >>> callback = ScheduledGCCallback(steps=500)
        >>> # Trainer(..., callbacks=[callback])
    """

    def __init__(self, steps: int = 1000) -> None:
        if steps < 1:
            raise UsageError(f"steps {steps}", "1 or more")
        self.steps = steps
        self._was_enabled = True

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """Switch automatic collection off."""
        self._was_enabled = gc.isenabled()
        gc.disable()
        gc.collect()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Collect on schedule."""
        if state.global_step % self.steps == 0:
            gc.collect()

    def on_evaluate(self, *_: Any, **__: Any) -> None:
        """Collect after an evaluation."""
        gc.collect()

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Leave things as they were."""
        gc.collect()
        if self._was_enabled:
            gc.enable()


class DoctobertCallback(ThroughputCallback):
    """The reporting integration ``doctobert``: throughput, MFU, packing and masking rate.

    ``TrainingArguments(report_to=["doctobert"])`` adds it to any ``Trainer``.

    Example:
        >>> from transformers import TrainingArguments
        >>> TrainingArguments("run", report_to=["doctobert"]).report_to
        ['doctobert']
    """

    def __init__(self) -> None:
        super().__init__()
        self._others = (PackingEfficiencyCallback(), MaskingScheduleCallback())

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        **kwargs: Any,
    ) -> None:
        """Count."""
        super().on_step_end(args, state, control, model=model, **kwargs)
        self._others[0].on_step_end(args, state, control, **kwargs)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Add all figures."""
        super().on_log(args, state, control, logs=logs, **kwargs)
        for other in self._others:
            other.on_log(args, state, control, logs=logs, **kwargs)
