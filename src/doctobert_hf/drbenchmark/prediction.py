"""Predicting files of documents, and scoring a split as the evaluator does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from doctobert_hf.drbenchmark.families import family_of
from doctobert_hf.drbenchmark.formats import Predicted, write_predictions
from doctobert_hf.drbenchmark.predictor import Predictor
from doctobert_hf.drbenchmark.scoring import score_test
from doctobert_hf.drbenchmark.tasks import find_task
from doctobert_hf.errors import UsageError
from doctobert_hf.metrics.own import BENCHMARK

GROUP = 256
"""Documents predicted together: sorted by length among themselves, and all that is in memory."""


def predict_files(
    model: Path,
    source: Path,
    output: Path,
    form: str = "jsonl",
    text_column: str = "text",
    device: str | None = None,
    overwrite: bool = False,
    onnx: bool = False,
) -> dict[str, int]:
    """Predict the documents of a file or folder and write them.

    Args:
        model: Folder of a fine-tuning run.
        source: Text, JSON lines, CSV, TSV, Parquet, or a folder of these.
        output: File to write; for ``brat`` a folder.
        form: ``jsonl``, ``brat``, ``html`` or ``conll``.
        text_column: Column that holds the text.
        device: Where to compute.
        overwrite: Move what is at ``output`` aside.
        onnx: Run an exported model.

    Returns:
        ``documents`` and ``entities`` (or ``labels``) written.

    Raises:
        UsageError: No such model or input, or an output that exists.
        DataError: Input that cannot be read; nothing is written.
    """
    from doctobert_hf.corpus import list_files
    from doctobert_hf.runs import check_apart, check_free, staged_run
    from doctobert_hf.runs.publish import move_aside

    list_files(source)
    if form == "brat":
        settings = {"model": str(model.resolve()), "format": form, "text_column": text_column}
        with staged_run(output, "predictions", settings, [source], overwrite=overwrite) as scratch:
            predictor = Predictor.from_pretrained(model, device, onnx)
            return _write(predictor, source, text_column, scratch, form)
    check_free(output, [source], overwrite)
    check_apart(output, [source])
    predictor = Predictor.from_pretrained(model, device, onnx)
    from doctobert_hf.files import explained_output

    with explained_output(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        scratch = output.with_name(f".{output.name}.incomplete")
        try:
            counts = _write(predictor, source, text_column, scratch, form)
            if output.exists():
                move_aside(output)
            scratch.replace(output)
        finally:
            scratch.unlink(missing_ok=True)
    return counts


def _write(
    predictor: Predictor, source: Path, text_column: str, target: Path, form: str
) -> dict[str, int]:
    entities = family_of(predictor.task).finds_entities
    types = list(dict.fromkeys(tag[2:] for tag in predictor.task.labels if tag != "O"))
    counts = write_predictions(
        _predicted(predictor, source, text_column),
        *(target, form, entities, types, predictor.record.base_model),
    )
    if "labels" in counts and not family_of(predictor.task).gives_several:
        counts["labels"] = counts["documents"]  # one each; the others stand there with their scores
    return counts


def _predicted(predictor: Predictor, source: Path, text_column: str) -> Iterator[Predicted]:
    from doctobert_hf.corpus import iter_documents
    from doctobert_hf.reporting.progress import Progress

    rows = iter_documents(source, text_column)
    with Progress("predicting") as progress:
        while group := list(islice(rows, GROUP)):
            texts = [row[text_column] for row in group]
            for row, text, found in zip(group, texts, predictor(texts), strict=True):
                yield Predicted(str(row["id"]), text, found)
                progress.update()


def score_split(
    model: Path,
    task: str | None = None,
    corpus: Path | None = None,
    data_dir: Path | None = None,
    protocol: str | None = None,
    split: str = "test",
    device: str | None = None,
    onnx: bool = False,
) -> dict[str, Any]:
    """Predict a split of a task and score it, by what the evaluator does.

    Returns:
        ``task, split, metric, score, scores, rows``; the score of the test split is the one that
        fine-tuning printed.

    Raises:
        UsageError: The model was trained for another task.
    """
    from doctobert_hf.drbenchmark.finetuning.prediction import predict_items
    from doctobert_hf.drbenchmark.finetuning.workbench import Context, Workbench

    predictor = Predictor.from_pretrained(model, device, onnx)
    record = predictor.record
    wanted = task or record.task
    own = find_task(record.task) is None
    if corpus is None and (wanted != record.task or own):
        raise UsageError(
            f"'{model}' was trained for {record.task}"
            + (f", not {wanted}" * (wanted != record.task)),
            "--corpus FOLDER, the documents it was trained on" if own else f"--task {record.task}",
        )
    place = model / "model" if (model / "model" / "config.json").is_file() else model
    context = Context(
        _reader_of(place),
        wanted,
        protocol or record.protocol,
        legacy=record.split_words,
        max_length=record.max_length,
        long_inputs=record.long_inputs,  # type: ignore[arg-type]
        data_dir=str(data_dir) if data_dir else None,
        corpus=str(corpus) if corpus else None,
        metric=record.metric if record.metric not in BENCHMARK else None,
    )
    bench = Workbench(context)
    if bench.task.labels != record.labels:
        raise UsageError(
            f"The labels of '{corpus or wanted}' are {', '.join(bench.task.labels)}",
            f"those the model was trained for: {', '.join(record.labels)}",
        )
    part = bench.splits[split]
    predictions = predict_items(bench.task, predictor.model, bench.tokenizer, part.items)
    scores = score_test(bench.task, predictions, part.references, part.items, record.split_words)
    return {
        "task": wanted,
        "split": split,
        "metric": bench.task.metric_key,
        "score": float(scores[bench.task.metric_key]),
        "scores": scores,
        "rows": len(part.items),
    }


def _reader_of(place: Path) -> Any:
    """The encoder's tokenizer and length, also where the weights are an ONNX file."""
    from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef

    if list(place.glob("*.safetensors")):
        return ModelRef.find(str(place))
    return ModelRef(str(place), None, place.name, "exported", "exported")
