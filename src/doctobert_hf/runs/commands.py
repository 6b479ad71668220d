"""The command lines that are printed for the user to run: complete, and quoted for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any


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
    return shlex.join(["doctobert-hf", *map(str, words), *_options(options)])


def _options(options: Mapping[str, Any]) -> list[str]:
    parts: list[str] = []
    for name, value in options.items():
        if value is None or value is False or value in ((), []):
            continue
        parts.append("--" + name.replace("_", "-"))
        if value is not True:
            parts += map(str, value) if isinstance(value, (list, tuple)) else [str(value)]
    return parts
