"""Chunks: ours beside other chunkers, judged by a sentence splitter that is none of ours.

    python benchmarks/chunk_peers.py leaflets=FILE:type=other general=FILE --tokenizer PATH

All cut the same documents to the same number of tokens of the same tokenizer, special tokens
counted, without overlap, with what each is told by default otherwise. A cut is good where it
stands at the end of a line, or at an end of syntok's, which no chunker here uses; the share is of
all cuts but a document's end. Lost are characters of the document, white space apart, that no chunk
has.
Peers that are not installed are left out, and said: semchunk, chonkie, langchain-text-splitters,
semantic-text-splitter.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any

from chunking import _corpora, parser_of
from common import add_output_argument, finish, load_or_train_tokenizer
from doctobert_hf.chunking import HierarchicalChunker

Chunks = list[str]
SPECIAL = 2


def ours(slack: float) -> Callable[[Any, int], Callable[[str], Chunks]]:
    """This package's chunker, with a share of a chunk that may stay empty for a paragraph's end."""
    return lambda tokenizer, length: HierarchicalChunker(tokenizer, length, slack).split


def semchunk(tokenizer: Any, length: int) -> Callable[[str], Chunks]:
    """Cut by semchunk."""
    import semchunk as library

    return library.chunkerify(counter(tokenizer), length - SPECIAL)


def chonkie(tokenizer: Any, length: int) -> Callable[[str], Chunks]:
    """Cut by chonkie's recursive chunker."""
    from chonkie import RecursiveChunker

    made = RecursiveChunker(tokenizer=tokenizer.backend_tokenizer, chunk_size=length - SPECIAL)
    return lambda text: [chunk.text for chunk in made.chunk(text)]


def chonkie_sentences(tokenizer: Any, length: int) -> Callable[[str], Chunks]:
    """Cut by chonkie's chunker of sentences."""
    from chonkie import SentenceChunker

    made = SentenceChunker(
        tokenizer=tokenizer.backend_tokenizer, chunk_size=length - SPECIAL, chunk_overlap=0
    )
    return lambda text: [chunk.text for chunk in made.chunk(text)]


def langchain(tokenizer: Any, length: int) -> Callable[[str], Chunks]:
    """Cut by LangChain's recursive splitter."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    return RecursiveCharacterTextSplitter(
        chunk_size=length - SPECIAL, chunk_overlap=0, length_function=counter(tokenizer)
    ).split_text


def semantic(tokenizer: Any, length: int) -> Callable[[str], Chunks]:
    """Cut by semantic-text-splitter."""
    from semantic_text_splitter import TextSplitter

    text = tokenizer.backend_tokenizer.to_str()
    return TextSplitter.from_huggingface_tokenizer_str(text, length - SPECIAL, trim=False).chunks


PEERS: dict[str, tuple[str, Callable[[Any, int], Callable[[str], Chunks]]]] = {
    "ours": ("doctobert-hf", ours(0.0)),
    "ours, paragraph_slack 0.1": ("doctobert-hf", ours(0.1)),
    "semchunk": ("semchunk", semchunk),
    "chonkie, recursive": ("chonkie", chonkie),
    "chonkie, sentences": ("chonkie", chonkie_sentences),
    "langchain, recursive": ("langchain-text-splitters", langchain),
    "semantic-text-splitter": ("semantic-text-splitter", semantic),
}


def counter(tokenizer: Any) -> Callable[[str], int]:
    """Tokens of a text, special tokens apart."""
    return lambda text: len(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--characters", type=int, default=1_000_000, help="of each corpus")
    add_output_argument(parser)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer = load_or_train_tokenizer(args.tokenizer, scratch)
    tokenizer.model_max_length = 10**9
    results: dict[str, Any] = {}
    for corpus, texts in _corpora(args).items():
        ends = [sentence_ends(text) for text in texts]
        for name, (package, make) in PEERS.items():
            if importlib.util.find_spec(package.replace("-", "_")) is None:
                print(f"{name}: not installed, left out")
                continue
            row = measured(make(tokenizer, args.length), texts, ends, counter(tokenizer), args)
            results.setdefault(corpus, {})[name] = row | {"version": metadata.version(package)}
            print(
                f"{corpus:<10} {name:<26} fill {row['fill']:.3f}  good cuts "
                f"{100 * row['good']:5.1f} %  over {row['over']}  lost {row['lost']}  "
                f"{row['seconds']:.1f} s",
                flush=True,
            )
    finish(args, "chunk-peers", results)


def measured(
    split: Callable[[str], Chunks],
    texts: list[str],
    ends: list[set[int]],
    count: Callable[[str], int],
    args: argparse.Namespace,
) -> dict[str, float]:
    """Fill of all chunks but a document's last, share of good cuts, chunks over length, losses."""
    start = time.perf_counter()
    chunks = [split(text) for text in texts]
    seconds = time.perf_counter() - start
    room = args.length - SPECIAL
    fills, good, over, lost = [], 0, 0, 0
    for text, pieces, known in zip(texts, chunks, ends, strict=True):
        place, kept = 0, 0
        for number, piece in enumerate(pieces):
            bare = piece.strip()
            found = text.find(bare, place)
            kept += len(re.sub(r"\s", "", bare))
            place = found + len(bare) if found >= 0 else place + len(bare)
            tokens = count(piece)
            over += tokens > room
            if number < len(pieces) - 1:
                fills.append(tokens / room)
                good += place in known or text[place : place + 2].lstrip(" ").startswith("\n")
        lost += max(0, len(re.sub(r"\s", "", text)) - kept)
    cuts = len(fills)
    return {
        "fill": sum(fills) / cuts,
        "good": good / cuts,
        "cuts": cuts,
        "over": over,
        "lost": lost,
        "seconds": seconds,
    }


def sentence_ends(text: str) -> set[int]:
    """Ends of sentences by syntok."""
    from syntok import segmenter

    return {
        sentence[-1].offset + len(sentence[-1].value)
        for paragraph in segmenter.analyze(text)
        for sentence in paragraph
    }


if __name__ == "__main__":
    main()
