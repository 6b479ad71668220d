"""Whether a folder may be written to by a run, and whether a run there is the one asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

from doctobert_hf.config import by_todays_names
from doctobert_hf.errors import OutputError, UsageError
from doctobert_hf.runs.lock import LOCK
from doctobert_hf.runs.publish import changed_outputs
from doctobert_hf.runs.record import RECORD, RunRecord, new_record, read_record

Again = Literal["resume", "same", "any"]
"""What a second start in a run's folder needs: ``resume``, that ``--resume`` is asked for;
``same``, the same settings and inputs (it goes on, or writes its files anew); ``any``, the same
kind (results of many runs stand side by side)."""
SCRATCH = ".incomplete-"
"""How the name of a folder begins in which files are made before they are put in place."""


def finished_run(
    folder: str | Path,
    kind: str,
    settings: dict[str, Any],
    inputs: Iterable[Any] = (),
    described: list[dict[str, Any]] | None = None,
) -> RunRecord | None:
    """Return the record of a run that is finished, so that its results may be told again.

    They are told only of the settings and inputs that they are results of. Nothing is written.

    Args:
        folder: The run folder.
        kind: What the run is.
        settings: What decides its result, as they are now.
        inputs: Files and folders it reads, as they are now.
        described: What the record says of the inputs, where they are not files on this machine.

    Returns:
        The record; None where there is no run, or one that is not finished.

    Raises:
        UsageError: The run is of another kind, of other settings, or its inputs have changed.

    Example:
        >>> from doctobert_hf.runs import open_run
        >>> with open_run("done", "example", {"seed": 1}) as run:
        ...     run.finish()
        >>> finished_run("done", "example", {"seed": 1}).status
        'finished'
        >>> finished_run("done", "example", {"seed": 2})
        Traceback (most recent call last):
            ...
        doctobert_hf.errors.UsageError: ...
    """
    found = read_record(folder)
    if found is None or found.status != "finished":
        return None
    given = new_record(kind, settings, [] if described is not None else inputs)
    given.inputs = given.inputs if described is None else described
    place = Path(folder)
    return Check(place, place / RECORD, given, "resume", True, False, None).run()


class Check:
    """Checks whether a folder may be written to by a run."""

    def __init__(
        self,
        folder: Path,
        record_path: Path,
        given: RunRecord,
        again: Again,
        resume: bool,
        overwrite: bool,
        recognise: Callable[[Path], bool] | None,
    ) -> None:
        self.folder, self.record_path, self.given = folder, record_path, given
        self.again, self.resume, self.overwrite = again, resume, overwrite
        self.recognise = recognise

    def run(self) -> RunRecord | None:
        """Return the record of the run that is there; None where a new one begins."""
        folder, kind = self.folder, self.given.kind
        if folder.exists() and not folder.is_dir():
            raise OutputError(
                f"Cannot write to '{folder}': it is a file",
                "a folder to write to",
                "Choose another name",
            )
        found = read_record(self.record_path.parent, self.record_path.name)
        holds = folder.is_dir() and any(
            path.name != LOCK and not is_leftover(path) for path in folder.iterdir()
        )
        beside = self.record_path.parent != folder
        if found is not None and beside and not holds:
            found = None  # the user removed what it is the record of
        elif found is None and self.record_path.exists() and beside:
            raise UsageError(
                f"'{self.record_path}' is in the way, and this tool did not write it",
                "a place for the run's record",
                "Choose another --output",
            )
        if found is None:
            if not holds or (self.resume and not (self.recognise and self.recognise(folder))):
                self._refuse_resume()
                return None
            known = self.recognise is not None and self.recognise(folder)
            if known and not self.overwrite:  # without a record it is not ours to move
                found = RunRecord(kind, dict(self.given.settings), list(self.given.inputs))
            else:
                raise UsageError(
                    f"The folder '{folder}' is in use: it holds files that this tool did not write",
                    "a new or empty folder",
                    "Choose another --output",
                )
        if self.overwrite:
            return found
        if found.kind != kind:
            raise UsageError(
                f"The folder '{folder}' holds a run of another kind, {found.kind}",
                f"a new folder or a run of kind {kind}",
                "Pass --overwrite to move it aside, or choose another --output",
            )
        return self._same_kind(found)

    def _refuse_resume(self) -> None:
        if self.resume:
            raise UsageError(
                f"No run to resume in '{self.folder}'", fix="Leave out --resume to start one"
            )

    def _same_kind(self, found: RunRecord) -> RunRecord:
        folder = self.folder
        if self.again == "resume" and not self.resume:
            raise UsageError(
                f"The folder '{folder}' holds a run",
                "a new folder",
                "Pass --resume to continue it, --overwrite to move it aside, or another --output",
            )
        if self.again == "any":
            return found
        recorded = by_todays_names(found.settings, self.given.settings)
        for key in {**self.given.settings, **recorded}:
            if key == "recipe":  # its name; its values are compared
                continue
            now, then = self.given.settings.get(key), recorded.get(key)
            if key not in recorded and not now:
                continue  # a record from before there was this key, which is not used
            if now != then:
                raise UsageError(
                    f"The run in '{folder}' was started with {key} {_shown(then)}, "
                    f"not {_shown(now)}",
                    "the same settings to resume it",
                    "Leave the option out, pass --overwrite to move the run aside, or choose "
                    "another --output",
                )
        self._same_inputs(found)
        if self.again == "same" and (changed := changed_outputs(folder, found)):
            raise UsageError(
                f"'{folder / changed[0]}' was changed after this tool wrote it",
                "files as they were written",
                "Pass --overwrite to move the folder aside, or choose another --output",
            )
        return found

    def _same_inputs(self, found: RunRecord) -> None:
        if not found.inputs and self.again == "resume":
            return  # a run of version 0.1
        if found.inputs != self.given.inputs:
            names = [str(item.get("path")) for item in self.given.inputs]
            then = [str(item.get("path")) for item in found.inputs]
            what = "the same files" if names != then else "the files as they were"
            raise UsageError(
                f"The inputs of '{self.folder}' have changed since it was started "
                f"({', '.join(then) or 'none'} then, {', '.join(names) or 'none'} now)",
                what,
                "Pass --overwrite to move the run aside, or choose another --output",
            )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "…"


def is_leftover(path: Path) -> bool:
    """Return whether a killed run left this: its stage, or its record before it had its name.

    Only what this tool can have written, by kind and exact name: it is removed.
    """
    if path.is_symlink():
        return False
    if path.is_dir():  # named by ``tempfile.mkdtemp``
        return re.fullmatch(rf"{re.escape(SCRATCH)}[a-z0-9_]{{8}}", path.name) is not None
    return re.fullmatch(rf"\.{re.escape(RECORD)}\.\d+\.tmp", path.name) is not None
