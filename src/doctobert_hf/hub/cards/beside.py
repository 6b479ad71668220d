"""Records that lie beside a model's weights and travel with its folder: scores of a training.

A folder that is copied away from its run takes them along, and other weights may be put there.
They say by a hash which weights they are of; those of others say nothing of a model.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from doctobert_hf.drbenchmark.finetuning.saving import RECORD as TASK, TaskRecord
from doctobert_hf.errors import UsageError
from doctobert_hf.hub.cards.reading import read_json
from doctobert_hf.runs.record import has_weights

RETRIEVAL = "retrieval.json"
_NEEDED = {TASK: "task", RETRIEVAL: "recipe"}


def read_beside(model: Path, name: str) -> dict[str, Any] | None:
    """Read a record beside a model's weights; None where it is absent, or of other weights.

    Raises:
        UsageError: It is damaged.
    """
    found = _read(model, name)
    return None if found is None or _of_others(model, found) else found


def told_of_others(model: Path) -> list[str]:
    """Return a warning for each record beside a model that is of other weights."""
    return [
        f"'{name}' beside the model is of other weights: the card is made without it"
        for name in _NEEDED
        if (found := _read(model, name)) is not None and _of_others(model, found)
    ]


def portable_task(model: Path) -> dict[str, Any] | None:
    """Return what a fine-tuned model's record may say where it is published.

    What :class:`TaskRecord` knows, and nothing that others put there; of other weights, no score.
    """
    found = _read(model, TASK)
    if found is None:
        return None
    known = {field.name for field in fields(TaskRecord)} | {"format", "weights"}
    kept = {key: value for key, value in found.items() if key in known}
    if _of_others(model, found):
        kept |= {"result": {}, "base_model": "", "base_model_id": None, "weights": None}
    return kept


def _read(model: Path, name: str) -> dict[str, Any] | None:
    found = read_json(model / name)
    if found is None:
        return None
    if not isinstance(found, dict) or not found.get(_NEEDED[name]):
        raise UsageError(
            f"The record '{model / name}' is damaged (no '{_NEEDED[name]}')",
            "as the training wrote it",
            "Put it back, or take it out of the folder",
        )
    return found


def _of_others(model: Path, record: dict[str, Any]) -> bool:
    """Return whether a record is of other weights; one of before 0.2 does not say of which."""
    known = record.get("weights")
    return known is not None and not has_weights(model, known)
