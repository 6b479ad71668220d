"""Configuration: a typed dataclass, filled from YAML, with the command line on top.

Precedence: defaults of the dataclass < YAML file < command line. An unknown key is an error that
names the nearest valid one; a value of the wrong type is an error that names the type.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import math
import reprlib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

from doctobert_hf.errors import UsageError, nearest

logger = logging.getLogger(__name__)
T = TypeVar("T")
MAX_VALUES = 100_000
"""Most values of a YAML file, aliases expanded; nested aliases grow without bound."""


def option(
    default: Any,
    help: str,
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
    path: bool = False,
    cli: bool = True,
    shown: str | None = None,
    formerly: str | None = None,
    means_now: str | None = None,
) -> Any:
    """Return a dataclass field with its help and bounds.

    Args:
        default: Default value; a list or dict is copied for each instance.
        help: What it means, with its unit; also the help of the command line.
        least: Smallest value.
        most: Largest value.
        above: The value is greater.
        below: The value is smaller.
        path: The string is a path if a file or folder of its name exists.
        cli: Whether the command line has it.
        shown: What the help says of the default, where it depends on other options.
        formerly: The key's name in older recipes; it is still read, with a warning.
        means_now: What that name means as an option now; given, it is refused there.

    Example:
        >>> import dataclasses
        >>> @dataclasses.dataclass
        ... class Sizes:
        ...     steps: int = option(10, "steps of a run", least=1)
        >>> build_config(Sizes, {"steps": 0})
        Traceback (most recent call last):
            ...
        doctobert_hf.errors.UsageError: steps 0 in the configuration. Expected at least 1.
    """
    bounds = {"least": least, "most": most, "above": above, "below": below}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    metadata = {"help": help, "cli": cli, "path": path, "bounds": given, "shown": shown}
    metadata["formerly"], metadata["means_now"] = formerly, means_now
    if isinstance(default, (list, dict)):
        return dataclasses.field(default_factory=lambda: default.copy(), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def check_bounds(config: Any, source: str = "") -> None:
    """Check the values of a dataclass against the bounds of its fields (:func:`option`).

    Raises:
        UsageError: A value out of its bounds, infinite or no number.
    """
    for item in dataclasses.fields(config):
        for value in _numbers(getattr(config, item.name)):
            _check_number(value, item.name, item.metadata.get("bounds", {}), source)


def _numbers(value: Any) -> list[float]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]


def _check_number(value: float, name: str, bounds: Mapping[str, float], source: str) -> None:
    where = f" in the {source}" if source else ""
    if not math.isfinite(value):
        raise UsageError(f"{name} {value}{where}", "a finite number")
    words = {"least": "at least", "most": "at most", "above": "above", "below": "below"}
    wrong = {
        "least": lambda bound: value < bound,
        "most": lambda bound: value > bound,
        "above": lambda bound: value <= bound,
        "below": lambda bound: value >= bound,
    }
    if any(wrong[kind](bound) for kind, bound in bounds.items()):
        wanted = ", ".join(f"{words[kind]} {bound:,}" for kind, bound in bounds.items())
        raise UsageError(f"{name} {value}{where}", wanted)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises:
        UsageError: The file is missing, is not YAML, or holds something other than a mapping.
    """
    import yaml

    try:
        content = yaml.load(Path(path).read_text(encoding="utf-8"), yaml_loader())
    except RecursionError as error:
        raise UsageError(
            f"The configuration '{path}' is nested too deeply", "plain keys"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The configuration '{path}' cannot be read ({error})", "a YAML file in UTF-8"
        ) from error
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        twice = str(getattr(error, "problem", "")).startswith(_TWICE)
        raise UsageError(
            f"The configuration '{path}'{line}: {error.problem}"  # type: ignore[attr-defined]
            if twice
            else f"The configuration '{path}'{line} is not valid YAML",
            "each key once" if twice else "'key: value' lines",
            "" if twice else "Check indentation, quotes and colons there",
        ) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UsageError(
            f"The configuration '{path}' holds a {type(content).__name__}", "'key: value' lines"
        )
    try:
        size = _expanded_size(content, {})
    except RecursionError as error:
        raise UsageError(
            f"The configuration '{path}' is nested too deeply", "plain keys"
        ) from error
    if size > MAX_VALUES:
        raise UsageError(
            f"The configuration '{path}' comes to more than {MAX_VALUES:,} values",
            "a recipe of some tens of keys",
            "Write nested aliases out, or leave them out",
        )
    return content


_TWICE = "the key"


