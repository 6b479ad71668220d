"""Entity F1: ours beside seqeval, one run on the same made-up tags.

    python benchmarks/metrics.py [--tokens 100000] [--repeats 7] [--json OUT]

Tags are IOB2 of 13 types with some ill-formed ones; 85 % of the predictions are right. Both give
precision, recall and F1, micro and per type (seqeval: ``classification_report``), and accuracy.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version

from common import add_output_argument, finish


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=7)
    add_output_argument(parser)
    args = parser.parse_args()
    from seqeval.metrics import accuracy_score, classification_report
    from seqeval.scheme import IOB2

    from doctobert_hf.metrics import entity_f1

    warnings.simplefilter("ignore")
    references, predictions = made_up(args.tokens)
    results = {"tokens": args.tokens, "seqeval": version("seqeval"), "modes": {}}
    print(f"{args.tokens:,} tokens in {len(references):,} sequences, seqeval {version('seqeval')}")
    for mode, options in (("default", {}), ("strict", {"mode": "strict", "scheme": IOB2})):

        def theirs(options: dict = options) -> float:
            accuracy_score(references, predictions)
            report = classification_report(references, predictions, output_dict=True, **options)
            return report["micro avg"]["f1-score"]

        def ours(mode: str = mode) -> float:
            return entity_f1(predictions, references, mode)["f1"]

        (our_time, our_f1), (their_time, their_f1) = timed(ours, args), timed(theirs, args)
        assert abs(our_f1 - their_f1) < 1e-12, (our_f1, their_f1)
        results["modes"][mode] = {
            "ours_ms": 1e3 * our_time,
            "seqeval_ms": 1e3 * their_time,
            "ratio": their_time / our_time,
            "f1": our_f1,
        }
        print(
            f"{mode:8} ours {1e3 * our_time:7.1f} ms   seqeval {1e3 * their_time:8.1f} ms   "
            f"{their_time / our_time:5.1f} x   F1 {our_f1:.6f} both"
        )
    finish(args, "metrics", results)


def made_up(tokens: int) -> tuple[list[list[str]], list[list[str]]]:
    """True and predicted tags in sequences of 5 to 60."""
    rng = random.Random(0)
    types = [f"TYPE{n}" for n in range(13)]
    references, predictions, made = [], [], 0
    while made < tokens:
        length = min(rng.randint(5, 60), tokens - made)
        tags: list[str] = []
        while len(tags) < length:
            if rng.random() < 0.7:
                tags.append("O")
            else:
                name = rng.choice(types)
                begin = "I" if rng.random() < 0.03 else "B"
                tags += [f"{begin}-{name}", *[f"I-{name}"] * rng.choice((0, 0, 1, 1, 2, 3))]
        tags = tags[:length]
        wrong = ["O", *(f"{p}-{rng.choice(types)}" for p in "BI")]
        references.append(tags)
        predictions.append([t if rng.random() < 0.85 else rng.choice(wrong) for t in tags])
        made += length
    return references, predictions


def timed(work: Callable[[], float], args: argparse.Namespace) -> tuple[float, float]:
    """Median seconds after one warm-up, and the result."""
    result = work()
    times = []
    for _ in range(args.repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


if __name__ == "__main__":
    main()
