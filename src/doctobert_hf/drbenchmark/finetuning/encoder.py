"""The encoder that is measured: its version, its tokenizer, and a fresh head with real dropout."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.drbenchmark.families import family_of
from doctobert_hf.drbenchmark.spec import TaskSpec
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.models.positions import max_positions

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

logger = logging.getLogger(__name__)
TOKENIZER_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.txt", "vocab.json", "merges.txt", "sentencepiece.bpe.model", "spiece.model"),
)
_DROPOUTS = (
    *("hidden_dropout_prob", "mlp_dropout", "dropout", "hidden_dropout"),
    *("classifier_dropout", "cls_dropout", "pooler_dropout", "seq_classif_dropout"),
)
"""Configuration keys of dropout on hidden states and heads, over the architectures. Dropout of
attention weights stays as the model has it."""


@dataclass(frozen=True)
class ModelRef:
    """A model by path or Hub id.

    Attributes:
        source: Path or id.
        revision: Branch, tag or commit on the Hub; None for the newest, and for paths.
        name: Name in results.
        version: Revision in results: the Hub's commit, or ``local-`` and its fingerprint's start.
        fingerprint: SHA-256 of configuration and weights; of the commit for a Hub model.
    """

    source: str
    revision: str | None
    name: str
    version: str
    fingerprint: str

    @property
    def hub_id(self) -> str | None:
        """Its id on the Hub; None of a folder."""
        return None if Path(self.source).expanduser().is_dir() else self.source

    @classmethod
    def find(cls, source: str, revision: str | None = None, name: str | None = None) -> ModelRef:
        """Look a model up; nothing but its configuration is loaded.

        Raises:
            UsageError: There is no model, or no tokenizer with it.
        """
        from transformers import AutoConfig

        folder = Path(source).expanduser()
        if folder.is_dir() and not (folder / "config.json").is_file():
            raise UsageError(
                f"'{source}' has no config.json",
                "a folder that a Transformers model was saved in",
                "Of a pretraining run that is RUN/model",
            )
        try:
            config = AutoConfig.from_pretrained(source, revision=revision, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"No model '{source}' ({str(error).splitlines()[0]})",
                "a folder with config.json and weights, or an id on the Hub",
            ) from error
        if folder.is_dir():
            fingerprint = _fingerprint_of(folder)
            label = "/".join(folder.resolve().parts[-2:])
            return cls(source, None, name or label, f"local-{fingerprint[:12]}", fingerprint)
        commit = getattr(config, "_commit_hash", None) or revision or "main"
        fingerprint = hashlib.sha256(f"{source}@{commit}".encode()).hexdigest()
        return cls(source, revision, name or source, commit, fingerprint)

    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Load its tokenizer.

        Raises:
            UsageError: There is none, or only a slow one.
        """
        from transformers import AutoTokenizer

        from doctobert_hf.tokenization.portable import portable

        try:
            tokenizer = AutoTokenizer.from_pretrained(
                self.source, revision=self.revision, trust_remote_code=False
            )
        except Exception as error:  # what is missing raises by kind of tokenizer
            raise UsageError(
                f"'{self.source}' has no tokenizer that loads ({str(error).splitlines()[0]})",
                "the model's tokenizer beside it",
                "Save it there: tokenizer.save_pretrained(FOLDER)",
            ) from error
        tokenizer = portable(tokenizer)
        if not tokenizer.is_fast or len(tokenizer) < 10:
            raise UsageError(
                f"'{self.source}' has no fast tokenizer", "tokenizer.json beside the model"
            )
        if tokenizer.pad_token is None:
            raise UsageError(f"The tokenizer of '{self.source}' has no padding token", "one")
        return tokenizer

    def max_length(self, wanted: int) -> int:
        """Most tokens of a sequence: ``wanted``, or as many as the model has positions for."""
        from transformers import AutoConfig

        config = AutoConfig.from_pretrained(
            self.source, revision=self.revision, trust_remote_code=False
        )
        positions = max_positions(config) or wanted
        return min(wanted, positions) if positions > 8 else wanted

    def load(self, task: TaskSpec, dropout: float | None) -> PreTrainedModel:
        """Load the encoder with a new head for a task.

        Args:
            task: Decides head and labels.
            dropout: Of hidden states and head; it is set before the layers are built. None: as the
                model has it.

        Raises:
            UsageError: No such head for the architecture.
            DataError: Weights of the encoder are missing from the checkpoint.
        """
        from transformers import AutoConfig

        family = family_of(task)
        maker = family.head()
        config = AutoConfig.from_pretrained(
            self.source, revision=self.revision, trust_remote_code=False
        )
        config.num_labels = family.width(task)
        if config.num_labels > 1:
            config.id2label = dict(enumerate(task.labels))
            config.label2id = {name: number for number, name in enumerate(task.labels)}
        if dropout is not None:
            _set_dropout(config, dropout)
        try:
            with _quiet():  # every new head would be reported as missing weights
                model, report = maker.from_pretrained(
                    self.source,
                    config=config,
                    revision=self.revision,
                    ignore_mismatched_sizes=True,
                    output_loading_info=True,
                    dtype="float32",
                    trust_remote_code=False,
                )
        except ValueError as error:
            raise UsageError(
                f"'{self.source}' ({config.model_type}) has no head for {task.kind}",
                "an encoder such as BERT, RoBERTa, CamemBERT, ModernBERT or DeBERTa",
            ) from error
        _check_loaded(self.source, model, report)
        _renew_head(model, report)
        if dropout is not None:
            _check_dropout(model, dropout)
        return model


