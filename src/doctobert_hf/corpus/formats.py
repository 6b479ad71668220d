"""One reader for each format of corpus files; what is wrong is told with file and line."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from doctobert_hf.corpus.files import CONVERTED
from doctobert_hf.corpus.json_rows import RepeatedKey, load_json, row_with_repeated_key
from doctobert_hf.errors import DataError, nearest

if TYPE_CHECKING:
    import pyarrow.parquet as pq


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
            f"{where} has half a character (a lone surrogate) at position {error.start}",
            "valid Unicode",
            "Repair it: text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')",
        ) from error
    return row


def read_file(path: Path, text_column: str, name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one file, by its ending.

    Args:
        path: The file.
        text_column: Column that holds the text.
        name: What the file is called in ids.

    Raises:
        DataError: It is not what its ending says, or a row has no text.
        OSError: It cannot be opened.
    """
    ending = _ending(path)
    if ending == ".parquet":
        yield from _read_parquet(path, text_column, name)
    elif ending in CONVERTED:
        from doctobert_hf.corpus.converted import convert, is_markdown

        text = _decode(path.read_bytes(), path) if is_markdown(path) else convert(path)
        yield {"id": name, text_column: text}
    elif ending == ".txt":
        with _open(path) as file:  # bytes, not lines: CRLF and lone CR stay as they are
            yield {"id": name, text_column: _decode(file.read(), path)}
    elif ending == ".json":
        with _open(path) as file:
            rows = _parse_json(_decode(file.read(), path), path, 1)
        for index, row in enumerate(rows if isinstance(rows, list) else [rows]):
            yield identified(row, text_column, name, index)
    elif ending in (".csv", ".tsv"):
        yield from _read_table(path, text_column, name)
    else:
        with _open(path) as lines:
            for index, line in enumerate(lines):
                if line.strip():
                    row = parsed_line(line, path, index + 1)
                    yield identified(row, text_column, name, index)


def _ending(path: Path) -> str:
    """Return the ending that names the format: of ``Notes.TXT.gz`` it is ``.txt``."""
    endings = [ending.lower() for ending in path.suffixes[-2:]]
    return endings[-2] if endings[-1] in (".gz", ".zst") else endings[-1]


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, unpacked where it is packed.

    Raises:
        DataError: A packed file that is not whole.
    """
    packed = path.suffix.lower()
    if packed not in (".gz", ".zst"):
        with path.open("rb") as file:
            yield file
        return
    import pyarrow as pa

    try:
        if packed == ".gz":
            with gzip.open(path) as unpacked:
                yield unpacked  # type: ignore[misc]
        else:
            with pa.input_stream(str(path), compression="zstd") as stream:
                yield io.BufferedReader(stream)
    except FileNotFoundError:
        raise
    except (EOFError, OSError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        kind = "gzip" if packed == ".gz" else "Zstandard"
        raise DataError(
            f"'{path}' is not a whole {kind} file ({error})", fix="Fetch or write it again"
        ) from error


def _read_parquet(path: Path, text_column: str, name: str) -> Iterator[dict[str, Any]]:
    with open_parquet(path, text_column) as file:
        index = 0
        for batch in file.iter_batches(batch_size=256):
            for row in batch.to_pylist():
                yield identified(row, text_column, name, index)
                index += 1


def open_parquet(path: Path, text_column: str) -> pq.ParquetFile:
    """Open a Parquet file that has a column.

    Raises:
        DataError: It is none, or has not.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"'{path}' is not a readable Parquet file ({error})") from error
    columns = file.schema_arrow.names
    if text_column not in columns:
        file.close()
        raise DataError(
            f"'{path}' has the columns {', '.join(columns)}",
            f"a column '{text_column}' with the text",
            f"Name yours (text_column=..., --text-column ...). {nearest(text_column, columns)}",
        )
    if columns.count(text_column) > 1:
        file.close()
        raise _twice(path, text_column)
    return file


