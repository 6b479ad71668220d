"""An encoder that was continued on your text beside itself, fine-tuned alike: is it better?

python benchmarks/adapting.py START ADAPTED --data-dir RAW [--tasks quaero_emea] [--json FILE]

Both are fine-tuned with the same untuned values and seeds; results that are in ``--output`` are
taken as they are. The difference is paired by document. With ``--results FOLDER``, which
``doctobert-hf benchmark run`` wrote, START and ADAPTED are the names of the models there, and
nothing is trained.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import yaml

from common import add_output_argument, finish
from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig
from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef
from doctobert_hf.drbenchmark.finetuning.runner import Benchmark
from doctobert_hf.drbenchmark.report.board import build_board
from doctobert_hf.drbenchmark.report.evidence import read_counts
from doctobert_hf.drbenchmark.report.significance import evidence_of, pair_of
from doctobert_hf.drbenchmark.results import read_results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("start")
    parser.add_argument("adapted")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--results", type=Path, help="folder that 'benchmark run' wrote")
    parser.add_argument("--tasks", nargs="+", default=["quaero_emea"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--output", type=Path, default=Path("adapting"))
    add_output_argument(parser)
    args = parser.parse_args()
    if args.results is not None:
        args.output = args.results
        names = {"start": args.start, "adapted": args.adapted}
        of = [r for r in read_results(args.results) if r.cell.model in names.values()]
        settings = {"fine_tuning": of[0].hyperparameters, "encoding": of[0].encoding}
        finish(args, "adapting", {**settings, **compared(args, names)})
        return
    if args.data_dir is None:
        parser.error("--data-dir is needed where there are no --results")
    values = {"learning_rate": args.learning_rate, "epochs": args.epochs, "batch_size": 16}
    values |= {"weight_decay": 0.01, "warmup_ratio": 0.1}
    args.output.mkdir(parents=True, exist_ok=True)
    space = args.output.with_suffix(".space.yaml")
    space.write_text(yaml.safe_dump({"untuned": values}), encoding="utf-8")
    config = BenchmarkConfig(
        tasks=tuple(args.tasks),
        trials=0,
        seeds=tuple(args.seeds),
        output=args.output,
        data_dir=args.data_dir,
        space=str(space),
        evaluations=3,
    )
    names = {}
    for role, place in (("start", args.start), ("adapted", args.adapted)):
        benchmark = Benchmark(ModelRef.find(place), config)
        outcome = benchmark.run()
        if outcome.failed:
            raise SystemExit(str(outcome.failed[0]))
        names[role] = benchmark.encoder.name
    finish(args, "adapting", {"fine_tuning": values, **compared(args, names)})


def compared(args: argparse.Namespace, names: dict[str, str]) -> dict:
    """Return scores, intervals, and the difference with its p-value."""
    results = [
        r
        for r in read_results(args.output)
        if r.cell.model in names.values()
        and r.cell.task in args.tasks
        and r.cell.seed in args.seeds
    ]
    counts = read_counts(results, args.output)
    board = build_board(results, counts=counts)
    rows = {row.model: row for row in board.rows}
    found: dict = {"tasks": args.tasks, "seeds": args.seeds}
    for role, name in names.items():
        found[role] = {
            task: {
                "mean": entry.mean,
                "interval": [entry.interval.low, entry.interval.high] if entry.interval else None,
                "seeds": [100 * r.score for r in results
                          if (r.cell.model, r.cell.task) == (name, task)],
            }
            for task, entry in rows[name].entries.items()
        }  # fmt: skip
        print(role, {task: round(row["mean"], 2) for task, row in found[role].items()})
    evidence = evidence_of(results, counts)
    pair = pair_of(rows[names["adapted"]], rows[names["start"]], evidence)
    found["difference"], found["p_value"] = pair.difference, pair.p_value
    print(f"adapted over start: {pair.difference:+.2f} (p {pair.p_value:.2g})")
    return found


if __name__ == "__main__":
    main()
