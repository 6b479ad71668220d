"""What others add: installed plugins, and classes by name.

A class is named ``package.module:Class`` or ``FILE.py:Class``.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import runpy
import sys
from pathlib import Path
from typing import Any

from doctobert_hf.errors import UsageError


def find_class(name: str) -> Any:
    """Return what ``package.module:Class`` or ``FILE.py:Class`` names.

    Packages are looked for in the working directory too.

    Raises:
        UsageError: There is no such module, or nothing of the name in it.

    Example:
        >>> find_class("pathlib:PurePosixPath")("a").name
        'a'
    """
    place, _, own = name.rpartition(":")
    try:
        if place.endswith(".py"):
            found = runpy.run_path(place)
            if own in found:
                return found[own]
            raise AttributeError(f"'{place}' has no {own}")
        if "" not in sys.path and str(Path.cwd()) not in sys.path:
            sys.path.append(str(Path.cwd()))
        return getattr(importlib.import_module(place), own)
    except UsageError:
        raise
    except Exception as error:  # whatever the module's own code raises
        raise UsageError(
            f"'{name}' cannot be imported ({type(error).__name__}: {error})",
            "package.module:Class, or FILE.py:Class",
        ) from error


LOADED: list[str] = []
"""Groups of entry points that :func:`load_installed` ran: processes started later run them too."""


def load_installed(group: str) -> list[str]:
    """Run the entry points of a group; return their names.

    Raises:
        UsageError: One fails: what it was to add would be missing silently.
    """
    names = []
    for entry in importlib.metadata.entry_points(group=group):
        try:
            loaded = entry.load()
            if callable(loaded):
                loaded()
        except Exception as error:
            raise UsageError(
                f"The plugin '{entry.name}' ({entry.value}) failed ({type(error).__name__}: "
                f"{error})",
                fix="Mend or uninstall it",
            ) from error
        names.append(entry.name)
    if names and group not in LOADED:
        LOADED.append(group)
    return names
