"""Exporting a retriever's encoder as an ONNX graph, and measuring it beside torch."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from doctobert_hf.errors import UsageError
from doctobert_hf.files import write_json_atomic
from doctobert_hf.models.onnx_graph import export_graph, export_record, quantise, require_onnx
from doctobert_hf.retrieval.onnx_encoder import GRAPH, NOTE, is_export, with_graph

"""Largest difference of scores between torch and the exported model in float32."""
_DOCUMENTS, _QUERIES, _TOP, _REPEATS = 60, 20, 10, 3
_CHARACTERS = 400  # of a document that is measured


def export_retriever(
    place: Path, output: Path, int8: bool = False, overwrite: bool = False
) -> dict[str, Any]:
    """Export a dense or late-interaction model, and measure it beside torch.

    Args:
        place: Folder of the model.
        output: Folder for the model and its graph.
        int8: Quantise weights to 8 bits.
        overwrite: Move another export that is in ``output`` aside.

    Returns:
        What ``onnx.json`` has: ``int8, bytes``; ``largest_difference`` of the scores of 20 made-up
        questions in 60 made-up documents, ``same_first`` and ``same_ten``, the shares of questions
        with the same best document, and of their best ten; ``documents_per_second`` of both.

    Raises:
        UsageError: It is an export already, or a library is missing.
        DataError: It cannot be exported, or ranks otherwise.
    """
    from doctobert_hf.reporting.progress import Progress
    from doctobert_hf.retrieval.models import open_model
    from doctobert_hf.retrieval.portable import save_model
    from doctobert_hf.runs import staged_run

    require_onnx()
    if is_export(place):
        raise UsageError(f"'{place}' is an export", "the model it was made of")
    model: Any = open_model(str(place)).to("cpu").eval()
    if not hasattr(model[0], "auto_model"):
        raise UsageError(f"'{place}' has no encoder: its vectors are looked up", "an encoder")
    settings = {"model": str(place.resolve()), "int8": int8}
    with staged_run(output, "onnx", settings, [place], overwrite=overwrite) as scratch:
        before = _measured(model)  # with the attention it has, not the one that is exported
        save_model(model, scratch, create_model_card=False)
        with Progress("export"):
            (scratch / GRAPH).parent.mkdir()
            _export(model, scratch / GRAPH)
            if int8:
                quantise(scratch / GRAPH)
        compared = _compared(before, _measured(with_graph(model, scratch)))
        record = export_record(scratch / GRAPH, int8, compared, "scores")
        write_json_atomic(scratch / NOTE, record)
    return record


def _export(model: Any, path: Path) -> None:
    encoder = model[0].auto_model
    # The plain formula: other implementations have operators that ONNX has not.
    encoder.set_attn_implementation("eager")
    tokens = model.tokenizer(
        ["Pas de fièvre.", "Une toux sèche."], padding=True, return_tensors="pt"
    )
    known = ("input_ids", "attention_mask", "token_type_ids")
    inputs = {name: tokens[name] for name in known if name in tokens}

    class States(torch.nn.Module):
        """The encoder as a function of tensors alone."""

        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None) -> Any:
            more = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
            found = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **more)
            return found.last_hidden_state

    longest = int(model.max_seq_length or 512)
    export_graph(States(), inputs, path, "last_hidden_state", longest, type(encoder).__name__)


def _measured(model: Any) -> tuple[np.ndarray, float]:
    """Return the scores of made-up questions in made-up documents, and documents a second."""
    from doctobert_hf.corpus.sample import sample_documents
    from doctobert_hf.retrieval.index import Index

    texts = [document.text[:_CHARACTERS] for document in sample_documents(_DOCUMENTS)]
    documents = {f"{number:03d}": text for number, text in enumerate(texts)}
    seconds = []
    for _ in range(_REPEATS):
        begin = time.perf_counter()
        index = Index.build(documents, model)
        seconds.append(time.perf_counter() - begin)
    queries = [text[len(text) // 3 :][:80] for text in texts[:_QUERIES]]
    scores = np.maximum.reduceat(index.scores(queries), index.starts, axis=1)
    return scores, len(texts) / float(np.median(seconds))


def _compared(before: tuple[np.ndarray, float], after: tuple[np.ndarray, float]) -> dict[str, Any]:
    orders = [np.argsort(-scores, axis=1, kind="stable")[:, :_TOP] for scores, _ in (before, after)]
    rows = list(zip(*orders, strict=True))
    return {
        "largest_difference": float(np.abs(before[0] - after[0]).max()),
        "same_first": float(np.mean([a[0] == b[0] for a, b in rows])),
        "same_ten": float(np.mean([len({*a} & {*b}) / len(a) for a, b in rows])),
        "documents_per_second": {"torch": round(before[1], 1), "onnx": round(after[1], 1)},
    }
