"""The mixing stage: sources cut to the training length, in given shares, drawn by seed.

First pass: each source is filtered, cut by the hierarchical chunker, and its chunks are counted.
Second pass: each chunk is kept with its source's rate. Whether it is kept depends on the seed and
its id alone, so parts, order and restarts change nothing. The result is what the pretraining
recipes read: Parquet with a ``text`` column whose rows fit the context.

Context extension (``long_tokens``) follows the published length-aware sampling: chunks under
``min_tokens`` are dropped, ``context_share`` of the others is kept, long ones first up to
``long_share`` of those, short ones drawn at random for the rest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep

from doctobert_hf.config import build_config
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.filters import Filter
from doctobert_hf.finemed.selection import Select, check_filter, parse_where

if TYPE_CHECKING:
    from doctobert_hf.finemed.config import MixConfig
    from doctobert_hf.finemed.stage import Stage
    from doctobert_hf.finemed.writing import Exclusions


@dataclass
class Source:
    """One source of a mix.

    Attributes:
        name: What it is called in the result's ``source`` column.
        input: Files or folders.
        where: Filter, or ``None`` for all.
        share: Weight among the sources; ``None`` for all: as much as each has.
    """

    name: str
    input: tuple[str, ...]
    where: str | None = None
    share: float | None = None


def read_sources(config: MixConfig) -> list[Source]:
    """The sources of a configuration.

    Raises:
        UsageError: None, names that repeat, shares for some only, or an unknown key.
    """
    sources = [
        build_config(Source, item, source=f"source {number} of the mix")
        for number, item in enumerate(config.sources, start=1)
        if isinstance(item, dict) or _refuse(item)
    ]
    if not sources:
        raise UsageError("A mix without sources", "sources with name and input")
    names = [source.name for source in sources]
    if len(set(names)) < len(names) or not all(re.fullmatch(r"[\w-]+", name) for name in names):
        raise UsageError(
            f"Sources named {', '.join(names)}", "a name for each, of letters, digits and hyphens"
        )
    given = [source.share is not None for source in sources]
    if any(given) and not all(given):
        raise UsageError("A share for some sources only", "one for each, or for none")
    if any(source.share is not None and source.share <= 0 for source in sources):
        raise UsageError("A share of 0 or less", "shares above 0")
    if config.input:
        raise UsageError(
            f"input {' '.join(config.input)}, which no source of the mix is",
            "inputs of sources",
            "Write it as a source: sources: [{name: ..., input: ...}]",
        )
    if config.unit == "documents" and config.long_tokens is not None:
        raise UsageError("unit 'documents' with long_tokens", "unit tokens or chunks: long ones "
                         "are chunks")  # fmt: skip
    if not config.tokenizer:
        raise UsageError("A mix without a tokenizer", "the training's, by path or Hub id")
    return sources


def _refuse(item: Any) -> bool:
    raise UsageError(f"The source {item!r}", "a mapping with name and input")


class Cut(PipelineStep):
    """datatrove step that cuts documents and counts tokens by source and length.

    Args:
        config: The stage's configuration.
        source: Name of the source.
        exclusions: Where chunks under ``min_tokens`` go.
    """

    name = "cut"
    type = "FineMed"

    def __init__(self, config: MixConfig, source: str, exclusions: Exclusions) -> None:
        super().__init__()
        self.config, self.source, self.exclusions = config, source, exclusions

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield chunks with their place, source and number of tokens."""
        from doctobert_hf.chunking import HierarchicalChunker
        from doctobert_hf.chunking.backend import special_tokens_around
        from doctobert_hf.models.opening import open_tokenizer

        config = self.config
        tokenizer = open_tokenizer(config.tokenizer)
        chunker = HierarchicalChunker(tokenizer, config.max_length)
        before, after = special_tokens_around(tokenizer)
        with self.exclusions.writer(f"short-{self.source}", rank) as excluded:
            for document in data:
                counted = False
                for index, chunk in enumerate(chunker.encode([document.text])[0]):
                    ids = [*before, *chunk.ids, *after]
                    tokens = len(ids)
                    text = document.text[chunk.start : chunk.end]
                    chunk_id = f"{self.source}:{document.id}#{index}"
                    if tokens < config.min_tokens or not text.strip():
                        blank = "blank chunk" if not text.strip() else "chunk too short"
                        excluded.write(chunk_id, blank, text)
                        continue
                    kind = "long" if is_long(tokens, config) else "short"
                    self.stat_update(f"chunks_{kind}_{self.source}")
                    self.stat_update(f"tokens_{kind}_{self.source}", value=tokens)
                    if not counted:  # of its chunks at least one is left
                        self.stat_update(f"documents_short_{self.source}")
                        counted = True
                    metadata: dict[str, Any] = {
                        "source": self.source,
                        "chunk_id": chunk_id,
                        "parent_id": document.id,
                        "chunk_index": index,
                        "char_start": chunk.start,
                        "char_end": chunk.end,
                        "num_tokens": tokens,
                    }
                    if config.ids:
                        metadata["input_ids"] = ids
                    yield Document(text=text, id=chunk_id, metadata=metadata)


