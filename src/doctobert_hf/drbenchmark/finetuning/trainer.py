"""One fine-tuning run through ``Trainer``: length-grouped batches, the best weights kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_pt_utils import LengthGroupedSampler

from doctobert_hf.drbenchmark.families import Item, family_of
from doctobert_hf.drbenchmark.finetuning.config import EVALUATIONS
from doctobert_hf.drbenchmark.finetuning.hyperparameters import HyperParameters
from doctobert_hf.drbenchmark.finetuning.parts import PartwiseLoss, tokens_at_once as choose_tokens
from doctobert_hf.drbenchmark.finetuning.prediction import predict_items
from doctobert_hf.drbenchmark.scoring import score_predictions
from doctobert_hf.drbenchmark.spec import TaskSpec
from doctobert_hf.errors import DataError
from doctobert_hf.pretraining.callbacks.logs import StepProgressCallback, show_progress

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass
class Split:
    """Items of a split and what is right.

    Attributes:
        items: One per row.
        references: Right answers, as the family's ``score`` takes them.
    """

    items: list[Item]
    references: list[Any] = field(default_factory=list)


class TaskTrainer(Trainer):
    """``Trainer`` on rows that may be several sequences.

    Args:
        task: The task.
        model: Encoder with a head for it.
        tokenizer: Pads.
        train: Training rows.
        validation: Rows that decide which weights are kept.
        parameters: Hyper-parameters.
        seed: Seed of order and dropout; the head is drawn before.
        output: Scratch folder; nothing is kept there.
        on_evaluation: Called with (number, score) of each evaluation; may raise to end the run.
        evaluations: Evaluations of the run.
        bf16: Mixed precision on a processor too.
        tokens_at_once: Most tokens computed at once in training; None: the device's default.

    Attributes:
        best: Validation score of the weights kept.
        scores: Validation score of every evaluation.
        last_sum: Sum of all metrics at the last evaluation.
        tokens_at_once: Most tokens computed at once in training, padding counted.
    """

    def __init__(
        self,
        task: TaskSpec,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        train: Split,
        validation: Split,
        parameters: HyperParameters,
        seed: int,
        output: str,
        on_evaluation: Callable[[int, float], None] | None = None,
        evaluations: int = EVALUATIONS,
        bf16: bool = False,
        tokens_at_once: int | None = None,
    ) -> None:
        self.task, self.validation = task, validation
        self.processing_tokenizer = tokenizer
        self.on_evaluation = on_evaluation
        self.scores: list[float] = []
        self.last_sum = float("-inf")
        self.best = float("-inf")
        self._best_weights: dict[str, torch.Tensor] | None = None
        self.family = family_of(task)
        items = self.family.training_items(train.items)
        updates = parameters.batch_size * parameters.gradient_accumulation_steps
        steps = max(1, -(-len(items) // updates)) * parameters.epochs
        cuda = torch.cuda.is_available()
        half = torch.cuda.is_bf16_supported() if cuda else bf16
        super().__init__(
            model=model,
            args=TrainingArguments(
                output_dir=output,
                max_steps=steps,
                per_device_train_batch_size=parameters.batch_size,
                gradient_accumulation_steps=parameters.gradient_accumulation_steps,
                learning_rate=parameters.learning_rate,
                weight_decay=parameters.weight_decay,
                warmup_steps=round(parameters.warmup_ratio * steps),
                lr_scheduler_type="linear",
                eval_strategy="steps",
                eval_steps=max(1, -(-steps // evaluations)),
                save_strategy="no",
                logging_strategy="no",
                bf16=half,
                use_cpu=half and not torch.accelerator.is_available(),
                dataloader_pin_memory=cuda,
                remove_unused_columns=False,
                report_to="none",
                seed=seed,
            ),
            train_dataset=_Items(items),
            eval_dataset=_Items(validation.items),
            data_collator=partial(self.family.collate, task, tokenizer),
            callbacks=[_EvaluateLast()],
        )
        self.tokens_at_once = choose_tokens(tokens_at_once, self.args.device)
        name = f"training {task.name}, seed {seed}"
        show_progress(self, StepProgressCallback(name))
        # The loss is a mean over the batch: Trainer divides it by the accumulation steps.
        self.model_accepts_loss_kwargs = False

    def _get_train_sampler(self, *_: Any) -> LengthGroupedSampler:
        items = self.train_dataset.items  # type: ignore[union-attr]
        size = self.args.train_batch_size * self.args.gradient_accumulation_steps
        generator = torch.Generator().manual_seed(self.args.seed)
        lengths = [item.longest for item in items]
        return LengthGroupedSampler(size, lengths=lengths, generator=generator)

    def training_step(
        self, model: Any, inputs: dict[str, torch.Tensor], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """One step; a batch of more than ``tokens_at_once`` tokens is computed a part at a time.

        The rows of an update and its gradients stay those of the whole batch; only dropout draws
        other noise (:class:`~doctobert_hf.drbenchmark.finetuning.parts.PartwiseLoss`).
        """
        parts = PartwiseLoss(
            model, self.family, self.task, self.tokens_at_once, self.compute_loss_context_manager
        )
        if parts.fits(inputs):
            return super().training_step(model, inputs, num_items_in_batch)
        model.train()
        prepared: Any = self._prepare_inputs(inputs)
        # Accelerate divides too, where Transformers (5.3) lets it count the steps.
        again = self.accelerator.gradient_accumulation_steps
        scale = 1.0 / (self.current_gradient_accumulation_steps * again)
        return parts.backward(prepared, scale) * again

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Mean loss over the rows of a batch."""
        labels, owner = inputs.pop("labels"), inputs.pop("owner")
        outputs = self.family.outputs(self.task, model(**inputs).logits, owner)
        return self.family.loss(self.task, outputs, labels)

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:  # type: ignore[override]
        """Score the validation rows; keep the weights if none were better before.

        Raises:
            DataError: The scores are not finite, so the run has diverged.
        """
        predictions = self.predictions(self.validation.items)
        scores = score_predictions(self.task, predictions, self.validation.references)
        value = float(scores[self.task.metric_key])
        if value != value:
            raise DataError(f"{self.task.name}: the validation score is not a number")
        self.scores.append(value)
        self.last_sum = sum(v for v in scores.values() if not isinstance(v, dict))
        if value > self.best:
            self.best = value
            self._best_weights = {
                name: weight.detach().to("cpu", copy=True)
                for name, weight in self.model.state_dict().items()  # type: ignore[union-attr]
            }
        if self.on_evaluation is not None:
            self.on_evaluation(len(self.scores), value)
        return {"eval_score": value}

    def train_best(self) -> float:
        """Train, put the best weights back, and return their validation score."""
        self.train()
        if self._best_weights is not None:
            self.model.load_state_dict(self._best_weights)  # type: ignore[union-attr]
        return self.best

    def predictions(self, items: Sequence[Item]) -> list[Any]:
        """Predict rows, in their order; long ones are batched together."""
        model: Any = self.model
        return predict_items(
            self.task,
            model,
            self.processing_tokenizer,
            items,
            autocast=self.compute_loss_context_manager,
        )


class _Items(torch.utils.data.Dataset):
    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Item:
        return self.items[index]


class _EvaluateLast(TrainerCallback):
    """Evaluates after the last step too, where the tenths do not meet it."""

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step >= state.max_steps:
            control.should_evaluate = True
