"""Callbacks that a recipe names: ours by a short name, others by ``package.module:Class``.

```yaml
callbacks:
  - gc: {steps: 500}
  - spikes: {factor: 2.0, action: rollback}
  - my_package.callbacks:DiskSpace
```
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from doctobert_hf.config import yaml_loader
from doctobert_hf.errors import UsageError, nearest
from doctobert_hf.extension import find_class, full_name

if TYPE_CHECKING:
    from transformers import TrainerCallback

NAMES = {
    "energy": "EnergyCallback",
    "fill_mask": "FillMaskProbeCallback",
    "gc": "ScheduledGCCallback",
    "spikes": "LossSpikeCallback",
}


def split_named(items: Sequence[Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return names and arguments of a recipe's ``callbacks``.

    Raises:
        UsageError: An entry that is neither a name nor a mapping of one name to its arguments.
    """
    found: list[tuple[str, dict[str, Any]]] = []
    for item in map(_parsed, items):
        if isinstance(item, str):
            found.append((item, {}))
        elif isinstance(item, Mapping) and len(item) == 1:
            ((name, given),) = item.items()
            if not isinstance(name, str) or not isinstance(given or {}, Mapping):
                raise UsageError(f"callbacks: {item!r:.80}", "a name, or a name: {key: value}")
            found.append((name, dict(given or {})))
        else:
            raise UsageError(f"callbacks: {item!r:.80}", "a name, or a name: {key: value}")
    return found


def _parsed(item: Any) -> Any:
    """Return a mapping that the command line gives as YAML, ``'{spikes: {factor: 2}}'``."""
    import yaml

    if isinstance(item, str) and item.lstrip().startswith("{"):
        try:
            return yaml.load(item, yaml_loader())
        except yaml.YAMLError as error:
            problem = str(getattr(error, "problem", ""))
            why = f": {problem}" if "twice" in problem else " is no YAML"
            wrong = f"callbacks: {item!r:.80}{why}"
            raise UsageError(wrong, "{name: {key: value}}, each key once") from error
    return item


def make_callbacks(
    items: Sequence[Any], defaults: Sequence[TrainerCallback] = ()
) -> list[TrainerCallback]:
    """Return a recipe's callbacks behind the defaults; one of a default's class replaces it.

    Raises:
        UsageError: No callback of that name, or arguments that it does not take.
    """
    named = [_make(name, given) for name, given in split_named(items)]
    classes = {type(callback) for callback in named}
    return [*(c for c in defaults if type(c) not in classes), *named]


def _make(name: str, given: dict[str, Any]) -> TrainerCallback:
    from transformers import TrainerCallback

    made = _find(name)
    if not (isinstance(made, type) and issubclass(made, TrainerCallback)):
        raise UsageError(f"callbacks: '{name}' is no callback", "a subclass of TrainerCallback")
    known = inspect.signature(made.__init__).parameters
    open_ended = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values())
    for key in given:
        if key not in known and not open_ended:
            names = [parameter for parameter in known if parameter != "self"]
            raise UsageError(f"callbacks: {name} has no '{key}'", fix=nearest(key, names))
    try:
        return made(**given)
    except TypeError as error:
        raise UsageError(f"callbacks: {name} cannot be made ({error})") from error


def _find(name: str) -> Any:
    from doctobert_hf.pretraining import callbacks

    if name in NAMES:
        return getattr(callbacks, NAMES[name])
    name = full_name(name)
    if ":" not in name:
        raise UsageError(
            f"callbacks: there is no '{name}'",
            f"{', '.join(NAMES)}, package.module:Class, or a name that a --plugin registers",
            nearest(name, list(NAMES)),
        )
    try:
        return find_class(name)
    except UsageError as error:
        raise UsageError(f"callbacks: {error}") from error
