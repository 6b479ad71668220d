"""Models and tokenizers made ready to publish: what goes along, and that it is what it seems."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.files import write_json_atomic, write_text_atomic
from doctobert_hf.hub.cards.beside import TASK, portable_task
from doctobert_hf.hub.cards.phases import LOG
from doctobert_hf.hub.cards.reading import read_json
from doctobert_hf.hub.cards.records import ModelFolder
from doctobert_hf.hub.stage.companions import left_out
from doctobert_hf.hub.stage.paths import without_paths
from doctobert_hf.hub.stage.preflight import check_sources, refuse
from doctobert_hf.models.positions import max_positions
from doctobert_hf.pretraining.data.store import tokenizer_fingerprint
from doctobert_hf.runs.record import read_record, vocabulary_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TOKENIZER_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("sentencepiece.model", "sentencepiece.bpe.model", "vocab.txt", "merges.txt", "vocab.json"),
)
OPTIMIZER_FILES = ("optimizer.pt", "scheduler.pt")
TRAINING_FILES = (
    *(*OPTIMIZER_FILES, "training_args.bin", "scaler.pt", "rng_state*", "trainer_state.json"),
    *("data_state.json", "checkpoint.json", "retrieval.json", "checkpoint-*", "runs"),
)
"""What training leaves beside a model, for itself."""
MODULE_FILES = (
    *("config.json", "router_config.json", "lstm_config.json", "cnn_config.json", "idf.json"),
    *("wordembedding_config.json", "whitespacetokenizer_config.json"),
    "phrasetokenizer_config.json",
)
"""What modules of Sentence Transformers write into folders of their own, beside weights."""
_SENTENCE_FILES = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
WEIGHT_FILES = ("*.safetensors", "pytorch_model*.bin")
MACHINE_KEYS = ("is_local", "local_files_only", "name_or_path", "_name_or_path")
PROBES = (
    "Le patient présente une douleur thoracique depuis deux jours.",
    "Traitement par amoxicilline 1 g, trois fois par jour pendant 7 jours.",
    "Pas d'antécédent notable.",
)


def stage_model(place: ModelFolder, target: Path) -> list[str]:
    """Copy a model as safetensors with its tokenizer, and prove that the copy is the model.

    Returns:
        Warnings for the user.

    Raises:
        DataError: Weights are missing, model and tokenizer do not fit, or the copy answers
            differently.
        PreflightError: A file is a link that leads out of the folder.
    """
    source = place.model
    weights = sorted(source.glob("*.safetensors"))
    # A run can be reached through a link; what must not leave is a file's target.
    named = [source / name for name in TOKENIZER_FILES if (source / name).is_file()]
    refuse(check_sources(source, [source / "config.json", *weights, *named]))
    target.mkdir(parents=True, exist_ok=True)
    model = load_checked(source)
    if weights:
        for file in [*weights, *source.glob("*.safetensors.index.json")]:
            shutil.copy(file, target / file.name)
    else:
        model.save_pretrained(target)
    warnings = _write_portable(read_json(source / "config.json"), target / "config.json")
    warnings += _stage_extras(source, target)
    task = portable_task(source)
    if task is not None:  # what Predictor reads beside the weights
        warnings += _write_portable(task, target / TASK)
    tokenizer = stage_tokenizer(source, target) if named else None
    if tokenizer is None:
        warnings.append("There is no tokenizer beside the model")
    else:
        check_fit(model, tokenizer)
        check_vocabulary(place, tokenizer)
    compare(model, load_checked(target), tokenizer)
    return warnings


def _stage_extras(source: Path, target: Path) -> list[str]:
    """Modules of Sentence Transformers: their configurations and safetensors."""
    if not (source / "modules.json").is_file():
        return []
    modules = read_json(source / "modules.json")
    files = [source / "modules.json", source / "config_sentence_transformers.json"]
    for module in modules:
        if module.get("path"):  # of a stranger's file there nobody knows what it holds
            names = (*MODULE_FILES, *TOKENIZER_FILES, *_SENTENCE_FILES)
            files += [source / module["path"] / name for name in names]
            files += sorted((source / module["path"]).glob("*.safetensors*"))
    files += [source / name for name in _SENTENCE_FILES]
    chosen = [
        f for f in files if f.is_file() and f.suffix in (".json", ".safetensors", ".txt", ".model")
    ]
    refuse(check_sources(source, chosen))
    warnings: list[str] = []
    for file in chosen:
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            continue
        if file.suffix == ".json" and file.name not in TOKENIZER_FILES:
            content = read_json(file)
            if isinstance(content, dict):
                warnings += _write_portable(content, place)
                continue
        shutil.copy(file, place)
    return warnings


def told_of_left_out(source: Path, target: Path) -> list[str]:
    """Return a warning about files of a model's folder that have no place in ``target``."""
    taken = [file for file in source.rglob("*") if (target / file.relative_to(source)).is_file()]
    if not any(source.glob("*.safetensors")):  # written anew as such
        taken += source.glob("pytorch_model*")
    return left_out(source, taken, TRAINING_FILES)


