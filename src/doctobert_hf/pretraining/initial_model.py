"""The model a phase begins with: from a preset, a checkpoint, a run or any encoder of the Hub."""

from __future__ import annotations

import logging
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.models.adapters import add_adapters
from doctobert_hf.models.architecture import check_architecture, restore, set_dropout
from doctobert_hf.models.extending import extend_embeddings
from doctobert_hf.models.opening import open_pretrained

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from doctobert_hf.pretraining.recipe import PretrainConfig

logger = logging.getLogger(__name__)


def make_model(config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """Make the model a phase begins with.

    Raises:
        UsageError: ``init_from`` holds no model, or one of another vocabulary.
    """
    from transformers import AutoModelForMaskedLM

    from doctobert_hf.models.tiling import tile_model

    fresh = None if _is_continued(config) else fresh_config(config, tokenizer)
    if fresh is None:
        model = _begun_model(config, tokenizer)
    elif config.init_from is None:
        model = AutoModelForMaskedLM.from_config(fresh)
        _reset_head(model, config.initializer_range)
    else:
        model = tile_model(_tiles(config, tokenizer), fresh)
    if model.config.vocab_size < len(tokenizer):
        raise UsageError(
            f"A model of {model.config.vocab_size:,} ids and a tokenizer of {len(tokenizer):,}",
            "the model's own tokenizer",
        )
    set_out_dropout(model, config.attention_out_dropout)
    add_trained_parts(model, config)
    return model


def add_trained_parts(model: PreTrainedModel, config: PretrainConfig) -> None:
    """Give a model the recipe's adapters, and freeze what it leaves as it is.

    Raises:
        UsageError: A pattern that names nothing, or nothing is left to train.
    """
    if config.lora_rank is not None:
        layers = add_adapters(model, config.lora_rank, config.lora_alpha, config.lora_targets)
        if getattr(model, "has_new_pieces", False):  # they would stay what they began as
            embeddings: Any = model.get_input_embeddings()
            embeddings.weight.requires_grad_(True)
            logger.info("The embeddings are trained too: the vocabulary was extended")
        _tell_of_adapters(model, len(layers))
    _freeze(model, config.freeze)


def _tiles(config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """Load the model that is tiled; its rows of embeddings must be the tokenizer's.

    Raises:
        UsageError: The tokenizer is not its own.
    """
    from transformers import AutoModelForMaskedLM

    from doctobert_hf.pretraining.fit import check_tokenizer

    source = source_of(config)
    base = open_pretrained(AutoModelForMaskedLM, source, dtype="float32")
    if check_tokenizer(source, base.config, tokenizer, config.tokenizer) is not None:
        raise UsageError(
            "init_mode 'tile' with an extended vocabulary",
            "the model's own tokenizer",
            "Tile first, and begin another phase with the extended one",
        )
    return base


def _is_continued(config: PretrainConfig) -> bool:
    return config.init_from is not None and config.init_mode != "tile"


def fresh_config(config: PretrainConfig, tokenizer: PreTrainedTokenizerBase | None) -> Any:
    """Return the preset's configuration with the recipe's own values of the architecture.

    Raises:
        UsageError: A value that the architecture does not have or take.
    """
    from doctobert_hf.models import preset_config

    given = check_architecture(config.architecture or {}, preset_config(config.preset))
    given.setdefault("initializer_range", config.initializer_range)
    fresh = preset_config(config.preset, tokenizer, **given)
    set_rope(fresh, config)
    return fresh


def _tell_of_adapters(model: PreTrainedModel, layers: int) -> None:
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    logger.info(
        "LoRA in %d layers: %.2f of %.2f million weights are trained",
        *(layers, trained / 1e6, sum(p.numel() for p in model.parameters()) / 1e6),
    )


def _begun_model(config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """Load ``init_from`` in float32, whatever it was saved in, with its own tokenizer.

    Raises:
        UsageError: It is no masked-LM encoder, or the tokenizer is not its own.
        DataError: Weights of the encoder are missing.
    """
    from transformers import AutoConfig, AutoModelForMaskedLM

    from doctobert_hf.pretraining.fit import check_tokenizer

    source = source_of(config)
    known = open_pretrained(AutoConfig, source)
    own = set_dropout(known, config.architecture or {})
    extension = check_tokenizer(source, known, tokenizer, config.tokenizer)
    set_rope(known, config)
    # Trained in half precision a weight does not move: its steps are smaller than its last digit.
    model, report = open_pretrained(
        AutoModelForMaskedLM, source, config=known, dtype="float32", output_loading_info=True
    )
    if any("lora_A" in name for name in report["unexpected_keys"]):
        raise UsageError(
            f"'{source}' is a checkpoint with LoRA adapters",
            "a whole model",
            "Name the finished run, whose model has them merged, or resume it: --resume",
        )
    restore(model, own)
    model.has_new_head = _check_weights(source, model, report["missing_keys"])
    if extension is not None and config.init_mode == "full":
        raise UsageError(
            "init_mode 'full' with an extended vocabulary: the optimizer knows no new pieces",
            "init_mode weights",
        )
    if extension is not None:
        try:
            extend_embeddings(model, extension)
        except IndexError as error:  # a head that the library does not resize
            raise UsageError(
                f"The vocabulary of {type(model).__name__} in '{source}' cannot be extended",
                "an encoder whose head shares its embeddings",
            ) from error
        _check_saved(model, source)
        model.has_new_pieces = True
        logger.info("%d new pieces begin as the mean of their old ones", len(extension["pieces"]))
    return model


def _check_saved(model: PreTrainedModel, source: str) -> None:
    """Refuse an extended model that is not read back as it is: heads with tables of their own.

    Raises:
        UsageError: Weights of it have other shapes or values when it was saved and loaded.
    """
    import tempfile

    import torch
    from transformers import AutoModelForMaskedLM

    head = model.get_output_embeddings()
    tied: Any = model.get_input_embeddings()
    if head is not None and head.weight is tied.weight:
        return
    ours = model.state_dict()
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        try:
            again = AutoModelForMaskedLM.from_pretrained(folder, dtype="float32").state_dict()
        except (RuntimeError, ValueError):
            again = {}
    if ours.keys() != again.keys() or not all(torch.equal(ours[n], again[n]) for n in ours):
        raise UsageError(
            f"The head of '{source}' has tables of its own, which Transformers does not read back "
            "when the vocabulary was extended",
            "an encoder whose head shares its embeddings",
            "Leave --tokenizer out",
        )


def _check_weights(source: str, model: PreTrainedModel, missing: Iterable[str]) -> bool:
    """Refuse an encoder without all its weights; tell of a head that is drawn anew.

    Returns:
        Whether it is.
    """
    body = f"{model.base_model_prefix}."
    names = [name for name in missing if "position_ids" not in name and "pooler" not in name]
    lost = sorted(name for name in names if name.startswith(body))
    if lost:
        raise DataError(
            f"{len(lost)} weights of the encoder in '{source}' were not found, e.g. '{lost[0]}'",
            "weights under the names that Transformers gives them",
            "Save the model with save_pretrained",
        )
    if names:
        logger.warning(
            "'%s' has no masked-LM head (no %s): a new one is drawn", source, sorted(names)[0]
        )
    return bool(names)


def _freeze(model: PreTrainedModel, patterns: tuple[str, ...]) -> None:
    """Leave the weights of some names as they are.

    Raises:
        UsageError: A pattern that names no weight, or nothing is left to train.
    """
    # A weight that is tied has two names: of CamemBERT's embeddings the head's comes first.
    named = list(model.named_parameters(remove_duplicate=False))
    for pattern in patterns:
        found = [p for name, p in named if fnmatch(name, pattern)]
        if not found:
            example = named[0][0]
            raise UsageError(f"freeze '{pattern}' names no weight", f"names such as '{example}'")
        for parameter in found:
            parameter.requires_grad_(False)
    for name, parameter in named:
        if not parameter.requires_grad and not any(fnmatch(name, p) for p in patterns):
            logger.warning("'%s' is frozen too: it is one weight with one that was named", name)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UsageError(f"freeze {' '.join(patterns)} leaves nothing to train", "fewer patterns")


def _reset_head(model: PreTrainedModel, spread: float) -> None:
    """Draw ModernBERT's head as the published runs did (FlexBERT, ``full_megatron``).

    Transformers draws ``head.dense`` with ``spread / sqrt(2 layers)``, like the blocks' outputs;
    the models' training code draws it like any other matrix.
    """
    import torch

    if model.config.model_type == "modernbert":
        weight: Any = model.head.dense.weight  # type: ignore[union-attr]
        torch.nn.init.trunc_normal_(weight, std=spread, a=-2 * spread, b=2 * spread)


def set_rope(architecture: Any, config: PretrainConfig) -> None:
    """Set the RoPE bases that the recipe names.

    Raises:
        UsageError: Not a ModernBERT.
    """
    for kind, theta in (
        ("full_attention", config.rope_theta_global),
        ("sliding_attention", config.rope_theta_local),
    ):
        if theta is not None:
            if architecture.model_type != "modernbert":
                raise UsageError(f"A RoPE base for {architecture.model_type}", "ModernBERT")
            architecture.rope_parameters[kind]["rope_theta"] = theta


def set_out_dropout(model: PreTrainedModel, rate: float) -> None:
    """Dropout behind attention, as the published runs have it; not a part of the saved model.

    Transformers has one key for this and for dropout of attention weights, which stays 0.
    """
    if not rate:
        return
    import torch

    if model.config.model_type != "modernbert":
        raise UsageError(f"attention_out_dropout for {model.config.model_type}", "ModernBERT")
    for layer in model.model.layers:  # type: ignore[union-attr]
        layer.attn.out_drop = torch.nn.Dropout(rate)


def source_of(config: PretrainConfig) -> str:
    """Return where a phase has weights, configuration and tokenizer from: one folder for all.

    With ``init_mode: full`` it is the checkpoint whose optimizer comes along.

    Raises:
        UsageError: A run without a whole checkpoint.
        DataError: The checkpoint that is named is damaged.
    """
    return checkpoint_of(config) if config.init_mode == "full" else model_of(str(config.init_from))


SHARDS = (
    "average_share with fsdp, whose weights are in shards",
    "one of them",
    "Pass --average-share 0, and average afterwards: doctobert_hf.models.averaging.average_models",
)


def average(
    config: PretrainConfig,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    check: bool = False,
) -> None:
    """Average a finished model with ``average_with``, or with what it began from.

    Args:
        config: The recipe.
        model: The model; changed in place.
        tokenizer: Its tokenizer.
        check: Change nothing; refuse what would fail behind the training.

    Raises:
        UsageError: Other weights or another vocabulary than the model's, or weights in shards.
    """
    from transformers import AutoConfig

    from doctobert_hf.models.averaging import average_into, check_average
    from doctobert_hf.pretraining.fit import check_tokenizer

    if not config.average_share:
        return
    if (config.training or {}).get("fsdp"):
        raise UsageError(*SHARDS)
    own = config.average_with is None
    if own and check:
        return  # what it began from fits
    other = source_of(config) if own else model_of(str(config.average_with))
    extension = None
    if not own or config.tokenizer is not None:
        known = open_pretrained(AutoConfig, other)
        extension = check_tokenizer(other, known, tokenizer, config.tokenizer)
    if check:
        if config.lora_rank is None:  # adapters are merged before
            check_average(model, other)
        return
    count = average_into(
        model, other, config.average_share, extension["first_id"] if extension else None
    )
    logger.info("%d tensors averaged with '%s' (%g of it)", count, other, config.average_share)


def model_of(place: str) -> str:
    """A run's final model, its last whole checkpoint, or what is named itself.

    Checkpoints of a stock ``Trainer`` say not whether they are whole: the last one is taken.
    """
    from doctobert_hf.pretraining.checkpoints import (
        MANIFEST,
        last_whole_checkpoint,
        list_checkpoints,
    )

    folder = Path(place)
    if (folder / "model" / "config.json").is_file():
        return str(folder / "model")
    made = list_checkpoints(folder) if folder.is_dir() else []
    if made and not (folder / "config.json").is_file():
        ours = any((checkpoint / MANIFEST).is_file() for checkpoint in made)
        return str(last_whole_checkpoint(folder) if ours else made[-1])
    _refuse_damaged(folder)
    return place


def checkpoint_of(config: PretrainConfig) -> str:
    """Return the newest whole checkpoint of the run a phase begins with, or what it names."""
    from doctobert_hf.pretraining.checkpoints import last_whole_checkpoint, list_checkpoints

    folder = Path(str(config.init_from))
    if (folder / "optimizer.pt").is_file():
        _refuse_damaged(folder)
        return str(folder)
    if not list_checkpoints(folder):
        raise UsageError(
            f"init_mode 'full' from '{folder}', which has no checkpoint with its optimizer",
            "a run folder, or one of its checkpoints",
            "Take the weights alone: init_mode weights",
        )
    return str(last_whole_checkpoint(folder))


def _refuse_damaged(folder: Path) -> None:
    from doctobert_hf.pretraining.checkpoints import MANIFEST, problem

    if (folder / MANIFEST).is_file() and (wrong := problem(folder)):
        raise DataError(
            f"The checkpoint {folder} cannot be used: {wrong}",
            "a whole one",
            "Name the run: its last whole checkpoint is taken",
        )
