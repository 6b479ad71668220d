"""Families of tasks, one file each: columns, sequences, head, loss, predictions and score.

A family of your own: subclass :class:`Family` and call :func:`register_family`. Nothing outside of
this folder asks what kind a task is.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from doctobert_hf.drbenchmark.families.base import Family, Item
from doctobert_hf.errors import UsageError, nearest

if TYPE_CHECKING:
    from doctobert_hf.drbenchmark.spec import TaskSpec

__all__ = ["Family", "Item", "family_of", "find_family", "list_families", "register_family"]

_FAMILIES: dict[str, Family] = {}


def register_family(family: Family) -> None:
    """Make a family known under its kind.

    Raises:
        UsageError: Another family has the kind.
    """
    known = _FAMILIES.get(family.kind)
    if known is not None and type(known) is not type(family):
        raise UsageError(f"There is a family '{family.kind}' already", "a kind of its own")
    _FAMILIES[family.kind] = family


def list_families() -> list[Family]:
    """Return all families that are known."""
    return list(_FAMILIES.values())


def find_family(kind: str) -> Family:
    """Return the family of a kind.

    Raises:
        UsageError: There is none; the message has the nearest kind.
    """
    if kind not in _FAMILIES:
        raise UsageError(f"No family of tasks '{kind}'", fix=nearest(kind, list(_FAMILIES)))
    return _FAMILIES[kind]


def family_of(task: TaskSpec) -> Family:
    """Return the family of a task."""
    return find_family(task.kind)


for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    for _family in getattr(importlib.import_module(f"{__name__}.{_module}"), "FAMILIES", ()):
        register_family(_family)
