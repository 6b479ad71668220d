"""Figures of the board: leaderboard with intervals, task heat map, spread of the seeds."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from doctobert_hf.drbenchmark.report.board import Board, Row
from doctobert_hf.reporting.figures import COLOURS, GRID, INK, MUTED, can_draw, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MISSING = "Figures need matplotlib: `pip install 'doctobert-hf[plot]'`."
CAPTIONS = {
    "leaderboard": "Min-Max by model with 95 % bootstrap intervals over tasks",
    "heat_map": "Score by model and task, in percent; shaded from the task's worst to its best",
    "seed_spread": "Distance of each seed (dot) from the mean (line, its value at right), points",
}
_PUBLISHED = "#8795a1"
_DARK, _LIGHT = "#10151a", "#ffffff"
_SPREAD_COLUMNS = 3


def draw_figures(board: Board) -> dict[str, Any]:
    """Draw what the board has numbers for.

    Returns:
        Matplotlib figures by a name of ``CAPTIONS``; none without matplotlib.
    """
    if not can_draw():
        return {}
    found = {"heat_map": _heat_map(board), "seed_spread": _seed_spread(board)}
    if any(row.standing and row.standing.min_max for row in board.rows):
        return {"leaderboard": _leaderboard(board), **found}
    return found


def _leaderboard(board: Board) -> Any:
    rows = [row for row in board.rows if row.standing and row.standing.min_max]
    figure, (axis,) = new_figure(5.6, 0.8 + 0.3 * len(rows))
    for place, row in enumerate(rows):
        assert row.standing and row.standing.min_max
        interval = row.standing.min_max
        colour = _PUBLISHED if row.published else COLOURS[0]
        axis.barh(place, interval.value, height=0.62, color=colour)
        axis.plot([interval.low, interval.high], [place, place], color=INK, linewidth=1.2)
        axis.plot([interval.low, interval.high], [place, place], "|", color=INK, markersize=6)
        axis.text(
            max(interval.value, interval.high) + 1.5,
            place,
            f"{interval.value:.1f}",
            va="center",
            fontsize=8,
            color=INK,
        )
    _name_rows(axis, rows)
    axis.set_xlim(0, 112)
    axis.set_xticks(range(0, 101, 20))
    axis.set_xlabel(f"Min-Max over {len(board.ranked_tasks)} tasks", fontsize=8, color=MUTED)
    axis.set_ylabel("model", fontsize=8, color=MUTED)
    if any(row.published for row in rows):
        _key(axis, [(COLOURS[0], "results"), (_PUBLISHED, "published")])
    return figure


def _key(axis: Axes, colours: list[tuple[str, str]]) -> None:
    """Say what colours mean, below the axis."""
    from matplotlib.patches import Patch

    axis.legend(
        handles=[Patch(color=colour, label=label) for colour, label in colours],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.22),
        ncols=len(colours),
        frameon=False,
        fontsize=8,
    )


def _heat_map(board: Board) -> Any:
    from matplotlib.colors import LinearSegmentedColormap, to_hex
    from matplotlib.patches import Rectangle

    shades = LinearSegmentedColormap.from_list("house", ["#e8f0f8", COLOURS[0], "#123a63"])
    figure, (axis,) = new_figure(
        max(4.4, 2.3 + 0.72 * len(board.tasks)), 1.2 + 0.3 * len(board.rows)
    )
    for column, task in enumerate(board.tasks):
        values = [row.entries[task].mean for row in board.rows if task in row.entries]
        low, width = min(values), max(values) - min(values)
        for place, row in enumerate(board.rows):
            if task not in row.entries:
                axis.text(column, place, "–", ha="center", va="center", fontsize=8, color=MUTED)
                continue
            value = row.entries[task].mean
            shade = to_hex(shades((value - low) / width if width else 0.5))
            axis.add_patch(Rectangle((column - 0.48, place - 0.46), 0.96, 0.92, color=shade))
            axis.text(
                *(column, place, f"{value:.1f}"),
                ha="center",
                va="center",
                fontsize=8,
                color=readable_ink(shade),
            )
    _name_rows(axis, list(board.rows))
    axis.grid(False)
    axis.spines[["left", "bottom"]].set_visible(False)
    axis.set_xlim(-0.5, len(board.tasks) - 0.5)
    axis.set_xticks(
        range(len(board.tasks)), map(_short, board.tasks), rotation=35, ha="right", color=INK
    )
    axis.tick_params(length=0)
    axis.set_xlabel("task; darker is better within a task", fontsize=8, color=MUTED)
    axis.set_ylabel("model", fontsize=8, color=MUTED)
    return figure


def _seed_spread(board: Board) -> Any:
    """Distances from each model's mean: on a common axis of scores no spread could be seen."""
    rows = [row for row in board.rows if not row.published]
    tasks = _seeded(board)
    columns = min(_SPREAD_COLUMNS, len(tasks))
    lines = -(-len(tasks) // columns)
    figure, axes = new_figure(
        1.6 + 2.2 * columns, lines * (0.9 + 0.26 * len(rows)), panels=len(tasks)
    )
    grid = figure.add_gridspec(lines, columns)  # new_figure has its panels in one line
    entries = [row.entries[task] for row in rows for task in tasks if task in row.entries]
    width = 1.15 * max(abs(v - e.mean) for e in entries for v in e.seeds.values()) or 1.0
    for index, (axis, task) in enumerate(zip(axes, tasks, strict=True)):
        axis.set_subplotspec(grid[index // columns, index % columns])
        for place, row in enumerate(rows):
            if task in row.entries:
                entry = row.entries[task]
                distances = [value - entry.mean for value in entry.seeds.values()]
                axis.plot([0, 0], [place - 0.34, place + 0.34], color=COLOURS[1], linewidth=2)
                axis.plot(
                    distances, [place] * len(distances), "o", color=COLOURS[0], ms=4, alpha=0.6
                )
                axis.text(
                    width * 1.05, place, f"{entry.mean:.1f}", va="center", fontsize=8, color=INK
                )
        _name_rows(axis, rows)
        if index % columns:
            axis.set_yticklabels([])
        axis.set_xlim(-width, width)
        axis.set_xlabel("points from the mean of the seeds", fontsize=8, color=MUTED)
        axis.set_title(_short(task), loc="left", fontsize=9, color=INK)
        axis.locator_params(axis="x", nbins=5)
    return figure


def _seeded(board: Board) -> list[str]:
    own = [row for row in board.rows if not row.published]
    return [task for task in board.tasks if any(task in row.entries for row in own)]


def _name_rows(axis: Axes, rows: list[Row]) -> None:
    """Name the places on the y axis, the first on top."""
    axis.set_yticks(range(len(rows)), [_short(row.name) for row in rows], color=INK)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.grid(False, axis="y")
    axis.grid(True, axis="x", color=GRID, linewidth=0.8)


def _short(name: str, limit: int = 34) -> str:
    """Long names keep both ends: models of one family differ at either."""
    kept = name if len(name) <= limit else f"{name[: limit // 2 - 1]}…{name[-limit // 2 :]}"
    return kept.replace("$", r"\$")  # matplotlib reads $...$ as mathematics


def readable_ink(background: str) -> str:
    """Return the darker or lighter ink, whichever has more contrast (WCAG) on a colour."""
    light = _luminance(background)
    on_dark = (_luminance(_LIGHT) + 0.05) / (light + 0.05)
    on_light = (light + 0.05) / (_luminance(_DARK) + 0.05)
    return _LIGHT if on_dark > on_light else _DARK


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def inline_svg(figure: Any, name: str) -> str:
    """Return a figure as SVG to set into a page: the page's colours, no address, unique ids.

    Args:
        figure: A Matplotlib figure.
        name: A name of ``CAPTIONS``; prefix of its ids.
    """
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(
            buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (xmlns(:xlink)?|version)="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    variables = {INK: "ink", MUTED: "muted", GRID: "line", COLOURS[1]: "mean"}
    if name != "heat_map":  # there it is a shade, and the ink on it is chosen for it
        variables[COLOURS[0]] = "own"
    for colour, variable in variables.items():
        svg = svg.replace(colour, f"var(--{variable})")
    size = re.search(r'width="([\d.]+)pt" height="[\d.]+pt"', svg)
    assert size  # Matplotlib writes both
    style = f'role="img" aria-label="{CAPTIONS[name]}" style="width:{float(size[1]):.0f}pt"'
    return svg.replace(size[0], style, 1)
