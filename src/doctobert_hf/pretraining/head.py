"""A masked-LM head that computes logits at masked positions only, in bounded memory.

A model is *prepared* by giving it a subclass with the same name, so that what it saves is a plain
Transformers model: ``architectures`` in config.json stays what it was, and so do the weights. With
15 % of positions masked the dense head would be about a fifth of the work, and its logits most of
the memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doctobert_hf.chunking.masking import IGNORED
from doctobert_hf.errors import UsageError
from doctobert_hf.pretraining.attention import check_isolating

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

CHUNK = 4096
"""Masked positions whose logits are held at once."""


def prepare_model(model: PreTrainedModel, chunk: int = CHUNK) -> PreTrainedModel:
    """Give a masked-LM model the sparse forward; its plain forward stays as it was.

    Args:
        model: ``RobertaForMaskedLM`` or ``ModernBertForMaskedLM``.
        chunk: Masked positions whose logits are held at once.

    Returns:
        The same object. Called with ``masked_positions`` it returns a ``MaskedLMOutput`` whose
        ``loss`` is the *sum* of cross-entropies over the labels divided by ``num_items``, and
        ``logits`` is None; otherwise it is the model it was.

    Raises:
        UsageError: Another architecture.
    """
    if getattr(type(model), "sparse_head", False):
        return model
    if model.config.model_type not in _BODIES:
        raise UsageError(
            f"A {type(model).__name__}", f"a masked-LM model of {' or '.join(sorted(_BODIES))}"
        )
    model.__class__ = _sparse_class(type(model), chunk)
    return model


_BODIES = {"roberta": "roberta", "modernbert": "model"}


def _head(model: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Logits of hidden states ``[rows, width]``, by the model's own layers."""
    if model.config.model_type == "roberta":
        return model.lm_head(hidden)
    return model.decoder(model.head(hidden))


def _sparse_class(plain: Any, chunk: int) -> type[PreTrainedModel]:
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("masked_positions") is None:
            kwargs.pop("masked_positions", None)
            return plain.forward(self, *args, **kwargs)
        return _sparse_forward(self, chunk, *args, **kwargs)

    members = {"forward": forward, "sparse_head": True, "__module__": plain.__module__}
    return type(plain.__name__, (plain,), members)


def _sparse_forward(
    model: Any,
    chunk: int,
    input_ids: torch.Tensor,
    masked_positions: torch.Tensor,
    masked_labels: torch.Tensor,
    num_items: torch.Tensor | int = 1,
    **kwargs: Any,
) -> Any:
    """Loss over masked positions of a packed row.

    Args:
        model: The prepared model.
        chunk: Masked positions whose logits are held at once.
        input_ids: ``[1, tokens]``.
        masked_positions: Indices into the row, ``[masked]``, int64.
        masked_labels: True ids, ``[masked]``; -100 does not count.
        num_items: What the summed loss is divided by.
        **kwargs: ``position_ids``, ``cu_seq_lens_q``, ``max_length_q`` and so on.
    """
    from transformers.modeling_outputs import MaskedLMOutput

    if "cu_seq_lens_q" in kwargs:
        check_isolating(model)
    body = getattr(model, _BODIES[model.config.model_type])
    hidden = body(input_ids=input_ids, **kwargs)[0]
    rows = hidden.reshape(-1, hidden.shape[-1]).index_select(0, masked_positions)
    loss, right = summed_loss(model, rows, masked_labels, chunk)
    output = MaskedLMOutput(loss=loss / num_items, logits=None)
    output["right"] = right
    return output


def summed_loss(
    model: Any, rows: torch.Tensor, labels: torch.Tensor, chunk: int = CHUNK
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum of cross-entropies, and how many were predicted right, some rows at a time.

    In training the logits of a chunk are computed again in the backward pass, so that at most
    ``chunk x vocabulary`` of them exist.
    """
    import torch
    from torch.utils.checkpoint import checkpoint

    def piece(part: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logits = _head(model, part).float()
        loss = torch.nn.functional.cross_entropy(
            logits, wanted, reduction="sum", ignore_index=IGNORED
        )
        return loss, (logits.detach().argmax(-1) == wanted).sum()

    if len(rows) <= chunk:
        return piece(rows, labels)
    total = rows.new_zeros((), dtype=torch.float32)
    right = torch.zeros((), dtype=torch.int64, device=rows.device)
    for start in range(0, len(rows), chunk):
        part, wanted = rows[start : start + chunk], labels[start : start + chunk]
        if torch.is_grad_enabled():
            loss, hits = checkpoint(piece, part, wanted, use_reentrant=False)
        else:
            loss, hits = piece(part, wanted)
        total, right = total + loss, right + hits
    return total, right
