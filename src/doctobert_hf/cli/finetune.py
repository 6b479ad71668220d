"""Fine-tune an encoder for a task of any family, and keep the model.

doctobert-hf finetune my-run/model --task quaero_emea --data-dir raw --output my-ner
doctobert-hf finetune almanach/camembert-bio-base --corpus notes --output my-ner
doctobert-hf predict my-ner/model new-notes --output annotated --format brat
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from doctobert_hf.config import add_config_arguments, build_config, config_overrides
from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig
from doctobert_hf.errors import UsageError
from doctobert_hf.reporting.terminal import broken
from doctobert_hf.runs.commands import command_line

_OWN = ("tasks", "output", "save_models")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: those of ``benchmark run``, for one task."""
    from pathlib import Path

    parser.add_argument("model", help="folder of a model, or an id on the Hub")
    parser.add_argument("--task", metavar="NAME", help="task of DrBenchmark, or of --corpus")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run")
    parser.add_argument("--revision", help="branch, tag or commit on the Hub")
    parser.add_argument("--overwrite", action="store_true", help="move another run there aside")
    parser.add_argument("--task-file", type=Path, action="append", default=[], metavar="FILE.py",
                        help="file that registers tasks of your own")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_config_arguments(parser, BenchmarkConfig, leave_out=_OWN, shown={"trials": 0, "seeds": 42})


def run(args: argparse.Namespace) -> int:
    """Fine-tune, keep the best seed's model, print its score."""
    from doctobert_hf.drbenchmark.finetuning.finetune import finetune
    from doctobert_hf.drbenchmark.tasks import load_task_files

    load_task_files(args.task_file)
    given = config_overrides(args, BenchmarkConfig)
    given.pop("output", None)
    if (args.task is None) == ("corpus" not in given) and args.task is None:
        raise UsageError("Neither --task nor --corpus", "one of them")
    own = {"trials": 0, "seeds": (42,)} | ({"protocol": "strict"} if "corpus" in given else {})
    config = build_config(BenchmarkConfig, own, given, source="options")
    try:
        result = finetune(args.model, args.output, args.task, config, args.revision, args.overwrite)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "Finished seeds are kept; run the same command to resume."
        ) from None
    if args.json:
        print(json.dumps(result, ensure_ascii=False, indent=2))
    else:
        bounds = ""
        if result.get("interval"):
            low, high = (100 * bound for bound in result["interval"])
            bounds = f" (95 % interval over documents {low:.2f} to {high:.2f})"
        score, validation = 100 * result["score"], 100 * result["validation_score"]
        told = f"{result['task']}: {result['metric']} {score:.2f} on test{bounds}"
        print(broken(f"{told}, {validation:.2f} on validation"))
        if len(result["seeds"]) > 1:
            print(broken(_of_seeds(result)))
        print(f"model: {args.output / 'model'}")
    data = {"corpus": config.corpus} if config.corpus else {"task": result["task"]}
    line = command_line("predict", args.output / "model", **data, data_dir=config.data_dir)
    print(f"next: {line}", file=sys.stderr)
    return 0


def _of_seeds(result: dict[str, Any]) -> str:
    """Say which seed's model was kept, and how much the seeds differ."""
    scores = [100 * score for score in result["seeds"].values()]
    return (
        f"kept: seed {result['seed']}, the best of {len(scores)} on validation; "
        f"test scores of all: mean {sum(scores) / len(scores):.2f}, "
        f"{min(scores):.2f} to {max(scores):.2f}"
    )
