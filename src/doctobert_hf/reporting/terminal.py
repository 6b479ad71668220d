"""What a terminal shows: lines broken between words, and no bar that a message is glued to."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from typing import Any, TextIO


class TerminalStream:
    r"""A stream to a terminal that breaks long lines between words and clears an open bar first.

    A command that is broken goes on behind a backslash, so that it can be copied.

    Args:
        stream: The terminal.
        columns: Its width; None: asked for at each line.

    Example:
        >>> stream = TerminalStream(sys.stdout, columns=20)
        >>> _ = stream.write("An error is broken between its words.\n")
        An error is broken
        between its words.
    """

    def __init__(self, stream: TextIO, columns: int | None = None) -> None:
        self._stream, self._columns = stream, columns
        self._begun = False  # whether something stands in the line
        self._bar = False  # whether that is a bar, which is drawn again and again

    def write(self, text: str) -> int:
        """Write text; return its length as given."""
        if "\r" in text:
            self._bar = self._begun = not text.endswith(("\n", "\r"))
            self._stream.write(text)
            return len(text)
        if self._bar and text.strip():
            self._stream.write(f"\r{' ' * (self._width() - 1)}\r")  # it draws itself again below
            self._begun = False
        self._bar = self._bar and not text
        lines = text.split("\n")
        first = lines[0] if self._begun else self._broken(lines[0])
        shown = [first, *map(self._broken, lines[1:])]
        self._stream.write("\n".join(shown))
        self._begun = bool(lines[-1]) or (self._begun and len(lines) == 1)
        return len(text)

    def _broken(self, line: str) -> str:
        return broken(line, self._width())

    def _width(self) -> int:
        if self._columns:
            return self._columns
        try:  # stdout may be a file while this stream is a terminal
            return os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError, AttributeError):
            return shutil.get_terminal_size().columns

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def broken(line: str, width: int | None = None) -> str:
    r"""Break a line between words; a command goes on behind a backslash, so that it can be copied.

    Args:
        line: Text of one line; escape codes take no room.
        width: Columns; None: those of the terminal that stdout is, without one as it is.

    Example:
        >>> print(broken("f1 95.82 on test, 100.00 on validation", 20))
        f1 95.82 on test,
        100.00 on validation
        >>> print(broken("next: doctobert-hf hub verify my-run", 28))
        next: doctobert-hf hub \
            verify my-run
    """
    if width is None:
        if not sys.stdout.isatty():
            return line
        width = shutil.get_terminal_size().columns
    if _shown(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    lines: list[str] = []
    now, ends = indent, ""  # ends: how the command that is being written ends; empty: none is
    for blank, word in _words(line[len(indent) :]):
        begins = not ends and word.lstrip("'`(\"") == COMMAND
        room = width - (len(_GOES_ON) if ends or begins else 0)
        if now.strip() and _shown(now + blank + word) > room:
            lines.append(now + (_GOES_ON if ends else ""))
            now = (indent + "    " if ends else indent) + word
        else:
            now += blank + word
        if begins:  # in quotes or brackets it ends with them
            ends = _CLOSING.get(word[0], _END_OF_SENTENCE)
        elif ends and _is_end(word, ends):
            ends = ""
    return "\n".join([*lines, now])


def _is_end(word: str, ends: str) -> bool:
    if ends == _END_OF_SENTENCE:  # '.' alone is a folder
        return len(word) > 1 and word[-1] in ends
    return word.rstrip(_END_OF_SENTENCE).endswith(ends)


def _words(text: str) -> Iterator[tuple[str, str]]:
    """Yield words with the blanks before them; of a command what is quoted is one word."""
    place, in_command = 0, False
    while found := (_ARGUMENT if in_command else _WORD).match(text, place):
        yield found[1], found[2]
        place = found.end()
        in_command = in_command or found[2] == COMMAND


COMMAND = "doctobert-hf"
_GOES_ON = " \\"
_END_OF_SENTENCE = ".,;:"
_CLOSING = {"'": "'", '"': '"', "`": "`", "(": ")"}
_WORD = re.compile(r"([ \t]*)([^ \t]+)")
_ARGUMENT = re.compile(r"""([ \t]*)((?:'[^']*'|"[^"]*"|[^ \t'"])+|[^ \t]+)""")
_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def _shown(text: str) -> int:
    """Return how many columns a text takes."""
    return len(_ESCAPE.sub("", text))


@contextlib.contextmanager
def terminal_words() -> Iterator[None]:
    """Let stderr break its words while a command runs, where it is a terminal.

    Not stdout: what stands there is data, in which a line's end means something.
    """
    before = sys.stderr
    if before is not None and before.isatty():
        sys.stderr = TerminalStream(before)  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.stderr = before
