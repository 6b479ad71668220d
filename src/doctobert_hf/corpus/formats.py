"""One reader for each format of corpus files; what is wrong is told with file and line."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doctobert_hf.corpus.columnar import (
    batch_rows,
    is_columnar,
    named_twice,
    open_parquet,
    record_batches,
)
from doctobert_hf.corpus.files import CONVERTED
from doctobert_hf.corpus.json_rows import RepeatedKey, load_json, row_with_repeated_key
from doctobert_hf.corpus.opening import File, ending_of, opened
from doctobert_hf.errors import DataError, nearest


def checked_row(row: Any, text_column: str, where: str) -> dict[str, Any]:
    """Return a row if it has a text of valid Unicode.

    Raises:
        DataError: It has not; ``where`` says which row it is.
    """
    if not isinstance(row, dict) or text_column not in row:
        have = f"has the columns {', '.join(row)}" if isinstance(row, dict) else f"is {row!r:.80}"
        raise DataError(f"{where} {have}", f"a column '{text_column}' with the text")
    if not isinstance(row[text_column], str):
        raise DataError(
            f"{where} has {row[text_column]!r:.80} as '{text_column}'",
            "a string",
            "Filter out rows without text first",
        )
    try:
        row[text_column].encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(
            f"{where} has invalid Unicode (a lone surrogate) at position {error.start}",
            "valid Unicode",
            "Repair it: text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')",
        ) from error
    return row


@dataclass(frozen=True)
class BrokenRow:
    """A row that cannot be taken for one, though those after it can.

    Attributes:
        reason: Why, as a word: ``broken_json``, ``repeated_key``.
        content: What stands there.
        error: What tells of it where every row must be right.
    """

    reason: str
    content: str
    error: DataError


def read_file(path: File, text_column: str, name: str) -> Iterator[dict[str, Any]]:
    """Yield the documents of one file, by its ending.

    Args:
        path: The file.
        text_column: Column that holds the text.
        name: What the file is called in ids.

    Raises:
        DataError: It is not what its ending says, or a row has no text.
        OSError: It cannot be opened.
    """
    if ending_of(path) == ".parquet":
        with open_parquet(path, text_column):
            pass  # a missing column is told with those there are
    for index, row in read_rows(path, text_column, name):
        yield identified(row, text_column, name, index)


def read_rows(path: File, text_column: str, name: str) -> Iterator[tuple[int, Any]]:
    """Yield the rows of one file with their numbers, as they stand there.

    A row is a mapping or a string; where JSON holds something else it is that, and a
    :class:`BrokenRow` where a line cannot be read: it is for the caller to refuse or to count.
    Rows are numbered from 0, of JSON lines by line.

    Args:
        path: The file.
        text_column: What the text of a file without columns is called.
        name: What the file is called in ids.

    Raises:
        DataError: The file is not what its ending says, or cut short (:class:`.UnreadableFile`).
        OSError: It cannot be opened.

    Example:
        >>> from pathlib import Path
        >>> next(read_rows(Path("documents.parquet"), "text", "documents.parquet"))[0]
        0
    """
    ending = ending_of(path)
    if is_columnar(path):
        yield from enumerate(
            row for batch in record_batches(path) for row in batch_rows(path, batch)
        )
    elif ending in CONVERTED:
        from doctobert_hf.corpus.converted import convert, is_markdown

        assert isinstance(path, Path)  # only where files of this machine are asked for
        text = _decode(path.read_bytes(), path) if is_markdown(path) else convert(path)
        yield 0, {"id": name, text_column: text}
    elif ending == ".txt":
        with opened(path) as file:  # bytes, not lines: CRLF and lone CR stay as they are
            yield 0, {"id": name, text_column: _decode(file.read(), path)}
    elif ending == ".json":
        with opened(path) as file:
            rows = _parse_json(_decode(file.read(), path), path, 1)
        yield from enumerate(rows if isinstance(rows, list) else [rows])
    elif ending in (".csv", ".tsv"):
        yield from enumerate(_table_rows(path, text_column))
    else:
        with opened(path) as lines:
            for index, line in enumerate(lines):
                if line.strip():
                    yield index, parsed_line(line, path, index + 1)


def _table_rows(path: File, text_column: str) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(2**31 - 1)  # the default refuses documents over 131,072 characters
    delimiter = "\t" if ending_of(path) == ".tsv" else _delimiter(path)
    # utf-8-sig: spreadsheets begin their exports with a byte order mark.
    with opened(path) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as lines:
        try:
            # strict: an unbalanced quote would swallow the rows after it without a word.
            table = csv.DictReader(lines, delimiter=delimiter, strict=True)
            _check_header(list(table.fieldnames or []), text_column, path)
            for row in table:
                # Both ways a row with another number of fields than the header has lost its place.
                if None in row or None in row.values():
                    raise DataError(
                        f"'{path}', line {table.line_num} has "
                        f"{'more' if None in row else 'fewer'} fields than the header",
                        f"{len(table.fieldnames or [])} fields",
                    )
                yield row
        except UnicodeDecodeError:
            with opened(path) as whole:
                _decode(whole.read(), path)
            raise
        except csv.Error as error:
            raise DataError(
                f"'{path}', line {table.line_num}: not a readable table ({error})",
                "balanced quotation marks",
            ) from error


def _check_header(columns: list[str], text_column: str, path: File) -> None:
    """Refuse a table whose first row does not name its columns: a row would be lost in silence.

    Raises:
        DataError: No text column, or a name that is given twice.
    """
    if text_column not in columns:
        shown = [f"{name:.40}" for name in columns]  # without a header they are a document
        raise DataError(
            f"'{path}' has the columns {', '.join(shown)}" if columns else f"'{path}' is empty",
            f"a column '{text_column}' with the text, named in the first line",
            f"Name yours (text_column=..., --text-column ...). {nearest(text_column, shown)}"
            if columns
            else "",
        )
    for name in columns:
        if name and columns.count(name) > 1:
            raise named_twice(path, name)


def _delimiter(path: File) -> str:
    """Return the delimiter of a CSV: French spreadsheets write semicolons."""
    with opened(path) as file:
        header = re.sub('"[^"]*"', "", file.readline().decode("utf-8", "replace"))
    return ";" if header.count(";") > header.count(",") else ","


def identified(
    row: Any, text_column: str, name: str, index: int, counted: str = "row"
) -> dict[str, Any]:
    """Return a row as a document: checked, with an id.

    Raises:
        DataError: It has no text, or is broken; ``counted`` says what ``index`` counts.
    """
    if isinstance(row, BrokenRow):
        raise row.error
    if isinstance(row, str):
        row = {text_column: row}
    row = checked_row(row, text_column, f"'{name}', {counted} {index}")
    if row.get("id") is None:  # missing, or null as an export of a table has it
        row["id"] = f"{name}:{index}"
    return row


def parsed_line(line: bytes, path: File, number: int | Callable[[], int]) -> Any:
    """Return what a line of JSON holds, or what is wrong with it.

    Args:
        line: The line.
        path: The file it is of.
        number: Its number from 1, or what finds it where something is wrong.
    """
    if number == 1:
        line = line.removeprefix(codecs.BOM_UTF8)
    try:
        return load_json(line.decode())
    except ValueError:
        at = number if isinstance(number, int) else number()
    try:
        # Half a character as bytes: what it is in stays known, and is told of by its own name.
        return _parse_json(_decode(line, path, at, "surrogatepass"), path, at)
    except DataError as error:
        repeated = isinstance(error.__cause__, RepeatedKey)
        content = line.decode("utf-8", "replace")
        return BrokenRow("repeated_key" if repeated else "broken_json", content, error)


def _parse_json(text: str, path: File, line: int) -> Any:
    try:
        return load_json(text)
    except RepeatedKey as error:
        row = row_with_repeated_key(text)
        where = f"line {line}" if row is None else f"row {row}"
        raise DataError(
            f"'{path}', {where} has the key '{error}' twice, of which one would be lost",
            "each key once",
        ) from error
    except json.JSONDecodeError as error:
        lines = error.msg == "Extra data" and ending_of(path) == ".json"
        raise DataError(
            f"'{path}', line {line + error.lineno - 1} is not JSON ({error.msg})",
            fix="JSON lines? Name the file .jsonl" if lines else "",
        ) from error


def _decode(content: bytes, path: File, line: int | None = None, errors: str = "strict") -> str:
    if line is None or line == 1:
        content = content.removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode("utf-8", errors)
    except UnicodeDecodeError as error:
        if _is_utf16(content):
            raise _utf16(path) from error
        number = line or content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"'{path}', line {number}: byte 0x{content[error.start]:02x} is not UTF-8",
            "text in UTF-8",
            f"Convert it: iconv -f windows-1252 -t utf-8 '{path.name}' > fixed",
        ) from error
    if _is_utf16(content):  # without accents and mark it is UTF-8 too, of a zero byte each letter
        raise _utf16(path)
    return text


def _is_utf16(content: bytes) -> bool:
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return marked or content.count(b"\0") > len(content) // 4


def _utf16(path: File) -> DataError:
    return DataError(
        f"'{path}' is UTF-16",
        "text in UTF-8",
        f"Convert it: iconv -f utf-16 -t utf-8 '{path.name}' > fixed",
    )
