"""Exact duplicates, over parts: fingerprints of the texts, the first of each, and what repeats it.

Texts are equal but for case, punctuation and white space; signs that belong to values are no
punctuation. Fingerprints are split by their value, so that each piece of them is compared alone and
memory does not grow with the corpus. datatrove's own exact deduplication works alike, but does not
say of which document another is the copy.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep

from doctobert_hf.finemed.words import values, words

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from doctobert_hf.finemed.writing import Exclusions

_LEAST_PIECES, _MOST_PIECES = 16, 128
"""A sixteenth of 50 million documents' fingerprints and ids is some 300 MB."""


def pieces_of(tasks: int) -> int:
    """Return how many pieces the fingerprints of so many parts are split into."""
    return min(max(tasks, _LEAST_PIECES), _MOST_PIECES)


def fingerprint_of(text: str) -> tuple[int, int]:
    """Return 128 bits of what counts of a text, as two numbers.

    Example:
        >>> fingerprint_of("Fièvre - toux.") == fingerprint_of("FIÈVRE : toux")
        True
        >>> fingerprint_of("VIH +") == fingerprint_of("VIH -")
        False
    """
    # NFKC: the micro sign in capitals is a Greek letter.
    same = unicodedata.normalize("NFKC", text)
    # "VIH +" and "VIH -", "< 3,5" and "> 3,5" have the same words.
    found = words(same)
    plain = " ".join([*found, "", *values(same)]) if found else text
    digest = hashlib.blake2b(plain.encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big")


class Fingerprints(PipelineStep):
    """datatrove step that writes a part's fingerprints of documents, a row group for each piece.

    Not a file for each: of a thousand parts there would be as many as a cluster allows at all.

    Args:
        folder: Where.
        pieces: Number of pieces.
    """

    name = "fingerprints"
    type = "FineMed"

    def __init__(self, folder: str, pieces: int) -> None:
        super().__init__()
        self.folder, self.pieces = folder, pieces

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> None:
        """Read the part."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows: list[list[tuple[int, int, int, str]]] = [[] for _ in range(self.pieces)]
        for number, document in enumerate(data):
            high, low = fingerprint_of(document.text)
            rows[high % self.pieces].append((high, low, number, document.id))
        types = (pa.uint64(), pa.uint64(), pa.uint32(), pa.large_string())
        schema = pa.schema(list(zip(("high", "low", "number", "id"), types, strict=True)))
        with pq.ParquetWriter(_file(self.folder, rank), schema) as file:
            for found in rows:
                columns = zip(*found) if found else ((), (), (), ())
                arrays = [pa.array(list(c), t) for c, t in zip(columns, types, strict=True)]
                _write_group(file, pa.table(arrays, schema=schema))


class Repeats(PipelineStep):
    """datatrove step that finds in a piece of the fingerprints which documents repeat another.

    Args:
        fingerprints: Folder of :class:`Fingerprints`.
        folder: Where to, a file with a row group for each part.
    """

    name = "repeats"
    type = "FineMed"

    def __init__(self, fingerprints: str, folder: str) -> None:
        super().__init__()
        self.fingerprints, self.folder = fingerprints, folder

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> None:
        """Compare a piece."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        tables = _groups(self.fingerprints, rank)
        if not tables:
            return  # no part had a document
        parts = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
        table = pa.concat_tables(tables)
        high, low, number = (table[name].to_numpy() for name in ("high", "low", "number"))
        order = np.lexsort((number, parts, low, high))  # the first of a group is the first read
        high, low = high[order], low[order]
        begins = np.ones(len(order), bool)
        begins[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
        first = order[np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))]
        again, of = order[~begins], first[~begins]
        schema = pa.schema([("number", pa.uint32()), ("of", pa.large_string())])
        with pq.ParquetWriter(_file(self.folder, rank), schema) as file:
            for part in range(len(tables)):
                mine = parts[again] == part
                found = {"number": number[again[mine]], "of": table["id"].take(of[mine])}
                _write_group(file, pa.table(found, schema=schema))


class ExactDuplicates(PipelineStep):
    """datatrove step that drops what :class:`Repeats` found; the first of a group is kept.

    Args:
        repeats: Folder of :class:`Repeats`.
        exclusions: Where duplicates go, with the id of the text they repeat.
    """

    name = "exact duplicates"
    type = "FineMed"

    def __init__(self, repeats: str, exclusions: Exclusions) -> None:
        super().__init__()
        self.repeats, self.exclusions = repeats, exclusions

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield each distinct text once."""
        dropped: dict[int, str] = {}
        for found in _groups(self.repeats, rank):
            dropped.update(zip(found["number"].to_pylist(), found["of"].to_pylist(), strict=True))
        with self.exclusions.writer("exact", rank) as excluded:
            for number, document in enumerate(data):
                if number in dropped:
                    of = dropped[number]
                    excluded.write(document.id, "exact duplicate", document.text, of=of)
                else:
                    yield document


def _file(folder: str, rank: int) -> Path:
    path = Path(folder) / f"{rank:05d}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write_group(file: pq.ParquetWriter, table: pa.Table) -> None:
    """Write a table as one row group, whatever its length; of an empty one too."""
    file.write_table(table, row_group_size=max(1, len(table)))


def _groups(folder: str, number: int) -> list[pa.Table]:
    """Read a row group of each file of a step, the files in the order of their parts."""
    import pyarrow.parquet as pq

    found = []
    for path in sorted(Path(folder).glob("*.parquet")):
        with pq.ParquetFile(path) as file:
            found.append(file.read_row_group(number))
    return found
