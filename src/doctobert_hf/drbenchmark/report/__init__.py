"""The report on benchmark results: ranked table, intervals, significance, figures, Hub records.

``write_report(root, output)`` does it all; ``build_board(results)`` gives the same as an object.
"""

from __future__ import annotations

import importlib
from typing import Any

_PUBLIC = {
    "Board": "board",
    "build_board": "board",
    "eval_results": "hub_records",
    "model_index": "hub_records",
    "write_report": "write",
}

__all__ = [*_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
