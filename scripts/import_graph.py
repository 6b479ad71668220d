"""Print circles in the import graph of the package, imports inside functions included.

Exit code 1 if there is one. Imports under ``TYPE_CHECKING`` do not count: they do not run.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"


def modules() -> dict[str, Path]:
    """Modules of the package by name."""
    found = {}
    for path in (SOURCE / "doctobert_hf").rglob("*.py"):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """Modules of the package that a file imports, anywhere."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in whole}
    return found & set(known)


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Modules that reach themselves, grouped."""
    reach = {name: set(targets) for name, targets in graph.items()}
    changed = True
    while changed:
        changed = False
        for name, targets in reach.items():
            wider = targets.union(*(reach[target] for target in targets))
            changed |= wider != targets
            reach[name] = wider
    groups = {
        tuple(sorted(other for other in targets if name in reach[other]))
        for name, targets in reach.items()
        if name in targets
    }
    return sorted(map(list, groups))


def main() -> int:
    """Print the circles."""
    known = modules()
    found = circles({name: imports(path, known) - {name} for name, path in known.items()})
    for group in found:
        print(" <-> ".join(group))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
