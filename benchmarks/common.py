"""What the benchmark scripts share: a tokenizer to run with, and results as JSON."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from pathlib import Path
from typing import Any

from doctobert_hf.environment import environment_report
from doctobert_hf.files import write_json_atomic


def add_output_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``, the file that receives results with date, hardware and versions."""
    parser.add_argument("--json", type=Path, help="write results here as well")


def load_or_train_tokenizer(name: str | None, scratch: str) -> Any:
    """Load a tokenizer by path or id, or train one of 4,096 pieces on the packaged sample."""
    if name:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(name)
    from doctobert_hf.corpus.sample import sample_documents
    from doctobert_hf.tokenization import train_tokenizer

    texts = [document.text for document in sample_documents()]
    return train_tokenizer(texts, Path(scratch) / "tokenizer", vocab_size=4096)


def finish(args: argparse.Namespace, topic: str, results: dict[str, Any]) -> None:
    """Print what it ran on, and write the JSON if one was asked for."""
    environment = environment_report(with_torch=True)
    packages = environment["packages"]
    shown = ("doctobert-hf", "transformers", "tokenizers", "sentencepiece", "torch")
    versions = ", ".join(f"{name} {packages[name]}" for name in shown if packages.get(name))
    print(f"\n{environment['processor']}, {environment['cpu_count']} cores; {versions}")
    if args.json:
        record = {
            "topic": topic,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "command": " ".join(["python", *map(_plain, sys.argv)]),
            "environment": environment,
            "results": results,
        }
        write_json_atomic(args.json, record)
        print(f"Written to {args.json}", file=sys.stderr)


def _plain(argument: str) -> str:
    """Leave machine paths out of committed results: of a path outside, only the last part."""
    name, equals, place = argument.rpartition("=") if "=/" in argument else ("", "", argument)
    outside = os.path.isabs(place) or ".." in place
    return name + equals + (os.path.basename(place) if outside else place)
