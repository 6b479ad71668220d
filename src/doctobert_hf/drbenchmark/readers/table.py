"""Tab-separated tables with a header, read as text: nothing becomes a number or missing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from doctobert_hf.drbenchmark.source import RawFolder
from doctobert_hf.drbenchmark.spec import Report
from doctobert_hf.errors import DataError


def read_table(
    folder: RawFolder, name: str, columns: Sequence[str], report: Report
) -> Iterator[tuple[str, dict[str, str]]]:
    """Read the rows of a table by column name; other columns and empty lines are skipped.

    Quotes are read as pandas does by default, which is what the original scripts used.

    Yields:
        File and line where the row ends, and the columns asked for.

    Raises:
        DataError: A column is missing, or a row has more or fewer fields than the header.
    """
    import pandas

    text = folder.read_text(name, line_ends=True)
    _check_fields(folder, name, text)
    try:
        table = pandas.read_csv(
            io.StringIO(text, newline=""),
            sep="\t",
            dtype=str,
            keep_default_na=False,
            index_col=False,
            on_bad_lines="error",
        )
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError) as error:
        raise DataError(
            f"{folder.where(name, _open_quote(text))}: {error}",
            "a tab-separated table",
            "A stray quotation mark opens a cell that never ends" if "EOF" in str(error) else "",
        ) from error
    missing = [column for column in columns if column not in table.columns]
    if missing:
        have = ", ".join(repr(str(column)) for column in table.columns[:8])
        raise DataError(
            f"{folder.where(name)}: no column '{missing[0]}' (found {have})",
            f"the columns {', '.join(columns)}, separated by tabs",
        )
    lines = [line for line, fields in _records(text) if fields][1:]
    numbered = len(lines) == len(table)
    for number, values in enumerate(zip(*(table[c] for c in columns), strict=True)):
        where = folder.where(name, lines[number] if numbered else None)
        if any("\t" in value or "\n" in value for value in values):
            report.add("quoted cell that holds line ends or tabs", where)
        yield where, dict(zip(columns, values, strict=True))


def _open_quote(text: str) -> int | None:
    """The line on which the last record begins, if it spans several: a cell that never ends."""
    begin = last = 1
    for line, _ in _records(text):
        begin, last = last, line + 1
    return begin if last - begin > 1 else None


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(2**31 - 1)  # the default refuses what a stray quotation mark joins
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t")
    for fields in reader:
        yield reader.line_num, fields


def _check_fields(folder: RawFolder, name: str, text: str) -> None:
    """Pandas would cut long rows and fill short ones up without a word."""
    width = None
    begin = 1
    for line, fields in _records(text):
        first, begin = begin, line + 1
        if not fields:
            continue
        width = width or len(fields)
        if len(fields) != width:
            joined = f" (to line {line}, joined by a quotation mark)" if line > first else ""
            raise DataError(
                f"{folder.where(name, first)}: {len(fields)} fields{joined}",
                f"{width}, as in the header",
                "A stray quotation mark can join lines" if not joined else "Remove the mark",
            )
