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
from typing import TYPE_CHECKING, Any

from datatrove.data import Document
from datatrove.pipeline.readers.base import BaseDiskReader

from doctobert_hf.corpus.files import is_stage, passed_over, stage_data
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.progress import PartCount, progress_folder
from doctobert_hf.finemed.writing import Exclusions

if TYPE_CHECKING:
    import pyarrow as pa

    from doctobert_hf.finemed.config import StageConfig

logger = logging.getLogger(__name__)
SUFFIXES = (".parquet", ".jsonl", ".jsonl.gz", ".jsonl.zst")
_BATCH = 64
UNREADABLE = "cannot be read to its end"
_OWN = {"id": "input_id", "text": "input_text"}
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
                        yield _parsed(line)
            except _broken_files() as error:
                raise _unreadable(self.source, name, error) from error

    def _parquet_rows(self, name: str) -> Iterator[dict[str, Any]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        with self.data_folder.open(name, "rb") as raw:
            try:
                with pq.ParquetFile(raw) as file:
                    for batch in file.iter_batches(batch_size=_BATCH):
                        yield from batch.to_pylist()
            except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
                raise _unreadable(self.source, name, error) from error

    def _document(
        self, row: dict[str, Any] | str, name: str, index: int, excluded: Any
    ) -> Document | None:
        identity = f"{name}:{index}"
        if isinstance(row, str):
            excluded.write(identity, "broken_json", row)
            return None
        half = isinstance(row, _HalfRow)
        row = dict(row)
        given = row.pop(self.id_key, None)
        identity = identity if given is None or given == "" else str(given)  # 0 is an id
        text = row.pop(self.text_key, None)
        reason = "half_a_character" if half else _no_document(text)
        if reason:
            identity = identity.encode("utf-8", "replace").decode("utf-8")
            excluded.write(identity, reason, text if isinstance(text, str) else "")
            return None
        metadata = {_OWN.get(name, name): value for name, value in row.items()}
        return Document(text=text, id=identity, metadata=metadata)


class _HalfRow(dict[str, Any]):
    """A row with half a character in some column, which JSON can hold and no file of ours."""


def _parsed(line: bytes) -> dict[str, Any] | str:
    """A row, or the line itself where it is none."""
    try:
        row = json.loads(line)
    except ValueError:
        return line.decode("utf-8", "replace")
    if not isinstance(row, dict):
        return line.decode("utf-8", "replace")
    return _HalfRow(row) if _HALF_IN_JSON.search(line) and _has_half(row) else row


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


def _broken_files() -> tuple[type[Exception], ...]:
    """What is raised by packed files that are cut short, or of another kind than their name."""
    found: list[type[Exception]] = [EOFError, OSError, zlib.error]
    for library in ("compression.zstd", "backports.zstd", "zstandard"):  # any that fsspec takes
        with suppress(ImportError):
            found.append(importlib.import_module(library).ZstdError)
    return tuple(found)


def _unreadable(source: str, name: str, error: Exception) -> DataError:
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
        _tell_once(f"'{place}': files that are not read: {others}")
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
        _tell_once(
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
def _tell_once(text: str) -> None:
    logger.warning("%s", text)


def input_schema(config: StageConfig, inputs: tuple[str, ...] | None = None) -> pa.Schema:
    """The columns of all inputs together, text and id apart.

    Raises:
        DataError: No text column, a text that is no string, no id column of a name that was
            given, or files that contradict each other.
    """
    import pyarrow as pa

    merged = pa.schema([])
    for place in inputs if inputs is not None else config.input:
        folder, names = input_files(place)
        for name in names:
            schema = _file_schema(folder, name, config)
            _check_text(schema, config.text_column, name)
            _check_id(schema, config.id_column, name)
            try:
                merged = pa.unify_schemas([merged, schema], promote_options="permissive")
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise DataError(
                    f"'{name}' of '{place}' has other types than the files before it ({error})",
                    "one type for each column",
                ) from error
    kept = [item for item in merged if item.name not in (config.text_column, config.id_column)]
    _tell_renamed([item.name for item in kept], config)
    # A column that is null everywhere has no type of its own.
    return pa.schema(
        [
            pa.field(
                _OWN.get(item.name, item.name),
                pa.string() if pa.types.is_null(item.type) else item.type,
            )
            for item in kept
        ]
    )


def _tell_renamed(names: list[str], config: StageConfig) -> None:
    """Say which columns are kept under another name, because ``id`` and ``text`` are ours.

    Raises:
        DataError: That name is taken as well.
    """
    given = {"id": config.id_column, "text": config.text_column}
    for name in _OWN.keys() & set(names):
        if _OWN[name] in names:
            raise DataError(
                f"The input has columns '{name}' and '{_OWN[name]}', and '{name}' becomes "
                f"'{given[name]}'",
                f"no '{_OWN[name]}': the input's own '{name}' is kept under that name",
                "Rename one of them",
            )
        _tell_once(
            f"'{given[name]}' becomes '{name}'; the input's own column '{name}' is kept as "
            f"'{_OWN[name]}'"
        )


def _file_schema(folder: str, name: str, config: StageConfig) -> pa.Schema:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from datatrove.io import get_datafolder

    with get_datafolder(folder).open(name, "rb", compression="infer") as raw:
        if not name.lower().endswith(".parquet"):
            try:
                return _table_schema(raw, config, name)
            except _broken_files() as error:
                if isinstance(error, DataError):
                    raise
                raise _unreadable(folder, name, error) from error
        try:
            return pq.ParquetFile(raw).schema_arrow.remove_metadata()
        except (pa.ArrowInvalid, OSError) as error:
            raise _unreadable(folder, name, error) from error


def _table_schema(lines: Any, config: StageConfig, name: str) -> pa.Schema:
    """Types of a JSONL file: all its rows, in batches, so that a late column is not lost.

    The types of text and id are not asked for: rows with another text are excluded one by one,
    and an id is read as a string.
    """
    import pyarrow as pa

    merged, rows, own = pa.schema([]), list[dict[str, Any]](), set[str]()

    def merge() -> pa.Schema:
        try:
            # Not Table.from_pylist: it takes the columns of the first row for those of all.
            names = dict.fromkeys(key for row in rows for key in row)
            columns = {key: pa.array([row.get(key) for row in rows]) for key in names}
            found = pa.schema([pa.field(key, values.type) for key, values in columns.items()])
            return pa.unify_schemas([merged, found], promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            raise DataError(
                f"A column of '{name}' has values of several types, or a number too long ({error})",
                "one type each, numbers of at most 64 bits",
            ) from error

    broken: bytes | None = None
    for line in lines:
        row = _parsed(line) if line.strip() else ""
        if line.strip() and not isinstance(row, dict):
            broken = broken or line
        if isinstance(row, dict):
            own |= {
                key
                for key in (config.text_column, config.id_column)
                if row.pop(key, None) is not None
            }
            if not isinstance(row, _HalfRow):  # excluded when it is read
                rows.append(row)
        if len(rows) == 1000:
            merged = merge()
            rows = []
    merged = merge() if rows else merged
    if broken is not None and not merged.names and not own:
        _refuse_lines(broken, name)
    return pa.schema([*merged, *(pa.field(key, pa.string()) for key in sorted(own))])


def _refuse_lines(line: bytes, name: str) -> None:
    """Say what is wrong with a file of which no line is a row."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"'{name}' is not UTF-8 (byte 0x{line[error.start]:02x})",
            "text in UTF-8",
            f"Convert it: iconv -f windows-1252 -t utf-8 '{Path(name).name}' > fixed.jsonl",
        ) from error
    raise DataError(f"'{name}' has no line that is a JSON object ({line[:60]!r})", "a row a line")


def _check_text(schema: pa.Schema, column: str, name: str) -> None:
    import pyarrow as pa

    from doctobert_hf.errors import nearest

    if column not in schema.names:
        raise DataError(
            f"'{name}' has the columns {', '.join(schema.names)}",
            f"a column '{column}' with the text",
            f"Name yours with --text-column. {nearest(column, list(schema.names))}",
        )
    found = schema.field(column).type
    if not (
        pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_null(found)
    ):
        raise DataError(f"The column '{column}' of '{name}' is of type {found}", "a string")


def _check_id(schema: pa.Schema, column: str, name: str) -> None:
    """Refuse a file without the id column, where it is not the usual one, which may be missing."""
    if column not in schema.names and column != "id":
        from doctobert_hf.errors import nearest

        raise DataError(
            f"'{name}' has no column '{column}'",
            "the column with the ids",
            f"Name yours with --id-column. {nearest(column, list(schema.names))}",
        )


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
