"""A retrieval model as a recipe: its kind, what it is made from, its data and its training."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from doctobert_hf.config import check_bounds, option
from doctobert_hf.errors import UsageError


@dataclass
class RetrievalConfig:
    """One retrieval model; the recipes of the four kinds differ in ``kind`` and lengths.

    Example:
        >>> RetrievalConfig(base_model="encoder", kind="late-interaction").kind
        'late-interaction'
    """

    base_model: str = field(
        metadata={"help": "encoder or retrieval model to begin from", "path": True}
    )
    output: Path = option(Path("retrieval-run"), "folder of the run")
    kind: Literal["dense", "late-interaction", "sparse", "pylate"] = option(
        "dense", "kind of model"
    )
    # What a text becomes; null: as a base that is a retriever has it, else the kind's usual value
    pooling: Literal["mean", "cls", "max"] | None = option(
        None, "how tokens become a dense vector; null: as the base has it, else mean"
    )
    dimensions: int | None = option(
        None,
        "size of a vector, by a projection; null: as the base has it, else the encoder's "
        "(a token's vector: 128)",
        least=1,
    )
    matryoshka: list[int] = option([], "smaller sizes a dense vector may be cut to", least=1)
    query_prompt: str | None = option(
        None,
        "text before each query; one in brackets becomes a token; null: as the base has it, else "
        "none (late interaction: '[Q] ')",
    )
    document_prompt: str | None = option(
        None,
        "text before each document; null: as the base has it, else none (late interaction: '[D] ')",
    )
    query_length: int | None = option(
        None,
        "most tokens of a query, special tokens counted; null: as the base has it, else 64",
        least=1,
    )
    max_length: int | None = option(
        None,
        "most tokens of a document's chunk, special tokens counted; null: as the base has it, "
        "else 128, or what the encoder has positions for",
        least=1,
    )
    query_expansion: Literal["none", "fixed", "min"] | None = option(
        None,
        "mask tokens behind a query: up to query_length, or at least expansion_length; null: as "
        "the base has it, else none",
    )
    expansion_length: int = option(32, "least tokens of a query with query_expansion min", least=1)
    skiplist: list[str] | None = option(
        None,
        "document tokens that are no vectors; 'punctuation' for those; null: as the base has it, "
        "else punctuation",
    )
    # Data
    data: str = option("labforsims2", "labforsims2, frenchmedmcqa, or a file or folder", path=True)
    data_dir: Path | None = option(None, "folder of raw corpora; null: $DOCTOBERT_DATA_DIR")
    format: Literal["pairs", "terms", "passages"] = option("pairs", "what a file of yours holds")
    text_column: str = option("text", "column of passages that holds the text")
    distractors: Path | None = option(
        None, "file or folder of further documents that a search has to pass over"
    )
    split: Literal["question", "document"] = option(
        "question", "what is new in held-out parts: questions, or questions and their documents"
    )
    leaked_questions: Literal["refuse", "drop"] = option(
        "refuse", "what to do where a training question is also held out"
    )
    hard_negatives: int = option(0, "wrong documents beside each right one", least=0)
    mine_negatives: bool = option(False, "mine missing hard negatives with the model itself")
    mining_margin: float = option(
        0.05,
        "how much less than the right one a mined negative must score, as a share",
        least=0,
        below=1,
    )
    # Training
    scale: float | None = option(
        None,
        "what scores are multiplied by in the loss; null: 20 (dense), 1 (late interaction, sparse)",
        above=0,
    )
    document_sparsity: float | None = option(
        None,
        "kind sparse: how much the loss wants few weights in a document; null: 3e-5",
        least=0,
    )
    query_sparsity: float | None = option(
        None, "kind sparse: the same for a question; null: 5e-5", least=0
    )
    batch_size: int = option(
        32, "pairs of a step (of each process); each is a negative for the others", least=1
    )
    mini_batch_size: int = option(
        0, "pairs computed at once (cached loss); 0: the whole batch", least=0
    )
    epochs: float = option(3.0, "passes over the pairs", above=0)
    max_steps: int = option(-1, "steps, instead of epochs", least=-1)
    learning_rate: float = option(5e-5, "peak learning rate", above=0)
    warmup: float = option(0.1, "share of the steps with a rising learning rate", least=0, most=1)
    weight_decay: float = option(0.01, "decay of AdamW", least=0)
    evaluations: int = option(6, "evaluations on the validation pairs in a run", least=1)
    patience: int = option(
        3, "evaluations without a better nDCG@10 before it stops; 0: never", least=0
    )
    bf16: bool = option(False, "mixed precision")
    seed: int = option(17, "seed of new weights, order and dropout", least=0)
    report_to: list[str] = option(["doctobert"], "where logs go besides metrics.jsonl")

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        late = self.kind in ("late-interaction", "pylate")
        sparse = self.kind == "sparse"
        brackets = [text for text in self.given_prompts.values() if text.startswith("[")]
        self._set_sparsity()
        for wrong, got, expected in (
            ((late or sparse) and self.matryoshka, "matryoshka", "a dense model"),
            ((late or sparse) and self.pooling, "pooling", "a dense model"),
            (sparse and self.dimensions, "dimensions", "dense: here they are the vocabulary"),
            (sparse and self.mine_negatives, "mine_negatives", "dense or late interaction"),
            (sparse and brackets, f"The prompt {brackets}", "a prompt without brackets"),
            (
                not late and self.query_expansion not in (None, "none"),
                "query_expansion",
                "late interaction",
            ),
            (not late and self.skiplist, "skiplist", "late interaction"),
            (self.kind == "pylate" and self.query_expansion == "min", "expansion min", "fixed"),
            (self.mine_negatives and not self.hard_negatives, "mine_negatives", "hard_negatives"),
        ):
            if wrong:
                raise UsageError(f"{got} with kind '{self.kind}'", expected)
        check_bounds(self)
        if self.matryoshka and self.dimensions and max(self.matryoshka) > self.dimensions:
            raise UsageError(f"matryoshka {self.matryoshka}", f"sizes up to {self.dimensions}")

    def _set_sparsity(self) -> None:
        usual = {"document_sparsity": 3e-5, "query_sparsity": 5e-5}  # of SPLADE v2
        for name, value in usual.items():
            if self.kind != "sparse" and getattr(self, name) is not None:
                raise UsageError(f"{name} with kind '{self.kind}'", "kind sparse")
            if self.kind == "sparse" and getattr(self, name) is None:
                setattr(self, name, value)

    @property
    def skipped_words(self) -> list[str]:
        """The skip list with ``punctuation`` spelt out; for null that of a new model."""
        import string

        given = ["punctuation"] if self.skiplist is None else self.skiplist
        words = [word for word in given if word != "punctuation"]
        return words + (list(string.punctuation) if "punctuation" in given else [])

    @property
    def new_prompts(self) -> dict[str, str]:
        """What is put before queries and documents, where the base has nothing of its own."""
        late = self.kind in ("late-interaction", "pylate")
        usual = {"query": "[Q] ", "document": "[D] "} if late else {"query": "", "document": ""}
        return usual | self.given_prompts

    @property
    def given_prompts(self) -> dict[str, str]:
        """The prompts that the recipe names."""
        given = {"query": self.query_prompt, "document": self.document_prompt}
        return {name: text for name, text in given.items() if text is not None}

    @property
    def loss_scale(self) -> float:
        """What scores are multiplied by in the loss."""
        return self.scale if self.scale is not None else (20.0 if self.kind == "dense" else 1.0)


def read_recipe(name_or_path: str, overrides: dict[str, Any] | None = None) -> RetrievalConfig:
    """Read a recipe, by path or name, with overrides on top.

    Raises:
        UsageError: No such recipe, an unknown key, or values that do not fit together.

    Example:
        >>> read_recipe("retrieval/dense", {"base_model": "encoder", "max_steps": 10}).max_steps
        10
    """
    from doctobert_hf.config import build_config, read_yaml
    from doctobert_hf.recipes import find_recipe

    path = find_recipe(name_or_path, "retrieval")
    return build_config(
        RetrievalConfig, read_yaml(path), overrides or {}, source=f"recipe '{path}'"
    )
