"""Reading a corpus in a datatrove pipeline, every row accounted for.

datatrove's own readers pass over rows without text and lines that are no JSON with one warning in
a log; here each goes to the exclusion file with its reason, and a file that cannot be read to its
end stops the run.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from datatrove.data import Document
from datatrove.pipeline.readers.base import BaseDiskReader

from doctobert_hf.corpus.files import is_stage, passed_over, stage_data
from doctobert_hf.corpus.json_rows import RepeatedKey, load_json
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.progress import PartCount, progress_folder
from doctobert_hf.finemed.writing import Exclusions

logger = logging.getLogger(__name__)
SUFFIXES = (".parquet", ".jsonl", ".jsonl.gz", ".jsonl.zst")
_BATCH = 64
UNREADABLE = "cannot be read to its end"
OWN_NAMES = {"id": "input_id", "text": "input_text"}
"""What an input's columns are called that have a name of ours and are not what we name so."""
# Half a character: as JSON escapes it, or as bytes that no UTF-8 has and json.loads lets through.
_HALF_IN_JSON = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
_HALF = re.compile("[\ud800-\udfff]")


class CorpusReader(BaseDiskReader):
    """Reads the documents of one input: a file, a folder, or an fsspec path such as ``hf://``.

    With fewer files than parts, every part reads all files and takes each n-th document.

    Args:
        place: The input.
        text_column: Column that holds the text.
        id_column: Column that identifies a document; without it, file and row do.
        exclusions: Where rows that are no documents go.
        step: What this reader's exclusion file is called; another for each reader of a pipeline.
    """

    name = "FineMed corpus"

    def __init__(
        self,
        place: str,
        text_column: str,
        id_column: str,
        exclusions: Exclusions,
        step: str = "reading",
    ) -> None:
        folder, names = input_files(place)
        super().__init__(folder, text_key=text_column, id_key=id_column, add_file_path=False)
        self.names, self.exclusions = names, exclusions
        self.source, self.step = place, step

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield what came before, then this part's documents."""
        if data:
            yield from data
        apart = len(self.names) >= world_size
        files = self.names[rank::world_size] if apart else self.names
        whole = self._count(files)
        if whole is not None and not apart:
            whole = len(range(rank, whole, world_size))
        count = PartCount(progress_folder(self.exclusions.folder), f"{self.step}-{rank}", whole)
        with self.exclusions.writer(self.step, rank) as excluded:
            place = 0
            for name in files:
                for index, row in enumerate(self._rows(name)):
                    mine = apart or place % world_size == rank
                    place += 1
                    if not mine:
                        continue
                    self.stat_update("rows")
                    count.update()
                    document = self._document(row, name, index, excluded)
                    if document is not None:
                        self.update_doc_stats(document)
                        yield document
        count.write()

    def _count(self, names: list[str]) -> int | None:
        """Rows of Parquet files, from their footers; None where there are others."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not all(name.lower().endswith(".parquet") for name in names):
            return None
        try:
            total = 0
            for name in names:
                with self.data_folder.open(name, "rb") as raw, pq.ParquetFile(raw) as file:
                    total += file.metadata.num_rows
            return total
        except (pa.ArrowInvalid, OSError):
            return None  # what is wrong is told when it is read

    def read_file(self, filepath: str) -> Iterator[Document]:
        """Not used: rows are read by :meth:`run`, which counts them."""
        raise NotImplementedError

    def _rows(self, name: str) -> Iterator[dict[str, Any] | str]:
        if name.lower().endswith(".parquet"):
            yield from self._parquet_rows(name)
            return
        with self.data_folder.open(name, "rb", compression="infer") as lines:
            try:
                for line in lines:
                    if line.strip():
                        yield parsed(line)
            except broken_files() as error:
                raise unreadable(self.source, name, error) from error

    def _parquet_rows(self, name: str) -> Iterator[dict[str, Any]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        with self.data_folder.open(name, "rb") as raw:
            try:
                with pq.ParquetFile(raw) as file:
                    for batch in file.iter_batches(batch_size=_BATCH):
                        yield from batch.to_pylist()
            except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
                raise unreadable(self.source, name, error) from error

    def _document(
        self, row: dict[str, Any] | str, name: str, index: int, excluded: Any
    ) -> Document | None:
        identity = f"{name}:{index}"
        if isinstance(row, str):
            repeated = isinstance(row, RepeatedRow)
            excluded.write(identity, "repeated_key" if repeated else "broken_json", str(row))
            return None
        half = isinstance(row, HalfRow)
        row = dict(row)
        given = row.pop(self.id_key, None)
        identity = identity if given is None or given == "" else str(given)  # 0 is an id
        text = row.pop(self.text_key, None)
        reason = "half_a_character" if half else _no_document(text)
        if reason:
            identity = identity.encode("utf-8", "replace").decode("utf-8")
            excluded.write(identity, reason, text if isinstance(text, str) else "")
            return None
        metadata = {OWN_NAMES.get(name, name): value for name, value in row.items()}
        return Document(text=text, id=identity, metadata=metadata)


class HalfRow(dict[str, Any]):
    """A row with half a character in some column, which JSON can hold and no file of ours."""


class RepeatedRow(str):
    """A line of JSON in which a key stands twice: which value is meant is not guessed."""


def parsed(line: bytes) -> dict[str, Any] | str:
    """A row, or the line itself where it is none."""
    try:
        row = load_json(line.decode(json.detect_encoding(line), "surrogatepass"))
    except RepeatedKey:
        return RepeatedRow(line.decode("utf-8", "replace"))
    except ValueError:
        return line.decode("utf-8", "replace")
    if not isinstance(row, dict):
        return line.decode("utf-8", "replace")
    return HalfRow(row) if _HALF_IN_JSON.search(line) and _has_half(row) else row


def _has_half(value: Any) -> bool:
    """Return whether half a character is anywhere in a value."""
    if isinstance(value, dict):
        return any(_has_half(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(map(_has_half, value))
    return isinstance(value, str) and _HALF.search(value) is not None


def _no_document(text: Any) -> str | None:
    if text is None:
        return "no_text"
    if not isinstance(text, str):
        return "text_is_no_string"
    return None if text.strip() else "empty_text"


def broken_files() -> tuple[type[Exception], ...]:
    """What is raised by packed files that are cut short, or of another kind than their name."""
    found: list[type[Exception]] = [EOFError, OSError, zlib.error]
    for library in ("compression.zstd", "backports.zstd", "zstandard"):  # any that fsspec takes
        with suppress(ImportError):
            found.append(importlib.import_module(library).ZstdError)
    return tuple(found)


def unreadable(source: str, name: str, error: Exception) -> DataError:
    """Return the error that tells of a file that cannot be read to its end."""
    return DataError(
        f"'{name}' of '{source}' {UNREADABLE} ({error})",
        "a whole file",
        "Fetch or write it again, then run the same command: finished parts are kept",
    )


def _is_corpus_file(name: str) -> bool:
    """Return whether a file is read: by its ending in any case, and not a hidden one."""
    return name.lower().endswith(SUFFIXES) and not any(p.startswith(".") for p in name.split("/"))


def input_files(place: str) -> tuple[str, list[str]]:
    """The folder of an input, and its files by name.

    Raises:
        UsageError: Nothing there, no file of a known kind, or a stage that is not finished.
    """
    from datatrove.io import get_datafolder

    local = "://" not in place
    if local and not Path(place).exists():
        raise UsageError(f"No input '{place}'", "a file, a folder or a path such as hf://")
    if local and Path(place).is_file() and not place.lower().endswith(SUFFIXES):
        raise UsageError(f"The input '{place}'", f"one of {', '.join(SUFFIXES)}")
    place = os.path.abspath(place) if local else place  # see Stage: fsspec keeps relative folders
    if local and Path(place).is_file():
        return str(Path(place).parent), [Path(place).name]
    if local and is_stage(Path(place)):
        place = str(stage_data(Path(place)))
        if not Path(place).is_dir():
            return place, []
    with _reached(place):
        every = get_datafolder(place).list_files()
    names = [name for name in every if _is_corpus_file(name)]
    rest = [name for name in every if not _is_corpus_file(name)]
    if local:
        names = _without_runs(Path(place), names)
        runs = _runs(Path(place), rest)
        rest = [name for name in rest if not _in_runs(name, runs)]
    others = passed_over(rest)
    if not names:
        raise UsageError(
            f"No file in '{place}'",
            f"{', '.join(SUFFIXES)} in it or below",
            f"There are {others}" if others else "",
        )
    if others:
        tell_once(f"'{place}': files that are not read: {others}")
    return place, sorted(names)


@contextmanager
def _reached(place: str) -> Iterator[None]:
    """Tell in our words why an address cannot be read, before any work."""
    try:
        yield
    except ImportError as error:
        package = str(error).split()[1] if str(error).startswith("Install ") else "its driver"
        raise UsageError(
            f"'{place}' needs a driver of fsspec ({error})", fix=f"pip install {package}"
        ) from error
    except Exception as error:
        if "://" not in place:
            raise
        raise UsageError(
            f"'{place}' cannot be reached ({type(error).__name__}: {error})",
            "an address that can be listed",
            "Check network, name and credentials, or copy the files here",
        ) from error


def _without_runs(root: Path, names: list[str]) -> list[str]:
    """Leave out the folders of other stages below an input: their rejects are no documents."""
    runs = _runs(root, names)
    left = [name for name in names if not _in_runs(name, runs)]
    if len(left) < len(names):
        tell_once(
            f"{len(names) - len(left)} files below '{root}' are not read: {', '.join(runs)} holds "
            "another stage, which is read where it is named itself"
        )
    return left


def _runs(root: Path, names: list[str]) -> list[str]:
    folders = {parent for name in names for parent in Path(name).parents if parent != Path(".")}
    return [f.as_posix() for f in sorted(folders) if (root / f / "resolved_config.yaml").is_file()]


def _in_runs(name: str, runs: list[str]) -> bool:
    return any(name.startswith(f"{run}/") for run in runs)


@lru_cache(maxsize=256)
def tell_once(text: str) -> None:
    """Warn, once of the same thing."""
    logger.warning("%s", text)


class PartsReader(CorpusReader):
    """Reads what an earlier step of the same stage wrote, which may be nothing.

    Every part takes whole files by number, so that steps that go by position (MinHash) see the
    same documents in the same order.

    Args:
        folder: The step's folder.
    """

    name = "FineMed parts"

    def __init__(self, folder: str) -> None:
        BaseDiskReader.__init__(self, folder, text_key="text", id_key="id", add_file_path=False)
        self.source = folder

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield what came before, then this part's documents."""
        if data:
            yield from data
        names = sorted(
            name for name in self.data_folder.list_files() if name.lower().endswith(".parquet")
        )
        mine = names[rank::world_size]
        # Below the stage: STAGE/between/STEP
        progress = progress_folder(str(Path(self.source).parent.parent / "excluded"))
        count = PartCount(progress, f"{Path(self.source).name}-{rank}", self._count(mine))
        for name in mine:
            for row in self._rows(name):
                assert isinstance(row, dict)
                count.update()
                yield Document(text=row.pop("text"), id=row.pop("id"), metadata=row)
