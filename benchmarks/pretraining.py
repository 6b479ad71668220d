"""Masked-LM training: ours beside stock ``Trainer``, padded and in blocks, one run.

    python benchmarks/pretraining.py --corpus docs.parquet --tokenizer TOK [--json OUT]

The same tiny-depth model, the same chunks of real text at ``--length``, the same number of real
tokens, AdamW-class optimizer, one process:

* ours: ``MLMTrainer``, packed rows, ``doctobert_varlen``, logits at masked positions only;
* padded: ``Trainer`` with ``DataCollatorForLanguageModeling``, rows padded, dense head;
* blocks: the same after concatenating everything and cutting blocks, as ``run_mlm.py`` does
  (documents attend to each other; no padding).

Without a corpus and a tokenizer it runs on the packaged sample: a check that it works, no figure.
On a GPU: ``--preset doctobert-base --bf16 --compile --micro-batch-tokens 81920``.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from itertools import chain, islice
from pathlib import Path
from typing import Any

from common import add_output_argument, finish, load_or_train_tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--tokenizer")
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--preset", default="doctobert-base")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--tokens", type=int, default=60_000, help="real tokens of a timed run")
    parser.add_argument("--micro-batch-tokens", type=int, default=8192)
    parser.add_argument("--mlm-probability", type=float, default=0.15)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--compile", action="store_true")
    add_output_argument(parser)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        results = compare(args, scratch)
    finish(args, "pretraining", results)


def compare(args: argparse.Namespace, scratch: str) -> dict[str, Any]:
    """Time the three ways in turn, repeated; medians of real tokens per second."""
    from doctobert_hf.pretraining import SequencePacker, build_store

    tokenizer = load_or_train_tokenizer(args.tokenizer, scratch)
    store = build_store(texts(args), tokenizer, Path(scratch) / "store", args.length)
    rows = [store[i].tolist() for i in range(len(store))]
    lengths = store.lengths
    packer = SequencePacker(lengths, args.micro_batch_tokens)
    packed = [int(lengths[row].sum()) for row in islice(packer, 40)]
    results: dict[str, Any] = {
        "chunks": len(store),
        "mean_length": float(lengths.mean()),
        "padding_to_max": float(lengths.mean() / args.length),
        "packing_efficiency": sum(packed) / len(packed) / args.micro_batch_tokens,
        "packing_of_recipes": packing(args, tokenizer, scratch),
    }
    ways = {"ours": ours, "padded": padded, "blocks": blocks}
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(args.repeats):
        for name, way in ways.items():
            folder = f"{scratch}/{name}{repeat}"
            speeds[name].append(way(args, folder, tokenizer, store, rows))
    for name, values in speeds.items():
        results[name] = statistics.median(values)
        ratio = statistics.median(speeds["ours"]) / results[name]
        print(f"{name:8} {results[name]:10,.0f} real tokens/s   ours is {ratio:4.2f} x")
    print(
        f"chunks of {results['mean_length']:.0f} tokens ({results['padding_to_max']:.2f} of "
        f"{args.length}), packing {results['packing_efficiency']:.4f}"
    )
    return results


def texts(args: argparse.Namespace, times: int = 1) -> Any:
    """Documents of the corpus, or the packaged sample."""
    if args.corpus is None:
        from doctobert_hf.corpus.sample import sample_documents

        return (d.text for d in islice(sample_documents(), args.documents * 5))
    from doctobert_hf.corpus import iter_texts

    return islice(iter_texts(args.corpus, "text"), args.documents * times)


def packing(args: argparse.Namespace, tokenizer: Any, scratch: str) -> dict[str, float]:
    """Real tokens by positions, and tokens/s of the data path, at the rows of the recipes."""
    from doctobert_hf.pretraining import SequencePacker, build_store

    found = {}
    for length, row in ((512, 160 * 512), (1024, 96 * 1024), (8192, 12 * 8192)):
        store = build_store(texts(args, 20), tokenizer, f"{scratch}/packing{length}", length)
        rows = list(
            islice(SequencePacker(store.lengths, row), max(store.manifest.tokens // row, 1))
        )
        real = sum(int(store.lengths[documents].sum()) for documents in rows)
        found[str(length)] = real / (len(rows) * row)
        speed = found[f"{length}, data path tokens/s"] = data_path(store, tokenizer, row)
        print(
            f"packing at {length}: {found[str(length)]:.4f} over {len(rows)} rows of {row:,}; "
            f"data path alone {speed / 1e6:.1f} M tokens/s on one core"
        )
    return found


def new_model(args: argparse.Namespace, tokenizer: Any, attention: str) -> Any:
    """A model of the preset's family; small unless on a GPU."""
    import torch
    from transformers import AutoModelForMaskedLM

    from doctobert_hf.models import preset_config

    small = (
        {}
        if torch.cuda.is_available()
        else {
            "num_hidden_layers": args.layers,
            "hidden_size": args.hidden,
            "intermediate_size": 4 * args.hidden,
            "num_attention_heads": 4,
        }
    )
    torch.manual_seed(0)
    config = preset_config(args.preset, tokenizer, **small)
    for key in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        if hasattr(config, key) and not getattr(args, "dropout", False):
            setattr(config, key, 0.0)
    return AutoModelForMaskedLM.from_config(config, attn_implementation=attention)


