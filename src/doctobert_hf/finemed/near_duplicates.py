"""Near-duplicates: what MinHash brings together is compared before anything is dropped.

MinHash (datatrove) finds candidates; it reads every number as one, and joins what is near to
chains. Here a document is dropped only where one that is kept has nearly the same word sequences
and the same numbers; the exclusion names it. The first of a group in the input's order stays.
"""

from __future__ import annotations

import heapq
import sqlite3
import struct
import zlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep

from doctobert_hf.finemed.reading import PartsReader
from doctobert_hf.finemed.words import ngrams, plain, plain_words, values

if TYPE_CHECKING:
    from doctobert_hf.finemed.config import CleanConfig
    from doctobert_hf.finemed.writing import Exclusions

COLUMN = "near_duplicates"
CLUSTER = ("cluster_id", "cluster_size", "cluster_rank")
"""Columns of marked documents: the document that stands for the cluster, how many the cluster has,
and the place in it, 0 for the one that stands for it."""
SAME_NUMBERS = 0.8
"""Share of two texts' numbers that are the same; a form filled in otherwise is another document."""
Place = tuple[int, int]
"""Part and number of a document in it."""


@dataclass(frozen=True)
class Signature:
    """What of a text is compared.

    Attributes:
        shingles: Its sequences of words.
        numbers: Its numbers and signs (:func:`.words.values`), with their counts.
    """

    shingles: frozenset[str]
    numbers: Counter[str]

    @classmethod
    def of(cls, text: str, words: int) -> Signature:
        """Read a text; one of fewer words is one shingle."""
        tokens = plain_words(text)
        shingles = frozenset(ngrams(tokens, min(words, max(1, len(tokens)))))
        return cls(shingles, Counter(values(plain(text))))

    def sketch(self) -> list[int]:
        """Return the 16 smallest hashes of the shingles: near texts share most of them."""
        return heapq.nsmallest(16, (zlib.crc32(shingle.encode()) for shingle in self.shingles))

    def is_near(self, other: Signature, similarity: float) -> bool:
        """Return whether two texts share so many of their shingles, and their numbers."""
        common = len(self.shingles & other.shingles)
        union = len(self.shingles) + len(other.shingles) - common
        return common >= similarity * union and self.same_numbers(other)

    def same_numbers(self, other: Signature) -> bool:
        """Return whether nearly all numbers of both are the same."""
        most = max(self.numbers.total(), other.numbers.total())
        return (self.numbers & other.numbers).total() >= SAME_NUMBERS * most


class Verify(PipelineStep):
    """datatrove step that decides which candidates are dropped, and for which twin.

    Args:
        source: Folder of the documents, in parts.
        buckets: Folder of MinHash's candidate pairs.
        decisions: SQLite file that receives ``dropped`` and ``sizes``.
        config: ``shingle_words``, ``similarity`` and ``tasks``.
    """

    name = "verify near-duplicates"
    type = "FineMed"

    def __init__(self, source: str, buckets: str, decisions: str, config: CleanConfig) -> None:
        super().__init__()
        self.source, self.buckets, self.decisions, self.config = source, buckets, decisions, config

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> None:
        """Compare each document with those before it that MinHash found near."""
        path = Path(self.decisions)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        before = candidates_of(self.buckets)
        table = sqlite3.connect(path, isolation_level=None)
        try:
            for statement in (
                "PRAGMA journal_mode=OFF",
                "PRAGMA synchronous=OFF",
                "CREATE TABLE texts (part, number, id, text, PRIMARY KEY (part, number))",
                "CREATE TABLE dropped (part, number, twin, twin_part, twin_number, rank, "
                "PRIMARY KEY (part, number))",
                "CREATE TABLE sizes (part, number, size, PRIMARY KEY (part, number))",
            ):
                table.execute(statement)
            self._gather(before.keys(), table)
            self._decide(before, table)
            table.execute("DROP TABLE texts")
        finally:
            table.close()

    def _gather(self, wanted: Collection[Place], table: sqlite3.Connection) -> None:
        for part in range(self.config.tasks):
            documents = PartsReader(self.source).run(None, part, self.config.tasks)
            for number, document in enumerate(documents):
                if (part, number) in wanted:
                    row = (part, number, document.id, document.text)
                    table.execute("INSERT INTO texts VALUES (?, ?, ?, ?)", row)

    def _decide(self, before: dict[Place, set[Place]], table: sqlite3.Connection) -> None:
        twins: dict[Place, Place] = {}  # of those that are dropped
        sizes: Counter[Place] = Counter()

        @lru_cache(maxsize=4096)
        def read(place: Place) -> tuple[str, Signature]:
            found = table.execute("SELECT id, text FROM texts WHERE part=? AND number=?", place)
            name, text = found.fetchone()
            return name, Signature.of(text, self.config.shingle_words)

        sketches = _Sketches()
        for place in sorted(before):
            mine = read(place)[1]
            # Where a neighbour was dropped, what it was dropped for stands for it.
            near = {twins.get(neighbour, neighbour) for neighbour in before[place]}
            sketch = mine.sketch()
            for other in sorted(near | sketches.nearest(sketch)):
                self.stat_update("compared")
                name, theirs = read(other)
                if mine.is_near(theirs, self.config.similarity):
                    twins[place] = other
                    sizes[other] += 1
                    row = (*place, name, *other, sizes[other])
                    table.execute("INSERT INTO dropped VALUES (?, ?, ?, ?, ?, ?)", row)
                    break
            else:
                sketches.add(sketch, place)
        for place, size in sizes.items():
            table.execute("INSERT INTO sizes VALUES (?, ?, ?)", (*place, size))


