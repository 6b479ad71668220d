"""Rank finished results and write the report.

doctobert-hf benchmark report results                        tables, figures, Hub records
doctobert-hf benchmark report results --baselines published  among the paper's eleven models
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

BASELINES = ("published",)  # as in board.py, which --help does not load


def add_report_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``benchmark report``."""
    parser.add_argument("results", type=Path, metavar="RESULTS", help="folder of 'benchmark run'")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="folder of the report; default: RESULTS/report"
    )
    parser.add_argument(
        "--baselines", choices=BASELINES, help="rank the models of the DoctoBERT paper too"
    )
    parser.add_argument("--protocol", metavar="NAME", help="only results of this protocol")
    parser.add_argument("--procedure", metavar="NAME", help="only 'standard' or 'legacy' results")
    parser.add_argument(
        "--overwrite", action="store_true", help="move another report in --output aside first"
    )
    parser.add_argument("--json", action="store_true", help="print report.json")


def run_report(args: argparse.Namespace) -> int:
    """Write the report and print its table."""
    from doctobert_hf.drbenchmark.report.tables import text
    from doctobert_hf.drbenchmark.report.write import json_text, write_report
    from doctobert_hf.errors import UsageError
    from doctobert_hf.reporting.figures import can_draw

    if not args.results.is_dir():
        raise UsageError(
            f"RESULTS '{args.results}' is no folder",
            "the --output folder of 'doctobert-hf benchmark run'",
        )
    output = args.output or args.results / "report"
    board = write_report(
        args.results, output, args.baselines, args.protocol, args.procedure, args.overwrite
    )
    print(json_text(board) if args.json else text(board), end="" if args.json else "\n")
    for line in board.warnings:
        print(f"warning: {line}", file=sys.stderr)
    for line in board.notes:
        print(f"note: {line}", file=sys.stderr)
    if not can_draw():
        print("note: no figures without matplotlib (extra 'plot')", file=sys.stderr)
    print(f"report: {output / 'report.html'}", file=sys.stderr)
    return 0
