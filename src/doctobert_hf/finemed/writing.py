"""Writing a stage's documents and what it leaves out, part by part.

A part that is run again writes the same files over those it left, so nothing occurs twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatrove.pipeline.writers.parquet import ParquetWriter
from loguru import logger

if TYPE_CHECKING:
    import pyarrow as pa
    from datatrove.data import Document

if "SLURM_JOB_ID" not in os.environ:
    logger.disable("datatrove")  # its progress on stderr; errors reach the caller by themselves
_SHARD_BYTES = 512 * 2**20
_EXCERPT = 300


class TableWriter(ParquetWriter):
    """Writes documents as Parquet with declared columns, those of no declared name left out.

    Args:
        folder: Where; files are named by part.
        schema: Columns beside ``id`` and ``text``.
        shard_bytes: Size at which another file is begun.
    """

    def __init__(self, folder: str, schema: pa.Schema, shard_bytes: int = _SHARD_BYTES) -> None:
        import pyarrow as pa

        columns = pa.schema([pa.field("id", pa.string()), pa.field("text", pa.large_string())])
        whole = pa.schema([*columns, *schema])
        super().__init__(
            folder,
            "${rank}.parquet",
            schema=whole,
            compression="zstd",
            batch_size=64,
            max_file_size=shard_bytes,
            adapter=_row,
        )


def _row(self: TableWriter, document: Document) -> dict[str, Any]:
    names = self.schema.names
    metadata = {key: value for key, value in document.metadata.items() if key in names}
    return {**metadata, "id": document.id, "text": document.text}


@dataclass(frozen=True)
class Exclusions:
    """The exclusion files of a stage: ``excluded/STEP-PART.jsonl``.

    Attributes:
        folder: ``excluded`` in the stage's folder.
    """

    folder: str

    @contextmanager
    def writer(self, step: str, rank: int) -> Iterator[ExclusionWriter]:
        """A step's file of a part; there only if something was excluded."""
        writer = ExclusionWriter(Path(self.folder) / f"{step}-{rank:05d}.jsonl", step)
        try:
            yield writer
        finally:
            writer.close()

    def counts(self, step: str = "*") -> dict[str, int]:
        """Documents excluded, by reason; of one step if it is named."""
        found: dict[str, int] = {}
        for path in sorted(Path(self.folder).glob(f"{step}-*.jsonl")):
            with path.open(encoding="utf-8") as lines:
                for line in lines:
                    reason = json.loads(line)["reason"]
                    found[reason] = found.get(reason, 0) + 1
        return found


def excerpt(text: str) -> str:
    """Return a text's beginning, with personal data masked: it may leave where the text may not.

    Example:
        >>> excerpt("Mme Petit, 54 ans.")
        'Mme |||PATIENT_NAME|||, 54 ans.'
    """
    from doctobert_hf.finemed.masking import deidentify

    # More than is kept: what the cut goes through is personal data all the same.
    return deidentify(text[: 2 * _EXCERPT].encode("utf-8", "replace").decode())[0][:_EXCERPT]


class ExclusionWriter:
    """Writes excluded documents: id, reason, step, length and beginning, personal data masked."""

    def __init__(self, path: Path, step: str) -> None:
        self.path, self.step = path, step
        path.unlink(missing_ok=True)  # of a part that was stopped
        self._file: Any = None

    def write(self, identity: str, reason: str, text: str, **more: Any) -> None:
        """Write one document.

        Args:
            identity: Its id.
            reason: Why, as a word.
            text: Its text, of which the beginning is kept.
            more: What else explains it.
        """
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", encoding="utf-8")
        beginning = excerpt(text)
        row = {"id": identity, "reason": reason, "step": self.step, **more}
        row |= {"characters": len(text), "text": beginning}
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