class _Sketches:
    """Kept documents by what their signatures begin with, their numbers read as they are.

    MinHash pairs only neighbours of equal signatures: among reports that differ in their numbers
    alone, the one that is really the same may stand anywhere.
    """

    _LONGEST, _NEAREST = 64, 16  # holders of one shingle, and documents, that are looked at

    def __init__(self) -> None:
        self._holders: dict[int, list[Place]] = defaultdict(list)

    def add(self, sketch: list[int], place: Place) -> None:
        for value in sketch:
            if len(self._holders[value]) < self._LONGEST:
                self._holders[value].append(place)

    def nearest(self, sketch: list[int]) -> set[Place]:
        shared: Counter[Place] = Counter()
        for value in sketch:
            shared.update(self._holders.get(value, ()))
        return {place for place, _ in shared.most_common(self._NEAREST)}


def candidates_of(buckets: str) -> dict[Place, set[Place]]:
    """Return for each document of MinHash's pairs those before it that it is paired with."""
    from datatrove.io import get_datafolder

    before: dict[Place, set[Place]] = defaultdict(set)
    folder = get_datafolder(buckets)
    for name in sorted(folder.list_files(glob_pattern="*.dups")):
        with folder.open(name, "rb") as pairs:
            while block := pairs.read(16 << 16):
                for first, one, second, other in struct.iter_unpack("<4I", block):
                    a, b = sorted(((first, one), (second, other)))
                    before[b].add(a)
                    before.setdefault(a, set())
    return before


class NearDuplicates(PipelineStep):
    """datatrove step that drops, or marks, what :class:`Verify` found.

    Args:
        decisions: Its SQLite file.
        exclusions: Where near-duplicates go, with the twin that stays.
        column: Whether to add how many near-duplicates a document stands for.
        mark: Whether to keep all, each with the columns of :data:`CLUSTER`.
    """

    name = "near-duplicates"
    type = "FineMed"

    def __init__(
        self, decisions: str, exclusions: Exclusions, column: bool = False, mark: bool = False
    ) -> None:
        super().__init__()
        self.decisions, self.exclusions = decisions, exclusions
        self.column, self.mark = column, mark

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield what stays."""
        again, sizes = self._read(rank)
        with self.exclusions.writer("minhash", rank) as excluded:
            for number, document in enumerate(data):
                twin = again.get(number)
                if self.mark:
                    alone = (document.id, 1 + sizes.get(number, 0), 0)
                    document.metadata |= dict(zip(CLUSTER, twin or alone, strict=True))
                elif twin is not None:
                    excluded.write(document.id, "near-duplicate", document.text, of=twin[0])
                    continue
                if self.column:
                    document.metadata[COLUMN] = sizes.get(number, 0)
                yield document

    def _read(self, part: int) -> tuple[dict[int, tuple[str, int, int]], dict[int, int]]:
        """Return a part's near-duplicates, with their cluster, and how many others stand for."""
        place = Path(self.decisions).absolute().as_uri()
        table = sqlite3.connect(f"{place}?mode=ro", uri=True)
        try:
            query = (
                "SELECT d.number, d.twin, s.size + 1, d.rank FROM dropped d JOIN sizes s "
                "ON s.part = d.twin_part AND s.number = d.twin_number WHERE d.part=?"
            )
            again = {number: tuple(row) for number, *row in table.execute(query, (part,))}
            query = "SELECT number, size FROM sizes WHERE part=?"
            return again, dict(table.execute(query, (part,)).fetchall())
        finally:
            table.close()
