"""Chunking: ours beside the released algorithm, one run, on any corpora.

    python benchmarks/chunking.py leaflets=FILE:COLUMN=VALUE general=FILE [--length 512]

A corpus is ``name=path`` with an optional filter ``:column=value`` or ``:column!=value``. Without
corpora, the packaged sample. The time is a ratio to one pass of the same fast tokenizer over the
same documents with the same threads (``tokenizer(texts)``), the median of the repeats.

"Released" restates the released algorithm from its description: separator families (blank lines,
line feed, whitespace after . ! ? ;, any whitespace, raw token slices), delimiters kept on the left,
recursion on pieces that do not fit, neighbours glued while the concatenation fits. Its fit test:
word count over the limit, else an exact count without special tokens. It is timed on few documents
(it encodes each of them many times over), beside a tokenizer pass over the same few.
"""

from __future__ import annotations

import argparse
import itertools
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from common import add_output_argument, finish, load_or_train_tokenizer
from doctobert_hf.chunking import HierarchicalChunker
from doctobert_hf.chunking.statistics import ChunkStatistics
from doctobert_hf.corpus import iter_documents

_FAMILIES = (r"\n\n+", r"\n", r"(?<=[.!?;])\s+", r"\s+")


class ReleasedChunker:
    """The released algorithm, restated; ``limit`` tokens without special tokens."""

    def __init__(self, tokenizer: Any, limit: int) -> None:
        self.tokenizer, self.limit = tokenizer, limit

    def split(self, text: str, level: int = 0) -> list[str]:
        """Return the chunks of a text."""
        if self._fits(text):
            return [text]
        if level == len(_FAMILIES):
            ids = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
            slices = range(0, len(ids), self.limit)
            return [self.tokenizer.decode(ids[i : i + self.limit]) for i in slices]
        pieces = []
        for piece in self._cut(text, _FAMILIES[level]):
            pieces.extend([piece] if self._fits(piece) else self.split(piece, level + 1))
        chunks, buffer = [], ""
        for piece in pieces:
            if buffer and not self._fits(buffer + piece):
                chunks.append(buffer)
                buffer = piece
            else:
                buffer += piece
        return [*chunks, buffer] if buffer else chunks

    def _fits(self, text: str) -> bool:
        if len(text.split()) > self.limit:
            return False
        encoded = self.tokenizer(text, add_special_tokens=False, verbose=False)
        return len(encoded["input_ids"]) <= self.limit

    @staticmethod
    def _cut(text: str, pattern: str) -> list[str]:
        ends = [match.end() for match in re.finditer(pattern, text)]
        bounds = [0, *ends, len(text)]
        return [text[a:b] for a, b in itertools.pairwise(bounds) if b > a]


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """Return a parser that takes corpora and a tokenizer."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", nargs="*", help="name=path[:column=value]")
    parser.add_argument("--tokenizer", help="path or Hub id")
    return parser


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--length", type=int, nargs="+", default=[512])
    parser.add_argument("--characters", type=int, default=4_000_000, help="of each corpus")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--released-documents", type=int, default=20)
    add_output_argument(parser)
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        tokenizer = load_or_train_tokenizer(args.tokenizer, scratch)
    tokenizer.model_max_length = 10**9
    results: dict[str, Any] = {}
    print(
        f"{'corpus':<10} {'length':>6} {'':<9} {'time':>8} {'fill':>6} {'sentence+':>9} {'over':>5}"
    )
    for name, texts in _corpora(args).items():
        for length in args.length:
            rows = {
                "ours": _ours(tokenizer, texts, length, args.repeats),
                "released": _released(
                    tokenizer, texts[:: max(1, len(texts) // args.released_documents)], length
                ),
            }
            results[f"{name}-{length}"] = {"documents": len(texts), **rows}
            for who, row in rows.items():
                print(
                    f"{name:<10} {length:>6} {who:<9} {row['time_ratio']:>6.2f} x "
                    f"{row['fill']:>6.3f} {100 * row['sentence_share']:>7.2f} % "
                    f"{row['over_length']:>5}",
                    flush=True,
                )
    results["linear"] = _linear(tokenizer)
    finish(args, "chunking", results)


def _corpora(args: argparse.Namespace) -> dict[str, list[str]]:
    if not args.corpora:
        from doctobert_hf.corpus.sample import sample_documents

        return {"sample": [document.text for document in sample_documents()]}
    corpora = {}
    for argument in args.corpora:
        name, _, rest = argument.partition("=")
        path, _, condition = rest.partition(":")
        column, operator, value = re.match(r"(\w*)(!?=)?(.*)", condition).groups()  # type: ignore[union-attr]
        texts = [
            row["text"]
            for row in iter_documents(path)
            if not operator or (row[column] == value) == (operator == "=")
        ]
        # Every n-th document, so that all kinds are there within the number of characters.
        step = max(1, sum(map(len, texts)) // args.characters)
        corpora[name] = texts[::step]
    return corpora


def _ours(tokenizer: Any, texts: list[str], length: int, repeats: int) -> dict[str, float]:
    chunker = HierarchicalChunker(tokenizer, length)
    chunks = chunker.encode(texts)
    ratio = _time_ratio(lambda: chunker.encode(texts), tokenizer, texts, repeats)
    counted = ChunkStatistics(chunker.capacity)
    for text, pieces in zip(texts, chunks, strict=True):
        spans = [(piece.start, piece.end) for piece in pieces]
        assert "".join(text[a:b] for a, b in spans) == text
        # Counted by encoding each chunk alone, not by what the chunker says.
        encoded = tokenizer([text[a:b] for a, b in spans], add_special_tokens=False, verbose=False)
        counted.add(text, spans, [len(ids) for ids in encoded["input_ids"]])
    return _row(counted, ratio)


def _released(tokenizer: Any, texts: list[str], length: int) -> dict[str, float]:
    limit = length - 2
    released = ReleasedChunker(tokenizer, limit)
    chunks = [released.split(text) for text in texts]
    ratio = _time_ratio(lambda: [released.split(t) for t in texts], tokenizer, texts, 1)
    counted = ChunkStatistics(limit)
    for text, pieces in zip(texts, chunks, strict=True):
        ends = list(itertools.accumulate(map(len, pieces)))
        spans = list(zip([0, *ends[:-1]], ends, strict=True))
        encoded = tokenizer(pieces, add_special_tokens=False, verbose=False)["input_ids"]
        counted.add(text, spans, [len(ids) for ids in encoded])
    return _row(counted, ratio)


def _row(counted: ChunkStatistics, ratio: float) -> dict[str, float]:
    return {
        "time_ratio": ratio,
        "fill": counted.fill,
        "sentence_share": counted.sentence_share,
        "over_length": counted.over_length,
        "chunks": counted.chunks,
    }


def _time_ratio(work: Callable[[], Any], tokenizer: Any, texts: list[str], repeats: int) -> float:
    """Return the median of work's time over one tokenizer pass, both measured in each repeat."""

    def encode() -> None:
        tokenizer(texts, add_special_tokens=False, verbose=False)

    encode()
    ratios = []
    for _ in range(repeats):
        start = time.perf_counter()
        encode()
        middle = time.perf_counter()
        work()
        ratios.append((time.perf_counter() - middle) / (middle - start))
    return statistics.median(ratios)


def _linear(tokenizer: Any) -> dict[str, float]:
    """Chunk one document of 1.25, 2.5, 5 and 10 MB; seconds per megabyte should not grow."""
    from doctobert_hf.corpus.sample import sample_documents

    text = "\n\n".join(document.text for document in sample_documents())
    text = text * (10_000_000 // len(text) + 1)
    chunker = HierarchicalChunker(tokenizer, 512)
    seconds = {}
    for size in (1_250_000, 2_500_000, 5_000_000, 10_000_000):
        start = time.perf_counter()
        chunker.encode([text[:size]])
        elapsed = time.perf_counter() - start
        start = time.perf_counter()
        tokenizer(text[:size], add_special_tokens=False, verbose=False)
        encoding = time.perf_counter() - start
        seconds[str(size)] = elapsed / (size / 1e6)
        print(
            f"one document of {size / 1e6:5.2f} M characters: {elapsed:6.2f} s, "
            f"{elapsed / (size / 1e6):.2f} s per M, {elapsed / encoding:.2f} x one encoding",
            flush=True,
        )
    return seconds


if __name__ == "__main__":
    main()
