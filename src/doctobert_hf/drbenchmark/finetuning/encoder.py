"""The encoder that is measured: its identity, its tokenizer, and a fresh head with real dropout."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.drbenchmark.finetuning.families import output_width
from doctobert_hf.drbenchmark.spec import TaskSpec
from doctobert_hf.errors import UsageError
from doctobert_hf.models.positions import max_positions

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

_DROPOUTS = (
    *("hidden_dropout_prob", "mlp_dropout", "dropout", "hidden_dropout"),
    *("classifier_dropout", "cls_dropout", "pooler_dropout", "seq_classif_dropout"),
)
"""Configuration keys of dropout on hidden states and heads, over the architectures. Dropout of
attention weights stays as the model has it."""


@dataclass(frozen=True)
class Encoder:
    """A model by path or Hub id.

    Attributes:
        source: Path or id.
        revision: Branch, tag or commit on the Hub; None for the newest, and for paths.
        name: Name in results.
        identity: Revision in results: the Hub's commit, or ``local-`` and a hash.
        fingerprint: SHA-256 of configuration and weights; of the commit for a Hub model.
    """

    source: str
    revision: str | None
    name: str
    identity: str
    fingerprint: str

    @classmethod
    def find(cls, source: str, revision: str | None = None, name: str | None = None) -> Encoder:
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
            digest = _hash_files(folder)
            label = "/".join(folder.resolve().parts[-2:])
            return cls(source, None, name or label, f"local-{digest[:12]}", digest)
        commit = getattr(config, "_commit_hash", None) or revision or "main"
        fingerprint = hashlib.sha256(f"{source}@{commit}".encode()).hexdigest()
        return cls(source, revision, name or source, commit, fingerprint)

    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Load its tokenizer.

        Raises:
            UsageError: There is none, or only a slow one.
        """
        from transformers import AutoTokenizer

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
            UsageError: No such head for the architecture, or it has no dropout that could be set.
        """
        from transformers import (
            AutoConfig,
            AutoModelForSequenceClassification,
            AutoModelForTokenClassification,
        )

        words = task.kind == "token-classification"
        maker = AutoModelForTokenClassification if words else AutoModelForSequenceClassification
        config = AutoConfig.from_pretrained(
            self.source, revision=self.revision, trust_remote_code=False
        )
        config.num_labels = output_width(task)
        if output_width(task) > 1:
            config.id2label = dict(enumerate(task.labels))
            config.label2id = {name: number for number, name in enumerate(task.labels)}
        if dropout is not None:
            _set_dropout(config, dropout)
        try:
            with _quiet():  # every new head would be reported as missing weights
                model = maker.from_pretrained(
                    self.source,
                    config=config,
                    revision=self.revision,
                    ignore_mismatched_sizes=True,
                    dtype="float32",
                    trust_remote_code=False,
                )
        except ValueError as error:
            raise UsageError(
                f"'{self.source}' ({config.model_type}) has no head for {task.kind}",
                "an encoder such as BERT, RoBERTa, CamemBERT, ModernBERT or DeBERTa",
            ) from error
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


def _set_dropout(config: PretrainedConfig, rate: float) -> None:
    keys = [key for key in _DROPOUTS if hasattr(config, key)]
    if not keys:
        raise UsageError(
            f"dropout {rate} for {config.model_type}, which has none of {', '.join(_DROPOUTS)}",
            fix="Set dropout: null in the search space",
        )
    for key in keys:
        setattr(config, key, rate)


def _check_dropout(model: PreTrainedModel, rate: float) -> None:
    """Dropout set too late, or under a key that the model does not read, would do nothing."""
    import torch

    rates = {module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)}
    if rate not in rates:
        raise UsageError(
            f"dropout {rate} has no effect on {type(model).__name__}: its layers have "
            f"{sorted(rates)}",
            fix="Set dropout: null in the search space, and report the architecture",
        )


def _hash_files(folder: Path) -> str:
    """Hash configuration, tokenizer and weights of a local model."""
    total = hashlib.sha256()
    names = ("config.json", "tokenizer.json")
    weights = sorted(p for p in folder.iterdir() if p.suffix in (".safetensors", ".bin"))
    if not weights:
        raise UsageError(f"'{folder}' has no weights", "model.safetensors beside config.json")
    for path in (*(folder / name for name in names if (folder / name).is_file()), *weights):
        with open(path, "rb") as file:
            total.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def describe(model: PreTrainedModel, encoder: Encoder) -> dict[str, Any]:
    """What a result file records of the model."""
    return {
        "architecture": type(model).__name__,
        "parameters": sum(p.numel() for p in model.parameters()),
        "fingerprint": encoder.fingerprint,
    }
