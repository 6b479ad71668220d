"""Opening a corpus file wherever it lies, unpacked where it is packed."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from doctobert_hf.errors import DataError, DoctobertError, UsageError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

UNREADABLE = "cannot be read to its end"


class UnreadableFile(DataError):
    """A file that is cut short, or of another kind than its ending says."""


def unreadable(path: File, kind: str, error: BaseException) -> UnreadableFile:
    """Return the error that tells of a file that cannot be read to its end.

    Args:
        path: The file.
        kind: What it should be: ``a whole gzip file``.
        error: What its reader said.
    """
    return UnreadableFile(
        f"'{path}' is not {kind}: it {UNREADABLE} ({error})", fix="Fetch or write it again"
    )


@dataclass(frozen=True)
class RemoteFile:
    """A file at an address of fsspec, with what readers ask of a ``Path``.

    Attributes:
        folder: Address of its folder: ``hf://datasets/OWNER/NAME``.
        name_below: Its name below the folder.
    """

    folder: str
    name_below: str

    def __str__(self) -> str:
        return f"{self.folder.rstrip('/')}/{self.name_below}"

    @property
    def name(self) -> str:
        """Last part of the address."""
        return PurePosixPath(self.name_below).name

    @property
    def suffix(self) -> str:
        """Last ending, with its dot."""
        return PurePosixPath(self.name_below).suffix

    def open(self, mode: str = "rb") -> IO[bytes]:
        """Open the file; what is read is fetched in blocks."""
        opened: IO[bytes] = remote_folder(self.folder).open(self.name_below, mode)
        return opened

    def read_bytes(self) -> bytes:
        """Return the content."""
        with self.open() as file:
            return file.read()


File = Path | RemoteFile


def size_of(path: File) -> int:
    """Return how many bytes a file has."""
    if isinstance(path, Path):
        return path.stat().st_size
    return int(remote_folder(path.folder).size(path.name_below))


def remote_folder(address: str) -> AbstractFileSystem:
    """Return the files below an address as a file system of its own."""
    from fsspec.core import url_to_fs
    from fsspec.implementations.dirfs import DirFileSystem

    files, root = url_to_fs(address)
    return DirFileSystem(path=root, fs=files)


def remote_files(address: str) -> list[str]:
    """Return the names of all files below an address, sorted; of a file's address its own.

    Raises:
        UsageError: fsspec has no driver for it, or it cannot be reached.
    """
    try:
        return sorted(remote_folder(address).find(""))
    except ImportError as error:
        package = str(error).split()[1] if str(error).startswith("Install ") else "its driver"
        raise UsageError(
            f"'{address}' needs a driver of fsspec ({error})", fix=f"pip install {package}"
        ) from error
    except Exception as error:  # each driver has errors of its own
        raise UsageError(
            f"'{address}' cannot be reached ({type(error).__name__}: {error})",
            "an address that can be listed",
            "Check network, name and credentials, or copy the files here",
        ) from error


def is_remote_file(address: str) -> bool:
    """Return whether an address that can be reached is a file's, and no folder's."""
    from fsspec.core import url_to_fs

    files, root = url_to_fs(address)
    return bool(files.isfile(root))


def ending_of(path: File) -> str:
    """Return the ending that names the format: of ``Notes.TXT.gz`` it is ``.txt``."""
    # Not by suffixes: a file that is called ".txt" has none.
    endings = [f".{part}" for part in path.name.lower().split(".")[1:]]
    return endings[-2] if endings[-1] in (".gz", ".zst") else endings[-1]


@contextmanager
def opened(path: File) -> Iterator[IO[bytes]]:
    """Open a file, unpacked where it is packed.

    Raises:
        UnreadableFile: A packed file that is not whole.
    """
    packed = path.suffix.lower()
    if packed not in (".gz", ".zst"):
        with path.open("rb") as file:
            yield file
        return
    import pyarrow as pa

    try:
        with path.open("rb") as raw:
            if packed == ".gz":
                with gzip.open(raw) as unpacked:
                    yield unpacked  # type: ignore[misc]
            else:
                with pa.input_stream(raw, compression="zstd") as stream:
                    yield io.BufferedReader(stream)
    except FileNotFoundError:
        raise
    except (EOFError, OSError, zlib.error) as error:
        if isinstance(error, DoctobertError) or getattr(error, "errno", None) is not None:
            raise
        kind = "gzip" if packed == ".gz" else "Zstandard"
        raise unreadable(path, f"a whole {kind} file", error) from error


@contextmanager
def told(path: File) -> Iterator[None]:
    """Tell in our words of a file that the system does not let us read.

    Raises:
        UsageError: With the system's reason.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, DoctobertError):
            raise
        raise UsageError(f"'{path}' cannot be read ({error.strerror or error})") from error
