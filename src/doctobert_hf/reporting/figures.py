"""Figures for reports. Matplotlib comes with the extra ``plot``; without it there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, MUTED, GRID = "#1f2933", "#616e7c", "#e4e7eb"
COLOURS = ("#2563a8", "#c2571a", "#2f7d4f", "#7d4f9e")


def can_draw() -> bool:
    """Return whether matplotlib is installed."""
    import importlib.util

    return importlib.util.find_spec("matplotlib") is not None


def new_figure(width: float, height: float, panels: int = 1) -> tuple[Any, list[Axes]]:
    """Return a figure without window and its panels side by side, in the house's style."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    axes = [figure.add_subplot(1, panels, index + 1) for index in range(panels)]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color(GRID)
        axis.tick_params(colors=MUTED, labelsize=8)
        axis.grid(axis="y", color=GRID, linewidth=0.8)
        axis.set_axisbelow(True)
    return figure, axes


def draw_lines(
    axis: Axes,
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    title: str,
    x_label: str,
    y_label: str,
) -> None:
    """Draw named (x, y) lines, each labelled at its end."""
    for colour, (name, (xs, ys)) in zip(COLOURS, lines.items(), strict=False):
        axis.plot(xs, ys, color=colour, linewidth=1.8, label=name)
    axis.set_title(title, loc="left", fontsize=10, color=INK)
    axis.set_xlabel(x_label, fontsize=8, color=MUTED)
    axis.set_ylabel(y_label, fontsize=8, color=MUTED)
    if len(lines) > 1:
        axis.legend(frameon=False, fontsize=8, labelcolor=INK)


def draw_bars(
    axis: Axes,
    values: Mapping[str, float],
    title: str,
    formatting: str = "{:.1f}",
    y_label: str = "",
) -> None:
    """Draw one bar per name with its value above; all are of one colour, for they are one thing."""
    names = list(values)
    bars = axis.bar(names, list(values.values()), color=COLOURS[0], width=0.6)
    axis.set_ylabel(y_label, fontsize=8, color=MUTED)
    axis.bar_label(
        bars, [formatting.format(v) for v in values.values()], fontsize=8, color=INK, padding=2
    )
    axis.set_title(title, loc="left", fontsize=10, color=INK)
    axis.margins(y=0.15)


def save_figure(figure: Any, path: Path) -> None:
    """Write a PNG; the same content gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})
