"""What a benchmark run would do, and how long it would take on this machine."""

from __future__ import annotations

import random
import time
from typing import Any

from doctobert_hf.drbenchmark.families import family_of
from doctobert_hf.drbenchmark.finetuning.runner import Benchmark
from doctobert_hf.drbenchmark.finetuning.workbench import Context, workbench
from doctobert_hf.errors import DoctobertError

_ROWS = 32
_PRUNED_SHARE = 0.5
"""Share of a whole run that an average trial takes under the pruner."""


def plan(benchmark: Benchmark) -> list[dict[str, Any]]:
    """Return a line per task: rows, trials, seeds left, hours.

    Hours follow from a few real steps on rows of the task, timed here; trials are taken to last
    half as long as whole runs, as the pruner ends the worse half early.
    """
    lines = []
    for task in benchmark.tasks:
        done = benchmark.finished(task)
        seeds = len(benchmark.config.seeds) - len(done)
        line: dict[str, Any] = {"task": task.name, "trials": benchmark.config.trials}
        try:
            bench = workbench(benchmark.context(task))
            line |= bench.data_record["rows"]
            space = benchmark.spaces[task.name]
            epochs = space.mean_epochs if benchmark.config.trials else space.untuned.epochs
            runs = seeds + _PRUNED_SHARE * benchmark.config.trials * bool(seeds)
            seconds = _run_seconds(benchmark.context(task), epochs) * runs if seeds else 0.0
            line |= {"seeds left": seeds, "seeds done": len(done), "hours": seconds / 3600}
        except DoctobertError as error:
            line |= {"seeds left": seeds, "seeds done": len(done), "error": str(error)}
        lines.append(line)
    return lines


def _run_seconds(context: Context, epochs: float) -> float:
    """Seconds of a whole run with its evaluations, from a few timed batches."""
    import torch

    bench = workbench(context)
    family = family_of(bench.task)
    splits = bench.splits
    model: Any = context.encoder.load(bench.task, None)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    sample = random.Random(0).sample(splits["train"].items, min(_ROWS, len(splits["train"].items)))
    # As in training, rows of like length share a batch.
    sample.sort(key=lambda item: item.longest)
    batches = [sample[i : i + 8] for i in range(0, len(sample), 8)]

    def steps(train: bool) -> float:
        begin = time.perf_counter()
        for items in batches:
            inputs = family.collate(bench.task, bench.tokenizer, items)
            inputs = {name: value.to(device) for name, value in inputs.items()}
            owner, labels = inputs.pop("owner"), inputs.pop("labels")
            with torch.set_grad_enabled(train):
                outputs = family.outputs(bench.task, model(**inputs).logits, owner)
                if train:
                    family.loss(bench.task, outputs, labels).backward()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - begin) / len(sample)

    steps(True)
    training, reading = steps(True), steps(False)
    evaluations = context.evaluations * len(splits["validation"].items) * reading
    return training * len(splits["train"].items) * epochs + evaluations
