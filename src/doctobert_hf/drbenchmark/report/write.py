"""Writing the report: all files or none."""

from __future__ import annotations

import json
import os
from pathlib import Path

from doctobert_hf.drbenchmark.report import figures as drawing
from doctobert_hf.drbenchmark.report.board import Board, build_board
from doctobert_hf.drbenchmark.report.evidence import read_counts
from doctobert_hf.drbenchmark.report.html import page
from doctobert_hf.drbenchmark.report.hub_records import eval_results, model_index
from doctobert_hf.drbenchmark.report.tables import content, csv_text, latex, markdown
from doctobert_hf.drbenchmark.results import read_failures, read_results
from doctobert_hf.errors import UsageError
from doctobert_hf.reporting.figures import save_figure
from doctobert_hf.runs import staged_run


def write_report(
    root: Path,
    output: Path,
    baselines: str | None = None,
    protocol: str | None = None,
    procedure: str | None = None,
    overwrite: bool = False,
) -> Board:
    """Rank the results of a folder and write the report.

    Files: ``report.md``, ``.html``, ``.json``, ``.csv`` and ``.tex``; ``figures/*.png``; for each
    model ``models/MODEL@REVISION/model-index.yaml`` and ``.eval_results/drbenchmark.yaml``, to
    copy into the model's repository. A report of the same results that is there already is
    replaced, file by file; what others put beside it stays.

    Args:
        root: Folder with the results.
        output: Folder of the report.
        baselines: ``published``, or None.
        protocol: Use only results of this protocol.
        procedure: Use only results of this procedure.
        overwrite: Move a report of other results, or one that was changed, aside.

    Returns:
        What the report is about.

    Raises:
        UsageError: No result, a mixture of protocols or procedures, unknown names, or a folder that
            holds something else.
        DataError: A damaged result file.
        OutputError: The report cannot be written.

    Example:
        >>> from pathlib import Path
        >>> board = write_report(Path("results"), Path("report"))
        >>> Path("report/report.md").is_file(), len(board.rows)
        (True, 2)
    """
    if Path(output).resolve() == Path(root).resolve():
        raise UsageError(
            f"The output '{output}' is the folder of the results",
            "a folder for the report",
            "Leave out --output to write to 'report' in it",
        )
    results = read_results(root)
    board = build_board(
        results, baselines, protocol, procedure, read_failures(root), read_counts(results, root)
    )
    drawn = drawing.draw_figures(board)
    missing = "" if drawn else drawing.MISSING
    # Relative: results and their report may be moved together.
    settings = {"results": os.path.relpath(Path(root).resolve(), Path(output).resolve())}
    # Runs that share a results folder end with its report: one waits for the other.
    with staged_run(output, "benchmark-report", settings, overwrite=overwrite, wait=60) as folder:
        if drawn:
            (folder / "figures").mkdir()
        for name, figure in drawn.items():
            save_figure(figure, folder / "figures" / f"{name}.png")
        paths = [(f"figures/{name}.png", drawing.CAPTIONS[name]) for name in drawn]
        inline = {name: drawing.inline_svg(figure, name) for name, figure in drawn.items()}
        for name, words in {
            "report.md": markdown(board, paths, missing),
            "report.html": page(board, inline, missing),
            "report.json": json_text(board),
            "report.csv": csv_text(board),
            "report.tex": latex(board),
        }.items():
            (folder / name).write_text(words, encoding="utf-8")
        _write_records(board, folder / "models")
    return board


def json_text(board: Board) -> str:
    """Return ``report.json``."""
    return json.dumps(content(board), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _write_records(board: Board, folder: Path) -> None:
    import yaml

    for row in board.rows:
        results = board.results_of(row)
        index = model_index(results) if results else {}
        if not index:  # a published row, or nothing but tasks of its own
            continue
        model = folder / results[0].cell.folder(Path()).parts[0]
        for path, record in (
            (model / "model-index.yaml", index),
            (model / ".eval_results" / "drbenchmark.yaml", eval_results(results)),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(
                yaml.safe_dump(record, sort_keys=False, allow_unicode=True), encoding="utf-8"
            )
