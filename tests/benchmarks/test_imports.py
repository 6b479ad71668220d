"""What benchmarks, scripts and examples take from the package is there, inside functions too."""

import ast
import importlib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = [
    path
    for folder in ("benchmarks", "scripts", "examples")
    for path in sorted((REPOSITORY / folder).glob("*.py"))
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_names_resolve(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("doctobert"):
            continue
        try:
            module = importlib.import_module(node.module)
        except ImportError as error:
            if (error.name or "").startswith("doctobert"):
                raise
            continue  # what an extra brings is not installed here
        for name in node.names:
            if not hasattr(module, name.name):
                importlib.import_module(f"{node.module}.{name.name}")
