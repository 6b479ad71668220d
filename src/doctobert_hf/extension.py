"""Classes of others, by name: ``package.module:Class``, or ``FILE.py:Class``."""

from __future__ import annotations

import importlib
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
