"""Front matter of each kind of card, from facts and records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import UsageError
from doctobert_hf.hub.cards.kinds import find_kind
from doctobert_hf.hub.cards.metadata import size_category
from doctobert_hf.hub.cards.retrievers import retrieval_index

if TYPE_CHECKING:
    from huggingface_hub import DatasetCardData, ModelCardData

DOMAIN = ("medical", "clinical", "biomedical", "healthcare", "french")


def model_metadata(kind: str, context: dict[str, Any]) -> ModelCardData:
    """Front matter of a model's card."""
    from huggingface_hub import ModelCardData

    facts, record = context["facts"], context["record"]
    retriever = context["retriever"] if kind == "retrieval" else None
    pipeline = find_kind(kind).pipeline or pipeline_of(record["architecture"]["classes"])
    pipeline = retriever.pipeline if retriever is not None else pipeline
    if pipeline == "fill-mask" and not context.get("fills_masks", True):
        pipeline = "feature-extraction"
    index: list[dict[str, Any]] = []
    if context["scores"]:
        from doctobert_hf.hub.cards.results import model_index

        index = model_index(context["scores"], context["name"], facts)
    if not index and record.get("finetuning"):
        from doctobert_hf.hub.cards.results import finetuning_index

        index = finetuning_index(record["finetuning"], pipeline, context["name"], facts)
    if retriever is not None and record.get("retrieval"):
        index += retrieval_index(record["retrieval"], context["name"], facts)
    # Keys that are empty are left out of the front matter.
    data = ModelCardData(
        language=list(facts.language),
        license=facts.license,
        license_name=facts.license_name,
        license_link=facts.license_link,
        library_name=find_kind(kind).library,
        pipeline_tag=pipeline,
        tags=_tags(
            context,
            record["architecture"].get("model_type"),
            kind if find_kind(kind).tagged else None,
            pipeline,
        ),
        datasets=list(facts.datasets) or None,
        base_model=facts.base_model,
    )
    if index:
        data["model-index"] = index
    if facts.examples:
        data["widget"] = [{"text": text} for text in _examples(facts.examples)]
    co2 = _emissions(record)
    if co2 is not None:
        data["co2_eq_emissions"] = co2
    return data


def _examples(file: str) -> list[str]:
    """Return the lines of a file of examples; the only text a card ever shows."""
    path = Path(file)
    if not path.is_file():
        raise UsageError(f"No file '{file}'", "a file of examples, one a line")
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def pipeline_of(classes: list[str]) -> str | None:
    """The pipeline of a model's class."""
    for ending, name in (
        ("ForTokenClassification", "token-classification"),
        ("ForSequenceClassification", "text-classification"),
        ("ForMultipleChoice", "multiple-choice"),
        ("ForMaskedLM", "fill-mask"),
    ):
        if any(cls.endswith(ending) for cls in classes):
            return name
    return "feature-extraction"


def _tags(context: dict[str, Any], *more: str | None) -> list[str]:
    found = [*DOMAIN, *(tag for tag in more if tag), *context["facts"].tags, "doctobert-hf"]
    return list(dict.fromkeys(found))


def _emissions(record: dict[str, Any]) -> dict[str, Any] | None:
    energy = record.get("energy") or _of_finetuning(record)
    if energy is None or energy["kg"] is None:
        return None
    tuned = record.get("retrieval") or record.get("finetuning")
    return {
        "emissions": float(f"{1000 * energy['kg']:.4g}"),  # the Hub's unit is the gram
        "source": f"codecarbon {energy['codecarbon']}",
        "training_type": "fine-tuning" if tuned else "pre-training",
        "geographical_location": energy["country"],
        "hardware_used": energy["hardware"],
    }


