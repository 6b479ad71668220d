"""What a card cannot know from records: licence, people, contact, and what the model was made from.

Figures are never given here: they come from the records of runs (:mod:`.records`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from doctobert_hf.config import build_config, option, read_yaml

FILE = "card.yaml"


@dataclass(frozen=True)
class CardFacts:
    """Facts for a card, from ``card.yaml`` beside what is published or from the command line.

    Example:
        >>> CardFacts(license="apache-2.0", contact="equipe@example.org").language
        ('fr',)
    """

    title: str | None = option(None, "title of the card; default: name of the repository")
    license: str | None = option(
        None, "identifier of the licence, as the Hub writes it: apache-2.0"
    )
    license_name: str | None = option(None, "name of a licence that is 'other'")
    license_link: str | None = option(None, "address of a licence that is 'other'")
    config_licenses: dict | None = option(None, "licence of each dataset configuration", cli=False)
    authors: tuple[str, ...] = option((), "who made it")
    contact: str | None = option(None, "address for questions, personal data and take-down")
    language: tuple[str, ...] = option(("fr",), "language codes")
    tags: tuple[str, ...] = option((), "more tags")
    datasets: tuple[str, ...] = option((), "Hub ids of the datasets it was made from")
    attribution: tuple[str, ...] = option((), "lines of attribution of sources, with their licence")
    base_model: str | None = option(None, "Hub id of the model it was fine-tuned from")
    benchmark: str | None = option(None, "Hub id of the dataset that its scores are of")
    benchmark_revision: str | None = option(None, "revision of that dataset; default: none")
    rewriter: str | None = option(None, "model that generated the text of a rephrased dataset")
    rewriter_license: str | None = option(None, "licence of that model")
    paper: str | None = option(None, "address of the paper")
    code: str | None = option(None, "address of the code")
    sibling: str | None = option(None, "Hub id of a related model to point to")
    family: dict | None = option(
        None, "other sizes of the family: Hub id, and the folder its figures are read in", cli=False
    )
    funding: str | None = option(None, "acknowledgement of computing time or money")
    citation: str | None = option(None, "BibTeX entry; default: made of title, authors and address")
    examples: str | None = option(
        None, "file of texts, one a line, that the Hub's widget offers; default: none"
    )
    year: int | None = option(None, "year of the citation")


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
    facts = build_config(CardFacts, layer, given, source=f"card facts '{path}'")
    if facts.family is None:
        return facts
    places = {str(name): str(path.parent / str(place)) for name, place in facts.family.items()}
    return replace(facts, family=places)
