"""Recipes: YAML files, named by path or by name (``doctobert-base/tokenizer``)."""

from __future__ import annotations

import difflib
from pathlib import Path

from doctobert_hf.errors import UsageError, nearest


def shared_folder(name: str) -> Path:
    """Return the folder ``recipes`` or ``hub_cards``, in the installed wheel or in a checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "_data" / name, package.parents[1] / name):
        if folder.is_dir():
            return folder
    raise UsageError(
        f"The folder '{name}' is not beside the installed package",
        "it inside the wheel or at the top of a checkout",
        "Reinstall doctobert-hf",
    )


def list_recipes() -> list[str]:
    """Return the names of all recipes that travel with the package, sorted."""
    root = shared_folder("recipes")
    return sorted(
        path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.yaml")
    )


_ROOMS = {"finemed": "finemed/", "retrieval": "retrieval/", "quickstart": "tiny/"}


def recipes_of(command: str) -> list[str]:
    """Return the names of the recipes that a command takes, sorted.

    Example:
        >>> recipes_of("tokenizer")[0]
        'doctobert-base/tokenizer'
    """
    names = list_recipes()
    if command in _ROOMS:
        return [name for name in names if name.startswith(_ROOMS[command])]
    others = (*_ROOMS.values(), "drbenchmark/")
    own = [name for name in names if not name.startswith(others)]
    return [name for name in own if name.endswith("/tokenizer") == (command == "tokenizer")]


def is_recipe(word: str) -> bool:
    """Return whether a word names a recipe, or nearly, rather than a file or folder of text.

    Example:
        >>> is_recipe("doctobert-base/tokenizer"), is_recipe("my.yaml"), is_recipe("corpus.parquet")
        (True, True, False)
    """
    if Path(word).suffix in (".yaml", ".yml"):
        return True
    if Path(word).exists():
        return False
    return bool(difflib.get_close_matches(word, list_recipes(), 1, 0.8))


def find_recipe(name_or_path: str, command: str | None = None) -> Path:
    """Return the path of a recipe given by path or by name.

    Args:
        name_or_path: Name of a recipe of the package, or a YAML file.
        command: Whose recipes are named where there is no such recipe; None: all.

    Raises:
        UsageError: Neither a file nor a known name; the nearest known name is suggested.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    known = list_recipes()
    if name_or_path in known:
        return shared_folder("recipes") / f"{name_or_path}.yaml"
    raise UsageError(
        f"No recipe '{name_or_path}'",
        "a YAML file or a recipe's name",
        nearest(name_or_path, known if command is None else recipes_of(command)),
    )
