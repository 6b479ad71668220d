"""A part of an index: files that were written together, and are opened by memory map."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.retrieval.identity import check_encodes
from doctobert_hf.retrieval.passage_table import PassageTable
from doctobert_hf.retrieval.vectors import Vectors
from doctobert_hf.runs.record import sha256

if TYPE_CHECKING:
    import pyarrow as pa

_TRIED = 64  # passages, of which the shortest tells whether a model is read as it was
_EDGE = 2**16  # bytes at both ends of a large file that are hashed when it is opened


@dataclass
class Piece:
    """Files that were written together.

    Attributes:
        name: Folder they stand in, below ``parts``, ``words`` or ``engine``.
        files: Of each ``bytes`` and ``sha256``; of a large one ``sha256_ends`` too, of its first
            and last 64 KiB, which is what is compared whenever the index is opened.
        documents: Number of documents, of a part.
        passages: Number of passages, of a part.
    """

    name: str
    files: dict[str, dict[str, Any]]
    documents: int = 0
    passages: int = 0


@dataclass
class Part:
    """A part that is open.

    Attributes:
        documents: See :func:`.encoding.document_table`.
        passages: Its passages; documents are counted from 0.
        vectors: Theirs, mapped from the file.
    """

    documents: pa.Table
    passages: PassageTable
    vectors: Vectors | None

    def check(self, model: Any, where: str) -> None:
        """Check that a model makes this part's vectors, by its shortest passage of the first ones.

        In a short one a prompt weighs most.

        Raises:
            DataError: It makes others.
        """
        if self.vectors is None:
            return
        passages = self.passages[:_TRIED]
        number = min(range(len(passages)), key=lambda n: len(passages[n].text))
        [block] = self.vectors.blocks
        begin, end = number, number + 1
        if self.vectors.is_late:
            bounds = np.append(self.vectors.offsets[0], len(block))
            begin, end = bounds[number], bounds[number + 1]
        check_encodes(model, passages[number].text, block[begin:end], where)

    def without(self, places: set[int]) -> Part:
        """Return the part without some of its documents, by number."""
        import pyarrow as pa

        kept = np.array([n not in places for n in range(self.documents.num_rows)], bool)
        chosen = kept[self.passages.documents]
        numbers = np.cumsum(kept) - 1
        table = self.passages.table.filter(pa.array(chosen))
        renumbered = pa.array(numbers[self.passages.documents[chosen]], pa.int64())
        passages = PassageTable(table.set_column(0, "document", renumbered))
        documents = self.documents.filter(pa.array(kept))
        if self.vectors is None:
            return Part(documents, passages, None)
        [block] = self.vectors.blocks
        if not self.vectors.is_late:
            return Part(documents, passages, Vectors([block[chosen]]))
        [begin] = self.vectors.offsets
        counts = np.diff(np.append(begin, len(block)))
        tokens = block[np.repeat(chosen, counts)]
        lengths = counts[chosen]
        offsets = np.cumsum([0, *lengths[:-1]], dtype=np.int64)[: len(lengths)]
        return Part(documents, passages, Vectors([tokens], [offsets]))


def open_part(folder: Path, piece: Piece, kind: str) -> Part:
    """Open a part by memory map, after a look at whether its files are those that were written.

    Raises:
        DataError: They are not.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = folder / "parts" / piece.name
    check_files(place, piece)
    try:
        passages = pa.ipc.open_file(pa.memory_map(str(place / "passages.arrow"))).read_all()
        vectors = None
        if kind != "bm25":
            block = np.load(place / "vectors.npy", mmap_mode="r")
            late = kind == "late-interaction"
            vectors = Vectors([block], [np.load(place / "offsets.npy")] if late else [])
            if len(vectors) != passages.num_rows:
                raise ValueError(f"{len(vectors):,} vectors for {passages.num_rows:,} passages")
        documents = pq.read_table(place / "documents.parquet")
    except (pa.ArrowInvalid, ValueError) as error:
        raise DataError(f"The part '{place}' is damaged ({error})", fix=_ANEW) from error
    return Part(documents, PassageTable(passages), vectors)


_ANEW = "Put the right file back, or index the documents anew"


def check_files(place: Path, piece: Piece, whole: bool = False) -> None:
    """Raise where files are not those that were written.

    Args:
        place: The piece's folder.
        piece: What was written.
        whole: Read large files through too. Before they are copied into a new part, which would
            else make damage in their middle look right.

    Raises:
        DataError: One is missing, or another.
    """
    for name, known in piece.files.items():
        path = place / name
        if not path.is_file():
            raise DataError(f"'{path}' is missing", "every file of the index", _ANEW)
        if not _is_same(path, known, whole):
            raise DataError(
                f"'{path}' is not the file the index was made with",
                f"{known['bytes']:,} bytes and the hash that index.json has",
                _ANEW,
            )


def described(path: Path) -> dict[str, Any]:
    """Return what tells a file from another."""
    about = {"bytes": path.stat().st_size, "sha256": sha256(path)}
    return {**about, "sha256_ends": _hash_of_ends(path)} if _is_large(path) else about


def _is_same(path: Path, known: dict[str, Any], whole: bool) -> bool:
    if path.stat().st_size != known["bytes"]:
        return False
    if not _is_large(path):
        return sha256(path) == known["sha256"]
    # Version 0.2's first indexes have of a large file the ends' hash only, as sha256.
    ends = known.get("sha256_ends", known["sha256"])
    if _hash_of_ends(path) != ends:
        return False
    return not whole or "sha256_ends" not in known or sha256(path) == known["sha256"]


def _is_large(path: Path) -> bool:
    return path.stat().st_size > 2 * _EDGE and path.suffix != ".parquet"


def _hash_of_ends(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256(file.read(_EDGE))
        file.seek(-_EDGE, os.SEEK_END)
        digest.update(file.read())
    return digest.hexdigest()


def write_piece(folder: Path, kind: str, name: str, write: Any) -> Piece:
    """Write files into ``folder/kind/name``, which appears whole or not at all."""
    from doctobert_hf.runs.check import SCRATCH

    scratch = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=folder))
    try:
        write(scratch)
        files = {path.name: described(path) for path in sorted(scratch.iterdir())}
        target = folder / kind / name
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            raise UsageError(
                f"'{target}' is in the way, and the index does not know it",
                "a place for a new part",
                "Move it away",
            )
        os.replace(scratch, target)
    finally:
        from doctobert_hf.runs.publish import remove_tree

        remove_tree(scratch)
    return Piece(name, files)


def remove_piece(place: Path, piece: Piece) -> None:
    """Remove the files of a piece that no index names any longer; nobody else's."""
    for name in piece.files:
        (place / piece.name / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        (place / piece.name).rmdir()
