"""Raw corpora where users have them: a folder of corpora, an archive, or an unpacked corpus.

Archives are read member by member and never unpacked, so that no entry can land outside a folder;
an entry whose name tries to is an error all the same.
"""

from __future__ import annotations

import collections
import functools
import hashlib
import io
import logging
import lzma
import os
import posixpath
import re
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import IO

from doctobert_hf.drbenchmark.spec import TaskSpec
from doctobert_hf.errors import DataError, UsageError

ARCHIVES = (*(".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2"),)
logger = logging.getLogger(__name__)
MAX_DEPTH, MAX_FOLDERS = 5, 3000
MAX_FILE = 1 << 29
"""Bytes of a file in a folder, which its owner can see."""
MAX_MEMBER = 1 << 26
"""Bytes of a file in an archive; the largest real one has 2 MB. Stops archive bombs."""
MAX_READ = 1 << 28
"""Bytes that may be read of one archive; the largest real corpus has some 20 MB."""
MAX_UNPACKED = 1 << 36
"""Bytes a compressed tar archive may come to: listing it means decompressing it."""


class RawFolder:
    """Files of a corpus by their names relative to its own folder, wherever they lie.

    Args:
        store: The folder or archive.
        root: Folder inside it that the names are relative to.
    """

    def __init__(self, store: _Store, root: str = "") -> None:
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
                fix=f"Beside it: {_listing(self.names(beside))}",
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
        """Hash names, sizes and times or checksums of files, without reading them."""
        digest = hashlib.sha256(self.store.label.encode())
        for name in sorted({n for pattern in patterns for n in self.names(pattern)}):
            state = self.store.state(posixpath.join(self.root, name))
            digest.update(f"{name}\0{state}\n".encode())
        return digest.hexdigest()[:16]


def open_folder(path: Path) -> RawFolder:
    """Return a plain folder's files."""
    return RawFolder(_Directory(path))


class _Store:
    """A folder or archive: names, content, and a state that changes when the content does."""

    label: str
    _taken = 0

    def take(self, name: str, size: int) -> None:
        """Count bytes that are about to be read.

        Raises:
            DataError: The file alone, or all that was read of the store, is too much.
        """
        if size > MAX_MEMBER:
            raise _too_large(self.where(name), MAX_MEMBER)
        self._taken += size
        if self._taken > MAX_READ:
            raise _too_large(f"What is read of {self.label}", MAX_READ)

    def names(self) -> Collection[str]:
        raise NotImplementedError

    def has(self, name: str) -> bool:
        return name in self.names()

    def matching(self, prefix: str, pattern: str) -> list[str]:
        match = re.compile(f"{re.escape(prefix)}({_regex(pattern)})$").match
        return [found[1] for name in self.names() if (found := match(name))]

    def where(self, name: str) -> str:
        return f"{self.label}:{name}"

    def read(self, name: str) -> bytes:
        raise NotImplementedError

    def state(self, name: str) -> str:
        raise NotImplementedError


class _Directory(_Store):
    def __init__(self, path: Path) -> None:
        self.path, self.label = path, str(path)

    def matching(self, prefix: str, pattern: str) -> list[str]:
        base = self.path / prefix
        # A literal name may hold characters that glob would read as a pattern.
        found = base.glob(pattern) if "*" in pattern else [base / pattern]
        return [path.relative_to(base).as_posix() for path in found if path.is_file()]

    def has(self, name: str) -> bool:
        return (self.path / name).is_file()

    def where(self, name: str) -> str:
        return str(self.path / name)

    def read(self, name: str) -> bytes:
        path = self.path / name
        try:
            if not path.is_file():
                raise DataError(f"{path} is a pipe or a device", "a file")
            if path.stat().st_size > MAX_FILE:
                raise _too_large(str(path), MAX_FILE)
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"Cannot read {path} ({error.strerror})") from error

    def state(self, name: str) -> str:
        status = (self.path / name).stat()
        return f"{status.st_size}-{status.st_mtime_ns}"


