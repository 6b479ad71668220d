"""The 27 tasks, one file per corpus: the only table of them."""

from __future__ import annotations

from doctobert_hf.drbenchmark.spec import TaskSpec
from doctobert_hf.drbenchmark.tasks import (
    cas,
    clister,
    deft2019,
    deft2020,
    deft2021,
    diamed,
    e3c,
    essai,
    frenchmedmcqa,
    mantragsc,
    morfitt,
    pxcorpus,
    quaero,
)
from doctobert_hf.errors import UsageError, nearest

_MODULES = (
    quaero,
    e3c,
    morfitt,
    deft2021,
    diamed,
    cas,
    essai,
    frenchmedmcqa,
    mantragsc,
    clister,
    deft2019,
    deft2020,
    pxcorpus,
)
_TASKS = {task.name: task for module in _MODULES for task in module.TASKS}


def list_tasks() -> list[TaskSpec]:
    """Return the declarations of all 27 tasks, the seven of the DoctoBERT paper first."""
    return list(_TASKS.values())


def get_task(name: str) -> TaskSpec:
    """Return a task by name.

    Raises:
        UsageError: No such task; the message has the nearest name.
    """
    if name not in _TASKS:
        raise UsageError(f"No task '{name}' in DrBenchmark", fix=nearest(name, list(_TASKS)))
    return _TASKS[name]
