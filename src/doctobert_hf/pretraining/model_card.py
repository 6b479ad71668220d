"""The card that ``MLMTrainer`` writes: this package's, of the trainer's own records."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import OutputError
from doctobert_hf.files import write_text_atomic

if TYPE_CHECKING:
    from transformers import Trainer

NAME = "README.md"


def create_model_card(
    self: Trainer,
    language: str | None = None,
    license: str | None = None,
    tags: str | list[str] | None = None,
    model_name: str | None = None,
    finetuned_from: str | None = None,
    tasks: str | list[str] | None = None,
    dataset_tags: str | list[str] | None = None,
    dataset: str | list[str] | None = None,
    dataset_args: str | list[str] | None = None,
) -> None:
    """Write the card into ``output_dir``, as ``Trainer.create_model_card`` does.

    It is of the weights as they are now. What people wrote between the markers of an earlier card
    of ours stays.

    Args:
        self: The trainer, whose method this is.
        language: Code of the language; default: French.
        license: Identifier of the licence, as the Hub writes it.
        tags: More tags.
        model_name: Title; default: name of ``output_dir``.
        finetuned_from: Hub id of the model it was started from.
        tasks: Of ``Trainer``; the model's class tells.
        dataset_tags: Hub ids of the datasets it was trained on.
        dataset: Of ``Trainer``; names are no ids of the Hub.
        dataset_args: Of ``Trainer``.

    Raises:
        OutputError: Somebody else's README is there.
    """
    from doctobert_hf.hub.cards.facts import CardFacts
    from doctobert_hf.hub.cards.render import front_matter
    from doctobert_hf.hub.cards.trainers import copy_records
    from doctobert_hf.hub.publish.preview import render_path

    if not self.is_world_process_zero():
        return
    folder = Path(str(self.args.output_dir))
    place = folder / NAME
    earlier = place.read_text(encoding="utf-8") if place.is_file() else ""
    if earlier and "doctobert-hf" not in (front_matter(earlier).get("tags") or []):
        raise OutputError(
            f"'{place}' is in the way, and this tool did not write it", "a place for the card"
        )
    facts = CardFacts(
        title=model_name,
        license=license,
        language=(language,) if language else ("fr",),
        tags=_several(tags),
        base_model=finetuned_from,
        datasets=_several(dataset_tags),
    )
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch)
        model: Any = self.accelerator.unwrap_model(self.model)
        model.save_pretrained(copy / "model")
        if self.processing_class is not None:
            self.processing_class.save_pretrained(copy / "model")
        if earlier:
            write_text_atomic(copy / NAME, earlier)
        copy_records(copy, self.args, self.state)
        name = model_name or folder.resolve().name
        write_text_atomic(place, render_path(copy, f"OWNER/{name}", facts).text)


def _several(values: str | list[str] | None) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values or ())
