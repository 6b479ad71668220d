"""Kinds of cards, one row each; the template of a kind is ``hub_cards/NAME.md``.

Everything that differs between kinds and is no text stands in the row: pipeline, library, front
matter, declared columns. Which code a card shows is its template's choice of ``snippets/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from doctobert_hf.errors import UsageError, nearest
from doctobert_hf.hub.cards.columns import FINEMED, REPHRASED


@dataclass(frozen=True)
class CardKind:
    """A kind of card.

    Attributes:
        name: Its name, and that of its template.
        of: What it describes.
        pipeline: ``pipeline_tag`` of a model; None: told from the model's class.
        library: ``library_name`` of a model.
        tasks: ``task_categories`` of a dataset.
        annotations: ``annotations_creators`` of a dataset; None: not known.
        columns: Declared columns of a dataset: pattern of Arrow's type, and meaning.
        generated: Whether its texts were written by a model.
        has_default: Whether one of its configurations stands for all.
        tagged: Whether its name is a tag of the card.
        folder: Where its template is; None: the package's ``hub_cards``.

    Example:
        >>> find_kind("retrieval").library
        'sentence-transformers'
    """

    name: str
    of: Literal["model", "tokenizer", "dataset"]
    pipeline: str | None = None
    library: str = "transformers"
    tasks: tuple[str, ...] = ("fill-mask",)
    annotations: str | None = "machine-generated"
    columns: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    generated: bool = False
    has_default: bool = True
    tagged: bool = True
    folder: Path | None = None


KINDS: dict[str, CardKind] = {
    kind.name: kind
    for kind in (
        CardKind("encoder", "model", "fill-mask"),
        CardKind("long-context", "model", "fill-mask"),
        CardKind("classifier", "model"),
        CardKind("head", "model", tagged=False),
        CardKind("retrieval", "model", library="sentence-transformers"),
        CardKind("checkpoints", "model", "fill-mask"),
        CardKind("tokenizer", "tokenizer"),
        CardKind("finemed", "dataset", columns=FINEMED),
        CardKind("rephrased", "dataset", columns=REPHRASED, generated=True),
        CardKind(
            "drbenchmark",
            "dataset",
            annotations="expert-generated",
            has_default=False,
        ),
        CardKind("dataset", "dataset", annotations=None),
    )
}


def find_kind(name: str, of: str | None = None) -> CardKind:
    """Return a kind of card by its name.

    Args:
        name: Name of the kind.
        of: What it must describe.

    Raises:
        UsageError: Unknown, or of something else; the nearest name is suggested.

    Example:
        >>> find_kind("finemed").of
        'dataset'
    """
    known = [kind.name for kind in KINDS.values() if of in (None, kind.of)]
    if name not in known:
        raise UsageError(f"No card of kind '{name}'", fix=nearest(name, known))
    return KINDS[name]


def register_card_kind(kind: CardKind) -> None:
    """Add a kind of card, for ``--kind NAME``.

    Args:
        kind: The kind, with the folder of its template.

    Raises:
        UsageError: The name is taken, or the folder has no template of this name.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "triage.md").write_text('{% extends "classifier.md" %}')
        >>> register_card_kind(CardKind("triage", "model", folder=folder))
        >>> del KINDS["triage"]
    """
    if kind.name in KINDS and KINDS[kind.name] != kind:
        raise UsageError(f"There is a card of kind '{kind.name}'", "a name that is not taken")
    if kind.folder is None or not (kind.folder / f"{kind.name}.md").is_file():
        raise UsageError(
            f"No template '{kind.name}.md' in '{kind.folder}'",
            "a folder with it",
            'It begins with {% extends "layout_model.md" %} or layout_dataset.md',
        )
    KINDS[kind.name] = kind


def template_folders() -> list[Path]:
    """Return the folders of templates from outside the package, each once."""
    return list(dict.fromkeys(kind.folder for kind in KINDS.values() if kind.folder is not None))
