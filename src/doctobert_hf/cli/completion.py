"""Print the script by which a shell completes commands, options, recipes and files.

doctobert-hf completion bash >> ~/.bash_completion
doctobert-hf completion zsh > ~/.zsh/completions/_doctobert-hf
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from doctobert_hf.cli.options import Parser
from doctobert_hf.errors import UsageError
from doctobert_hf.recipes import recipes_of

SHELLS = ("bash", "zsh", "tcsh")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("shell", choices=SHELLS, help="the shell it is for")


def run(args: argparse.Namespace) -> int:
    """Print the script.

    Raises:
        UsageError: shtab is not installed.
    """
    try:
        import shtab
    except ModuleNotFoundError:
        raise UsageError(
            "Completion needs shtab", fix="pip install 'doctobert-hf[completion]'"
        ) from None
    print(shtab.complete(whole_parser(shtab), shell=args.shell))
    return 0


def whole_parser(shtab: Any) -> argparse.ArgumentParser:
    """Return one parser of all commands, whose paths and recipes say how they are completed."""
    from doctobert_hf.cli import COMMANDS, command_parser
    from doctobert_hf.cli.options import add_shown

    whole = argparse.ArgumentParser("doctobert-hf")
    whole.add_argument("--version", action="store_true", help="print the version")
    commands = whole.add_subparsers(dest="command", parser_class=Parser)
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(name, help=summary)
        command_parser(name)[0].add_arguments(sub)
        _mark(sub, name, shtab)
        add_shown(sub)
        plugin = sub.add_argument("--plugin", metavar="FILE.py", help="file that adds to it")
        plugin.complete = shtab.FILE  # type: ignore[attr-defined]
    return whole


def _mark(parser: argparse.ArgumentParser, command: str, shtab: Any) -> None:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in set(action.choices.values()):
                _mark(sub, command, shtab)
        elif action.dest == "recipe":
            action.choices = recipes_of(command)
        elif action.type is Path or action.dest in ("output", "model", "corpus", "documents"):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
