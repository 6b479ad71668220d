"""Opening a run folder: who may write there, and what of an earlier run is gone on with.

A folder is used if it is new, empty, or a run of the same kind, inputs and settings. Anything else
is refused before any work, with the way out. What a start made is removed again if it ends before
it has a result.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.files import explained_output, refuse_remote
from doctobert_hf.runs.check import SCRATCH, Again, Check, is_leftover
from doctobert_hf.runs.lock import LOCK, RunLock
from doctobert_hf.runs.publish import changed_outputs, move_aside, publish, remove_tree
from doctobert_hf.runs.record import (
    RECORD,
    RunRecord,
    new_record,
    read_record,
    vocabulary_of,
    weights_of,
)

_OURS = (RECORD, LOCK, "resolved_config.yaml", "environment.json", "inputs.json")
"""What a start writes before there is a result."""


class RunFolder:
    """A run folder that is locked and recorded; made by :func:`open_run`.

    Attributes:
        folder: The folder.
        record: Its record.
        resumed: Whether a run was there already.

    Example:
        >>> with open_run("my-run", "example", {"seed": 1}) as run:
        ...     _ = (run.folder / "result.txt").write_text("42")
        ...     run.finish("result.txt")
        >>> read_record("my-run").status
        'finished'
    """

    def __init__(self, folder: Path, record_path: Path, lock: RunLock) -> None:
        self.folder, self.record_path, self._lock = folder, record_path, lock
        self.record: RunRecord = RunRecord("", {})
        self.resumed = False
        self._created: list[Path] = []
        self._aside: Path | None = None

    @contextmanager
    def staged(self) -> Iterator[Path]:
        """Give a scratch folder whose files become the run's outputs if the block ends well.

        Files that an earlier run of the folder wrote are replaced or, if they are not written
        again, removed; files of others stay as they are.

        Raises:
            OutputError: A file that is not the run's own is in the way, or the disk is full.
        """
        with explained_output(self.folder):
            scratch = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=self.folder))
            try:
                yield scratch
                self.replace(scratch)
            finally:
                remove_tree(scratch)

    def replace(self, scratch: Path) -> None:
        """Move a folder's files into the run folder; they are its outputs from then on.

        Raises:
            OutputError: A file that is not the run's own is in the way.
        """
        with explained_output(self.folder):
            publish(scratch, self.folder, self.record, self.record_path)

    def finish(self, *outputs: str, status: str = "finished") -> None:
        """Record the results of a run whose files come and go: folders, or files by name.

        Of a folder with a model the hashes of its weights and of its vocabulary are kept: what is
        recorded of the run is true of these weights, and of no others.
        """
        for name in outputs:
            known = self.record.outputs.setdefault(name, {})
            if (weights := weights_of(self.folder / name)) is not None:
                known["weights"] = weights
            if (vocabulary := vocabulary_of(self.folder / name)) is not None:
                known["vocabulary"] = vocabulary
        self.record.status = status
        self.record.write(self.record_path)

    def close(self, failed: bool = False) -> None:
        """Give the folder back; a new one that a start left without a result is removed."""
        if failed and not self.resumed:
            self._abandon()
        elif self.record.status == "running":
            self.record.status = "stopped"
            with contextlib.suppress(OSError):
                self.record.write(self.record_path)
        self._lock.release()
        if failed and not self.resumed:
            for path in reversed(self._created):
                with contextlib.suppress(OSError):  # not empty: something is there to keep
                    path.rmdir()
            if self._aside is not None and not self.folder.exists():
                os.rename(self._aside, self.folder)
                print(f"The earlier run is back in '{self.folder}'.", file=sys.stderr)

    def _abandon(self) -> None:
        """Remove what the start itself wrote, if nothing else is there."""
        if not self.folder.is_dir():
            return
        for path in self.folder.glob(f"{SCRATCH}*"):
            remove_tree(path)
        files = {path for path in self.folder.rglob("*") if path.is_symlink() or path.is_file()}
        begun = {self.folder / name for name in _OURS}
        for folder in self.folder.iterdir():
            if folder.is_dir() and not folder.is_symlink():
                begun |= _recorded(folder)
        if files - begun:  # something is there that is worth keeping, or is somebody's
            self.record.status = "stopped"
            with contextlib.suppress(OSError):
                self.record.write(self.record_path)
            return
        for path in files - {self.folder / LOCK}:
            path.unlink(missing_ok=True)
        for path in sorted(self.folder.rglob("*"), reverse=True):
            with contextlib.suppress(OSError):
                path.rmdir()
        self.record_path.unlink(missing_ok=True)

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(failed=error is not None)


def open_run(
    folder: str | Path,
    kind: str,
    settings: dict[str, Any],
    inputs: Iterable[Any] = (),
    *,
    again: Again = "same",
    resume: bool = False,
    overwrite: bool = False,
    beside: bool = False,
    recognise: Callable[[Path], bool] | None = None,
    described: list[dict[str, Any]] | None = None,
    uses: Iterable[Any] = (),
    wait: float = 0.0,
) -> RunFolder:
    """Lock a run folder, check that it may be written to, and record the run.

    Args:
        folder: Where the run writes.
        kind: What the run is, as :class:`RunRecord` names it.
        settings: What decides its result (:func:`settings_of`).
        inputs: Files and folders it reads.
        again: What a start needs where a run of the kind is there already.
        resume: Whether the user asked to resume that run.
        overwrite: Move a run that is there aside first.
        beside: Keep record and lock beside the folder, whose files are all for others.
        recognise: Tells a run that an earlier version left without a record.
        described: What the record says of the inputs, where they are not files on this machine.
        uses: What else the run reads (a model, a tokenizer) and so must not be moved aside.
        wait: Seconds to wait for another process that holds the folder.

    Returns:
        The folder, locked until it is closed.

    Raises:
        UsageError: The folder holds something else, is in use, or is an input or holds one.
        OutputError: It cannot be written, or is a file.

    Example:
        >>> with open_run("another-run", "example", {"seed": 1}, ["documents.parquet"]) as run:
        ...     run.finish()
        >>> open_run("another-run", "example", {"seed": 2})
        Traceback (most recent call last):
            ...
        doctobert_hf.errors.UsageError: ...
    """
    refuse_remote(folder, "what is written")
    folder = Path(os.path.abspath(folder))  # the working directory may change while it is open
    inputs = list(inputs)
    with explained_output(folder):
        check_apart(folder, inputs)
        if overwrite:
            _check_used(folder, uses)
        if folder.is_symlink() and not folder.exists():
            raise UsageError(f"'{folder}' is a link to nowhere", fix="Choose another --output")
    record_path, lock_path = _places(folder, beside)
    given = new_record(kind, settings, [] if described is not None else inputs)
    given.inputs = given.inputs if described is None else described
    check = Check(folder, record_path, given, again, resume, overwrite, recognise)
    lock = RunLock(lock_path, f"The folder '{folder}'")
    with explained_output(folder):
        if lock_path.exists():
            lock.acquire(wait)  # who works there is told first
        created = _missing(folder)
    run = RunFolder(folder, record_path, lock)
    run._created = created
    try:
        with explained_output(folder):
            check.run()  # before the lock is made: a folder of somebody else gets not even that
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(13, os.strerror(13), str(folder))
            lock.acquire(wait)
    except BaseException:
        _release(lock, created)
        raise
    _begin(run, check, beside)
    return run


def _begin(run: RunFolder, check: Check, beside: bool) -> None:
    """Decide once more under the lock, move a replaced run aside and write the record.

    Until this run has written something, a failure leaves the folder as it was found.
    """
    begun = False
    try:
        found = check.run()
        if found is not None and check.overwrite:
            _set_aside(run, beside)
            found = None
        run.resumed = found is not None
        for path in list(run.folder.iterdir()):
            if is_leftover(path):  # the lock says that its writer is gone
                remove_tree(path) if path.is_dir() else path.unlink()
        run.record = found or check.given
        run.record.killed += int(found is not None and found.status == "running")
        if found is not None and check.again == "any":
            run.record.settings = check.given.settings
        run.record.status = "running"
        begun = True
        with explained_output(run.folder):
            run.record.write(run.record_path)
    except BaseException:
        if begun or run._aside is not None:
            run.close(failed=True)
        else:
            _release(run._lock, run._created)
        raise


def _release(lock: RunLock, created: list[Path]) -> None:
    lock.release()
    for path in reversed(created):
        with contextlib.suppress(OSError):
            path.rmdir()


def _places(folder: Path, beside: bool) -> tuple[Path, Path]:
    if not beside:
        return folder / RECORD, folder / LOCK
    whole = folder.resolve()
    return whole.with_name(f"{whole.name}.{RECORD}"), whole.with_name(f".{whole.name}{LOCK}")


def _recorded(folder: Path) -> set[Path]:
    """Return the files that records below a folder say were written, unchanged since."""
    found: set[Path] = set()
    for path in [folder, *(p for p in folder.rglob("*") if p.is_dir() and not p.is_symlink())]:
        with contextlib.suppress(DataError):
            record = read_record(path)
            if record is not None and not changed_outputs(path, record):
                found |= {path / name for name in (*record.outputs, RECORD)}
    return found


def _missing(folder: Path) -> list[Path]:
    """Return the folders that are to be made, outermost first."""
    absent = [path for path in (folder, *folder.parents) if not path.exists()]
    return absent[::-1]


def _set_aside(run: RunFolder, beside: bool) -> None:
    """Move the run that is there aside and begin in a new folder of its name."""
    folder = run.folder
    aside = move_aside(folder)
    if beside:
        if run.record_path.exists():
            os.replace(run.record_path, run.record_path.with_name(f"{aside.name}.{RECORD}"))
    else:
        run._lock.release()
        (aside / LOCK).unlink(missing_ok=True)
    run._aside = aside
    print(f"The earlier run is now '{aside}'.", file=sys.stderr)
    with explained_output(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not beside:
            run._lock.acquire()
    run._created = [folder]


def _check_used(folder: Path, uses: Iterable[Any]) -> None:
    output = folder.resolve()
    for given in uses:
        if given is None or not Path(str(given)).exists():
            continue
        place = Path(str(given)).resolve()
        if place == output or output in place.parents:
            raise UsageError(
                f"'{given}' lies in '{folder}', which --overwrite would move aside",
                "what the run reads outside of what it replaces",
                "Choose another --output",
            )


def check_apart(folder: str | Path, inputs: Iterable[Any]) -> None:
    """Refuse an output that is an input, holds one or lies in one.

    Raises:
        UsageError: With both paths.

    Example:
        >>> check_apart("output", ["documents.parquet"])
    """
    output = Path(folder).resolve()
    for given in inputs:
        place = Path(str(given))
        if not place.exists():
            continue
        source = place.resolve()
        if source == output:
            how = "is the input"
        elif output in source.parents:
            how = f"holds the input '{given}'"
        elif source.is_dir() and source in output.parents:
            how = f"lies in the input '{given}', where it would be read the next time"
        else:
            continue
        raise UsageError(
            f"The output '{folder}' {how}", "a folder apart from it", "Choose another --output"
        )


@contextmanager
def staged_run(folder: str | Path, kind: str, *args: Any, **options: Any) -> Iterator[Path]:
    """Open a run folder that holds nothing but files written at once; see :func:`open_run`.

    Yields:
        A scratch folder; its files are the run's outputs if the block ends well.

    Example:
        >>> with staged_run("staged", "example", {"seed": 1}) as scratch:
        ...     _ = (scratch / "result.txt").write_text("42")
        >>> Path("staged/result.txt").read_text()
        '42'
    """
    with open_run(folder, kind, *args, **options) as run, run.staged() as scratch:
        yield scratch
