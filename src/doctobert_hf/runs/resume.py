"""Going on with a run by its record: its settings are read back, options given must agree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from doctobert_hf.config import begun_before, build_config, read_yaml
from doctobert_hf.errors import UsageError
from doctobert_hf.recipes import find_recipe
from doctobert_hf.runs.record import read_record, settings_of, sha256

T = TypeVar("T")
RECIPE = "recipe"
"""Key of the recorded settings that names the recipe a run was started with."""


def resumed_config(
    cls: type[T],
    folder: str | Path,
    kind: str,
    given: Mapping[str, Any],
    recipe: str | None = None,
) -> T:
    """Return the configuration of the run in a folder.

    Args:
        cls: Its dataclass, with a field ``output``.
        folder: The run folder; it may have been moved.
        kind: Kind of the run.
        given: Options of the command line; they must agree with the run.
        recipe: Recipe that was named again, if one was; it must be the run's.

    Raises:
        UsageError: There is no such run, or something given differs from it.
    """
    folder = Path(folder)
    saved = _saved_settings(folder, kind)
    begun_with = saved.pop(RECIPE, None)
    if recipe is not None and begun_with is not None:
        now = recipe_of(recipe) or {}
        if now["sha256"] != begun_with["sha256"]:
            changed = now["name"] == begun_with["name"]
            raise UsageError(
                f"--resume with the recipe '{recipe}', "
                + ("which was changed since the run" if changed else "but the run")
                + f" in '{folder}' was started"
                + ("" if changed else f" with '{begun_with['name']}'"),
                "the same recipe, or none",
                "Leave it out: --resume reads the run's own settings",
            )
    with begun_before():
        config = build_config(cls, saved, {"output": folder}, source=f"run '{folder}'")
    mine = {
        key: {**saved[key], **value} if _both_mappings(saved.get(key), value) else value
        for key, value in given.items()
        if key not in ("output", RECIPE)
    }
    with begun_before():
        wanted = build_config(cls, saved, mine, {"output": folder}, source="options")
    now, then = settings_of(wanted), settings_of(config)
    for key in mine:
        if now[key] != then[key]:
            raise UsageError(
                f"--resume with {key} {now[key]!r}, but the run in '{folder}' was started with "
                f"{then[key]!r}",
                "the same settings",
                "Leave the option out, or start another run with another --output",
            )
    return config


def _both_mappings(*values: Any) -> bool:
    """Return whether some of a mapping's keys are given again: the others are as they were."""
    return all(isinstance(value, Mapping) for value in values)


def recipe_of(name_or_path: str | None) -> dict[str, str] | None:
    """Return name and hash of a recipe, for the record; None without one."""
    if name_or_path is None:
        return None
    return {"name": name_or_path, "sha256": sha256(find_recipe(name_or_path))}


def _saved_settings(folder: Path, kind: str) -> dict[str, Any]:
    record = read_record(folder)
    if record is not None:
        if record.kind != kind:
            raise UsageError(
                f"'{folder}' holds a run of another kind, {record.kind}", f"a run of kind {kind}"
            )
        return dict(record.settings)
    earlier = folder / "resolved_config.yaml"  # a run of version 0.1, which kept no record
    if earlier.is_file():
        return read_yaml(earlier)
    raise UsageError(f"No run to resume in '{folder}'", fix="Leave out --resume to start one")
