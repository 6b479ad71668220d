"""The board as Markdown, text, LaTeX, CSV and JSON."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from doctobert_hf.drbenchmark.report.annotations import HEADER, account_rows, accounts_of
from doctobert_hf.drbenchmark.report.board import Board, Entry, Row
from doctobert_hf.drbenchmark.report.layout import (
    Column,
    Field,
    aggregate_columns,
    task_columns,
)
from doctobert_hf.drbenchmark.report.significance import Pair
from doctobert_hf.drbenchmark.report.types import TypeScore, readable, type_scores
from doctobert_hf.reporting.tables import text_table
from doctobert_hf.statistics import SIGNIFICANT, Interval

FORMAT = 1
PAIR_HEADER = ("better", "than", "by", "p", "p (Holm)", "pairs")


# ---------------------------------------------------------------------------------------- text


def text(board: Board) -> str:
    """Return the tables of scores, intervals and comparisons by documents for a terminal.

    Comparisons with published rows, eleven for each model, are left to the report.
    """
    columns = [*task_columns(board), *aggregate_columns(board)]
    header = ["model", *(column.title for column in columns)]
    rows = [
        [row.name, *(_plain(column.fields[i]) for column in columns)]
        for i, row in enumerate(board.rows)
    ]
    tables = [text_table(header, rows)]
    if measured := measured_columns(board):
        bounds = [
            [row.name, *(_with_interval(column.fields[i]) for column in measured)]
            for i, row in enumerate(board.rows)
            if not row.published
        ]
        title = "Scores with 95 % intervals over test documents:"
        tables.append(f"{title}\n{text_table(['model', *(c.title for c in measured)], bounds)}")
    if aggregates := aggregate_columns(board):
        intervals = [
            [row.name, *(_with_interval(column.fields[i]) for column in aggregates)]
            for i, row in enumerate(board.rows)
        ]
        tables.append(text_table(["model", *(c.title for c in aggregates)], intervals))
    if own := [pair_cells(pair) for pair in board.pairs if pair.basis == "documents"]:
        tables.append(text_table(PAIR_HEADER, own))
    return "\n\n".join(tables)


def measured_columns(board: Board) -> list[Column]:
    """Return the columns of tasks whose scores have an interval over documents."""
    return [c for c in task_columns(board) if any(field.interval for field in c.fields)]


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _plain(field: Field) -> str:
    return field.text + field.deviation_text


def _with_interval(field: Field) -> str:
    return f"{field.text} {field.interval_text}".rstrip()


def pair_cells(pair: Pair) -> list[str]:
    """Return a comparison as cells, the better model first."""
    better, other = (pair.first, pair.second) if pair.difference >= 0 else (pair.second, pair.first)
    basis = count(pair.pairs, "document" if pair.basis == "documents" else "task mean")
    return [
        *(better, other, f"{abs(pair.difference):.2f}"),
        *(f"{pair.p_value:.4f}", f"{pair.adjusted:.4f}", basis),
    ]


# ------------------------------------------------------------------------------------ Markdown


def markdown(board: Board, figures: Sequence[tuple[str, str]] = (), missing: str = "") -> str:
    """Return the whole report as Markdown.

    Args:
        board: What to report.
        figures: Path, relative to the report, and caption of each figure.
        missing: Why there is no figure, if so.
    """
    parts = [
        "# DrBenchmark report",
        f"Protocol `{board.protocol}`, procedure `{board.procedure}`, "
        f"{count(len(board.results), 'result')}.",
    ]
    if board.warnings:
        parts += ["## Warnings", _bullets(board.warnings)]
    parts += [
        "## Scores",
        "Mean ± standard deviation over seeds, in percent. Best **bold**, second best "
        "<u>underlined</u>.",
        _markdown_table(board, [*task_columns(board), *aggregate_columns(board)], _markdown_score),
    ]
    if measured := measured_columns(board):
        intervals = _markdown_table(board, measured, _markdown_interval)
        parts += ["## Scores with 95 % intervals over test documents", intervals]
    if aggregates := aggregate_columns(board):
        intervals = _markdown_table(board, aggregates, _markdown_interval)
        parts += ["## Ranking with 95 % intervals", intervals]
    if accounts := _markdown_accounts(board):
        parts += ["## Annotations of own corpora", *accounts]
    if by_type := _markdown_types(board):
        parts += ["## F1 by type", "Mean over seeds, in percent.", *by_type]
    if board.pairs:
        header = [*PAIR_HEADER]
        rows = [list(map(_markdown_escaped, pair_cells(pair))) for pair in board.pairs]
        parts += ["## Significance", significance_note(), _markdown_grid(header, rows, words=2)]
    if figures or missing:
        parts += ["## Figures", *(f"![{caption}]({path})" for path, caption in figures)]
        parts += [missing] * bool(missing)
    if board.notes:
        parts += ["## Notes", _bullets(board.notes)]
    return "\n\n".join(parts) + "\n"


def _markdown_accounts(board: Board) -> list[str]:
    parts = []
    for task in board.tasks:
        if rows := account_rows(accounts_of(board.results, task)):
            cells = [[*map(_markdown_escaped, row)] for row in rows]
            parts += [f"### {_markdown_escaped(readable(task))}", _markdown_grid(HEADER, cells)]
    return parts


def _markdown_types(board: Board) -> list[str]:
    parts = []
    for task in board.tasks:
        if found := type_scores(board, task):
            models = list(found[0].scores)
            rows = [
                [_markdown_escaped(item.kind), _support(item), *(_mean(item, m) for m in models)]
                for item in found
            ]
            header = ["Type", "Support", *map(_markdown_escaped, models)]
            parts += [f"### {_markdown_escaped(readable(task))}", _markdown_grid(header, rows)]
    return parts


def _support(item: TypeScore) -> str:
    return "–" if item.support is None else f"{item.support:,}"


def _mean(item: TypeScore, model: str) -> str:
    mean, deviation = item.mean(model), item.deviation(model)
    if mean is None:
        return "–"
    return f"{mean:.2f}" + (f" ±{deviation:.2f}" if deviation is not None else "")


def significance_note() -> str:
    """Say what the p-values mean."""
    return (
        "Two-sided, differences in points. Over documents: both models on the same test documents, "
        "drawn again (bootstrap), with the spread between seeds added where both have two or more; "
        "with one seed the test is about these trained models alone. Over task means: a paired "
        "permutation test, all that the printed means of published rows allow; n means cannot give "
        "a p below 2 / 2^n. p (Holm) is adjusted for the number of comparisons of the same kind: "
        f"below {SIGNIFICANT} a difference is hardly chance."
    )


def _markdown_table(board: Board, columns: Sequence[Column], cell: Callable[[Field], str]) -> str:
    rows = [
        [_markdown_escaped(row.name), *(cell(column.fields[i]) for column in columns)]
        for i, row in enumerate(board.rows)
    ]
    return _markdown_grid(["Model", *(_markdown_escaped(c.title) for c in columns)], rows)


def _markdown_grid(header: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    marks = ["---"] * words + ["---:"] * (len(header) - words)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, marks, *rows])


def _markdown_score(field: Field) -> str:
    return f"{_marked(field, '**{}**', '<u>{}</u>')} {field.deviation_text}".rstrip()


def _markdown_interval(field: Field) -> str:
    return f"{_marked(field, '**{}**', '<u>{}</u>')} {field.interval_text}".rstrip()


def _marked(field: Field, best: str, second: str) -> str:
    return {"best": best, "second": second, "": "{}"}[field.mark].format(field.text)


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {_markdown_escaped(line)}" for line in lines)


def _markdown_escaped(words: str) -> str:
    found = re.sub(r"([\\`*_\[\]|])", r"\\\1", " ".join(words.split()))
    return found.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# --------------------------------------------------------------------------------------- LaTeX

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{character: "\\" + character for character in "&%$#_{}"},
}


def latex(board: Board) -> str:
    """Return the tables of scores and of intervals for LaTeX with booktabs."""
    columns = [*task_columns(board), *aggregate_columns(board)]
    parts = [
        f"% Protocol {board.protocol}, procedure {board.procedure}. "
        r"Needs \usepackage{booktabs}.",
        _latex_float(
            _latex_table(board, columns, _latex_score),
            f"Scores on DrBenchmark (protocol {board.protocol}), in percent: mean and standard "
            "deviation over seeds. Best bold, second best underlined.",
            "scores",
        ),
    ]
    if aggregates := aggregate_columns(board):
        parts.append(
            _latex_float(
                _latex_table(board, aggregates, _latex_interval),
                "Aggregates over tasks with 95 % bootstrap intervals.",
                "ranking",
            )
        )
    parts += [_latex_types(found) for task in board.tasks if (found := type_scores(board, task))]
    return "\n\n".join(parts) + "\n"


def latex_escaped(words: str) -> str:
    """Return text that LaTeX prints as it is."""
    return "".join(_LATEX.get(character, character) for character in " ".join(words.split()))


def _latex_float(tabular: str, caption: str, label: str) -> str:
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{latex_escaped(caption)}}}",
            rf"\label{{tab:drbenchmark-{label}}}",
            tabular,
            r"\end{table}",
        ]
    )


def _latex_types(found: Sequence[TypeScore]) -> str:
    models, task = list(found[0].scores), found[0].task
    lines = [
        rf"\begin{{tabular}}{{lr{'r' * len(models)}}}",
        r"\toprule",
        " & ".join(["Type", "Support", *map(latex_escaped, models)]) + r" \\",
        r"\midrule",
        *(
            " & ".join(
                [
                    latex_escaped(item.kind),
                    _support(item).replace("–", "--"),
                    *(_mean(item, m).replace("–", "--").replace("±", r"$\pm$") for m in models),
                ]
            )
            + r" \\"
            for item in found
        ),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    caption = f"F1 by type on {readable(task)}, in percent: mean over seeds."
    return _latex_float("\n".join(lines), caption, f"types-{task.replace('_', '-')}")


def _latex_table(board: Board, columns: Sequence[Column], cell: Callable[[Field], str]) -> str:
    lines = [
        rf"\begin{{tabular}}{{l{'r' * len(columns)}}}",
        r"\toprule",
        " & ".join(["Model", *(latex_escaped(_title(board, c)) for c in columns)]) + r" \\",
        r"\midrule",
        *(
            " & ".join([latex_escaped(row.name), *(cell(column.fields[i]) for column in columns)])
            + r" \\"
            for i, row in enumerate(board.rows)
        ),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines)


def _title(board: Board, column: Column) -> str:
    return readable(column.title) if column.title in board.tasks else column.title


def _latex_score(field: Field) -> str:
    spread = "" if field.deviation is None else rf"\,{{\scriptsize$\pm${field.deviation:.2f}}}"
    return _latex_value(field) + spread


def _latex_interval(field: Field) -> str:
    spread = rf"\,{{\scriptsize {field.interval_text}}}" if field.interval else ""
    return _latex_value(field) + spread


def _latex_value(field: Field) -> str:
    return "--" if field.value is None else _marked(field, r"\textbf{{{}}}", r"\underline{{{}}}")


# ------------------------------------------------------------------------------- CSV and JSON

CSV_HEADER = (
    *("level", "model", "revision", "source", "task", "metric", "protocol", "procedure"),
    *("seed", "value", "std", "n", "low", "high", "type", "support"),
)


def csv_text(board: Board) -> str:
    """Return all numbers in long form.

    ``level`` tells what a line is: ``mean`` of the seeds of a task, one ``seed``, the mean F1 of a
    ``type``, or an aggregate over the ranked tasks (``min_max``, ``win_probability``,
    ``average_rank``). Scores in percent; ``low`` and ``high`` of a mean are over documents.
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, CSV_HEADER, restval="", lineterminator="\n")
    writer.writeheader()
    for row in board.rows:
        shared = {
            "model": _cell(row.model),
            "revision": _cell(row.revision),
            "source": "published" if row.published else "results",
            "protocol": "doctobert" if row.published else board.protocol,
            "procedure": "legacy" if row.published else board.procedure,
        }
        for task in board.tasks:
            if task in row.entries:
                named = shared | {"task": _cell(task), "metric": board.metrics[task]}
                writer.writerows(named | line for line in _csv_lines(row.entries[task]))
                writer.writerows(
                    named | {"metric": "f1"} | line for line in _csv_types(board, task, row.name)
                )
        for name, interval in _standing(row).items():
            if interval:
                bounds = {"value": interval.value, "low": interval.low, "high": interval.high}
                writer.writerow(shared | {"level": name} | bounds)
    return buffer.getvalue()


