"""The report on benchmark results: ranked table, intervals, significance, figures, Hub records.

``write_report(root, output)`` does it all; ``build_board(results)`` gives the same as an object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doctobert_hf.lazy import lazy_names

if TYPE_CHECKING:
    from doctobert_hf.drbenchmark.report.board import Board as Board, build_board as build_board
    from doctobert_hf.drbenchmark.report.hub_records import (
        eval_results as eval_results,
        model_index as model_index,
    )
    from doctobert_hf.drbenchmark.report.write import write_report as write_report

_NAMES = {
    "Board": ".board",
    "build_board": ".board",
    "eval_results": ".hub_records",
    "model_index": ".hub_records",
    "write_report": ".write",
}
__all__ = [*_NAMES]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _NAMES)
