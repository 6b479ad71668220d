"""Finding a task's raw files: in a folder of corpora, an archive, or an unpacked corpus."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from pathlib import Path

from doctobert_hf.drbenchmark.source.archives import ARCHIVES, open_archive
from doctobert_hf.drbenchmark.source.folder import RawFolder, listing
from doctobert_hf.drbenchmark.source.store import Directory, pattern_regex
from doctobert_hf.drbenchmark.spec import TaskSpec
from doctobert_hf.errors import DataError, UsageError

logger = logging.getLogger(__name__)
MAX_DEPTH, MAX_FOLDERS = 5, 3000


def find_corpus(task: TaskSpec, data_dir: str | Path) -> RawFolder:
    """Find a task's raw files in a folder of corpora, in an archive, or in an unpacked corpus.

    Folders are preferred to archives, the corpus's own name to others, the shallow to the deep.

    Raises:
        UsageError: ``data_dir`` does not exist or holds no such files; says what was looked for
            and what is there.
        DataError: An archive cannot be read.

    Example:
        >>> from doctobert_hf.drbenchmark import get_task
        >>> find_corpus(get_task("quaero_emea"), ".")
        Traceback (most recent call last):
        doctobert_hf.errors.UsageError: ...
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
            return RawFolder(Directory(ranked[0]))
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
        first, *others = [re.compile(f"(?:(.*)/)?{pattern_regex(p)}$") for p in layout]
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
    got += f": looked for {', '.join(task.files)}; {listing(found).rstrip('.')}"
    near = [name for name in found if _is_named(name, task)]
    if near:
        got += f"; nearest: {', '.join(near[:3])}"
    if problems:
        got += f"; could not open: {'; '.join(problems[:2])}"
    return UsageError(got, task.corpus.layout, how_to_obtain(task))


def how_to_obtain(task: TaskSpec) -> str:
    """Say in a sentence how to come by a corpus and where its files go.

    Example:
        >>> from doctobert_hf.drbenchmark import get_task
        >>> "QUAERO" in how_to_obtain(get_task("quaero_emea"))
        True
    """
    corpus = task.corpus
    if corpus.gate:
        return (
            f"{corpus.gate} Then pass data_dir=FOLDER (or set DOCTOBERT_DATA_DIR), where FOLDER "
            f"or one of its subfolders holds {corpus.layout}"
        )
    return (
        f"{corpus.title} is open ({corpus.license}): leave data_dir out to download it, or get it "
        f"from {corpus.homepage}"
    )
