"""Reading documents from anything a user has at hand, streamed.

A source is a path (``.txt``: one document a file; ``.jsonl``, ``.json``, ``.parquet``, ``.csv``,
``.tsv``: one a row; a folder of these), a ``datasets`` object, or any iterable of strings, rows or
paths.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from doctobert_hf.errors import DataError, DoctobertError, UsageError, nearest

SUFFIXES = (".txt", ".jsonl", ".json", ".jsonl.gz", ".parquet", ".csv", ".tsv")
Source = str | Path | Iterable[Any]


def iter_documents(source: Source, text_column: str = "text") -> Iterator[dict[str, Any]]:
    """Yield documents as rows with at least ``text_column``; files add ``id`` where rows lack it.

    Args:
        source: See the module's docstring.
        text_column: Name of the column that holds the text.

    Raises:
        UsageError: A missing path, an unknown file type, or a wrong kind of object.
        DataError: No text column, a row whose text is no string, or a file that is not UTF-8.
    """
    if isinstance(source, (str, Path)):
        for path in list_files(source):
            try:
                yield from _read_file(path, text_column, _name(path, Path(source)))
            except OSError as error:
                if isinstance(error, DoctobertError):
                    raise
                raise UsageError(f"'{path}' cannot be read ({error.strerror or error})") from error
        return
    if is_table(source):
        rows: Any = source  # of pandas, or of polars
        source = rows.to_dict("records") if hasattr(rows, "iloc") else rows.to_dicts()
    if isinstance(source, bytes):
        raise UsageError("Bytes as documents", "a path, a Dataset or an iterable of strings")
    if isinstance(source, Mapping):
        raise UsageError(
            f"A mapping with the keys {', '.join(map(repr, source))}",
            "documents",
            "If it is a DatasetDict, choose a split: dataset['train']",
        )
    if not isinstance(source, Iterable):
        raise UsageError(
            f"A {type(source).__name__}", "a path, a Dataset or an iterable of strings"
        )
    for index, item in enumerate(source):
        if isinstance(item, Mapping):
            yield _checked_row(dict(item), text_column, f"row {index}")
        elif isinstance(item, Path) or (isinstance(item, str) and _is_path(item)):
            yield from iter_documents(item, text_column)
        elif isinstance(item, str):
            yield {text_column: item, "id": str(index)}
        else:
            raise DataError(
                f"Item {index} is a {type(item).__name__}",
                f"a string or a row with '{text_column}'",
            )


def require_texts(texts: Any, what: str = "texts") -> None:
    """Refuse what looks like several texts and would be iterated as something else.

    Args:
        texts: What was given: a string gives letters, a table its column names, a mapping its keys.
        what: What it should be, for the message.

    Raises:
        UsageError: It is one of these, or cannot be iterated.

    Example:
        >>> require_texts(["Pas de fièvre."])
    """
    expected = f"a list of {what}, or another iterable of them"
    if isinstance(texts, (str, bytes)):
        raise UsageError(f"One string as {what}", expected, "Pass [text]")
    columns = getattr(texts, "column_names", None)
    if columns is None and is_table(texts):
        columns = [str(name) for name in texts.columns]
    if columns is not None:
        shown = ", ".join(f"'{name}'" for name in list(columns)[:5])
        raise UsageError(
            f"A {type(texts).__name__} with the columns {shown} as {what}",
            expected,
            "Pass one column: data['text']",
        )
    if isinstance(texts, Mapping):
        raise UsageError(f"A {type(texts).__name__} as {what}", expected, "Pass its values")
    if not isinstance(texts, Iterable):
        raise UsageError(f"A {type(texts).__name__} as {what}", expected)


def is_table(value: Any) -> bool:
    """Return whether a value is a DataFrame, of pandas or polars, without importing them."""
    return hasattr(value, "columns") and hasattr(value, "dtypes") and hasattr(value, "head")


def inputs_of(source: Source) -> list[Path]:
    """Return the files and folders that a source names; none for texts in memory."""
    if isinstance(source, (str, Path)):
        return [Path(source)]
    if isinstance(source, (list, tuple)):
        return [
            Path(item)
            for item in source
            if isinstance(item, Path) or (isinstance(item, str) and _is_path(item))
        ]
    return []


def fingerprint_of(source: Source) -> str | None:
    """Return a short hash of texts in memory; None for paths, and for what is read only once."""
    if isinstance(source, (str, Path)):
        return None
    if isinstance(fingerprint := getattr(source, "_fingerprint", None), str):
        return fingerprint  # datasets keep their own
    if not isinstance(source, (list, tuple)) or inputs_of(source):
        return None
    digest = hashlib.sha256()
    for item in source:
        digest.update(repr(item).encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()[:16]


def iter_texts(source: Source, text_column: str = "text") -> Iterator[str]:
    """Yield the texts of :func:`iter_documents`."""
    for row in iter_documents(source, text_column):
        yield row[text_column]


def list_files(path: str | Path) -> list[Path]:
    """Return the corpus files at ``path``, a file or a folder searched in depth, sorted by name."""
    path = Path(path)
    if path.is_file():
        if not path.name.endswith(SUFFIXES):
            raise UsageError(f"The file '{path}'", f"one of {', '.join(SUFFIXES)}")
        return [path]
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file() and p.name.endswith(SUFFIXES))
        if not files:
            raise UsageError(
                f"The folder '{path}' has no corpus file", f"{', '.join(SUFFIXES)} in it or below"
            )
        return files
    if not path.parent.is_dir():
        fix = f"'{path.parent}' does not exist either"
    else:
        close = difflib.get_close_matches(path.name, [p.name for p in path.parent.iterdir()], n=1)
        fix = f"Did you mean '{close[0]}'?" if close else "Check the path"
    raise UsageError(f"No file or folder '{path}'", fix=fix)


def _name(path: Path, root: Path) -> str:
    """Return what a file is called in ids: its path below the folder that was given."""
    return path.relative_to(root).as_posix() if path != root else path.name


def _is_path(text: str) -> bool:
    """Tell a path from a text: it has a corpus file's ending, and exists or is one word."""
    if not text.endswith(SUFFIXES) or len(text) > 1024 or any(c in text for c in "\n\r\t\x00"):
        return False
    return " " not in text or Path(text).is_file()


