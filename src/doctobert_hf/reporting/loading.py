"""A word about the seconds in which libraries are imported."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator

logger = logging.getLogger(__name__)
AFTER = 3.0
"""Seconds before anything is said: on a warm machine imports are done by then."""
HEAVY = {
    "torch": "PyTorch",
    "transformers": "Transformers",
    "datasets": "Datasets",
    "sentence_transformers": "Sentence Transformers",
    "datatrove": "datatrove",
    "edsnlp": "edsnlp",
}
"""Libraries whose import takes seconds, with the names they go by."""


@contextlib.contextmanager
def told_of_loading(after: float = AFTER) -> Iterator[None]:
    """Log one line when, ``after`` seconds into a command, a heavy library is still being imported.

    ``HF_HUB_DISABLE_PROGRESS_BARS=1`` turns it off, as it does progress.

    Args:
        after: Seconds.

    Example:
        >>> with told_of_loading():
        ...     import json
    """
    over = threading.Event()
    if os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS") != "1":
        threading.Thread(target=_watch, args=(over, after), daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _watch(over: threading.Event, after: float) -> None:
    begin = time.monotonic()
    while not over.wait(0.25):
        if time.monotonic() - begin < after:
            continue
        if name := being_imported():
            logger.info("loading %s ...", name)
            return


def being_imported() -> str | None:
    """Return the name of the first heavy library whose import has begun and not ended, or None."""
    for module, name in HEAVY.items():
        spec = getattr(sys.modules.get(module), "__spec__", None)
        if getattr(spec, "_initializing", False):
            return name
    return None
