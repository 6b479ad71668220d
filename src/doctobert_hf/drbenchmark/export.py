"""A fine-tuned model as ONNX, for processors: exported by torch, run by onnxruntime.

Source: ``torch.onnx.export(dynamo=True)``; int8 by ``onnxruntime.quantization.quantize_dynamic``
(weights of matrix products in 8 bits, activations quantised as they come).
"""

from __future__ import annotations

import contextlib
import io
import logging
import shutil
import warnings
from pathlib import Path
from typing import Any

from doctobert_hf.drbenchmark.onnx_model import MODEL, OnnxModel, require_onnx
from doctobert_hf.errors import DataError
from doctobert_hf.files import write_json_atomic
from doctobert_hf.reporting.progress import Progress

NOTE = "onnx.json"
TOLERANCE = 1e-3
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
                _quantise(scratch / MODEL)
        for path in place.iterdir():
            if path.suffix in (".json", ".txt", ".model") and path.name != "run.json":
                shutil.copy(path, scratch / path.name)
        record: dict[str, Any] = {"int8": int8, "bytes": (scratch / MODEL).stat().st_size}
        record |= _compare(predictor, OnnxModel(scratch / MODEL))
        if not int8 and record["largest_difference"] > TOLERANCE:
            raise DataError(
                f"The exported model's logits differ by {record['largest_difference']:.2g}",
                f"at most {TOLERANCE:g}",
                "Report the architecture",
            )
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

    names = ("input_ids", "attention_mask")
    batch = torch.export.Dim("batch", min=1, max=1 << 16)
    length = torch.export.Dim("length", min=2, max=max(8, predictor.record.max_length))
    shapes = {name: {0: batch, 1: length} for name in names}
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _silent():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                Logits().eval(),
                tuple(inputs[name] for name in names),
                dynamo=True,
                dynamic_shapes=shapes,
                input_names=list(names),
                output_names=["logits"],
            )
            program.save(str(path))  # type: ignore[union-attr]
    except Exception as error:  # torch raises its own classes, by stage of the export
        raise DataError(
            f"{type(model).__name__} cannot be exported "
            f"({type(error).__name__}: {str(error).splitlines()[0][:200]})",
            "an architecture that torch.onnx exports, such as BERT, RoBERTa or ModernBERT",
        ) from error


@contextlib.contextmanager
def _silent() -> Any:
    loggers = [logging.getLogger(name) for name in ("onnxscript", "torch.onnx", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _quantise(path: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    whole = path.with_name("float32.onnx")
    path.rename(whole)
    with contextlib.redirect_stdout(io.StringIO()):
        level = logging.getLogger().level
        logging.getLogger().setLevel(logging.ERROR)  # it advises a step that export has done
        try:
            quantize_dynamic(str(whole), str(path), weight_type=QuantType.QInt8, per_channel=True)
        finally:
            logging.getLogger().setLevel(level)
    whole.unlink()
    whole.with_name(f"{whole.name}.data").unlink(missing_ok=True)
    path.with_name(f"{MODEL}.data").unlink(missing_ok=True)


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
