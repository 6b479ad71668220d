"""Training dense, late-interaction and sparse models with Sentence Transformers' own trainers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.environment import check_bf16, check_report_to
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.processes import main_first, on_processor, rank, world_size
from doctobert_hf.retrieval.batches import Conflicts, make_sampler
from doctobert_hf.retrieval.bm25 import require_bm25
from doctobert_hf.retrieval.builders import load_splits
from doctobert_hf.retrieval.data_files import data_files, described_data
from doctobert_hf.retrieval.evaluation import Result, evaluate
from doctobert_hf.retrieval.examples import training_ids, training_rows
from doctobert_hf.retrieval.models import new_model, require_sentence_transformers
from doctobert_hf.retrieval.portable import save_model
from doctobert_hf.retrieval.sparse import evaluate_sparse, is_sparse, make_sparse_loss, new_sparse
from doctobert_hf.runs import RunFolder, finished_run, open_run, read_record, settings_of
from doctobert_hf.runs.record import weights_of
from doctobert_hf.runs.resume import recipe_of

if TYPE_CHECKING:
    from datasets import Dataset

    from doctobert_hf.retrieval.models import RetrievalModel
    from doctobert_hf.retrieval.pairs import PairSet, PairSplits
    from doctobert_hf.retrieval.recipe import RetrievalConfig

_CLASSES = {
    "dense": "SentenceTransformer",
    "late-interaction": "MultiVectorEncoder",
    "sparse": "SparseEncoder",
}
RECORD = "retrieval.json"
KIND = "retrieval-train"


def finished_results(config: RetrievalConfig, recipe: str | None = None) -> list[Result] | None:
    """Return the results of a run that is finished; None where it is not, or not there.

    Args:
        config: The run's configuration; its folder is ``config.output``.
        recipe: Name of the recipe, if one was named.

    Raises:
        UsageError: The run was made with other settings, or its data have changed since.
        DataError: Its record is damaged.
    """
    path = Path(config.output) / "model" / RECORD
    record = read_record(config.output)
    if record is None or record.status != "finished" or not path.is_file():
        return None
    settings = _settings(config, recipe)
    finished_run(config.output, KIND, settings, described=described_data(config))
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["results"]
        return [Result(**result) for result in found]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"'{path}' is damaged ({type(error).__name__}: {error})") from error


def _settings(config: RetrievalConfig, recipe: str | None) -> dict[str, Any]:
    return settings_of(config, ("output",)) | {"recipe": recipe_of(recipe)}


class RetrievalRun:
    """A recipe made ready: data, model and trainer.

    Args:
        config: The recipe, of any kind but ``pylate``.
        resume: Resume the run in ``config.output``.
        overwrite: Move a run that is in ``config.output`` aside.
        recipe: Name of the recipe, for the record.

    Attributes:
        splits: The pairs.
        model: The model that is trained.
        trainer: A ``SentenceTransformerTrainer``, or that of the kind.

    Raises:
        UsageError: The output folder holds another run, or a key does not fit.
        DataError: Pairs that cannot be used.

    Example:
        >>> from doctobert_hf.retrieval import RetrievalConfig
        >>> config = RetrievalConfig("encoder", data="asked.jsonl", output="search", max_steps=2)
        >>> RetrievalRun(config).train().as_posix()
        'search/model'
    """

    def __init__(
        self,
        config: RetrievalConfig,
        resume: bool = False,
        overwrite: bool = False,
        recipe: str | None = None,
    ) -> None:
        require_sentence_transformers()
        require_bm25()
        if config.bf16:
            check_bf16()
        check_report_to(config.report_to)
        self.config, self.folder = config, Path(config.output)
        self.run_folder: RunFolder | None = None
        if rank() == 0:
            self.run_folder = open_run(
                self.folder,
                KIND,
                _settings(config, recipe),
                data_files(config),
                described=described_data(config),
                again="resume",
                resume=resume,
                overwrite=overwrite,
                recognise=lambda folder: (folder / "resolved_config.yaml").is_file(),
                uses=(config.base_model,),
            )
        self.resume = resume and any(self.folder.glob("checkpoint-*"))
        try:
            self._prepare()
        except BaseException:
            self.close(failed=True)
            raise

    def _prepare(self) -> None:
        """Load data and model; what is wrong with them is told before anything is written."""
        from transformers import set_seed

        from doctobert_hf.config import write_yaml
        from doctobert_hf.environment import environment_report
        from doctobert_hf.files import write_json_atomic

        config = self.config
        self.splits: PairSplits = load_splits(config)
        set_seed(config.seed)
        self.model: Any = new_sparse(config) if config.kind == "sparse" else new_model(config)
        ids = training_ids(self.splits.train, config)
        rows = training_rows(self.splits.train, config, self.model, ids)
        if self.run_folder is not None:
            write_yaml(config, self.folder / "resolved_config.yaml")
            write_json_atomic(self.folder / "environment.json", environment_report(with_torch=True))
        conflicts = Conflicts(self.splits.train, ids)
        self.trainer = make_trainer(self.model, rows, self.splits.validation, config, conflicts)

    def close(self, failed: bool = False) -> None:
        """Give the run folder back."""
        if self.run_folder is not None:
            run, self.run_folder = self.run_folder, None
            run.close(failed)

    def train(self) -> Path:
        """Train, keep the best by nDCG@10 on the validation questions, save; return the folder.

        Of several processes all train, and the first one writes.

        Raises:
            KeyboardInterrupt: Ctrl-C or SIGTERM; a checkpoint of the last step is written.
        """
        from doctobert_hf.pretraining.callbacks import SignalCallback

        signals = SignalCallback()
        self.trainer.add_callback(signals)
        self.trainer.train(resume_from_checkpoint=True if self.resume else None)
        state = self.trainer.state
        if signals.received is not None and state.global_step < state.max_steps:
            raise KeyboardInterrupt(f"Saved at step {state.global_step}.")
        target = self.folder / "model"
        with main_first(self.trainer.args):
            if rank() == 0:
                save_model(self.model, target)
        return target

    def evaluate(self, name: str) -> Result:
        """Measure the model as it is now on the test questions."""
        return measure(name, self.splits.test, self.model)

    def write_record(self, results: list[Result]) -> None:
        """Write what a card needs beside the model, and close the run.

        It has the recipe without paths, the data and the scores. Of several processes the first
        one writes it.
        """
        if rank():
            return
        from doctobert_hf.environment import package_versions
        from doctobert_hf.files import write_json_atomic

        recipe = {
            key: Path(value).name if isinstance(value, Path) or key in _PATHS else value
            for key, value in asdict(self.config).items()
            if key not in ("output", "data_dir")
        }
        names = {"query_length": "query_length", "max_length": "document_length"}
        recipe |= {  # those the model has: the recipe may leave them to the base
            key: getattr(self.model[0], name, None) or recipe[key] for key, name in names.items()
        }
        parts = (self.splits.train, self.splits.validation, self.splits.test)
        write_json_atomic(
            self.folder / "model" / RECORD,
            {
                "weights": weights_of(self.folder / "model"),
                "recipe": recipe,
                "data": {
                    part.name: {
                        "questions": len(part.queries),
                        "documents": len(part.documents),
                        "pairs": len(part.pairs()),
                    }
                    for part in parts
                },
                "notes": [note for part in parts for note in part.notes],
                "steps": self.trainer.state.global_step,
                "results": [result.as_json() for result in results],
                "packages": package_versions(),
            },
        )
        if self.run_folder is not None:
            self.run_folder.finish("model", "metrics.jsonl")
        self.close()


_PATHS = ("base_model", "data")


def measure(name: str, pairs: PairSet, model: Any) -> Result:
    """Measure a model of any kind as a search with it would find."""
    if is_sparse(model):
        return evaluate_sparse(name, pairs, model)
    return evaluate(name, pairs, model)


def make_trainer(
    model: RetrievalModel,
    rows: Dataset,
    validation: PairSet,
    config: RetrievalConfig,
    conflicts: Conflicts | None = None,
) -> Any:
    """Make the trainer of a kind: loss, arguments, early stopping, this package's callbacks.

    Args:
        model: What is trained.
        rows: The training rows.
        validation: Questions that decide which weights are kept.
        config: The recipe.
        conflicts: Rows that may not stand in one batch; None: stock ``no_duplicates``.
    """
    import sentence_transformers as st
    from transformers import EarlyStoppingCallback

    from doctobert_hf.energy import EnergyMeter
    from doctobert_hf.pretraining.callbacks import (
        EnergyCallback,
        JsonLinesCallback,
        StepProgressCallback,
        show_progress,
    )

    stock: Any = getattr(st, f"{_CLASSES[config.kind]}Trainer")
    callbacks: list[Any] = [JsonLinesCallback()]
    if EnergyMeter.available():  # the card tells what was used
        callbacks.append(EnergyCallback())
    if config.patience:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=config.patience))
    sampler = (
        None
        if conflicts is None
        else make_sampler(conflicts, config.batch_size, config.seed, config.epochs, world_size())
    )
    per_epoch = len(rows) // config.batch_size if sampler is None else len(sampler)
    per_epoch //= world_size()
    trainer = _counting(stock, sampler)(
        model=model,
        args=training_arguments(config, rows, dict(model.prompts), per_epoch),
        train_dataset=rows,
        loss=make_loss(model, config),
        evaluator=make_evaluator(validation),
        callbacks=callbacks,
    )
    show_progress(trainer, StepProgressCallback("training", f"eval_{METRIC}"))
    return trainer


def _counting(stock: Any, sampler: Any = None) -> Any:
    """Let a trainer count tokens, for the reporting integration ``doctobert``, and batch by us.

    ``Trainer`` counts a batch's ``input_ids``; here each column has its own. Nothing collects rows
    for a model card: the library's would have training text in it, in every checkpoint.
    """

    class RetrievalTrainer(stock):
        def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
            self.model.model_card_data.add_tags("generated_from_trainer")

        def training_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            masks = [mask for name, mask in inputs.items() if name.endswith("attention_mask")]
            if not masks:  # static embeddings have ids alone, without padding
                masks = [ids != -1 for name, ids in inputs.items() if name.endswith("input_ids")]
            tokens = self.accelerator.gather(sum(mask.sum() for mask in masks))
            self.state.num_input_tokens_seen += int(tokens.sum())
            return super().training_step(model, inputs, *args, **kwargs)

        def get_batch_sampler(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
            if sampler is not None and dataset is self.train_dataset:
                return sampler
            return super().get_batch_sampler(dataset, *args, **kwargs)

    return RetrievalTrainer


def training_arguments(
    config: RetrievalConfig,
    rows: Dataset,
    prompts: Mapping[str, str | None] | None = None,
    per_epoch: int | None = None,
) -> Any:
    """Return the trainer's arguments; evaluations and checkpoints at the same steps.

    Args:
        config: The recipe.
        rows: The training rows.
        prompts: What the model puts before queries and documents; default: the recipe's.
        per_epoch: Batches of an epoch, of one process; default: as many as are full.
    """
    prompts = config.new_prompts if prompts is None else prompts
    import sentence_transformers as st

    arguments_class: Any = getattr(st, f"{_CLASSES[config.kind]}TrainingArguments")
    per_epoch = len(rows) // config.batch_size if per_epoch is None else per_epoch
    planned = int(max(1, per_epoch) * config.epochs)
    total = config.max_steps if config.max_steps > 0 else planned
    every = max(1, total // config.evaluations)
    documents = [name for name in rows.column_names if name != "anchor"]
    return arguments_class(
        output_dir=str(config.output),
        num_train_epochs=config.epochs,
        max_steps=config.max_steps,
        per_device_train_batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        warmup_steps=config.warmup,
        weight_decay=config.weight_decay,
        batch_sampler="no_duplicates",
        prompts={
            "anchor": prompts.get("query") or "",
            **dict.fromkeys(documents, prompts.get("document") or ""),
        },
        router_mapping={"anchor": "query", **dict.fromkeys(documents, "document")},
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=f"eval_{METRIC}",
        greater_is_better=True,
        logging_steps=max(1, min(every, 50)),
        bf16=config.bf16,
        use_cpu=on_processor(),
        seed=config.seed,
        report_to=list(config.report_to) or "none",
    )


def make_loss(model: Any, config: RetrievalConfig) -> Any:
    """Return the contrastive loss with in-batch negatives; cached for batches over memory."""
    if config.kind == "sparse":
        return make_sparse_loss(model, config)
    cached, size = config.mini_batch_size > 0, config.mini_batch_size
    if config.kind != "dense":
        from sentence_transformers.multi_vector_encoder import losses as late

        if cached:
            return late.CachedMultiVectorMultipleNegativesRankingLoss(
                model, scale=config.loss_scale, mini_batch_size=size
            )
        return late.MultiVectorMultipleNegativesRankingLoss(model, scale=config.loss_scale)
    from sentence_transformers.sentence_transformer import losses

    loss: Any
    if cached:
        loss = losses.CachedMultipleNegativesRankingLoss(
            model, scale=config.loss_scale, mini_batch_size=size
        )
    else:
        loss = losses.MultipleNegativesRankingLoss(model, scale=config.loss_scale)
    if config.matryoshka:
        width = model.get_embedding_dimension()
        sizes = sorted({*config.matryoshka, width}, reverse=True)
        if sizes[0] > width:
            raise UsageError(f"matryoshka {config.matryoshka}", f"sizes up to {width}")
        loss = losses.MatryoshkaLoss(model, loss, sizes)
    return loss


METRIC = "validation_ndcg@10"


def make_evaluator(validation: PairSet) -> Any:
    """Return an evaluator for the trainer: nDCG@10, recall and MRR as a search would give them."""
    from sentence_transformers.base.evaluation import BaseEvaluator

    class ValidationEvaluator(BaseEvaluator):
        """Searches the validation questions with the index that users search with."""

        def __init__(self) -> None:
            super().__init__()
            self.primary_metric = METRIC

        def __call__(
            self, model: Any, output_path: str | None = None, epoch: int = -1, steps: int = -1
        ) -> dict[str, float]:
            measured = measure("model", validation, model).scores
            scores = {f"validation_{name}": value for name, value in measured.items()}
            self.store_metrics_in_model_card_data(model, scores, epoch, steps)
            return scores

    return ValidationEvaluator()
