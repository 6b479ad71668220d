"""Masking and batching cost: ours beside ``DataCollatorForLanguageModeling``, one run.

    python benchmarks/collator.py [--rows 256] [--length 512] [--repeats 9] [--json OUT]

Rows are already tokenised (lists of ids, as ``datasets`` gives them); both collators mask 15 % and
pad. Without ``--tokenizer`` a small one is trained on the packaged sample.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from common import add_output_argument, finish, load_or_train_tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokenizer", help="path or Hub id")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=9)
    add_output_argument(parser)
    args = parser.parse_args()

    from transformers import DataCollatorForLanguageModeling

    from doctobert_hf.chunking import DataCollatorForHierarchicalChunking

    with tempfile.TemporaryDirectory() as scratch:
        tokenizer = load_or_train_tokenizer(args.tokenizer, scratch)
    rng = np.random.default_rng(0)
    lengths = rng.integers(args.length // 2, args.length + 1, args.rows)
    first = max(tokenizer.all_special_ids) + 1
    rows = [
        {
            "input_ids": [
                tokenizer.cls_token_id,
                *rng.integers(first, len(tokenizer), n - 2).tolist(),
                tokenizer.sep_token_id,
            ]
        }
        for n in lengths
    ]
    tokens = int(lengths.sum())
    ours = DataCollatorForHierarchicalChunking(tokenizer, max_length=args.length, seed=0)
    words = DataCollatorForHierarchicalChunking(
        tokenizer, max_length=args.length, seed=0, whole_word_masking=True
    )
    theirs = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)
    specials = set(tokenizer.all_special_ids)
    marked = [
        {**row, "special_tokens_mask": [int(i in specials) for i in row["input_ids"]]}
        for row in rows
    ]
    contenders = {
        "ours": (ours, rows),
        "ours, whole words": (words, rows),
        "transformers": (theirs, rows),
        "transformers, special tokens marked beforehand": (theirs, marked),
    }
    rates = {
        name: tokens / _median(collator, data, args.repeats)
        for name, (collator, data) in contenders.items()
    }
    for name, rate in rates.items():
        ratio = rate / rates["transformers"]
        print(f"{name:<48} {rate / 1e6:8.2f} M tokens/s   {ratio:6.1f} x")
    finish(args, "collator", {"tokens": tokens, "tokens_per_second": rates})


def _median(collator: Callable[[Any], Any], rows: list[dict[str, Any]], repeats: int) -> float:
    collator([dict(row) for row in rows])  # warm up
    times = []
    for _ in range(repeats):
        batch = [dict(row) for row in rows]
        start = time.perf_counter()
        collator(batch)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
