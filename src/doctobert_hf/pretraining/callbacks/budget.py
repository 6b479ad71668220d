"""Stop, save and evaluate by tokens; stop in order on SIGTERM."""

from __future__ import annotations

import signal
import threading
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


class SignalCallback(TrainerCallback):
    """On SIGTERM: finishes the step, saves, and ends training; the caller decides what then."""

    def __init__(self) -> None:
        self.received = False
        self._before: Any = None

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """Take the signal over, in the main thread."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._handle)

    def _handle(self, *_: Any) -> None:
        self.received = True

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Save and stop if the signal came."""
        if self.received:
            control.should_save = control.should_training_stop = True

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Give the signal back."""
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
