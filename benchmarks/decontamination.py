"""Decontamination: how often a planted test unit is found, by the form it comes in, and false hits.

python benchmarks/decontamination.py --data-dir raw --hosts general.parquet [--clean corpus.parquet]

A unit is put into the middle of a text of ``--hosts``. ``--clean`` is text that holds none, such as
case reports (``--clean-column source --clean-value NAME`` chooses rows). The peer is datatrove's
``NGramsDecontIndexer`` idea: an exact 12-gram of the unit as it stands.
"""

from __future__ import annotations

import argparse
import html
import random
import unicodedata
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from common import add_output_argument, finish
from doctobert_hf.corpus import iter_documents, iter_texts
from doctobert_hf.finemed.config import DecontaminateConfig
from doctobert_hf.finemed.decontamination import TestIndex, read_units
from doctobert_hf.finemed.words import words

TASKS = ("morfitt", "frenchmedmcqa_mcqa", "quaero_medline", "quaero_emea", "e3c_clinical")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--hosts", required=True)
    parser.add_argument("--clean")
    parser.add_argument("--clean-column", default="source")
    parser.add_argument("--clean-value")
    parser.add_argument("--units", type=int, default=200, help="of each task, at most")
    add_output_argument(parser)
    args = parser.parse_args()
    config = DecontaminateConfig(input=("x",), data_dir=args.data_dir, benchmark=TASKS)
    units = read_units(config)
    index = TestIndex(config.words, config.near)
    for task, text in units:
        index.add(task, text, config.least_words)
    index.finish()
    peer = {gram for _, text in units for gram in _grams(text)}
    hosts = [text[:6000] for text in islice(iter_texts(args.hosts), 100)]
    results: dict[str, Any] = {}
    for task in TASKS:
        mine = [text for name, text in units if name == task and len(words(text)) >= 3]
        if task.startswith("frenchmedmcqa"):
            mine = [text for text in mine if "\n" in text]
        chosen = random.Random(0).sample(mine, min(args.units, len(mine)))
        results[task] = {
            name: found(chosen, form, hosts, index, config, peer) for name, form in FORMS.items()
        }
        print(task, len(chosen), {k: f"{v['ours']:.2f}" for k, v in results[task].items()})
    if args.clean:
        results["clean"] = clean(args, index, config, peer)
        print("clean", results["clean"])
    finish(args, "decontamination", results)


def guilty(text: str, index: TestIndex, config: DecontaminateConfig) -> bool:
    return (
        any(share >= config.overlap for share in index.hits(text).values())
        or bool(index.whole_lines(text))
        or bool(index.close_together(text))
    )


def found(
    units: list[str],
    form: Callable[[str, random.Random], str],
    hosts: list[str],
    index: TestIndex,
    config: DecontaminateConfig,
    peer: set[str],
) -> dict[str, float]:
    draw = random.Random(1)
    ours = theirs = 0
    for number, unit in enumerate(units):
        host = hosts[number % len(hosts)]
        middle = host.find("\n", len(host) // 2) + 1 or len(host)
        text = f"{host[:middle]}\n{form(unit, draw)}\n{host[middle:]}"
        ours += guilty(text, index, config)
        theirs += not peer.isdisjoint(_grams(text))
    return {"ours": ours / len(units), "exact 12-grams": theirs / len(units)}


def clean(
    args: argparse.Namespace, index: TestIndex, config: DecontaminateConfig, peer: set[str]
) -> dict[str, Any]:
    rows = (
        row["text"]
        for row in iter_documents(args.clean)
        if args.clean_value is None or row.get(args.clean_column) == args.clean_value
    )
    texts = list(rows)
    hit = [text for text in texts if guilty(text, index, config)]
    return {
        "documents": len(texts),
        "ours": len(hit),
        "exact 12-grams": sum(not peer.isdisjoint(_grams(text)) for text in texts),
    }


def _grams(text: str) -> list[str]:
    tokens = words(text)
    return [" ".join(tokens[i : i + 12]) for i in range(max(1, len(tokens) - 11))]


def typos(share: float) -> Callable[[str, random.Random], str]:
    """Change letters: one in so many is replaced, left out, doubled or swapped."""

    def form(text: str, draw: random.Random) -> str:
        made = []
        for letter in text:
            if letter.isalnum() and draw.random() < share:
                kind = draw.randrange(3)
                other = draw.choice("abcdefghijklmnopqrstuvwxyz")
                made.append(("", letter + letter, other)[kind])
            else:
                made.append(letter)
        return "".join(made)

    return form


def lettered(text: str, draw: random.Random) -> str:
    """A question as quizzes print it: answers with letters, in another order."""
    question, *answers = text.split("\n")
    draw.shuffle(answers)
    lines = [f"{letter}. {answer}" for letter, answer in zip("ABCDEFGH", answers, strict=False)]
    return "\n".join([question, *lines])


def soft_hyphens(text: str, draw: random.Random) -> str:
    return " ".join(w[:3] + "\u00ad" + w[3:] if len(w) > 5 else w for w in text.split(" "))


def half(text: str, draw: random.Random) -> str:
    tokens = text.split(" ")
    start = draw.choice((0, len(tokens) // 2))
    return " ".join(tokens[start : start + (len(tokens) + 1) // 2])


def unaccented(text: str) -> str:
    plain = unicodedata.normalize("NFD", text)
    return "".join(c for c in plain if not unicodedata.combining(c))


FORMS: dict[str, Callable[[str, random.Random], str]] = {
    "as it is": lambda text, _: text,
    "decomposed": lambda text, _: unicodedata.normalize("NFD", text),
    "unaccented": lambda text, _: unaccented(text),
    "capitals": lambda text, _: text.upper(),
    "entities": lambda text, _: html.escape(text).encode("ascii", "xmlcharrefreplace").decode(),
    "soft hyphens": soft_hyphens,
    "other signs": lambda text, _: text.replace(",", " ;").replace("'", "’").replace(".", " …"),
    "letters before answers": lettered,
    "typos in 1 %": typos(0.01),
    "typos in 5 %": typos(0.05),
    "half": half,
}

if __name__ == "__main__":
    main()