def load_checked(folder: Path) -> PreTrainedModel:
    """Load a model as its class in ``config.json``, on the CPU in float32.

    Raises:
        DataError: A weight is missing or unknown: it would be random, and silently so; or all are.
    """
    import torch
    import transformers

    if not any(file for name in WEIGHT_FILES for file in folder.glob(name)):
        raise DataError(
            f"'{folder.name}' has no weights, but config.json",
            "model.safetensors, or pytorch_model.bin",
            "Of an export (ONNX) publish the folder that it was made from",
        )
    config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
    classes = config.architectures or []
    cls = getattr(transformers, classes[0], None) if classes else transformers.AutoModel
    if cls is None:
        raise DataError(
            f"config.json names the class {classes[0]}", "a class of Transformers", "Export it"
        )
    model, info = cls.from_pretrained(
        folder,
        output_loading_info=True,
        dtype=torch.float32,
        trust_remote_code=False,
        ignore_mismatched_sizes=True,  # told of below, by name
    )
    headless = not classes or classes[0].endswith("Model")
    for kind in ("missing_keys", "mismatched_keys", "unexpected_keys"):
        names = sorted(_named(key) for key in info.get(kind) or ())
        if kind == "missing_keys" and headless:  # what pools is not used where no head is
            names = [name for name in names if not name.startswith("pooler.")]
        if names:
            raise DataError(
                f"{classes[0] if classes else 'The model'} in '{folder.name}' has "
                f"{len(names)} {kind.replace('_', ' ')} ({', '.join(names[:3])})",
                "exactly the weights of its class",
                "Save it again with save_pretrained",
            )
    return model.eval()


def _named(key: Any) -> str:
    """Return how a weight is told of: its name, of one of another shape the shapes too."""
    if isinstance(key, str):
        return key
    name, there, expected = key
    return f"{name}: {tuple(there)} for {tuple(expected)}"


def compare(
    model: PreTrainedModel, copy: PreTrainedModel, tokenizer: PreTrainedTokenizerBase | None
) -> None:
    """Compare two models' outputs on a few sentences; they must be the same numbers.

    Raises:
        DataError: They differ, or are not finite.
    """
    import torch

    if tokenizer is not None:
        inputs = dict(tokenizer(list(PROBES), padding=True, truncation=True, return_tensors="pt"))
        inputs.pop("token_type_ids", None)
    else:
        ids = torch.arange(12).remainder(model.config.vocab_size)[None]
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.no_grad():
        ours, theirs = model(**inputs)[0], copy(**inputs)[0]
    if not torch.isfinite(ours).all():
        raise DataError("The model's outputs are not finite", "numbers", "Train it again")
    if ours.numel() > 1 and ours.min() == ours.max():
        raise DataError("The model answers all with one number", "trained weights", "Export it")
    if not torch.equal(ours, theirs):
        raise DataError(
            f"The copy's outputs differ by up to {(ours - theirs).abs().max():.2g}",
            "the same numbers",
            "The weights on disk do not belong to this config.json",
        )


