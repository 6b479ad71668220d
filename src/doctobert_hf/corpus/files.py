"""Which files of a folder are a corpus; what is passed over is told, never read by accident."""

from __future__ import annotations

import difflib
import glob
import json
import logging
import re
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from doctobert_hf.corpus.opening import File, RemoteFile, is_remote_file, remote_files
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.files import is_remote, refuse_remote

logger = logging.getLogger(__name__)
_PACKED = (".gz", ".zst")
_PACKABLE = (".txt", ".jsonl", ".json", ".csv", ".tsv")
SUFFIXES = (
    ".txt",
    ".jsonl",
    ".json",
    ".parquet",
    ".csv",
    ".tsv",
    *(f"{kind}{packed}" for kind in _PACKABLE for packed in _PACKED),
)
"""Endings of corpus files, in any case."""
CONVERTED = (".md", ".markdown", ".html", ".htm", ".pdf", ".docx", ".pptx", ".xlsx", ".epub")
"""Endings of documents that are read where one document is one file (:mod:`.converted`)."""
_TOLD: set[str] = set()


def has_suffix(name: str, suffixes: tuple[str, ...] = SUFFIXES) -> bool:
    """Return whether a file's name ends like a corpus file, in lower or upper case."""
    return name.lower().endswith(suffixes)


@dataclass(frozen=True)
class CorpusFile:
    """A file of a corpus.

    Attributes:
        name: What it is called in ids: its path below the folder that was given.
        path: Where it lies.
    """

    name: str
    path: File


def corpus_files(place: str | Path, converted: bool = False) -> list[CorpusFile]:
    """Return the corpus files of a place by name: here, or at an address such as ``hf://``.

    Args:
        place: File, folder (also of ``save_to_disk``, or of a FineMed stage), pattern, or an
            address of fsspec.
        converted: Take Markdown, HTML, PDF and office files of this machine too.

    Raises:
        UsageError: Nothing is there, or nothing of a corpus.
        DataError: A folder that lacks files of its own.

    Example:
        >>> [file.name for file in corpus_files("documents.parquet")]
        ['documents.parquet']
    """
    if is_remote(place):
        return _at_address(str(place))
    path = Path(place)
    if is_saved_dataset(path):
        return [CorpusFile(file.name, file) for file in saved_files(path)]
    root = path / "data" if is_stage(path) else path
    return [CorpusFile(name_of(file, root), file) for file in list_files(path, converted)]


def _at_address(address: str) -> list[CorpusFile]:
    every = remote_files(address)
    folder = address
    if is_remote_file(address):
        folder, name = address.rsplit("/", 1)
        every = [name]
    hidden = [name for name in every if any(part.startswith(".") for part in name.split("/"))]
    names = [name for name in every if has_suffix(name) and name not in set(hidden)]
    others: dict[str, list[str]] = {}
    for name in sorted(set(every) - set(names) - set(hidden)):
        others.setdefault(Path(name).suffix.lower() or Path(name).name, []).append(name)
    passed = _passed(sum(map(has_suffix, hidden)), others)
    if not names:
        raise UsageError(
            f"No file in '{address}'",
            f"{', '.join(SUFFIXES)} in it or below",
            f"There are {', '.join(passed)}" if passed else "",
        )
    _tell_passed(address, passed)
    return [CorpusFile(name, RemoteFile(folder, name)) for name in names]


def saved_files(folder: Path) -> list[Path]:
    """Return the files of a folder that ``Dataset.save_to_disk`` wrote, in its order.

    Raises:
        UsageError: It holds several splits.
        DataError: One of its files is missing.
    """
    splits = folder / "dataset_dict.json"
    try:
        if splits.is_file():
            names = json.loads(splits.read_text(encoding="utf-8"))["splits"]
            raise UsageError(
                f"'{folder}' holds the splits {', '.join(map(repr, names))}",
                "one split",
                f"Name its folder: {folder / names[0]}",
            )
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        files = [folder / item["filename"] for item in state["_data_files"]]
    except (KeyError, TypeError, IndexError, json.JSONDecodeError) as error:
        raise DataError(
            f"'{folder}' is a damaged dataset of save_to_disk ({error!r})", fix="Save it again"
        ) from error
    for file in files:
        if not file.is_file():
            raise DataError(
                f"'{folder}' lacks its file '{file.name}'",
                "all files that save_to_disk wrote",
                "Copy it again, whole",
            )
    return files


