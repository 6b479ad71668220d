"""Keys of ``TrainingArguments`` that a run counted in tokens does not read, and what it reads.

They would be recorded and do nothing, so a value other than the usual one is refused.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from doctobert_hf.config import refuse_unless_begun
from doctobert_hf.errors import UsageError

_ROWS = "micro_batch_tokens (tokens of a row) and global_batch_tokens (tokens of a step)"
_RATE = "lr_schedule, warmup_tokens, decay_tokens and lr_final_ratio"
_OPTIMIZER = "StableAdamW alone: learning_rate, weight_decay, adam_beta1, adam_beta2, adam_epsilon"
_SAVES = "save_tokens and save_total_limit"
_EVALUATES = "eval_tokens"
_BEST = "the last checkpoint: a schedule that ends has its best model at its end"
_MASKED = "logits of masked tokens, summed over rows of micro_batch_tokens"
_HALF = "bf16 or fp16: evaluation is in the precision of training"
_STREAM = "one stream of rows without an end, in an order drawn with seed"
_PUSH = "doctobert_hf.hub.PushToHubCallback, or 'doctobert-hf hub push-model' afterwards"

UNUSED: dict[str, str] = {
    "per_device_train_batch_size": _ROWS,
    "auto_find_batch_size": _ROWS,
    "train_sampling_strategy": "documents in an order drawn with seed, packed into full rows",
    "data_seed": "seed, which draws order and masks too",
    "num_train_epochs": "max_tokens",
    "warmup_steps": _RATE,
    "lr_scheduler_type": _RATE,
    "lr_scheduler_kwargs": _RATE,
    "optim": _OPTIMIZER,
    "optim_args": _OPTIMIZER,
    "optim_target_modules": _OPTIMIZER,
    "label_smoothing_factor": "cross-entropy of the masked tokens as they were",
    "save_strategy": _SAVES,
    "save_steps": _SAVES,
    "save_only_model": "whole checkpoints: without its optimizer a run cannot go on",
    "enable_jit_checkpoint": "SIGTERM, which saves and stops anyhow",
    "ignore_data_skip": "true: the data stream goes on where it was by itself",
    "resume_from_checkpoint": "--resume, or train(resume_from_checkpoint=...)",
    "load_best_model_at_end": _BEST,
    "metric_for_best_model": _BEST,
    "greater_is_better": _BEST,
    "eval_strategy": _EVALUATES,
    "eval_steps": _EVALUATES,
    "eval_delay": _EVALUATES,
    "per_device_eval_batch_size": _ROWS,
    "eval_accumulation_steps": _MASKED,
    "batch_eval_metrics": _MASKED,
    "prediction_loss_only": _MASKED,
    "include_for_metrics": _MASKED,
    "eval_do_concat_batches": _MASKED,
    "eval_use_gather_object": _MASKED,
    "label_names": _MASKED,
    "bf16_full_eval": _HALF,
    "fp16_full_eval": _HALF,
    "dataloader_drop_last": _STREAM,
    "dataloader_persistent_workers": _STREAM,
    "dataloader_in_order": _STREAM,
    "length_column_name": _STREAM,
    "do_train": "max_tokens",
    "do_eval": _EVALUATES,
    "do_predict": "doctobert-hf predict",
    "hub_model_id": _PUSH,
    "hub_strategy": _PUSH,
    "hub_token": _PUSH,
    "hub_private_repo": _PUSH,
    "hub_always_push": _PUSH,
    "hub_revision": _PUSH,
}
"""Each with what decides instead."""


def check_unused(field: dataclasses.Field[Any], value: Any) -> None:
    """Refuse an argument that would do nothing, where it is not the usual one.

    Args:
        field: Its field of the trainer's arguments.
        value: What was given.

    Raises:
        UsageError: With what decides instead.
    """
    if field.name not in UNUSED or value is None:
        return
    made = field.default_factory
    if value != (field.default if made is dataclasses.MISSING else made()):
        nothing = f"{field.name} {value} does nothing in a run counted in tokens"
        refuse_unless_begun(UsageError(nothing, UNUSED[field.name]))
