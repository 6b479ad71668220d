"""Fine-tuning on QUAERO MEDLINE: ours beside the published pad-to-512, one run.

    python benchmarks/finetuning.py MODEL --data-dir raw --json benchmarks/results/finetuning.json

The same model, rows, steps, learning rate and seeds. Ours: rows padded to the longest of a batch,
batches of rows of like length, long evaluation batches. Published: stock ``Trainer``, every row
padded to 512 tokens, words given one by one, evaluation in batches of 8. Both take turns; time is
training and prediction of the test split, F1 is the mean over seeds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from common import add_output_argument, finish
from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef
from doctobert_hf.drbenchmark.finetuning.hyperparameters import HyperParameters
from doctobert_hf.drbenchmark.finetuning.workbench import Context, Workbench
from doctobert_hf.drbenchmark.scoring import score_predictions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--task", default="quaero_medline")
    parser.add_argument("--rows", type=int, default=None, help="training rows; default: all")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43])
    add_output_argument(parser)
    args = parser.parse_args()
    context = Context(
        ModelRef.find(args.model),
        args.task,
        "doctobert",
        data_dir=str(args.data_dir) if args.data_dir else None,
        max_train_rows=args.rows,
        evaluations=1,
    )
    bench = Workbench(context)
    _ = bench.splits  # both sides begin with rows that are tokenised
    parameters = HyperParameters(args.learning_rate, epochs=args.epochs, warmup_ratio=0.1)
    found: dict[str, dict[str, list[float]]] = {}
    for seed in args.seeds:
        for name, way in (("ours", ours), ("pad to 512", padded)):
            seconds, score = way(bench, parameters, seed)
            record = found.setdefault(name, {"seconds": [], "f1": []})
            record["seconds"].append(seconds)
            record["f1"].append(score)
            print(f"seed {seed}, {name:10}: {seconds:7.1f} s, F1 {score:.4f}", flush=True)
    results: dict[str, Any] = {"rows": bench.data_record["rows"], **found}
    medians = {name: statistics.median(record["seconds"]) for name, record in found.items()}
    results["ratio"] = medians["pad to 512"] / medians["ours"]
    means = {name: statistics.mean(record["f1"]) for name, record in found.items()}
    print(
        f"ours is {results['ratio']:.1f} x as fast; F1 {means['ours']:.4f} and "
        f"{means['pad to 512']:.4f}"
    )
    finish(args, "finetuning", results)


def ours(bench: Workbench, parameters: HyperParameters, seed: int) -> tuple[float, float]:
    """Seconds and test F1 of the benchmark's own run, without evaluations in between."""
    begin = time.perf_counter()
    tuner = bench.fine_tune(parameters, seed)
    test = bench.splits["test"]
    predictions = tuner.predictions(test.items)
    seconds = time.perf_counter() - begin
    scores = score_predictions(bench.task, predictions, test.references)
    return seconds, scores[bench.task.metric_key]


def padded(bench: Workbench, parameters: HyperParameters, seed: int) -> tuple[float, float]:
    """The published way: every row 512 tokens long. Validation is predicted once, as ours."""
    import numpy as np
    from transformers import (
        DataCollatorForTokenClassification,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    from doctobert_hf.drbenchmark.finetuning.encoding import ExampleEncoder

    encode = ExampleEncoder(bench.task, bench.tokenizer, 512, "truncate", split_words=True)
    rows = {
        split: [_filled(item, bench.tokenizer.pad_token_id) for item in encode(bench.rows[split])]
        for split in bench.rows
    }
    begin = time.perf_counter()
    set_seed(seed)
    model = bench.context.encoder.load(bench.task, parameters.dropout)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model,
            TrainingArguments(
                output_dir=scratch,
                num_train_epochs=parameters.epochs,
                per_device_train_batch_size=parameters.batch_size,
                learning_rate=parameters.learning_rate,
                weight_decay=parameters.weight_decay,
                warmup_steps=parameters.warmup_ratio,
                save_strategy="no",
                logging_strategy="no",
                report_to="none",
                disable_tqdm=True,
                seed=seed,
            ),
            train_dataset=rows["train"],
            data_collator=DataCollatorForTokenClassification(bench.tokenizer),
            preprocess_logits_for_metrics=lambda logits, labels: logits.argmax(-1),
        )
        trainer.train()
        trainer.predict(rows["validation"])
        output = trainer.predict(rows["test"])
    seconds = time.perf_counter() - begin
    names = bench.task.labels
    kept = [np.asarray(row["labels"]) != -100 for row in rows["test"]]
    predictions = [
        [names[i] for i in row[keep]] for row, keep in zip(output.predictions, kept, strict=True)
    ]
    references = bench.splits["test"].references
    scores = score_predictions(bench.task, predictions, references)
    return seconds, scores[bench.task.metric_key]


def _filled(item: Any, pad: int) -> dict[str, list[int]]:
    ids, labels = item.inputs[0]["input_ids"], item.labels[0]
    extra = 512 - len(ids)
    return {
        "input_ids": ids + [pad] * extra,
        "attention_mask": [1] * len(ids) + [0] * extra,
        "labels": labels + [-100] * extra,
    }


if __name__ == "__main__":
    main()
