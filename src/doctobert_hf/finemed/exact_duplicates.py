"""Exact duplicates, over parts: digests of the texts, the first of each, and what repeats it.

Texts are equal but for case, punctuation and white space; signs that belong to values are no
punctuation. Digests are split by their value, so that each piece of them is compared alone and
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
    from doctobert_hf.finemed.writing import Exclusions

_LEAST_PIECES = 16
"""A sixteenth of 50 million documents' digests and ids is some 300 MB."""


def pieces_of(tasks: int) -> int:
    """Return how many pieces the digests of so many parts are split into."""
    return max(tasks, _LEAST_PIECES)


def digest_of(text: str) -> tuple[int, int]:
    """Return 128 bits of what counts of a text, as two numbers.

    Example:
        >>> digest_of("Fièvre - toux.") == digest_of("FIÈVRE : toux")
        True
        >>> digest_of("VIH +") == digest_of("VIH -")
        False
    """
    # NFKC: the micro sign in capitals is a Greek letter.
    same = unicodedata.normalize("NFKC", text)
    # "VIH +" and "VIH -", "< 3,5" and "> 3,5" have the same words.
    found = words(same)
    plain = " ".join([*found, "", *values(same)]) if found else text
    digest = hashlib.blake2b(plain.encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big")


class Digests(PipelineStep):
    """datatrove step that writes the digests of a part's documents, a file for each piece.

    Args:
        folder: Where.
        pieces: Number of pieces.
    """

    name = "digests"
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
            high, low = digest_of(document.text)
            rows[high % self.pieces].append((high, low, number, document.id))
        types = (pa.uint64(), pa.uint64(), pa.uint32(), pa.large_string())
        for piece, found in enumerate(rows):
            columns = zip(*found) if found else ((), (), (), ())
            arrays = [pa.array(list(c), t) for c, t in zip(columns, types, strict=True)]
            path = Path(self.folder) / f"{piece:05d}" / f"{rank:05d}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.table(arrays, ["high", "low", "number", "id"]), path)


class Repeats(PipelineStep):
    """datatrove step that finds in a piece of the digests which documents repeat an earlier one.

    Args:
        digests: Folder of :class:`Digests`.
        folder: Where to, a folder for each part.
    """

    name = "repeats"
    type = "FineMed"

    def __init__(self, digests: str, folder: str) -> None:
        super().__init__()
        self.digests, self.folder = digests, folder

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> None:
        """Compare a piece."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        files = sorted((Path(self.digests) / f"{rank:05d}").glob("*.parquet"))
        tables = [pq.read_table(path) for path in files]
        if not tables:
            return  # no part had a document
        parts = np.repeat(np.arange(len(files)), [len(table) for table in tables])
        table = pa.concat_tables(tables)
        high, low, number = (table[name].to_numpy() for name in ("high", "low", "number"))
        order = np.lexsort((number, parts, low, high))  # the first of a group is the first read
        high, low = high[order], low[order]
        begins = np.ones(len(order), bool)
        begins[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
        first = order[np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))]
        again, of = order[~begins], first[~begins]
        for part in range(len(files)):
            mine = parts[again] == part
            found = {"number": number[again[mine]], "of": table["id"].take(of[mine])}
            path = Path(self.folder) / f"{part:05d}" / f"{rank:05d}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.table(found), path)


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
        import pyarrow.parquet as pq

        dropped: dict[int, str] = {}
        for path in sorted((Path(self.repeats) / f"{rank:05d}").glob("*.parquet")):
            found = pq.read_table(path)
            dropped.update(zip(found["number"].to_pylist(), found["of"].to_pylist(), strict=True))
        with self.exclusions.writer("exact", rank) as excluded:
            for number, document in enumerate(data):
                if number in dropped:
                    of = dropped[number]
                    excluded.write(document.id, "exact duplicate", document.text, of=of)
                else:
                    yield document