def _cell(text: str) -> str:
    """A name as a spreadsheet shows it: one that begins like a formula would be computed."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _csv_lines(entry: Entry) -> list[dict[str, Any]]:
    mean = {"level": "mean", "value": entry.mean}
    if entry.seeds:
        mean |= {"n": len(entry.seeds)}
    if entry.deviation is not None:
        mean |= {"std": entry.deviation}
    if entry.interval is not None:
        mean |= {"low": entry.interval.low, "high": entry.interval.high}
    seeds = [{"level": "seed", "seed": s, "value": v} for s, v in entry.seeds.items()]
    return [mean, *seeds]


def _csv_types(board: Board, task: str, model: str) -> list[dict[str, Any]]:
    return [
        {
            "level": "type",
            "type": _cell(item.kind),
            "support": "" if item.support is None else item.support,
            "value": item.mean(model),
            "std": "" if item.deviation(model) is None else item.deviation(model),
            "n": len(item.scores[model]),
        }
        for item in type_scores(board, task)
        if item.scores.get(model)
    ]


def _standing(row: Row) -> dict[str, Interval | None]:
    return vars(row.standing) if row.standing else {}


def content(board: Board) -> dict[str, Any]:
    """Return the board for JSON; scores in percent."""
    return {
        "format": FORMAT,
        "protocol": board.protocol,
        "procedure": board.procedure,
        "results": len(board.results),
        "tasks": {task: board.metrics[task] for task in board.tasks},
        "ranked_tasks": list(board.ranked_tasks),
        "left_out": {task: list(models) for task, models in board.left_out.items()},
        "models": [
            {
                "name": row.name,
                "model": row.model,
                "revision": row.revision or None,
                "published": row.published,
                **{
                    name: asdict(interval) if interval else None
                    for name, interval in _standing(row).items()
                },
                "scores": {
                    task: {
                        "mean": entry.mean,
                        "std": entry.deviation,
                        "interval": asdict(entry.interval) if entry.interval else None,
                        "n": len(entry.seeds) or None,
                        "seeds": {str(seed): value for seed, value in entry.seeds.items()},
                        "types": {
                            item.kind: {"f1": item.mean(row.name), "support": item.support}
                            for item in type_scores(board, task)
                            if item.scores.get(row.name)
                        },
                    }
                    for task, entry in row.entries.items()
                },
            }
            for row in board.rows
        ],
        "comparisons": [asdict(pair) for pair in board.pairs],
        "annotations": {
            task: accounts for task in board.tasks if (accounts := accounts_of(board.results, task))
        },
        "warnings": list(board.warnings),
        "notes": list(board.notes),
    }
