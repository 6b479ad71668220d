"""Use a fine-tuned model on new text, or on a task's own documents.

doctobert-hf predict my-ner/model notes --output annotated --format brat
doctobert-hf predict my-ner/model notes.jsonl --output found.jsonl
doctobert-hf predict my-ner/model --task quaero_emea --data-dir raw --json   the printed score again
doctobert-hf predict my-ner/model --corpus notes --json                       of your own test split
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

FORMATS = ("jsonl", "brat", "html", "conll")  # as in formats.py, which --help does not load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("model", type=Path, help="folder of 'finetune', or its model folder")
    parser.add_argument(
        "input", nargs="?", type=Path, help="text, JSON lines, CSV, Parquet, or a folder of these"
    )
    parser.add_argument("--output", type=Path, help="file to write; for brat a folder")
    parser.add_argument("--format", choices=FORMATS, default="jsonl", help="default: jsonl")
    parser.add_argument("--text-column", default="text", help="column that holds the text")
    parser.add_argument("--device", help="cpu, cuda, ...; default: a GPU if there is one")
    parser.add_argument("--onnx", action="store_true", help="MODEL is a folder of 'export'")
    parser.add_argument("--overwrite", action="store_true", help="move what is there aside first")
    parser.add_argument("--task", metavar="NAME", help="score the model on this task's documents")
    parser.add_argument("--split", choices=("train", "validation", "test"),
                        help="split of --task or --corpus (default: test)")  # fmt: skip
    parser.add_argument("--corpus", type=Path, help="folder of your own annotated documents")
    parser.add_argument("--data-dir", type=Path, help="folder of raw corpora or an archive")
    parser.add_argument("--protocol", help="protocol of the task's data; default: the model's")
    parser.add_argument("--task-file", type=Path, action="append", default=[], metavar="FILE.py",
                        help="file that registers tasks of your own")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Predict text, or score a split."""
    from doctobert_hf.drbenchmark.tasks import load_task_files
    from doctobert_hf.errors import UsageError

    load_task_files(args.task_file)
    if args.task or args.corpus:
        if args.input is not None:
            raise UsageError("INPUT beside --task or --corpus", "one of them")
        return _score(args)
    scored = ("split", "data_dir", "protocol")
    if given := [name for name in scored if getattr(args, name) is not None]:
        raise UsageError(
            f"--{given[0].replace('_', '-')} without --task or --corpus", "it with one of them"
        )
    if args.input is None or args.output is None:
        missing = [name for name, given in (("INPUT", args.input), ("--output", args.output))
                   if given is None]  # fmt: skip
        raise UsageError(
            f"No {' and no '.join(missing)}",
            "INPUT and --output, or --task NAME or --corpus FOLDER",
            "doctobert-hf predict MODEL INPUT --output FILE",
        )  # fmt: skip
    from doctobert_hf.drbenchmark.prediction import predict_files

    counts = predict_files(
        *(args.model, args.input, args.output, args.format, args.text_column, args.device),
        args.overwrite,
        args.onnx,
    )
    if args.json:
        print(json.dumps({**counts, "output": str(args.output)}))
    else:
        print(args.output)
        words = ", ".join(f"{number:,} {name}" for name, number in counts.items())
        print(words, file=sys.stderr)
    return 0


def _score(args: argparse.Namespace) -> int:
    from doctobert_hf.drbenchmark.prediction import score_split

    found = score_split(
        *(args.model, args.task, args.corpus, args.data_dir, args.protocol, args.split or "test"),
        *(args.device, args.onnx),
    )
    if args.json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        print(f"{found['task']}, {found['split']}: {found['metric']} {100 * found['score']:.2f}")
    return 0