def stage_tokenizer(source: Path, target: Path) -> PreTrainedTokenizerBase:
    """Copy a tokenizer's files, without what only this machine understands, and load the copy.

    Raises:
        DataError: The copy encodes differently.
        UsageError: There is no tokenizer.
        PreflightError: A file is a link that leads out of the folder.
    """
    from transformers import AutoTokenizer

    files = [source / name for name in TOKENIZER_FILES if (source / name).is_file()]
    if not files:
        raise UsageError(f"No tokenizer in '{source}'", "a folder with tokenizer.json")
    refuse(check_sources(source, files))
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        if file.name == "tokenizer_config.json":
            _write_portable(read_json(file), target / file.name)
        else:
            shutil.copy(file, target / file.name)
    original, copy = (
        AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        for folder in (source, target)
    )
    for text in PROBES:
        if original(text)["input_ids"] != copy(text)["input_ids"]:
            raise DataError("The tokenizer's copy encodes differently", "the same ids")
    return copy


def check_fit(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Check that a tokenizer belongs to a model: vocabulary, special ids, positions.

    Raises:
        DataError: Something does not fit; all of it is named.
    """
    config = model.config
    wrong = []
    if len(tokenizer) > config.vocab_size:
        wrong.append(f"{len(tokenizer):,} tokens for {config.vocab_size:,} rows of the embedding")
    for name in ("pad", "cls", "sep", "bos", "eos", "mask"):
        theirs = getattr(config, f"{name}_token_id", None)
        ours = getattr(tokenizer, f"{name}_token_id", None)
        if theirs is not None and ours is not None and theirs != ours:
            wrong.append(f"{name}_token_id is {theirs} in config.json, {ours} in the tokenizer")
    if tokenizer.pad_token_id is None:
        wrong.append("the tokenizer has no padding token")
    room = max_positions(config)
    if room is not None:
        length = tokenizer.model_max_length
        if length > room:
            said = f"{length:,}" if length < 10**9 else "no limit"
            wrong.append(f"model_max_length is {said}, and the model has {room:,} positions")
    if wrong:
        raise DataError(
            f"Model and tokenizer do not fit: {'; '.join(wrong)}",
            "the tokenizer that the model was trained with",
        )


def check_vocabulary(place: ModelFolder, tokenizer: PreTrainedTokenizerBase) -> None:
    """Check that a run's tokenizer is still the one whose ids the weights have learnt.

    Raises:
        DataError: Its vocabulary or rules are not those that the run recorded.
    """
    if place.run is None:
        return
    record = read_record(place.run)
    name = place.model.relative_to(place.run).as_posix()
    output = {} if record is None else record.outputs.get(name, {})
    store = read_json(place.run / "stores" / "train" / "manifest.json")
    changed = "vocabulary" in output and output["vocabulary"] != vocabulary_of(place.model)
    if changed or (
        store is not None and store["tokenizer_hash"] != tokenizer_fingerprint(tokenizer)
    ):
        raise DataError(
            "The tokenizer's vocabulary is not the one that the run was trained with",
            f"the tokenizer that the run '{place.run.name}' wrote",
            "Put it back",
        )


def _write_portable(config: dict[str, Any], place: Path) -> list[str]:
    """Write a configuration without what only this machine understands; return what to tell."""
    reduced: list[str] = []
    left = (*MACHINE_KEYS, "auto_map")
    kept = {key: value for key, value in config.items() if key not in left}
    write_json_atomic(place, without_paths(kept, reduced))
    told = []
    if "auto_map" in config:  # a reader would be asked to run code that is not there
        told.append(f"{place.name}: auto_map names code of the model's own, and is left out")
    if reduced:
        names = ", ".join(dict.fromkeys(reduced))
        told.append(f"{place.name}: paths of this machine are reduced to their last part: {names}")
    return told


def stage_checkpoints(run: Path, target: Path, optimizer: bool) -> list[dict[str, Any]]:
    """Copy each checkpoint of a run to a folder of its own, loadable with ``subfolder=``.

    Args:
        run: Folder with ``checkpoint-N`` folders.
        target: Where to copy to.
        optimizer: Whether optimizer and scheduler states go along; they are pickles, and only
            those that load as plain tensors.

    Returns:
        A record for each checkpoint: ``folder``, ``step``, ``tokens``, ``loss``.

    Raises:
        UsageError: There are no checkpoints.
        DataError: A checkpoint is damaged, or an optimizer state holds more than tensors.
    """
    from doctobert_hf.pretraining.checkpoints import MANIFEST, list_checkpoints, problem

    folders = list_checkpoints(run)
    if not folders:
        raise UsageError(f"No checkpoint in '{run}'", "folders checkpoint-N")
    for folder in folders:
        if (folder / MANIFEST).is_file() and (wrong := problem(folder)):
            raise DataError(f"{folder.name} is damaged: {wrong}", fix="Move it away and push again")
    records = []
    for folder in folders:
        place = target / folder.name
        stage_model(ModelFolder(folder, None), place)
        if optimizer:
            _stage_optimizer(folder, place)
        state = read_json(folder / "trainer_state.json") or {}
        history = [row for row in state.get("log_history", []) if "loss" in row]
        tokens = read_json(folder / "data_state.json") or {}
        records.append(
            {
                "folder": folder.name,
                "step": state.get("global_step"),
                "tokens": tokens.get("stream", {}).get("tokens"),
                "loss": history[-1]["loss"] if history else None,
            }
        )
    return records


def _stage_optimizer(folder: Path, target: Path) -> None:
    import torch

    for name in OPTIMIZER_FILES:
        if not (folder / name).is_file():
            continue
        try:
            torch.load(folder / name, map_location="cpu", weights_only=True)
        except Exception as error:
            raise DataError(
                f"'{name}' of {folder.name} holds more than tensors and numbers",
                "a state that loads with weights_only=True",
                "Publish without --optimizer",
            ) from error
        shutil.copy(folder / name, target / name)


def stage_training_records(
    run: Path, target: Path, until: int | None = None, with_logs: bool = True
) -> None:
    """Publish what a run recorded: settings, versions, logged values; paths become names.

    Args:
        run: Its folder.
        target: Where to copy to.
        until: Step of a checkpoint: what was logged behind it is not of it.
        with_logs: Whether what was logged is of these weights.
    """
    from doctobert_hf.config import read_yaml

    folder = target / "training"
    config = run / "resolved_config.yaml"
    if config.is_file():
        write_json_atomic(folder / "config.json", without_paths(read_yaml(config)))
    environment = read_json(run / "environment.json")
    if environment is not None:
        keys = ("python", "processor", "cuda", "accelerator", "packages")
        write_json_atomic(
            folder / "environment.json", {k: environment[k] for k in keys if k in environment}
        )
    if not with_logs:
        return
    logs = {"": run, "phase1-": run / "pretraining/phase1", "phase2-": run / "pretraining/phase2"}
    for prefix, place in logs.items():
        if (place / LOG).is_file():
            lines = (place / LOG).read_text(encoding="utf-8").splitlines()
            logged = [json.loads(line) for line in lines if line.strip()]
            if until is not None:  # the run's time is not the checkpoint's
                logged = [r for r in logged if (r.get("step") or 0) <= until]
                logged = [r for r in logged if "train_runtime" not in r]
            rows = [_figures(row) for row in logged]
            text = "".join(json.dumps(row) + "\n" for row in rows if row)
            write_text_atomic(folder / f"{prefix}{LOG}", text)


def _figures(value: Any) -> Any:
    """Return what was logged without its texts: a callback may log a passage it has read."""
    if isinstance(value, dict):
        kept = {key: _figures(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None}
    if isinstance(value, list):
        return [_figures(item) for item in value]
    return value if isinstance(value, int | float) else None
