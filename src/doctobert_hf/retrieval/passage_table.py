"""Many passages as columns: opened by memory map, made into objects only where one is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from doctobert_hf.retrieval.chunks import Passage

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


class PassageTable(Sequence[Passage]):
    """Passages in document order.

    Args:
        table: Columns ``document`` (its number), ``start``, ``end`` (characters) and ``text``.

    Example:
        >>> table = PassageTable.of([Passage(0, 0, 5, "Texte")])
        >>> table[0].text, table.starts.tolist()
        ('Texte', [0])
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.documents: NDArray[np.int64] = table["document"].to_numpy()
        self._start, self._end = table["start"].to_numpy(), table["end"].to_numpy()
        self._text = table["text"]

    @classmethod
    def of(cls, passages: Iterable[Passage]) -> PassageTable:
        """Make a table of passages."""
        import pyarrow as pa

        rows = list(passages)
        numbers = {
            name: pa.array([getattr(row, name) for row in rows], pa.int64())
            for name in ("document", "start", "end")
        }
        return cls(
            pa.table(numbers | {"text": pa.array([r.text for r in rows], pa.large_string())})
        )

    @classmethod
    def joined(cls, parts: Sequence[PassageTable], documents: Sequence[int]) -> PassageTable:
        """Put the passages of parts one behind the other.

        Args:
            parts: The parts.
            documents: Number of documents of each part: their numbers go on from part to part.
        """
        import pyarrow as pa

        base = np.cumsum([0, *documents[:-1]])
        tables = [
            part.table.set_column(0, "document", pa.array(part.documents + first, pa.int64()))
            for part, first in zip(parts, base, strict=True)
        ]
        return parts[0] if len(parts) == 1 else cls(pa.concat_tables(tables))

    @property
    def starts(self) -> NDArray[np.int64]:
        """Index of each document's first passage."""
        return np.flatnonzero(np.diff(self.documents, prepend=-1))

    @property
    def texts(self) -> list[str]:
        """The passages' texts."""
        return self._text.to_pylist()

    def __len__(self) -> int:
        return self.table.num_rows

    @overload
    def __getitem__(self, place: int) -> Passage: ...
    @overload
    def __getitem__(self, place: slice) -> list[Passage]: ...
    def __getitem__(self, place: Any) -> Any:
        """Return one passage, or a list of them."""
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        number = range(len(self))[int(place)]  # of negative ones too; IndexError behind the end
        return Passage(
            int(self.documents[number]),
            int(self._start[number]),
            int(self._end[number]),
            self._text[number].as_py(),
        )

    def __iter__(self) -> Iterator[Passage]:
        for batch in self.table.to_batches(max_chunksize=1024):
            yield from (Passage(**row) for row in batch.to_pylist())
