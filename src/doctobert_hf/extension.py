"""What others add: installed plugins, and classes by name.

A class is named ``package.module:Class`` or ``FILE.py:Class``; a plugin may give it a short name.
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
            found = run_file(place)
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


_BUILT_IN = ("light", "lexicon", "none", "energy", "fill_mask", "gc", "spikes")
"""Annotators and callbacks of this package."""
_NAMED: dict[str, str] = {}
"""Short names that plugins gave, and the whole ones: other processes know only those."""


def register_class(name: str, found: type) -> None:
    """Give a class of your own, a callback or an annotator, a short name.

    Called by a plugin (``--plugin FILE.py``, or an entry point in ``doctobert_hf.plugins``). What
    is recorded and handed to other processes is the whole name, which needs no plugin.

    Args:
        name: What recipes and options say instead of ``FILE.py:Class`` or ``package.module:Class``.
        found: The class, of the file that calls or of a package that can be imported.

    Raises:
        UsageError: The name has a colon, or means another class already.

    Example:
        >>> import pathlib
        >>> register_class("posix", pathlib.PurePosixPath)
        >>> full_name("posix").endswith(":PurePosixPath")
        True
    """
    if not name or ":" in name or name in _BUILT_IN:
        raise UsageError(
            f"'{name}' as a short name", "a word without a colon that means nothing yet"
        )
    if "." in found.__qualname__:
        raise UsageError(
            f"'{found.__qualname__}' stands inside something else", "a class of a file"
        )
    place = found.__module__
    if place == "<run_path>" and _RUNNING:  # what runpy calls every file
        place = _RUNNING[-1]
    elif place == "__main__":
        place = str(getattr(sys.modules[place], "__file__", None) or "")
        if not place.endswith(".py"):
            raise UsageError(
                f"{found.__name__} of a session", "a class of a file, which others can import"
            )
    whole = f"{place}:{found.__qualname__}"
    if _NAMED.setdefault(name, whole) != whole:
        raise UsageError(f"'{name}' is registered already, for {_NAMED[name]}", "another name")


def full_name(name: str) -> str:
    """Return ``FILE.py:Class`` or ``package.module:Class`` of a short name; others as they are.

    Example:
        >>> full_name("judges.py:Domain")
        'judges.py:Domain'
    """
    return _NAMED.get(name, name)


_RUNNING: list[str] = []
_RUN: dict[Path, tuple[tuple[int, int], dict[str, Any]]] = {}
"""What files have made that were run: once is enough, and a task can be registered once only."""


def run_file(path: str | Path, again: bool = False) -> dict[str, Any]:
    """Run a Python file, once in a process as long as it stays the same, and return its names.

    Args:
        path: The file.
        again: Run it although it was run before.

    Example:
        >>> _ = Path("mine.py").write_text("ANSWER = 42")
        >>> run_file("mine.py")["ANSWER"]
        42
    """
    place = Path(path).resolve()
    about = place.stat()
    state = about.st_mtime_ns, about.st_size
    if again or place not in _RUN or _RUN[place][0] != state:
        _RUNNING.append(str(path))
        try:
            _RUN[place] = state, runpy.run_path(str(path))
        finally:
            _RUNNING.pop()
    return _RUN[place][1]


LOADED: list[str] = []
"""Groups of entry points that :func:`load_installed` ran: processes started later run them too."""


def load_installed(group: str) -> list[str]:
    """Run the entry points of a group; return their names.

    Raises:
        UsageError: One fails: what it was to add would be missing silently.

    Example:
        >>> load_installed("a group that no package has")
        []
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