def yaml_loader() -> Any:
    """Return YAML's safe loader, with an error for a key that stands twice in a mapping."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen = set()
            for key_node, _ in node.value:
                key = key_node.value if isinstance(key_node.value, str) else None
                if key is not None and key != "<<" and key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{_TWICE} {key!r:.80} is given twice", key_node.start_mark
                    )
                seen.add(key)
            return super().construct_mapping(node, deep)

    return Loader


def _expanded_size(value: Any, known: dict[int, int]) -> int:
    """Count values with each alias expanded, without expanding any."""
    if isinstance(value, (dict, list)):
        if id(value) in known:
            return known[id(value)]
        known[id(value)] = MAX_VALUES + 1  # a value inside itself has no end
        items = value.values() if isinstance(value, dict) else value
        known[id(value)] = min(
            MAX_VALUES + 1, 1 + sum(_expanded_size(item, known) for item in items)
        )
        return known[id(value)]
    return 1


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
        for key, value in renamed(cls, layer, source).items():
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
    for name, value in values.items():
        for number in _numbers(value):
            _check_number(number, name, fields[name].metadata.get("bounds", {}), source)
    return cls(**values)


_BEGUN: ContextVar[bool] = ContextVar("begun", default=False)


@contextmanager
def begun_before(resume: bool = True) -> Iterator[None]:
    """Take settings that do nothing as they are: a run was begun when they were not refused."""
    token = _BEGUN.set(resume)
    try:
        yield
    finally:
        _BEGUN.reset(token)


def refuse_unless_begun(error: UsageError) -> None:
    """Raise an error about a setting that does nothing; where a run goes on, tell it.

    Raises:
        UsageError: The error, outside :func:`begun_before`.
    """
    if not _BEGUN.get():
        raise error
    logger.warning("%s", error)


def renamed(cls: type, given: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return a mapping with the names that keys have today; older ones are told of.

    Args:
        cls: The dataclass that the keys are of, or some of them.
        given: Keys as they are written.
        source: What to call the mapping.

    Example:
        >>> from doctobert_hf.pretraining.recipe import PretrainConfig
        >>> renamed(PretrainConfig, {"hand_over": "full"}, "recipe")
        {'init_mode': 'full'}
    """
    names = {old: f.name for f in dataclasses.fields(cls) if (old := f.metadata.get("formerly"))}
    for key in names.keys() & given.keys():
        logger.warning("'%s' in the %s is called '%s' now", key, source, names[key])
    return {names.get(key, key): value for key, value in given.items()}


FORMERLY = {"tasks": "parts", "hand_over": "init_mode"}
"""Names that recorded settings had before, and today's."""


def by_todays_names(recorded: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return recorded settings under the names that the settings given now have.

    Example:
        >>> by_todays_names({"tasks": 2, "seed": 1}, {"parts": 2, "seed": 1})
        {'parts': 2, 'seed': 1}
        >>> by_todays_names({"tasks": ["morfitt"]}, {"tasks": ["morfitt"]})
        {'tasks': ['morfitt']}
    """
    old = {a for a, b in FORMERLY.items() if a not in given and b in given and b not in recorded}
    return {FORMERLY[key] if key in old else key: value for key, value in recorded.items()}


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
            raise UsageError(f"{_short(value)} for {where}", f"one of {', '.join(map(repr, args))}")
        return value
    if origin in (list, tuple):
        if isinstance(value, (str, bytes)) or not isinstance(value, (list, tuple)):
            value = [value]
        items = [_coerce(item, args[0], where) for item in value]
        return items if origin is list else tuple(items)
    if origin is dict:
        if not isinstance(value, (Mapping, type(None))):
            raise UsageError(f"{_short(value)} for {where}", "keys and values: 'key: value' lines")
        return dict(value or {})
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
    raise UsageError(
        f"{_short(value)} for {where}", _TYPE_NAMES.get(hint, f"a value of type {_type_name(hint)}")
    )


def _short(value: Any) -> str:
    """Return the beginning of a value's repr: it goes into one line of an error."""
    shortener = reprlib.Repr()
    shortener.maxstring = shortener.maxother = 200
    return shortener.repr(value)


def _union_members(hint: Any) -> list[Any]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return list(typing.get_args(hint))
    return [hint]


_TYPE_WORDS = {str: "TEXT", int: "N", float: "X", Path: "PATH"}
"""What the help shows for a value of a type."""
_TYPE_NAMES = {
    str: "text",
    int: "a whole number (int)",
    float: "a number",
    bool: "true or false (bool)",
}


def _type_name(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint))


class _Formerly(argparse.Action):
    """An option by its earlier name: it is taken, and told of."""

    def __init__(self, *words: Any, means_now: str | None = None, **keys: Any) -> None:
        super().__init__(*words, **keys)
        self.means_now = means_now

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        now = "--" + self.dest.replace("_", "-")
        if self.means_now is not None:
            parser.error(f"{option} {values}: {self.means_now}; what it was here is {now}")
        logger.warning("'%s' is called '%s' now", option, now)
        setattr(namespace, self.dest, values)


def add_config_arguments(
    parser: argparse.ArgumentParser,
    cls: type,
    leave_out: Sequence[str] = (),
    shown: Mapping[str, Any] | None = None,
) -> None:
    """Add one ``--option`` per field of ``cls``; absent options leave no trace in the namespace.

    A field's help comes from ``metadata={"help": ...}``; its default is shown beside it.

    Args:
        parser: Where to add them.
        cls: A dataclass.
        leave_out: Fields that are no options here.
        shown: Defaults that the command has instead of the dataclass's.
    """
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        if not field.init or field.metadata.get("cli") is False or field.name in leave_out:
            continue
        members = [m for m in _union_members(hints[field.name]) if m is not type(None)]
        option = "--" + field.name.replace("_", "-")
        help_text = field.metadata.get("help", "").replace("%", "%%")
        told = (shown or {}).get(field.name, field.metadata.get("shown"))
        if told is not None:
            help_text += f" (default: {told})"
        elif field.default not in (dataclasses.MISSING, None, "", False, ()):
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
            choices = typing.get_args(members[0])
            named = _TYPE_WORDS.get(members[0], _type_name(members[0]).upper())
            metavar = f"{{{','.join(map(str, choices))}}}" if choices else named
            parser.add_argument(option, metavar=metavar, **common)
            if old := field.metadata.get("formerly"):
                earlier = common | {"help": argparse.SUPPRESS, "action": _Formerly}
                earlier["means_now"] = field.metadata.get("means_now")
                parser.add_argument("--" + old.replace("_", "-"), **earlier)


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
