"""Which medicine a dose is of: two that changed places leave every number of a text as it was."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from doctobert_hf.finemed.rephrase.quantities import Quantity, root_of
from doctobert_hf.finemed.rephrase.terms import kind_of
from doctobert_hf.finemed.words import WORD, fold

_DOSES = ("g", "l", "ui", "mol")
_OFTEN = "fois/"


def dose_reasons(
    before: list[Quantity], after: list[Quantity], source: str, rewrite: str
) -> Iterator[str]:
    """Yield doses and frequencies that a medicine has from another one.

    Only where each of the medicine's own is gone, and what it has now is told of something else in
    the source: what a text tells of two medicines together is no fact of one.

    Args:
        before: Quantities of the source.
        after: Quantities of the rewrite.
        source: The text before.
        rewrite: The text after.
    """
    names = _drugs(source)
    names = {root: name for root, name in _drugs(rewrite).items() if root in names}
    if not names:
        return
    old, new = _owned(before, names), _owned(after, names)
    for (root, kind), told in new.items():
        own = old.get((root, kind))
        if not own or any(_alike(one, other) for one in own for other in told):
            continue
        strange = [q for q in told if any(_alike(q, o) and root not in o.around for o in before)]
        if strange and all(quantity.around for quantity in own):
            yield f"dose of another medicine: {names[root]} {strange[0].surface}"
    yield from _other_rates(old, new, names)


_TIMES = re.compile(
    r"(?<!\w)(?:(matins?|matinale?)|(midi)|(soirs?|coucher|vesp[ée]rale?))(?!\w)", re.I
)
_STOPS = re.compile(r"[;\n!?]|\.(?!\d)")


def time_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield medicines that are taken at another time of the day."""
    old, new = _times(source), _times(rewrite)
    for root, (name, times) in old.items():
        if root in new and not times & new[root][1]:
            yield f"time of day changed: {name}"


def _times(text: str) -> dict[str, tuple[str, set[int]]]:
    """By medicine, its name and when it is taken, by the last medicine before in a sentence."""
    found: dict[str, tuple[str, set[int]]] = {}
    for sentence in _STOPS.split(text) if _TIMES.search(text) else ():
        names = [m for m in WORD.finditer(sentence) if kind_of(m[0]) == "drug"]
        starts = [m.start() for m in names]
        for match in _TIMES.finditer(sentence):
            last = bisect_left(starts, match.start())
            for word in names[max(0, last - 1) : max(1, last)]:
                _, times = found.setdefault(root_of(fold(word[0])), (word[0], set()))
                times.add(match.lastindex or 0)
    return found


def _drugs(text: str) -> dict[str, str]:
    """Return the medicines of a text as quantities know their words, and how each is written."""
    found: dict[str, str] = {}
    for raw in WORD.findall(text):
        if kind_of(raw) == "drug":
            found.setdefault(root_of(fold(raw)), raw)
    return found


def _owned(
    quantities: list[Quantity], names: dict[str, str]
) -> dict[tuple[str, str], list[Quantity]]:
    """Return the doses, and the frequencies, that belong to one medicine alone."""
    found: dict[tuple[str, str], list[Quantity]] = {}
    for quantity in quantities:
        owners = quantity.around & names.keys()
        kind = "often" if quantity.unit.startswith(_OFTEN) else quantity.unit.split("/")[0]
        if len(owners) == 1 and (kind in ("often", "h") or kind in _DOSES):
            found.setdefault((next(iter(owners)), kind), []).append(quantity)
    return found


def _other_rates(
    old: dict[tuple[str, str], list[Quantity]],
    new: dict[tuple[str, str], list[Quantity]],
    names: dict[str, str],
) -> Iterator[str]:
    """Yield medicines of which as much a day is told as of none of the doses of the source."""
    for root, name in names.items():
        rates, now = (_day(owned, root) for owned in (old, new))
        if rates and now and not any(abs(a - b) <= 1e-6 * a for a in rates for b in now):
            yield f"dose a day changed: {name} {new[root, 'g'][0].surface}"


def _day(owned: dict[tuple[str, str], list[Quantity]], root: str) -> list[float]:
    """Return what weight a day the doses and frequencies of a medicine make, each with each."""
    doses = [q for q in owned.get((root, "g"), ()) if not q.sign]
    often = [q for q in owned.get((root, "often"), ()) if q.unit == "fois/h" and not q.sign]
    daily = [q.value for q in doses if q.unit == "g/h"]
    return daily + [d.value * o.value for d in doses if d.unit == "g" for o in often]


def _alike(one: Quantity, other: Quantity) -> bool:
    return one.equals(other) or one.may_equal(other) or one.same_rate(other)
