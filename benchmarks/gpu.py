"""What only a GPU can settle: checks, kernels, compilation, throughput, one table and one JSON.

    python benchmarks/gpu.py --json benchmarks/results/gpu.json
    python benchmarks/gpu.py --dry            # every part at toy size on a CPU: does it run?

Needs torch and transformers only (no ``datasets``); data is made up: random ids in documents of
log-normal length, packed by the real loader. Parts, in order; ``--parts`` chooses:

* ``checks``: flash path beside the exact reference: outputs, gradients, windows, empty documents,
  dropout;
* ``kernels``: attention alone, forward and backward, at one row of 82k tokens;
* ``graphs``: compiled models over a hundred different packings: graphs must stay one;
* ``speed``: tokens/s, MFU and peak memory of the recipes' models, compiled and not, from the real
  loader, beside stock ``Trainer`` padded and in blocks;
* ``head``: chunk sizes of the sparse head, and torch's fused loss where it exists;
* ``optimizer``: a step of StableAdamW beside torch-optimi's and fused AdamW.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import torch

from common import add_output_argument, finish, load_or_train_tokenizer
from doctobert_hf.models import first_position
from doctobert_hf.pretraining import (
    PackedMLMDataset,
    TokenStore,
    build_store_from_ids,
    prepare_model,
)
from doctobert_hf.pretraining.attention import register_attention, varlen_attention_forward
from doctobert_hf.pretraining.flops import flops_per_token, peak_flops
from pretraining import Case, blocks, new_model, ours, padded

VOCABULARY = {"doctobert-base": 32_768, "doctomodernbert-base": 50_368}
"""Of the recipes: logits and embeddings are a good part of a step."""
PARTS = ("checks", "kernels", "graphs", "speed", "head", "optimizer")
# preset, context, masking rate, row, tokens/s that 40 % MFU on an H200 comes to
MODELS = (
    ("doctobert-base", 512, 0.15, 81_920, 670_000),
    ("doctomodernbert-base", 1024, 0.30, 98_304, 480_000),
    ("doctomodernbert-base", 8192, 0.30, 98_304, 290_000),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--dry", action="store_true", help="toy sizes, for a machine without GPU")
    parser.add_argument("--tokens", type=int, default=6_000_000, help="tokens of a timed run")
    add_output_argument(parser)
    args = parser.parse_args()
    if not args.dry and not torch.cuda.is_available():
        raise SystemExit("No GPU. Pass --dry to try the script at toy size on the CPU.")
    register_attention()
    bench = Bench(args)
    results: dict[str, Any] = {}
    for part in args.parts:
        begin = time.perf_counter()
        try:
            results[part] = getattr(bench, part)()
        except Exception as error:  # one broken part must not lose the others' minutes
            results[part] = {"error": f"{type(error).__name__}: {error}"[:2000]}
        print(f"\n== {part} ({time.perf_counter() - begin:.0f} s)")
        show(results[part])
    finish(args, "gpu", results)
    if args.dry and any("error" in part for part in results.values()):
        raise SystemExit(1)


def show(result: Any, indent: str = "  ") -> None:
    """Print nested results, a line each."""
    for key, value in result.items():
        if isinstance(value, dict):
            print(f"{indent}{key}")
            show(value, indent + "  ")
        else:
            text = f"{value:,.4g}" if isinstance(value, float) else str(value)
            print(f"{indent}{key:<34} {text}")


class Bench:
    """The parts; sizes and device are shared."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.dry = args, args.dry
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.half = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        self.scratch = tempfile.mkdtemp()
        self._tokenizers: dict[int, Any] = {}
        self.models = MODELS if not self.dry else (("doctobert-tiny", 64, 0.15, 1024, 1),)

    # -- parts --------------------------------------------------------------------------------

    def checks(self) -> dict[str, Any]:
        """Largest differences of the fast path from the exact reference in float32."""
        found = {}
        lengths = [37, 0, 300, 1, 512, 0, 90]
        for window in (None, 65):
            q, k, v = (self._heads(sum(lengths), seed) for seed in range(3))
            borders = self._borders(lengths)
            slow = [x.float().detach().requires_grad_() for x in (q, k, v)]
            fast = [x.detach().requires_grad_() for x in (q, k, v)]
            # Outside autocast float32 takes the reference, half precision the kernel.
            outs = [self._attend(*heads, borders, max(lengths), window) for heads in (slow, fast)]
            for out in outs:
                (out.float() ** 2).sum().backward()
            found[f"window {window}"] = {
                "output, max difference": _gap(*outs),
                "gradient, max relative difference": max(
                    _gap(a.grad, b.grad) / float(a.grad.abs().max())
                    for a, b in zip(slow, fast, strict=True)
                ),
            }
        q, k, v = (self._heads(512, seed) for seed in range(3))
        many = torch.stack(
            [self._attend(q, k, v, self._borders([512]), 512, None, 0.1) for _ in range(64)]
        )
        plain = self._attend(q, k, v, self._borders([512]), 512, None)
        found["dropout 0.1"] = {
            "mean over draws, max difference": _gap(many.float().mean(0), plain),
            "spread between draws": float(many.float().std(0).mean()),
        }
        return found

    def kernels(self) -> dict[str, Any]:
        """Milliseconds of attention, forward and backward, of one row."""
        row, length = (1024, 128) if self.dry else (81_920, 512)
        lengths = [length] * (row // length)
        borders = self._borders(lengths)
        q, k, v = (self._heads(row, seed).detach().requires_grad_() for seed in range(3))
        ways: dict[str, Callable[[], torch.Tensor]] = {
            "ours": lambda: self._attend(q, k, v, borders, length, None),
            "ours, dropout 0.1": lambda: self._attend(q, k, v, borders, length, None, 0.1),
            "ours, window 64": lambda: self._attend(q, k, v, borders, length, 65),
            "sdpa, rows without packing": lambda: _sdpa_rows(q, k, v, length),
        }
        if self.device.type == "cuda":
            ways["flex, block mask"] = self._flex(q, k, v, length)
        return {name: self._milliseconds(way) for name, way in ways.items()}

    def graphs(self) -> dict[str, Any]:
        """Compiled graphs over many packings."""
        found = {}
        for preset, length, rate, row, _ in self.models:
            torch._dynamo.reset()
            torch._dynamo.utils.counters.clear()
            model, stream = self._model(preset), self._stream(preset, length, rate, row)
            backend = "eager" if self.dry else "inductor"  # what is traced is the same
            model.compile(dynamic=False, fullgraph=not self.dry, backend=backend)
            begin, first = time.perf_counter(), 0.0
            for number, item in enumerate(islice(stream, 3 if self.dry else 100)):
                with torch.autocast(self.device.type, self.half, enabled=not self.dry):
                    model(**self._moved(item["rows"][0]), num_items=1)["loss"].backward()
                first = first or (number == 0) * (time.perf_counter() - begin)
            found[f"{preset} {length}"] = {
                "graphs": torch._dynamo.utils.counters["stats"]["unique_graphs"],
                "breaks": sum(torch._dynamo.utils.counters["graph_break"].values()),
                "seconds to compile": first,
            }
        return found

    def speed(self) -> dict[str, Any]:
        """Tokens/s, MFU and peak memory; ours compiled and not, stock padded and in blocks."""
        found: dict[str, Any] = {}
        for preset, length, rate, row, aim in self.models:
            store = self._store(preset, length)
            rows = [store[i].tolist() for i in range(min(len(store), 20_000))]
            here: dict[str, Any] = {"aim, tokens/s (40 % MFU, H200)": aim}
            for name, way, compiled, micro in (
                ("ours", ours, False, row),
                ("ours, compiled", ours, True, row),
                ("stock padded", padded, False, row // 2),
                ("stock blocks", blocks, False, row // 2),
            ):
                settings = Case(
                    **dict(preset=preset, layers=2, hidden=64, dropout=True),
                    **dict(length=length, row=micro, mlm_probability=rate, bf16=not self.dry),
                    compile=compiled and not self.dry,
                    tokens=20_000 if self.dry else self.args.tokens // (1 + 2 * (way is not ours)),
                )
                here[name] = self._timed(way, settings, store, rows, rate)
            found[f"{preset} {length}"] = here
        return found

    def head(self) -> dict[str, Any]:
        """Milliseconds and gigabytes of the head over 12,288 masked rows, by chunk size."""
        preset = "doctobert-tiny" if self.dry else "doctobert-base"
        model, masked = self._model(preset), 300 if self.dry else 12_288
        rows = torch.randn(masked, model.config.hidden_size, device=self.device)
        labels = torch.randint(5, model.config.vocab_size, (masked,), device=self.device)
        from doctobert_hf.pretraining.head import summed_loss

        found = {}
        for chunk in (masked, 8192, 4096, 1024):
            leaf = rows.clone().requires_grad_()

            def once(leaf: torch.Tensor = leaf, chunk: int = chunk) -> torch.Tensor:
                with torch.autocast(self.device.type, self.half, enabled=not self.dry):
                    return summed_loss(model, leaf, labels, chunk)[0]

            self._reset_peak()
            found[f"chunk {chunk}"] = {"ms": self._milliseconds(once), "GB": self._peak()}
        return found

    def optimizer(self) -> dict[str, Any]:
        """Milliseconds of one optimizer step."""
        from doctobert_hf.pretraining import StableAdamW

        model = self._model("doctobert-tiny" if self.dry else "doctomodernbert-base")
        for parameter in model.parameters():
            parameter.grad = torch.randn_like(parameter) * 1e-3
        parameters = list(model.parameters())
        ways = {
            "StableAdamW (ours)": StableAdamW(parameters, lr=1e-4),
            "AdamW, fused": torch.optim.AdamW(parameters, lr=1e-4, fused=True),
        }
        try:
            import optimi

            ways["StableAdamW (torch-optimi)"] = optimi.StableAdamW(parameters, lr=1e-4)
        except ImportError:
            pass
        return {name: self._milliseconds(way.step, backward=False) for name, way in ways.items()}

    # -- tools --------------------------------------------------------------------------------

    def tokenizer(self, preset: str) -> Any:
        """A tokenizer of the recipe's size: that of the sample, filled up; texts are ids here."""
        size = VOCABULARY.get(preset, 0)
        if size not in self._tokenizers:
            made = load_or_train_tokenizer(None, f"{self.scratch}/{size}")
            made.add_tokens([f"<filler{i}>" for i in range(size - len(made))])
            self._tokenizers[size] = made
        return self._tokenizers[size]

    def _timed(self, way: Any, settings: Case, store: TokenStore, rows: Any, rate: float) -> dict:
        torch._dynamo.reset()
        self._reset_peak()
        folder = tempfile.mkdtemp(dir=self.scratch)
        try:
            speed = way(settings, folder, self.tokenizer(settings.preset), store, rows)
        except torch.OutOfMemoryError as error:
            return {"error": str(error)[:200]}
        lengths = store.lengths.astype(float)
        mean = float((lengths**2).sum() / lengths.sum())
        each = flops_per_token(
            new_model(settings, self.tokenizer(settings.preset), "sdpa"), mean, rate
        )
        peak = peak_flops(torch.cuda.get_device_name()) if torch.cuda.is_available() else None
        mfu = each * speed / peak if peak else math.nan
        return {"tokens/s": speed, "MFU of real tokens": mfu, "GB": self._peak()}

    def _store(self, preset: str, length: int) -> TokenStore:
        generator = np.random.default_rng(length)
        count = 400 if self.dry else 60_000_000 // length
        mean = math.log(length * 0.8) - 0.18
        sizes = np.clip(generator.lognormal(mean, 0.6, count).astype(int), 8, length)
        top = len(self.tokenizer(preset))
        rows = (generator.integers(5, top, size).tolist() for size in sizes)
        folder = tempfile.mkdtemp(dir=self.scratch) + "/store"
        return build_store_from_ids(rows, self.tokenizer(preset), folder, length)

    def _stream(self, preset: str, length: int, rate: float, row: int) -> PackedMLMDataset:
        return PackedMLMDataset(
            self._store(preset, length),
            self.tokenizer(preset),
            row_tokens=row,
            mlm_probability=rate,
            pad_rows=True,
            first_position=self._first,
        )

    def _model(self, preset: str) -> Any:
        settings = Case(preset, 0, 0, 0, layers=2, hidden=64, dropout=True)
        model = new_model(settings, self.tokenizer(preset), "doctobert_varlen").to(self.device)
        self._first = first_position(model.config)
        return prepare_model(model).train()

    def _moved(self, row: dict[str, Any]) -> dict[str, Any]:
        return {k: v.to(self.device) if torch.is_tensor(v) else v for k, v in row.items()}

    def _heads(self, tokens: int, seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        heads = torch.randn(1, 2 if self.dry else 12, tokens, 64, generator=generator)
        return heads.to(self.device, self.half)

    def _borders(self, lengths: list[int]) -> torch.Tensor:
        ends = np.concatenate(([0], np.cumsum(lengths)))
        return torch.tensor(ends, dtype=torch.int32, device=self.device)

    def _attend(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        borders: torch.Tensor,
        longest: int,
        window: int | None,
        dropout: float = 0.0,
    ) -> torch.Tensor:
        module = torch.nn.Module()
        return varlen_attention_forward(
            *(module, q, k, v, None, dropout),
            sliding_window=window,
            cu_seq_lens_q=borders,
            max_length_q=longest,
        )[0]

    def _flex(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, length: int) -> Any:
        from torch.nn.attention.flex_attention import create_block_mask, flex_attention

        def same(b: Any, h: Any, i: torch.Tensor, j: torch.Tensor) -> torch.Tensor:
            return i // length == j // length

        mask = create_block_mask(same, None, None, q.shape[2], q.shape[2], device=str(q.device))
        compiled = torch.compile(flex_attention, dynamic=False)
        return lambda: compiled(q, k, v, block_mask=mask)

    def _milliseconds(self, work: Callable[[], Any], backward: bool = True) -> float:
        times = []
        for number in range(3 if self.dry else 13):
            self._wait()
            begin = time.perf_counter()
            out = work()
            if backward:
                out.float().sum().backward()
            self._wait()
            if number >= (1 if self.dry else 3):
                times.append(1000 * (time.perf_counter() - begin))
        return statistics.median(times)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def _reset_peak(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def _peak(self) -> float:
        return torch.cuda.max_memory_allocated() / 1e9 if self.device.type == "cuda" else math.nan


def _sdpa_rows(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, length: int) -> torch.Tensor:
    rows = [x[0].unflatten(1, (-1, length)).transpose(0, 1) for x in (q, k, v)]
    return torch.nn.functional.scaled_dot_product_attention(*rows)


def _gap(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a.detach().float() - b.detach().float()).abs().max())


if __name__ == "__main__":
    main()
