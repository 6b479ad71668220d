"""A fine-tuned model as ONNX, for processors: exported by torch, run by onnxruntime."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from doctobert_hf.drbenchmark.onnx_model import MODEL, OnnxModel
from doctobert_hf.files import write_json_atomic
from doctobert_hf.models.onnx_graph import export_graph, export_record, quantise, require_onnx
from doctobert_hf.reporting.progress import Progress

NOTE = "onnx.json"
"""Largest difference of logits between torch and the exported model in float32."""
PROBES = (
    "Pas de fièvre.",
    "Le patient présente une douleur thoracique depuis deux jours, sans irradiation.",
    "Traitement par amoxicilline 1 g, trois fois par jour pendant 7 jours ; contrôle à J7. " * 4,
)


def export_onnx(
    model: Path, output: Path, int8: bool = False, overwrite: bool = False
) -> dict[str, Any]:
    """Export a fine-tuned model and check that it answers as before.

    Args:
        model: Folder of a fine-tuning run.
        output: Folder for ``model.onnx``, configuration, tokenizer and the task's record.
        int8: Quantise weights to 8 bits.
        overwrite: Move another export that is in ``output`` aside.

    Returns:
        What ``onnx.json`` has: ``int8, bytes, largest_difference`` of logits on probe sentences and
        ``same_labels``, the share of tokens (or texts) with the same label.

    Raises:
        UsageError: No such model, or a library is missing.
        DataError: The architecture cannot be exported, or the exported model answers differently.
    """
    from doctobert_hf.drbenchmark.predictor import Predictor
    from doctobert_hf.runs import staged_run

    require_onnx()
    predictor = Predictor.from_pretrained(model, "cpu")
    place = model / "model" if (model / "model" / "config.json").is_file() else model
    settings = {"model": str(place.resolve()), "int8": int8}
    with staged_run(output, "onnx", settings, [place], overwrite=overwrite) as scratch:
        with Progress("export"):
            _export(predictor, scratch / MODEL)
            if int8:
                quantise(scratch / MODEL)
        for path in place.iterdir():
            if path.suffix in (".json", ".txt", ".model") and path.name != "run.json":
                shutil.copy(path, scratch / path.name)
        compared = _compare(predictor, OnnxModel(scratch / MODEL))
        record = export_record(scratch / MODEL, int8, compared, "logits")
        write_json_atomic(scratch / NOTE, record)
    return record


def _export(predictor: Any, path: Path) -> None:
    import torch

    model = predictor.model
    # The plain formula: other implementations have operators that ONNX has not.
    model.set_attn_implementation("eager")
    inputs = _inputs(predictor, PROBES[:2])

    class Logits(torch.nn.Module):
        """The model as a function of tensors alone."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask).logits

    given = {name: inputs[name] for name in ("input_ids", "attention_mask")}
    export_graph(Logits(), given, path, "logits", predictor.record.max_length, type(model).__name__)


def _inputs(predictor: Any, texts: Any) -> dict[str, Any]:
    return dict(
        predictor.tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=predictor.record.max_length,
            return_tensors="pt",
        )
    )


def _compare(predictor: Any, exported: OnnxModel) -> dict[str, float]:
    import torch

    inputs = _inputs(predictor, PROBES)
    names = ("input_ids", "attention_mask")
    given = {name: inputs[name] for name in names}
    with torch.no_grad():
        before = predictor.model.eval()(**given).logits
    after = exported(**given).logits
    real = inputs["attention_mask"].bool()
    if before.dim() == 3:  # logits of padding are anything
        before, after = before[real], after[real]
    same = (before.argmax(-1) == after.argmax(-1)).float().mean()
    return {
        "largest_difference": float((before - after).abs().max()),
        "same_labels": float(same),
    }
