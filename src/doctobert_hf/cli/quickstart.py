"""The whole way at laptop size: tokenizer, two-phase pretraining, benchmark, search, cards, report.

doctobert-hf quickstart                                   on a generated sample, in minutes
doctobert-hf quickstart --corpus documents.parquet        on your own text
doctobert-hf quickstart --data-dir raw                    with the entities of QUAERO MEDLINE
doctobert-hf quickstart --resume                          resume a stopped run
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys

from doctobert_hf.config import add_config_arguments, build_config, config_overrides, read_yaml
from doctobert_hf.errors import UsageError
from doctobert_hf.quickstart.config import QuickstartConfig
from doctobert_hf.recipes import find_recipe
from doctobert_hf.runs.commands import command_line
from doctobert_hf.runs.resume import resumed_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--overwrite", action="store_true", help="move the run in --output aside first"
    )
    group.add_argument("--resume", action="store_true", help="resume the run in --output")
    parser.add_argument("recipe", nargs="?", help="recipe by name or path, e.g. tiny/quickstart")
    parser.add_argument("--recipe", dest="recipe_option", help=argparse.SUPPRESS)  # as in 0.1
    parser.add_argument("--json", action="store_true", help="print all records as JSON")
    add_config_arguments(parser, QuickstartConfig)


def run(args: argparse.Namespace) -> int:
    """Run or resume a quickstart; print its result table."""
    config = _config(args)
    if config.corpus is not None:
        from doctobert_hf.corpus import list_files

        list_files(config.corpus)  # a wrong path is told before anything is loaded or written
    if config.data_dir is not None and not config.data_dir.exists():
        raise UsageError(f"--data-dir '{config.data_dir}' does not exist", "a folder or an archive")
    from doctobert_hf.quickstart.run import open_quickstart, run_quickstart

    folder = open_quickstart(config, args.overwrite, args.resume)
    again = command_line("quickstart", resume=True, output=config.output)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # Trainer prints what it logs
            records = run_quickstart(config, folder)
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(f"{stop} Resume with: {again}".strip()) from None
    if args.json:
        print(json.dumps(records, ensure_ascii=False, indent=2))
        return 0
    _print(config, records)
    return 0


def _print(config: QuickstartConfig, records: dict) -> None:
    """Print what was measured, and where the report, the model and the card are."""
    from doctobert_hf.quickstart.report import push_command, tables
    from doctobert_hf.reporting.tables import text_table

    for table in tables(records):
        print(f"{text_table(table.header, table.rows)}\n")
    if "not_run" in records["retrieval"]:
        print(f"search: not run: {records['retrieval']['not_run']}", file=sys.stderr)
    print(f"report: {config.output}/report.md\nmodel:  {config.output}/model")
    print(f"notes:  {config.output}/annotated.html, annotated by {config.output}/ner")
    print(f"card:   {config.output}/{records['cards']['parts']['model']['path']}")
    print(f"next: read {config.output}/report.md, then see what would be published:\n"
          f"{push_command(config.output)}", file=sys.stderr)  # fmt: skip


def _config(args: argparse.Namespace) -> QuickstartConfig:
    given = config_overrides(args, QuickstartConfig)
    name = args.recipe or args.recipe_option
    recipe = find_recipe(name, "quickstart") if name else None
    layer = read_yaml(recipe) if recipe else {}
    if args.resume:
        folder = given.get("output", QuickstartConfig.output)
        return resumed_config(QuickstartConfig, folder, "quickstart", {**layer, **given})
    source = f"recipe '{recipe}'" if recipe else "options"
    return build_config(QuickstartConfig, layer, given, source=source)
