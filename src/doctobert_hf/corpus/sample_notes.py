"""Annotated notes made from the sample's grammar: a task to fine-tune on where no real one is.

The notes are sentences of generated documents; the drugs, diseases and operations that the grammar
put there are their entities. No patient is real.

What pretraining brings is what a model knows of words that no label showed it. So the terms are
divided: those of the test notes stand in no note to train on or to choose by, and learning labelled
words by heart scores nothing.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from doctobert_hf.corpus.sample import ARTICLE, make_document, read_grammar
from doctobert_hf.files import write_text_atomic

FIRST = 100_000
"""Documents from this index on: none of them is in the sample that is trained on."""
_SIZES = {"train": 260, "validation": 80, "test": 120}
_SHARES = {"train": 0.5, "validation": 0.2, "test": 0.3}
"""Of the terms of each kind."""
_SENTENCE = re.compile(r"[^.\n!?]+[.!?]?")


def write_notes(folder: Path, seed: int = 17) -> dict[str, int]:
    """Write ``train``, ``validation`` and ``test`` as JSON lines for a private corpus.

    A sentence is of the split that all its terms are of; others are not used, nor is a sentence
    that was there before.

    Returns:
        Notes by split.
    """
    split_of = divided_terms(seed)
    notes: dict[str, list[dict]] = {split: [] for split in _SIZES}
    seen: set[str] = set()
    for note in _sentences(seed):
        splits = {split_of[note["text"][e["start"] : e["end"]].lower()] for e in note["entities"]}
        if len(splits) > 1 or note["text"] in seen:
            continue
        seen.add(note["text"])
        split = splits.pop()
        if len(notes[split]) < _SIZES[split]:
            notes[split].append(note)
        if all(len(notes[split]) == size for split, size in _SIZES.items()):
            break
    for split, rows in notes.items():
        lines = (json.dumps(note, ensure_ascii=False) + "\n" for note in rows)
        write_text_atomic(folder / split / "notes.jsonl", "".join(lines))
    return dict(_SIZES)


def divided_terms(seed: int) -> dict[str, str]:
    """Return the split of each term of the grammar, of every kind in the same shares."""
    rng = random.Random(seed)
    split_of: dict[str, str] = {}
    for kind in sorted(set(_terms().values())):
        terms = sorted(term for term, its in _terms().items() if its == kind)
        rng.shuffle(terms)
        first = int(len(terms) * _SHARES["train"])
        second = first + int(len(terms) * _SHARES["validation"])
        for place, term in enumerate(terms):
            split_of[term] = "train" if place < first else "test"
            if first <= place < second:
                split_of[term] = "validation"
    return split_of


def _sentences(seed: int) -> Iterator[dict]:
    """Yield annotated sentences of medical documents without end."""
    index = FIRST
    while True:
        document = make_document(index, seed)
        index += 1
        if document.domain == "medical":
            yield from _notes(document.text, document.id)


def _notes(text: str, document: str) -> list[dict]:
    """Sentences with at least one entity."""
    found = []
    for match in _SENTENCE.finditer(text):
        sentence = match.group().strip()
        entities = [
            {"start": m.start(), "end": m.end(), "label": _terms()[m.group().lower()]}
            for m in _pattern().finditer(sentence)
        ]
        if entities:
            note = {"id": f"{document}-{match.start()}", "text": sentence, "entities": entities}
            found.append(note)
    return found


@cache
def _terms() -> dict[str, str]:
    """Terms of the grammar by kind, in lower case and without article."""
    records = read_grammar().records
    kinds = {
        "disease": [n for r in records["maladies"] for n in r["nom"]],
        "drug": [
            name
            for group in ("medicaments_au_long_cours", "medicaments_ponctuels")
            for record in records[group]
            for name in record["dci"]
        ],
        "operation": read_grammar().lists["chirurgie"],
    }
    return {
        ARTICLE.sub("", term).strip().lower(): kind for kind, terms in kinds.items()
        for term in terms if "{" not in term
    }  # fmt: skip


@cache
def _pattern() -> re.Pattern[str]:
    terms = sorted(_terms(), key=len, reverse=True)  # the longest of several wins
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, terms))})(?!\w)", re.IGNORECASE)
