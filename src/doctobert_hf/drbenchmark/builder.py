"""The Datasets builder behind ``load_dataset("doctobert_hf/drbenchmark", NAME)``."""

from __future__ import annotations

import hashlib
import logging
import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

import datasets
import numpy as np

from doctobert_hf.drbenchmark.conversion import convert, locate, log_report
from doctobert_hf.drbenchmark.download import download_corpus
from doctobert_hf.drbenchmark.families import family_of
from doctobert_hf.drbenchmark.spec import SPLITS, Row, TaskSpec, check_protocol
from doctobert_hf.drbenchmark.tasks import find_task, get_task, list_tasks
from doctobert_hf.errors import UsageError
from doctobert_hf.version import __version__

logger = logging.getLogger(__name__)

VERSION = datasets.Version("1.0.0")


def features(task: TaskSpec) -> datasets.Features:
    """Columns of a task, by its kind."""
    return datasets.Features({"id": datasets.Value("string")} | family_of(task).columns(task))


def source_fingerprint() -> str:
    """Hash of this package's loaders: a change of code never serves rows of the code before."""
    versions = [__version__]
    versions += [metadata.version(name) for name in ("syntok", "numpy", "pandas")]
    digest = hashlib.sha256(" ".join(versions).encode())
    folder = Path(__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@dataclass
class DrBenchmarkConfig(datasets.BuilderConfig):
    """Configuration of a task.

    Attributes:
        protocol: ``drbenchmark``, ``doctobert`` or ``strict``; see ``load_dataset``'s docs page.
    """

    protocol: str = "drbenchmark"

    def create_config_id(self, config_kwargs: dict, custom_features: Any = None) -> str:
        """Name the cache after task, protocol and state of the raw files.

        Files that were changed, or another folder, are read again.
        """
        check_protocol(self.protocol)
        if self.name == "default":
            names = ", ".join(task.name for task in list_tasks())
            raise UsageError("No task is named", f"load_dataset(ID, NAME) with one of {names}")
        task = get_task(self.name)
        folder = locate(task, self.data_dir)
        state = folder.fingerprint(read_patterns(task)) if folder else "download"
        suffix = "" if custom_features is None else f"-{_hash(custom_features)}"
        return f"{self.name}-{self.protocol}-{state}{_own_code(task)}{suffix}"


def _own_code(task: TaskSpec) -> str:
    """Name the code of a task from outside: rows of an earlier version of it are not served."""
    code = Path(getattr(getattr(task.read, "__code__", None), "co_filename", "") or "")
    if not code.is_file() or Path(__file__).parent in code.resolve().parents:
        return ""  # this package's own code is in source_fingerprint
    declared = repr((task.kind, task.labels, task.files, task.inputs)).encode()
    return "-" + hashlib.sha256(code.read_bytes() + declared).hexdigest()[:8]


def read_patterns(task: TaskSpec) -> list[str]:
    """Patterns of all files a conversion may read.

    Those that the task declares as its inputs; else whatever lies beside those that identify it.
    """
    if task.inputs:
        return sorted({*task.inputs, *task.files})
    folders = {posixpath.dirname(p) for p in (*task.files, *task.alternative)}
    patterns = {posixpath.join(folder, "*") for folder in folders}
    return sorted(patterns | {"evaluations/*", "French/*/*"})


def _hash(value: Any) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


class _Rows:
    """Rows of a split as one argument: Datasets would take a list for shards."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows


def _config(task: TaskSpec) -> DrBenchmarkConfig:
    return DrBenchmarkConfig(name=task.name, version=VERSION, description=task.corpus.description)


_CONVERTED = " Conversion: "
"""What stands in a description before the repairs and what was left out."""


class DrBenchmark(datasets.GeneratorBasedBuilder):
    """The 27 tasks of DrBenchmark (Labrak et al., LREC-COLING 2024) from raw corpora."""

    BUILDER_CONFIG_CLASS = DrBenchmarkConfig
    _told = False  # of what the conversion repaired or left out
    BUILDER_CONFIGS: ClassVar[list[DrBenchmarkConfig]] = [_config(task) for task in list_tasks()]

    def _create_builder_config(self, config_name: str | None = None, **options: Any) -> Any:
        """Know variants, and tasks that were registered after this module was imported."""
        task = find_task(config_name or "")
        if task is not None and task.name not in self.builder_configs:
            self.builder_configs[task.name] = _config(task)
        return super()._create_builder_config(config_name=config_name, **options)

    @property
    def task(self) -> TaskSpec:
        """The declaration of the configured task."""
        return get_task(self.config.name)

    def _info(self) -> datasets.DatasetInfo:
        task = self.task
        return datasets.DatasetInfo(
            description=f"{task.corpus.description} Protocol: {self.config.protocol}.",
            features=features(task),
            homepage=task.corpus.homepage,
            license=task.corpus.license,
            citation=task.corpus.citation,
        )

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        # All splits come from one reading; errors rise from here as they are, which those of
        # _generate_examples would not.
        task = self.task
        folder = locate(task, self.config.data_dir)
        if folder is None:
            folder = download_corpus(task, getattr(dl_manager, "download_config", None))
        converted = convert(task, folder, self.config.protocol)
        log_report(task, converted.report)
        self._told = True
        if kinds := converted.report.counts:  # kept with the rows: a second load tells it as well
            counts = "; ".join(f"{count:,} x {kind}" for kind, count in kinds.items())
            said = self.info.description.partition(_CONVERTED)[0]
            self.info.description = said + _CONVERTED + counts  # no places: they hold paths
        empty = [split for split in SPLITS if not converted.splits[split]]
        if empty:  # Datasets cannot read an empty split back from its cache
            logger.warning("%s: no rows in %s, left out", task.name, " and ".join(empty))
        return [
            datasets.SplitGenerator(name=split, gen_kwargs={"rows": _Rows(converted.splits[split])})
            for split in SPLITS
            if split not in empty
        ]

    def as_dataset(self, *args: Any, **options: Any) -> Any:
        """Read the prepared rows; what their conversion left out is told again, from the cache."""
        _, marked, lines = (self.info.description or "").partition(_CONVERTED)
        if marked and not self._told:
            logger.warning("%s: %s", self.task.name, lines)
            self._told = True
        return super().as_dataset(*args, **options)

    def _generate_examples(self, rows: _Rows) -> Iterator[tuple[int, Row]]:
        label_columns = _label_columns(self.info.features)
        for number, row in enumerate(rows.rows):
            encoded = dict(row)
            for name, ids in label_columns.items():
                encoded[name] = _encoded(row[name], ids)
            if "score" in row:
                # Streaming does not cast: the same number must come out either way.
                encoded["score"] = float(np.float32(row["score"]))
            yield number, encoded


def _label_columns(columns: datasets.Features) -> dict[str, dict[str, int]]:
    """Ids by name of the columns that hold labels."""
    ids = {}
    for name, feature in columns.items():
        label = feature
        while hasattr(label, "feature"):  # lists, of lists where entities nest
            label = label.feature
        if isinstance(label, datasets.ClassLabel):
            ids[name] = {text: number for number, text in enumerate(label.names)}
    return ids


def _encoded(value: Any, ids: dict[str, int]) -> Any:
    return [_encoded(item, ids) for item in value] if isinstance(value, list) else ids[value]


def data_directory(data_dir: str | os.PathLike[str] | None) -> str | None:
    """Make ``data_dir`` a string that names the same folder from anywhere."""
    if data_dir is None:
        return None
    if not os.fspath(data_dir) or "://" in os.fspath(data_dir):
        raise UsageError(f"data_dir '{data_dir}'", "a folder or an archive on this machine")
    return str(Path(data_dir).expanduser().resolve())
