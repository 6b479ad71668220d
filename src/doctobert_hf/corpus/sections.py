"""A corpus in sections that can each be read alone, so that several processes share it out.

A section is some rows of a Parquet file, some bytes of a ``.jsonl`` file (it ends where a line
ends), or a whole file of any other kind. Sections in their order give the corpus in its order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from doctobert_hf.corpus.columnar import open_parquet, whole_file
from doctobert_hf.corpus.files import is_saved_dataset, list_files, name_of
from doctobert_hf.corpus.formats import BrokenRow, identified, parsed_line, read_file
from doctobert_hf.corpus.opening import told
from doctobert_hf.errors import DataError, UsageError

SIZE = 64 << 20
"""Bytes of text that a section has, about."""


@dataclass(frozen=True)
class Section:
    """What one process reads.

    Attributes:
        path: The file.
        name: What the file is called in the ids of its documents.
        first: First row, or byte; None: the whole file.
        last: Row, or byte, behind the last.
        size: Bytes of text, about.
    """

    path: Path
    name: str
    first: int | None = None
    last: int | None = None
    size: int = 0


def sections_of(source: str | Path, text_column: str = "text", size: int = SIZE) -> list[Section]:
    """Return the sections of a corpus, in its order.

    Args:
        source: A file, a folder or a pattern of files.
        text_column: Column that holds the text.
        size: Bytes of text of a section, about; of packed files there is one each.

    Raises:
        UsageError: No such file, or a folder of ``save_to_disk``, which has no files to share out.
        DataError: A Parquet file without the column.
    """
    if is_saved_dataset(source):
        raise UsageError(
            f"'{source}' is a dataset of save_to_disk",
            "files to share out over processes",
            "Write it as Parquet: dataset.to_parquet('corpus.parquet')",
        )
    found: list[Section] = []
    for path in list_files(source):
        name = name_of(path, source)
        ending = path.suffix.lower()
        if ending == ".parquet":
            rows, bytes_ = _parquet_size(path, text_column)
            step = max(1, rows * size // max(bytes_, 1))
            found += _cut(path, name, rows, step, bytes_ / max(rows, 1))
        elif ending == ".jsonl":
            found += _cut(path, name, path.stat().st_size, size, 1.0)
        else:
            found.append(Section(path, name, size=path.stat().st_size))
    return found


def _cut(path: Path, name: str, total: int, step: int, bytes_each: float) -> list[Section]:
    ends = [(at, min(at + step, total)) for at in range(0, total, step)]
    return [Section(path, name, a, b, int((b - a) * bytes_each)) for a, b in ends]


def grouped(sections: list[Section], size: int = SIZE) -> list[tuple[Section, ...]]:
    """Put neighbours together up to a size: a folder of notes has thousands of small files."""
    groups: list[list[Section]] = []
    filled = 0
    for section in sections:
        if groups and filled + section.size <= size:
            groups[-1].append(section)
            filled += section.size
        else:
            groups.append([section])
            filled = section.size
    return [tuple(group) for group in groups]


def _parquet_size(path: Path, text_column: str) -> tuple[int, int]:
    """Rows of a file, and bytes of its text before it was compressed."""
    with open_parquet(path, text_column) as file:
        about = file.metadata
        size = 0
        for group in range(about.num_row_groups):
            columns = about.row_group(group)
            for index in range(columns.num_columns):
                column = columns.column(index)
                if column.path_in_schema.split(".")[0] == text_column:
                    size += column.total_uncompressed_size
        return about.num_rows, size


def section_texts(section: Section, text_column: str = "text") -> Iterator[str]:
    """Yield the texts of a section, in order.

    Raises:
        DataError: A row has no text; the file is not what its ending says.
        UsageError: The file cannot be read.
    """
    if section.first is None:
        with told(section.path):
            for row in read_file(section.path, text_column, section.name):
                yield row[text_column]
        return
    for where, row in _numbered(section, text_column):
        yield identified(row, text_column, section.name, *where)[text_column]


def section_values(section: Section, column: str) -> Iterator[tuple[str, Any]]:
    """Yield where a row is and what a column of it holds, whatever that is.

    Raises:
        DataError: The file is not what its ending says, or a row lacks the column.
        UsageError: It is neither Parquet nor ``.jsonl``.
    """
    if section.first is None:
        raise UsageError(f"'{section.path}' has no columns of other types than text",
                         "Parquet or .jsonl")  # fmt: skip
    for (place, counted), row in _numbered(section, column):
        if isinstance(row, BrokenRow):
            raise row.error
        where = f"'{section.name}', {counted} {place}"
        if not isinstance(row, dict) or column not in row:
            raise DataError(f"{where} has no '{column}'", f"a column '{column}'")
        yield where, row[column]


def _numbered(section: Section, column: str) -> Iterator[tuple[tuple[int, str], Any]]:
    """Rows with their place: a number of rows, or of bytes."""
    assert section.first is not None and section.last is not None
    with told(section.path):
        if section.path.suffix.lower() == ".parquet":
            yield from _rows(section, column, section.first, section.last)
        else:
            yield from _lines(section.path, section.first, section.last)


def _rows(
    section: Section, column: str, first: int, last: int
) -> Iterator[tuple[tuple[int, str], Any]]:
    with (
        whole_file(section.path, "a readable Parquet file"),
        open_parquet(section.path, column) as file,
    ):
        index = 0
        for group in range(file.metadata.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if index + rows <= first or index >= last:
                index += rows
                continue
            for batch in file.iter_batches(256, row_groups=[group], columns=[column]):
                before = index
                index += len(batch)
                if index <= first:
                    continue
                for place, row in enumerate(batch.to_pylist(), before):
                    if first <= place < last:
                        yield (place, "row"), row
                if index >= last:
                    return


def _lines(path: Path, first: int, last: int) -> Iterator[tuple[tuple[int, str], Any]]:
    """Lines that begin in a range of bytes."""
    with path.open("rb") as file:
        if first:
            file.seek(first - 1)
            file.readline()  # a line that began before, or the end of the one before
        at = file.tell()
        while at < last and (line := file.readline()):
            if line.strip():
                number = partial(_number, path, at) if at else 1
                yield (at, "byte"), parsed_line(line, path, number)
            at += len(line)


def _number(path: Path, at: int) -> int:
    """Return the number of the line that begins at a byte."""
    lines = 1
    with path.open("rb") as file:
        while at > 0 and (block := file.read(min(at, SIZE))):
            lines += block.count(b"\n")
            at -= len(block)
    return lines