def _read_file(path: Path, text_column: str, name: str) -> Iterator[dict[str, Any]]:
    if path.name.endswith(".parquet"):
        yield from _read_parquet(path, text_column, name)
    elif path.name.endswith(".txt"):
        # Bytes, not lines: CRLF and lone CR stay as they are.
        yield {"id": name, text_column: _decode(path.read_bytes(), path)}
    elif path.name.endswith(".json"):
        rows = _parse_json(_decode(path.read_bytes(), path), path, 1)
        for index, row in enumerate(rows if isinstance(rows, list) else [rows]):
            yield _identified(row, text_column, name, index)
    elif path.name.endswith((".csv", ".tsv")):
        yield from _read_table(path, text_column, name)
    else:
        opener = gzip.open if path.name.endswith(".gz") else open
        try:
            with opener(path, "rb") as lines:
                for index, line in enumerate(lines):
                    if line.strip():
                        row = _parse_json(_decode(line, path, index + 1), path, index + 1)
                        yield _identified(row, text_column, name, index)
        except (EOFError, gzip.BadGzipFile) as error:
            raise DataError(
                f"'{path}' is not a whole gzip file ({error})", fix="Fetch or write it again"
            ) from error


def _read_parquet(path: Path, text_column: str, name: str) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"'{path}' is not a readable Parquet file ({error})") from error
    with file:
        columns = file.schema_arrow.names
        if text_column not in columns:
            raise DataError(
                f"'{path}' has the columns {', '.join(columns)}",
                f"a column '{text_column}' with the text",
                f"Name yours (text_column=..., --text-column ...). {nearest(text_column, columns)}",
            )
        index = 0
        for batch in file.iter_batches(batch_size=256):
            for row in batch.to_pylist():
                yield _identified(row, text_column, name, index)
                index += 1


def _read_table(path: Path, text_column: str, name: str) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(2**31 - 1)  # the default refuses documents over 131,072 characters
    # utf-8-sig: spreadsheets begin their exports with a byte order mark.
    with path.open(encoding="utf-8-sig", newline="") as lines:
        try:
            delimiter = "\t" if path.suffix == ".tsv" else ","
            # strict: an unbalanced quote would swallow the rows after it without a word.
            table = csv.DictReader(lines, delimiter=delimiter, strict=True)
            for index, row in enumerate(table):
                if None in row:
                    raise DataError(
                        f"'{path}', line {table.line_num} has more fields than the header",
                        f"{len(table.fieldnames or [])} fields",
                    )
                yield _identified(row, text_column, name, index)
        except UnicodeDecodeError:
            _decode(path.read_bytes(), path)
            raise
        except csv.Error as error:
            raise DataError(
                f"'{path}', line {table.line_num}: not a readable table ({error})",
                "balanced quotation marks",
            ) from error


def _identified(row: Any, text_column: str, name: str, index: int) -> dict[str, Any]:
    if isinstance(row, str):
        row = {text_column: row}
    row = _checked_row(row, text_column, f"'{name}', row {index}")
    row.setdefault("id", f"{name}:{index}")
    return row


def _checked_row(row: Any, text_column: str, where: str) -> dict[str, Any]:
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


def _parse_json(text: str, path: Path, line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"'{path}', line {line + error.lineno - 1} is not JSON ({error.msg})"
        ) from error


def _decode(content: bytes, path: Path, line: int | None = None) -> str:
    if line is None or line == 1:
        content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        number = line or content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"'{path}', line {number}: byte 0x{content[error.start]:02x} is not UTF-8",
            "text in UTF-8",
            f"Convert it: iconv -f windows-1252 -t utf-8 '{path.name}' > fixed",
        ) from error
