"""``MLMTrainer``: Trainer's loop around packed steps, exact loss, and checkpoints that resume.

What is its own: the data loader (one item is one optimizer step), ``training_step`` (rows of the
step, one loss normalised over all masked tokens of all rows and ranks), optimizer and schedule in
tokens, evaluation with fixed masks, and where checkpoints are written. The loop, devices, logging
and integrations are ``Trainer``'s.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.distributed as dist
from transformers import Trainer
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_callback import TrainerState
from transformers.trainer_utils import TrainOutput

from doctobert_hf.chunking.masking import IGNORED
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.files import explained_output, write_json_atomic
from doctobert_hf.models.positions import first_position
from doctobert_hf.pretraining import checkpoints, model_card
from doctobert_hf.pretraining.arguments import PUSH_REFUSED, MLMTrainingArguments
from doctobert_hf.pretraining.callbacks import (
    JsonLinesCallback,
    SignalCallback,
    SpikeRollback,
    TokenBudgetCallback,
    TokenProgressCallback,
    show_progress,
)
from doctobert_hf.pretraining.data.dataset import START, PackedMLMDataset, StreamState
from doctobert_hf.pretraining.data.loading import Endless, as_is, step_loader
from doctobert_hf.pretraining.data.store import TokenStore
from doctobert_hf.pretraining.evaluation import eval_rows, measured, moved
from doctobert_hf.pretraining.fit import (
    check_devices,
    check_sharding,
    check_store,
    make_ready,
    tell_of_slow_attention,
)
from doctobert_hf.pretraining.objectives import Objective
from doctobert_hf.pretraining.optim import StableAdamW, head_apart, parameter_groups, take_over
from doctobert_hf.pretraining.resuming import (
    check_fingerprint,
    check_settings,
    fingerprint,
    last_evaluation,
)
from doctobert_hf.pretraining.schedules import group_rates
from doctobert_hf.pretraining.step_info import StepInfo

if TYPE_CHECKING:
    from torch.utils.data import DataLoader
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback

    from doctobert_hf.runs import RunFolder


logger = logging.getLogger(__name__)


class MLMTrainer(Trainer):
    """Pretrains a masked language model on packed documents.

    Args:
        model: ``RobertaForMaskedLM`` or ``ModernBertForMaskedLM``; gets the packed attention and
            the sparse head.
        args: Arguments, in tokens.
        train_store: Tokenised corpus.
        eval_store: Tokenised held-out documents; None: no evaluation.
        processing_class: The stores' tokenizer.
        callbacks: Further callbacks.

    Attributes:
        tokens_seen: Tokens trained on, padding not counted.
        empty_steps: Steps in which no token was masked: they were skipped.

    Raises:
        UsageError: Documents longer than the model's positions, another tokenizer's store or
            vocabulary, rows that cannot be shared out.

    Example:
        >>> from transformers import AutoModelForMaskedLM
        >>> from doctobert_hf.pretraining import build_store
        >>> store = build_store(texts, tokenizer, "stored", max_length=64)
        >>> keys = {"max_tokens": 2000, "micro_batch_tokens": 1000, "dataloader_num_workers": 0}
        >>> arguments = MLMTrainingArguments("pretrained", report_to="none", **keys)
        >>> model = AutoModelForMaskedLM.from_pretrained("encoder")
        >>> trainer = MLMTrainer(model, arguments, store, tokenizer)
        >>> _ = trainer.train()
        >>> trainer.tokens_seen >= 2000
        True
    """

    create_model_card = model_card.create_model_card

    def __init__(
        self,
        model: PreTrainedModel,
        args: MLMTrainingArguments,
        train_store: TokenStore,
        processing_class: PreTrainedTokenizerBase,
        eval_store: TokenStore | None = None,
        callbacks: list[TrainerCallback] | None = None,
    ) -> None:
        check_devices(args.n_gpu)
        tell_of_slow_attention(args)
        for store in (train_store, eval_store):
            if store is not None:
                check_store(store, model, processing_class)
        make_ready(model, args)
        self.train_store, self.eval_store = train_store, eval_store
        self._eval_cache: dict[str, list[dict[str, Any]]] = {}
        self.tokens_seen, self.empty_steps = 0, 0
        self._last_loss: torch.Tensor | None = None
        self._stream = START
        self._staging: Path | None = None
        self._finite: torch.Tensor | None = None
        args.rows_per_step()
        self._signals = SignalCallback()
        self.run_folder: RunFolder | None = None
        super().__init__(
            model=model,
            args=args,
            data_collator=as_is,
            train_dataset=Endless(),
            processing_class=processing_class,
            callbacks=[
                TokenBudgetCallback(args.max_tokens, args.save_tokens, args.eval_tokens),
                self._signals,
                *(callbacks or []),  # before the writer, which writes what they add
                JsonLinesCallback(),
            ],
        )
        check_sharding(bool(args.fsdp), self.is_fsdp_enabled, args.device.type)
        show_progress(self, TokenProgressCallback(args.max_tokens))

    args: MLMTrainingArguments
    model: Any
    processing_class: Any
    optimizer: Any

    # -- data -------------------------------------------------------------------------------

    def stream(self, start: StreamState | None = None) -> PackedMLMDataset:
        """Return the training data from a place on (default: where this run is)."""
        args, tokenizer = self.args, self.processing_class
        return PackedMLMDataset(
            self.train_store,
            tokenizer,
            row_tokens=args.micro_batch_tokens,
            rows_per_step=args.rows_per_step(),
            mlm_probability=args.mlm_probability,
            mlm_probability_end=args.mlm_probability_end,
            mlm_decay_tokens=args.mlm_decay_tokens,
            batch_warmup_tokens=args.batch_warmup_tokens,
            seed=args.seed,
            rank=args.process_index,
            world_size=args.world_size,
            skip=args.skip_steps,
            long_tokens=args.long_tokens,
            long_share=args.long_share,
            pad_rows=args.static_shapes,
            first_position=first_position(self.model.config),
            start=start or self._stream,
            objective=args.objective_schedule(),
            whole_word_masking=args.whole_word_masking,
        )

    def get_train_dataloader(self) -> DataLoader:
        """Return the loader of steps."""
        return step_loader(self.stream(), self.args)

    def push_to_hub(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: Trainer's own would send token stores, which are the text.

        Raises:
            UsageError: With what pushes the model alone.
        """
        raise UsageError(*PUSH_REFUSED)

    def _get_num_items_in_batch(self, batch_samples: list, device: Any) -> None:
        return None  # counted in training_step, over all rows and ranks

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Accumulate the gradients of one step: all its rows on this rank.

        Returns:
            This rank's part of the mean loss times the number of ranks, detached.
        """
        model.train()
        rows = inputs["rows"]
        items = self._masked_items(inputs)
        total = torch.zeros((), device=self.args.device)
        for number, row in enumerate(rows):
            last = number == len(rows) - 1
            with contextlib.nullcontext() if last else self.accelerator.no_sync(model):
                with self.compute_loss_context_manager():
                    loss = model(**moved(row, self.args.device), num_items=items)["loss"]
                self.accelerator.backward(loss)
            total += loss.detach()
        here = any(bool((row["masked_labels"] != IGNORED).any()) for row in rows)
        if not here and (self.args.world_size == 1 or inputs["empty"]):
            model.zero_grad(set_to_none=True)  # nothing to learn: the optimizer passes over it
            self.empty_steps += 1
            logger.warning("step %d has no masked token: skipped", self.state.global_step + 1)
            if self._last_loss is not None:  # a loss of 0 would be in the mean that is logged
                total = self._last_loss.to(total)
        else:
            self._last_loss = total
        self._after_step(inputs, total)
        return total

    def _masked_items(self, inputs: dict[str, Any]) -> torch.Tensor:
        """Masked tokens of the step over all ranks, per rank (gradients are averaged)."""
        items = inputs["masked"].to(self.args.device, non_blocking=True).clone()
        if self.args.world_size > 1:
            dist.all_reduce(items)
        return (items / self.args.world_size).clamp_min(1e-9)  # none masked: a loss of 0, not NaN

    def _after_step(self, inputs: dict[str, Any], loss: torch.Tensor) -> None:
        self.tokens_seen = inputs["state"].tokens
        self._stream = inputs["state"]
        self.state.num_input_tokens_seen = self.tokens_seen
        self._finite = (
            torch.isfinite(loss) if self._finite is None else (self._finite & torch.isfinite(loss))
        )
        lengths = [
            np.diff(row["cu_seq_lens_q"].numpy()).astype(np.float64) for row in inputs["rows"]
        ]
        flat = np.concatenate(lengths)
        world = self.args.world_size
        self.state.doctobert = StepInfo(  # type: ignore[attr-defined]
            stream_step=inputs["state"].step,
            tokens=inputs["tokens"],
            computed=sum(row["input_ids"].numel() for row in inputs["rows"]) * world,
            rows=len(inputs["rows"]) * world,
            mlm_probability=1.0 if inputs["objective"] == "clm" else inputs["mlm_probability"],
            objective=inputs["objective"],
            mean_length=float((flat**2).sum() / max(flat.sum(), 1.0)),
        )

    def check_finite(self) -> None:
        """Raise if a loss since the start was infinite or NaN; reads one flag off the device.

        Raises:
            DataError: It was; the checkpoints before are untouched.
        """
        if self._finite is not None and not bool(self._finite):
            raise DataError(
                f"The loss became infinite or NaN before step {self.state.global_step}",
                "a finite loss",
                "Begin a new run from the last checkpoint (--init-from CHECKPOINT) with a lower "
                "learning_rate, or leave the steps out with skip_steps",
            )

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log, with the tokens seen; a loss that is not finite ends the run."""
        self.check_finite()
        skipped = {"empty_steps": self.empty_steps} if self.empty_steps else {}
        super().log({**logs, **skipped, "tokens": self.tokens_seen}, *args, **kwargs)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Create StableAdamW, with the state of ``optimizer_from`` if that is given."""
        if self.optimizer is None:
            args = self.args
            groups = parameter_groups(model or self.model, args.weight_decay)
            if args.new_head_tokens:
                groups = head_apart(groups, self.model.base_model)
            self.optimizer = StableAdamW(
                groups,
                lr=args.learning_rate,
                betas=(args.adam_beta1, args.adam_beta2),
                eps=args.adam_epsilon,
                weight_decay=args.weight_decay,
            )
            if args.optimizer_from and not self._resuming:
                take_over(self.optimizer, Path(args.optimizer_from))
        return self.optimizer

    _resuming = False

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Create the schedule: a function of the tokens seen, whatever the number of steps."""
        if self.lr_scheduler is None:
            made = optimizer or self.optimizer
            rates = group_rates(made.param_groups, self.args)
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
                made, [self._by_tokens(rate) for rate in rates]
            )
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def _by_tokens(self, rate: Callable[[int], float]) -> Callable[[int], float]:
        return lambda _step: rate(self.tokens_seen)

    def evaluate(self, *args: Any, metric_key_prefix: str = "eval", **kwargs: Any) -> dict:
        """Measure the held-out documents, always with the same masks.

        Returns:
            ``eval_loss`` (mean over masked tokens), ``eval_perplexity``, ``eval_accuracy`` of
            masked tokens and ``eval_masked_tokens``; where the run predicts next tokens for a
            while also ``eval_clm_loss`` (mean over next tokens); empty without an ``eval_store``.
        """
        if self.eval_store is None:
            return {}
        loss, right, count = measured(self, self._eval_rows())
        if not count:
            logger.warning("the held-out text has no masked token: it is not evaluated")
            return {}
        metrics = {
            f"{metric_key_prefix}_loss": loss / count,
            f"{metric_key_prefix}_perplexity": float(np.exp(min(loss / count, 50.0))),
            f"{metric_key_prefix}_accuracy": right / count,
            f"{metric_key_prefix}_masked_tokens": int(count),
        }
        if self.args.objective_schedule().is_causal_somewhere:
            loss, _, count = measured(self, self._eval_rows("clm"))
            metrics[f"{metric_key_prefix}_clm_loss"] = loss / count
        self.log(metrics)
        handler = self.callback_handler
        self.control = handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _eval_rows(self, objective: Objective = "mlm") -> list[dict[str, Any]]:
        """Rows of the held-out documents, each once; a document's masks depend on its index."""
        assert self.eval_store is not None
        if objective not in self._eval_cache:
            self._eval_cache[objective] = eval_rows(
                self.eval_store,
                self.processing_class,
                self.args.micro_batch_tokens,
                self.args.eval_mlm_probability,
                self.args.seed,
                first_position(self.model.config),
                objective,
            )
        return self._eval_cache[objective]

    def train(
        self,
        resume_from_checkpoint: str | bool | None = None,
        trial: Any = None,
        ignore_keys_for_eval: list[str] | None = None,
    ) -> Any:
        """Train until ``max_tokens``.

        Args:
            resume_from_checkpoint: True: resume the newest whole checkpoint of ``output_dir``;
                a path: with that one.
            trial: As for ``Trainer.train``.
            ignore_keys_for_eval: As for ``Trainer.train``.

        Raises:
            UsageError: No checkpoint, or one of another recipe.
            DataError: The checkpoint is damaged, or the loss is not finite.
            OutputError: A checkpoint cannot be written; those before stay.
            KeyboardInterrupt: Ctrl-C; a checkpoint of the last step is written. On SIGTERM training
                returns, with ``tokens_seen`` below ``max_tokens``.
        """
        run = Path(str(self.args.output_dir))
        shutil.rmtree(run / checkpoints.STAGING, ignore_errors=True)
        while True:
            path = self._restore(run, resume_from_checkpoint)
            if path is not None and self._was_over(path):
                return self._finished_before(path)
            try:
                result = super().train(path, trial, ignore_keys_for_eval)
            except SpikeRollback as spike:
                resume_from_checkpoint = self._roll_back(run, spike)
                continue
            finally:
                self._signals.on_train_end()
            if self._signals.received == signal.SIGINT:
                raise KeyboardInterrupt(f"Saved at {self.tokens_seen:,} tokens.")
            return result

    def _was_over(self, path: str) -> bool:
        steps = json.loads((Path(path) / TRAINER_STATE_NAME).read_text())["global_step"]
        return self.tokens_seen >= self.args.max_tokens or steps >= self.args.max_steps

    def _finished_before(self, path: str) -> TrainOutput:
        """Load a run that is at its end; Trainer's loop would train one step more.

        Its last evaluation comes behind the checkpoint: it is read from the log, or made up for.
        """
        self._load_from_checkpoint(path)
        self.state = TrainerState.load_from_json(str(Path(path) / TRAINER_STATE_NAME))
        logged = last_evaluation(Path(str(self.args.output_dir)), self.state.global_step)
        if logged:
            self.state.log_history.append(logged)
        if self.args.world_size > 1:
            dist.barrier()  # all have looked before one of them writes
        if not logged:
            self.evaluate()
        return TrainOutput(self.state.global_step, 0.0, {})

    def _maybe_log_save_evaluate(self, *args: Any, **kwargs: Any) -> None:
        """Log, save, then evaluate: what an evaluation meets costs no checkpoint.

        Whatever ends training, a checkpoint is written from which the run goes on; but not where
        the loss has spiked.
        """
        due, self.control.should_evaluate = self.control.should_evaluate, False
        super()._maybe_log_save_evaluate(*args, **kwargs)
        if self.control.should_training_stop and not self.is_saved and not self._has_spiked():
            self.control.should_save = True
            super()._maybe_log_save_evaluate(*args, **kwargs)
        if due:
            self.control.should_evaluate = True
            super()._maybe_log_save_evaluate(*args, **kwargs)

    _saved_step = -1

    @property
    def is_saved(self) -> bool:
        """Return whether there is a checkpoint of the last step."""
        return self._saved_step == self.state.global_step

    @property
    def is_over(self) -> bool:
        """Return whether the run has had all its tokens, or as many steps as it may."""
        steps = self.state.global_step
        return self.tokens_seen >= self.args.max_tokens or steps >= self.args.max_steps

    def _has_spiked(self) -> bool:
        at = [getattr(callback, "stopped_at", None) for callback in self.callback_handler.callbacks]
        return self.state.global_step in at

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            check_settings(self.optimizer, self.args, checkpoint)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        checkpoints.load_renamed(
            self.model if model is None else model, Path(resume_from_checkpoint)
        )

    def _restore(self, run: Path, resume: str | bool | None) -> str | None:
        self._resuming = bool(resume)
        if not resume:
            return None
        folder = checkpoints.last_whole_checkpoint(run) if resume is True else Path(resume)
        wrong = checkpoints.problem(folder)
        if wrong:
            raise DataError(f"The checkpoint {folder} cannot be used: {wrong}")
        saved = json.loads((folder / checkpoints.STREAM).read_text())
        check_fingerprint(saved["run"], self._fingerprint(), folder)
        self._stream = StreamState.from_json(saved["stream"])
        self.tokens_seen = self._stream.tokens
        return str(folder)

    def _fingerprint(self) -> dict[str, Any]:
        """What must be the same for the stream to go on where it was."""
        return fingerprint(self.args, self.train_store, self.model.config)

    def _roll_back(self, run: Path, spike: SpikeRollback) -> str:
        if not checkpoints.list_checkpoints(run):
            raise DataError(
                f"The loss rose to {spike.loss:.3f} before there was a checkpoint to go back to",
                fix="Lower learning_rate, lengthen warmup_tokens, or save earlier (save_tokens)",
            )
        folder = checkpoints.last_whole_checkpoint(run)
        first = json.loads((folder / checkpoints.STREAM).read_text())["stream"]["step"] + 1
        self.args.skip_steps = (*self.args.skip_steps, (first, spike.stream_step))
        self.optimizer, self.lr_scheduler, self._finite = None, None, None
        return str(folder)

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._staging or self.args.output_dir)

    def _save_checkpoint(self, model: Any, trial: Any = None) -> None:
        """Write a checkpoint aside and put it in its place when it is whole."""
        self.check_finite()
        self._saved_step = self.state.global_step
        run = Path(str(self.args.output_dir))
        name = f"{checkpoints.PREFIX}{self.state.global_step}"
        staging = run / checkpoints.STAGING
        self._staging = staging
        limit, self.args.save_total_limit = self.args.save_total_limit, None
        try:
            with explained_output(run):
                super()._save_checkpoint(model, trial)
                if self.args.should_save:
                    record = {"stream": self._stream.to_json(), "run": self._fingerprint()}
                    write_json_atomic(staging / name / checkpoints.STREAM, record)
                if self.args.world_size > 1:
                    dist.barrier()
                if self.args.should_save:
                    checkpoints.seal(staging / name)
                    checkpoints.publish(staging / name, run / name)
                    checkpoints.rotate(run, limit)
        finally:
            self._staging, self.args.save_total_limit = None, limit
            if self.args.should_save:
                shutil.rmtree(staging, ignore_errors=True)
        if self.args.world_size > 1:
            dist.barrier()
