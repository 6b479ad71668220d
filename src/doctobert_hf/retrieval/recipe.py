"""A retrieval model as a recipe: its kind, what it is made from, its data and its training."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from doctobert_hf.errors import UsageError


def _key(default: Any, text: str) -> Any:
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata={"help": text})
    return field(default=default, metadata={"help": text})


@dataclass
class RetrievalConfig:
    """One retrieval model; the recipes of the three kinds differ in ``kind`` and lengths."""

    base_model: str = field(metadata={"help": "encoder or retrieval model to begin from"})
    output: Path = _key(Path("retrieval-run"), "folder of the run")
    kind: Literal["dense", "late-interaction", "pylate"] = _key("dense", "kind of model")
    # What a text becomes
    pooling: Literal["mean", "cls", "max"] | None = _key(
        None, "how tokens become a dense vector; null: as the model's own configuration says"
    )
    dimensions: int | None = _key(
        None, "size of a vector, by a projection; null: the encoder's (a token's vector: 128)"
    )
    matryoshka: list[int] = _key([], "smaller sizes a dense vector may be cut to")
    query_prompt: str = _key("", "text before each query; one in brackets becomes a token")
    document_prompt: str = _key("", "text before each document; one in brackets becomes a token")
    query_length: int = _key(64, "most tokens of a query, special tokens counted")
    max_length: int = _key(256, "most tokens of a document's chunk, special tokens counted")
    query_expansion: Literal["none", "fixed", "min"] = _key(
        "none", "mask tokens behind a query: up to query_length, or at least expansion_length"
    )
    expansion_length: int = _key(32, "least tokens of a query with query_expansion min")
    skiplist: list[str] = _key([], "document tokens that are no vectors; 'punctuation' for those")
    # Data
    data: str = _key("labforsims2", "labforsims2, frenchmedmcqa, or a file or folder")
    data_dir: Path | None = _key(None, "folder of raw corpora; null: $DOCTOBERT_DATA_DIR")
    format: Literal["pairs", "terms", "passages"] = _key("pairs", "what a file of yours holds")
    text_column: str = _key("text", "column of passages that holds the text")
    split: Literal["question", "document"] = _key(
        "question", "what is new in held-out parts: questions, or questions and their documents"
    )
    leaked_questions: Literal["refuse", "drop"] = _key(
        "refuse", "what to do where a training question is also held out"
    )
    hard_negatives: int = _key(0, "wrong documents beside each right one")
    mine_negatives: bool = _key(False, "mine missing hard negatives with the model itself")
    mining_margin: float = _key(
        0.05, "how much less than the right one a mined negative must score, as a share"
    )
    # Training
    scale: float | None = _key(
        None, "what scores are multiplied by in the loss; null: 20 (dense), 1 (late interaction)"
    )
    batch_size: int = _key(32, "pairs of a step; each is a negative for the others")
    mini_batch_size: int = _key(0, "pairs computed at once (cached loss); 0: the whole batch")
    epochs: float = _key(3.0, "passes over the pairs")
    max_steps: int = _key(-1, "steps, instead of epochs")
    learning_rate: float = _key(5e-5, "peak learning rate")
    warmup: float = _key(0.1, "share of the steps with a rising learning rate")
    weight_decay: float = _key(0.01, "decay of AdamW")
    evaluations: int = _key(6, "evaluations on the validation pairs in a run")
    patience: int = _key(3, "evaluations without a better nDCG@10 before it stops; 0: never")
    bf16: bool = _key(False, "mixed precision")
    seed: int = _key(17, "seed of new weights, order and dropout")
    report_to: list[str] = _key(["doctobert"], "where logs go besides metrics.jsonl")

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        late = self.kind != "dense"
        for wrong, got, expected in (
            (late and self.matryoshka, "matryoshka", "a dense model"),
            (late and self.pooling, "pooling", "a dense model"),
            (not late and self.query_expansion != "none", "query_expansion", "late interaction"),
            (not late and self.skiplist, "skiplist", "late interaction"),
            (self.kind == "pylate" and self.query_expansion == "min", "expansion min", "fixed"),
            (self.mine_negatives and not self.hard_negatives, "mine_negatives", "hard_negatives"),
        ):
            if wrong:
                raise UsageError(f"{got} with kind '{self.kind}'", expected)
        for name in ("batch_size", "query_length", "max_length", "evaluations"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} {getattr(self, name)}", "at least 1")
        if self.matryoshka and self.dimensions and max(self.matryoshka) > self.dimensions:
            raise UsageError(f"matryoshka {self.matryoshka}", f"sizes up to {self.dimensions}")

    @property
    def skipped_words(self) -> list[str]:
        """The skip list with ``punctuation`` spelt out."""
        import string

        words = [word for word in self.skiplist if word != "punctuation"]
        return words + (list(string.punctuation) if "punctuation" in self.skiplist else [])

    @property
    def loss_scale(self) -> float:
        """What scores are multiplied by in the loss."""
        return self.scale if self.scale is not None else (20.0 if self.kind == "dense" else 1.0)


def read_recipe(name_or_path: str, overrides: dict[str, Any] | None = None) -> RetrievalConfig:
    """Read a recipe, by path or name, with overrides on top.

    Raises:
        UsageError: No such recipe, an unknown key, or values that do not fit together.
    """
    from doctobert_hf.config import build_config, read_yaml
    from doctobert_hf.recipes import find_recipe

    path = find_recipe(name_or_path)
    return build_config(
        RetrievalConfig, read_yaml(path), overrides or {}, source=f"recipe '{path}'"
    )
