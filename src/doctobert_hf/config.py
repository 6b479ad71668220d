"""Configuration: a typed dataclass, filled from YAML, with the command line on top.

Precedence: defaults of the dataclass < YAML file < command line. An unknown key is an error that
names the nearest valid one; a value of the wrong type is an error that names the type.
"""

from __future__ import annotations

import argparse
import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from doctobert_hf.errors import UsageError, nearest

T = TypeVar("T")


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises:
        UsageError: The file is missing, is not YAML, or holds something other than a mapping.
    """
    import yaml

    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The configuration '{path}' cannot be read ({error})", "a YAML file in UTF-8"
        ) from error
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        raise UsageError(
            f"The configuration '{path}'{line} is not valid YAML",
            "'key: value' lines",
            "Check indentation, quotes and colons there",
        ) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UsageError(
            f"The configuration '{path}' holds a {type(content).__name__}", "'key: value' lines"
        )
    return content


def build_config(cls: type[T], *layers: Mapping[str, Any], source: str = "configuration") -> T:
    """Build dataclass ``cls`` from mappings, later ones on top of earlier ones.

    Args:
        cls: A dataclass; its type hints are checked against the values.
        *layers: Mappings of field name to value, lowest precedence first.
        source: What to call the mappings in an error ("recipe 'x.yaml'").

    Raises:
        UsageError: An unknown key, a missing required key, or a value of the wrong type.
    """
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            if key not in fields:
                raise UsageError(
                    f"Unknown key '{key}' in the {source}", fix=nearest(str(key), list(fields))
                )
            values[key] = _coerce(value, hints[key], f"'{key}' in the {source}")
    missing = [
        name
        for name, field in fields.items()
        if name not in values
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise UsageError(f"No value for {', '.join(map(repr, missing))} in the {source}")
    return cls(**values)


def _coerce(value: Any, hint: Any, where: str) -> Any:
    """Check ``value`` against a type hint, turning strings of YAML or argv into numbers."""
    options = _union_members(hint)
    if len(options) > 1 or type(None) in options:
        if value is None or (value == "none" and type(None) in options):
            return None
        options = [option for option in options if option is not type(None)]
        for option in options[:-1]:
            try:
                return _coerce(value, option, where)
            except UsageError:
                continue
        return _coerce(value, options[-1], where)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        if value not in args:
            raise UsageError(f"{value!r} for {where}", f"one of {', '.join(map(repr, args))}")
        return value
    if origin in (list, tuple):
        if isinstance(value, (str, bytes)) or not isinstance(value, (list, tuple)):
            value = [value]
        items = [_coerce(item, args[0], where) for item in value]
        return items if origin is list else tuple(items)
    return _coerce_scalar(value, hint, where)


def _coerce_scalar(value: Any, hint: Any, where: str) -> Any:
    if hint is Any:
        return value
    if hint is bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false", "yes", "no"):
            return value.lower() in ("true", "yes")
    elif hint in (int, float):
        try:
            number = float(value) if hint is float or isinstance(value, str) else value
            if not isinstance(value, bool) and (hint is float or int(number) == number):
                return hint(number)
        except (TypeError, ValueError, OverflowError):
            pass
    elif hint in (str, Path):
        if isinstance(value, (str, Path)):
            return hint(value)
    elif isinstance(value, hint):
        return value
    raise UsageError(f"{value!r} for {where}", f"a value of type {_type_name(hint)}")


def _union_members(hint: Any) -> list[Any]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return list(typing.get_args(hint))
    return [hint]


def _type_name(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint))


def add_config_arguments(parser: argparse.ArgumentParser, cls: type) -> None:
    """Add one ``--option`` per field of ``cls``; absent options leave no trace in the namespace.

    A field's help comes from ``metadata={"help": ...}``; its default is shown beside it.
    """
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        if not field.init or field.metadata.get("cli") is False:
            continue
        members = [m for m in _union_members(hints[field.name]) if m is not type(None)]
        option = "--" + field.name.replace("_", "-")
        help_text = field.metadata.get("help", "").replace("%", "%%")
        if field.default not in (dataclasses.MISSING, None, "", False, ()):
            several = isinstance(field.default, tuple)
            default = " ".join(map(str, field.default)) if several else field.default
            help_text += f" (default: {default})"
        common: dict[str, Any] = {
            "dest": field.name,
            "default": argparse.SUPPRESS,
            "help": help_text,
        }
        if members == [bool]:
            parser.add_argument(option, action=argparse.BooleanOptionalAction, **common)
        elif typing.get_origin(members[0]) in (list, tuple):
            parser.add_argument(option, nargs="+", metavar="X", **common)
        else:
            metavar = "|".join(map(str, typing.get_args(members[0]))) or _type_name(members[0])
            parser.add_argument(option, metavar=metavar.upper(), **common)


def config_overrides(namespace: argparse.Namespace, cls: type) -> dict[str, Any]:
    """Return what the command line set of ``cls``'s fields (see :func:`add_config_arguments`)."""
    names = {field.name for field in dataclasses.fields(cls)}
    return {key: value for key, value in vars(namespace).items() if key in names}


def write_yaml(config: Any, path: str | Path) -> None:
    """Write a dataclass as YAML, field by field in declaration order."""
    import yaml

    content = {
        field.name: str(value) if isinstance(value, Path) else value
        for field in dataclasses.fields(config)
        for value in [getattr(config, field.name)]
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    Path(path).write_text(text, encoding="utf-8")
