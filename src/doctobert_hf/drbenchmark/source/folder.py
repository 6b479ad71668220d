"""The files of a corpus by their names, wherever they lie."""

from __future__ import annotations

import hashlib
import io
import posixpath
from collections.abc import Iterable
from pathlib import Path

from doctobert_hf.drbenchmark.source.store import Directory, Store
from doctobert_hf.errors import DataError


class RawFolder:
    """Files of a corpus by their names relative to its own folder, wherever they lie.

    Args:
        store: The folder or archive.
        root: Folder inside it that the names are relative to.

    Example:
        >>> from pathlib import Path
        >>> Path("corpus").mkdir(exist_ok=True)
        >>> _ = Path("corpus/a.txt").write_text("Une toux.")
        >>> folder = open_folder(Path("corpus"))
        >>> folder.names("*.txt"), folder.where("a.txt", line=1)
        (['a.txt'], 'corpus/a.txt:1')
        >>> folder.read_text("a.txt"), len(folder.read_bytes("a.txt"))
        ('Une toux.', 9)
    """

    def __init__(self, store: Store, root: str = "") -> None:
        self.store, self.root = store, root

    def names(self, pattern: str) -> list[str]:
        """Return the file names that match a pattern (``*`` stops at ``/``), in byte order."""
        return sorted(self.store.matching(f"{self.root}/" if self.root else "", pattern))

    def where(self, name: str, line: int | None = None) -> str:
        """Name a file, and a line, for messages."""
        place = self.store.where(posixpath.join(self.root, name))
        return place if line is None else f"{place}:{line}"

    def read_bytes(self, name: str) -> bytes:
        """Return a file's content.

        Raises:
            DataError: The file is missing, cut off, damaged or too large.
        """
        if not self.store.has(posixpath.join(self.root, name)):
            beside = posixpath.join(posixpath.dirname(name), "*")
            raise DataError(
                f"There is no file {self.where(name)}",
                fix=f"Beside it: {listing(self.names(beside))}",
            )
        return self.store.read(posixpath.join(self.root, name))

    def read_text(self, name: str, line_ends: bool = False) -> str:
        """Return a file as the original scripts opened it: UTF-8, CR LF and CR read as LF.

        A byte order mark stays in the text.

        Args:
            name: The file.
            line_ends: Keep line ends as they are, for tables whose cells may hold some.

        Raises:
            DataError: The file is not UTF-8; the message has the place of the first bad byte.
        """
        data = self.read_bytes(name)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise DataError(
                f"{self.where(name, line)}: byte {error.start} (0x{data[error.start]:02x}) is not "
                "UTF-8",
                "UTF-8 text",
                "Convert the file, e.g. with iconv -f WINDOWS-1252 -t UTF-8",
            ) from None
        return text if line_ends else text.replace("\r\n", "\n").replace("\r", "\n")

    def fingerprint(self, patterns: Iterable[str]) -> str:
        """Return the fingerprint of the files: names, sizes, and times or the store's hashes."""
        digest = hashlib.sha256(self.store.label.encode())
        for name in sorted({n for pattern in patterns for n in self.names(pattern)}):
            state = self.store.state(posixpath.join(self.root, name))
            digest.update(f"{name}\0{state}\n".encode())
        return digest.hexdigest()[:16]


def open_folder(path: Path) -> RawFolder:
    """Return a plain folder's files.

    Example:
        >>> from pathlib import Path
        >>> Path("corpus").mkdir(exist_ok=True)
        >>> _ = Path("corpus/a.txt").write_text("Une toux.")
        >>> list(open_folder(Path("corpus")).names("*.txt"))
        ['a.txt']
    """
    return RawFolder(Directory(path))


def listing(names: Iterable[str]) -> str:
    """Say what files were found, the first eight by name."""
    names = sorted(names)
    if not names:
        return "found nothing."
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"found {', '.join(names[:8])}{more}."


def text_lines(text: str) -> list[str]:
    r"""Lines of a text cut at ``\n`` only, each with its line end, as ``readlines()`` gives.

    Example:
        >>> text_lines("Une toux.\nFin.")
        ['Une toux.\n', 'Fin.']
    """
    return io.StringIO(text, newline="\n").readlines()