@contextmanager
def _quiet() -> Iterator[None]:
    from transformers.utils import logging

    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()


def _check_loaded(source: str, model: PreTrainedModel, report: Mapping[str, Any]) -> None:
    """Refuse an encoder of which not all weights were found: the rest would be random.

    A new head has no weights yet, and poolers are missing from many checkpoints of masked models.
    """
    body = f"{model.base_model_prefix}."
    missing = [
        name
        for name in report["missing_keys"]
        if name.startswith(body) and "pooler" not in name and "position_ids" not in name
    ]
    if missing:
        found = sorted(report.get("unexpected_keys", ()))[:3]
        raise DataError(
            f"{len(missing)} weights of the encoder in '{source}' were not found, e.g. "
            f"'{sorted(missing)[0]}'" + (f"; there are {', '.join(found)}" if found else ""),
            "weights under the names that Transformers gives them",
            "Save the model with save_pretrained; prefixes such as 'module.', 'encoder.' or "
            "'_orig_mod.' come from wrappers and must go",
        )


_HEADS = ("classifier", "score", "classification_head", "out_proj")


def _renew_head(model: PreTrainedModel, report: Mapping[str, Any]) -> None:
    """Draw a head anew that the checkpoint has and that happens to be of the same shape."""
    new = {*report["missing_keys"], *(key[0] for key in report.get("mismatched_keys", ()))}
    for name, module in model.named_modules():
        own = [f"{name}.{key}" for key, _ in module.named_parameters(recurse=False)]
        if own and name.split(".")[0] in _HEADS and not set(own) & new:
            for owner in (module, *module.parameters(recurse=False)):
                if hasattr(owner, "_is_hf_initialized"):  # what was loaded is skipped otherwise
                    owner._is_hf_initialized = False
            model._init_weights(module)


def _set_dropout(config: PretrainedConfig, rate: float) -> None:
    for key in _DROPOUTS:
        if hasattr(config, key):
            setattr(config, key, rate)


@lru_cache(maxsize=64)
def _tell_of_dropout(architecture: str) -> None:
    logger.warning("%s has no dropout of hidden states: the setting is left out", architecture)


def _check_dropout(model: PreTrainedModel, rate: float) -> None:
    """Tell where the setting does nothing: an architecture without such layers (EuroBERT)."""
    import torch

    rates = {module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)}
    if rate not in rates:
        _tell_of_dropout(type(model).__name__)


def _fingerprint_of(folder: Path) -> str:
    """Hash configuration, tokenizer and weights of a local model."""
    total = hashlib.sha256()
    names = ("config.json", *TOKENIZER_FILES)
    weights = sorted(p for p in folder.iterdir() if p.suffix in (".safetensors", ".bin"))
    if not weights:
        raise UsageError(f"'{folder}' has no weights", "model.safetensors beside config.json")
    for path in (*(folder / name for name in names if (folder / name).is_file()), *weights):
        with open(path, "rb") as file:
            total.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def describe(model: PreTrainedModel, encoder: ModelRef) -> dict[str, Any]:
    """What a result file records of the model."""
    return {
        "architecture": type(model).__name__,
        "parameters": sum(p.numel() for p in model.parameters()),
        "fingerprint": encoder.fingerprint,
    }
