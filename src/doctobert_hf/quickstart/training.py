"""Two phases of masked-LM training with a stock ``Trainer``, resumable, stopped in order."""

from __future__ import annotations

import json
import logging
import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from transformers import (
    AutoModelForMaskedLM,
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from doctobert_hf.chunking import DataCollatorForHierarchicalChunking
from doctobert_hf.errors import DataError
from doctobert_hf.models import preset_config

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerFast

    from doctobert_hf.quickstart.config import QuickstartConfig


def new_model(config: QuickstartConfig, tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    """Return an untrained model of the preset's family at the run's size."""
    from transformers import set_seed

    set_seed(config.seed)
    overrides: dict[str, Any] = {
        "hidden_size": config.hidden_size,
        "num_hidden_layers": config.num_hidden_layers,
        "intermediate_size": 2 * config.hidden_size,
        "num_attention_heads": 4,
        # 0.02 is for widths of 768; at a sixth of that it keeps the loss on a plateau for long.
        "initializer_range": 0.06,
    }
    if config.preset.startswith("doctomodernbert"):
        overrides["sparse_prediction"] = True  # logits only where there is a label: half the time
    architecture = preset_config(config.preset, tokenizer, **overrides)
    return AutoModelForMaskedLM.from_config(architecture)


def train_phase(
    phase: str,
    model: PreTrainedModel,
    chunks: Dataset,
    tokenizer: PreTrainedTokenizerFast,
    config: QuickstartConfig,
) -> dict[str, float]:
    """Train one phase; go on from its last checkpoint where there is one.

    As in DoctoBERT's annealing, phase 2 takes the weights only: fresh optimizer, lower peak rate.

    Args:
        phase: ``"phase1"`` or ``"phase2"``; names the checkpoint folder and the metrics.
        model: Trained in place.
        chunks: Rows with ``text``, each within ``max_length``.
        tokenizer: Saved in every checkpoint.
        config: Sizes of the run.

    Returns:
        ``loss`` of the last logged steps and the number of ``steps``.

    Raises:
        KeyboardInterrupt: Stopped by a signal; the state is saved.
    """
    stop = StopOnSignal()
    trainer = _trainer(phase, model, chunks, tokenizer, config, stop)
    folder, steps = _checkpoints(config, phase), trainer.args.max_steps
    last = last_whole_checkpoint(folder)
    if last and last.endswith(f"checkpoint-{steps}"):
        # Stopped after the last step: Trainer would train one more.
        model.load_state_dict(AutoModelForMaskedLM.from_pretrained(last).state_dict())
        trainer.state = TrainerState.load_from_json(str(Path(last) / "trainer_state.json"))
    else:
        with stop:
            trainer.train(resume_from_checkpoint=last)
    if stop.received:
        raise KeyboardInterrupt(f"{phase} is saved at step {trainer.state.global_step}.")
    # Trainer's own mean counts only the steps since a resume; the last logged loss is the same.
    loss = [row["loss"] for row in trainer.state.log_history if "loss" in row][-1]
    if loss != loss:
        raise DataError(
            f"The loss of {phase} is not a number", fix="Lower learning_rate and start afresh"
        )
    return {"loss": loss, "steps": trainer.state.global_step}


def _trainer(
    phase: str,
    model: PreTrainedModel,
    chunks: Dataset,
    tokenizer: PreTrainedTokenizerFast,
    config: QuickstartConfig,
    stop: StopOnSignal,
) -> Trainer:
    """Return the stock ``Trainer`` of a phase."""
    first = phase == "phase1"
    steps = config.phase1_steps if first else config.phase2_steps
    arguments = TrainingArguments(
        output_dir=str(_checkpoints(config, phase)),
        max_steps=steps,
        per_device_train_batch_size=config.batch_size,
        learning_rate=config.learning_rate if first else config.learning_rate / 2,
        warmup_steps=max(1, steps // 20),
        lr_scheduler_type="linear",
        adam_beta2=0.98,
        weight_decay=0.01,
        logging_steps=max(1, min(20, steps // 10)),
        logging_nan_inf_filter=False,
        save_steps=config.save_steps,
        save_total_limit=2,
        report_to="none",
        seed=config.seed,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )
    return Trainer(
        model=model,
        args=arguments,
        train_dataset=chunks,
        processing_class=tokenizer,
        data_collator=DataCollatorForHierarchicalChunking(
            tokenizer,
            config.max_length,
            config.phase1_mlm_probability if first else config.phase2_mlm_probability,
            pad_to_multiple_of=8,
        ),
        callbacks=[stop, MetricsFile(Path(config.output) / "metrics.jsonl", phase)],
    )


def _checkpoints(config: QuickstartConfig, phase: str) -> Path:
    return Path(config.output) / "checkpoints" / phase


def last_whole_checkpoint(folder: Path) -> str | None:
    """Return the newest checkpoint that was written to its end, None if there is none.

    ``Trainer`` writes ``trainer_state.json`` last; a run killed before that, or by a full disk,
    leaves a folder that looks like a checkpoint and is none.
    """
    by_step = {int(path.name.rpartition("-")[2]): path for path in folder.glob("checkpoint-*")}
    for _, path in sorted(by_step.items(), reverse=True):
        try:
            json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            logger.warning("%s is incomplete and passed over", path.name)
            continue
        return str(path)
    return None


class StopOnSignal(TrainerCallback):
    """Ends training after the step in hand, with a checkpoint, on SIGINT or SIGTERM.

    A second signal has its usual effect.
    """

    def __init__(self) -> None:
        self.received = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> StopOnSignal:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        signal.signal(number, self._previous[number])

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        """Ask for a checkpoint and the end once a signal came."""
        if self.received:
            control.should_save = True
            control.should_training_stop = True
        return control


class MetricsFile(TrainerCallback):
    """Appends what ``Trainer`` logs to a JSON-lines file, with the phase's name."""

    def __init__(self, path: Path, phase: str) -> None:
        self.path = path
        self.phase = phase

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Append one line."""
        with self.path.open("a", encoding="utf-8") as file:
            row = {"phase": self.phase, "step": state.global_step, **(logs or {})}
            file.write(json.dumps(row) + "\n")


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Read a metrics file; a step logged twice, before and after a resume, counts once.

    A last line cut off by a kill is passed over.
    """
    rows: dict[tuple[str, int, bool], dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        rows[row["phase"], row["step"], "loss" in row] = row
    return sorted(rows.values(), key=lambda row: (row["phase"], row["step"]))
