"""The Hub: publish a model, a tokenizer or a dataset with its card, or look before you do.

doctobert-hf hub push-model my-run OWNER/NAME --license apache-2.0 --dry-run    writes a folder
doctobert-hf hub push-model my-run OWNER/NAME --license apache-2.0 --private    one commit
doctobert-hf hub push-tokenizer my-tokenizer OWNER/NAME --license apache-2.0
doctobert-hf hub push-dataset documents.parquet OWNER/NAME --license cc-by-4.0
doctobert-hf hub push-dataset raw OWNER/NAME --tasks morfitt frenchmedmcqa_mcqa
doctobert-hf hub card my-run OWNER/NAME                           the card, on stdout
doctobert-hf hub verify OWNER/NAME                                load it, run its snippets

The token is taken from 'hf auth login' or from HF_TOKEN. What records cannot know (licence,
contact, authors, ...) comes from card.yaml beside what is published, or from options.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.config import add_config_arguments, config_overrides
from doctobert_hf.errors import UsageError
from doctobert_hf.hub.cards.facts import CardFacts, read_facts
from doctobert_hf.runs.commands import command_line

if TYPE_CHECKING:
    from doctobert_hf.hub.publish.push import PushReport, Target

ACTIONS = "push-model|push-tokenizer|push-dataset|card|verify"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar=ACTIONS)
    model = actions.add_parser("push-model", help="publish a model", allow_abbrev=False)
    tokenizer = actions.add_parser("push-tokenizer", help="publish a tokenizer", allow_abbrev=False)
    dataset = actions.add_parser("push-dataset", help="publish a dataset", allow_abbrev=False)
    card = actions.add_parser("card", help="render a card, send nothing", allow_abbrev=False)
    check = actions.add_parser("verify", help="use it as a newcomer does", allow_abbrev=False)
    for action in (model, tokenizer, dataset):
        action.add_argument("path", type=Path, metavar="PATH", help="what to publish")
        action.add_argument("repo_id", metavar="REPO_ID", help="OWNER/NAME")
        _add_target(action)
    card.add_argument("path", type=Path, metavar="PATH", help="run, model or tokenizer")
    card.add_argument("repo_id", metavar="REPO_ID", nargs="?", help="default: OWNER/ and the name")
    for action in (model, card):
        action.add_argument("--results", type=Path, help="--output of 'doctobert-hf benchmark run'")
        action.add_argument("--results-model", help="the model's name in these results")
        action.add_argument("--kind", help="kind of card, where the model does not tell")
    model.add_argument("--checkpoints", action="store_true", help="publish all checkpoints instead")
    model.add_argument("--optimizer", action="store_true", help="with their optimizer states")
    _add_dataset(dataset)
    check.add_argument("place", metavar="REPO_OR_FOLDER", help="OWNER/NAME, or a folder")
    check.add_argument("--type", choices=("model", "dataset"), help="where it cannot be told")
    check.add_argument("--revision", help="branch, tag or commit")
    for action in (model, tokenizer, dataset, check):
        action.add_argument("--json", action="store_true", help="print JSON")
    for action in (model, tokenizer, dataset, card):
        action.add_argument("--facts", type=Path, help="another file than card.yaml")
        add_config_arguments(action, CardFacts)


def _add_target(action: argparse.ArgumentParser) -> None:
    action.add_argument("--private", action="store_true", help="a new repository is private")
    action.add_argument("--create-pr", action="store_true", help="propose a pull request")
    action.add_argument("--revision", help="branch; created if it is not there")
    action.add_argument("--dry-run", action="store_true", help="write a folder, send nothing")
    action.add_argument(
        "--output", type=Path, help="folder of --dry-run (default: hub-dry-run/REPO_ID)"
    )
    action.add_argument(
        "--overwrite", action="store_true", help="move another dry run in --output aside first"
    )
    action.add_argument(
        "--replace",
        nargs="+",
        default=[],
        metavar="NAME",
        help="configurations, or README.md, on the Hub that may be replaced or removed",
    )
    action.add_argument("--message", help="first line of the commit")
    action.add_argument(
        "--allow",
        nargs="+",
        default=[],
        metavar="FINGERPRINT",
        help="what looks like a secret and is none, by the fingerprint shown (or a file of them)",
    )


def _add_dataset(action: argparse.ArgumentParser) -> None:
    action.add_argument("--kind", help="kind of card: finemed, rephrased, dataset or a plugin's")
    action.add_argument(
        "--tasks", nargs="+", metavar="NAME", help="tasks of DrBenchmark, or 'all' that may be"
    )
    action.add_argument("--protocol", default="drbenchmark", help="protocol of these tasks")
    action.add_argument("--max-shard-mb", type=float, default=500.0, help="size of a shard")


def run(args: argparse.Namespace) -> int:
    """Publish, render or verify."""
    if args.action == "verify":
        return _verify(args)
    if not args.path.exists():
        raise UsageError(f"'{args.path}' does not exist", "a folder or a file to publish")
    facts = read_facts(args.path, args.facts, **config_overrides(args, CardFacts))
    if args.action == "card":
        return _card(args, facts)
    from doctobert_hf.hub.stage.preflight import SHOWN, PreflightError

    try:
        report = _push(args, facts, _target(args))
    except PreflightError as error:  # its one line has the first five
        for finding in error.findings if len(error.findings) > SHOWN else ():
            print(finding, file=sys.stderr)
        if args.json:
            found = [asdict(finding) for finding in error.findings]
            print(json.dumps({"findings": found}, ensure_ascii=False, indent=2))
        raise
    _print(report, args.json)
    return 0


def _target(args: argparse.Namespace) -> Target:
    from doctobert_hf.hub.publish.push import Target

    if args.output is not None and not args.dry_run:
        raise UsageError("--output without --dry-run", "both")
    folder = (args.output or Path("hub-dry-run") / args.repo_id) if args.dry_run else None
    return Target(
        args.repo_id,
        args.private,
        args.create_pr,
        args.revision,
        folder,
        args.message,
        overwrite=args.overwrite,
        allow=tuple(_fingerprints(args.allow)),
        replace=tuple(args.replace),
        relicense="license" in config_overrides(args, CardFacts),
    )


def _fingerprints(given: list[str]) -> Iterator[str]:
    """Yield fingerprints, those of files too: the first word of each line."""
    for item in given:
        if re.fullmatch(r"[0-9a-f]{12}", item):
            yield item
        elif Path(item).is_file():
            lines = Path(item).read_text(encoding="utf-8").splitlines()
            yield from _fingerprints([line.split()[0] for line in lines if line.strip()])
        else:
            raise UsageError(f"--allow '{item}'", "a fingerprint of 12 digits, or a file of them")


def _push(args: argparse.Namespace, facts: CardFacts, target: Target) -> PushReport:
    from doctobert_hf.hub.publish.push import push_dataset, push_model, push_tokenizer

    if args.action == "push-tokenizer":
        return push_tokenizer(args.path, target, facts)
    if args.action == "push-model":
        return push_model(
            args.path,
            target,
            facts,
            args.results,
            args.results_model,
            args.kind,
            args.checkpoints,
            args.optimizer,
        )
    tasks = tuple(args.tasks or ())
    if tasks == ("all",):
        from doctobert_hf.hub.stage.package_data import redistributable_tasks

        tasks = redistributable_tasks(args.path)
        if not tasks:
            raise UsageError(f"No corpus in '{args.path}' that may be redistributed", "one")
    return push_dataset(
        args.path,
        target,
        facts,
        args.kind,
        tasks,
        args.protocol,
        int(args.max_shard_mb * 1e6),
        lambda name, rows: print(f"{name}: {rows:,} rows", file=sys.stderr),
    )


def _print(report: PushReport, as_json: bool) -> None:
    for name in report.gaps:
        print(f"warning: not recorded, a gap in the card: {name}", file=sys.stderr)
    for warning in report.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if as_json:
        print(json.dumps(asdict(report), ensure_ascii=False, indent=2))
        return
    from doctobert_hf.reporting.tables import text_table

    rows = [
        [name, f"{entry['size']:,}", entry["sha256"][:12]] for name, entry in report.files.items()
    ]
    print(text_table(["file", "bytes", "sha256"], rows))
    _print_changes(report)
    if report.folder is not None:
        print(f"{report.repo_type} {report.repo_id} ({report.kind}) would be: {report.folder}")
        print(f"next: {command_line('hub', 'verify', report.folder)}", file=sys.stderr)
    else:
        print(f"{report.url} at {report.commit}" + ("" if report.changed else ", as it was"))
        line = command_line("hub", "verify", report.repo_id, revision=report.commit)
        print(f"next: {line}", file=sys.stderr)  # a pull request stands on no branch


def _print_changes(report: PushReport) -> None:
    """Say what happens to what stands on the Hub: configurations, files, the card."""
    changes = report.changes
    if changes is None:
        return
    if changes.kept_configs:
        print(f"configurations that stay: {', '.join(changes.kept_configs)}", file=sys.stderr)
    anew = [name for name in changes.replaced if name not in ("README.md", "publication.json")]
    if anew:
        print(f"files that change: {', '.join(anew)}", file=sys.stderr)
    if changes.removed:
        print(f"files that are removed: {', '.join(changes.removed)}", file=sys.stderr)
    lines = changes.diff.splitlines()
    for line in lines[:60]:
        print(line, file=sys.stderr)
    if len(lines) > 60:
        print(f"... {len(lines) - 60} more lines differ (--json has all)", file=sys.stderr)


def _card(args: argparse.Namespace, facts: CardFacts) -> int:
    from doctobert_hf.hub.publish.preview import render_path

    repo_id = args.repo_id or f"OWNER/{args.path.resolve().name}"
    card = render_path(args.path, repo_id, facts, args.results, args.results_model, args.kind)
    for name in card.gaps:
        print(f"warning: not recorded, a gap in the card: {name}", file=sys.stderr)
    print(card.text, end="")
    return 0


def _verify(args: argparse.Namespace) -> int:
    from doctobert_hf.hub.publish.verification import verify
    from doctobert_hf.reporting.progress import track
    from doctobert_hf.reporting.tables import text_table

    checks = list(track(verify(args.place, args.type, args.revision), "verify", unit="checks"))
    if args.json:
        print(json.dumps([asdict(check) for check in checks], ensure_ascii=False, indent=2))
    else:
        rows: list[list[Any]] = [[c.what, c.status, c.detail] for c in checks]
        print(text_table(["check", "status", "detail"], rows))
    return 1 if any(check.status == "failed" for check in checks) else 0
