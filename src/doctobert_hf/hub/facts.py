"""What a card cannot know from records: licence, people, contact, and what the model was made from.

Figures are never given here: they come from the records of runs (:mod:`doctobert_hf.hub.records`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doctobert_hf.config import build_config, read_yaml

FILE = "card.yaml"


def _key(default: Any, text: str, cli: bool = True) -> Any:
    return field(default=default, metadata={"help": text, "cli": cli})


@dataclass(frozen=True)
class CardFacts:
    """Facts for a card, from ``card.yaml`` beside what is published or from the command line."""

    title: str | None = _key(None, "title of the card; default: name of the repository")
    license: str | None = _key(None, "identifier of the licence, as the Hub writes it: apache-2.0")
    license_name: str | None = _key(None, "name of a licence that is 'other'")
    license_link: str | None = _key(None, "address of a licence that is 'other'")
    config_licenses: dict | None = _key(None, "licence of each dataset configuration", cli=False)
    authors: tuple[str, ...] = _key((), "who made it")
    contact: str | None = _key(None, "address for questions, personal data and take-down")
    language: tuple[str, ...] = _key(("fr",), "language codes")
    tags: tuple[str, ...] = _key((), "more tags")
    datasets: tuple[str, ...] = _key((), "Hub ids of the datasets it was made from")
    attribution: tuple[str, ...] = _key((), "lines of attribution of sources, with their licence")
    base_model: str | None = _key(None, "Hub id of the model it was fine-tuned from")
    rewriter: str | None = _key(None, "model that generated the text of a rephrased dataset")
    rewriter_license: str | None = _key(None, "licence of that model")
    paper: str | None = _key(None, "address of the paper")
    code: str | None = _key(None, "address of the code")
    sibling: str | None = _key(None, "Hub id of a related model to point to")
    funding: str | None = _key(None, "acknowledgement of computing time or money")
    citation: str | None = _key(None, "BibTeX entry; default: made of title, authors and address")
    year: int | None = _key(None, "year of the citation")


def read_facts(folder: Path, file: Path | None = None, **given: Any) -> CardFacts:
    """Read facts for what lies in a folder.

    Args:
        folder: What is published; its ``card.yaml`` is read if there is one.
        file: Another file to read instead.
        **given: Values that stand above the file's.

    Raises:
        UsageError: The file is no YAML, or a key is unknown or of the wrong type.
    """
    default = (folder if folder.is_dir() else folder.parent) / FILE
    path = file if file is not None else default
    layer = read_yaml(path) if file is not None or default.is_file() else {}
    return build_config(CardFacts, layer, given, source=f"card facts '{path}'")
