"""Hyper-parameters, and search spaces as plain YAML.

A value is a constant, ``{choices: [...]}``, or a range ``{low, high}``, with ``log: true`` or a
``step``. Nothing is evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.config import read_yaml
from doctobert_hf.drbenchmark.spec import TaskSpec
from doctobert_hf.drbenchmark.tasks import list_tasks
from doctobert_hf.errors import UsageError, nearest

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.trial import FixedTrial


@dataclass(frozen=True)
class HyperParameters:
    """What a fine-tuning run is made of.

    Attributes:
        learning_rate: Peak, AdamW, linear to 0.
        weight_decay: Decoupled.
        warmup_ratio: Share of the steps.
        dropout: Of hidden states and head; None: as the model has it.
        epochs: Passes over the training split.
        batch_size: Rows of a step.
        gradient_accumulation_steps: Steps of ``batch_size`` to an update.
    """

    learning_rate: float
    weight_decay: float = 0.01
    warmup_ratio: float = 0.0
    dropout: float | None = None
    epochs: int = 10
    batch_size: int = 16
    gradient_accumulation_steps: int = 1

    def __post_init__(self) -> None:
        if self.learning_rate <= 0 or self.epochs < 1 or self.batch_size < 1:
            raise UsageError(
                f"learning_rate {self.learning_rate}, epochs {self.epochs}, batch_size "
                f"{self.batch_size}",
                "a rate above 0 and at least 1 of the others",
            )


NAMES = tuple(field.name for field in fields(HyperParameters))


@dataclass(frozen=True)
class SearchSpace:
    """What may be tuned for a task.

    Attributes:
        values: Constant, choices or range by hyper-parameter.
        untuned: What is used where nothing is tuned (``--trials 0``).
        grace: Evaluations before a trial may be pruned; there are ten or eleven.
    """

    values: Mapping[str, Any]
    untuned: HyperParameters
    grace: int

    def suggest(self, trial: Trial | FixedTrial) -> HyperParameters:
        """Draw hyper-parameters for a trial."""
        return HyperParameters(**{name: _draw(trial, name, v) for name, v in self.values.items()})

    @property
    def mean_epochs(self) -> float:
        """Epochs of an average trial, for estimates."""
        value = self.values.get("epochs", self.untuned.epochs)
        if isinstance(value, Mapping):
            options = value.get("choices") or [value["low"], value["high"]]
            return sum(options) / len(options)
        return float(value)


def read_spaces(path: str | Path, tasks: list[TaskSpec]) -> dict[str, SearchSpace]:
    """Read search spaces: ``defaults``, ``untuned``, and by task what differs.

    Raises:
        UsageError: An unknown key, task or hyper-parameter, or a range that is none.
    """
    content = read_yaml(Path(path))
    _known(content, ("defaults", "untuned", "tasks"), str(path))
    special = content.get("tasks") or {}
    _known(special, tuple(task.name for task in list_tasks()) + tuple(t.name for t in tasks), path)
    spaces = {}
    for task in tasks:
        own = special.get(task.name) or {}
        _known(own, (*NAMES, "grace", "untuned"), f"{path}, {task.name}")
        merged = {**(content.get("defaults") or {}), **own}
        untuned = {**(content.get("untuned") or {}), **(own.get("untuned") or {})}
        _known(untuned, NAMES, f"{path}, untuned of {task.name}")
        values = {name: merged[name] for name in NAMES if name in merged}
        for name, value in values.items():
            _check(name, value, f"{path}, {task.name}")
        _known(merged, (*NAMES, "grace", "untuned"), f"{path}, defaults")
        spaces[task.name] = SearchSpace(
            values, HyperParameters(**untuned), int(merged.get("grace", 4))
        )
    return spaces


def _draw(trial: Trial | FixedTrial, name: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    if "choices" in value:
        return trial.suggest_categorical(name, value["choices"])
    low, high, step = value["low"], value["high"], value.get("step")
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(name, low, high, step=step or 1)
    return trial.suggest_float(name, low, high, log=value.get("log", False), step=step)


def _check(name: str, value: Any, where: str) -> None:
    if isinstance(value, Mapping):
        choices = value.get("choices")
        ranged = "low" in value and "high" in value and value["low"] <= value["high"]
        extra = set(value) - {"choices", "low", "high", "log", "step"}
        if extra or not (ranged or (isinstance(choices, list) and choices)):
            raise UsageError(
                f"{where}: {name} is {dict(value)}", "a value, {choices: [...]} or {low, high}"
            )
    elif not isinstance(value, (int, float)) and value is not None:
        raise UsageError(f"{where}: {name} is '{value}'", "a number")


def _known(found: Mapping[str, Any], names: tuple[str, ...], where: Any) -> None:
    for key in found:
        if key not in names:
            raise UsageError(f"{where}: unknown key '{key}'", fix=nearest(str(key), list(names)))
