"""What a Sentence Transformers model is, from its files, for its card: class, prompts, sizes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.files import write_text_atomic
from doctobert_hf.hub.cards.reading import read_json

if TYPE_CHECKING:
    from doctobert_hf.hub.cards.facts import CardFacts

PIPELINES = {
    "SentenceTransformer": "sentence-similarity",
    "MultiVectorEncoder": "sentence-similarity",
    "SparseEncoder": "feature-extraction",
    "CrossEncoder": "text-ranking",
}
"""The classes, and what the Hub calls what they do."""
_SNIPPETS = {
    "SentenceTransformer": "retrieve.py",
    "MultiVectorEncoder": "retrieve_tokens.py",
    "SparseEncoder": "retrieve_sparse.py",
    "CrossEncoder": "rerank.py",
}
_METRICS = {"ndcg@10": "nDCG@10", "recall@10": "Recall@10", "mrr@10": "MRR@10"}


@dataclass(frozen=True)
class Retriever:
    """A retrieval model.

    Attributes:
        name: Its class in Sentence Transformers.
        similarity: How two vectors are compared; None where that is not said.
        dimensions: Of a vector; None where the files do not tell, and for rerankers.
        prompts: What is put before a text, by kind; only those that are not empty.
        lengths: Most tokens of a text, by kind, where PyLate says so.
    """

    name: str
    similarity: str | None = None
    dimensions: int | None = None
    prompts: dict[str, str] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)

    @property
    def snippet(self) -> str:
        """The template of how it is used."""
        return _SNIPPETS[self.name]

    @property
    def pipeline(self) -> str:
        """What the Hub calls what it does."""
        return PIPELINES[self.name]


def read_retriever(folder: Path) -> Retriever | None:
    """Read what a saved model is; None for a folder without ``modules.json``.

    PyLate's ``ColBERT`` opens as ``MultiVectorEncoder``.
    """
    modules = read_json(folder / "modules.json")
    if modules is None:
        return None
    settings = read_json(folder / "config_sentence_transformers.json") or {}
    name = str(settings.get("model_type", "SentenceTransformer"))
    # PyLate's of before it wrote a class has its modules, or its words for prompts.
    if name == "ColBERT" or "query_prefix" in settings or _are_of_pylate(modules):
        name = "MultiVectorEncoder"
    if name not in PIPELINES:
        name = "SentenceTransformer"
    usual = {"SentenceTransformer": "cosine", "MultiVectorEncoder": "maxsim"}.get(name)
    kinds = ("query", "document")
    before = {kind: settings.get(f"{kind}_prefix") for kind in kinds}
    before |= settings.get("prompts") or {}
    prompts: dict[str, str] = {kind: text for kind, text in before.items() if text}
    lengths = {kind: settings.get(f"{kind}_length") for kind in kinds}
    reranks = name == "CrossEncoder"
    return Retriever(
        name,
        None if reranks else settings.get("similarity_fn_name") or usual,
        None if reranks else _dimensions(folder, modules),
        prompts,
        {kind: length for kind, length in lengths.items() if length},
    )


def _are_of_pylate(modules: list[dict[str, Any]]) -> bool:
    return any(str(module.get("type", "")).startswith("pylate.") for module in modules)


def _dimensions(folder: Path, modules: list[dict[str, Any]]) -> int | None:
    """Of the last part that says its width: a projection, a pooling, or the encoder."""
    found = None
    for module in modules:
        settings = read_json(folder / str(module.get("path", "")) / "config.json") or {}
        for key in ("hidden_size", "word_embedding_dimension", "embedding_dimension"):
            found = settings.get(key, found)
        found = settings.get("out_features", found)
    return found


def retrieval_index(record: dict[str, Any], name: str, facts: CardFacts) -> list[dict[str, Any]]:
    """The ``model-index`` of a retriever: what was measured after training, in percent.

    Args:
        record: ``retrieval.json``.
        name: Name of the repository.
        facts: With the dataset that the owner names, if any.

    Returns:
        One entry; empty where nothing was measured after training.
    """
    from huggingface_hub import EvalResult, ModelCardData

    after = [row for row in record.get("results", []) if row["system"] == "after training"]
    if not after:
        return []
    data = str(record.get("recipe", {}).get("data") or "questions and passages")
    entries = [
        EvalResult(
            task_type="text-retrieval",
            task_name="Retrieval",
            dataset_type=facts.benchmark or "private",
            dataset_revision=facts.benchmark_revision,
            dataset_name=f"{data}, {after[0]['queries']:,} held-out questions",
            metric_type=key.replace("@", "_at_"),
            metric_name=shown,
            metric_value=round(100 * after[0]["scores"][key], 2),
        )
        for key, shown in _METRICS.items()
        if key in after[0]["scores"]
    ]
    card = ModelCardData(model_name=name, eval_results=entries, ignore_metadata_errors=False)
    return list(card.to_dict()["model-index"])


def write_retrieval_results(record: dict[str, Any], folder: Path, facts: CardFacts) -> Path | None:
    """Write ``.eval_results/retrieval.yaml`` into a model's folder.

    Returns:
        The file; None where no dataset of the Hub is named, or nothing was measured.
    """
    import yaml
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    after = [row for row in record.get("results", []) if row["system"] == "after training"]
    if facts.benchmark is None or not after:
        return None
    entries = [
        EvalResultEntry(
            dataset_id=facts.benchmark,
            task_id=key.replace("@", "_at_"),
            value=round(100 * after[0]["scores"][key], 2),
            dataset_revision=facts.benchmark_revision,
            notes=f"{shown} in percent, {after[0]['queries']:,} held-out questions",
        )
        for key, shown in _METRICS.items()
        if key in after[0]["scores"]
    ]
    path = folder / ".eval_results" / "retrieval.yaml"
    content = eval_result_entries_to_yaml(entries)
    write_text_atomic(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return path
