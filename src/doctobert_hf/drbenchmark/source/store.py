"""A place that holds files under relative names: here a plain folder; archives stand beside it."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from doctobert_hf.errors import DataError

MAX_FILE = 1 << 29
"""Bytes of a file in a folder, which its owner can see."""
MAX_MEMBER = 1 << 26
"""Bytes of a file in an archive; the largest real one has 2 MB. Stops archive bombs."""
MAX_READ = 1 << 28
"""Bytes that may be read of one archive; the largest real corpus has some 20 MB."""


class Store:
    """A folder or archive: names, content, and a state that changes when the content does."""

    label: str
    _taken = 0

    def take(self, name: str, size: int) -> None:
        """Count bytes that are about to be read.

        Raises:
            DataError: The file alone, or all that was read of the store, is too much.
        """
        if size > MAX_MEMBER:
            raise too_large(self.where(name), MAX_MEMBER)
        self._taken += size
        if self._taken > MAX_READ:
            raise too_large(f"What is read of {self.label}", MAX_READ)

    def names(self) -> Collection[str]:
        """Names of all files."""
        raise NotImplementedError

    def has(self, name: str) -> bool:
        """Return whether there is such a file."""
        return name in self.names()

    def matching(self, prefix: str, pattern: str) -> list[str]:
        """Names below a prefix that match a pattern, without the prefix."""
        match = re.compile(f"{re.escape(prefix)}({pattern_regex(pattern)})$").match
        return [found[1] for name in self.names() if (found := match(name))]

    def where(self, name: str) -> str:
        """Name a file for messages."""
        return f"{self.label}:{name}"

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        raise NotImplementedError

    def state(self, name: str) -> str:
        """A word that changes when the content does."""
        raise NotImplementedError


class Directory(Store):
    """A plain folder."""

    def __init__(self, path: Path) -> None:
        self.path, self.label = path, str(path)

    def matching(self, prefix: str, pattern: str) -> list[str]:
        """Names below a prefix that match a pattern, without the prefix."""
        base = self.path / prefix
        # A literal name may hold characters that glob would read as a pattern.
        found = base.glob(pattern) if "*" in pattern else [base / pattern]
        return [path.relative_to(base).as_posix() for path in found if path.is_file()]

    def has(self, name: str) -> bool:
        """Return whether there is such a file."""
        return (self.path / name).is_file()

    def where(self, name: str) -> str:
        """Name a file for messages."""
        return str(self.path / name)

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        path = self.path / name
        try:
            if not path.is_file():
                raise DataError(f"{path} is a pipe or a device", "a file")
            if path.stat().st_size > MAX_FILE:
                raise too_large(str(path), MAX_FILE)
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"Cannot read {path} ({error.strerror})") from error

    def state(self, name: str) -> str:
        """A word that changes when the content does."""
        status = (self.path / name).stat()
        return f"{status.st_size}-{status.st_mtime_ns}"


def too_large(label: str, limit: int) -> DataError:
    """The error for more bytes than a corpus has."""
    return DataError(
        f"{label} is larger than {limit >> 20:,} MB",
        "files of the corpus",
        "It is another archive, or not safe: get it again from its authors",
    )


def pattern_regex(pattern: str) -> str:
    """Regular expression of a pattern whose ``*`` stops at ``/``."""
    return "".join("[^/]*" if char == "*" else re.escape(char) for char in pattern)
