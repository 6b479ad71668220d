"""``doctobert-hf benchmark run`` and ``probe``: a model by path or Hub id on the tasks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.config import add_config_arguments, build_config, config_overrides
from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig

if TYPE_CHECKING:
    from doctobert_hf.drbenchmark.finetuning.runner import Outcome


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="folder of a model, or an id on the Hub")
    parser.add_argument("--revision", help="branch, tag or commit on the Hub")
    parser.add_argument("--name", help="name in results (default: the id, or the folder's)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``run``: the model, and every key of ``BenchmarkConfig``."""
    _add_model(parser)
    add_config_arguments(parser, BenchmarkConfig)
    parser.add_argument("--task-file", type=Path, action="append", default=[], metavar="FILE.py",
                        help="file that registers tasks of your own")  # fmt: skip
    parser.add_argument(
        "--overwrite", action="store_true", help="move the results in --output aside first"
    )
    parser.add_argument("--dry-run", action="store_true", help="print plan and estimate, and stop")


def add_probe_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``probe``."""
    _add_model(parser)
    parser.add_argument(
        "--data-dir",
        type=Path,
        help="folder of raw corpora or an archive; default: $DOCTOBERT_DATA_DIR",
    )


def run(args: argparse.Namespace) -> int:
    """Run the benchmark, its plan, or the probe."""
    from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef
    from doctobert_hf.drbenchmark.tasks import load_task_files

    load_task_files(getattr(args, "task_file", []))
    encoder = ModelRef.find(args.model, args.revision, args.name)
    if args.action == "probe":
        from doctobert_hf.drbenchmark.finetuning.probe import probe

        try:
            scores = probe(encoder, args.data_dir, tell=_tell_probe)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("A probe keeps nothing: it starts over.") from None
        return _print_probe(scores, args.json)
    from doctobert_hf.drbenchmark.finetuning.runner import Benchmark

    benchmark = Benchmark(encoder, _config(args), overwrite=args.overwrite)
    if args.dry_run:
        return _print_plan(benchmark, args.json)
    try:
        outcome = benchmark.run()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "Finished cells and trials are kept; run the same command to resume."
        ) from None
    return _print_outcome(outcome, benchmark.config, args.json)


def _config(args: argparse.Namespace) -> BenchmarkConfig:
    given = config_overrides(args, BenchmarkConfig)
    own = {"protocol": "strict", "seeds": (42, 43, 44)} if "corpus" in given else {}
    return build_config(BenchmarkConfig, own, given, source="options")


def _print_plan(benchmark: Any, as_json: bool) -> int:
    from doctobert_hf.drbenchmark.finetuning.plan import plan
    from doctobert_hf.reporting.tables import text_table

    lines = plan(benchmark)
    failed = any("error" in line for line in lines)
    if as_json:
        print(json.dumps(lines, indent=2))
        return 1 if failed else 0
    header = ["task", "train", "validation", "test", "trials", "seeds done", "seeds left", "hours"]
    rows = [
        [f"{v:.2f}" if isinstance(v := line.get(key, "–"), float) else str(v) for key in header]
        for line in lines
    ]
    print(text_table(header, rows))
    for line in lines:
        if "error" in line:
            print(f"{line['task']}: {line['error']}", file=sys.stderr)
    print(
        f"about {sum(line.get('hours', 0.0) for line in lines):.1f} hours on this machine; results "
        f"in {benchmark.config.output}",
        file=sys.stderr,
    )
    return 1 if failed else 0


def _print_outcome(outcome: Outcome, config: BenchmarkConfig, as_json: bool) -> int:
    from statistics import mean

    from doctobert_hf.reporting.tables import text_table
    from doctobert_hf.statistics import deviation

    by_task: dict[str, list[Any]] = {}
    for result in outcome.done:
        by_task.setdefault(result.cell.task, []).append(result)
    if as_json:
        rows = [
            {"task": t, "metric": r[0].metric, "scores": {x.cell.seed: x.score for x in r}}
            for t, r in by_task.items()
        ]
        print(json.dumps({"results": rows, "failed": outcome.failed}, indent=2))
    else:
        table = [
            [
                task,
                found[0].metric,
                f"{100 * mean(r.score for r in found):.2f}",
                "–" if spread is None else f"{spread:.2f}",
                str(len(found)),
            ]
            for task, found in by_task.items()
            for spread in [deviation([100 * r.score for r in found])]
        ]
        if table:
            print(text_table(["task", "metric", "mean", "std", "seeds"], table))
    if outcome.done:
        _write_report(config)
    if outcome.failed:
        again = any(entry["again"] for entry in outcome.failed)
        advice = (
            "what is done is kept; the same command tries the others again"
            if again
            else "the same command would fail again: mend what the lines above name first"
        )
        print(f"{len(outcome.failed)} failed; {advice}", file=sys.stderr)
        return 1
    return 0


def _write_report(config: BenchmarkConfig) -> None:
    """Rank all results of the folder, among the paper's models where tasks are the paper's."""
    from doctobert_hf.drbenchmark.published import TASKS
    from doctobert_hf.drbenchmark.report.write import write_report
    from doctobert_hf.drbenchmark.results import read_results
    from doctobert_hf.errors import DoctobertError

    procedure = "legacy" if config.legacy else "standard"
    known = any(result.cell.task in TASKS for result in read_results(config.output))
    place = config.output / "report"
    try:
        write_report(
            config.output, place, "published" if known else None, config.protocol, procedure
        )
    except DoctobertError as error:  # the results are there, whatever stands beside them
        print(f"no report: {error}", file=sys.stderr)
        return
    print(f"report: {place / 'report.html'}", file=sys.stderr)


def _tell_probe(task: str, score: dict[str, float]) -> None:
    shown = f"{100 * score['score']:.2f} ({score['seconds']:.0f} s)"
    print(f"{task}: test score {shown}", file=sys.stderr)


def _print_probe(scores: dict[str, dict[str, float]], as_json: bool) -> int:
    from doctobert_hf.reporting.tables import text_table

    if as_json:
        print(json.dumps(scores, indent=2))
        return 0
    rows = [[task, f"{100 * s['score']:.2f}", f"{s['seconds']:.0f}"] for task, s in scores.items()]
    print(text_table(["task (subset)", "test score", "seconds"], rows))
    for task in (task for task, score in scores.items() if not score["score"]):
        print(
            f"{task}: nothing right: so short a training does not reach this model's labels",
            file=sys.stderr,
        )
    return 0
