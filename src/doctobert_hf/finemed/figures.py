"""Figures of a corpus: density, quality and subdomains, by source."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def draw(record: dict[str, Any], folder: Path) -> None:
    """Draw ``density.png``, ``quality.png`` and ``subdomains.png``, those there are counts for.

    Args:
        record: As in ``statistics.json``.
        folder: Where.
    """
    sources = record["sources"]
    with_density = {n: s for n, s in sources.items() if s["density_histogram"]}
    if with_density:
        _density(with_density, folder / "density.png")
    for key, title in (("quality", "Educational quality"), ("subdomains", "Subdomain")):
        if any(source[key] for source in sources.values()):
            _bars(sources, key, title, folder / f"{key}.png")


def _density(sources: dict[str, Any], path: Path) -> None:
    axes, figure = _axes(7, 3.5)
    for name, source in sources.items():
        counts = source["density_histogram"]
        shares = [100 * count / sum(counts) for count in counts]
        axes.stairs(shares, [i / len(counts) for i in range(len(counts) + 1)], label=name, lw=1.8)
    last = max(
        i for s in sources.values() for i, count in enumerate(s["density_histogram"]) if count
    )
    axes.set_xlim(0, min(1.0, (last + 2) / 50))
    axes.set_xlabel("Share of characters in medical terms")
    axes.set_ylabel("% of documents")
    axes.legend(frameon=False)
    _save(figure, path)


def _bars(sources: dict[str, Any], key: str, title: str, path: Path) -> None:
    labels = sorted({label for source in sources.values() for label in source[key]})
    if key == "subdomains":
        total = {label: sum(s[key].get(label, 0) for s in sources.values()) for label in labels}
        labels.sort(key=lambda label: total[label])
    axes, figure = _axes(7, 1.2 + 0.32 * len(labels) * max(1, 0.6 * len(sources)))
    height = 0.8 / len(sources)
    for number, (name, source) in enumerate(sources.items()):
        whole = max(1, sum(source[key].values()))
        shares = [100 * source[key].get(label, 0) / whole for label in labels]
        places = [place + number * height for place in range(len(labels))]
        axes.barh(places, shares, height, label=name)
    axes.set_yticks([place + 0.4 - height / 2 for place in range(len(labels))], labels)
    axes.set_xlabel("% of documents")
    axes.set_title(title, loc="left", fontsize=11)
    axes.legend(frameon=False)
    _save(figure, path)


def _axes(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return axes, figure


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, dpi=150)
