"""Reading documents from anything a user has at hand, streamed.

A source is a path (``.txt``: one document a file; ``.jsonl``, ``.json``, ``.parquet``, ``.csv``,
``.tsv``: one a row, all but Parquet also as ``.gz`` or ``.zst``; a folder of these; a glob such as
``notes/*.txt``; a folder of ``save_to_disk``), a ``datasets`` object, a DataFrame, a list of paths,
or any iterable of strings or rows. A string that happens to be a file's name is a text unless all
strings of the list name files.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
import re
from collections.abc import Iterable, Iterator, KeysView, Mapping, Set, ValuesView
from pathlib import Path
from typing import Any, cast

from doctobert_hf.corpus.files import (
    CONVERTED,
    SUFFIXES,
    has_suffix,
    is_pattern,
    is_saved_dataset,
    list_files,
    name_of,
    saved_files,
)
from doctobert_hf.corpus.formats import checked_row, identified, read_file, read_rows
from doctobert_hf.corpus.opening import ending_of, told
from doctobert_hf.errors import DataError, UsageError

__all__ = [
    "SUFFIXES",
    "Source",
    "fingerprint_of",
    "inputs_of",
    "is_saved_dataset",
    "is_table",
    "iter_documents",
    "iter_texts",
    "list_files",
    "require_texts",
]
logger = logging.getLogger(__name__)
Source = str | Path | Iterable[Any]


def iter_documents(
    source: Source, text_column: str = "text", converted: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield documents as rows with at least ``text_column``; files add ``id`` where rows lack it.

    Args:
        source: See the module's docstring.
        text_column: Name of the column that holds the text.
        converted: Read Markdown, HTML, PDF and office files too (:mod:`.converted`). Of several
            files those that cannot be converted are left out, named and counted.

    Raises:
        UsageError: A missing path, an unknown file type, or a wrong kind of object.
        DataError: No text column, a row whose text is no string, or a file that is not UTF-8.

    Example:
        >>> [row["text"] for row in iter_documents([{"text": "Pas de fièvre."}, "Toux sèche."])]
        ['Pas de fièvre.', 'Toux sèche.']
        >>> sorted(next(iter_documents("documents.parquet")))
        ['id', 'text']
    """
    if isinstance(source, (str, Path)):
        yield from _of_path(source, text_column, converted)
        return
    if is_table(source):
        rows: Any = source  # of pandas, or of polars
        if hasattr(rows, "collect"):
            raise UsageError("A LazyFrame", "a DataFrame", "Pass frame.collect()")
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
    if hasattr(source, "with_format") and hasattr(source, "column_names"):
        data: Any = source
        source = data.with_format(None)  # rows, of whatever format it is set to
    files = _names_files(source)
    items = cast("Iterable[Any]", source)
    within = _folders(inputs_of(source), converted)
    for index, item in enumerate(items):
        if isinstance(item, Mapping):
            yield checked_row(dict(item), text_column, f"row {index}")
        elif isinstance(item, Path) or (files and isinstance(item, str)):
            yield from _of_path(item, text_column, converted, within.get(Path(item), ""))
        elif isinstance(item, str):
            asked = isinstance(source, (Iterator, Set, KeysView, ValuesView))
            if index == 0 and asked and _is_path(item):
                _refuse_names(item)
            yield checked_row({text_column: item, "id": str(index)}, text_column, f"item {index}")
        else:
            raise DataError(
                f"Item {index} is a {type(item).__name__}",
                f"a string or a row with '{text_column}'",
            )


def _of_path(
    source: str | Path, text_column: str, converted: bool, within: str = ""
) -> Iterator[dict[str, Any]]:
    """Yield the documents of a file, a folder or a pattern, their files named below ``within``."""
    if is_saved_dataset(source):
        yield from _saved_rows(Path(source), text_column)
        return
    files, unread = list_files(source, converted), 0
    for path in files:
        try:
            with told(path):
                yield from read_file(path, text_column, within + name_of(path, source))
        except DataError as error:
            if len(files) == 1 or ending_of(path) not in CONVERTED:
                raise
            unread += 1  # of thousands of PDFs one is always damaged, or a scan
            logger.warning("left out: %s", error)
    if unread:
        logger.warning("%s of %s files could not be read", f"{unread:,}", f"{len(files):,}")


