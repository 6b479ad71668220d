"""Documents of a run: sampled, split into training and held-out, the medical subset marked."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.corpus import iter_documents
from doctobert_hf.errors import DataError

if TYPE_CHECKING:
    from datasets import Dataset

    from doctobert_hf.quickstart.config import QuickstartConfig

HELD_OUT_SHARE = 0.05
MIN_DOCUMENTS = 20


@dataclass(frozen=True)
class CorpusSummary:
    """What was taken of the corpus; everything left out is in here."""

    source: str
    documents_read: int
    documents_used: int
    documents_empty: int
    characters_read: int
    characters_used: int
    held_out: int
    medical: int
    medical_rule: str


def prepare_documents(config: QuickstartConfig) -> tuple[Dataset, Dataset, CorpusSummary]:
    """Return training documents, held-out documents and what was taken.

    Both have the columns ``id, text, medical``. The sample is uniform over documents, within
    ``max_characters``; one in twenty is held out.

    Raises:
        DataError: An empty corpus, or one of too few documents to hold any out.
    """
    from datasets import Dataset

    counts = {"read": 0, "empty": 0, "characters": 0}
    rows = _sample(_rows(config, counts), config.max_characters, config.seed)
    if not counts["read"]:
        raise DataError(f"The corpus '{config.corpus}' has no document", "text to train on")
    if len(rows) < MIN_DOCUMENTS:
        raise DataError(
            f"The corpus '{config.corpus}' gives {len(rows)} documents "
            f"({counts['empty']} empty ones apart)",
            f"at least {MIN_DOCUMENTS}, so that some can be held out",
            "Give more documents, or raise max_characters if they are long",
        )
    rule = _mark_medical(rows)
    random.Random(config.seed).shuffle(rows)
    held_out = max(1, int(len(rows) * HELD_OUT_SHARE))
    summary = CorpusSummary(
        source="generated sample" if config.corpus is None else Path(config.corpus).name,
        documents_read=counts["read"],
        documents_used=len(rows),
        documents_empty=counts["empty"],
        characters_read=counts["characters"],
        characters_used=sum(len(row["text"]) for row in rows),
        held_out=held_out,
        medical=sum(row["medical"] for row in rows[held_out:]),
        medical_rule=rule,
    )
    return Dataset.from_list(rows[held_out:]), Dataset.from_list(rows[:held_out]), summary


def _rows(config: QuickstartConfig, counts: dict[str, int]) -> Iterator[dict[str, Any]]:
    if config.corpus is None:
        from doctobert_hf.corpus.sample import sample_documents

        documents: Iterator[dict[str, Any]] = (
            {"id": d.id, config.text_column: d.text, "domain": d.domain} for d in sample_documents()
        )
    else:
        documents = iter_documents(config.corpus, config.text_column)
    for row in documents:
        counts["read"] += 1
        text = row[config.text_column]
        counts["characters"] += len(text)
        if not text.strip():
            counts["empty"] += 1
            continue
        yield {"id": str(row.get("id")), "text": text, "domain": row.get("domain")}


def _sample(rows: Iterator[dict[str, Any]], max_characters: int, seed: int) -> list[dict[str, Any]]:
    """Keep a uniform sample of at most ``max_characters`` in one pass, in the order read."""
    rng = random.Random(seed)
    heap: list[tuple[float, int, dict[str, Any]]] = []
    total = 0
    for index, row in enumerate(rows):
        heapq.heappush(heap, (-rng.random(), index, row))
        total += len(row["text"])
        while total > max_characters and len(heap) > 1:
            total -= len(heapq.heappop(heap)[2]["text"])
    return [row for _, _, row in sorted(heap, key=lambda item: item[1])]


def _mark_medical(rows: list[dict[str, Any]]) -> str:
    """Set ``medical`` on each row; return the rule in words."""
    if {row["domain"] for row in rows} == {"medical", "general"}:
        for row in rows:
            row["medical"] = row.pop("domain") == "medical"
        return "documents of the domain 'medical'"
    densities = medical_shares([row["text"] for row in rows])
    threshold = sorted(densities)[len(densities) // 2]
    for row, density in zip(rows, densities, strict=True):
        del row["domain"]
        row["medical"] = density >= threshold
    return (
        f"the half of the documents with most medical terms (at least {threshold:.1%} of their "
        "characters, by FineMed's base lexicon)"
    )


def medical_shares(texts: list[str]) -> list[float]:
    """Return the share of characters of each text that is in medical terms of the base lexicon."""
    from doctobert_hf.finemed.annotators.lexicon import load_lexicons
    from doctobert_hf.finemed.density import medical_term_density

    matcher = load_lexicons(("base",))
    return [
        medical_term_density(text, [(term.start, term.end) for term in matcher.find(text)])
        for text in texts
    ]
