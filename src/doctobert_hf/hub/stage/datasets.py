"""Datasets made ready to publish: sharded Parquet, streamed, resumable, one schema, scanned.

A folder's files are named by split (``train.parquet``, ``test-00001.parquet``), or by split and
configuration (``train_chunks.parquet``); subfolders are configurations. No more than a batch is in
memory. A run that is stopped goes on behind the last whole shard.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.files import explained_output, write_json_atomic
from doctobert_hf.hub.stage.companions import left_out, visible_files
from doctobert_hf.hub.stage.preflight import check_sources, refuse
from doctobert_hf.hub.stage.split_names import (
    SPLITS,
    TRAINED_ON,
    config_and_split,
    hint,
    parts_of,
    refuse_two_splits,
)
from doctobert_hf.hub.stage.statistics import Statistics
from doctobert_hf.runs.record import RECORD

if TYPE_CHECKING:
    import datasets
    import pyarrow as pa

STATE = ".shards.json"
BATCH_ROWS = 1000


@dataclass(frozen=True)
class SourceSplit:
    """One split of one configuration and where its rows come from.

    Attributes:
        config: Name of the configuration.
        split: Name of the split.
        files: Parquet files, in order; empty for a dataset in ``dataset``.
        dataset: A dataset of the Datasets library, whose features are kept.
    """

    config: str
    split: str
    files: tuple[Path, ...] = ()
    dataset: datasets.Dataset | None = None


def _conversion(file: Path) -> str:
    table = file.suffix.lower() in (".csv", ".tsv")
    maker = "from_csv" if table else "from_json"
    return f"Convert it with Dataset.{maker}(...).to_parquet(...)"


def find_splits(path: Path) -> list[SourceSplit]:
    """Find configurations and splits of a Parquet file, a folder of them, or a run's ``data``.

    Raises:
        UsageError: There is no Parquet file, or other data files lie among them.
        PreflightError: A file is a link that leads out of the folder.
    """
    if path.is_file():
        if path.suffix.lower() != ".parquet":
            raise UsageError(
                f"'{path.name}' is a {path.suffix or 'nameless'} file",
                "Parquet",
                _conversion(path),
            )
        return [SourceSplit("default", "train", (path,))]
    root = path / "data" if (path / "data").is_dir() else path
    seen = visible_files(root)
    files = [file for file in seen if file.suffix.lower() == ".parquet"]
    others = [file for file in seen if file.suffix.lower() in (".jsonl", ".csv", ".tsv")]
    if not files or others:
        raise UsageError(
            f"'{others[0].name}' among the data" if others else f"No Parquet file in '{path}'",
            "Parquet files only",
            _conversion(others[0] if others else path),
        )
    refuse(check_sources(path, files))
    grouped: dict[tuple[str, str], list[Path]] = {}
    for file in files:
        grouped.setdefault(config_and_split(file.relative_to(root)), []).append(file)
    _refuse_unclear(root, grouped)
    named = {config for config, _ in grouped if config}
    default = "documents" if "chunks" in named else "default"
    order = list(dict.fromkeys(SPLITS.values()))
    return [
        SourceSplit(config or default, split, tuple(found))
        for (config, split), found in sorted(
            grouped.items(), key=lambda item: (item[0][0], order.index(item[0][1]))
        )
    ]


def left_out_of(path: Path, sources: Iterable[SourceSplit]) -> list[str]:
    """Return a warning about files that are neither data nor travel with it, if there are any."""
    if not path.is_dir():
        return []
    ours = ("logs", "excluded") if (path / RECORD).is_file() else ()
    return left_out(path, (file for source in sources for file in source.files), ours)


def _refuse_unclear(root: Path, grouped: dict[tuple[str, str], list[Path]]) -> None:
    """Refuse files that would join a split or a configuration they are not named after.

    Raises:
        UsageError: With the file, and how its place is said.
    """
    named: dict[str, str] = {}
    loose: dict[str, str] = {}
    places: dict[str, tuple[str, ...]] = {}
    for (config, _), files in grouped.items():
        for file in files:
            inside = file.relative_to(root)
            refuse_two_splits(inside)
            folders, split = parts_of(inside)
            (loose if split is None else named).setdefault(config, inside.as_posix())
            other = places.setdefault(config, folders)
            if other != folders:
                raise UsageError(
                    f"'{'/'.join(folders)}' and '{'/'.join(other)}' would both be the "
                    f"configuration '{config}'",
                    "a name for each",
                    "Rename one of the folders",
                )
    for config, split in grouped:
        if not config and ("default", split) in grouped:
            first = grouped[config, split][0].relative_to(root).as_posix()
            raise UsageError(
                f"'{first}' and the folder 'default' would both be the configuration 'default'",
                "a name for each",
                "Rename the folder",
            )
    for files in grouped.values():
        unsaid = [f for f in files if parts_of(f.relative_to(root))[1] is None]
        words = {file: word for file in unsaid if (word := hint(file, unsaid))}
        if len(unsaid) > 1 and set(words.values()) - TRAINED_ON:
            one = next(file for file, word in words.items() if word not in TRAINED_ON)
            raise UsageError(
                f"'{one.relative_to(root).as_posix()}' among files of the split 'train': its name "
                "reads like another's",
                "every file named after its split",
                "Name it train-..., validation-... or test-..., or put it into a folder of its own",
            )
    for config in sorted(named.keys() & loose.keys()):
        raise UsageError(
            f"'{loose[config]}' beside '{named[config]}': which split it is cannot be told",
            "every file named after its split, or none",
            "Name it train-..., validation-... or test-..., or put it into a folder of its own",
        )


@dataclass
class SplitRecord:
    """What was written of a split.

    Attributes:
        config: Name of the configuration.
        split: Name of the split.
        rows: Number of rows.
        bytes: Size in memory (Arrow), as Datasets counts it.
        shards: Names of the files, relative to the staging folder.
        features: Columns and types.
        statistics: Counts for the card.
    """

    config: str
    split: str
    rows: int
    bytes: int
    shards: list[str]
    features: datasets.Features
    statistics: Statistics


def write_split(
    source: SourceSplit,
    target: Path,
    max_shard_bytes: int = 500_000_000,
    tokens: tuple[str, ...] = (),
    on_shard: Callable[[str, int], None] | None = None,
) -> SplitRecord:
    """Write a split as shards ``data/CONFIG/SPLIT-00000-of-00003.parquet``.

    Shards end at batches, so that the same source gives the same files, resumed or not.

    Args:
        source: What to write.
        target: Staging folder; shards already there from a stopped run are kept.
        max_shard_bytes: Size at which a shard is closed, compressed.
        tokens: Tokens in use; rows that hold one, or another secret, are counted.
        on_shard: Called with a shard's name and rows when it is on disk.

    Raises:
        DataError: Files have different columns or types, or there is no row.
        OutputError: The disk is full or not writable.
    """
    from datasets import Features

    features = Features.from_arrow_schema(common_schema(source))
    folder = target / "data" / source.config
    folder.mkdir(parents=True, exist_ok=True)
    state_path = folder / f"{STATE}-{source.split}"
    fingerprint = _fingerprint(source, max_shard_bytes)
    state = _read_state(state_path, fingerprint, folder, source.split)
    statistics = Statistics.from_state(state["statistics"], tokens)
    with explained_output(target):
        for rows, size, name in _write_shards(
            source, features, folder, state, max_shard_bytes, statistics
        ):
            state["shards"].append([name, rows])
            state["rows"] += rows
            state["bytes"] += size
            state["statistics"] = statistics.to_state()
            write_json_atomic(state_path, state)
            if on_shard is not None:
                on_shard(f"{source.config}/{source.split} {name}", rows)
    if not state["rows"]:
        names = ", ".join(file.name for file in source.files)
        where = f": no row in {names}" if names else ""
        raise DataError(f"Split '{source.split}' of '{source.config}' is empty{where}", "rows")
    count = len(state["shards"])
    shards = []
    for number, (name, _) in enumerate(state["shards"]):
        final = folder / f"{source.split}-{number:05d}-of-{count:05d}.parquet"
        if name != final.name:
            (folder / name).rename(final)
        shards.append(final.relative_to(target).as_posix())
    state["shards"] = [[Path(name).name, 0] for name in shards]
    write_json_atomic(state_path, state | {"done": True})
    return SplitRecord(
        source.config, source.split, state["rows"], state["bytes"], shards, features, statistics
    )


def finish_staging(target: Path) -> None:
    """Remove the notes of :func:`write_split`, once everything is published or written."""
    for note in target.rglob(f"{STATE}-*"):
        note.unlink()


def _write_shards(
    source: SourceSplit,
    features: datasets.Features,
    folder: Path,
    state: dict[str, Any],
    max_shard_bytes: int,
    statistics: Statistics,
) -> Iterator[tuple[int, int, str]]:
    import pyarrow.parquet as pq
    from datasets.table import table_cast

    if state.get("done"):
        return
    schema = features.arrow_schema
    batches = iterate(source, state["rows"])
    pending = next(batches, None)
    while pending is not None:
        name = f"{source.split}-{len(state['shards']):05d}.part.parquet"
        rows = size = 0
        with (
            (folder / name).open("wb") as sink,
            pq.ParquetWriter(sink, schema, compression="zstd", **_writer_options()) as writer,
        ):
            while pending is not None and (not rows or sink.tell() < max_shard_bytes):
                table = table_cast(pending, schema)
                writer.write_table(table)
                statistics.add(table)
                rows, size = rows + table.num_rows, size + table.nbytes
                pending = next(batches, None)
        yield rows, size, name


def _writer_options() -> dict[str, Any]:
    """Content-defined chunks, where pyarrow can: an update then uploads only what changed."""
    import pyarrow

    recent = int(pyarrow.__version__.split(".")[0]) >= 21
    return {"write_page_index": True, **({"use_content_defined_chunking": True} if recent else {})}


def iterate(source: SourceSplit, skip: int = 0) -> Iterator[pa.Table]:
    """Yield a split's rows in batches, behind the first ``skip``; whole row groups are not read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if source.dataset is not None:
        rows = source.dataset.with_format("arrow")
        for start in range(skip, len(rows), BATCH_ROWS):
            yield rows[start : start + BATCH_ROWS]
        return
    for file in source.files:
        with (
            _explained_reading(file),
            pq.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False) as parquet,
        ):
            for group in range(parquet.num_row_groups):
                count = parquet.metadata.row_group(group).num_rows
                if skip >= count:
                    skip -= count
                    continue
                for batch in parquet.iter_batches(BATCH_ROWS, row_groups=[group]):
                    if skip >= batch.num_rows:
                        skip -= batch.num_rows
                        continue
                    yield pa.Table.from_batches([batch.slice(skip)])
                    skip = 0


