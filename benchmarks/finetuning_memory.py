"""Memory of fine-tuning on documents: batches computed whole and in parts.

    python benchmarks/finetuning_memory.py MODEL --data-dir raw \
        --json benchmarks/results/finetuning_memory.json

The first steps of `benchmark run MODEL --tasks quaero_emea --trials 0 --seeds 1`, whose first batch
has the longest document, in a process for each bound (`--tokens-at-once`). The peak is the most
that the process ever held; seconds are of its processor, so that other processes do not count.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import add_output_argument, finish


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--task", default="quaero_emea")
    parser.add_argument("--steps", type=int, default=24, help="updates of each process")
    parser.add_argument("--bounds", type=int, nargs="+", default=[32_768, 2_048], metavar="TOKENS")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    add_output_argument(parser)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(measure(args, args.bounds[0])))
        return
    found = {}
    for bound in args.bounds:
        command = [sys.executable, __file__, args.model, "--task", args.task, "--child"]
        command += ["--steps", str(args.steps), "--bounds", str(bound)]
        command += ["--data-dir", str(args.data_dir)] if args.data_dir else []
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        found[str(bound)] = record = json.loads(output.splitlines()[-1])
        print(
            f"{bound:6,} tokens at once: peak {record['peak_gb']:.1f} GB, "
            f"{record['seconds']:.0f} s",
            flush=True,
        )
    finish(args, "finetuning_memory", {"steps": args.steps, "bounds": found})


def measure(args: argparse.Namespace, bound: int) -> dict[str, Any]:
    """Train some steps and return peak, seconds and the largest batch."""
    from transformers import TrainerCallback, set_seed

    from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef
    from doctobert_hf.drbenchmark.finetuning.hyperparameters import read_spaces
    from doctobert_hf.drbenchmark.finetuning.trainer import TaskTrainer
    from doctobert_hf.drbenchmark.finetuning.workbench import Context, Workbench
    from doctobert_hf.recipes import find_recipe

    class Stop(TrainerCallback):
        def on_step_end(self, _: Any, state: Any, control: Any, **__: Any) -> None:
            control.should_training_stop = state.global_step >= args.steps

    data = str(args.data_dir) if args.data_dir else None
    bench = Workbench(Context(ModelRef.find(args.model), args.task, "doctobert", data_dir=data))
    parameters = read_spaces(find_recipe("drbenchmark/search"), [bench.task])[args.task].untuned
    splits = bench.splits
    set_seed(1)
    model = bench.context.encoder.load(bench.task, parameters.dropout)
    begin = resource.getrusage(resource.RUSAGE_SELF)
    with tempfile.TemporaryDirectory() as scratch:
        tuner = TaskTrainer(
            *(bench.task, model, bench.tokenizer, splits["train"], splits["validation"]),
            *(parameters, 1, scratch),
            tokens_at_once=bound,
        )
        tuner.add_callback(Stop())
        shapes, tokens = [], []
        collate = tuner.data_collator

        def collated(items: Any) -> Any:
            batch = collate(items)
            shapes.append(list(batch["input_ids"].shape))
            tokens.append(int(batch["attention_mask"].sum()))
            return batch

        tuner.data_collator = collated
        tuner.train()
    end = resource.getrusage(resource.RUSAGE_SELF)
    largest = max(range(len(shapes)), key=lambda at: shapes[at][0] * shapes[at][1])
    return {
        "peak_gb": end.ru_maxrss * 1024 / 1e9,
        "seconds": end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime,
        "largest_batch": shapes[largest],
        "tokens_without_padding": tokens[largest],
        "parameters": sum(p.numel() for p in model.parameters()),
    }


if __name__ == "__main__":
    main()
