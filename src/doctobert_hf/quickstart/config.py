"""What a quickstart run is made of; defaults finish in under five minutes on two cores."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from doctobert_hf.errors import UsageError
from doctobert_hf.models import preset_positions
from doctobert_hf.tokenization.layout import reserved_size


@dataclass
class QuickstartConfig:
    """Sizes of a run; recipe ``tiny/quickstart`` holds the same values with comments."""

    corpus: Path | None = field(
        default=None,
        metadata={
            "help": "Parquet file, other corpus file or folder; default: a small generated sample"
        },
    )
    data_dir: Path | None = field(
        default=None,
        metadata={
            "help": "folder of DrBenchmark's raw corpora: the entities are QUAERO MEDLINE's; "
            "default: $DOCTOBERT_DATA_DIR, else those of notes that are made up"
        },
    )
    output: Path = field(default=Path("quickstart-run"), metadata={"help": "folder of the run"})
    text_column: str = field(default="text", metadata={"help": "column that holds the text"})
    max_characters: int = field(
        default=6_000_000, metadata={"help": "take at most this many characters of the corpus"}
    )
    vocab_size: int = field(default=4096, metadata={"help": "size of the tokenizer"})
    max_length: int = field(default=128, metadata={"help": "tokens per chunk"})
    preset: str = field(default="doctomodernbert-tiny", metadata={"help": "architecture to shrink"})
    hidden_size: int = field(default=128, metadata={"help": "width of the model"})
    num_hidden_layers: int = field(default=4, metadata={"help": "depth of the model"})
    batch_tokens: int = field(default=2048, metadata={"help": "tokens per step"})
    phase1_tokens: int = field(default=900_000, metadata={"help": "tokens of the whole mix"})
    phase2_tokens: int = field(default=300_000, metadata={"help": "tokens of the medical subset"})
    learning_rate: float = field(default=4e-3, metadata={"help": "peak rate of phase 1"})
    phase1_mlm_probability: float = field(
        default=0.30, metadata={"help": "share of masked tokens in phase 1"}
    )
    phase2_mlm_probability: float = field(
        default=0.15, metadata={"help": "share of masked tokens in phase 2"}
    )
    save_tokens: int = field(default=200_000, metadata={"help": "tokens between checkpoints"})
    retrieval_steps: int = field(default=100, metadata={"help": "steps of the retriever"})
    seed: int = field(default=17, metadata={"help": "seed of split, weights, order and masks"})

    def __post_init__(self) -> None:
        for name in (
            *("phase1_tokens", "phase2_tokens", "save_tokens", "max_characters"),
            *("hidden_size", "num_hidden_layers", "retrieval_steps"),
        ):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} {getattr(self, name)}", "at least 1")
        if not 0.0 < self.learning_rate < 1.0:
            raise UsageError(f"learning_rate {self.learning_rate}", "above 0 and below 1")
        if self.vocab_size < reserved_size() + 2:
            raise UsageError(f"vocab_size {self.vocab_size}", f"at least {reserved_size() + 2}")
        positions = preset_positions(self.preset)
        if not 8 <= self.max_length <= positions:
            raise UsageError(
                f"max_length {self.max_length}",
                f"at least 8 and at most {positions} tokens, as {self.preset} takes",
            )
        if self.batch_tokens < self.max_length:
            raise UsageError(
                f"batch_tokens {self.batch_tokens}", f"at least max_length, {self.max_length}"
            )
        for name in ("phase1_mlm_probability", "phase2_mlm_probability"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise UsageError(f"{name} {getattr(self, name)}", "a share between 0 and 1")
        if self.hidden_size % 4:
            raise UsageError(f"hidden_size {self.hidden_size}", "a multiple of 4 (heads)")