def common_schema(source: SourceSplit) -> pa.Schema:
    """The one schema of a split's files.

    A column that is null throughout a file takes the type it has elsewhere; nothing else is
    unified.

    Raises:
        DataError: A file cannot be read, lacks a column, has one more or another type, or one that
            Datasets has no type for; named with the file.
    """
    import pyarrow as pa

    if source.dataset is not None:
        return source.dataset.features.arrow_schema
    schemas = [_read_schema(file) for file in source.files]
    types: dict[str, pa.DataType] = {}
    for schema in schemas:
        for field in schema:
            if pa.types.is_null(types.get(field.name, pa.null())):
                types[field.name] = field.type
    for file, schema in zip(source.files, schemas, strict=True):
        for name in types.keys() - set(schema.names):
            raise DataError(f"{file.name} has no column '{name}'", f"it, as {source.files[0].name}")
        for field in schema:
            if field.type != types[field.name] and not pa.types.is_null(field.type):
                raise DataError(
                    f"Column '{field.name}' of {file.name} is {field.type}",
                    f"{types[field.name]}, as in the files before",
                    "Write all files with one schema",
                )
    first = schemas[0]
    return pa.schema([(name, types[name]) for name in first.names], metadata=first.metadata)


def _read_schema(file: Path) -> pa.Schema:
    """Read a file's columns; refuse what Datasets could not load, with file and reason."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from datasets import Features

    with _explained_reading(file):
        schema = pq.read_schema(file)
    twice = [name for name, count in Counter(schema.names).items() if count > 1]
    if twice:
        raise DataError(
            f"{file.name} has more than one column '{twice[0]}'", "each name once", "Rename them"
        )
    for field in schema:
        try:
            Features.from_arrow_schema(pa.schema([field]))
        except ValueError as error:
            raise DataError(
                f"Column '{field.name}' of {file.name} is {field.type}, which Datasets has no "
                "type for",
                "texts, numbers, lists or structs of them",
                "Write a map as a list of structs with 'key' and 'value'",
            ) from error
    return schema


@contextmanager
def _explained_reading(file: Path) -> Iterator[None]:
    """Name the file where Parquet cannot be read."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(
            f"{file.name} cannot be read as Parquet: {reason}",
            "a whole Parquet file",
            "Write it again",
        ) from error


