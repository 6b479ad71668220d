"""DrBenchmark: tasks, raw data, a model's scores, and reports of them.

doctobert-hf benchmark tasks                        task, metric, sizes, licence, agreement, data
doctobert-hf benchmark check --data-dir raw         counts, fingerprints, duplicates, overlaps
doctobert-hf benchmark run my-run/model --data-dir raw   tune, train five seeds, score, on each task
doctobert-hf benchmark run my-run/model --corpus notes   the same on your own annotated documents
doctobert-hf benchmark report benchmark-results     tables, ranks, figures
doctobert-hf benchmark errors benchmark-results     what was missed, invented or cut wrongly
doctobert-hf benchmark probe my-run/model --data-dir raw   a few minutes' look at a model
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.runs.commands import command_line

if TYPE_CHECKING:
    from doctobert_hf.drbenchmark.spec import TaskSpec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="tasks|check|run|report|errors|probe"
    )
    tasks = actions.add_parser("tasks", help="list the 27 tasks", allow_abbrev=False)
    tasks.add_argument("names", nargs="*", metavar="NAME", help="print the page of these tasks")
    check = actions.add_parser("check", help="verify raw data", allow_abbrev=False)
    check.add_argument("--tasks", nargs="+", metavar="NAME", help="only these; all, doctobert")
    for action in (tasks, check):
        action.add_argument(
            "--data-dir",
            type=Path,
            help="folder of raw corpora or an archive; default: $DOCTOBERT_DATA_DIR",
        )
        action.add_argument("--json", action="store_true", help="print JSON")
    from doctobert_hf.cli import benchmark_run
    from doctobert_hf.drbenchmark.report.command import add_report_arguments

    benchmark_run.add_run_arguments(
        actions.add_parser("run", help="fine-tune and score a model", allow_abbrev=False)
    )
    benchmark_run.add_probe_arguments(
        actions.add_parser("probe", help="a quick look at a model", allow_abbrev=False)
    )
    errors = actions.add_parser("errors", help="mistakes in their sentences", allow_abbrev=False)
    errors.add_argument("results", type=Path, metavar="RESULTS", help="folder of 'benchmark run'")
    errors.add_argument("--task", metavar="NAME", help="only this task")
    errors.add_argument("--model", metavar="NAME", help="only this model")
    errors.add_argument("--seed", type=int, help="only this seed (default: the first of each)")
    errors.add_argument("--type", metavar="NAME", help="only entities of this type")
    errors.add_argument("--top", type=int, default=20, help="mistakes to print (default: 20)")
    errors.add_argument("--html", type=Path, metavar="FILE", help="write all of them as a page")
    errors.add_argument("--overwrite", action="store_true", help="move FILE aside first")
    errors.add_argument("--json", action="store_true", help="print all of them as JSON")
    add_report_arguments(
        actions.add_parser("report", help="tables and figures of results", allow_abbrev=False)
    )


def run(args: argparse.Namespace) -> int:
    """Run one of the actions."""
    if args.action == "report":
        from doctobert_hf.drbenchmark.report.command import run_report

        return run_report(args)
    if args.action == "errors":
        return _errors(args)
    data_dir = getattr(args, "data_dir", None)
    if data_dir is not None and not Path(data_dir).exists():
        from doctobert_hf.errors import UsageError

        raise UsageError(f"--data-dir '{data_dir}' does not exist", "a folder or an archive")
    if args.action in ("run", "probe"):
        from doctobert_hf.cli import benchmark_run

        return benchmark_run.run(args)
    return _tasks(args) if args.action == "tasks" else _check(args)


def _errors(args: argparse.Namespace) -> int:
    from doctobert_hf.drbenchmark.families import find_family
    from doctobert_hf.drbenchmark.mistakes import line, page, read_mistakes, summary
    from doctobert_hf.drbenchmark.results import read_results
    from doctobert_hf.errors import UsageError
    from doctobert_hf.reporting.tables import text_table
    from doctobert_hf.reporting.terminal import broken
    from doctobert_hf.runs import check_free, write_output

    if args.html is not None:
        check_free(args.html, (), args.overwrite)
    root = args.results / "runs" if (args.results / "result.json").is_file() else args.results
    chosen: dict[tuple[str, ...], Any] = {}
    for result in read_results(root):
        cell = result.cell
        wanted = args.task in (None, cell.task) and args.model in (None, cell.model)
        if wanted and args.seed in (None, cell.seed) and find_family(result.kind).finds_entities:
            chosen.setdefault((cell.model, cell.revision, cell.task, cell.protocol), result)
    if not chosen:
        known = dict.fromkeys(
            f"{r.cell.model} {r.cell.task}"
            for r in read_results(root)
            if find_family(r.kind).finds_entities
        )
        raise UsageError(
            f"No such result of entities in '{args.results}'",
            f"one of: {'; '.join(known) or 'none is there'}",
        )
    found = []
    for (model, _, task, _), result in chosen.items():
        mistakes = [m for m in read_mistakes(result, root) if args.type in (None, m.type)]
        found += mistakes
        if not args.json:
            print(f"{model}, {task}, seed {result.cell.seed}: {len(mistakes):,} mistakes\n")
            print(text_table(*summary(mistakes)) + "\n")
            print("\n".join(broken(line(mistake)) for mistake in mistakes[: args.top]))
    if args.json:
        print(json.dumps([asdict(m) for m in found], ensure_ascii=False, indent=2))
    if args.html is not None:
        tasks = ", ".join(dict.fromkeys(task for _, _, task, _ in chosen))
        write_output(args.html, page(f"Mistakes, {tasks}", found), args.overwrite)
        print(f"page: {args.html}", file=sys.stderr)
    return 0


def _tasks(args: argparse.Namespace) -> int:
    from doctobert_hf.drbenchmark.check import data_found
    from doctobert_hf.drbenchmark.tasks import list_tasks
    from doctobert_hf.reporting.tables import text_table

    if args.names:
        from doctobert_hf.drbenchmark.pages import NOTICE, task_page
        from doctobert_hf.drbenchmark.tasks import get_task

        pages = (task_page(get_task(name)).removeprefix(f"{NOTICE}\n") for name in args.names)
        print("\n".join(pages))
        return 0
    rows = [_row(task, data_found(task, args.data_dir)) for task in list_tasks()]
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return 0
    print(text_table(["task", "metric", "rows", "licence", "data"], [_shown(row) for row in rows]))
    print("rows: train/validation/test; data: found, download, or missing (an agreement is needed)",
          file=sys.stderr)  # fmt: skip
    print(f"a task's page: {command_line('benchmark', 'tasks', rows[0]['task'])}", file=sys.stderr)
    line = command_line("benchmark", "check", data_dir=args.data_dir or "RAW")
    print(f"next, with raw corpora in RAW: {line}" if args.data_dir is None else f"next: {line}",
          file=sys.stderr)  # fmt: skip
    return 0


def _shown(row: dict[str, Any]) -> list[str]:
    """A row of at most 80 columns; --json has the rest."""
    sizes = "/".join(_cell(row[name]) for name in ("train", "validation", "test"))
    licence = "agreement" if row["agreement"] == "needed" else row["license"].split(",")[0]
    found = row["data"] if row["data"] in ("missing", "download", "unreadable") else "found"
    return [row["task"], row["metric"], sizes, licence, found]


def _row(task: TaskSpec, found: str) -> dict[str, Any]:
    train, validation, test = task.sizes or (None, None, None)
    return {
        "task": task.name,
        "kind": task.kind,
        "metric": task.metric,
        "train": train,
        "validation": validation,
        "test": test,
        "license": task.corpus.license,
        "agreement": "needed" if task.corpus.gate else "no",
        "data": found,
    }


def _cell(value: Any) -> str:
    return "?" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


_RAW = (
    "--data-dir names a folder of raw corpora, an archive or an unpacked corpus; a task's page "
    "says where to get the corpus (doctobert-hf benchmark tasks NAME)."
)


def _check(args: argparse.Namespace) -> int:
    from doctobert_hf.drbenchmark.check import check_task
    from doctobert_hf.drbenchmark.tasks import list_tasks, named_tasks
    from doctobert_hf.reporting.tables import text_table

    tasks = named_tasks(args.tasks) if args.tasks else list_tasks()
    checks = [check_task(task, args.data_dir) for task in tasks]
    # Asked for by name, absent data is a failure; in the list of all, it is only told.
    failed = [
        c
        for c in checks
        if c.status in ("differs", "error") or (args.tasks and c.status == "absent")
    ]
    if args.json:
        print(json.dumps([asdict(check) for check in checks], ensure_ascii=False, indent=2))
        return 1 if failed else 0
    rows = [
        [
            c.task,
            c.status,
            *(f"{n:,}" for n in c.sizes or ()),
            *("–" * (3 - len(c.sizes or ()))),
            c.fingerprint if c.sizes else "–",
        ]
        for c in checks
    ]
    print(text_table(["task", "status", "train", "valid.", "test", "fingerprint"], rows))
    for check in checks:
        told = check.findings if check.status != "absent" or args.tasks else []
        for line in told + [f"note: {note}" for note in check.notes]:
            print(f"{check.task}: {line}", file=sys.stderr)
    if all(check.status == "absent" for check in checks):
        where = args.data_dir or os.environ.get("DOCTOBERT_DATA_DIR")
        print(
            f"No raw corpus in '{where}'. {_RAW}" if where else f"No folder was named. {_RAW}",
            file=sys.stderr,
        )
    return 1 if failed else 0