def ours(args: argparse.Namespace, folder: str, tokenizer: Any, store: Any, rows: Any) -> float:
    """Real tokens per second of ``MLMTrainer``."""
    from doctobert_hf.pretraining import MLMTrainer, MLMTrainingArguments

    arguments = MLMTrainingArguments(
        output_dir=folder,
        max_tokens=args.tokens,
        micro_batch_tokens=args.micro_batch_tokens,
        mlm_probability=args.mlm_probability,
        bf16=args.bf16,
        torch_compile=args.compile,
        static_shapes=args.compile,
        report_to=[],
        disable_tqdm=True,
        logging_steps=10**6,
    )
    model = new_model(args, tokenizer, "sdpa")
    trainer = MLMTrainer(model, arguments, store, tokenizer)
    trainer._save_checkpoint = lambda *a, **k: None
    watch = warmed_up(trainer)
    trainer.train()
    return watch.rate(lambda: trainer.tokens_seen)


def padded(args: argparse.Namespace, folder: str, tokenizer: Any, store: Any, rows: Any) -> float:
    """Real tokens per second of stock Trainer on padded rows."""
    return stock(args, folder, tokenizer, rows, pad=True)


def blocks(args: argparse.Namespace, folder: str, tokenizer: Any, store: Any, rows: Any) -> float:
    """Real tokens per second of stock Trainer on blocks without borders."""
    flat = list(chain.from_iterable(rows))
    cut = [flat[i : i + args.length] for i in range(0, len(flat) - args.length, args.length)]
    return stock(args, folder, tokenizer, cut, pad=False)


def stock(args: argparse.Namespace, folder: str, tokenizer: Any, rows: Any, pad: bool) -> float:
    """Train with Trainer and DataCollatorForLanguageModeling."""
    from transformers import DataCollatorForLanguageModeling, Trainer, TrainingArguments

    size = max(args.micro_batch_tokens // args.length, 1)
    mean = sum(map(len, rows)) / len(rows)
    steps = max(int(args.tokens / (mean * size)), 2)
    special = [tokenizer.get_special_tokens_mask(r, already_has_special_tokens=True) for r in rows]
    pairs = zip(rows, special, strict=True)
    dataset = [{"input_ids": ids, "special_tokens_mask": mask} for ids, mask in pairs]
    collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=args.mlm_probability)
    if pad:
        collate = collator

        def collator(features: Any) -> Any:
            return collate([f | {"attention_mask": [1] * len(f["input_ids"])} for f in features])

    trainer = Trainer(
        new_model(args, tokenizer, "sdpa"),
        TrainingArguments(
            output_dir=folder,
            max_steps=steps,
            per_device_train_batch_size=size,
            bf16=args.bf16,
            torch_compile=args.compile,
            report_to=[],
            disable_tqdm=True,
            save_strategy="no",
            remove_unused_columns=False,
            logging_steps=10**6,
        ),
        train_dataset=dataset,
        data_collator=collator,
    )
    watch = warmed_up(trainer)
    trainer.train()
    return watch.rate(lambda: int(trainer.state.global_step * size * mean))


def warmed_up(trainer: Any) -> Any:
    """Start the clock behind the first two steps: compilation, first pages, threads."""
    from transformers import TrainerCallback

    class Watch(TrainerCallback):
        begin = end = 0.0
        before = after = 0

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == 2:
                self.begin, self.before = self.now(), self.count()

        def on_train_end(self, *_: Any, **__: Any) -> None:
            self.end, self.after = self.now(), self.count()

        def now(self) -> float:
            import torch

            if torch.cuda.is_available():
                torch.cuda.synchronize()
            return time.perf_counter()

        def count(self) -> int:
            return getattr(trainer, "tokens_seen", 0) or trainer.state.global_step

        def rate(self, total: Any) -> float:
            share = 1 - self.before / max(self.after, 1)
            return total() * share / max(self.end - self.begin, 1e-9)

    watch = Watch()
    trainer.add_callback(watch)
    return watch


def data_path(store: Any, tokenizer: Any, row_tokens: int) -> float:
    """Tokens per second of packing and masking alone, on one core."""
    from doctobert_hf.pretraining import PackedMLMDataset

    stream = iter(PackedMLMDataset(store, tokenizer, row_tokens))
    for _ in range(5):
        next(stream)
    start, tokens = time.perf_counter(), 0
    while time.perf_counter() - start < 2.0:
        tokens += next(stream)["tokens"]
    return tokens / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
