"""Print the versions and hardware a bug report needs.

doctobert-hf env
"""

from __future__ import annotations

import argparse
import json

from doctobert_hf.environment import environment_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the report; torch is asked for its accelerator, which takes a few seconds."""
    report = environment_report(with_torch=True)
    if args.json:
        print(json.dumps(report, indent=2))
        return 0
    packages = report.pop("packages")
    for key, value in {**report, **packages}.items():
        print(f"{key:<22} {value if value is not None else '-'}")
    return 0
