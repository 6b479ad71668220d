"""Arguments of a pretraining run: ``TrainingArguments`` that count in tokens."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import Any

from transformers import TrainingArguments

from doctobert_hf.config import option
from doctobert_hf.environment import check_report_to
from doctobert_hf.errors import UsageError
from doctobert_hf.pretraining.fit import check_several
from doctobert_hf.pretraining.objectives import ObjectiveSchedule
from doctobert_hf.pretraining.schedules import check_used, token_schedule
from doctobert_hf.pretraining.unused_keys import check_unused
from doctobert_hf.processes import on_processor

PUSH_REFUSED = (
    "push_to_hub would send token stores, optimizer states and unfinished files",
    "the model, with a card and the checks of every push",
    "Pass callbacks=[doctobert_hf.hub.PushToHubCallback(...)], or push the finished run: "
    "doctobert-hf hub push-model RUN NAME --license ID",
)
_NO_END = 1_000_000_000  # steps: the token budget ends a run, not a number of steps


@dataclass
class MLMTrainingArguments(TrainingArguments):
    """Arguments of :class:`~doctobert_hf.pretraining.MLMTrainer`.

    Everything ``TrainingArguments`` has, with the published recipes' defaults (StableAdamW's betas,
    no clipping), and lengths in tokens: one loader item is one optimizer step of as many rows as
    the batch needs. What ``TrainingArguments`` has beside that (epochs, batches in documents, other
    optimizers and schedules, saving by steps) is refused, with what decides instead.

    Example:
        >>> arguments = MLMTrainingArguments("run", max_tokens=1_000_000, report_to="none")
        >>> arguments.max_tokens, arguments.mlm_probability
        (1000000, 0.15)
    """

    max_tokens: int = option(1_000_000, "tokens of the run, padding not counted")
    micro_batch_tokens: int = option(16_384, "tokens of a row, computed at once on one device")
    global_batch_tokens: int = option(0, "tokens of a step on all devices; 0: one row a device")
    lr_schedule: str = option("linear", "linear, constant, warmup_stable_decay, one_minus_sqrt")
    warmup_tokens: int = option(0, "tokens over which the learning rate rises")
    decay_tokens: int = option(0, "tokens over which it falls at the end")
    new_head_tokens: int = option(0, "tokens in which the masked-LM head learns alone, at first")
    lr_final_ratio: float = option(0.0, "learning rate at the end, as a share of the peak")
    batch_warmup_tokens: int = option(0, "tokens over which the batch grows to its size")
    objective: tuple[str, ...] = option(
        ("mlm",),
        "mlm, or parts by tokens: clm:9000000 mlm (a causal detour, then masked tokens); "
        "mlm@0.3:9000000 mlm@0.15 (a share for each)",
    )
    mlm_probability: float = option(0.15, "share of tokens to predict")
    mlm_probability_end: float | None = option(None, "share at mlm_decay_tokens; none: constant")
    mlm_decay_tokens: int = option(0, "tokens after which mlm_probability_end holds")
    whole_word_masking: bool = option(False, "choose words, not tokens; the share of tokens stays")
    eval_mlm_probability: float = option(0.15, "share of tokens to predict in evaluation")
    save_tokens: int = option(0, "tokens between checkpoints; 0: only at the end")
    eval_tokens: int = option(0, "tokens between evaluations; 0: only at the end")
    long_tokens: int = option(2048, "a document of so many tokens is long")
    long_share: float | None = option(None, "share of tokens in long documents; none: as is")
    skip_steps: tuple[tuple[int, int], ...] = option((), "ranges of stream steps to leave out")
    optimizer_from: str | None = option(None, "checkpoint whose optimizer state to begin with")
    packing: bool = option(
        True, "documents in packed rows; false: in padded batches, the same result, slower"
    )
    static_shapes: bool = option(False, "fill rows up, so that compiled code sees one shape")
    head_chunk: int = option(4096, "masked positions whose logits are held at once")

    learning_rate: float = option(3e-4, "peak learning rate")
    weight_decay: float = option(1e-5, "decoupled weight decay")
    adam_beta1: float = option(0.9, "decay of the mean gradient")
    adam_beta2: float = option(0.98, "decay of the mean squared gradient")
    adam_epsilon: float = option(1e-6, "added to the root")
    max_grad_norm: float = option(0.0, "gradient clipping; the optimizer clips its update")
    max_steps: int = option(_NO_END, "upper bound of steps; max_tokens ends the run")
    seed: int = option(17, "seed of weights, order, masks and dropout")
    logging_nan_inf_filter: bool = option(False, "Trainer's filter costs a device sync a step")
    ddp_find_unused_parameters: bool | None = option(False, "all parameters are used")
    ignore_data_skip: bool = option(True, "the data stream resumes by itself")
    remove_unused_columns: bool = option(False, "items are not rows of a table")
    save_strategy: str = option("no", "save_tokens decides")
    eval_strategy: str = option("no", "eval_tokens decides")

    def __post_init__(self) -> None:
        self._check()
        check_report_to(self.report_to)
        check_several(bool(self.fsdp))
        if self.fp16 and on_processor():
            raise UsageError(
                "fp16 without a GPU, which would train in float32 and not say so",
                "bf16 where the processor has it, or neither",
            )
        if on_processor():  # or bf16 is taken for a GPU's, and processes do not find each other
            self.use_cpu = True
        super().__post_init__()

    def _check(self) -> None:
        if self.gradient_accumulation_steps != 1:
            raise UsageError(
                f"gradient_accumulation_steps {self.gradient_accumulation_steps}",
                "1: a step has as many rows as global_batch_tokens needs",
                "Set global_batch_tokens and micro_batch_tokens instead",
            )
        if self.push_to_hub:
            raise UsageError(*PUSH_REFUSED)
        for field in fields(self):
            check_unused(field, getattr(self, field.name))
        check_report_to(self.report_to, installed=False)
        if not 0 <= self.new_head_tokens < self.max_tokens:
            raise UsageError(
                f"new_head_tokens {self.new_head_tokens:,}",
                f"at least 0, and fewer than max_tokens ({self.max_tokens:,})",
            )
        if self.micro_batch_tokens < 1 or self.max_tokens < 1:
            raise UsageError("micro_batch_tokens and max_tokens", "at least 1")
        if self.global_batch_tokens and self.global_batch_tokens % self.micro_batch_tokens:
            raise UsageError(
                f"global_batch_tokens {self.global_batch_tokens:,}",
                f"a multiple of micro_batch_tokens ({self.micro_batch_tokens:,})",
            )
        for name in ("mlm_probability", "mlm_probability_end", "eval_mlm_probability"):
            rate = getattr(self, name)
            if rate is not None and not 0.0 < rate < 1.0:
                raise UsageError(f"{name} {rate}", "a share between 0 and 1")
        check_used(self)
        if self.learning_rate <= 0:
            raise UsageError(f"learning_rate {self.learning_rate}", "above 0")
        token_schedule(  # raises for what does not fit
            self.lr_schedule,
            self.max_tokens,
            self.warmup_tokens,
            self.decay_tokens,
            self.lr_final_ratio,
        )
        self.objective_schedule().check_length(self.max_tokens)
        if not self.packing and self.objective_schedule().is_causal_somewhere:
            raise UsageError(
                f"packing: false with objective {' '.join(map(str, self.objective))}",
                "packed rows where next tokens are predicted: packing: true",
            )
        self.skip_steps = _ranges(self.skip_steps)

    @classmethod
    def check_values(cls, **given: Any) -> None:
        """Check arguments as making them does, without asking for a device or a folder.

        Raises:
            UsageError: What making them would raise.
        """
        unmade = object.__new__(cls)
        for field in fields(cls):
            made = field.default_factory
            usual = field.default if made is MISSING else made()
            setattr(unmade, field.name, given.get(field.name, usual))
        unmade._check()

    def objective_schedule(self) -> ObjectiveSchedule:
        """Return what is predicted, by tokens."""
        return ObjectiveSchedule.read(self.objective)

    def rows_per_step(self) -> int:
        """Rows of a full step over all devices.

        Raises:
            UsageError: They cannot be shared out evenly.
        """
        rows = self.global_batch_tokens // self.micro_batch_tokens or self.world_size
        if rows % self.world_size:
            raise UsageError(
                f"{rows} rows a step ({self.global_batch_tokens:,} tokens in rows of "
                f"{self.micro_batch_tokens:,}) on {self.world_size} processes",
                f"a multiple of {self.world_size}",
                "Choose another micro_batch_tokens, global_batch_tokens or number of processes",
            )
        return rows


def _ranges(given: Any) -> tuple[tuple[int, int], ...]:
    """Return ranges of steps as pairs; a list that may be two steps or one range is not guessed."""
    pairs = [tuple(item) if isinstance(item, (list, tuple)) else item for item in given]
    for pair in pairs:
        whole = isinstance(pair, tuple) and len(pair) == 2 and all(type(n) is int for n in pair)
        if not whole or not 1 <= pair[0] <= pair[1]:
            raise UsageError(f"skip_steps {given!r:.80}", "pairs of first and last: [[3, 5]]")
    return tuple(pairs)
