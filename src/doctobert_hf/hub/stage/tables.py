"""Tables within a text, CSV and Markdown, one of whose columns is named as passwords are."""

from __future__ import annotations

import re
from collections.abc import Iterator

NAMES = (
    r"(?:\w{1,32}[_ -])?(?:password|passwd|pwd|passphrase|mots?[_ -]?de[_ -]?passe|mdp|"
    r"api[_ -]?key|secret[_ -]?(?:access[_ -]?)?key|client[_ -]?secret|private[_ -]?key|"
    r"(?:api|access|auth|refresh|bearer)[_ -]?token)"
)
"""Columns whose values are secrets where they look like one, whatever the case."""
_EDGE = "[ \"'*`]{0,4}"
HEAD = rf"(?im:(?:^|[,;\t|]){_EDGE}{NAMES}{_EDGE}(?:[,;\t|\r\n]|$))"
"""Such a name where a cell of a header may be."""
_HEAD = re.compile(HEAD.encode())
_NAMES = re.compile(f"(?i:{NAMES})".encode())
_RULE = re.compile(rb"[\s|:+-]*")
_DELIMITERS = (b"\t", b";", b"|", b",")


def cells(content: bytes) -> Iterator[bytes]:
    r"""Yield what stands below a header that names passwords.

    Args:
        content: A text, in UTF-8.

    Returns:
        Cells, without quotes. A table ends where a line has another number of cells.

    Example:
        >>> list(cells(b"| login | mot de passe |\n|---|---|\n| jean | aB3dE7fG |\n\nFin"))
        [b'aB3dE7fG']
    """
    start = 0
    while head := _HEAD.search(content, start):
        # Of a cell that begins with the delimiter, the line is the one that it is in.
        first = content.rfind(b"\n", start, head.start() + 1) + 1 or start
        lines = _lines(content, first)
        names, start = next(lines)
        delimiter = max(_DELIMITERS, key=names.count)
        named = [_bare(cell) for cell in _cells(names, delimiter)]
        columns = [i for i, name in enumerate(named) if _NAMES.fullmatch(name)]
        for line, end in lines if len(named) > 1 else ():
            row = _cells(line, delimiter)
            if len(row) != len(named):
                break
            start = end
            if not _RULE.fullmatch(line):
                yield from (_bare(row[i]) for i in columns)
        start = max(start, head.end())


def _lines(content: bytes, start: int) -> Iterator[tuple[bytes, int]]:
    """Yield lines, and where each ends."""
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        yield content[start:end], end
        start = end + 1


def _cells(line: bytes, delimiter: bytes) -> list[bytes]:
    """Split a line; what stands between quotes in CSV may hold the delimiter."""
    if delimiter + b'"' not in delimiter + line:
        return line.split(delimiter)
    sign = re.escape(delimiter)
    return [
        found[1]
        for found in re.finditer(
            rb"(?:\A|" + sign + rb')("(?:[^"]|"")*+"(?=' + sign + rb"|\s*\Z)|[^" + sign + rb"]*)",
            line,
        )
    ]


def _bare(cell: bytes) -> bytes:
    return cell.strip(b" \t\r\"'*`")
