"""Public names that are imported on first use, so that importing a package loads nothing heavy.

A package imports its names under ``TYPE_CHECKING``, where editors and mypy see them, and hands the
same names to :func:`lazy_names`; ``tests/test_public_names.py`` holds the two together.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(
    package: str, names: Mapping[str, str], modules: tuple[str, ...] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's ``__getattr__`` and ``__dir__``.

    Args:
        package: The package's ``__name__``.
        names: Where each name lives: a module, relative to the package or absolute.
        modules: Modules below the package that are reached as attributes.

    Example:
        >>> find, listed = lazy_names("doctobert_hf", {"UsageError": ".errors"})
        >>> find("UsageError").__name__
        'UsageError'
    """

    def find(name: str) -> Any:
        if name in names:
            value = getattr(importlib.import_module(names[name], package), name)
        elif name in modules:
            return importlib.import_module(f"{package}.{name}")
        else:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        setattr(sys.modules[package], name, value)
        return value

    def listed() -> list[str]:
        loaded = {*vars(sys.modules[package])} - {"TYPE_CHECKING", "lazy_names", "annotations"}
        return sorted({*loaded, *names, *modules})

    return find, listed
