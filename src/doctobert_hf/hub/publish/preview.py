"""A card without anything else: for reading it before a push."""

from __future__ import annotations

import tempfile
from pathlib import Path

from doctobert_hf.errors import UsageError
from doctobert_hf.hub.cards.facts import CardFacts
from doctobert_hf.hub.cards.kinds import find_kind
from doctobert_hf.hub.cards.records import locate_model
from doctobert_hf.hub.cards.render import Card


def render_path(
    path: Path,
    repo_id: str,
    facts: CardFacts,
    results: Path | None = None,
    results_model: str | None = None,
    kind: str | None = None,
) -> Card:
    """Render the card of a model, a tokenizer or a dataset; nothing is loaded or sent.

    Raises:
        UsageError: There is neither of them.
    """
    from doctobert_hf.hub.stage import package

    try:
        place = locate_model(path)
    except UsageError:
        if (path / "adapter_config.json").is_file():
            raise
        with tempfile.TemporaryDirectory() as scratch:
            if (path / "tokenizer.json").is_file():
                find_kind(kind or "tokenizer", "tokenizer")
                made = package.package_tokenizer(path, repo_id, Path(scratch), facts)
            else:
                from doctobert_hf.hub.stage.package_data import package_dataset

                made = package_dataset(path, repo_id, Path(scratch), facts, kind)
            return made.render(None)
    if kind is not None:
        find_kind(kind, "model")
    context, _ = package.model_context(path, repo_id, facts, results, results_model)
    chosen = kind or package.kind_of(place, facts, context["record"])
    return package.render_model(chosen, context, path, None)
