"""Embeddings for a vocabulary that was extended: the mean of the old pieces of each new one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DataError
from doctobert_hf.tokenization.extend import EXTENSION, fingerprint

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def read_extension(
    folder: str | Path | None, own: PreTrainedTokenizerBase
) -> dict[str, Any] | None:
    """Return what extended a tokenizer, where the folder's is one that extends ``own``.

    Raises:
        DataError: The record is damaged.
    """
    path = Path(str(folder)) / EXTENSION
    if folder is None or not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        base, pieces = record["base"], record["pieces"]
        whole = all(piece and all(type(i) is int for i in piece) for piece in pieces)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"'{path}' is damaged ({error!r})") from error
    if not whole:
        raise DataError(f"'{path}' is damaged", "for each new piece the ids of its old ones")
    return record if base == fingerprint(json.loads(own.backend_tokenizer.to_str())) else None


def extend_embeddings(model: PreTrainedModel, record: dict[str, Any]) -> None:
    """Give a model the rows of new pieces, each the mean of its old pieces' rows.

    Embeddings, an output layer of its own where the model has one, and its bias; the rows of old
    pieces stay as they are.

    Args:
        model: A model with the vocabulary of before; changed in place.
        record: What :func:`read_extension` returned.

    Raises:
        DataError: Something is not as it should be afterwards.
    """
    import torch

    first, pieces = int(record["first_id"]), record["pieces"]
    size = max(model.config.vocab_size, first + len(pieces))
    tables = _tables(model)
    before = {name: table.detach().clone() for name, table in tables.items()}
    model.resize_token_embeddings(size, mean_resizing=False)
    for name, table in _tables(model).items():
        with torch.no_grad():
            table[: len(before[name])] = before[name]
            for number, old in enumerate(pieces, first):
                table[number] = before[name][torch.tensor(old)].mean(0)
            # Rows behind the last piece fill up to a round size; nothing reads them.
    after = _tables(model)
    for name, table in after.items():
        kept = torch.equal(table[:first], before[name][:first])
        if len(table) != size or not kept or set(after) != set(before):
            raise DataError(f"'{name}' of {type(model).__name__} could not be extended")


def _tables(model: Any) -> dict[str, Any]:
    """Everything of a model that has a row for each piece."""
    found = {"embeddings": model.get_input_embeddings().weight}
    head = model.get_output_embeddings()
    if head is not None:
        if head.weight is not found["embeddings"]:
            found["output"] = head.weight
        if getattr(head, "bias", None) is not None:
            found["output bias"] = head.bias
    return found
