"""Who does a piece of work in a folder that several processes share, and whether it still does."""

from __future__ import annotations

import os
import platform
from typing import Any


def this_process() -> dict[str, Any]:
    """Return ``host``, ``process`` (its number) and ``started`` (seconds since 1970)."""
    import psutil

    return {
        "host": platform.node(),
        "process": os.getpid(),
        "started": psutil.Process().create_time(),
    }


def is_alive(owner: Any) -> bool | None:
    """Return whether a process that :func:`this_process` described runs; None: another host's."""
    import psutil

    try:
        if owner["host"] != platform.node():
            return None
        found = psutil.Process(int(owner["process"]))
        return abs(found.create_time() - float(owner["started"])) < 1.0
    except psutil.NoSuchProcess:
        return False
    except (KeyError, TypeError, ValueError):
        return False  # nobody: made before owners were recorded
