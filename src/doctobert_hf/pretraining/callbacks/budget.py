"""Stop, save and evaluate by tokens; stop in order on a signal."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class TokenBudgetCallback(TrainerCallback):
    """Ends a run after a number of tokens, and saves and evaluates every so many.

    With a stock ``Trainer`` set ``include_num_input_tokens_seen="non_padding"``: it reads
    ``state.num_input_tokens_seen``.

    Args:
        max_tokens: Tokens of the run.
        save_tokens: Tokens between checkpoints; 0: only at the end.
        eval_tokens: Tokens between evaluations; 0: only at the end.

    Example:
        >>> callback = TokenBudgetCallback(max_tokens=1_000_000, save_tokens=200_000)
        >>> # Trainer(..., callbacks=[callback])
    """

    def __init__(self, max_tokens: int, save_tokens: int = 0, eval_tokens: int = 0) -> None:
        self.max_tokens, self.save_tokens, self.eval_tokens = max_tokens, save_tokens, eval_tokens
        self._before = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start counting from where the run is."""
        self._before = int(state.num_input_tokens_seen)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Ask for what is due."""
        seen = int(state.num_input_tokens_seen)
        done = seen >= self.max_tokens
        if done or self._passed(seen, self.save_tokens):
            control.should_save = True
        if done or self._passed(seen, self.eval_tokens):
            control.should_evaluate = True
        if done:
            control.should_training_stop = True
            control.should_log = True
        self._before = seen

    def _passed(self, seen: int, every: int) -> bool:
        return every > 0 and seen // every > self._before // every


AGAIN = 10.0
"""Seconds in which a second SIGTERM is taken for the first one, come twice."""


class SignalCallback(TrainerCallback):
    """On SIGTERM or SIGINT: finishes the step, saves, and ends training.

    A second Ctrl-C, or a SIGTERM later than ten seconds, has its usual effect. Works with any
    ``Trainer``. Of several processes all stop behind the same step, whichever of them the signal
    reached, and when.

    Attributes:
        received: The signal's number, or None; the same in all processes when a step has ended.

    Example:
        >>> SignalCallback().received is None  # until a signal comes
        True
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._before: dict[int, Any] = {}
        self._group: Any = None
        self._since = 0.0

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """Take the signals over, in the main thread."""
        self.received = None
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._handle)
        import torch.distributed as dist

        if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
            self._group = self._group or dist.new_group(backend="gloo")

    def _handle(self, number: int, frame: Any) -> None:
        again = self.received is not None
        if again and number == signal.SIGTERM and time.monotonic() - self._since < AGAIN:
            return  # told by torchrun and by what told torchrun
        if not again:
            self.received, self._since = number, time.monotonic()
            return
        signal.signal(number, self._before[number])
        os.kill(os.getpid(), number)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Save and stop if a signal came to any process."""
        if self._group is not None:
            import torch
            import torch.distributed as dist

            # On the processor: a device is not waited for.
            flag = torch.tensor(self.received or 0)
            dist.all_reduce(flag, dist.ReduceOp.MAX, self._group)
            self.received = int(flag) or None
        if self.received is not None:
            control.should_save = control.should_training_stop = True

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Give the signals back."""
        while self._before:
            signal.signal(*self._before.popitem())