def _of_finetuning(record: dict[str, Any]) -> dict[str, Any] | None:
    """Return what was measured of a fine-tuning, in the words of whole runs."""
    told = ((record.get("finetuning") or {}).get("result") or {}).get("energy")
    if not told:
        return None
    return {
        "kg": told.get("emissions_kg") if told.get("country") else None,
        "country": told.get("country"),
        "codecarbon": told.get("codecarbon"),
        "hardware": told.get("gpu") or told.get("cpu"),
    }


def tokenizer_metadata(context: dict[str, Any]) -> ModelCardData:
    """Front matter of a tokenizer's card."""
    from huggingface_hub import ModelCardData

    facts = context["facts"]
    return ModelCardData(
        language=list(facts.language),
        license=facts.license,
        license_name=facts.license_name,
        license_link=facts.license_link,
        library_name="transformers",
        tags=_tags(context, "tokenizer"),
        datasets=list(facts.datasets) or None,
    )


def _creators(context: dict[str, Any]) -> list[str] | None:
    """Say who wrote the texts, where that is known: of others only their owner knows."""
    if not context["synthetic"]:
        return None
    made = context["made"]
    is_mix = any(stage["name"] == "mix" for stage in made.stages)
    partly = is_mix and (made.rewritten is None or made.rewritten[0] < made.rewritten[1])
    return ["found", "machine-generated"] if partly else ["machine-generated"]


def _annotators(context: dict[str, Any], usual: str | None) -> list[str] | None:
    """Say who annotated: of a benchmark's corpora each says so itself."""
    told = [name for corpus in context.get("corpora") or [] for name in corpus.annotators]
    return list(dict.fromkeys(told)) or ([usual] if usual else None)


def dataset_metadata(kind: str, context: dict[str, Any]) -> DatasetCardData:
    """Front matter of a dataset's card, with ``configs`` and ``dataset_info``."""
    from datasets import DatasetInfo, SplitDict, SplitInfo
    from datasets.info import DatasetInfosDict
    from huggingface_hub import DatasetCardData

    facts = context["facts"]
    licences = list(dict.fromkeys(name for c in context["configs"] for name in c["licenses"]))
    row = find_kind(kind)
    data = DatasetCardData(
        pretty_name=context["title"],
        language=list(facts.language),
        license=licences[0] if len(licences) == 1 else licences or None,
        task_categories=list(context.get("categories") or row.tasks),
        size_categories=[size_category(context["rows"])],
        tags=_tags(context, "synthetic" if context["synthetic"] else None),
        annotations_creators=_annotators(context, row.annotations),
        language_creators=_creators(context),
        source_datasets=list(facts.datasets) or None,
    )
    if "other" in licences:
        names = [c["license_name"] for c in context["configs"] if c["license"] == "other"]
        names += [name for c in context["configs"] for name in c.get("other_licenses", ())]
        data["license_name"] = facts.license_name or ", ".join(dict.fromkeys(filter(None, names)))
        if facts.license_link:
            data["license_link"] = facts.license_link
    # Tasks of a benchmark are asked for by name: none of them stands for the others.
    default = _default_config(context["configs"]) if row.has_default else None
    data["configs"] = [
        {
            "config_name": config["name"],
            **({"default": True} if config["name"] == default else {}),
            "data_files": [
                {"split": r.split, "path": f"data/{config['name']}/{r.split}-*.parquet"}
                for r in config["splits"]
            ],
        }
        for config in context["configs"]
    ]
    infos = DatasetInfosDict()
    for config in context["configs"]:
        splits = SplitDict()
        for record in config["splits"]:
            splits.add(SplitInfo(record.split, record.bytes, record.rows))
        infos[config["name"]] = DatasetInfo(
            features=config["splits"][0].features,
            splits=splits,
            download_size=config["download_size"],
            dataset_size=sum(r.bytes for r in config["splits"]),
        )
    infos.to_dataset_card_data(data)
    return data


def _default_config(configs: list[dict[str, Any]]) -> str:
    names = [config["name"] for config in configs]
    return next((n for n in ("default", "documents", "fineweb-2") if n in names), names[0])
