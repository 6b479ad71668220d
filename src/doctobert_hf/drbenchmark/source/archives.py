"""Zip and tar archives, read member by member and never unpacked.

So no entry can land outside a folder; an entry whose name tries to is an error all the same.
"""

from __future__ import annotations

import collections
import functools
import logging
import lzma
import posixpath
import re
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import IO

from doctobert_hf.drbenchmark.source import store as limits
from doctobert_hf.drbenchmark.source.store import Store, too_large
from doctobert_hf.errors import DataError, UsageError

logger = logging.getLogger(__name__)
ARCHIVES = (*(".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2"),)
MAX_UNPACKED = 1 << 36
"""Bytes a compressed tar archive may come to: listing it means decompressing it."""


class Zip(Store):
    """A zip archive."""

    def __init__(self, file: Path | IO[bytes], label: str) -> None:
        self.label = label
        try:
            self._archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            raise _broken(label, error) from error
        members = [i for i in self._archive.infolist() if not i.is_dir()]
        _check_names([i.filename for i in members], label)
        _tell_of_twins([i.filename for i in members], label)
        # Some old tools write backslashes between folders.
        self._members = {i.filename.replace("\\", "/"): i for i in members}

    def names(self) -> Collection[str]:
        """Names of all files."""
        return self._members.keys()

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        self.take(name, self._members[name].file_size)
        try:
            return self._archive.read(self._members[name])
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:
            raise _broken(self.where(name), error) from error

    def state(self, name: str) -> str:
        """A word that changes when the content does."""
        return f"{self._members[name].file_size}-{self._members[name].CRC:08x}"


class Tar(Store):
    """A tar archive: names first; content of what a corpus needs in one more pass."""

    def __init__(self, path: Path) -> None:
        self.path, self.label = path, str(path)
        status = path.stat()
        self._stamp = f"{status.st_size}-{status.st_mtime_ns}"
        self._members = _tar_listing(str(path), self._stamp)
        self._content: dict[str, bytes] = {}

    def names(self) -> Collection[str]:
        """Names of all files."""
        return self._members.keys()

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        if name not in self._content:
            self._read_like(name)
        return self._content[name]

    def _read_like(self, wanted: str) -> None:
        """Read all files of the same ending and folder: compressed tar has no index.

        Where they are more than a corpus has, only the one that is asked for.
        """
        folder, ending = posixpath.dirname(wanted), posixpath.splitext(wanted)[1]
        like = {
            name: size
            for name, size in self._members.items()
            if posixpath.dirname(name) == folder and name.endswith(ending)
        }
        if sum(like.values()) > limits.MAX_READ - self._taken:
            like = {wanted: self._members[wanted]}
        for name, size in like.items():
            self.take(name, size)
        try:
            with tarfile.open(self.path) as archive:
                for member in archive:
                    name = posixpath.normpath(member.name)
                    if not member.isfile() or name not in like or member.size != like[name]:
                        continue
                    stream = archive.extractfile(member)
                    assert stream is not None
                    self._content[name] = stream.read()
        except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise _broken(self.label, error) from error

    def state(self, name: str) -> str:
        """A word that changes when the content does."""
        return f"{self._members[name]}-{self._stamp}"


@functools.lru_cache(maxsize=64)
def _tar_listing(path: str, stamp: str) -> dict[str, int]:
    """Names and sizes of a tar archive's files; listing a compressed one means reading it all."""
    members: dict[str, int] = {}
    names: list[str] = []
    total = 0
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if not (member.isfile() or member.isdir()):
                    raise DataError(
                        f"{path}: entry '{member.name}' is a link or a device",
                        "files and folders only",
                    )
                _check_names([member.name], path)
                total += member.size
                if total > MAX_UNPACKED:
                    raise too_large(path, MAX_UNPACKED)
                if member.isfile():
                    names.append(posixpath.normpath(member.name))
                    members[names[-1]] = member.size
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise _broken(path, error) from error
    _tell_of_twins(names, path)
    return members


def _tell_of_twins(names: list[str], label: str) -> None:
    twins = [name for name, count in collections.Counter(names).items() if count > 1]
    if twins:
        logger.warning(
            "%s has %d entries twice, e.g. '%s': the last of each is read",
            *(label, len(twins), twins[0]),
        )


def _check_names(names: Iterable[str], label: str) -> None:
    for name in names:
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or re.match(r"^[A-Za-z]:", name):
            raise DataError(
                f"{label}: entry '{name}' leads out of the archive's folder",
                "relative names without '..'",
                "Get the archive again from its authors; this one is not safe",
            )


def _broken(label: str, error: Exception) -> DataError:
    return DataError(
        f"{label} cannot be read ({str(error) or type(error).__name__})",
        "a whole zip or tar archive",
        "It may be cut off or damaged: copy or download it again",
    )


def open_archive(path: Path) -> Store:
    """Open a zip or tar archive.

    Raises:
        DataError: It is cut off, damaged, or has an entry that leads out of it.
        UsageError: It is neither.

    Example:
        >>> import zipfile
        >>> with zipfile.ZipFile("corpus.zip", "w") as archive:
        ...     archive.writestr("a.txt", "Une toux.")
        >>> open_archive(Path("corpus.zip")).read("a.txt")
        b'Une toux.'
    """
    if not path.is_file():
        raise UsageError(f"'{path}' is a pipe or a device", "an archive or a folder")
    name = path.name.lower()
    if name.endswith(".zip"):
        return Zip(path, str(path))
    if name.endswith(ARCHIVES):
        return Tar(path)
    if zipfile.is_zipfile(path):  # downloads are cached under names without an ending
        return Zip(path, str(path))
    if tarfile.is_tarfile(path):
        return Tar(path)
    raise UsageError(f"'{path}' is not an archive", "a zip, tar or tar.gz file, or a folder")


def open_zip(file: IO[bytes], label: str) -> Store:
    """Open a zip from a file-like object, such as a remote file read by ranges.

    Example:
        >>> import io, zipfile
        >>> file = io.BytesIO()
        >>> with zipfile.ZipFile(file, "w") as archive:
        ...     archive.writestr("a.txt", "Une toux.")
        >>> sorted(open_zip(file, "a zip").names())
        ['a.txt']
    """
    return Zip(file, label)
