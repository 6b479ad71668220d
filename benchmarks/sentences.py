"""Sentence ends: ours beside syntok, pysbd, punkt and eds.sentences, on the same text.

python benchmarks/sentences.py --data sequoia_dev.jsonl [--json FILE]

The data are lines of ``{"part", "sentence"}``, joined by spaces; an end counts where a sentence
ends with a full stop, a question or exclamation mark or an ellipsis (headings have no mark to see).
The same text wrapped at 72 columns is measured too, five sentences a paragraph. Peers that are not
installed are left out, and said: pysbd, nltk (with its punkt data), edsnlp.
"""

from __future__ import annotations

import argparse
import json
import re
import textwrap
import time
from collections import defaultdict
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from common import add_output_argument, finish

END = re.compile(r"[.!?…][\s)\]}»”\"'’]*$")
Splitter = Callable[[str], set[int]]


def ours(text: str) -> set[int]:
    """Ends by this package."""
    from doctobert_hf.chunking import split_sentences

    return {end for _, end in split_sentences(text)}


def syntok() -> Splitter:
    """Ends by syntok, the splitter of the benchmark's own loaders."""
    from syntok import segmenter

    def split(text: str) -> set[int]:
        return {
            sentence[-1].offset + len(sentence[-1].value)
            for paragraph in segmenter.analyze(text)
            for sentence in paragraph
        }

    return split


def pysbd() -> Splitter:
    """Ends by pysbd."""
    import pysbd as library

    made = library.Segmenter(language="fr", clean=False, char_span=True)
    return lambda text: {
        span.start + len(span.sent.rstrip()) for span in made.segment(text) if span.sent.strip()
    }


def punkt() -> Splitter:
    """Ends by NLTK's French punkt."""
    from nltk.tokenize import PunktTokenizer

    made = PunktTokenizer("french")
    return lambda text: {end for _, end in made.span_tokenize(text)}


def eds_sentences() -> Splitter:
    """Ends by edsnlp's rule-based splitter."""
    import edsnlp

    made = edsnlp.blank("eds")
    made.add_pipe("eds.sentences")
    return lambda text: {sentence.end_char for sentence in made(text).sents}


PEERS = {"syntok": syntok, "pysbd": pysbd, "nltk": punkt, "edsnlp": eds_sentences}


def joined(sentences: list[str]) -> tuple[str, set[int]]:
    """A text of sentences, and where it has ends that can be seen."""
    text, ends = "", set()
    for sentence in sentences:
        text += " " * bool(text) + sentence
        if END.search(sentence):
            ends.add(len(text))
    return text, ends


def measure(split: Splitter, texts: list[tuple[str, set[int]]]) -> dict[str, float]:
    """Precision and recall over texts; the end of a text is not counted."""
    right = found = wanted = 0
    for text, ends in texts:
        got, true = split(text) - {len(text)}, ends - {len(text)}
        right, found, wanted = right + len(got & true), found + len(got), wanted + len(true)
    return {"precision": 100 * right / max(found, 1), "recall": 100 * right / max(wanted, 1)}


def wrapped(sentences: list[str], width: int = 72) -> list[tuple[str, set[int]]]:
    """Paragraphs of five sentences, wrapped at a width."""
    found = []
    for start in range(0, len(sentences) - 4, 5):
        text, ends = joined(sentences[start : start + 5])
        broken = textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
        if len(broken) == len(text):
            found.append((broken, ends))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    add_output_argument(parser)
    args = parser.parse_args()
    parts: dict[str, list[str]] = defaultdict(list)
    for line in args.data.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        parts[row["part"]].append(row["sentence"])
    splitters: dict[str, Splitter] = {"ours": ours}
    for name, make in PEERS.items():
        try:
            splitters[f"{name} {metadata.version(name)}"] = make()
        except (ImportError, LookupError, OSError) as error:
            print(f"{name}: not here ({str(error).strip().splitlines()[0][:60]})")
    big = " ".join(sentence for sentences in parts.values() for sentence in sentences)
    results: dict[str, dict] = {}
    for name, split in splitters.items():
        rows = {part: measure(split, [joined(sentences)]) for part, sentences in parts.items()}
        rows |= {f"{p}, wrapped": measure(split, wrapped(s)) for p, s in parts.items()}
        begin, times = time.process_time(), 0  # others may be at work
        while times == 0 or time.process_time() - begin < 2:
            split(big)
            times += 1
        speed = len(big.encode()) * times / 1e6 / (time.process_time() - begin)
        results[name] = {**rows, "mb_per_second": speed}
        cells = ", ".join(f"{p} {r['precision']:.1f}/{r['recall']:.1f}" for p, r in rows.items())
        print(f"{name}: {cells}; {speed:.2f} MB/s")
    finish(args, "sentences", results)


if __name__ == "__main__":
    main()
