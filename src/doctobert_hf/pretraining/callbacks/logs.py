"""A run's log as JSON lines, and a progress bar that counts tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

FILE = "metrics.jsonl"


class JsonLinesCallback(TrainerCallback):
    """Appends every log to ``metrics.jsonl``; works with any ``Trainer``.

    After a resume, lines of steps that are done again are taken out first.
    """

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Drop what lies behind the step the run goes on from."""
        path = Path(str(args.output_dir)) / FILE
        if not state.is_world_process_zero or not path.is_file():
            return
        lines = [line for line in path.read_text().splitlines() if line.endswith("}")]
        kept = [line for line in lines if json.loads(line)["step"] <= state.global_step]
        path.write_text("".join(f"{line}\n" for line in kept))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Write one line."""
        if state.is_world_process_zero and logs:
            path = Path(str(args.output_dir)) / FILE
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"step": state.global_step, **logs}) + "\n")


class TokenProgressCallback(TrainerCallback):
    """A progress bar in tokens.

    Args:
        max_tokens: Length of the bar.
    """

    def __init__(self, max_tokens: int) -> None:
        self.max_tokens = max_tokens
        self._bar: Any = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Open the bar."""
        if state.is_world_process_zero and not args.disable_tqdm:
            from tqdm.auto import tqdm

            self._bar = tqdm(total=self.max_tokens, unit="tok", unit_scale=True, dynamic_ncols=True)
            self._bar.update(int(state.num_input_tokens_seen))

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(int(state.num_input_tokens_seen) - self._bar.n)

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
