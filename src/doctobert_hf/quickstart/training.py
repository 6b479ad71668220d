"""Two phases of masked-LM training with the package's own engine, resumable, stopped in order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.models import preset_config

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast, TrainerCallback

    from doctobert_hf.pretraining import MLMTrainer, TokenStore
    from doctobert_hf.quickstart.config import QuickstartConfig


def new_model(config: QuickstartConfig, tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    """Return an untrained model of the preset's family at the run's size."""
    from transformers import AutoModelForMaskedLM, set_seed

    set_seed(config.seed)
    architecture = preset_config(
        config.preset,
        tokenizer,
        hidden_size=config.hidden_size,
        num_hidden_layers=config.num_hidden_layers,
        intermediate_size=2 * config.hidden_size,
        num_attention_heads=4,
        # 0.02 is for widths of 768; at a sixth of that it keeps the loss on a plateau for long.
        initializer_range=0.06,
    )
    return AutoModelForMaskedLM.from_config(architecture)


def phase_folder(folder: Path, phase: str) -> Path:
    """Folder of a phase inside the quickstart's: checkpoints, ``metrics.jsonl``, ``model``."""
    return folder / "pretraining" / phase


def peak_rate(config: QuickstartConfig, phase: str) -> float:
    """Peak learning rate of a phase: phase 2 anneals, from half of phase 1's."""
    return config.learning_rate if phase == "phase1" else config.learning_rate / 2


def train_phase(
    phase: str,
    model: PreTrainedModel,
    store: TokenStore,
    tokenizer: PreTrainedTokenizerFast,
    config: QuickstartConfig,
) -> dict[str, float]:
    """Train one phase; go on from its last checkpoint where there is one.

    As in DoctoBERT's annealing, phase 2 takes the weights only: fresh optimizer, lower peak rate.

    Args:
        phase: ``"phase1"`` or ``"phase2"``; names the phase's folder.
        model: Trained in place.
        store: The phase's chunks, tokenised.
        tokenizer: Saved in every checkpoint.
        config: Sizes of the run.

    Returns:
        ``loss`` of the last logged steps, ``tokens``, ``steps`` and peak ``learning_rate``.

    Raises:
        KeyboardInterrupt: Stopped by a signal; the state is saved.
        DataError: The loss became infinite or NaN.
    """
    from doctobert_hf.pretraining.checkpoints import list_checkpoints

    trainer = _trainer(phase, model, store, tokenizer, config)
    folder = Path(str(trainer.args.output_dir))
    trainer.train(resume_from_checkpoint=True if list_checkpoints(folder) else None)
    if trainer.tokens_seen < trainer.args.max_tokens:
        raise KeyboardInterrupt(f"{phase} is saved at {trainer.tokens_seen:,} tokens.")
    trainer.save_model(str(folder / "model"))
    # Trainer's own mean counts only the steps since a resume; the last logged loss is the same.
    loss = [row["loss"] for row in trainer.state.log_history if "loss" in row][-1]
    return {
        "loss": loss,
        "tokens": trainer.tokens_seen,
        "steps": trainer.state.global_step,
        "learning_rate": peak_rate(config, phase),
    }


def _trainer(
    phase: str,
    model: PreTrainedModel,
    store: TokenStore,
    tokenizer: PreTrainedTokenizerFast,
    config: QuickstartConfig,
) -> MLMTrainer:
    """Return the engine's trainer of a phase."""
    from doctobert_hf.energy import EnergyMeter
    from doctobert_hf.pretraining import MLMTrainer, MLMTrainingArguments
    from doctobert_hf.pretraining.callbacks import DoctobertCallback, EnergyCallback

    first = phase == "phase1"
    tokens = config.phase1_tokens if first else config.phase2_tokens
    steps = max(1, tokens // config.batch_tokens)
    arguments = MLMTrainingArguments(
        output_dir=str(phase_folder(Path(config.output), phase)),
        max_tokens=tokens,
        micro_batch_tokens=config.batch_tokens,
        learning_rate=peak_rate(config, phase),
        warmup_tokens=tokens // 20,
        mlm_probability=config.phase1_mlm_probability if first else config.phase2_mlm_probability,
        save_tokens=config.save_tokens,
        save_total_limit=2,
        logging_steps=max(1, min(20, steps // 10)),
        report_to="none",
        seed=config.seed,
        dataloader_pin_memory=False,
    )
    callbacks: list[TrainerCallback] = [DoctobertCallback()]
    if EnergyMeter.available():  # the card tells what was used
        callbacks.append(EnergyCallback())
    return MLMTrainer(model, arguments, store, tokenizer, callbacks=callbacks)


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Read the training log of both phases, each line with its ``phase``.

    A last line cut off by a kill is passed over.
    """
    rows = []
    for phase in ("phase1", "phase2"):
        path = phase_folder(folder, phase) / "metrics.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        rows += [{"phase": phase, **json.loads(line)} for line in lines if line.endswith("}")]
    return rows
