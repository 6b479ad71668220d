"""A run of several stages: each leaves its result on disk and its record in ``state.json``."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

from doctobert_hf.errors import UsageError
from doctobert_hf.files import explained_output, write_json_atomic

STATE_FILE = "state.json"


class StagedRun:
    """Runs the methods that :attr:`STAGES` names, in order, those that are not done yet.

    A stage returns its record; one that cannot run here returns ``not_run``, the reason, and the
    run goes on. A run that was stopped goes on with the first stage that has no record.

    Args:
        folder: The run's folder, opened.

    ``state.json`` has the names of all stages too, so that a run of other ones is known.

    Attributes:
        records: Record of each stage that is done, with its ``seconds``.

    Raises:
        UsageError: The folder has stages of another version.

    Example:
        >>> class Count(StagedRun):
        ...     STAGES = ("one", "two")
        ...     def one(self):
        ...         return {"number": 1}
        ...     def two(self):
        ...         return {"number": self.records["one"]["number"] + 1}
        >>> Path("count").mkdir()
        >>> Count(Path("count")).run()["two"]["number"]
        2
    """

    STAGES: ClassVar[tuple[str, ...]] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / STATE_FILE
        self.records: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        if self.records and self.records.pop("stages", None) != list(self.STAGES):
            raise UsageError(
                f"'{folder}' was started by another version, which had other stages",
                "a run of this version",
                "Begin again with --overwrite, which moves it aside",
            )

    def run(self) -> dict[str, Any]:
        """Do what is left and return the records."""
        for name in self.STAGES:
            self._stage(name)
            self.describe()
        return self.records

    def describe(self) -> None:
        """Say elsewhere what is done, after each stage; here nothing."""

    def forget(self, first: str) -> None:
        """Do a stage and all behind it again."""
        for name in self.STAGES[self.STAGES.index(first) :]:
            self.records.pop(name, None)

    def _stage(self, name: str) -> None:
        title = f"[{self.STAGES.index(name) + 1}/{len(self.STAGES)}] {name}"
        if name in self.records:
            print(f"{title}: done before", file=sys.stderr)
            return
        print(f"{title} ...", file=sys.stderr, flush=True)
        start = time.perf_counter()
        with explained_output(self.folder):
            record = getattr(self, name)()
        if "not_run" in record:
            print(f"{name} is not run: {record['not_run']}", file=sys.stderr)
        seconds = round(time.perf_counter() - start, 1)
        # As it will be read again: lists, not tuples.
        self.records[name] = json.loads(json.dumps({**record, "seconds": seconds}))
        state = {"stages": list(self.STAGES), **self.records}
        write_json_atomic(self.folder / STATE_FILE, state)
        print(f"{title}: {seconds} s", file=sys.stderr)
