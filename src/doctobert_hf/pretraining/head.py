"""A masked-LM head that computes logits at masked positions only, in bounded memory.

A model is *prepared* by giving it a subclass with the same name, so that what it saves is a plain
Transformers model: ``architectures`` in config.json stays what it was, and so do the weights. With
15 % of positions masked the dense head would be about a fifth of the work, and its logits most of
the memory.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from doctobert_hf.chunking.masking import IGNORED
from doctobert_hf.errors import UsageError
from doctobert_hf.models.isolation import Layout, find_layout, hidden_states
from doctobert_hf.pretraining.attention import check_isolating

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

CHUNK = 4096
"""Masked positions whose logits are held at once."""


def prepare_model(
    model: PreTrainedModel, chunk: int = CHUNK, packing: bool = True
) -> PreTrainedModel:
    """Give a masked-LM model the sparse forward; its plain forward stays as it was.

    Body and head are the model's own: its base model, and whatever its forward does behind it.

    Args:
        model: Any masked-LM encoder of Transformers.
        chunk: Masked positions whose logits are held at once.
        packing: Whether documents reach the encoder in packed rows where it keeps them apart;
            False: in padded batches.

    Returns:
        The same object. Called with ``masked_positions`` it returns a ``MaskedLMOutput`` whose
        ``loss`` is the *sum* of cross-entropies over the labels divided by ``num_items``, and
        ``logits`` is None; otherwise it is the model it was.

    Raises:
        UsageError: It has no encoder below its head, or mixes the documents of a row in every
            layout.

    Example:
        >>> from transformers import AutoModelForMaskedLM
        >>> model = prepare_model(AutoModelForMaskedLM.from_pretrained("encoder"))
        >>> sorted(model(**tokenizer("Pas de fièvre.", return_tensors="pt")).keys())
        ['logits']
    """
    if getattr(type(model), "sparse_head", False):
        return model
    if model.base_model is model:
        raise UsageError(f"{type(model).__name__} has no encoder below a head", "a masked-LM model")
    layout = find_layout(model, packing)
    model.__class__ = sparse_class(type(model), chunk, layout)
    return model


def require_causal(model: PreTrainedModel) -> None:
    """Raise where a prepared model cannot be trained to predict next tokens in packed rows.

    Tried, not told by its name: a token is changed, and what stands before it must not move.

    Raises:
        UsageError: It sees ahead, or its rows are unpacked into padded batches.
    """
    from doctobert_hf.models.isolation import looks_back_only

    if getattr(type(model), "sparse_layout", "packed") != "packed" or not looks_back_only(model):
        raise UsageError(
            f"objective clm for {type(model).__name__}, whose attention cannot see the past only",
            "an encoder whose attention Transformers dispatches by name",
            "Leave objective at mlm",
        )


def _head(model: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Logits of hidden states ``[rows, width]``, by the model's own layers."""
    direct = _DIRECT.get(model.config.model_type)
    if direct is not None:
        return direct(model, hidden)
    return _own_head(model, hidden)


_DIRECT: dict[str, Any] = {
    "roberta": lambda model, hidden: model.lm_head(hidden),
    "modernbert": lambda model, hidden: model.decoder(model.head(hidden)),
}
"""Heads of the published architectures, in a form that compiles into one graph."""


def _own_head(model: Any, hidden: torch.Tensor) -> torch.Tensor:
    """What the model's own forward makes of hidden states, with them in its encoder's place."""
    import torch

    name = model.base_model_prefix
    body = model._modules[name]
    model._modules[name] = _Given(body, hidden[None])
    try:
        ids = torch.zeros((1, len(hidden)), dtype=torch.int64, device=hidden.device)
        plain: Any = type(model).__mro__[1]
        return plain.forward(model, input_ids=ids).logits[0]
    finally:
        model._modules[name] = body


class _Given:
    """Stands for an encoder and returns hidden states that are known."""

    def __init__(self, body: Any, hidden: torch.Tensor) -> None:
        self._body, self._hidden = body, hidden

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    def __call__(self, *_: Any, **__: Any) -> Any:
        return _hidden_output()(last_hidden_state=self._hidden)


@lru_cache(maxsize=1)
def _hidden_output() -> Any:
    """Return an encoder's output that has nothing but hidden states; all else is None.

    A model's own forward hands on what its encoder has beside them (Longformer's global attention,
    LUKE's entities).
    """
    from transformers.modeling_outputs import BaseModelOutput

    class HiddenStates(BaseModelOutput):
        def __getattr__(self, name: str) -> None:
            if name.startswith("__"):
                raise AttributeError(name)

    return HiddenStates


def sparse_class(plain: Any, chunk: int, layout: Layout) -> type[PreTrainedModel]:
    """Return a model's class with logits at masked positions only, where these are given."""

    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("masked_positions") is None:
            kwargs.pop("masked_positions", None)
            return plain.forward(self, *args, **kwargs)
        return _sparse_forward(self, chunk, layout, *args, **kwargs)

    members = {
        "forward": forward,
        "sparse_head": True,
        "sparse_layout": layout,
        "__module__": plain.__module__,
    }
    return type(plain.__name__, (plain,), members)


def _sparse_forward(
    model: Any,
    chunk: int,
    layout: Layout,
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
        layout: How the documents of a row reach the encoder.
        input_ids: ``[1, tokens]``.
        masked_positions: Indices into the row, ``[masked]``, int64.
        masked_labels: True ids, ``[masked]``; -100 does not count.
        num_items: What the summed loss is divided by.
        **kwargs: ``position_ids``, ``cu_seq_lens_q``, ``max_length_q`` and so on.
    """
    from transformers.modeling_outputs import MaskedLMOutput

    if "cu_seq_lens_q" in kwargs and layout == "packed":
        check_isolating(model)
    hidden = hidden_states(model, layout, input_ids, **kwargs)
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
