"""Near-duplicates: what MinHash brings together is compared before anything is dropped.

MinHash (datatrove) finds candidates; it reads every number as one, and joins what is near to
chains. Here a document is dropped only where one that is kept has nearly the same word sequences
and the same numbers; the exclusion names it. The first of a group in the input's order stays.
"""

from __future__ import annotations

import sqlite3
import struct
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep

from doctobert_hf.corpus.columnar import record_batches
from doctobert_hf.finemed.progress import PartCount
from doctobert_hf.finemed.signature import Signature

if TYPE_CHECKING:
    from doctobert_hf.finemed.writing import Exclusions

COLUMN = "near_duplicates"
CLUSTER = ("cluster_id", "cluster_size", "cluster_rank")
"""Columns of marked documents: the document that stands for the cluster, how many the cluster has,
and the place in it, 0 for the one that stands for it."""
_BATCH = 256
"""Candidates that are written at once."""
Place = tuple[int, int]
"""Part and number of a document in it."""


class Candidates(PipelineStep):
    """datatrove step that writes what is compared of the documents that MinHash found near others.

    Args:
        buckets: Folder of MinHash's candidate pairs.
        folder: Where: a file for each part.
        words: Words of a sequence.
    """

    name = "candidates for near-duplicates"
    type = "FineMed"

    def __init__(self, buckets: str, folder: str, words: int) -> None:
        super().__init__()
        self.buckets, self.folder, self.words = buckets, folder, words

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> None:
        """Read the part."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        wanted = {
            number for pair in pairs_of(self.buckets) for part, number in pair if part == rank
        }
        schema = pa.schema({"number": pa.uint32(), "id": pa.string(), "signature": pa.binary()})
        path = Path(self.folder) / f"{rank:05d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(path, schema, compression="none") as writer:
            rows = (
                (number, document.id, Signature.of(document.text, self.words).pack())
                for number, document in enumerate(data)
                if number in wanted
            )
            while batch := list(islice(rows, _BATCH)):
                columns = [pa.array(values, item.type) for values, item in zip(zip(*batch), schema)]
                writer.write_batch(pa.record_batch(columns, schema))


class Verify(PipelineStep):
    """datatrove step that decides which candidates are dropped, and for which twin.

    Args:
        candidates: Folder of what is compared of them, by :class:`Candidates`.
        buckets: Folder of MinHash's candidate pairs.
        decisions: SQLite file that receives ``dropped`` and ``sizes``.
        similarity: Least share of equal sequences of words.
        progress: Where its progress is counted.
    """

    name = "verify near-duplicates"
    type = "FineMed"

    def __init__(
        self, candidates: str, buckets: str, decisions: str, similarity: float, progress: Path
    ) -> None:
        super().__init__()
        self.candidates, self.buckets, self.decisions = candidates, buckets, decisions
        self.similarity, self.progress = similarity, progress

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
                "CREATE TABLE candidates (part, number, id, signature, PRIMARY KEY (part, number))",
                "CREATE TABLE dropped (part, number, twin, twin_part, twin_number, rank, "
                "PRIMARY KEY (part, number))",
                "CREATE TABLE sizes (part, number, size, PRIMARY KEY (part, number))",
            ):
                table.execute(statement)
            self._gather(table)
            self._decide(before, table)
            table.execute("DROP TABLE candidates")
        finally:
            table.close()

    def _gather(self, table: sqlite3.Connection) -> None:
        for path in sorted(Path(self.candidates).glob("*.parquet")):
            for batch in record_batches(path):
                rows = ((int(path.stem), *row) for row in zip(*batch.to_pydict().values()))
                table.executemany("INSERT INTO candidates VALUES (?, ?, ?, ?)", rows)

    def _decide(self, before: dict[Place, set[Place]], table: sqlite3.Connection) -> None:
        twins: dict[Place, Place] = {}  # of those that are dropped
        sizes: Counter[Place] = Counter()

        @lru_cache(maxsize=4096)
        def read(place: Place) -> tuple[str, Signature]:
            query = "SELECT id, signature FROM candidates WHERE part=? AND number=?"
            name, packed = table.execute(query, place).fetchone()
            return name, Signature.unpack(packed)

        sketches = _Sketches()
        count = PartCount(self.progress, "verify", len(before))
        for place in sorted(before):
            count.update()
            mine = read(place)[1]
            # Where a neighbour was dropped, what it was dropped for stands for it.
            near = {twins.get(neighbour, neighbour) for neighbour in before[place]}
            sketch = mine.sketch()
            for other in sorted(near | sketches.nearest(sketch)):
                self.stat_update("compared")
                name, theirs = read(other)
                if mine.is_near(theirs, self.similarity):
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

    _LONGEST, _NEAREST = 512, 16  # holders of one shingle, and documents, that are looked at

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


def pairs_of(buckets: str) -> Iterator[tuple[Place, Place]]:
    """Yield MinHash's pairs, the one that comes first in the input first."""
    from datatrove.io import get_datafolder

    folder = get_datafolder(buckets)
    for name in sorted(folder.list_files(glob_pattern="*.dups")):
        with folder.open(name, "rb") as pairs:
            while block := pairs.read(16 << 16):
                for first, one, second, other in struct.iter_unpack("<4I", block):
                    a, b = sorted(((first, one), (second, other)))
                    yield a, b


def candidates_of(buckets: str) -> dict[Place, set[Place]]:
    """Return for each document of MinHash's pairs those before it that it is paired with."""
    before: dict[Place, set[Place]] = defaultdict(set)
    for a, b in pairs_of(buckets):
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
