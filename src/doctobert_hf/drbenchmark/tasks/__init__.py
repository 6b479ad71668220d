"""The 27 tasks, one file per corpus: a file of this folder is found by itself, by its ``TASKS``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from pathlib import Path

from doctobert_hf.drbenchmark.families import find_family
from doctobert_hf.drbenchmark.spec import TaskSpec
from doctobert_hf.errors import UsageError, nearest
from doctobert_hf.extension import run_file
from doctobert_hf.metrics.own import metric_key


def _discovered() -> dict[str, TaskSpec]:
    """Tasks of all files here but those that begin with ``_``; in the order of their corpora."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    tasks = [task for module in modules for task in module.TASKS]
    return {task.name: task for task in sorted(tasks, key=lambda task: task.corpus.place)}


_TASKS = _discovered()
RUN_FILES: dict[str, str] = {}
"""Files that :func:`run_task_file` ran, and what each is: processes started later run them too."""


def list_tasks() -> list[TaskSpec]:
    """Return the declarations of all tasks: the 27 of DrBenchmark and those registered.

    Variants (``quaero_emea_nested``) are known by name alone.

    Example:
        >>> len([task for task in list_tasks() if task.doctobert])
        7
    """
    return [task for task in _TASKS.values() if not task.extra]


def register_task(spec: TaskSpec) -> None:
    """Make a task of your own known: to ``benchmark run``, ``finetune``, ``predict``, Datasets.

    Args:
        spec: Its declaration, as the files of :mod:`doctobert_hf.drbenchmark.tasks` make them.

    Raises:
        UsageError: Another task has the name, or there is no such kind or metric.

    Example:
        >>> import dataclasses
        >>> mine = dataclasses.replace(get_task("morfitt"), name="my_abstracts", doctobert=False)
        >>> register_task(mine)
        >>> get_task("my_abstracts").kind
        'multilabel-classification'
    """
    find_family(spec.kind)
    metric_key(spec.metric)
    known = _TASKS.get(spec.name)
    if known is not None and known != spec:
        raise UsageError(f"There is a task '{spec.name}' already", "a name of its own")
    _TASKS[spec.name] = spec


def run_task_file(path: Path, what: str = "task file") -> set[str]:
    """Run a Python file that may register tasks; return the names that it registers.

    Raises:
        UsageError: It fails.
    """
    before = set(_TASKS)
    try:
        found = run_file(path, again=True).get("TASKS", ())
        for spec in found:
            register_task(spec)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"The {what} '{path}' failed ({type(error).__name__}: {error})") from error
    RUN_FILES[str(path.absolute())] = what
    return set(_TASKS) - before | {spec.name for spec in found}


def load_task_files(paths: Iterable[str | Path]) -> None:
    """Run Python files that register tasks: they call :func:`register_task`, or have ``TASKS``.

    Raises:
        UsageError: A file is missing, fails, or registers nothing.
    """
    for path in map(Path, paths):
        if not run_task_file(path):
            raise UsageError(
                f"The task file '{path}' registers no task", "TASKS, or a call of register_task"
            )


def find_task(name: str) -> TaskSpec | None:
    """Return a task by name; None where there is no such task."""
    return _TASKS.get(name)


GROUPS = ("all", "doctobert")
"""Words for several tasks: each one, and those of the published DoctoBERT scores."""


def named_tasks(names: Iterable[str]) -> list[TaskSpec]:
    """Return tasks by names, each once; ``all`` and ``doctobert`` stand for several.

    Raises:
        UsageError: No such task; the message has the nearest name.

    Example:
        >>> len(named_tasks(["all"])), [task.name for task in named_tasks(["morfitt", "morfitt"])]
        (27, ['morfitt'])
    """
    found: list[TaskSpec] = []
    for name in names:
        if name in GROUPS:
            found += [task for task in list_tasks() if name == "all" or task.doctobert]
        else:
            found.append(get_task(name))
    return list({task.name: task for task in found}.values())


def get_task(name: str) -> TaskSpec:
    """Return a task by name.

    Raises:
        UsageError: No such task; the message has the nearest name.

    Example:
        >>> get_task("frenchmedmcqa_mcqa").metric
        'hamming_score'
    """
    if name not in _TASKS:
        names = [*_TASKS, *GROUPS]
        raise UsageError(f"No task '{name}' in DrBenchmark", fix=nearest(name, names))
    return _TASKS[name]
