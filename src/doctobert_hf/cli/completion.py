"""Print the script by which a shell completes commands, options, recipes and files.

doctobert-hf completion bash > ~/.doctobert-hf.bash   # read it in ~/.bashrc
doctobert-hf completion zsh > ~/.zsh/completions/_doctobert-hf
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from doctobert_hf.cli.options import Parser
from doctobert_hf.errors import UsageError
from doctobert_hf.recipes import list_recipes, recipes_of

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
        module = command_parser(name)[0]
        module.add_arguments(sub)
        _mark(sub, name, shtab)
        add_shown(sub)
        plugin = sub.add_argument("--plugin", metavar="FILE.py", help="file that adds to it")
        plugin.complete = shtab.FILE  # type: ignore[attr-defined]
        for option in getattr(module, "further_options", list)():
            if option not in sub._option_string_actions:
                sub.add_argument(option)
    return whole


def _tasks(groups: bool) -> list[str]:
    from doctobert_hf.drbenchmark import list_tasks

    return [*(["doctobert"] if groups else []), "all", *(task.name for task in list_tasks())]


def _measuring() -> dict[str, list[str]]:
    """Return what ``--protocol`` and ``--space`` take by name."""
    from doctobert_hf.drbenchmark.spec import PROTOCOLS

    spaces = [name for name in list_recipes() if name in ("drbenchmark/search", "tiny/benchmark")]
    return {"protocol": list(PROTOCOLS), "space": spaces}


_WORDS = {"pretrain": ("store", "ablate")}
"""What may stand in a recipe's place."""


def _recipes(command: str) -> list[str]:
    """Return the recipes of a command; of a stage of FineMed those with no other stage's keys."""
    name, _, stage = command.partition(" ")
    found = recipes_of(name)
    if name != "finemed" or not stage:
        return found
    from doctobert_hf.config import read_yaml
    from doctobert_hf.finemed.config import STAGES
    from doctobert_hf.recipes import find_recipe

    keys = {field.name for field in dataclasses.fields(STAGES[stage])}
    return [recipe for recipe in found if set(read_yaml(find_recipe(recipe, name))) <= keys]


def _mark(parser: argparse.ArgumentParser, command: str, shtab: Any) -> None:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                _mark(sub, f"{command} {name}", shtab)
        elif action.dest == "recipe":
            action.choices = [*_recipes(command), *_WORDS.get(command, ())]
        elif action.dest == "tasks" and action.option_strings:
            action.choices = _tasks(groups=command != "hub push-dataset")
        elif action.dest in ("protocol", "space") and action.option_strings:
            action.choices = _measuring()[action.dest]
        elif str(action.metavar).startswith("{"):  # the values that a key takes: "{local,slurm}"
            action.choices = str(action.metavar).strip("{}").split(",")
        elif action.type is Path or action.dest in ("output", "model", "corpus", "documents"):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