class _Zip(_Store):
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
        return self._members.keys()

    def read(self, name: str) -> bytes:
        self.take(name, self._members[name].file_size)
        try:
            return self._archive.read(self._members[name])
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:
            raise _broken(self.where(name), error) from error

    def state(self, name: str) -> str:
        return f"{self._members[name].file_size}-{self._members[name].CRC:08x}"


class _Tar(_Store):
    """A tar archive: names first; content of what a corpus needs in one more pass."""

    def __init__(self, path: Path) -> None:
        self.path, self.label = path, str(path)
        status = path.stat()
        self._stamp = f"{status.st_size}-{status.st_mtime_ns}"
        self._members = _tar_listing(str(path), self._stamp)
        self._content: dict[str, bytes] = {}

    def names(self) -> Collection[str]:
        return self._members.keys()

    def read(self, name: str) -> bytes:
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
        if sum(like.values()) > MAX_READ - self._taken:
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
                    raise _too_large(path, MAX_UNPACKED)
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


def _too_large(label: str, limit: int) -> DataError:
    return DataError(
        f"{label} is larger than {limit >> 20:,} MB",
        "files of the corpus",
        "It is another archive, or not safe: get it again from its authors",
    )


def open_archive(path: Path) -> _Store:
    """Open a zip or tar archive.

    Raises:
        DataError: It is cut off, damaged, or has an entry that leads out of it.
        UsageError: It is neither.
    """
    if not path.is_file():
        raise UsageError(f"'{path}' is a pipe or a device", "an archive or a folder")
    name = path.name.lower()
    if name.endswith(".zip"):
        return _Zip(path, str(path))
    if name.endswith(ARCHIVES):
        return _Tar(path)
    if zipfile.is_zipfile(path):  # downloads are cached under names without an ending
        return _Zip(path, str(path))
    if tarfile.is_tarfile(path):
        return _Tar(path)
    raise UsageError(f"'{path}' is not an archive", "a zip, tar or tar.gz file, or a folder")


def open_zip(file: IO[bytes], label: str) -> _Store:
    """Open a zip from a file-like object, such as a remote file read by ranges."""
    return _Zip(file, label)


def find_corpus(task: TaskSpec, data_dir: str | Path) -> RawFolder:
    """Find a task's raw files in a folder of corpora, in an archive, or in an unpacked corpus.

    Folders are preferred to archives, the corpus's own name to others, the shallow to the deep.

    Raises:
        UsageError: ``data_dir`` does not exist or holds no such files; says what was looked for
            and what is there.
        DataError: An archive cannot be read.
    """
    path = Path(data_dir).expanduser()
    if not path.exists():
        raise UsageError(f"data_dir '{data_dir}' does not exist", "a folder or an archive")
    if not path.is_dir():
        store = open_archive(path)
        root = _root_in(store.names(), task)
        if root is None:
            raise _not_found(task, path, sorted(store.names()), [])
        return RawFolder(store, root)
    folders, archives = _walk(path)
    for layout in _layouts(task):
        candidates = [folder for folder in folders if _has_all(folder, layout)]
        if candidates:
            ranked = sorted(candidates, key=lambda found: _rank(found, path, task))
            if len(ranked) > 1:
                logger.info("%s: taken from %s, not %s", task.name, ranked[0], ranked[1])
            return RawFolder(_Directory(ranked[0]))
    return _in_archives(task, path, archives, limited=len(folders) > MAX_FOLDERS)


def _in_archives(task: TaskSpec, path: Path, archives: list[Path], limited: bool) -> RawFolder:
    """Look into archives, those of the corpus's name first."""
    problems: list[DataError] = []
    second: RawFolder | None = None
    for archive in sorted(archives, key=lambda found: _rank(found, path, task)):
        try:
            store = open_archive(archive)
        except DataError as error:
            problems.append(error)
            continue
        root = _root_in(store.names(), task)
        if root is None:
            continue
        folder = RawFolder(store, root)
        if not task.marker or task.marker.encode() in folder.read_bytes(task.files[0])[:4096]:
            return folder
        second = second or folder
    if second is not None:
        return second
    named = [error for error in problems if _is_named(error.got, task)]
    if named:
        raise named[0]
    found = sorted(entry.name for entry in path.iterdir())
    missing = _not_found(task, path, found, [str(error) for error in problems])
    if limited:
        missing = UsageError(
            f"{missing.got}; only the first {MAX_FOLDERS:,} folders were searched",
            missing.expected,
            missing.fix,
        )
    raise missing


