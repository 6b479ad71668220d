"""An exported model, run by onnxruntime as if it were a Transformers model."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from doctobert_hf.drbenchmark.finetuning.saving import RECORD
from doctobert_hf.errors import UsageError
from doctobert_hf.models.onnx_graph import open_session, require_onnx

MODEL = "model.onnx"


class OnnxModel:
    """An exported model that answers as a Transformers model does, on the processor.

    Args:
        path: ``model.onnx``.
    """

    training = False

    def __init__(self, path: Path) -> None:
        import torch

        self.device = torch.device("cpu")
        self._session = open_session(path)

    def eval(self) -> OnnxModel:
        """Return the model: it has no other mode."""
        return self

    def train(self, mode: bool = True) -> OnnxModel:
        """Return the model: it cannot be trained."""
        return self

    def __call__(self, input_ids: Any, attention_mask: Any, **_: Any) -> Any:
        """Return an object with ``logits``."""
        import torch

        given = {"input_ids": input_ids.numpy(), "attention_mask": attention_mask.numpy()}
        (logits,) = self._session.run(None, given)
        return SimpleNamespace(logits=torch.from_numpy(logits))


def open_exported(folder: Path) -> OnnxModel:
    """Open the model of an export.

    Raises:
        UsageError: The folder has none, or a library is missing.
    """
    require_onnx()
    if not (folder / MODEL).is_file() or not (folder / RECORD).is_file():
        raise UsageError(
            f"'{folder}' is no export (no {MODEL})",
            "a folder of 'doctobert-hf export'",
            "Export one: doctobert-hf export MODEL --onnx --output DIR",
        )
    return OnnxModel(folder / MODEL)