def _fingerprint(source: SourceSplit, max_shard_bytes: int) -> str:
    """Changes when the source or the cut does: then a stopped run is not gone on with."""
    if source.dataset is not None:
        parts: list[Any] = [source.dataset._fingerprint, len(source.dataset)]
    else:
        parts = [[f.name, f.stat().st_size, f.stat().st_mtime_ns] for f in source.files]
    text = json.dumps([parts, max_shard_bytes, BATCH_ROWS])
    return hashlib.sha256(text.encode()).hexdigest()


def _read_state(path: Path, fingerprint: str, folder: Path, split: str) -> dict[str, Any]:
    fresh: dict[str, Any] = {
        "fingerprint": fingerprint,
        "shards": [],
        "rows": 0,
        "bytes": 0,
        "statistics": {},
    }
    state = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else fresh
    known = {name for name, _ in state["shards"]}
    there = {file.name: file for file in folder.glob(f"{split}-*.parquet")}
    if state.get("fingerprint") != fingerprint or known - there.keys():
        state, known = fresh, set()
    for name in there.keys() - known:  # half-written, or of another source
        there[name].unlink()
    return state


def check_columns(
    schemas: dict[str, pa.Schema], expected: dict[str, str], required: str
) -> list[str]:
    """Compare columns with the declared schema of a kind of dataset.

    Args:
        schemas: Schema of each configuration.
        expected: Type of each declared column, as Arrow prints it.
        required: The column that must be there.

    Returns:
        Declared columns that are absent.

    Raises:
        DataError: ``required`` is absent, or a declared column has another type.
    """
    absent: list[str] = []
    for config, schema in schemas.items():
        if required not in schema.names:
            raise DataError(f"'{config}' has no column '{required}'", "it")
        for name, kind in expected.items():
            if name not in schema.names:
                absent.append(name)
                continue
            found = str(schema.field(name).type).replace("large_", "")
            if not re.fullmatch(kind, found):
                raise DataError(f"Column '{name}' of '{config}' is {found}", kind)
    return list(dict.fromkeys(absent))
