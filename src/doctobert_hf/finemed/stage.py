"""Running a stage: one datatrove pipeline over all parts, and a manifest when all are done.

A stage's folder holds ``resolved_config.yaml``, ``inputs.json``, ``data/*.parquet``,
``excluded/*.jsonl``, ``logs/`` (datatrove's, with a marker for each finished part) and, when it is
finished, ``manifest.json``. Started again, it does the parts that have no marker.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.config import write_yaml
from doctobert_hf.environment import package_versions
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.files import explained_output, write_json_atomic
from doctobert_hf.finemed.config import StageConfig, what_it_makes
from doctobert_hf.finemed.reading import CorpusReader, input_files
from doctobert_hf.finemed.writing import Exclusions, TableWriter

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

    Raises:
        UsageError: The folder belongs to another configuration, or the inputs have changed.
    """

    def __init__(
        self, name: str, config: StageConfig, inputs: tuple[str, ...] | None = None
    ) -> None:
        self.name, self.config = name, config
        self.inputs = config.input if inputs is None else inputs
        if inputs is None:
            config.check_input()
        self.folder = Path(config.output)
        self.exclusions = Exclusions(str(self.folder / "excluded"))
        self._claim()

    def _claim(self) -> None:
        """Write the settings and inputs, or check that the folder was made with the same."""
        own = {"stage": self.name, **what_it_makes(self.config)}
        seen = {"settings": own, "files": self._fingerprint()}
        path = self.folder / "inputs.json"
        if path.is_file():
            before = json.loads(path.read_text(encoding="utf-8"))
            for key, value in seen["settings"].items():
                if before["settings"].get(key) != value:
                    raise UsageError(
                        f"'{self.folder}' was begun with {key} {before['settings'].get(key)!r}, "
                        f"not {value!r}",
                        "the same settings to go on",
                        "Choose another --output",
                    )
            if before["files"] != seen["files"]:
                raise UsageError(
                    f"The inputs of '{self.folder}' have changed since it was begun",
                    "the same files",
                    "Choose another --output",
                )
            return
        # A kill between the two files below leaves the first alone.
        ours = {"resolved_config.yaml"}
        if self.folder.exists() and {path.name for path in self.folder.iterdir()} - ours:
            raise UsageError(
                f"The folder '{self.folder}' is in use", "a new folder", "Choose another --output"
            )
        with explained_output(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_yaml(self.config, self.folder / "resolved_config.yaml")
            write_json_atomic(path, seen)

    def _fingerprint(self) -> dict[str, int]:
        from datatrove.io import get_datafolder

        sizes: dict[str, int] = {}
        for place in self.inputs:
            folder, names = input_files(place)
            files = get_datafolder(folder)
            sizes |= {f"{place}:{name}": int(files.size(name)) for name in names}
        return sizes

    def finished(self) -> dict[str, Any] | None:
        """The manifest, where the stage is done."""
        path = self.folder / MANIFEST
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

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
        from doctobert_hf.finemed.executors import make_executor

        executor = make_executor(
            list(steps), self.config, str(self.folder / logs), f"finemed-{self.name}", tasks
        )
        with explained_output(self.folder), _stdout_to_stderr():
            executor.run()
        missing = executor.get_incomplete_ranks(skip_completed=True)
        if missing and self.config.executor == "slurm":
            return False
        if missing:
            raise DataError(
                f"{len(missing)} of {executor.world_size} parts failed",
                fix=f"See {self.folder / logs}/logs, then run the same command",
            )
        return True

    def close(self, **figures: Any) -> dict[str, Any]:
        """Count what went in and came out, check that nothing is lost, write the manifest.

        Raises:
            DataError: Documents are unaccounted for.
        """
        import pyarrow.parquet as pq

        files = sorted((self.folder / "data").glob("*.parquet"))
        made = sum(pq.read_metadata(path).num_rows for path in files)
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
        return manifest

    def counted(self, key: str, logs: str = "logs") -> int:
        """Sum of a statistic over all parts and steps."""
        total = 0
        for path in sorted((self.folder / logs / "stats").glob("*.json")):
            for step in json.loads(path.read_text(encoding="utf-8")):
                value = step["stats"].get(key, 0)
                total += int(value["total"] if isinstance(value, dict) else value)
        return total


@contextlib.contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    with contextlib.redirect_stdout(sys.stderr):
        yield
