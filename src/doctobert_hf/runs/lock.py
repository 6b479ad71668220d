"""One writer for a run folder: a lock file with the writer's process, host and start time.

The lock is filelock's ``SoftFileLock``: a file made with ``O_EXCL`` that names its owner, so that
it also holds between machines on a network file system with coherent exclusive creation (NFSv3 and
newer, Lustre, GPFS), is not inherited by worker processes, and is taken over when its owner, known
by number and start time, is gone. A lock of another host cannot be proven stale and is never taken.
"""

from __future__ import annotations

import atexit
import contextlib
import datetime
import logging
import os
import time
from pathlib import Path
from typing import Any

from doctobert_hf.errors import UsageError

logger = logging.getLogger(__name__)
LOCK = ".run.lock"
_FILLED_WITHIN = 3.0
_HELD: dict[str, RunLock] = {}
"""Locks of this process. A run that this process opens again (a notebook's cell after Ctrl-C) is
its own to go on with: what it guards against is another process."""


class RunLock:
    """Holds a lock file from :meth:`acquire` to :meth:`release`, or to the end of the process.

    Args:
        path: The lock file.
        what: What is locked, for messages.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path, self.what = path, what
        self._lock: Any = None
        self._pid = os.getpid()

    def acquire(self, wait: float = 0.0) -> None:
        """Take the lock.

        Args:
            wait: Seconds to wait for another process to give it back.

        Raises:
            UsageError: Another process holds it; the error names it.
        """
        from filelock import SoftFileLock, Timeout

        if self._lock is not None:
            return
        key = str(self.path.resolve())
        if (held := _HELD.pop(key, None)) is not None and held._pid == os.getpid():
            self._lock, held._lock = held._lock, None
            _HELD[key] = self
            return
        self._clear_nameless()
        before = owner_of(self.path)
        lock = SoftFileLock(self.path, timeout=0, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            try:
                lock.acquire(timeout=wait)  # also: filelock 4.0 clears a stale lock and then asks
            except Timeout:
                raise self._held() from None
            before = before if wait == 0 else None
        if before is not None:
            logger.warning("%s was locked by %s, which is gone; continuing", self.what, before)
        self._lock = lock
        _HELD[key] = self

    def _clear_nameless(self) -> None:
        """Take away a lock that names nobody: made and filled in two steps, a kill came between.

        Its owner would have filled it within microseconds; it is given seconds.
        """
        first = _nameless(self.path)
        if first is None:
            return
        end = time.monotonic() + _FILLED_WITHIN
        while time.monotonic() < end:
            time.sleep(0.05)
            if _nameless(self.path) != first:
                return
        logger.warning(
            "%s had a lock that names no process: a run was killed as it took it; continuing",
            self.what,
        )
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def _held(self) -> UsageError:
        return UsageError(
            f"{self.what} is in use by {owner_of(self.path) or 'another process'}",
            "one run at a time in a folder",
            "Wait until it has ended, or work in another folder; if it or its "
            f"machine is gone, delete '{self.path}'",
        )

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        if self._lock is None:
            return
        _HELD.pop(str(self.path.resolve()), None)
        lock, self._lock = self._lock, None
        if self._pid == os.getpid():  # a forked worker leaves its parent's lock alone
            with contextlib.suppress(OSError):
                lock.release()


def _nameless(path: Path) -> tuple[int, int] | None:
    """Return which file it is, where a lock file is empty."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns) if found.st_size == 0 else None


def owner_of(path: Path) -> str | None:
    """Say who holds a lock file: process, host and since when; None where it is not there."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split()
        since = datetime.datetime.fromtimestamp(path.stat().st_mtime).astimezone()
    except OSError:
        return None
    process = lines[0] if lines else "?"
    host = lines[1] if len(lines) > 1 else "?"
    return f"process {process} on {host} since {since:%Y-%m-%d %H:%M:%S}"


@atexit.register
def _release_all() -> None:
    for lock in list(_HELD.values()):
        lock.release()
