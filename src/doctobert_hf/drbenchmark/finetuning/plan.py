"""What a benchmark run would do, and how long it would take on this machine."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from doctobert_hf.drbenchmark.families import Item, family_of
from doctobert_hf.drbenchmark.finetuning.parts import PartwiseLoss, tokens_at_once
from doctobert_hf.drbenchmark.finetuning.prediction import predict_items
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
    train, validation = (
        family.training_items(bench.splits[name].items) for name in ("train", "validation")
    )
    model: Any = context.encoder.load(bench.task, None)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    sample = random.Random(0).sample(train, min(_ROWS, len(train)))
    # As in training, rows of like length share a batch.
    sample.sort(key=lambda item: item.longest)
    batches = [sample[i : i + 8] for i in range(0, len(sample), 8)]
    most = tokens_at_once(context.tokens_at_once, device)
    loss = PartwiseLoss(model, family, bench.task, most)

    def train_on(items: list[Item]) -> None:
        inputs = family.collate(bench.task, bench.tokenizer, items)
        loss.backward({name: value.to(device) for name, value in inputs.items()})

    def seconds(work: Callable[[], object]) -> float:
        begin = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - begin) / len(sample)

    model.train()
    seconds(lambda: list(map(train_on, batches)))
    training = seconds(lambda: list(map(train_on, batches)))
    reading = seconds(lambda: predict_items(bench.task, model, bench.tokenizer, sample))
    evaluations = context.evaluations * len(validation) * reading
    return training * len(train) * epochs + evaluations
