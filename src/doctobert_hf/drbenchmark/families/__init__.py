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

    Example:
        >>> class Mine(Family):
        ...     kind = "token-classification"
        >>> register_family(Mine())
        Traceback (most recent call last):
        doctobert_hf.errors.UsageError: ...
    """
    known = _FAMILIES.get(family.kind)
    if known is not None and type(known) is not type(family):
        raise UsageError(f"There is a family '{family.kind}' already", "a kind of its own")
    _FAMILIES[family.kind] = family


def list_families() -> list[Family]:
    """Return all families that are known.

    Example:
        >>> "token-classification" in [family.kind for family in list_families()]
        True
    """
    return list(_FAMILIES.values())


def find_family(kind: str) -> Family:
    """Return the family of a kind.

    Raises:
        UsageError: There is none; the message has the nearest kind.

    Example:
        >>> find_family("token-classification").kind
        'token-classification'
    """
    if kind not in _FAMILIES:
        raise UsageError(f"No family of tasks '{kind}'", fix=nearest(kind, list(_FAMILIES)))
    return _FAMILIES[kind]


def family_of(task: TaskSpec) -> Family:
    """Return the family of a task.

    Example:
        >>> from doctobert_hf.drbenchmark import get_task
        >>> family_of(get_task("quaero_emea")).finds_entities
        True
    """
    return find_family(task.kind)


for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    for _family in getattr(importlib.import_module(f"{__name__}.{_module}"), "FAMILIES", ()):
        register_family(_family)
