"""Tokenise a corpus once into a store that training reads.

doctobert-hf pretrain store docs.parquet --tokenizer tok --output store --workers 8
doctobert-hf pretrain doctobert-base/pretrain --train-store store --tokenizer tok

Killed and started again it goes on with the sections that are not tokenised. The store is the same
however many processes work.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from doctobert_hf.config import add_config_arguments, build_config, config_overrides
from doctobert_hf.errors import UsageError
from doctobert_hf.runs.commands import command_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from doctobert_hf.pretraining.data.parts import StoreConfig

    parser.add_argument("corpus", type=Path, help="Parquet, .jsonl or other files, or a folder")
    add_config_arguments(parser, StoreConfig)
    parser.add_argument(
        "--overwrite", action="store_true", help="move another store in --output aside first"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(recipe="store")


def run(args: argparse.Namespace) -> int:
    """Make the store and print what it holds."""
    from doctobert_hf.pretraining.data.parts import EVAL, MANIFEST, StoreConfig, make_store

    given: dict[str, Any] = {**config_overrides(args, StoreConfig), "corpus": args.corpus}
    if "output" not in given:
        raise UsageError("No --output", "a folder for the store")
    config = build_config(StoreConfig, {}, given, source="options")
    store = make_store(config, args.overwrite)
    if store is None:
        print("Submitted. Run the same command again when the jobs are done.", file=sys.stderr)
        return 0
    about = asdict(store.manifest)
    if args.json:
        print(json.dumps({**about, "store": str(config.output)}, indent=2))
    else:
        for name in ("source_documents", "empty_documents", "documents", "tokens"):
            told = "chunks" if name == "documents" else name.replace("_", " ")
            print(f"{told}: {about[name]:,}")
        print(f"store: {config.output}")
    held = config.output / EVAL
    options = {
        "train_store": config.output,
        "eval_store": held if (held / MANIFEST).is_file() else None,
        "tokenizer": config.tokenizer,
        "max_length": config.max_length,
        "dry_run": True,
    }
    line = command_line("pretrain", "doctobert-base/pretrain", **options)
    print(f"next: {line}", file=sys.stderr)
    return 0
