"""Tables as aligned text for terminals and as Markdown for reports."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence

_NARROWEST = 16  # columns that a cell of words keeps


def text_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None
) -> str:
    """Return an aligned table; words are set left, numbers right.

    Args:
        header: Names of the columns.
        rows: Cells.
        width: Columns of the terminal: a wider table goes on below, each part with the first
            column, and words that are still too wide go on below in their cell. Default: the
            terminal's; without one, as wide as it is.
    """
    if width is None and sys.stdout.isatty():
        width = shutil.get_terminal_size((80, 24)).columns
    parts = []
    for columns in _fitting(header, rows, width):
        picked = [[str(row[i]) for i in columns] for row in [header, *rows]]
        parts.append(_aligned(picked[0], picked[1:], width))
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


def _aligned(header: Sequence[str], rows: Sequence[Sequence[str]], limit: int | None = None) -> str:
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    words = [_is_word(rows, index) for index in range(len(header))]
    over = sum(widths) + 2 * (len(widths) - 1) - limit if limit is not None else 0
    for index in sorted(range(len(widths)), key=lambda i: -widths[i]):
        if over > 0 and words[index] and widths[index] > _NARROWEST:
            cut = min(over, widths[index] - max(_NARROWEST, len(header[index])))
            widths[index] -= cut
            over -= cut

    def line(cells: Sequence[str]) -> str:
        wrapped = [
            textwrap.wrap(str(cell), width) if len(str(cell)) > width else [str(cell)]
            for cell, width in zip(cells, widths, strict=True)
        ]
        lines = []
        for at in range(max(map(len, wrapped))):
            parts = [cell[at] if at < len(cell) else "" for cell in wrapped]
            set_out = [
                part.ljust(width) if word else part.rjust(width)
                for part, width, word in zip(parts, widths, words, strict=True)
            ]
            lines.append("  ".join(set_out).rstrip())
        return "\n".join(lines)

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
