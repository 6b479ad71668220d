"""A torch module as an ONNX graph, in float32 or int8, and running one on the processor.

Source: ``torch.onnx.export(dynamo=True)``; int8 by ``onnxruntime.quantization.quantize_dynamic``
(weights of matrix products in 8 bits, activations quantised as they come).
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import warnings
from pathlib import Path
from typing import Any

from doctobert_hf.errors import DataError, UsageError

TOLERANCE = 1e-3
"""Most that an export in float32 may differ; int8 is told with what it differs by."""


def export_record(path: Path, int8: bool, compared: dict[str, Any], what: str) -> dict[str, Any]:
    """Return what is recorded of an export, if it is the model.

    Args:
        path: The graph.
        int8: Whether it is quantised.
        compared: Of both, with ``largest_difference``.
        what: What was compared, for the error.

    Raises:
        DataError: In float32 it differs by more than :data:`TOLERANCE`.
    """
    if not int8 and compared["largest_difference"] > TOLERANCE:
        raise DataError(
            f"The exported model's {what} differ by {compared['largest_difference']:.2g}",
            f"at most {TOLERANCE:g}",
            "Report the architecture",
        )
    return {"int8": int8, "bytes": path.stat().st_size, **compared}


def require_onnx() -> None:
    """Raise where what exports and runs ONNX is not installed.

    Raises:
        UsageError: A library is absent, with the command that installs it.
    """
    names = ("onnx", "onnxruntime", "onnxscript")
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"ONNX needs {', '.join(missing)}",
            "them installed",
            "Install them: pip install 'doctobert-hf[onnx]'",
        )


def export_graph(
    module: Any, inputs: dict[str, Any], path: Path, output: str, longest: int, what: str
) -> None:
    """Write a module as a graph over batches and lengths of any size.

    Args:
        module: A function of the inputs, in their order, that gives one tensor.
        inputs: Tensors of shape (batch, length) to trace with.
        path: Where the graph goes.
        output: Name of what it gives.
        longest: Largest length.
        what: Name of the architecture, for messages.

    Raises:
        DataError: The architecture cannot be exported.
    """
    import torch

    batch = torch.export.Dim("batch", min=1, max=1 << 16)
    length = torch.export.Dim("length", min=2, max=max(8, longest))
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _silent():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module.eval(),
                tuple(inputs.values()),
                dynamo=True,
                dynamic_shapes={name: {0: batch, 1: length} for name in inputs},
                input_names=list(inputs),
                output_names=[output],
            )
            program.save(str(path))  # type: ignore[union-attr]
    except Exception as error:  # torch raises its own classes, by stage of the export
        raise DataError(
            f"{what} cannot be exported "
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


def quantise(path: Path) -> None:
    """Replace a graph by one whose weights of matrix products are in 8 bits."""
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
    path.with_name(f"{path.name}.data").unlink(missing_ok=True)


def open_session(path: Path) -> Any:
    """Open a graph to be run on the processor, by as many threads as torch has."""
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
