"""Every key of the trainer's arguments, in a recipe and on the command line."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from doctobert_hf.config import build_config, renamed, yaml_loader
from doctobert_hf.errors import UsageError, nearest
from doctobert_hf.models.architecture import architecture_keys, is_architecture_key
from doctobert_hf.pretraining.unused_keys import UNUSED, check_unused

_FIXED = {
    "output_dir": "output",
    "optimizer_from": "init_from with init_mode: full",
    "static_shapes": "torch_compile",
    "push_to_hub": "'doctobert-hf hub push-model' when the run is finished",
}
"""Decided by other keys, or by another command."""


def split_keys(recipe: Mapping[str, Any], own: type, source: str) -> dict[str, Any]:
    """Move keys of the trainer's arguments into ``training``, the model's into ``architecture``.

    Args:
        recipe: Keys as they are written.
        own: Dataclass of the recipe's own keys.
        source: What to call the mapping in an error.

    Raises:
        UsageError: A key of neither, with the nearest name.
    """
    names = {field.name for field in dataclasses.fields(own)}
    recipe = renamed(own, recipe, source)
    mine = {key: value for key, value in recipe.items() if key in names}
    for key in ("training", "architecture"):
        if not isinstance(mine.get(key) or {}, Mapping):
            raise UsageError(
                f"{key}: {mine[key]!r:.40} in {source}",
                "keys of their own below it",
                "Write each key by itself, e.g. hidden_size: 256",
            )
    others = {key: value for key, value in recipe.items() if key not in names}
    arguments = argument_names()
    inside = {k: v for k, v in others.items() if k not in arguments and is_architecture_key(k)}
    others = {key: value for key, value in others.items() if key not in inside}
    if inside:
        mine["architecture"] = {**(mine.get("architecture") or {}), **inside}
    if others:
        mine["training"] = {**(mine.get("training") or {}), **others}
    if mine.get("training"):
        mine["training"] = checked(mine["training"], names, source)
    return mine


def merged(saved: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is given, with the keys of ``training`` and ``architecture`` put over saved ones.

    Example:
        >>> merged({"training": {"a": 1, "b": 2}}, {"training": {"b": 3}})
        {'training': {'a': 1, 'b': 3}}
    """
    both = {
        key: {**(saved[key] or {}), **(given[key] or {})}
        for key in ("training", "architecture")
        if key in given and key in saved
    }
    return {**given, **both}


def argument_names() -> set[str]:
    """Return the names of all of the trainer's arguments."""
    from doctobert_hf.pretraining.arguments import MLMTrainingArguments

    return {f.name for f in dataclasses.fields(MLMTrainingArguments) if f.init}


def checked(given: Mapping[str, Any], own: set[str], source: str) -> dict[str, Any]:
    """Check keys and types of trainer arguments.

    Raises:
        UsageError: An unknown key, one that the recipe decides otherwise, or a wrong type.
    """
    from doctobert_hf.pretraining.arguments import MLMTrainingArguments

    hints = typing.get_type_hints(MLMTrainingArguments)
    fields = {f.name: f for f in dataclasses.fields(MLMTrainingArguments) if f.init}
    found = {}
    for key, value in given.items():
        if key in own:
            raise UsageError(
                f"'{key}' under training in the {source}", "a key of the recipe itself"
            )
        if key in _FIXED:
            raise UsageError(f"'{key}' in the {source}", _FIXED[key])
        if key not in fields:
            taken = (name for name in fields if name not in _FIXED and name not in UNUSED)
            names = [*own, *taken, *architecture_keys()]
            mend = nearest(key, names)
            if key == "recipe":
                mend = "A recipe is named right behind the command: doctobert-hf pretrain RECIPE"
            raise UsageError(f"Unknown key '{key}' in the {source}", fix=mend)
        holder = dataclasses.make_dataclass("_One", [(key, hints[key])])
        plain = isinstance(value, (dict, list, tuple)) or hints[key] is Any
        found[key] = value if plain else _typed(holder, key, hints[key], value, source)
        _check_mapping(key, hints[key], found[key], source)
        check_unused(fields[key], found[key])
    return found


def _check_mapping(key: str, hint: Any, value: Any, source: str) -> None:
    """Refuse a word where keys and values belong; Transformers would hand it on as it is.

    Raises:
        UsageError: It is neither JSON nor a file of it.
    """
    kinds = {typing.get_origin(kind) or kind for kind in typing.get_args(hint) or (hint,)}
    if isinstance(value, str) and dict in kinds and not value.lstrip().startswith("{"):
        if key == "fsdp" or Path(value).is_file():
            return
        raise UsageError(f"{value!r:.60} for '{key}' in the {source}", "{key: value}")


def _typed(holder: type, key: str, hint: Any, value: Any, source: str) -> Any:
    try:
        return getattr(build_config(holder, {key: value}, source=source), key)
    except UsageError:
        kinds = set(typing.get_args(hint) or (hint,)) - {type(None)}
        if isinstance(value, str) and not kinds <= {int, float, bool}:
            return value  # an enumeration of Transformers checks it itself
        raise


def read_options(words: Sequence[str]) -> dict[str, Any]:
    """Read ``--key value``, ``--key=value``, ``--key`` and ``--no-key`` from a command line.

    Raises:
        UsageError: A word that belongs to no option.
    """
    from doctobert_hf.pretraining.arguments import MLMTrainingArguments

    hints = typing.get_type_hints(MLMTrainingArguments)
    found: dict[str, list[Any]] = {}
    key = ""
    for word in words:
        if word.startswith("--"):
            name, _, value = word[2:].partition("=")
            key = name.replace("-", "_")
            found[key] = [_value(value, hints.get(key))] if value else []
        elif not key:
            switch = word.lower() in ("true", "false", "yes", "no")
            fits = "--key or --no-key: a switch takes no value" if switch else "--key value"
            raise UsageError(f"unrecognized arguments: {word}", fits)
        else:
            found[key].append(_value(word, hints.get(key)))
    options: dict[str, Any] = {}
    for key, values in found.items():
        if not values and key.startswith("no_"):
            options[key[3:]] = False
        else:
            options[key] = True if not values else values[0] if len(values) == 1 else values
    return options


def _value(word: str, hint: Any) -> Any:
    """Return a word as YAML reads it; for a key that takes text alone, ``2024-01-01`` is text."""
    import yaml

    try:
        value = yaml.load(word, yaml_loader())
    except yaml.YAMLError as error:
        why = getattr(error, "problem", None) or "no YAML"
        raise UsageError(f"'{word:.60}': {why}", "a value as YAML has it") from error
    kinds = set(typing.get_args(hint) or (hint,)) - {type(None)}
    named = any(isinstance(kind, type) and issubclass(kind, Enum) for kind in kinds)
    text = kinds == {str} or (named and bool not in kinds)  # "no" is a strategy
    return word if text and value is not None else value
