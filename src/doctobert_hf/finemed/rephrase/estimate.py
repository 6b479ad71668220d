"""What a rephrasing run will ask of the endpoint, before a request is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doctobert_hf.finemed.pieces import spans_by_words
from doctobert_hf.finemed.rephrase.prompts import Prompts
from doctobert_hf.finemed.selection import check_filter, parse_where

if TYPE_CHECKING:
    from doctobert_hf.finemed.config import RephraseConfig

TOKENS_PER_WORD = 1.7
"""Of large multilingual vocabularies on French medical text; an assumption, said in the table."""
PLAN_ANSWER = 250
VERDICT = 30
REWRITE_PER_TOKEN = 1.0


def estimate(config: RephraseConfig) -> dict[str, Any]:
    """Count documents, chunks and words, and estimate requests, tokens and cost.

    Returns:
        ``tables`` for the command line, and the figures.
    """
    import tempfile

    from doctobert_hf.finemed.input_columns import input_schema
    from doctobert_hf.finemed.reading import CorpusReader
    from doctobert_hf.finemed.writing import Exclusions

    config.check_input()
    where, prompts = parse_where(config.where), Prompts.read(config.prompts, config.judge)
    check_filter(where, input_schema(config))
    documents = kept = chunks = words = 0
    limit = int(config.chunk_tokens * 0.6)
    with tempfile.TemporaryDirectory() as scratch:
        for place in config.input:
            reader = CorpusReader(place, config.text_column, config.id_column, Exclusions(scratch))
            for document in reader.run():
                documents += 1
                if where(document.metadata):
                    kept += 1
                    words += len(document.text.split())
                    chunks += len(spans_by_words(document.text, limit))
    overhead = len((prompts.plan + prompts.rewrite + prompts.judge).split()) * TOKENS_PER_WORD
    # The judge reads the source and the rewrite.
    readings = 2 + (1 + REWRITE_PER_TOKEN) * config.judge
    tokens_in = int(readings * words * TOKENS_PER_WORD + chunks * overhead)
    tokens_out = int(chunks * PLAN_ANSWER + words * TOKENS_PER_WORD * REWRITE_PER_TOKEN)
    tokens_out += chunks * VERDICT * config.judge
    cost = (tokens_in * config.price_in + tokens_out * config.price_out) / 1e6
    figures = {
        "documents": documents,
        "documents kept": kept,
        "words kept": words,
        "chunks": chunks,
        "requests": (2 + config.judge) * chunks,
        "prompt tokens": tokens_in,
        "answer tokens": tokens_out,
    }
    rows = [[name, f"{value:,}"] for name, value in figures.items()]
    priced = config.price_in or config.price_out
    told = f"{cost:,.2f}" if priced else "not given: --price-in, --price-out"
    rows.append(["cost", told])
    note = f"assumed: {TOKENS_PER_WORD} tokens a word, a rewrite as long as its source"
    return {
        **figures,
        "cost": cost,
        "assumed": note,
        "tables": [{"title": note, "header": ["estimate", "figure"], "rows": rows}],
    }
