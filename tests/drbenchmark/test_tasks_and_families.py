"""Rooms by family: tasks are found by themselves, kinds are asked for nowhere else."""

import dataclasses
import re
from pathlib import Path

import pytest

import doctobert_hf
from doctobert_hf.drbenchmark import tasks
from doctobert_hf.drbenchmark.families import Family, family_of, list_families, register_family
from doctobert_hf.errors import UsageError

SOURCE = Path(doctobert_hf.__file__).parent
SWITCH = re.compile(r"\b(?:task|spec|record|result)\.kind\s*(?:==|!=|in\b|not in\b)")


def test_every_file_of_tasks_is_found_and_every_task_has_a_family():
    files = {path.stem for path in Path(tasks.__file__).parent.glob("[!_]*.py")}
    assert {task.corpus.name for task in tasks.list_tasks()} >= files
    assert {family_of(task).kind for task in tasks.list_tasks()} <= {
        family.kind for family in list_families()
    }


def test_no_switch_on_a_kind_outside_its_room():
    found = [
        f"{path.relative_to(SOURCE)}:{number}"
        for path in sorted((SOURCE / "drbenchmark").rglob("*.py"))
        if "families" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if SWITCH.search(line)
    ]
    assert found == []


def test_a_family_from_outside_and_a_kind_that_is_not_there(monkeypatch):
    from doctobert_hf.drbenchmark import families

    monkeypatch.setattr(families, "_FAMILIES", dict(families._FAMILIES))
    monkeypatch.setattr(tasks, "_TASKS", dict(tasks._TASKS))

    class Own(Family):
        kind = "own-kind"

    spec = dataclasses.replace(tasks.get_task("diamed"), name="own", kind="own-kind")
    with pytest.raises(UsageError, match="No family of tasks 'own-kind'"):
        tasks.register_task(spec)
    register_family(Own())
    tasks.register_task(spec)
    assert isinstance(family_of(tasks.get_task("own")), Own)
    with pytest.raises(UsageError, match="already"):
        register_family(type("Other", (Family,), {"kind": "similarity"})())
    with pytest.raises(UsageError, match=r"metric.*weighted_f1"):
        tasks.register_task(dataclasses.replace(spec, name="other", metric="weighted_f2"))