def _walk(path: Path) -> tuple[list[Path], list[Path]]:
    """Folders and archives below a path, shallow first, hidden ones left out."""
    folders, archives, level = [path], [], [path]
    for _ in range(MAX_DEPTH):
        below: list[Path] = []
        for folder in level:
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False) or (entry.is_symlink() and entry.is_dir()):
                    below.append(Path(entry.path))
                elif entry.name.lower().endswith(ARCHIVES) and entry.is_file():
                    archives.append(Path(entry.path))
            if len(folders) + len(below) > MAX_FOLDERS:
                break
        folders += below
        level = below
    return folders, archives


def _has_all(folder: Path, patterns: tuple[str, ...]) -> bool:
    for pattern in patterns:
        head = pattern.split("/")[0]
        if "*" not in head and not (folder / head).exists():
            return False
        if "*" in pattern and next(folder.glob(pattern), None) is None:
            return False
        if "*" not in pattern and not (folder / pattern).is_file():
            return False
    return True


def _layouts(task: TaskSpec) -> list[tuple[str, ...]]:
    return [layout for layout in (task.files, task.alternative) if layout]


def _root_in(names: Iterable[str], task: TaskSpec) -> str | None:
    """The folder inside an archive whose files match all patterns: the shallowest, by name."""
    names = list(names)
    for layout in _layouts(task):
        first, *others = [re.compile(f"(?:(.*)/)?{_regex(p)}$") for p in layout]
        roots = {found[1] or "" for name in names if (found := first.match(name))}
        for pattern in others:
            roots &= {found[1] or "" for name in names if (found := pattern.match(name))}
        if roots:
            return min(roots, key=lambda root: (not _is_named(root, task), root.count("/"), root))
    return None


def _rank(found: Path, base: Path, task: TaskSpec) -> tuple[bool, bool, int, str]:
    relative = found.relative_to(base).as_posix()
    return (
        bool(task.marker) and not _marked(found, task),
        not _is_named(relative, task),
        relative.count("/"),
        relative,
    )


def _marked(folder: Path, task: TaskSpec) -> bool:
    try:
        with open(folder / task.files[0], "rb") as file:
            return task.marker.encode() in file.read(4096)
    except OSError:
        return False


def _is_named(text: str, task: TaskSpec) -> bool:
    flat = re.sub(r"[^a-z0-9]", "", text.lower())
    return any(name in flat for name in (task.corpus.name, *task.corpus.aliases))


def _not_found(task: TaskSpec, path: Path, found: list[str], problems: list[str]) -> UsageError:
    got = f"No files of {task.corpus.title} in '{path}'"
    got += f": looked for {', '.join(task.files)}; {_listing(found).rstrip('.')}"
    near = [name for name in found if _is_named(name, task)]
    if near:
        got += f"; nearest: {', '.join(near[:3])}"
    if problems:
        got += f"; could not open: {'; '.join(problems[:2])}"
    return UsageError(got, task.corpus.layout, how_to_obtain(task))


def how_to_obtain(task: TaskSpec) -> str:
    """Say in a sentence how to come by a corpus and where its files go."""
    corpus = task.corpus
    if corpus.gate:
        return (
            f"{corpus.gate} Then pass data_dir=FOLDER (or set DOCTOBERT_DATA_DIR), where FOLDER "
            f"or one of its subfolders holds {corpus.layout}"
        )
    return (
        f"{corpus.title} is open ({corpus.licence}): leave data_dir out to download it, or get it "
        f"from {corpus.homepage}"
    )


def _listing(names: Iterable[str]) -> str:
    names = sorted(names)
    if not names:
        return "found nothing."
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"found {', '.join(names[:8])}{more}."


def _regex(pattern: str) -> str:
    return "".join("[^/]*" if char == "*" else re.escape(char) for char in pattern)


def text_lines(text: str) -> list[str]:
    r"""Lines of a text cut at ``\n`` only, each with its line end, as ``readlines()`` gives."""
    return io.StringIO(text, newline="\n").readlines()