def _folders(sources: list[Path], converted: bool) -> dict[Path, str]:
    """Return what ids of several sources begin with where two have files of one name."""
    sources = list(dict.fromkeys(sources))
    if len(sources) < 2 or any(map(is_saved_dataset, sources)):
        return {}
    names = [name_of(file, one) for one in sources for file in list_files(one, converted)]
    if len(set(names)) == len(names):
        return {}
    common = Path(os.path.commonpath([path.absolute().parent for path in sources]))
    below = {path: path.absolute() if path.is_dir() else path.absolute().parent for path in sources}
    return {
        path: f"{folder.relative_to(common).as_posix()}/"
        for path, folder in below.items()
        if folder != common
    }


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
    """Return whether a value is a DataFrame, of pandas or polars, without importing them.

    Example:
        >>> import pandas as pd
        >>> is_table(pd.DataFrame({"text": ["a"]})), is_table(["a"])
        (True, False)
    """
    # Of the class: a frame that is lazy would be worked out by asking for its columns.
    kind = type(value)
    return hasattr(kind, "columns") and hasattr(kind, "dtypes") and hasattr(kind, "head")


def inputs_of(source: Source) -> list[Path]:
    """Return the files and folders that a source names; none for texts in memory.

    Example:
        >>> [path.name for path in inputs_of("documents.parquet")], inputs_of(["un texte"])
        (['documents.parquet'], [])
    """
    if isinstance(source, (str, Path)):
        if is_pattern(source):
            return list_files(source)  # of a pattern the files are recorded: they may change
        return [Path(source)]
    if isinstance(source, (list, tuple)):
        files = _names_files(source)
        return [
            Path(item)
            for item in source
            if isinstance(item, Path) or (files and isinstance(item, str))
        ]
    return []


def fingerprint_of(source: Source) -> str | None:
    """Return a short hash of texts in memory; None for paths, and for what is read only once.

    Example:
        >>> fingerprint_of(["a", "b"]) == fingerprint_of(["a", "b"]) != fingerprint_of(["b", "a"])
        True
    """
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
    """Yield the texts of :func:`iter_documents`.

    Example:
        >>> list(iter_texts(["Pas de fièvre.", {"text": "Toux sèche."}]))
        ['Pas de fièvre.', 'Toux sèche.']
    """
    for row in iter_documents(source, text_column):
        yield row[text_column]


def _saved_rows(folder: Path, text_column: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a folder that ``Dataset.save_to_disk`` wrote."""
    number = itertools.count()
    for path in saved_files(folder):
        with told(path):
            for _, row in read_rows(path, text_column, path.name):
                yield identified(row, text_column, folder.name, next(number))


def _names_files(source: Any) -> bool:
    """Tell a list of files from one of texts of which some happen to be files' names."""
    if not isinstance(source, (list, tuple)):
        return False
    strings = [item for item in source if isinstance(item, str)]
    files = [_is_path(item) for item in strings]
    if any(files) and not all(files):
        _refuse_mixture(strings)
    return all(files)


_LIKE_A_PATH = re.compile(r"(?:[^\s/\\]*[/\\])+[^\s/\\]+|[^\s/\\]+\.[A-Za-z]\w{0,9}")


def _refuse_mixture(strings: list[str]) -> None:
    """Refuse files' names of which one is mistyped: all would be read as texts.

    Raises:
        UsageError: Some name files that exist, and the others look like paths too.
    """
    others = [name for name in strings if not _is_path(name)]
    if all(map(_LIKE_A_PATH.fullmatch, others)) and any(Path(n).is_file() for n in strings):
        raise UsageError(
            f"A list of files with '{others[0]}', which is none that can be read",
            f"files that end in {', '.join(SUFFIXES)}",
            "Correct it; of texts that are files' names make rows: [{'text': text}, ...]",
        )


def _refuse_names(name: str) -> None:
    """Refuse an iterator or a set that begins with a file's name: is it of texts, or of files?"""
    if Path(name).is_file():
        raise UsageError(
            f"An iterator or set whose first string names a file: '{name}'",
            "a list of files, or an iterable of texts",
            "Pass list(...) of files, or texts in a list",
        )


def _is_path(text: str) -> bool:
    """Tell a path from a text: it has a corpus file's ending, and exists or is one word."""
    if not has_suffix(text) or len(text) > 1024 or any(c in text for c in "\n\r\t\x00"):
        return False
    return " " not in text or Path(text).is_file()
