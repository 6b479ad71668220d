r"""Masked-LM training: ours beside stock ``Trainer``, padded and in blocks, one run.

    python benchmarks/pretraining.py --corpus docs.parquet --tokenizer TOK --chunks 2000 \
        --presets doctobert-base doctomodernbert-base --lengths 128 512 [--json OUT]

The same model of few layers, the same ``--chunks`` of real text at each length, the same number of
real tokens, AdamW-class optimizer, one process (with ``OMP_NUM_THREADS=1`` its own time is taken):

* ours: ``MLMTrainer``, packed rows, ``doctobert_varlen``, logits at masked positions only;
* padded: ``Trainer`` with ``DataCollatorForLanguageModeling``, rows padded, dense head;
* blocks: the same after concatenating everything and cutting blocks, as ``run_mlm.py`` does
  (documents attend to each other; no padding).

Without a corpus and a tokenizer it runs on the packaged sample: a check that it works, no figure.
On a GPU: ``--presets doctobert-base --bf16 --compile --micro-batch-tokens 81920``.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass, fields, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from common import add_output_argument, finish, load_or_train_tokenizer


@dataclass(frozen=True)
class Case:
    """What one timed run needs; ``gpu.py`` times the same ways with cases of its own."""

    preset: str
    length: int
    row: int  # positions of a micro-batch
    tokens: int  # real tokens to train on
    mlm_probability: float = 0.15
    layers: int = 4  # where there is no GPU
    hidden: int = 256
    dropout: bool = False
    bf16: bool = False
    compile: bool = False
    seed: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--tokenizer")
    parser.add_argument("--chunks", type=int, default=200, help="at least so many at each length")
    parser.add_argument("--lengths", type=int, nargs="+", default=[512])
    parser.add_argument("--presets", nargs="+", default=["doctobert-base"])
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument(
        "--tokens",
        type=int,
        help="real tokens of a run; default: all chunks over the repeats",
    )
    parser.add_argument("--micro-batch-tokens", dest="row", type=int, default=8192)
    parser.add_argument("--mlm-probability", type=float, default=0.15)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--compile", action="store_true")
    add_output_argument(parser)
    args = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer = load_or_train_tokenizer(args.tokenizer, scratch)
        results["vocabulary"] = len(tokenizer)
        results["packing_of_recipes"] = packing(args, tokenizer, scratch)
        for length in args.lengths:
            store = chunks(args, tokenizer, f"{scratch}/store{length}", length)
            for preset in args.presets:
                name = f"{preset}, {length}"
                print(f"\n{name}: {len(store):,} chunks", flush=True)
                tokens = args.tokens or int(store.lengths.sum()) // args.repeats
                known = {field.name for field in fields(Case)}
                given = {key: value for key, value in vars(args).items() if key in known}
                case = Case(**given | dict(preset=preset, length=length, tokens=tokens))
                results[name] = compare(case, args.repeats, scratch, tokenizer, store)
    finish(args, "pretraining", results)


def chunks(args: argparse.Namespace, tokenizer: Any, folder: str, length: int) -> Any:
    """Return a store of at least ``--chunks`` chunks; documents are spread over the corpus."""
    from doctobert_hf.pretraining import build_store

    documents = max(args.chunks // 40, 10)
    while True:
        store = build_store(texts(args, documents), tokenizer, f"{folder}-{documents}", length)
        if len(store) >= args.chunks or documents > store.manifest.source_documents:
            return store
        documents *= 2


def compare(case: Case, repeats: int, scratch: str, tokenizer: Any, store: Any) -> dict[str, Any]:
    """Time the three ways in turn, repeated; medians of real tokens per second."""
    from doctobert_hf.pretraining import SequencePacker

    rows = [store[i].tolist() for i in range(len(store))]
    lengths = store.lengths
    packed = [int(lengths[row].sum()) for row in islice(SequencePacker(lengths, case.row), 40)]
    results: dict[str, Any] = {
        "chunks": len(store),
        "mean_length": float(lengths.mean()),
        "padding_to_max": float(lengths.mean() / case.length),
        "packing_efficiency": sum(packed) / len(packed) / case.row,
    }
    ways = {"ours": ours, "padded": padded, "blocks": blocks}
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for seed in range(repeats):
        for name, way in ways.items():
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                speeds[name].append(way(replace(case, seed=seed), folder, tokenizer, store, rows))
            print(f"  {name} {speeds[name][-1]:,.0f}", end="", flush=True)
    print()
    for name, values in speeds.items():
        results[name] = statistics.median(values)
        results[f"{name}, each"] = values
        ratio = statistics.median(speeds["ours"]) / results[name]
        print(f"{name:8} {results[name]:10,.0f} real tokens/s   ours is {ratio:4.2f} x")
    print(
        f"chunks of {results['mean_length']:.0f} tokens ({results['padding_to_max']:.2f} of "
        f"{case.length}), packing {results['packing_efficiency']:.4f}"
    )
    return results


def texts(args: argparse.Namespace, documents: int) -> Any:
    """Documents of the corpus, at equal distances, or the packaged sample."""
    if args.corpus is None:
        from doctobert_hf.corpus.sample import sample_documents

        return (d.text for d in islice(sample_documents(), documents))
    from doctobert_hf.corpus import iter_texts

    found = list(iter_texts(args.corpus, "text"))
    return found[:: max(len(found) // documents, 1)][:documents]


def packing(args: argparse.Namespace, tokenizer: Any, scratch: str) -> dict[str, float]:
    """Real tokens by positions, and tokens/s of the data path, at the rows of the recipes."""
    from doctobert_hf.pretraining import SequencePacker, build_store

    found = {}
    for length, row in ((512, 160 * 512), (1024, 96 * 1024), (8192, 12 * 8192)):
        store = build_store(texts(args, 1200), tokenizer, f"{scratch}/packing{length}", length)
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


def new_model(case: Case, tokenizer: Any, attention: str) -> Any:
    """A model of the preset's family; small unless on a GPU."""
    import torch
    from transformers import AutoModelForMaskedLM

    from doctobert_hf.models import preset_config

    small = (
        {}
        if torch.cuda.is_available()
        else {
            "num_hidden_layers": case.layers,
            "hidden_size": case.hidden,
            "intermediate_size": 4 * case.hidden,
            "num_attention_heads": 4,
        }
    )
    torch.manual_seed(0)
    config = preset_config(case.preset, tokenizer, **small)
    for key in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        if hasattr(config, key) and not case.dropout:
            setattr(config, key, 0.0)
    return AutoModelForMaskedLM.from_config(config, attn_implementation=attention)