def is_saved_dataset(path: str | Path) -> bool:
    """Return whether a folder was written by ``Dataset.save_to_disk`` or ``DatasetDict``'s.

    Example:
        >>> is_saved_dataset("documents.parquet")
        False
    """
    folder = Path(path)
    return (folder / "dataset_dict.json").is_file() or (
        (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file()
    )


def list_files(path: str | Path, converted: bool = False) -> list[Path]:
    """Return the corpus files at ``path``, a file, a glob, or a folder searched in depth, sorted.

    Hidden files and folders (``.git``, ``._notes.txt``), links to folders and files of other kinds
    are passed over; how many, and which, is told once for a folder or a pattern.

    Args:
        path: File, folder, or a pattern such as ``notes/*.txt`` or ``notes/**/*.txt``.
        converted: Take Markdown, HTML, PDF and office files too.

    Raises:
        UsageError: Nothing is there, or nothing of a corpus.

    Example:
        >>> [path.name for path in list_files("documents.parquet")]
        ['documents.parquet']
    """
    suffixes = (*SUFFIXES, *CONVERTED) if converted else SUFFIXES
    refuse_remote(
        path,
        "documents",
        "Copy or mount it; the stages of finemed read such addresses themselves (fsspec)",
    )
    path = Path(path)
    if path.is_file():
        if not has_suffix(path.name, suffixes):
            raise UsageError(f"The file '{path}'", f"one of {', '.join(suffixes)}")
        return [path]
    if path.is_dir():
        if is_saved_dataset(path):
            whole = not (path / "dataset_dict.json").is_file()
            return saved_files(path) if whole else sorted(path.rglob("*.arrow"))
        return _in_folder(stage_data(path), suffixes)
    if is_pattern(path):
        return _matching(path, suffixes)
    if not path.parent.is_dir():
        fix = f"'{path.parent}' does not exist either"
    else:
        close = difflib.get_close_matches(path.name, [p.name for p in path.parent.iterdir()], n=1)
        fix = f"Did you mean '{close[0]}'?" if close else "Check the path"
    raise UsageError(f"No file or folder '{path}'", fix=fix)


def is_pattern(path: str | Path) -> bool:
    """Return whether a path that is no file or folder has the signs of a pattern."""
    return any(mark in str(path) for mark in "*?[") and not Path(path).exists()


def name_of(path: Path, source: str | Path) -> str:
    """Return what a file is called in ids: its path below the folder or pattern that was given.

    Example:
        >>> name_of(Path("notes/2020/a.txt"), "notes/*/a.txt")
        '2020/a.txt'
    """
    if is_pattern(source):
        return path.relative_to(_searched(Path(source))).as_posix()
    root = Path(source)
    return path.relative_to(root).as_posix() if path != root and root.is_dir() else path.name


def _searched(pattern: Path) -> Path:
    """Return the folder below which a pattern is looked for."""
    while is_pattern(pattern):
        pattern = pattern.parent
    return pattern


def stage_data(path: Path) -> Path:
    """Return where the documents of a FineMed stage or mix lie; another folder as it is.

    Raises:
        UsageError: The stage is not finished.
        DataError: It has other documents than its manifest says: a shard was lost or cut.
    """
    if not is_stage(path):
        return path
    if not (path / "manifest.json").is_file():
        raise UsageError(f"'{path}' is a stage that is not finished", fix="Run it again to its end")
    _check_whole(path)
    return path / "data"


def _check_whole(stage: Path) -> None:
    """Compare a stage's shards with its manifest; from their footers, no row is read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        wanted = json.loads((stage / "manifest.json").read_text(encoding="utf-8")).get("documents")
    except (ValueError, AttributeError) as error:
        raise DataError(
            f"'{stage / 'manifest.json'}' is damaged ({error})", "the stage's own"
        ) from error
    if wanted is None:
        return
    there = 0
    for shard in sorted((stage / "data").glob("*.parquet")):
        try:
            there += pq.read_metadata(shard).num_rows
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(
                f"'{shard}' cannot be read to its end ({error})", "a whole file"
            ) from error
    if there != wanted:
        raise DataError(
            f"'{stage}' has {there:,} documents, and its manifest says {wanted:,}",
            "the data as the stage wrote them",
            "Fetch the shards that are missing, or run the stage anew with --overwrite",
        )


def is_stage(folder: Path) -> bool:
    """Return whether a folder was written by a FineMed stage: its logs are no documents."""
    record = folder / "run.json"
    if record.is_file():
        return '"kind": "finemed-' in record.read_text(encoding="utf-8", errors="replace")[:500]
    begun = any((folder / name).exists() for name in ("data", "logs", "manifest.json"))
    return begun and (folder / "resolved_config.yaml").is_file()


def _in_folder(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    files: list[Path] = []
    others: dict[str, list[str]] = {}
    hidden = 0
    runs = [p.parent for p in folder.rglob("resolved_config.yaml") if p.parent != folder]
    for path in sorted(folder.rglob("*")):
        if any(run in path.parents for run in runs):
            continue
        unseen = any(part.startswith(".") for part in path.relative_to(folder).parts)
        linked = path.is_symlink() and not path.is_file()  # such folders are not searched
        if not path.is_file() and not linked:
            if is_saved_dataset(path) and not unseen:
                raise UsageError(
                    f"The folder '{folder}' holds the dataset of save_to_disk '{path.name}'",
                    "corpus files, or one such dataset",
                    f"Name it itself: {path}",
                )
            continue
        if unseen:
            hidden += has_suffix(path.name, suffixes)
        elif linked:
            kind = "linked folder" if path.is_dir() else "broken link"
            others.setdefault(kind, []).append(path.relative_to(folder).as_posix())
        elif has_suffix(path.name, suffixes):
            files.append(path)
        else:
            kind = path.suffix.lower() or path.name
            others.setdefault(kind, []).append(path.relative_to(folder).as_posix())
    passed = _passed(hidden, others)
    if not files:
        raise UsageError(
            f"The folder '{folder}' has no corpus file",
            f"{', '.join(suffixes)} in it or below",
            f"There are {', '.join(passed)}" if passed else "",
        )
    for run in (run.relative_to(folder) for run in runs[:3]):
        passed.append(f"those of the run '{run}' ({run} holds another stage or run)")
    _tell_passed(str(folder), passed)
    return files


def _otherwise_cased(pattern: Path, folders: set[Path], found: set[Path]) -> int:
    """Return how many files a pattern would match if case made no difference: ``A.TXT``."""
    wanted = pattern.name.lower()
    return sum(
        fnmatch(path.name.lower(), wanted) and path not in found
        for folder in folders
        if folder.is_dir()
        for path in folder.iterdir()
        if not path.name.startswith(".") and path.is_file()
    )


def _matching(pattern: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the corpus files that match a pattern, as a shell does: hidden ones do not."""
    root = _searched(pattern)  # its own name may have a bracket
    escaped = str(Path(glob.escape(str(root)), pattern.relative_to(root)))
    found = [Path(name) for name in sorted(glob.glob(escaped, recursive=True))]
    every = glob.glob(escaped, recursive=True, include_hidden=True)
    hidden = sum(Path(name).is_file() for name in every) - sum(path.is_file() for path in found)
    files = [path for path in found if path.is_file() and has_suffix(path.name, suffixes)]
    taken = set(files)
    searched = {parent for path in files for parent in path.parents}
    others: dict[str, list[str]] = {}
    for path in found:
        if path not in taken and path not in searched:
            kind = "folder" if path.is_dir() else path.suffix.lower() or path.name
            others.setdefault(kind, []).append(path.name)
    passed = _passed(hidden, others)
    if cased := _otherwise_cased(pattern, {path.parent for path in found} or {root}, set(found)):
        passed.append(f"{cased} whose name differs from the pattern in case")
    if not files:
        raise UsageError(
            f"No corpus file matches '{pattern}'",
            f"one of {', '.join(suffixes)}",
            f"There are {', '.join(passed)}" if passed else "",
        )
    _tell_passed(str(pattern), passed)
    return files


def _tell_passed(place: str, passed: list[str]) -> None:
    """Tell once of a folder or pattern what of it is not read."""
    if passed and (key := str(Path(place).absolute())) not in _TOLD:
        _TOLD.add(key)
        logger.warning("'%s': files that are not read: %s", place, ", ".join(passed))


def _passed(hidden: int, others: dict[str, list[str]]) -> list[str]:
    """Return words for files that are not read: how many are hidden, and of which endings."""
    return ([f"{hidden:,} hidden"] if hidden else []) + ([_listed(others)] if others else [])


def _listed(others: dict[str, list[str]]) -> str:
    """Return the number and first names of files, by kind, the most frequent first."""
    shown = []
    for kind, names in sorted(others.items(), key=lambda item: -len(item[1]))[:5]:
        more = ", ..." if len(names) > 3 else ""
        told = f" ({', '.join(names[:3])}{more})" if names != [kind] else ""
        shown.append(f"{len(names):,} {kind}{told}")
    return f"{', '.join(shown)}, ..." if len(others) > 5 else ", ".join(shown)


SPLIT_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""Names of splits, as Datasets knows them."""


def split_of(name: str) -> str | None:
    """Return the split that a folder or file is named after; None where it is after none.

    Example:
        >>> split_of("notes-dev.jsonl"), split_of("Test"), split_of("notes.jsonl")
        ('validation', 'test', None)
    """
    words = re.split(r"[^a-z]+", name.lower())
    found = {split for split, known in SPLIT_WORDS.items() if set(words) & set(known)}
    return found.pop() if len(found) == 1 else None
