"""Running a stage: one datatrove pipeline over all parts, and a manifest when all are done.

A stage's folder holds ``run.json``, ``resolved_config.yaml``, ``data/*.parquet``,
``excluded/*.jsonl``, ``logs/`` (datatrove's, with a marker for each finished part) and, when it is
finished, ``manifest.json``. Started again, it does the parts that have no marker.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.config import write_yaml
from doctobert_hf.corpus import inputs_of
from doctobert_hf.corpus.opening import UNREADABLE, size_of
from doctobert_hf.environment import package_versions
from doctobert_hf.errors import DataError
from doctobert_hf.files import explained_output, is_remote, write_json_atomic
from doctobert_hf.finemed.config import StageConfig, what_it_makes
from doctobert_hf.finemed.progress import read_counts
from doctobert_hf.finemed.reading import CorpusReader, input_files
from doctobert_hf.finemed.writing import Exclusions, TableWriter
from doctobert_hf.reporting.progress import Progress
from doctobert_hf.runs import open_run, read_record
from doctobert_hf.runs.record import describe_files, describe_input

if TYPE_CHECKING:
    import pyarrow as pa
    from datatrove.pipeline.base import PipelineStep

MANIFEST = "manifest.json"


class Stage:
    """A stage's folder, opened for its configuration.

    Args:
        name: ``annotate``, ``filter``, ...
        config: Its configuration.
        inputs: Its inputs, where they are not ``config.input``.
        besides: What it reads besides, as the record describes it: term files, prompts, test units.
        overwrite: Move a run that is in the folder aside.

    Raises:
        UsageError: The folder belongs to another configuration, or the inputs have changed.
    """

    def __init__(
        self,
        name: str,
        config: StageConfig,
        inputs: tuple[str, ...] | None = None,
        overwrite: bool = False,
        besides: Iterable[dict[str, Any]] = (),
    ) -> None:
        self.name, self.config = name, config
        self.inputs = config.input if inputs is None else inputs
        if inputs is None:
            config.check_input()
        # Absolute: fsspec keeps a relative path's folder, whatever the working directory is later.
        self.folder = Path(os.path.abspath(config.output))
        self.exclusions = Exclusions(str(self.folder / "excluded"))
        described = [*self._describe_inputs(), *besides]
        self.run_folder = open_run(
            config.output,
            f"finemed-{name}",
            what_it_makes(config),
            [path for place in self.inputs if not is_remote(place) for path in inputs_of(place)],
            described=self._mended(described),
            overwrite=overwrite,
        )
        self.run_folder.record.inputs = described
        if not self.run_folder.resumed:
            with explained_output(self.folder):
                write_yaml(config, self.folder / "resolved_config.yaml")

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        for item in self.run_folder.record.inputs if error is not None else ():
            name = item["path"].rsplit(":", 1)[-1]
            if f"'{name}' of" in str(error) and UNREADABLE in str(error):
                item["unreadable"] = True  # the user mends it, and the run goes on
        if error is not None and not self.run_folder.resumed:
            self._clear_if_nothing_is_done()
        self.run_folder.close(failed=error is not None)

    def _clear_if_nothing_is_done(self) -> None:
        """Of a first start that failed before a part was done, nothing is worth keeping."""
        if any(self.folder.glob("*.submitted")):
            return  # jobs of Slurm wait, and need their scripts
        done = any((self.folder / "logs").rglob("completions/*"))
        if not done and not any((self.folder / "data").glob("*.parquet")):
            for name in ("logs", "between", "excluded", "answers", "checkpoints", "data"):
                if name not in ("answers", "checkpoints") or not any(
                    (self.folder / name).glob("*")
                ):
                    shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / "units.jsonl").unlink(missing_ok=True)

    def _mended(self, described: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Inputs as the record has them, where a file could not be read and so may be another."""
        record = read_record(self.folder)
        broken = {i["path"]: i for i in record.inputs if i.get("unreadable")} if record else {}
        return [broken.get(item["path"], item) for item in described]

    def _describe_inputs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for place in self.inputs:
            for file in input_files(place):
                told = {"path": f"{place}:{file.name}", "bytes": size_of(file.path)}
                if isinstance(file.path, Path):
                    told |= describe_input(file.path) | {"path": told["path"]}
                found.append(told)
        return found

    def finished(self) -> dict[str, Any] | None:
        """The manifest, where the stage is done."""
        path = self.folder / MANIFEST
        if not path.is_file():
            return None
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            wanted = int(manifest["documents"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"'{path}' is damaged ({error})", fix="Pass --overwrite to run the stage anew"
            ) from error
        there = self._written()
        if there != wanted:
            raise DataError(
                f"'{self.folder}' has {there:,} documents, and its manifest says {wanted:,}",
                "the data as the stage wrote them",
                "Pass --overwrite to run the stage anew",
            )
        self.run_folder.finish()
        return manifest

    def _written(self) -> int:
        import pyarrow.parquet as pq

        files = sorted((self.folder / "data").glob("*.parquet"))
        return sum(pq.read_metadata(path).num_rows for path in files)

    def readers(
        self, inputs: tuple[str, ...] | None = None, step: str = "reading"
    ) -> list[PipelineStep]:
        """Readers of inputs, all of them if none are named, one after another."""
        config = self.config
        return [
            CorpusReader(
                place, config.text_column, config.id_column, self.exclusions, f"{step}{number}"
            )
            for number, place in enumerate(self.inputs if inputs is None else inputs)
        ]

    def writer(self, schema: pa.Schema) -> TableWriter:
        """Writer of the stage's documents."""
        return TableWriter(str(self.folder / "data"), schema)

    def run(self, steps: Sequence[Any], logs: str = "logs", tasks: int | None = None) -> bool:
        """Run a pipeline over all parts that are not done.

        Args:
            steps: The pipeline.
            logs: Folder of its logs and markers.
            tasks: Parts, where they are not the configuration's.

        Returns:
            Whether all parts are done; on Slurm they are only submitted, at first.

        Raises:
            DataError: A part failed; the first error is given.
        """
        counts = self.folder / "logs" / "progress"
        shutil.rmtree(counts, ignore_errors=True)
        name = self.name if logs == "logs" else f"{self.name}, {Path(logs).name}"
        with Progress(name, poll=lambda: read_counts(counts)):
            return run_parts(steps, self.config, self.folder, f"finemed-{self.name}", logs, tasks)

    def close(self, **figures: Any) -> dict[str, Any]:
        """Count what went in and came out, check that nothing is lost, write the manifest.

        Raises:
            DataError: Documents are unaccounted for.
        """
        made = self._written()
        excluded = self.exclusions.counts()
        manifest = {
            "stage": self.name,
            "settings": what_it_makes(self.config),
            "inputs": list(self.inputs),
            "documents": made,
            "excluded": dict(sorted(excluded.items())),
            **figures,
            "versions": package_versions(),
        }
        read = figures.get("read")
        if read is not None and read != made + sum(excluded.values()):
            raise DataError(
                f"{read:,} documents read, {made:,} written, {sum(excluded.values()):,} excluded",
                "every document in one of the two",
                f"Delete '{self.folder}' and run the stage again",
            )
        write_json_atomic(self.folder / MANIFEST, manifest)
        if (self.folder / "data").is_dir():
            record = self.run_folder.record  # a card is of these rows, and no others
            data = self.folder / "data"
            rows = describe_files(data.glob("*.parquet"), data)
            record.results = {**(record.results or {}), "data": rows}
        self.run_folder.finish("data", "excluded", "logs", MANIFEST)
        return manifest

    def counted(self, key: str, logs: str = "logs") -> int:
        """Sum of a statistic over all parts and steps."""
        total = 0
        for path in sorted((self.folder / logs / "stats").glob("*.json")):
            for step in json.loads(path.read_text(encoding="utf-8")):
                value = step["stats"].get(key, 0)
                total += int(value["total"] if isinstance(value, dict) else value)
        return total


def run_parts(
    steps: Sequence[Any],
    config: StageConfig,
    folder: Path,
    name: str,
    logs: str = "logs",
    tasks: int | None = None,
) -> bool:
    """Run a pipeline over all parts that are not done, on the executor that is asked for.

    Args:
        steps: The pipeline.
        config: The executor and its settings.
        folder: The run.
        name: What a job is called.
        logs: Folder in the run of its logs and markers.
        tasks: Parts, where they are not the configuration's.

    Returns:
        Whether all parts are done; on Slurm they are only submitted, at first.

    Raises:
        DataError: A part failed; the first error is given.
    """
    from doctobert_hf.executors import make_executor, run_once

    executor = make_executor(list(steps), config, str(folder / logs), name, tasks)
    marker = folder / f"{logs.replace('/', '-')}.submitted"
    with explained_output(folder), _stdout_to_stderr():
        undone = len(executor.get_incomplete_ranks(skip_completed=True))
        if not undone:  # the jobs have done their work
            marker.unlink(missing_ok=True)
        run_once(executor, marker, f"{undone} parts are not done")
    missing = executor.get_incomplete_ranks(skip_completed=True)
    if missing and config.executor == "slurm":
        return False
    marker.unlink(missing_ok=True)
    if missing:
        raise DataError(
            f"{len(missing)} of {executor.world_size} parts failed",
            fix=f"See {folder / logs}/logs, then run the same command",
        )
    return True


@contextlib.contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    with contextlib.redirect_stdout(sys.stderr):
        yield
