"""Parquet and Arrow files: batches of rows, types, numbers of rows, without reading more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.corpus.opening import File, ending_of, unreadable
from doctobert_hf.errors import DataError, nearest

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

COLUMNAR = (".parquet", ".arrow")
"""Endings of files with typed columns; ``.arrow`` are those of ``Dataset.save_to_disk``."""
BATCH = 64
"""Rows read at once: documents may be long."""
_END = b"\0\0\0\0"


def is_columnar(path: File) -> bool:
    """Return whether a file has typed columns, by its ending."""
    return ending_of(path) in COLUMNAR


def record_batches(path: File, size: int = BATCH) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a Parquet or Arrow file in batches.

    Args:
        path: The file.
        size: Rows of a batch, at most.

    Raises:
        UnreadableFile: It is cut short or damaged, or another file.
        DataError: Two columns have one name, of which a row would lose one.

    Example:
        >>> from pathlib import Path
        >>> [batch.num_columns for batch in record_batches(Path("documents.parquet"))]
        [2]
    """
    if ending_of(path) == ".arrow":
        yield from _arrow_batches(path, size)
        return
    with whole_file(path, "a readable Parquet file"), opened_parquet(path) as file:
        _named_once(path, file.schema_arrow)
        yield from file.iter_batches(batch_size=size)


def batch_rows(path: File, batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return the rows of a batch.

    Raises:
        UnreadableFile: A string in it is damaged.
    """
    try:
        rows: list[dict[str, Any]] = batch.to_pylist()
    except UnicodeDecodeError as error:
        raise unreadable(path, "of strings in UTF-8", error) from error
    return rows


def schema_of(path: File) -> pa.Schema:
    """Return the columns of a Parquet or Arrow file.

    Raises:
        UnreadableFile: It is none.
        DataError: Two columns have one name.
    """
    if ending_of(path) == ".arrow":
        import pyarrow as pa

        with (
            whole_file(path, "a readable Arrow file"),
            path.open("rb") as raw,
            pa.ipc.open_stream(raw) as stream,
        ):
            return _named_once(path, stream.schema).remove_metadata()
    with opened_parquet(path) as file:
        return _named_once(path, file.schema_arrow).remove_metadata()


def count_rows(paths: Iterable[File]) -> int | None:
    """Add up the rows of Parquet files, from their footers; None where there are others.

    A file that cannot be read counts as one of those: what is wrong is told when it is read.
    """
    total = 0
    for path in paths:
        if ending_of(path) != ".parquet":
            return None
        try:
            with opened_parquet(path) as file:
                total += file.metadata.num_rows
        except (DataError, OSError):
            return None
    return total


@contextmanager
def opened_parquet(path: File) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file.

    Raises:
        UnreadableFile: It is none.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with path.open("rb") as raw:
        # By its name where it has one: Arrow's own reader of files is faster than Python's.
        source = path if isinstance(path, Path) else raw
        try:
            file = pq.ParquetFile(source)
        except (pa.ArrowInvalid, OSError) as error:
            raise unreadable(path, "a readable Parquet file", error) from error
        with file:
            yield file


@contextmanager
def open_parquet(path: File, text_column: str) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file that has a column.

    Raises:
        DataError: It is none, or has not.
    """
    with opened_parquet(path) as file:
        columns = file.schema_arrow.names
        if text_column not in columns:
            raise DataError(
                f"'{path}' has the columns {', '.join(columns)}",
                f"a column '{text_column}' with the text",
                f"Name yours (text_column=..., --text-column ...). {nearest(text_column, columns)}",
            )
        if columns.count(text_column) > 1:
            raise named_twice(path, text_column)
        yield file


def named_twice(path: File, column: str) -> DataError:
    """Return the error that tells of two columns of one name."""
    return DataError(
        f"'{path}' has the column '{column}' more than once",
        "a name of its own for each column",
        "Rename or drop one of them",
    )


def _named_once(path: File, schema: pa.Schema) -> pa.Schema:
    """Return a schema in which no name stands twice: rows would keep the last of such columns.

    Raises:
        DataError: One does.
    """
    if len(set(schema.names)) < len(schema.names):
        raise named_twice(path, max(schema.names, key=schema.names.count))
    return schema


def _arrow_batches(path: File, size: int) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    with (
        whole_file(path, "a readable Arrow file"),
        path.open("rb") as raw,
        pa.ipc.open_stream(raw) as stream,
    ):
        _named_once(path, stream.schema)
        for batch in stream:
            for first in range(0, batch.num_rows, size):
                yield batch.slice(first, size)
        raw.seek(-len(_END), 2)
        if raw.read() != _END:  # cut between two batches, which Arrow takes for the end
            raise pa.ArrowInvalid("its mark of the end is missing")


@contextmanager
def whole_file(path: File, kind: str) -> Iterator[None]:
    """Tell in our words of a file that Arrow cannot read to its end.

    Raises:
        UnreadableFile: ``kind`` says what it should be.
    """
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system does not let us read it
        raise unreadable(path, kind, error) from error
