"""Progress of work that takes more than some seconds: a bar, or a line now and then in a log."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, TypeVar

logger = logging.getLogger(__name__)
T = TypeVar("T")
DELAY = 2.0
"""Seconds before anything is shown: what is done by then needs no bar."""
FIRST, LONGEST = 5.0, 60.0
"""Seconds to the first line in a log, and at most between two; they grow by half each time."""


class Progress:
    """Shows how far a piece of work is.

    On a terminal and in a notebook it is a tqdm bar that appears after two seconds; in a log or a
    file a line after five seconds, then less and less often. It also tells that work goes on where
    nothing can be counted. ``HF_HUB_DISABLE_PROGRESS_BARS=1`` turns it off.

    Args:
        what: What is done, e.g. ``encoding``.
        total: How much there is; None: unknown.
        unit: What is counted.
        poll: Asked for ``(done, total)`` every second instead of :meth:`update`.
        begun: How much an earlier run did; it says nothing about this one's speed.

    Example:
        >>> with Progress("reading", total=3, unit="documents") as progress:
        ...     for _ in range(3):
        ...         progress.update()
        >>> progress.done
        3
    """

    def __init__(
        self,
        what: str,
        total: int | None = None,
        unit: str = "documents",
        poll: Callable[[], tuple[int, int | None]] | None = None,
        begun: int = 0,
    ) -> None:
        self.what, self.total, self.unit, self._poll = what, total, unit, poll
        self.done = self.begun = begun
        self._begin = time.monotonic()
        self._next, self._pause = FIRST, FIRST
        self._over = threading.Event()
        self._bar: Any = None
        self._thread: threading.Thread | None = None
        self._off = os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS") == "1"

    def __enter__(self) -> Progress:
        if not self._off:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def update(self, count: int = 1) -> None:
        """Count work as done."""
        self.done += count

    def _watch(self) -> None:
        pause = 0.5
        while not self._over.wait(pause):
            self._show()
            pause = 1.0

    def _show(self) -> None:
        if self._poll is not None:
            self.done, self.total = self._poll()
        seconds = time.monotonic() - self._begin
        if _draws_bars():
            if seconds >= DELAY:
                self._draw()
        elif seconds >= self._next:
            self._pause = min(LONGEST, self._pause * 1.5)
            self._next = seconds + self._pause
            logger.info("%s", self.line(seconds))

    def _draw(self) -> None:
        from tqdm.auto import tqdm

        if self._bar is None:
            self._bar = tqdm(
                total=self.total,
                initial=self.begun,
                desc=self.what,
                unit=f" {self.unit}",
                dynamic_ncols=True,
                leave=False,
            )
            self._bar.start_t -= time.monotonic() - self._begin
        self._bar.total = self.total
        self._bar.n = self.done
        self._bar.refresh()

    def line(self, seconds: float) -> str:
        """Return the state as one line of at most 80 columns."""
        words = f"{self.what}: {seconds:,.0f} s"
        if self.done:
            of = f" of {self.total:,}" if self.total else ""
            words += f", {self.done:,}{of} {self.unit}"
        if self.total and self.begun < self.done <= self.total:
            left = seconds * (self.total - self.done) / (self.done - self.begun)
            words += f", about {left:,.0f} s left"
        return words

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        if self._bar is not None:
            self._bar.close()


def track(
    items: Iterable[T], what: str, total: int | None = None, unit: str = "documents"
) -> Iterator[T]:
    """Yield items and show how many are done; see :class:`Progress`."""
    if total is None and hasattr(items, "__len__"):
        total = len(items)  # type: ignore[arg-type]
    with Progress(what, total, unit) as progress:
        for item in items:
            yield item
            progress.update()


def _draws_bars() -> bool:
    return sys.stderr.isatty() or _in_a_notebook()


def _in_a_notebook() -> bool:
    """Return whether a notebook's kernel runs this; an imported ipykernel alone is none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config