def _twice(path: Path, column: str) -> DataError:
    return DataError(
        f"'{path}' has the column '{column}' more than once",
        "a name of its own for each column",
        "Rename or drop one of them",
    )


def _read_table(path: Path, text_column: str, name: str) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(2**31 - 1)  # the default refuses documents over 131,072 characters
    # utf-8-sig: spreadsheets begin their exports with a byte order mark.
    with _open(path) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as lines:
        try:
            delimiter = "\t" if _ending(path) == ".tsv" else _delimiter(path)
            # strict: an unbalanced quote would swallow the rows after it without a word.
            table = csv.DictReader(lines, delimiter=delimiter, strict=True)
            _check_header(list(table.fieldnames or []), text_column, path)
            for index, row in enumerate(table):
                # Both ways a row with another number of fields than the header has lost its place.
                if None in row or None in row.values():
                    raise DataError(
                        f"'{path}', line {table.line_num} has "
                        f"{'more' if None in row else 'fewer'} fields than the header",
                        f"{len(table.fieldnames or [])} fields",
                    )
                yield identified(row, text_column, name, index)
        except UnicodeDecodeError:
            with _open(path) as whole:
                _decode(whole.read(), path)
            raise
        except csv.Error as error:
            raise DataError(
                f"'{path}', line {table.line_num}: not a readable table ({error})",
                "balanced quotation marks",
            ) from error


def _check_header(columns: list[str], text_column: str, path: Path) -> None:
    """Refuse a table whose first row does not name its columns: a row would be lost in silence.

    Raises:
        DataError: No text column, or a name that stands twice.
    """
    if text_column not in columns:
        raise DataError(
            f"'{path}' has the columns {', '.join(columns)}" if columns else f"'{path}' is empty",
            f"a column '{text_column}' with the text, named in the first line",
            f"Name yours (text_column=..., --text-column ...). {nearest(text_column, columns)}"
            if columns
            else "",
        )
    for name in columns:
        if name and columns.count(name) > 1:
            raise _twice(path, name)


def _delimiter(path: Path) -> str:
    """Return the delimiter of a CSV: French spreadsheets write semicolons."""
    with _open(path) as file:
        header = re.sub('"[^"]*"', "", file.readline().decode("utf-8", "replace"))
    return ";" if header.count(";") > header.count(",") else ","


def identified(
    row: Any, text_column: str, name: str, index: int, counted: str = "row"
) -> dict[str, Any]:
    """Return a row as a document: checked, with an id.

    Raises:
        DataError: It has no text; ``counted`` says what ``index`` counts.
    """
    if isinstance(row, str):
        row = {text_column: row}
    row = checked_row(row, text_column, f"'{name}', {counted} {index}")
    if row.get("id") is None:  # missing, or null as an export of a table has it
        row["id"] = f"{name}:{index}"
    return row


def parsed_line(line: bytes, path: Path, number: int | Callable[[], int]) -> Any:
    """Return what a line of JSON holds.

    Args:
        line: The line.
        path: The file it is of.
        number: Its number from 1, or what finds it where something is wrong.

    Raises:
        DataError: It is not UTF-8, or no JSON, or a key stands twice.
    """
    try:
        return load_json((line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).decode())
    except ValueError:
        at = number if isinstance(number, int) else number()
        return _parse_json(_decode(line, path, at), path, at)


def _parse_json(text: str, path: Path, line: int) -> Any:
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
        lines = error.msg == "Extra data" and path.suffix.lower() == ".json"
        raise DataError(
            f"'{path}', line {line + error.lineno - 1} is not JSON ({error.msg})",
            fix="JSON lines? Name the file .jsonl" if lines else "",
        ) from error


def _decode(content: bytes, path: Path, line: int | None = None) -> str:
    if line is None or line == 1:
        content = content.removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode("utf-8")
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


def _utf16(path: Path) -> DataError:
    return DataError(
        f"'{path}' is UTF-16",
        "text in UTF-8",
        f"Convert it: iconv -f utf-16 -t utf-8 '{path.name}' > fixed",
    )
