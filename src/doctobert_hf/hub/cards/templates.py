"""The Jinja environment of cards: figures in one form, and gaps that show and are told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from doctobert_hf.hub.cards.kinds import template_folders
from doctobert_hf.hub.cards.phases import name_of
from doctobert_hf.recipes import shared_folder

if TYPE_CHECKING:
    import jinja2

GAP = "*not recorded*"
GAP_FR = "*non renseigné*"


def template_environment(gaps: list[str] | None = None) -> jinja2.Environment:
    """Make the environment of ``hub_cards/``.

    A value that is absent or None prints "not recorded"; so does a figure that a filter is given.

    Args:
        gaps: Names of what was absent are added to it.
    """
    import jinja2

    found = [] if gaps is None else gaps

    def gap(name: str) -> str:
        found.append(name)
        return GAP

    class Gap(jinja2.ChainableUndefined):
        def __str__(self) -> str:
            return gap(self._undefined_name or "a value")

    def figure(value: Any, form: str = ",.0f") -> str:
        if isinstance(value, (int, float)):
            return format(value, form)
        return gap("a figure") if value is None else str(value)

    def share(value: Any, digits: int = 1) -> str:
        return f"{100 * value:.{digits}f} %" if is_number(value) else figure(value)

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([shared_folder("hub_cards"), *template_folders()]),
        undefined=Gap,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: gap("a value") if value is None else value,
        autoescape=False,
    )
    environment.globals["gap"] = gap
    environment.filters |= {
        "num": figure,
        "pct": share,
        "named": name_of,
        "last_part": lambda text: re.split(r"[\\/]", str(text).rstrip("/"))[-1],
        "short": lambda value: short_number(value) if is_number(value) else figure(value),
        "hours": lambda value: duration(value) if is_number(value) else figure(value),
        "cell": lambda value: str(value).replace("|", "\\|").replace("\n", " "),
        "types": types,
        "metric": metric,
        "fr": lambda text: str(text).replace(GAP, GAP_FR),
        "fr_num": lambda value: french(value) if is_number(value) else GAP_FR,
        "fr_pct": lambda value: french_share(value) if is_number(value) else GAP_FR,
    }
    return environment


def types(labels: list[str]) -> list[str]:
    """The types that tags mark: ``B-DISO`` and ``I-DISO`` are one; classes stay as they are.

    Example:
        >>> types(["O", "B-DISO", "I-DISO", "B-CHEM"]), types(["O", "A"])
        (['DISO', 'CHEM'], ['O', 'A'])
    """
    marked = [label[2:] for label in labels if re.match(r"[BIESLU]-.", label)]
    return list(dict.fromkeys(marked)) if marked else labels


def metric(name: str) -> str:
    """The name of a metric as a reader knows it.

    Example:
        >>> metric("f1"), metric("another")
        ('F1', 'another')
    """
    from doctobert_hf.drbenchmark.report.board import METRICS

    return METRICS.get(name, name)


def is_number(value: Any) -> bool:
    """Return whether a value is a figure; True and False are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def short_number(value: float) -> str:
    """``1.2 M``, ``149 M``, ``8.3 B``: two or three figures and a unit."""
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            scaled = value / size
            return f"{scaled:.{0 if scaled >= 100 else 1}f} {unit}"
    return f"{value:,.0f}"


def french(value: float) -> str:
    """A whole number as French writes it: narrow spaces between thousands."""
    return f"{value:,.0f}".replace(",", "\u202f")


def french_share(value: float) -> str:
    """A share in percent as French writes it: a comma, and a narrow space before the sign."""
    return f"{100 * value:.1f}".replace(".", ",") + "\u202f%"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, whichever reads best."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:,.1f} h"
