"""Tab-separated tables with a header, read as text: nothing becomes a number or missing."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from doctobert_hf.drbenchmark.source import RawFolder
from doctobert_hf.errors import DataError


def read_table(
    folder: RawFolder, name: str, columns: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Read the rows of a table by column name; other columns and empty lines are skipped.

    Yields:
        Row number from 1 (the header not counted), and the columns asked for.

    Raises:
        DataError: A column is missing, or a row has more fields than the header.
    """
    import pandas

    try:
        # Quotes as pandas reads them by default, which is what the original scripts used.
        table = pandas.read_csv(
            io.StringIO(folder.read_text(name, line_ends=True), newline=""),
            sep="\t",
            dtype=str,
            keep_default_na=False,
            index_col=False,
            on_bad_lines="error",
        )
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError) as error:
        raise DataError(f"{folder.where(name)}: {error}", "a tab-separated table") from error
    missing = [column for column in columns if column not in table.columns]
    if missing:
        have = ", ".join(repr(str(column)) for column in table.columns[:8])
        raise DataError(
            f"{folder.where(name)}: no column '{missing[0]}' (found {have})",
            f"the columns {', '.join(columns)}, separated by tabs",
        )
    for number, values in enumerate(zip(*(table[c] for c in columns), strict=True), 1):
        yield number, dict(zip(columns, values, strict=True))
