"""FineMed: annotate, filter, rephrase and mix documents, restartable, on a laptop or a cluster.

doctobert-hf finemed annotate finemed/light --input corpus.parquet --output annotated
doctobert-hf finemed clean --input annotated --output clean
doctobert-hf finemed deidentify --input clean --output masked
doctobert-hf finemed filter --input clean --where "edu >= 4 and density >= 0.1" --output kept
doctobert-hf finemed stats --input annotated
doctobert-hf finemed decontaminate --input kept --data-dir raw --output decontaminated
doctobert-hf finemed rephrase finemed/rephrase --input kept --endpoint http://localhost:8000
doctobert-hf finemed mix my-mix.yaml --output mix
doctobert-hf finemed distil finemed/distil-subdomain --input labels.jsonl --output annotator
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import sys
from typing import Any

from doctobert_hf.config import add_config_arguments, config_overrides
from doctobert_hf.errors import UsageError
from doctobert_hf.finemed.config import STAGES, read_stage
from doctobert_hf.runs.commands import command_line

_HELP = {
    "annotate": "domain, subdomain, quality and medical terms of each document",
    "clean": "language, repetition, duplicates; personal data counted",
    "deidentify": "replace personal data by placeholders, with a table of what was replaced",
    "filter": "keep documents by an expression",
    "decontaminate": "drop documents that hold DrBenchmark's test units",
    "rephrase": "rewrite documents through an OpenAI-compatible endpoint",
    "mix": "cut to the training length and mix sources by shares",
    "stats": "words, density, quality and subdomains, by source",
    "distil": "train an annotator on a large model's labels",
}


_EXAMPLES = {
    "annotate": ", e.g. finemed/light",
    "rephrase": ", e.g. finemed/rephrase",
    "distil": ", e.g. finemed/distil-subdomain",
    "mix": " of your own, e.g. my-mix.yaml",
} | dict.fromkeys(
    ("clean", "deidentify", "filter", "decontaminate", "stats"), "; not needed: all are options"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    for name, cls in STAGES.items():
        stage = stages.add_parser(name, help=_HELP[name], allow_abbrev=False)
        stage.add_argument("recipe", nargs="?", help=f"recipe by name or path{_EXAMPLES[name]}")
        if name == "rephrase":
            stage.add_argument("--dry-run", action="store_true", help="print the estimate only")
        stage.add_argument(
            "--overwrite", action="store_true", help="move another run in --output aside first"
        )
        stage.add_argument("--json", action="store_true", help="print the manifest as JSON")
        add_config_arguments(stage, cls)


def run(args: argparse.Namespace) -> int:
    """Run a stage."""
    config = read_stage(args.stage, args.recipe, config_overrides(args, STAGES[args.stage]))
    _need_datatrove()
    if args.stage == "rephrase" and args.dry_run:
        from doctobert_hf.finemed.rephrase.estimate import estimate

        manifest = estimate(config)
    else:
        try:
            manifest = _stage(args.stage)(config, overwrite=args.overwrite)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("Resume with the same command.") from None
    if not manifest and getattr(config, "batch", None) is not None:
        return 0  # told what is to be answered
    if not manifest:
        print(
            f"submitted to Slurm; logs in {config.output}/logs. "
            "When the jobs are done, run the same command again: it continues, or writes "
            "the manifest.",
            file=sys.stderr,
        )
        return 0
    _print(args.stage, manifest, args.json)
    if not getattr(args, "dry_run", False):
        print(f"output: {config.output}", file=sys.stderr)
    if manifest.get("documents") == 0:
        print("warning: no document is left", file=sys.stderr)
        return 0
    if (line := _next(args.stage, config)) and not getattr(args, "dry_run", False):
        print(f"next: {line}", file=sys.stderr)
    return 0


def _next(stage: str, config: Any) -> str | None:
    """The command that usually follows a stage, complete."""
    made = str(config.output)
    if stage in ("clean", "filter", "decontaminate") and not _is_annotated(config.output):
        words = ("finemed", "annotate", "finemed/light")
        base = None if importlib.util.find_spec("edsnlp") else "base"
        return command_line(*words, input=made, output=f"{made}-annotated", lexicons=base)
    if stage == "clean":
        return command_line("finemed", "filter", input=made, output=f"{made}-kept")
    if stage == "filter" and os.environ.get("DOCTOBERT_DATA_DIR"):
        return command_line("finemed", "decontaminate", input=made, output=f"{made}-decontaminated")
    if stage in ("filter", "decontaminate"):
        words = ("finemed", "rephrase", "finemed/rephrase")
        return command_line(*words, input=made, output=f"{made}-rephrased", dry_run=True)
    if stage in ("annotate", "rephrase"):
        return command_line("finemed", "stats", input=made, output=f"{made}-statistics")
    return None


def _is_annotated(output: Any) -> bool:
    """Return whether a stage's documents have the columns of ``annotate``."""
    import pyarrow.parquet as pq

    from doctobert_hf.finemed.filters import ALIASES

    files = sorted((output / "data").glob("*.parquet"))
    return bool(files) and ALIASES["edu"] in pq.read_schema(files[0]).names