def is_long(tokens: int, config: MixConfig) -> bool:
    """Return whether a chunk counts as long in context extension."""
    return config.long_tokens is not None and tokens >= config.long_tokens


class Sample(PipelineStep):
    """datatrove step that keeps chunks at given rates.

    Args:
        config: The stage's configuration.
        rates: By source and kind of chunk the rate, from 0 to 1.
        exclusions: Where chunks that were not drawn go.
    """

    name = "sample"
    type = "FineMed"

    def __init__(
        self, config: MixConfig, rates: dict[str, dict[str, float]], exclusions: Exclusions
    ) -> None:
        super().__init__()
        self.config, self.rates, self.exclusions = config, rates, exclusions

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield the chunks drawn."""
        with self.exclusions.writer("sample", rank) as excluded:
            for document in data:
                source, tokens = document.metadata["source"], document.metadata["num_tokens"]
                kind = "long" if is_long(tokens, self.config) else "short"
                identity = document.id
                if self.config.unit == "documents":  # all chunks of a document, or none
                    identity = f"{source}:{document.metadata['parent_id']}"
                if draw(identity, self.config.seed) < self.rates[source][kind]:
                    self.stat_update(f"kept_{source}")
                    self.stat_update(f"kept_tokens_{source}", value=tokens)
                    yield document
                else:
                    excluded.write(document.id, "not drawn", document.text)


def draw(chunk_id: str, seed: int) -> float:
    """A number from 0 to below 1 that depends on a chunk and a seed alone."""
    digest = hashlib.blake2b(f"{seed}\0{chunk_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def rates_of(
    config: MixConfig, sources: list[Source], counts: dict[str, dict[str, float]]
) -> dict[str, dict[str, float]]:
    """Rates at which each source's chunks are kept.

    Args:
        config: ``total``, ``unit`` and the settings of context extension.
        sources: With their shares.
        counts: By source ``short`` and ``long``, in the configuration's unit.

    Raises:
        DataError: A source has nothing, or less than its share of ``total``.
    """
    factors = {"short": 1.0, "long": 1.0}
    if config.long_tokens is not None:
        factors = _context_rates(config, counts)
    have = {
        source.name: sum(counts[source.name][kind] * factors[kind] for kind in factors)
        for source in sources
    }
    empty = [name for name, amount in have.items() if not amount]
    if empty:
        raise DataError(f"Nothing is left of {', '.join(empty)}", "sources with documents")
    shares = {s.name: s.share if s.share is not None else have[s.name] for s in sources}
    whole = sum(shares.values())
    possible = min(have[name] / (share / whole) for name, share in shares.items())
    total = config.total if config.total is not None else possible
    if total > possible * 1.0000001:
        scarce = min(shares, key=lambda name: have[name] / shares[name])
        raise DataError(
            f"total {total:,} {config.unit}, and '{scarce}' has {have[scarce]:,.0f}",
            f"at most {int(possible):,} with these shares",
            "Lower total or the source's share: nothing is repeated to fill it",
        )
    return {
        name: {kind: factors[kind] * total * share / whole / have[name] for kind in factors}
        for name, share in shares.items()
    }


def _context_rates(config: MixConfig, counts: dict[str, dict[str, float]]) -> dict[str, float]:
    short, long = (sum(by[kind] for by in counts.values()) for kind in ("short", "long"))
    target = config.context_share * (short + long)
    kept_long = min(long, config.long_share * target)
    kept_short = min(short, target - kept_long)
    return {
        "short": kept_short / short if short else 0.0,
        "long": kept_long / long if long else 0.0,
    }


def mix(config: MixConfig, overwrite: bool = False) -> dict[str, Any]:
    """Run the stage, write the mix's card, and return its manifest.

    On Slurm the first call submits the reading of all sources, the second the drawing; they return
    nothing, and a third one the manifest.

    Raises:
        UsageError: Wrong sources or shares.
        DataError: A source that cannot give its share.
    """
    from doctobert_hf.finemed.input_columns import input_schema
    from doctobert_hf.finemed.stage import Stage

    sources = read_sources(config)
    filters: dict[str, Filter | None] = {}
    for source in sources:
        filters[source.name] = parse_where(source.where) if source.where else None
        schema = input_schema(config, source.input)
        if (where := filters[source.name]) is not None:
            check_filter(where, schema)
    places = tuple(place for source in sources for place in source.input)
    with Stage("mix", config, places, overwrite) as stage:
        return stage.finished() or _mix(stage, sources, filters, config)


def _mix(
    stage: Stage, sources: list[Source], filters: dict[str, Filter | None], config: MixConfig
) -> dict[str, Any]:
    import pyarrow as pa

    from doctobert_hf.finemed.mix_card import write_card
    from doctobert_hf.finemed.reading import PartsReader
    from doctobert_hf.finemed.schema import chunk_fields
    from doctobert_hf.finemed.writing import TableWriter

    columns = pa.schema(
        [
            *(pa.field("source", pa.string()), *chunk_fields()),
            pa.field("num_tokens", pa.int64()),
            *([pa.field("input_ids", pa.list_(pa.int32()))] if config.ids else []),
        ]
    )
    between, read = stage.folder / "between", True
    for source in sources:
        readers = stage.readers(source.input, f"reading-{source.name}")
        where = filters[source.name]
        step = f"filter-{source.name}"
        select = [Select(where, stage.exclusions, step)] if where is not None else []
        place = between / source.name
        place.mkdir(parents=True, exist_ok=True)
        writer = TableWriter(str(place), columns)
        cut = Cut(config, source.name, stage.exclusions)
        read = stage.run([*readers, *select, cut, writer], f"logs/{source.name}") and read
    if not read:
        return {}
    counts = _counts(stage, sources, config)
    rates = rates_of(config, sources, counts)
    drawing = [
        *(PartsReader(str(between / source.name)) for source in sources),
        Sample(config, rates, stage.exclusions),
        stage.writer(columns),
    ]
    if not stage.run(drawing, "logs/sample"):
        return {}
    manifest = _close(stage, sources, config, rates)
    write_card(stage.folder, manifest, config)
    return manifest


def _counts(stage: Any, sources: list[Source], config: MixConfig) -> dict[str, dict[str, float]]:
    return {
        source.name: {
            kind: float(stage.counted(f"{config.unit}_{kind}_{source.name}", f"logs/{source.name}"))
            for kind in ("short", "long")
        }
        for source in sources
    }


def _close(
    stage: Any, sources: list[Source], config: MixConfig, rates: dict[str, dict[str, float]]
) -> dict[str, Any]:
    import shutil

    from doctobert_hf.models.opening import open_tokenizer
    from doctobert_hf.pretraining.data.store import tokenizer_fingerprint

    found = []
    for source in sources:
        logs = f"logs/{source.name}"
        chunks = sum(stage.counted(f"chunks_{k}_{source.name}", logs) for k in ("short", "long"))
        tokens = sum(stage.counted(f"tokens_{k}_{source.name}", logs) for k in ("short", "long"))
        found.append(
            {
                "name": source.name,
                "input": list(source.input),
                "where": source.where,
                "share": source.share,
                "documents": stage.counted("rows", logs),
                "chunks": chunks,
                "tokens": tokens,
                "kept_chunks": stage.counted(f"kept_{source.name}", "logs/sample"),
                "kept_tokens": stage.counted(f"kept_tokens_{source.name}", "logs/sample"),
                "rates": rates[source.name],
            }
        )
    drawn = stage.exclusions.counts("sample").get("not drawn", 0)
    kept, cut = (sum(item[key] for item in found) for key in ("kept_chunks", "chunks"))
    if cut != kept + drawn:
        raise DataError(
            f"{cut:,} chunks cut, {kept:,} kept and {drawn:,} not drawn",
            "every chunk in one of the two",
            f"Delete '{stage.folder}' and run the stage again",
        )
    total = sum(item["kept_tokens"] for item in found)
    rows = [
        [
            item["name"],
            f"{item['documents']:,}",
            f"{item['chunks']:,}",
            f"{item['kept_chunks']:,}",
            f"{item['kept_tokens']:,}",
            f"{100 * item['kept_tokens'] / max(1, total):.1f}",
            "all" if item["share"] is None else f"{100 * item['share']:.1f}",
        ]
        for item in found
    ]
    header = ["source", "documents", "chunks", "kept", "tokens kept", "% of tokens", "% asked"]
    manifest = stage.close(
        sources=found,
        tokens=total,
        tokenizer=config.tokenizer,
        tokenizer_hash=tokenizer_fingerprint(open_tokenizer(config.tokenizer)),
        tables=[{"title": "", "header": header, "rows": rows}],
    )
    shutil.rmtree(stage.folder / "between", ignore_errors=True)
    return manifest
