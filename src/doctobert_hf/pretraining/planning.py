"""What a phase comes to, before anything is trained: tokens, steps, hours, memory."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import UsageError
from doctobert_hf.models.opening import open_pretrained, open_tokenizer
from doctobert_hf.pretraining.initial_model import source_of
from doctobert_hf.pretraining.objectives import ObjectiveSchedule
from doctobert_hf.pretraining.recipe import check_inputs, check_length, trainer_arguments

if TYPE_CHECKING:
    from doctobert_hf.pretraining.recipe import PretrainConfig

logger = logging.getLogger(__name__)


def check_rows(config: PretrainConfig, world_size: int) -> None:
    """Refuse devices over which the rows of a step cannot be shared out evenly.

    Raises:
        UsageError: With the numbers that do not divide.
    """
    batch = config.global_batch_tokens or config.micro_batch_tokens * world_size
    rows = batch // config.micro_batch_tokens
    if batch % config.micro_batch_tokens or rows % world_size:
        raise UsageError(
            f"{batch:,} tokens a step in rows of {config.micro_batch_tokens:,} on {world_size} "
            "devices",
            f"rows that {world_size} devices share out evenly",
            "Choose another micro_batch_tokens, global_batch_tokens or number of devices",
        )


def plan(config: PretrainConfig, world_size: int = 1) -> dict[str, Any]:
    """What a phase comes to, without data and without weights.

    Returns:
        Parameters, tokens, tokens of a step, steps, hours at the assumed speed, and an estimate of
        one device's memory in gigabytes: weights, gradients and optimizer in float32, and what a
        row keeps for the backward pass, traced (:mod:`doctobert_hf.pretraining.memory`).

    Raises:
        UsageError: Something that is named does not exist.
    """
    from doctobert_hf.pretraining.arguments import MLMTrainingArguments
    from doctobert_hf.pretraining.initial_model import add_trained_parts, set_out_dropout
    from doctobert_hf.pretraining.memory import step_memory
    from doctobert_hf.pretraining.named_callbacks import make_callbacks

    check_inputs(config)
    make_callbacks(config.callbacks)  # refuses names and arguments that there are not
    MLMTrainingArguments.check_values(**trainer_arguments(config))
    architecture = _planned_architecture(config)
    if config.train_store is None:
        try:
            check_length(config, architecture)
        except UsageError as wrong:  # the numbers of the plan hold; the run would not begin
            logger.warning("%s", wrong)
    objective = ObjectiveSchedule.read(config.objective)
    causal, shares = objective.is_causal_somewhere, (config.mlm_probability_end or 0.0,)
    predicted = max(config.mlm_probability, *shares, objective.highest_share)
    given = config.training or {}
    batch = config.global_batch_tokens or config.micro_batch_tokens * world_size

    def prepare(model: Any) -> None:
        set_out_dropout(model, config.attention_out_dropout)
        if given.get("gradient_checkpointing"):
            model.gradient_checkpointing_enable()
        add_trained_parts(model, config)

    memory = step_memory(
        *(architecture, config.micro_batch_tokens, config.max_length),
        *(1.0 if causal else predicted, config.bf16),
        head_chunk=given.get("head_chunk", 4096),
        prepare=prepare,
    )
    seconds = config.max_tokens / (config.tokens_per_second * world_size)
    return {
        "model": config.preset if _from_preset(config) else str(config.init_from),
        "parameters": memory.parameters,
        "tokens": config.max_tokens,
        "tokens_per_step": batch,
        "rows_per_step": batch // config.micro_batch_tokens,
        "steps": -(-config.max_tokens // batch),
        "devices": world_size,
        "tokens_per_second_assumed": config.tokens_per_second,
        "hours": round(seconds / 3600, 2),
        "memory_gb_estimate": round(memory.total / 1e9, 1),
        "memory_from": "a traced step" if memory.traced else "a formula",
        "checkpoints": config.max_tokens // config.save_tokens if config.save_tokens else 1,
    }


def _from_preset(config: PretrainConfig) -> bool:
    return config.init_from is None or config.init_mode == "tile"


def _planned_architecture(config: PretrainConfig) -> Any:
    """The configuration of the model that would be trained, with the tokenizer's vocabulary."""
    from transformers import AutoConfig

    from doctobert_hf.models.architecture import set_dropout
    from doctobert_hf.pretraining.fit import check_tokenizer
    from doctobert_hf.pretraining.initial_model import fresh_config, set_rope

    tokenizer = open_tokenizer(config.tokenizer) if config.tokenizer is not None else None
    if _from_preset(config):
        return fresh_config(config, tokenizer)
    source = source_of(config)
    known = open_pretrained(AutoConfig, source)
    set_dropout(known, config.architecture or {})
    set_rope(known, config)
    if tokenizer is not None and check_tokenizer(source, known, tokenizer, config.tokenizer):
        known.vocab_size = max(known.vocab_size, len(tokenizer))  # extended
    return known
