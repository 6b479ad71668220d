"""The two phases as pretraining recipes: the command's own data, model, engine and records."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.quickstart.config import QuickstartConfig

if TYPE_CHECKING:
    from doctobert_hf.pretraining.recipe import PretrainConfig
    from doctobert_hf.pretraining.trainer import MLMTrainer

STORES = {"phase1": "train_store", "phase2": "medical_store"}
"""Token store of each phase, in the run's ``data``."""


def phase_folder(folder: Path, phase: str) -> Path:
    """Folder of a phase inside the quickstart's: checkpoints, ``metrics.jsonl``, ``model``."""
    return folder / "pretraining" / phase


def phase_recipe(config: QuickstartConfig, phase: str) -> PretrainConfig:
    """Return the recipe of a phase.

    As in DoctoBERT's annealing, phase 2 takes the weights of phase 1 only: fresh optimizer, half
    the peak rate.

    Args:
        config: Sizes of the run.
        phase: ``"phase1"`` or ``"phase2"``.

    Example:
        >>> phase_recipe(QuickstartConfig(), "phase2").learning_rate
        0.002
    """
    from doctobert_hf.pretraining.recipe import PretrainConfig

    folder, first = Path(config.output), phase == "phase1"
    tokens = config.phase1_tokens if first else config.phase2_tokens
    steps = max(1, tokens // config.batch_tokens)
    return PretrainConfig(
        output=phase_folder(folder, phase),
        train_store=folder / "data" / STORES[phase],
        tokenizer=str(folder / "tokenizer"),
        preset=config.preset,
        init_from=None if first else str(phase_folder(folder, "phase1") / "model"),
        max_length=config.max_length,
        max_tokens=tokens,
        micro_batch_tokens=config.batch_tokens,
        learning_rate=config.learning_rate if first else config.learning_rate / 2,
        warmup_tokens=tokens // 20,
        mlm_probability=config.phase1_mlm_probability if first else config.phase2_mlm_probability,
        save_tokens=config.save_tokens,
        save_total_limit=2,
        logging_steps=max(1, min(20, steps // 10)),
        dataloader_num_workers=0,
        seed=config.seed,
        architecture=_sizes(config) if first else None,
        training={"dataloader_pin_memory": False},
    )


def _sizes(config: QuickstartConfig) -> dict[str, Any]:
    return {
        "hidden_size": config.hidden_size,
        "num_hidden_layers": config.num_hidden_layers,
        "intermediate_size": 2 * config.hidden_size,
        "num_attention_heads": 4,
        # 0.02 is for widths of 768; at a sixth of that it keeps the loss on a plateau for long. The
        # head's own layer stays at the recipe's 0.02.
        "initializer_range": 0.06,
    }


@contextlib.contextmanager
def open_phase(config: QuickstartConfig, phase: str) -> Any:
    """Open a phase, to begin or to go on with, and close it behind.

    Yields:
        Its trainer.
    """
    from doctobert_hf.pretraining.recipe import close_pretraining, open_pretraining
    from doctobert_hf.runs import is_stale, settings_of
    from doctobert_hf.runs.publish import move_aside
    from doctobert_hf.runs.record import read_record

    recipe = phase_recipe(config, phase)
    paths = {key: settings_of(recipe)[key] for key in ("train_store", "tokenizer", "init_from")}
    # The run was moved after it was stopped here: its phase is begun again.
    moved = is_stale(recipe.output, **paths)
    record = read_record(recipe.output)
    if record is None and Path(recipe.output).exists():
        move_aside(recipe.output)  # of a version that kept no record of a phase: begun again
    begun = not moved and record is not None
    trainer = open_pretraining(recipe, resume=begun, overwrite=moved)
    try:
        yield trainer
    finally:
        close_pretraining(trainer)


def train_phase(config: QuickstartConfig, phase: str, trainer: MLMTrainer) -> dict[str, float]:
    """Train a phase; go on from its last checkpoint where there is one.

    Returns:
        ``loss`` of the last logged steps, ``tokens``, ``steps`` and peak ``learning_rate``.

    Raises:
        KeyboardInterrupt: Stopped by a signal; the state is saved.
        DataError: The loss became infinite or NaN.
    """
    from doctobert_hf.pretraining.checkpoints import list_checkpoints
    from doctobert_hf.pretraining.recipe import finish_pretraining

    recipe = phase_recipe(config, phase)
    trainer.train(resume_from_checkpoint=True if list_checkpoints(recipe.output) else None)
    if trainer.tokens_seen < recipe.max_tokens:
        raise KeyboardInterrupt(f"{phase} is saved at {trainer.tokens_seen:,} tokens.")
    finish_pretraining(trainer, recipe)
    # Trainer's own mean counts only the steps since a resume; the last logged loss is the same.
    loss = [row["loss"] for row in trainer.state.log_history if "loss" in row][-1]
    return {
        "loss": loss,
        "tokens": trainer.tokens_seen,
        "steps": trainer.state.global_step,
        "learning_rate": recipe.learning_rate,
    }


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Read the training log of both phases, each line with its ``phase``.

    A last line cut off by a kill is passed over.
    """
    rows = []
    for phase in STORES:
        path = phase_folder(folder, phase) / "metrics.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        rows += [{"phase": phase, **json.loads(line)} for line in lines if line.endswith("}")]
    return rows
