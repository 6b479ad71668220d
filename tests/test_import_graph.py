"""Layers point one way: no module of the package reaches itself through its imports."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "import_graph.py"


def load():
    spec = importlib.util.spec_from_file_location("import_graph", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_circle_is_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert load().circles(graph) == [["a", "b", "c"]]


@pytest.mark.long
def test_there_are_no_circles():
    assert load().main() == 0
