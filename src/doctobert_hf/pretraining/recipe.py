"""A pretraining phase as a recipe: data, model, how it is begun, and the trainer's arguments."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from doctobert_hf.config import begun_before, check_bounds, option, refuse_unless_begun
from doctobert_hf.errors import UsageError, nearest
from doctobert_hf.pretraining.initial_model import (
    SHARDS,
    average,
    checkpoint_of,
    make_model,
    source_of,
)
from doctobert_hf.pretraining.named_callbacks import make_callbacks, split_named
from doctobert_hf.pretraining.objectives import ObjectiveSchedule
from doctobert_hf.pretraining.recipe_stores import check_shared, load_tokenizer, stores
from doctobert_hf.pretraining.schedules import check_used
from doctobert_hf.processes import main_first, rank

if TYPE_CHECKING:
    from doctobert_hf.pretraining.trainer import MLMTrainer


@dataclass
class PretrainConfig:
    """One phase of pretraining; the recipes of the eight published phases are instances."""

    output: Path = option(Path("pretrain-run"), "folder of the run")
    corpus: Path | None = option(None, "corpus file or folder; null: a small generated sample")
    text_column: str = option("text", "column that holds the text")
    eval_documents: int = option(
        1000, "documents held out for evaluation, at most a tenth; 0: none", least=0
    )
    store_workers: int = option(1, "processes that tokenise the corpus", least=1)
    train_store: Path | None = option(None, "token store to train on, instead of corpus")
    eval_store: Path | None = option(None, "token store to evaluate on")
    tokenizer: str | None = option(None, "folder or Hub id; null: trained on the sample", path=True)
    preset: str = option("doctobert-base", "architecture")
    max_length: int = option(512, "tokens of a chunk, special tokens counted", least=1)
    init_from: str | None = option(
        None, "run, checkpoint or model to begin from; null: random", path=True
    )
    init_mode: Literal["weights", "full", "tile"] = option(
        "weights",
        "what to take of init_from: weights, also the optimizer, or tiled weights",
        formerly="hand_over",
    )
    initializer_range: float = option(0.02, "standard deviation of random weights", above=0)
    rope_theta_global: float | None = option(
        None, "RoPE base of global layers (ModernBERT)", above=0
    )
    rope_theta_local: float | None = option(None, "RoPE base of local layers (ModernBERT)", above=0)
    attention_out_dropout: float = option(
        0.0, "dropout behind attention, training only (ModernBERT)", least=0, below=1
    )
    max_tokens: int = option(1_000_000, "tokens of the phase, padding not counted", least=1)
    micro_batch_tokens: int = option(16_384, "tokens computed at once on one device", least=1)
    global_batch_tokens: int = option(
        0, "tokens of a step on all devices; 0: one row a device", least=0
    )
    batch_warmup_tokens: int = option(0, "tokens over which the batch grows to its size", least=0)
    learning_rate: float = option(3e-4, "peak learning rate", above=0)
    lr_schedule: str = option("linear", "linear, constant, warmup_stable_decay or one_minus_sqrt")
    warmup_tokens: int = option(0, "tokens over which the learning rate rises", least=0)
    decay_tokens: int = option(0, "tokens over which it falls at the end", least=0)
    new_head_tokens: int = option(
        0,
        "where init_from has no masked-LM head: tokens in which the new one learns alone",
        least=0,
    )
    lr_final_ratio: float = option(
        0.0, "learning rate at the end as a share of the peak", least=0, most=1
    )
    weight_decay: float = option(1e-5, "decoupled weight decay", least=0)
    objective: tuple[str, ...] = option(
        ("mlm",),
        "mlm, or parts by tokens: 'clm:9000000 mlm' is a causal detour before masked tokens; "
        "'mlm@0.3:9000000 mlm@0.15' masks another share in each",
    )
    mlm_probability: float = option(0.15, "share of tokens to predict", above=0, below=1)
    mlm_probability_end: float | None = option(
        None, "share at mlm_decay_tokens; null: constant", above=0, below=1
    )
    mlm_decay_tokens: int = option(0, "tokens after which mlm_probability_end holds", least=0)
    whole_word_masking: bool = option(False, "choose words, not tokens; the share stays")
    long_tokens: int = option(2048, "a document of so many tokens is long", least=0)
    long_share: float | None = option(
        None, "share of tokens in long documents; null: as they are", least=0, most=1
    )
    save_tokens: int = option(0, "tokens between checkpoints; 0: only at the end", least=0)
    eval_tokens: int = option(0, "tokens between evaluations; 0: only at the end", least=0)
    save_total_limit: int | None = option(None, "checkpoints to keep; null: all", least=1)
    logging_steps: int = option(50, "steps between logs", least=1)
    dataloader_num_workers: int = option(2, "loader processes on each device", least=0)
    bf16: bool = option(False, "mixed precision: GPUs, and processors with AVX512-BF16 or AMX")
    torch_compile: bool = option(False, "compile the model; rows get one shape")
    report_to: tuple[str, ...] = option(("none",), "integrations, e.g. tensorboard, trackio")
    tokens_per_second: float = option(
        400_000, "assumed speed of one device, for --dry-run", above=0
    )
    seed: int = option(17, "seed of weights, order, masks and dropout", least=0)
    replay: Path | None = option(None, "corpus of general text, seen again so as not to be lost")
    replay_share: float = option(0.1, "share of the text that is of replay", above=0, below=1)
    average_share: float = option(
        0.0, "share of average_with in the finished model's weights; 0: none", least=0, below=1
    )
    average_with: str | None = option(
        None, "model of the same origin that it is averaged with; null: init_from", path=True
    )
    freeze: tuple[str, ...] = option(
        (), "patterns of weights that stay, e.g. '*embeddings*' '*layer.0.*'"
    )
    lora_rank: int | None = option(
        None, "train LoRA adapters of this width instead of the encoder (extra 'lora')", least=1
    )
    lora_alpha: int | None = option(None, "they count alpha/rank times; null: twice", least=1)
    lora_targets: tuple[str, ...] = option(
        (), "patterns of layers, e.g. '*query' '*value'; empty: all linear ones of the encoder"
    )
    callbacks: tuple[Any, ...] = option(
        (), "further callbacks: energy, fill_mask, gc, spikes or package.module:Class"
    )
    needs: tuple[str, ...] = option((), "keys of the recipe that must be given", cli=False)
    training: Any = option(None, "other keys of MLMTrainingArguments", cli=False)
    architecture: Any = option(
        None, "values of the model's configuration, e.g. hidden_size, dropout", cli=False
    )

    def __post_init__(self) -> None:
        if self.init_mode != "weights" and self.init_from is None:
            raise UsageError(f"init_mode '{self.init_mode}' without init_from")
        if self.lora_rank is None and (self.lora_targets or self.lora_alpha is not None):
            raise UsageError("lora_alpha or lora_targets without lora_rank")
        if self.init_mode == "full" and (self.lora_rank is not None or self.freeze):
            raise UsageError(
                "init_mode 'full' with lora_rank or freeze: its optimizer is of all weights",
                "init_mode weights",
            )
        self._check_average()
        if self.lora_rank is not None and self.init_from is None:
            raise UsageError("lora_rank without init_from", "a trained model to adapt")
        changed = {f.name for f in fields(self) if getattr(self, f.name) != f.default}
        for name, needed in (("replay_share", "replay"), ("long_tokens", "long_share")):
            if name in changed and getattr(self, needed) is None:
                alone = f"{name} without {needed}"
                refuse_unless_begun(UsageError(alone, "both: alone it does nothing"))
        for name in ("text_column", "store_workers"):
            if name in changed and (self.corpus is None or self.train_store is not None):
                what = "without corpus" if self.train_store is None else "with train_store"
                refuse_unless_begun(UsageError(f"{name} {what}", "corpus: alone it does nothing"))
        if "new_head_tokens" in changed and self.init_from is None and not self.needs:
            alone = "new_head_tokens without init_from"
            refuse_unless_begun(UsageError(alone, "both: weights drawn at random learn together"))
        check_used(self)
        if self.corpus is not None and self.train_store is not None:
            raise UsageError("Both corpus and train_store", "one of them")
        names = [item.name for item in fields(self)]
        for name in self.needs:
            if name not in names:
                raise UsageError(f"Unknown key '{name}' under needs", fix=nearest(name, names))
        split_named(self.callbacks)
        ObjectiveSchedule.read(self.objective).check_length(self.max_tokens)
        check_bounds(self)

    def _check_average(self) -> None:
        """Refuse an average of nothing, or with nothing.

        Raises:
            UsageError: With what is missing.
        """
        if self.average_with is not None and not self.average_share:
            raise UsageError("average_with without average_share", "both: alone it does nothing")
        if not self.average_share:
            return
        if self.init_mode == "tile":
            raise UsageError(
                "average_share with init_mode 'tile'", "weights that went on from one origin"
            )
        if self.init_from is None and not self.needs:
            raise UsageError("average_share without init_from", "init_from")


TRAINER_KEYS = (
    *("max_tokens", "micro_batch_tokens", "global_batch_tokens", "batch_warmup_tokens"),
    *("learning_rate", "lr_schedule", "warmup_tokens", "decay_tokens", "lr_final_ratio"),
    *(
        "new_head_tokens",
        "weight_decay",
        "objective",
        "mlm_probability",
        "mlm_probability_end",
        "mlm_decay_tokens",
        "whole_word_masking",
    ),
    *("long_tokens", "long_share", "save_tokens", "eval_tokens", "save_total_limit"),
    *("logging_steps", "dataloader_num_workers", "bf16", "torch_compile", "seed"),
)


KIND = "pretrain"
logger = logging.getLogger(__name__)


def open_pretraining(
    config: PretrainConfig,
    resume: bool = False,
    overwrite: bool = False,
    recipe: str | None = None,
) -> MLMTrainer:
    """Make data, model and trainer of a phase, in its run folder.

    The folder is locked until :func:`close_pretraining`. A start that is refused leaves none.

    Args:
        config: The recipe.
        resume: Resume the run that is in the folder.
        overwrite: Move a run that is in the folder aside.
        recipe: Name of the recipe, for the record.

    Raises:
        UsageError: The folder is used, or what the recipe names does not fit together.
        DataError: The corpus has no text.
    """
    from doctobert_hf.environment import check_bf16, check_compile
    from doctobert_hf.runs import open_run, settings_of
    from doctobert_hf.runs.record import weights_of
    from doctobert_hf.runs.resume import recipe_of

    check_inputs(config)
    if config.bf16:
        check_bf16()
    if config.torch_compile:
        check_compile()
    if rank():
        with begun_before(resume):
            return _make_trainer(config)
    run = open_run(
        config.output,
        KIND,
        settings_of(config, ("output",)) | {"recipe": recipe_of(recipe)},
        read_files(config),
        again="resume",
        resume=resume,
        overwrite=overwrite,
        recognise=lambda folder: (folder / "resolved_config.yaml").is_file(),
        uses=(config.init_from, config.tokenizer, config.average_with),
    )
    try:
        with begun_before(resume):
            trainer = _make_trainer(config)
        if config.init_from is not None and not run.resumed:
            begun = weights_of(source_of(config))  # a card tells its story of these weights only
            run.record.results = {**(run.record.results or {}), "begun_from": {"weights": begun}}
            run.record.write(run.record_path)
    except BaseException:
        run.close(failed=True)
        raise
    trainer.run_folder = run
    return trainer


def read_files(config: PretrainConfig) -> list[Path]:
    """Return the files and folders of text or tokens that a phase reads, for its record."""
    from doctobert_hf.corpus import inputs_of

    read = (config.corpus, config.replay, config.train_store, config.eval_store)
    return [file for path in read if path for file in inputs_of(path)]


def close_pretraining(trainer: MLMTrainer, failed: bool = False) -> None:
    """Give the run folder of a trainer back."""
    if (run := trainer.run_folder) is not None:
        trainer.run_folder = None
        run.close(failed)


def check_inputs(config: PretrainConfig) -> None:
    """Refuse paths that are not there, before anything is loaded or written.

    Raises:
        UsageError: A corpus, store, tokenizer or model that does not exist.
    """
    from doctobert_hf.corpus import list_files

    for name in config.needs:
        stored = name == "corpus" and config.train_store is not None
        if getattr(config, name) is None and not stored:
            option_name = f"--{name.replace('_', '-')}"
            raise UsageError(f"No {option_name}, which this recipe begins with", option_name)
    for corpus in (config.corpus, config.replay):
        if corpus is not None:
            list_files(corpus)
    if config.replay is not None and config.corpus is None:
        raise UsageError("replay without corpus", "the text to adapt to")
    for name in ("train_store", "eval_store"):
        place = getattr(config, name)
        if place is not None and not (Path(place) / "manifest.json").is_file():
            raise UsageError(
                f"{name} '{place}' holds no token store", "a folder of 'pretrain store'"
            )
    for name in ("tokenizer", "init_from", "average_with"):
        place = getattr(config, name)
        if place is not None and not Path(place).exists() and not _may_be_hub_id(place):
            raise UsageError(f"{name} '{place}' does not exist", "a folder, or an id on the Hub")


def _may_be_hub_id(name: str) -> bool:
    return re.fullmatch(r"[\w.-]*\w(/[\w.-]*\w)?", name) is not None


def _make_trainer(config: PretrainConfig) -> MLMTrainer:
    from transformers import set_seed

    from doctobert_hf.config import write_yaml
    from doctobert_hf.energy import EnergyMeter
    from doctobert_hf.environment import environment_report
    from doctobert_hf.files import write_json_atomic
    from doctobert_hf.pretraining.arguments import MLMTrainingArguments
    from doctobert_hf.pretraining.callbacks import (
        DoctobertCallback,
        EnergyCallback,
        FillMaskProbeCallback,
        LossSpikeCallback,
    )
    from doctobert_hf.pretraining.fit import make_ready
    from doctobert_hf.pretraining.trainer import MLMTrainer

    folder = Path(config.output)
    arguments = MLMTrainingArguments(**trainer_arguments(config))
    arguments.rows_per_step()
    with main_first(arguments):
        if arguments.process_index == 0:
            write_yaml(config, folder / "resolved_config.yaml")
            write_json_atomic(folder / "environment.json", environment_report(with_torch=True))
        tokenizer = load_tokenizer(config)
    energy = [EnergyCallback()] if EnergyMeter.available() else []
    usual = [DoctobertCallback(), LossSpikeCallback(), FillMaskProbeCallback(), *energy]
    callbacks = make_callbacks(config.callbacks, usual)
    set_seed(config.seed)
    # What is refused is refused before the corpus is tokenised.
    model = make_model(config, tokenizer)
    make_ready(model, arguments)
    average(config, model, tokenizer, check=True)
    built = (folder / "stores" / "train" / "manifest.json").is_file()
    if config.train_store is None and not built:  # whose own lengths are checked
        check_length(config, model.config)
    if not getattr(model, "has_new_head", False):
        arguments.new_head_tokens = 0  # its own head knows already
    with main_first(arguments):
        if arguments.process_index:
            check_shared(config)
        train, held_out = stores(config, tokenizer)
    trainer = MLMTrainer(model, arguments, train, tokenizer, held_out, callbacks=callbacks)
    if config.average_share and trainer.is_fsdp_enabled:  # by accelerate's own settings
        raise UsageError(*SHARDS)
    return trainer


def trainer_arguments(config: PretrainConfig) -> dict[str, Any]:
    """Return the trainer's arguments of a recipe."""
    return {
        "output_dir": str(config.output),
        "report_to": list(config.report_to),
        "static_shapes": config.torch_compile,
        "optimizer_from": checkpoint_of(config) if config.init_mode == "full" else None,
        **{key: getattr(config, key) for key in TRAINER_KEYS},
        **(config.training or {}),
    }


