"""A run's log as JSON lines, and its progress in tokens or steps."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import DEFAULT_PROGRESS_CALLBACK
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from doctobert_hf.reporting import quiet
from doctobert_hf.reporting.progress import Progress

logger = logging.getLogger(__name__)

FILE = "metrics.jsonl"


class JsonLinesCallback(TrainerCallback):
    """Appends every log to ``metrics.jsonl``; works with any ``Trainer``.

    After a resume, lines of steps that are done again are taken out first.

    Example:
        >>> from transformers import TrainerControl, TrainerState, TrainingArguments
        >>> args, state = TrainingArguments("logged"), TrainerState(global_step=1)
        >>> JsonLinesCallback().on_log(args, state, TrainerControl(), logs={"loss": 2.5})
        >>> import json, pathlib
        >>> json.loads(pathlib.Path("logged/metrics.jsonl").read_text())["loss"]
        2.5
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
    """Shows how many tokens are trained: a bar, or a line now and then in a log.

    Args:
        max_tokens: Length of the bar.

    Example:
        >>> TokenProgressCallback(max_tokens=1_000_000).max_tokens
        1000000
    """

    def __init__(self, max_tokens: int) -> None:
        self.max_tokens = max_tokens
        self._progress: Progress | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Begin to show it."""
        if state.is_world_process_zero and shows_progress(args):
            seen = int(state.num_input_tokens_seen)
            self._progress = Progress("training", self.max_tokens, "tokens", begun=seen)
            self._progress.__enter__()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Move on."""
        if self._progress is not None:
            self._progress.done = int(state.num_input_tokens_seen)

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Stop showing it."""
        if self._progress is not None:
            self._progress.__exit__(None, None, None)
            self._progress = None


class StepProgressCallback(TrainerCallback):
    """Shows how many steps are trained, and each evaluation as one line.

    Args:
        what: What is trained.
        metric: Key of the evaluation's metric that is told; None: none is.

    Example:
        >>> import torch
        >>> from transformers import Trainer, TrainingArguments
        >>> trainer = Trainer(torch.nn.Linear(1, 1), TrainingArguments("shown"))
        >>> show_progress(trainer, StepProgressCallback("fine-tuning", metric="eval_f1"))
    """

    def __init__(self, what: str = "training", metric: str | None = None) -> None:
        self.what, self.metric = what, metric
        self._progress: Progress | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Begin to show it."""
        if state.is_world_process_zero and shows_progress(args):
            steps, begun = state.max_steps, state.global_step
            self._progress = Progress(self.what, steps, "steps", begun=begun)
            self._progress.__enter__()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Move on."""
        if self._progress is not None:
            self._progress.done = state.global_step

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Tell the metric."""
        if self.metric in (metrics or {}) and state.is_world_process_zero:
            name = str(self.metric).removeprefix("eval_").replace("_", " ")
            value = (metrics or {})[str(self.metric)]
            logger.info("step %s: %s %.4f", f"{state.global_step:,}", name, value)

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Stop showing it."""
        if self._progress is not None:
            self._progress.__exit__(None, None, None)
            self._progress = None


def show_progress(trainer: Any, callback: TrainerCallback) -> None:
    """Give a trainer one way to show how far it is, in place of the bars and dictionaries it has.

    In a notebook Transformers' default is another class than on a terminal.

    Example:
        >>> import torch
        >>> from transformers import Trainer, TrainingArguments
        >>> trainer = Trainer(torch.nn.Linear(1, 1), TrainingArguments("shown"))
        >>> show_progress(trainer, StepProgressCallback())
        >>> any(isinstance(c, StepProgressCallback) for c in trainer.callback_handler.callbacks)
        True
    """
    for stock in (ProgressCallback, PrinterCallback, DEFAULT_PROGRESS_CALLBACK):
        trainer.remove_callback(stock)
    trainer.add_callback(callback)


def shows_progress(args: TrainingArguments) -> bool:
    """Return whether a run shows how far it is."""
    # Transformers turns bars off where its log level is above warning, as the commands set it.
    return not args.disable_tqdm or quiet.ON