def ours(case: Case, folder: str, tokenizer: Any, store: Any, rows: Any) -> float:
    """Real tokens per second of ``MLMTrainer``."""
    from doctobert_hf.pretraining import MLMTrainer, MLMTrainingArguments

    arguments = MLMTrainingArguments(
        output_dir=folder,
        max_tokens=case.tokens,
        micro_batch_tokens=case.row,
        seed=case.seed,
        mlm_probability=case.mlm_probability,
        bf16=case.bf16,
        torch_compile=case.compile,
        static_shapes=case.compile,
        report_to=[],
        disable_tqdm=True,
        logging_steps=10**6,
    )
    model = new_model(case, tokenizer, "sdpa")
    trainer = MLMTrainer(model, arguments, store, tokenizer)
    trainer._save_checkpoint = lambda *a, **k: None
    watch = warmed_up(trainer)
    trainer.train()
    return watch.rate(lambda: trainer.tokens_seen)


def padded(case: Case, folder: str, tokenizer: Any, store: Any, rows: Any) -> float:
    """Real tokens per second of stock Trainer on padded rows."""
    return stock(case, folder, tokenizer, rows, pad=True)


def blocks(case: Case, folder: str, tokenizer: Any, store: Any, rows: Any) -> float:
    """Real tokens per second of stock Trainer on blocks without borders."""
    flat = list(chain.from_iterable(rows))
    cut = [flat[i : i + case.length] for i in range(0, len(flat) - case.length, case.length)]
    return stock(case, folder, tokenizer, cut, pad=False)


def stock(case: Case, folder: str, tokenizer: Any, rows: Any, pad: bool) -> float:
    """Train with Trainer and DataCollatorForLanguageModeling."""
    import torch
    from transformers import DataCollatorForLanguageModeling, Trainer, TrainingArguments

    size = max(case.row // case.length, 1)
    mean = sum(map(len, rows)) / len(rows)
    steps = max(int(case.tokens / (mean * size)), 2)
    special = [tokenizer.get_special_tokens_mask(r, already_has_special_tokens=True) for r in rows]
    pairs = zip(rows, special, strict=True)
    dataset = [{"input_ids": ids, "special_tokens_mask": mask} for ids, mask in pairs]
    collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=case.mlm_probability)
    if pad:
        collate = collator

        def collator(features: Any) -> Any:
            return collate([f | {"attention_mask": [1] * len(f["input_ids"])} for f in features])

    trainer = Trainer(
        new_model(case, tokenizer, "sdpa"),
        TrainingArguments(
            output_dir=folder,
            seed=case.seed,
            max_steps=steps,
            per_device_train_batch_size=size,
            bf16=case.bf16,
            use_cpu=not torch.cuda.is_available(),
            torch_compile=case.compile,
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
            # Of one thread the processor's own time: other work on the machine does not count.
            return time.perf_counter() if torch.get_num_threads() > 1 else time.process_time()

        def count(self) -> int:
            return getattr(trainer, "tokens_seen", 0) or trainer.state.global_step

        def rate(self, total: Any) -> float:
            share = 1 - self.before / max(self.after, 1)
            if not share:
                raise SystemExit("A run of two steps is all warm-up: pass a larger --tokens.")
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