def check_length(config: PretrainConfig, architecture: Any) -> None:
    """Refuse chunks that the model has no positions for, or that a row does not hold.

    Raises:
        UsageError: With the numbers.
    """
    from doctobert_hf.models.positions import max_positions

    positions = max_positions(architecture)
    if positions is not None and config.max_length > positions:
        raise UsageError(
            f"max_length {config.max_length:,} and a model of {positions:,} positions",
            f"chunks of at most {positions:,} tokens",
            f"Pass --max-length {positions}, or take a model with more positions",
        )
    if config.micro_batch_tokens < config.max_length:
        raise UsageError(
            f"Rows of {config.micro_batch_tokens:,} tokens (micro_batch_tokens) and chunks of "
            f"{config.max_length:,} (max_length)",
            "rows that hold a chunk",
        )


def finish_pretraining(trainer: MLMTrainer, config: PretrainConfig) -> Path:
    """Save the final model in plain Transformers format and return its folder."""
    from doctobert_hf.models.adapters import merge_adapters
    from doctobert_hf.models.averaging import AVERAGED

    target = Path(config.output) / "model"
    trainer.accelerator.wait_for_everyone()
    merge_adapters(trainer.model)
    average(config, trainer.model, trainer.processing_class)
    trainer.save_model(str(target))
    if config.average_share:
        trainer.evaluate(metric_key_prefix=AVERAGED)
    if trainer.run_folder is not None:
        trainer.run_folder.finish("model", "metrics.jsonl")
    close_pretraining(trainer)
    return target
