"""Token stores: megabytes a second by one and two processes, and the memory of small and large.

python benchmarks/storing.py TOKENIZER --corpus corpus.parquet [--sizes 200 1000] [--workers 1 2]

The peer cuts nothing and writes Arrow: ``datasets.map`` with the tokenizer. Texts of the corpus
are repeated, in another order each time, up to the size.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import add_output_argument, finish
from doctobert_hf.corpus import iter_texts

_PEER = """
import sys
from datasets import load_dataset
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
data = load_dataset("parquet", data_files=sys.argv[2], split="train", cache_dir=sys.argv[4])
data.map(lambda rows: tokenizer(rows["text"], truncation=True, max_length=512), batched=True,
         remove_columns=data.column_names, num_proc=int(sys.argv[3]), load_from_cache_file=False)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tokenizer")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200], help="MB of text")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--no-peer", action="store_true", help="ours alone")
    add_output_argument(parser)
    args = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for size in args.sizes:
            corpus = Path(scratch) / f"{size}.parquet"
            written = write_corpus(args.corpus, corpus, size)
            for workers in args.workers:
                found[f"{size} MB, {workers} processes"] = one(args, corpus, written, workers)
                print(f"{size} MB, {workers} processes: {found[f'{size} MB, {workers} processes']}")
            corpus.unlink()
    finish(args, "storing", found)


def write_corpus(source: str, target: Path, megabytes: int) -> float:
    """Write texts up to a size; return the megabytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = list(iter_texts(source))
    shuffled = random.Random(0)
    size, schema = 0, pa.schema([("text", pa.string())])
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        while size < megabytes * 1_000_000:
            shuffled.shuffle(texts)
            batch: list[str] = []
            for text in texts:
                batch.append(text)
                size += len(text.encode())
                if len(batch) == 1000 or size >= megabytes * 1_000_000:
                    writer.write_table(pa.table({"text": batch}, schema))
                    batch = []
                if size >= megabytes * 1_000_000:
                    break
    return size / 1e6


def one(args: argparse.Namespace, corpus: Path, megabytes: float, workers: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "doctobert_hf", "pretrain", "store", str(corpus)]
        command += ["--tokenizer", args.tokenizer, "--output", f"{scratch}/store"]
        seconds, memory = watched([*command, "--workers", str(workers)])
        row = {"mb_per_second": megabytes / seconds, "peak_memory_mb": memory}
        shutil.rmtree(f"{scratch}/store")
        if not args.no_peer:
            peer, memory = watched([sys.executable, "-c", _PEER, args.tokenizer, str(corpus),
                                    str(workers), f"{scratch}/cache"])  # fmt: skip
            row |= {"datasets_mb_per_second": megabytes / peer, "datasets_peak_memory_mb": memory}
            row["ours_over_datasets"] = peer / seconds
    return {name: round(value, 2) for name, value in row.items()}


def watched(command: Sequence[str]) -> tuple[float, float]:
    """Run a command; return seconds and the most memory (MB) of it and its children together."""
    import psutil

    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most, over = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.2):
            total = 0
            try:
                family = [psutil.Process(process.pid)]
                family += family[0].children(recursive=True)
            except psutil.Error:
                return
            for member in family:
                try:  # of its own: pages of mapped files are the system's to take back
                    memory = member.memory_info()
                    total += memory.rss - getattr(memory, "shared", 0)
                except psutil.Error:
                    continue
            most = max(most, total)

    thread = threading.Thread(target=watch)
    thread.start()
    code = process.wait()
    seconds = time.perf_counter() - begin
    over.set()
    thread.join()
    if code:
        raise SystemExit(f"{command} ended with {code}")
    return seconds, most / 1e6


if __name__ == "__main__":
    main()
