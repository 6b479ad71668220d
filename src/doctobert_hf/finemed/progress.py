"""How far the parts of a stage are: each writes a count to a file, the caller adds them up."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

_EVERY = 0.5  # seconds between two writings of a part


def progress_folder(excluded: str) -> Path:
    """Where the counts of a stage lie, from the folder of its exclusion files."""
    return Path(excluded).parent / "logs" / "progress"


class PartCount:
    """Counts the documents of a part, in a file that another process reads.

    Args:
        folder: ``progress`` in the stage's logs.
        name: Of the part.
        total: Documents it will read, if that is known.
    """

    def __init__(self, folder: Path, name: str, total: int | None) -> None:
        self._path, self.total, self.done = folder / name, total, 0
        self._next = 0.0
        with contextlib.suppress(OSError):  # a remote folder: progress is shown where it can be
            folder.mkdir(parents=True, exist_ok=True)

    def update(self) -> None:
        """Count one document."""
        self.done += 1
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _EVERY
            self.write()

    def write(self) -> None:
        """Write the count."""
        with contextlib.suppress(OSError):
            self._path.write_text(f"{self.done} {self.total or 0}", encoding="utf-8")


def read_counts(folder: Path) -> tuple[int, int | None]:
    """Return documents done and in all, over the parts that have begun."""
    done = total = 0
    known = True
    for path in folder.glob("*"):
        with contextlib.suppress(OSError, ValueError):
            part, whole = map(int, path.read_text(encoding="utf-8").split())
            done, total, known = done + part, total + whole, known and whole > 0
    return done, total if known and total else None
