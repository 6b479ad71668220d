"""Export a fine-tuned model or a retriever for processors: ONNX, in float32 or int8.

doctobert-hf export my-ner/model --onnx --output my-ner-onnx
doctobert-hf export my-ner/model --onnx --int8 --output my-ner-int8
doctobert-hf predict my-ner-int8 notes --output found.jsonl --onnx
doctobert-hf export my-retriever --onnx --int8 --output my-retriever-int8
doctobert-hf retrieval index build documents.parquet --model my-retriever-int8 --output my-index
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("model", type=Path, help="folder of 'finetune' or of 'retrieval "
                        "train', or its model folder")  # fmt: skip
    parser.add_argument("--onnx", action="store_true", required=True, help="export as ONNX")
    parser.add_argument("--int8", action="store_true", help="weights in 8 bits")
    parser.add_argument("--output", type=Path, required=True, help="folder of the export")
    parser.add_argument("--overwrite", action="store_true", help="move another one there aside")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Export and tell how it compares."""
    from doctobert_hf.cli.retrieval_index import model_folder
    from doctobert_hf.drbenchmark.export import export_onnx
    from doctobert_hf.runs.commands import command_line

    place = Path(model_folder(str(args.model)))
    if (place / "modules.json").is_file():
        return _retriever(args, place)

    record = export_onnx(args.model, args.output, args.int8, args.overwrite)
    if args.json:
        print(json.dumps({**record, "output": str(args.output)}))
        return 0
    print(args.output)
    print(
        f"{record['bytes'] / 1e6:.1f} MB; logits differ by at most "
        f"{record['largest_difference']:.2g}, {100 * record['same_labels']:.1f} % of labels agree "
        "on probe sentences",
        file=sys.stderr,
    )
    words = ("predict", args.output, "notes.jsonl")
    line = command_line(*words, output="found.jsonl", onnx=True)
    print(f"next, on texts of your own: {line}", file=sys.stderr)
    return 0


def _retriever(args: argparse.Namespace, place: Path) -> int:
    from doctobert_hf.retrieval.onnx_export import export_retriever
    from doctobert_hf.runs.commands import command_line

    record = export_retriever(place, args.output, args.int8, args.overwrite)
    if args.json:
        print(json.dumps({**record, "output": str(args.output)}))
        return 0
    print(args.output)
    speed = record["documents_per_second"]
    print(
        f"{record['bytes'] / 1e6:.1f} MB; scores differ by at most "
        f"{record['largest_difference']:.2g}; of made-up questions "
        f"{100 * record['same_first']:.0f} % find the same document first, "
        f"{100 * record['same_ten']:.0f} % of the first ten are the same; "
        f"{speed['onnx']:,.0f} documents a second, torch {speed['torch']:,.0f}",
        file=sys.stderr,
    )
    words = ("retrieval", "evaluate", place, args.output)
    line = command_line(*words, data="pairs.jsonl", with_bm25=True)
    print(f"next, on questions of your own: {line}", file=sys.stderr)
    return 0
