"""Averaging a continued encoder with the one it began from, so that what that one knew stays.

Between two models of one origin the straight line of weights leads through good ones: Wortsman et
al. 2022, "Robust fine-tuning of zero-shot models" (arXiv 2109.01903); for encoders of text Xiao et
al. 2023, "LM-Cocktail" (arXiv 2311.13534). What it brings here is measured in ``docs/proof.md``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import OutputError, UsageError
from doctobert_hf.models.opening import open_pretrained, open_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel


AVERAGED = "averaged"
"""What figures of the average are logged as; ``eval`` are those of the last checkpoint."""


def average_models(
    model: str | Path, other: str | Path, output: str | Path, share: float = 0.5
) -> Path:
    """Save the weighted average of two masked-LM models of one origin, with the first's tokenizer.

    Args:
        model: Folder or Hub id of the model that was continued.
        other: The one it is averaged with, most often its start.
        output: A new or empty folder.
        share: Share of ``other``, between 0 and 1.

    Returns:
        The folder.

    Raises:
        UsageError: They have other weights or vocabularies, or the share is none.
        OutputError: There is something in ``output``.

    Example:
        >>> place = average_models("encoder", "encoder", "averaged", share=0.5)
        >>> sorted(file.name for file in place.glob("*.safetensors"))
        ['model.safetensors']
    """
    from transformers import AutoModelForMaskedLM

    folder = Path(output)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"'{folder}' is there already", "a new or empty folder")
    tokenizer = open_tokenizer(str(model))
    if open_tokenizer(str(other)).get_vocab() != tokenizer.get_vocab():
        raise UsageError(
            f"'{other}' has another vocabulary than '{model}'", "two models with one tokenizer"
        )
    averaged: Any = open_pretrained(AutoModelForMaskedLM, str(model), dtype="float32")
    average_into(averaged, str(other), share)
    averaged.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def average_into(model: PreTrainedModel, source: str, share: float, ids: int | None = None) -> int:
    """Average a model's weights with those of another one.

    What only one has stays as it is: a head that the other was saved without, and rows of
    embeddings for pieces by which a vocabulary was extended.

    Args:
        model: A masked-LM model; changed in place.
        source: Folder or Hub id of the other one.
        share: Share of the other one.
        ids: How many ids mean the same to both, from the first one on; None: all of the other's.

    Returns:
        How many tensors were averaged.

    Raises:
        UsageError: Shapes that differ otherwise, or a share that is none.

    Example:
        >>> from transformers import AutoModelForMaskedLM
        >>> model = AutoModelForMaskedLM.from_pretrained("encoder")
        >>> average_into(model, "encoder", share=0.5) > 10
        True
    """
    import torch

    if not 0 < share < 1:
        raise UsageError(f"share {share}", "a number between 0 and 1")
    pairs = _pairs(model, source, ids)
    with torch.no_grad():
        for own, other in pairs:
            own.lerp_(other.to(own.device, own.dtype), share)
    return len(pairs)


def check_average(model: PreTrainedModel, source: str) -> None:
    """Refuse a model that another one cannot be averaged with, before it is trained.

    Raises:
        UsageError: Shapes differ, or they have no weight in common.

    Example:
        >>> from transformers import AutoModelForMaskedLM
        >>> check_average(AutoModelForMaskedLM.from_pretrained("encoder"), "encoder")
    """
    _pairs(model, source)


def _pairs(model: PreTrainedModel, source: str, ids: int | None = None) -> list[tuple[Any, Any]]:
    """Return what is averaged with what, by the names of the masked-LM class.

    Raises:
        UsageError: Shapes differ, or there is none.
    """
    from transformers import AutoModelForMaskedLM

    other, report = open_pretrained(
        AutoModelForMaskedLM, source, dtype="float32", output_loading_info=True
    )
    drawn = set(report["missing_keys"])  # heads that it was saved without
    theirs = {name: weight for name, weight in other.named_parameters() if name not in drawn}
    sizes = model.config.vocab_size, other.config.vocab_size
    pairs = []
    for name, own in model.named_parameters():
        if name not in theirs:
            continue
        weight, rows = theirs[name], own.detach()
        if own.dim() and (own.shape[0], weight.shape[0]) == sizes:  # a row for each piece
            known = min(sizes) if ids is None else ids
            rows, weight = rows[:known], weight[:known]
        if rows.shape != weight.shape:
            raise UsageError(
                f"'{name}' is {tuple(own.shape)} here and {tuple(weight.shape)} in '{source}'",
                "two models of one origin",
            )
        pairs.append((rows, weight))
    body = f"{model.base_model_prefix}."
    ours = {name for name, _ in model.named_parameters()}
    alone = [n for n in ours ^ theirs.keys() if n.startswith(body) and "pooler" not in n]
    if pairs and alone:
        raise UsageError(
            f"'{sorted(alone)[0]}' is in one model only, not in both it and '{source}'",
            "two models of one origin",
        )
    if not pairs:
        raise UsageError(f"No weight in common with '{source}'", "two models of one origin")
    return pairs
