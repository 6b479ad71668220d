"""Tables as aligned text for terminals and as Markdown for reports."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence


def text_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None
) -> str:
    """Return an aligned table; words are set left, numbers right.

    Args:
        header: Names of the columns.
        rows: Cells.
        width: Columns of the terminal: a wider table goes on below, each part with the first
            column. Default: the terminal's; without one, as wide as it is.
    """
    if width is None and sys.stdout.isatty():
        width = shutil.get_terminal_size((80, 24)).columns
    parts = []
    for columns in _fitting(header, rows, width):
        picked = [[str(row[i]) for i in columns] for row in [header, *rows]]
        parts.append(_aligned(picked[0], picked[1:]))
    return "\n\n".join(parts)


def _fitting(
    header: Sequence[str], rows: Sequence[Sequence[str]], width: int | None
) -> list[list[int]]:
    """Columns of each part of a table."""
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    parts: list[list[int]] = [[0]]
    used = widths[0]
    for column in range(1, len(header)):
        needed = widths[column] + 2
        if width is not None and used + needed > width and len(parts[-1]) > 1:
            parts.append([0])
            used = widths[0]
        parts[-1].append(column)
        used += needed
    return parts


def _aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        parts = [
            str(cell).ljust(width) if _is_word(rows, index) else str(cell).rjust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(parts).rstrip()

    return "\n".join([line(header), line(["-" * w for w in widths]), *map(line, rows)])


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; cells are escaped."""
    marks = ["---" if _is_word(rows, index) else "---:" for index in range(len(header))]
    lines = [list(header), marks, *([_escaped(str(cell)) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _is_word(rows: Sequence[Sequence[str]], index: int) -> bool:
    return any(
        not str(row[index])[:1].isdigit() for row in rows if str(row[index])[:1] not in "-+–"
    )


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
