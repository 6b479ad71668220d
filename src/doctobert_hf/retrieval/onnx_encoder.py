"""A retriever whose encoder is an ONNX graph, run as before.

The folder of an export is that of the model with ``onnx/model.onnx`` beside its weights, where
Sentence Transformers looks for it too, and ``onnx.json``, which says how the two compare.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from doctobert_hf.models.onnx_graph import open_session, require_onnx

if TYPE_CHECKING:
    from doctobert_hf.retrieval.models import RetrievalModel

GRAPH, NOTE = "onnx/model.onnx", "onnx.json"
_SCALING = b"DynamicQuantizeLinear"  # the operator, as a graph names it


class OnnxEncoder(torch.nn.Module):
    """An encoder that answers as Transformers' does, from a graph.

    Args:
        path: The graph.
        config: The encoder's configuration.

    Attributes:
        scales_by_batch: Whether it is of int8 and scales what it computes by all of a batch, so
            that a text's vector depends on those beside it.
    """

    def __init__(self, path: Path, config: Any) -> None:
        super().__init__()
        self.config = config
        self._session = open_session(path)
        self._names = [given.name for given in self._session.get_inputs()]
        content = path.read_bytes()
        self.scales_by_batch = _SCALING in content
        digest = hashlib.sha256(content).digest()
        # Part of the state: an index tells this model from the one it was made of.
        self.register_buffer("graph", torch.frombuffer(bytearray(digest), dtype=torch.uint8))
        self.dtype, self.device = torch.float32, torch.device("cpu")

    def forward(
        self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None, **_: Any
    ) -> Any:
        """Return an object with ``last_hidden_state``."""
        from transformers.modeling_outputs import BaseModelOutput

        if token_type_ids is None:
            token_type_ids = torch.zeros_like(input_ids)
        tensors = {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "token_type_ids": token_type_ids,
        }
        given = {name: tensors[name].cpu().numpy().astype(np.int64) for name in self._names}
        (states,) = self._session.run(None, given)
        return BaseModelOutput(last_hidden_state=torch.from_numpy(states))


def is_export(place: str | Path) -> bool:
    """Return whether a folder is one of ``doctobert-hf export``, of a retriever."""
    return (Path(place) / GRAPH).is_file() and (Path(place) / NOTE).is_file()


def with_graph(model: RetrievalModel, place: str | Path) -> RetrievalModel:
    """Put the graph of an export in place of a model's encoder."""
    require_onnx()
    transformer: Any = model[0]
    model.to("cpu")
    transformer.model = OnnxEncoder(Path(place) / GRAPH, transformer.config)
    return model


def scales_by_batch(model: Any) -> bool:
    """Return whether a model's vector of a text depends on the texts encoded with it."""
    return bool(getattr(getattr(model[0], "model", None), "scales_by_batch", False))
