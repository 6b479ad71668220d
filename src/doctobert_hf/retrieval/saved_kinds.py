"""What kind of model a folder holds that is neither dense nor late interaction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

OtherKind = Literal["SparseEncoder", "CrossEncoder"]


def other_kind(place: str, guess: bool = True) -> OtherKind | None:
    """Return what a saved model is, if it is a sparse encoder or a reranker.

    Args:
        place: Folder or Hub id.
        guess: Take a classifier with one output and no ``modules.json`` for a reranker: so they
            were saved before.
    """
    from sentence_transformers.util import load_file_path

    offline = Path(place).is_dir()
    settings = load_file_path(place, "config_sentence_transformers.json", local_files_only=offline)
    kind = _json(settings).get("model_type") if settings else None
    if kind == "SparseEncoder" or kind == "CrossEncoder":
        return kind
    if (
        guess
        and kind is None
        and not load_file_path(place, "modules.json", local_files_only=offline)
    ):
        config = _json(load_file_path(place, "config.json", local_files_only=offline))
        architecture = (config.get("architectures") or [""])[0]
        labels = config.get("num_labels", len(config.get("id2label", {"0": "", "1": ""})))
        if architecture.endswith("ForSequenceClassification") and labels == 1:
            return "CrossEncoder"
    return None


def _json(path: str | None) -> dict[str, Any]:
    return json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
