"""The columns of a stage's inputs together: types of all files, and what must be there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DataError
from doctobert_hf.finemed.reading import (
    OWN_NAMES,
    HalfRow,
    broken_files,
    input_files,
    parsed,
    tell_once,
    unreadable,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from doctobert_hf.finemed.config import StageConfig


def input_schema(config: StageConfig, inputs: tuple[str, ...] | None = None) -> pa.Schema:
    """The columns of all inputs together, text and id apart.

    Raises:
        DataError: No text column, a text that is no string, no id column of a name that was
            given, or files that contradict each other.
    """
    import pyarrow as pa

    merged = pa.schema([])
    for place in inputs if inputs is not None else config.input:
        folder, names = input_files(place)
        for name in names:
            schema = _file_schema(folder, name, config)
            _check_text(schema, config.text_column, name)
            _check_id(schema, config.id_column, name)
            try:
                merged = pa.unify_schemas([merged, schema], promote_options="permissive")
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise DataError(
                    f"'{name}' of '{place}' has other types than the files before it ({error})",
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


def _file_schema(folder: str, name: str, config: StageConfig) -> pa.Schema:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from datatrove.io import get_datafolder

    with get_datafolder(folder).open(name, "rb", compression="infer") as raw:
        if not name.lower().endswith(".parquet"):
            try:
                return _table_schema(raw, config, name)
            except broken_files() as error:
                if isinstance(error, DataError):
                    raise
                raise unreadable(folder, name, error) from error
        try:
            return pq.ParquetFile(raw).schema_arrow.remove_metadata()
        except (pa.ArrowInvalid, OSError) as error:
            raise unreadable(folder, name, error) from error


def _table_schema(lines: Any, config: StageConfig, name: str) -> pa.Schema:
    """Types of a JSONL file: all its rows, in batches, so that a late column is not lost.

    The types of text and id are not asked for: rows with another text are excluded one by one,
    and an id is read as a string.
    """
    import pyarrow as pa

    merged, rows, own = pa.schema([]), list[dict[str, Any]](), set[str]()

    def merge() -> pa.Schema:
        try:
            # Not Table.from_pylist: it takes the columns of the first row for those of all.
            names = dict.fromkeys(key for row in rows for key in row)
            columns = {key: pa.array([row.get(key) for row in rows]) for key in names}
            found = pa.schema([pa.field(key, values.type) for key, values in columns.items()])
            return pa.unify_schemas([merged, found], promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            raise DataError(
                f"A column of '{name}' has values of several types, or a number too long ({error})",
                "one type each, numbers of at most 64 bits",
            ) from error

    broken: bytes | None = None
    for line in lines:
        row = parsed(line) if line.strip() else ""
        if line.strip() and not isinstance(row, dict):
            broken = broken or line
        if isinstance(row, dict):
            own |= {
                key
                for key in (config.text_column, config.id_column)
                if row.pop(key, None) is not None
            }
            if not isinstance(row, HalfRow):  # excluded when it is read
                rows.append(row)
        if len(rows) == 1000:
            merged = merge()
            rows = []
    merged = merge() if rows else merged
    if broken is not None and not merged.names and not own:
        _refuse_lines(broken, name)
    return pa.schema([*merged, *(pa.field(key, pa.string()) for key in sorted(own))])


def _refuse_lines(line: bytes, name: str) -> None:
    """Say what is wrong with a file of which no line is a row."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"'{name}' is not UTF-8 (byte 0x{line[error.start]:02x})",
            "text in UTF-8",
            f"Convert it: iconv -f windows-1252 -t utf-8 '{Path(name).name}' > fixed.jsonl",
        ) from error
    raise DataError(f"'{name}' has no line that is a JSON object ({line[:60]!r})", "a row a line")


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
