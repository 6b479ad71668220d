"""Plugins: files and installed packages that add to what the commands know.

A plugin is a Python file (``doctobert-hf COMMAND --plugin FILE.py``) or an installed package's
entry point in the group ``doctobert_hf.plugins``. It registers what it adds when it is run
(``register_task``, ``register_family``, ``register_metric``, ``register_card_kind``,
``register_class`` for a callback or an annotator), or has ``TASKS``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from doctobert_hf.errors import UsageError
from doctobert_hf.extension import load_installed
from doctobert_hf.runs.commands import PLUGINS

logger = logging.getLogger(__name__)
GROUP = "doctobert_hf.plugins"
OPTION = "--plugin"


def take_plugins(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return a command line without its ``--plugin`` options, and their files.

    Raises:
        UsageError: The option stands last, without a file.

    Example:
        >>> take_plugins(["finetune", "--plugin", "mine.py", "--task", "x"])
        (['finetune', '--task', 'x'], ['mine.py'])
    """
    left, files = [], []
    words = iter(arguments)
    for word in words:
        if word == OPTION:
            file = next(words, None)
            if file is None:
                raise UsageError(f"{OPTION} without a file", f"{OPTION} FILE.py")
            files.append(file)
        elif word.startswith(f"{OPTION}="):
            files.append(word.split("=", 1)[1])
        else:
            left.append(word)
    return left, files


def load_plugins(files: Sequence[str | Path] = ()) -> list[str]:
    """Run installed plugins and files; return their names.

    Raises:
        UsageError: One fails: what it was to add would be missing silently.
    """
    names = load_installed(GROUP)
    for path in map(Path, files):
        if not path.is_file():
            raise UsageError(f"There is no plugin '{path}'", "a Python file")
        from doctobert_hf.drbenchmark.tasks import run_task_file  # of no use to other commands

        run_task_file(path, "plugin")
        if str(path) not in PLUGINS:
            PLUGINS.append(str(path))
        names.append(path.name)
    if names:
        logger.info("plugins: %s", ", ".join(names))
    return names
