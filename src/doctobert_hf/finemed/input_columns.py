"""The columns of a stage's inputs together: types of all files, and what must be there."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from doctobert_hf.corpus.columnar import is_columnar, schema_of
from doctobert_hf.corpus.files import CorpusFile
from doctobert_hf.corpus.formats import BrokenRow
from doctobert_hf.errors import DataError
from doctobert_hf.finemed.reading import (
    OWN_NAMES,
    has_half,
    input_files,
    row_of,
    rows_of,
    tell_once,
    whole,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from doctobert_hf.finemed.config import StageConfig

_BATCH = 1000
"""Rows whose types are found at once."""


def input_schema(config: StageConfig, inputs: tuple[str, ...] | None = None) -> pa.Schema:
    """The columns of all inputs together, text and id apart.

    Raises:
        DataError: No text column, a text that is no string, no id column of a name that was
            given, or files that contradict each other.
    """
    import pyarrow as pa

    merged = pa.schema([])
    for place in inputs if inputs is not None else config.input:
        for file in input_files(place):
            schema = _file_schema(file, place, config)
            _check_text(schema, config.text_column, file.name)
            _check_id(schema, config.id_column, file.name)
            try:
                merged = pa.unify_schemas([merged, schema], promote_options="permissive")
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise DataError(
                    f"'{file.name}' of '{place}' has other types than the files before it "
                    f"({error})",
                    "one type for each column",
                ) from error
    kept = [item for item in merged if item.name not in (config.text_column, config.id_column)]
    _tell_renamed([item.name for item in kept], config)
    # A column that is null everywhere has no type of its own.
    return pa.schema(
        [
            pa.field(
                OWN_NAMES.get(item.name, item.name),
                pa.string() if pa.types.is_null(item.type) else item.type,
            )
            for item in kept
        ]
    )


def _tell_renamed(names: list[str], config: StageConfig) -> None:
    """Say which columns are kept under another name, because ``id`` and ``text`` are ours.

    Raises:
        DataError: That name is taken as well.
    """
    given = {"id": config.id_column, "text": config.text_column}
    for name in OWN_NAMES.keys() & set(names):
        if OWN_NAMES[name] in names:
            raise DataError(
                f"The input has columns '{name}' and '{OWN_NAMES[name]}', and '{name}' becomes "
                f"'{given[name]}'",
                f"no '{OWN_NAMES[name]}': the input's own '{name}' is kept under that name",
                "Rename one of them",
            )
        tell_once(
            f"'{given[name]}' becomes '{name}'; the input's own column '{name}' is kept as "
            f"'{OWN_NAMES[name]}'"
        )


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type of a column's values, however a file stores them.

    A category of pandas is a dictionary with as many bits as its own values need, which those of
    another file may not fit.
    """
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        return _plain(kind.value_type)
    if types.is_string_view(kind):
        return pa.string()
    if types.is_binary_view(kind):
        return pa.binary()
    if types.is_list(kind):
        return pa.list_(_plain(kind.value_type))
    if types.is_struct(kind):
        return pa.struct([item.with_type(_plain(item.type)) for item in kind])
    return kind


def _file_schema(file: CorpusFile, place: str, config: StageConfig) -> pa.Schema:
    import pyarrow as pa

    if is_columnar(file.path):
        with whole(file, place):
            found = schema_of(file.path)
        return pa.schema([item.with_type(_plain(item.type)) for item in found])
    return _row_schema(file, place, config)


def _row_schema(file: CorpusFile, place: str, config: StageConfig) -> pa.Schema:
    """Types of a file without types of its own: of all its rows, so that no column is lost.

    The types of text and id are not asked for: rows with another text are excluded one by one,
    and an id is read as a string.
    """
    import pyarrow as pa

    merged, own = pa.schema([]), set[str]()
    broken: BrokenRow | None = None
    rows = (row for _, row in rows_of(file, place, config.text_column))
    while batch := list(itertools.islice(rows, _BATCH)):
        kept = []
        for found in batch:
            if isinstance(found, BrokenRow):
                broken = broken or found
                continue
            row = row_of(found, config.text_column) or {}
            half = has_half(row)
            for key in (config.text_column, config.id_column):
                if row.pop(key, None) is not None:
                    own.add(key)
            if not half:  # excluded when it is read
                kept.append(row)
        merged = _merged(merged, kept, file.name)
    if broken is not None and not merged.names and not own:
        raise broken.error  # no line is a row: it is another file than its ending says
    return pa.schema([*merged, *(pa.field(key, pa.string()) for key in sorted(own))])


def _merged(before: pa.Schema, rows: list[dict[str, Any]], name: str) -> pa.Schema:
    """Add the columns of rows to those found before.

    Raises:
        DataError: A column has values that no type holds together.
    """
    import pyarrow as pa

    try:
        # Not Table.from_pylist: it takes the columns of the first row for those of all.
        names = dict.fromkeys(key for row in rows for key in row)
        columns = {key: pa.array([row.get(key) for row in rows]) for key in names}
        found = pa.schema([pa.field(key, values.type) for key, values in columns.items()])
        return pa.unify_schemas([before, found], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise DataError(
            f"A column of '{name}' has values of several types, or a number too long ({error})",
            "one type each, numbers of at most 64 bits",
        ) from error


def _check_text(schema: pa.Schema, column: str, name: str) -> None:
    import pyarrow as pa

    from doctobert_hf.errors import nearest

    if column not in schema.names:
        raise DataError(
            f"'{name}' has the columns {', '.join(schema.names)}",
            f"a column '{column}' with the text",
            f"Name yours with --text-column. {nearest(column, list(schema.names))}",
        )
    found = schema.field(column).type
    if not (
        pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_null(found)
    ):
        raise DataError(f"The column '{column}' of '{name}' is of type {found}", "a string")


def _check_id(schema: pa.Schema, column: str, name: str) -> None:
    """Refuse a file without the id column, where it is not the usual one, which may be missing."""
    if column not in schema.names and column != "id":
        from doctobert_hf.errors import nearest

        raise DataError(
            f"'{name}' has no column '{column}'",
            "the column with the ids",
            f"Name yours with --id-column. {nearest(column, list(schema.names))}",
        )
