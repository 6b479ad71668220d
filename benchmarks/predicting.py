"""Predicting on a processor: ours beside the bare forward passes, ONNX and int8 beside torch.

python benchmarks/predicting.py MODEL --corpus documents.parquet [--documents 40] [--max-length 256]

The head is new: what is timed is the way, not a score.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from itertools import islice
from pathlib import Path

from common import add_output_argument, finish
from doctobert_hf.corpus import iter_texts
from doctobert_hf.drbenchmark import Predictor, get_task
from doctobert_hf.drbenchmark.export import export_onnx
from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef
from doctobert_hf.drbenchmark.finetuning.prediction import BATCH
from doctobert_hf.drbenchmark.finetuning.saving import TaskRecord, save_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--documents", type=int, default=40)
    parser.add_argument("--characters", type=int, default=6000, help="of each document")
    parser.add_argument("--max-length", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    add_output_argument(parser)
    args = parser.parse_args()
    texts = [t[: args.characters] for t in islice(iter_texts(args.corpus), args.documents)]
    with tempfile.TemporaryDirectory() as scratch:
        found = measure(args, texts, Path(scratch))
    print("\n".join(f"{name}: {value}" for name, value in found.items()))
    finish(args, "predicting", found)


def measure(args: argparse.Namespace, texts: list[str], scratch: Path) -> dict:
    task, encoder = get_task("quaero_emea"), ModelRef.find(args.model)
    model = encoder.load(task, None)
    result = {"metric": "f1", "score": 0.0, "validation_score": 0.0, "seed": 0, "scores": {},
              "rows": {"train": 0, "validation": 0, "test": 0}}  # fmt: skip
    note = TaskRecord(task.name, task.kind, task.labels, task.metric, task.label_column, 0.5,
                      "doctobert", encoder.max_length(args.max_length), "chunk", False,
                      encoder.name, result)  # fmt: skip
    (scratch / "model").mkdir()
    save_model(scratch / "model", model, encoder.tokenizer(), note)
    export_onnx(scratch / "model", scratch / "whole")
    export_onnx(scratch / "model", scratch / "small", int8=True)
    predictors = {
        "torch": Predictor.from_pretrained(scratch / "model", "cpu"),
        "onnx": Predictor.from_pretrained(scratch / "whole", onnx=True),
        "int8": Predictor.from_pretrained(scratch / "small", onnx=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in (*predictors, "forward")}
    for _ in range(args.repeats):  # in turn, so that all meet the same machine
        for name, predictor in predictors.items():
            seconds[name].append(timed(lambda p=predictor: p(texts)))
        seconds["forward"].append(forward(predictors["torch"], texts))
    median = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "documents": len(texts),
        "characters": sum(map(len, texts)),
        "seconds": median,
        "predict_over_forward": median["torch"] / median["forward"],
        "torch_over_onnx": median["torch"] / median["onnx"],
        "torch_over_int8": median["torch"] / median["int8"],
    }


def timed(call) -> float:  # noqa: ANN001
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def forward(predictor: Predictor, texts: list[str]) -> float:
    """Seconds of the model's forward passes alone, of the same chunks in the same batches."""
    import torch

    from doctobert_hf.drbenchmark.words import word_spans

    rows = [{"text": t, "tokens": [t[a:b] for a, b in word_spans(t)],
             "starts": [a for a, _ in word_spans(t)],
             predictor.task.label_column: [0] * len(word_spans(t))} for t in texts]  # fmt: skip
    chunks = sorted((s for item in predictor.encoder(rows) for s in item.inputs),
                    key=lambda s: len(s["input_ids"]))  # fmt: skip
    batches = [predictor.tokenizer.pad(chunks[i : i + BATCH], return_tensors="pt")
               for i in range(0, len(chunks), BATCH)]  # fmt: skip
    begin = time.perf_counter()
    with torch.no_grad():
        for batch in batches:
            predictor.model(**batch)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