def _need_datatrove() -> None:
    if importlib.util.find_spec("datatrove") is None:
        raise UsageError(
            "finemed without datatrove", fix="Install it: pip install 'doctobert-hf[finemed]'"
        )


def _stage(name: str) -> Any:
    module, function = _WORK[name]
    return getattr(importlib.import_module(f"doctobert_hf.finemed.{module}"), function)


_WORK = {
    "annotate": ("annotate", "annotate"),
    "clean": ("cleaning", "clean"),
    "deidentify": ("deidentification", "deidentify_documents"),
    "filter": ("selection", "select"),
    "decontaminate": ("decontamination", "decontaminate"),
    "rephrase": ("rephrase.stage", "rephrase"),
    "mix": ("mixing", "mix"),
    "stats": ("statistics", "statistics"),
    "distil": ("distillation", "distil"),
}


def _print(stage: str, manifest: dict[str, Any], as_json: bool) -> None:
    from doctobert_hf.reporting.tables import text_table

    if as_json:
        print(json.dumps(manifest, ensure_ascii=False, indent=2))
        return
    for title, header, rows in tables(stage, manifest):
        print(f"{title}\n" if title else "", end="")
        print(text_table(header, rows))
        print()


def tables(stage: str, manifest: dict[str, Any]) -> list[tuple[str, list[str], list[list[str]]]]:
    """What a manifest shows: titles, headers and rows."""
    if "tables" in manifest:
        shown = [(t["title"], t["header"], t["rows"]) for t in manifest["tables"]]
        excluded = manifest.get("excluded") or {}
        left_out = [[reason, f"{count:,}"] for reason, count in excluded.items()]
        return [*shown, *([("", ["left out", "number"], left_out)] if left_out else [])]
    rows = [["written", f"{manifest['documents']:,}"]]
    rows += [[reason, f"{count:,}"] for reason, count in manifest["excluded"].items()]
    found = [("", [stage, "documents"], rows)]
    personal = [
        [kind, f"{n['documents']:,}", f"{n['matches']:,}"]
        for kind, n in manifest.get("personal_data", {}).items()
    ]
    if personal:
        header = ["personal data", "documents", "matches"]
        found.append(("", header, personal))
    tasks = [
        # A stage that an older version finished has counted less.
        [t["task"], *(f"{t[key]:,}" if key in t else "–" for key in _TASK_COLUMNS)]
        for t in manifest.get("tasks", [])
    ]
    if tasks:
        header = [
            "test set",
            "units",
            "too short",
            "with answers only",
            "share an n-gram",
            "contaminated",
        ]
        found.append(("", header, tasks))
    return found


_TASK_COLUMNS = (
    *("units", "too_short", "with_answers_only", "documents_touched", "documents_contaminated"),
)
