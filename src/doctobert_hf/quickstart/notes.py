"""Annotated notes made from the sample's grammar: a task to fine-tune on where no real one is.

The notes are sentences of generated documents; the drugs, diseases and operations that the grammar
put there are their entities. No patient is real.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from doctobert_hf.files import write_text_atomic
from doctobert_hf.quickstart.sample import ARTICLE, make_document, read_grammar

FIRST = 100_000
"""Documents from this index on: none of them is in the sample that is trained on."""
_SIZES = {"train": 260, "validation": 80, "test": 120}
_SENTENCE = re.compile(r"[^.\n!?]+[.!?]?")


def write_notes(folder: Path, seed: int = 17) -> dict[str, int]:
    """Write ``train``, ``validation`` and ``test`` as JSON lines for a private corpus.

    Returns:
        Notes by split.
    """
    index = FIRST
    for split, size in _SIZES.items():
        notes: list[dict] = []
        while len(notes) < size:
            document = make_document(index, seed)
            index += 1
            if document.domain == "medical":
                notes += _notes(document.text, f"{document.id}")
        lines = (json.dumps(note, ensure_ascii=False) + "\n" for note in notes[:size])
        write_text_atomic(folder / split / "notes.jsonl", "".join(lines))
    return dict(_SIZES)


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
