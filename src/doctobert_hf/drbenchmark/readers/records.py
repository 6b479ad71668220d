"""JSON files: lists of records and maps, with what is in them checked."""

from __future__ import annotations

import json
from typing import Any

from doctobert_hf.corpus.json_rows import RepeatedKey, load_json, row_with_repeated_key
from doctobert_hf.drbenchmark.source import RawFolder
from doctobert_hf.errors import DataError


def read_json(folder: RawFolder, name: str) -> Any:
    """Read a JSON file; a byte order mark is passed over.

    Raises:
        DataError: Not JSON (the message has the line), or a key is given twice.
    """
    text = folder.read_text(name).removeprefix("\ufeff")
    try:
        return load_json(text)
    except RepeatedKey as error:
        row = row_with_repeated_key(text)
        where = folder.where(name) + ("" if row is None else f" record {row}")
        raise DataError(f"{where} has the key '{error}' twice", "each key once") from None
    except json.JSONDecodeError as error:
        raise DataError(f"{folder.where(name, error.lineno)}: not JSON ({error.msg})") from None


def read_records(folder: RawFolder, name: str) -> list[tuple[str, dict[str, Any]]]:
    """Read a list of objects, each with its place for messages.

    Raises:
        DataError: Not JSON, not a list, or something else in it.
    """
    records = read_json(folder, name)
    where = folder.where(name)
    if not isinstance(records, list):
        raise DataError(f"{where}: a {type(records).__name__}", "a JSON list of records")
    for number, record in enumerate(records):
        if not isinstance(record, dict):
            raise DataError(f"{where} record {number}: a {type(record).__name__}", "an object")
    return [(f"{where} record {number}", record) for number, record in enumerate(records)]


def text_field(record: dict[str, Any], key: str, place: str) -> str:
    """Return a field that must be a text.

    Raises:
        DataError: It is missing or of another type.
    """
    if not isinstance(record.get(key), str):
        have = type(record[key]).__name__ if key in record else "missing"
        raise DataError(f"{place}: '{key}' is {have}", "a text")
    return record[key]
