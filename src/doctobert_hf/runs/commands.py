"""The command lines that are printed for the user to run: complete, and quoted for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

PLUGINS: list[str] = []
"""Files that this process was given as ``--plugin``: what they add, the next command needs too."""


def command_line(*words: Any, **options: Any) -> str:
    """Return a ``doctobert-hf`` command.

    Args:
        *words: Command, subcommand and positional arguments.
        **options: ``name=value`` becomes ``--name value``; True the option alone; None and False
            nothing; a list several values.

    Example:
        >>> command_line("pretrain", resume=True, output="my run")
        "doctobert-hf pretrain --resume --output 'my run'"
    """
    # A positional argument that begins with a dash would be read as an option.
    given = [f"./{word}" if str(word).startswith("-") else str(word) for word in words]
    plugins = [word for file in PLUGINS for word in ("--plugin", file)]
    return shlex.join(["doctobert-hf", *given, *_options(options), *plugins])


def _options(options: Mapping[str, Any]) -> list[str]:
    parts: list[str] = []
    for name, value in options.items():
        if value is None or value is False or value in ((), []):
            continue
        option = "--" + name.replace("_", "-")
        values = [] if value is True else value if isinstance(value, (list, tuple)) else [value]
        if any(str(one).startswith("-") for one in values):
            parts += [f"{option}={one}" for one in values]
        else:
            parts += [option, *map(str, values)]
    return parts
