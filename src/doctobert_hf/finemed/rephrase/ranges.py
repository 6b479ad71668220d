"""Values beside what is normal, and shares of days: a pair of numbers is one fact.

"68,2 mg/l (VN 85-100)" ties a value to its range, "230 fois la normale (6900 ng/ml)" to a multiple,
"six jours sur sept" a number of days to another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doctobert_hf.finemed.rephrase.spelled import as_digits

_NUMBER = r"\d+(?:[.,]\d+)?"
_UNIT = r"\s*(?:[a-zA-Zµ%°][\wµ%°]*(?:\s?/\s?[\wµ²³]+)*)?"
_RANGE = re.compile(
    rf"(?P<value>{_NUMBER}){_UNIT}\s*[(,;]\s*(?:soit\s+|pour\s+)?(?:VN|N|Nle?s?|VR|valeurs?|normales?|normes?|r[ée]f\w*)(?!\w)"
    rf"[^\d();]{{0,25}}(?P<normal>(?:[<>≤≥]\s*)?{_NUMBER}(?:{_UNIT}\s*(?:[-–]|à|et|/)\s*{_NUMBER})?)"
)
_TIMES = r"fois\s+(?:la\s+|les\s+)?(?:normales?|limites?|normes?|valeurs?|N(?!\w))"
_MULTIPLE = (
    re.compile(rf"(?P<normal>{_NUMBER}\s*{_TIMES})[^\d(]{{0,12}}\(\s*(?P<value>{_NUMBER})"),
    re.compile(rf"(?P<value>{_NUMBER}){_UNIT}[^\d.;]{{0,25}}\D?(?P<normal>{_NUMBER}\s*{_TIMES})"),
)
_SHARE = re.compile(
    r"(?<![\w.,/])(?P<some>\d{1,2})\s?(?P<of>jours?|j|semaines?|nuits?|mois)\s*(?:sur|/)\s*(?P<all>\d{1,2})(?![\d/]|[.,]\d)",
    re.IGNORECASE,
)
_ONE_DAY = re.compile(r"(?<!\w)une?(?=\s+(?:jour|semaine|nuit|mois)\s+sur\s)", re.IGNORECASE)


def range_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield values that stand beside another's range, and shares of days that have changed.

    Example:
        >>> list(range_reasons("Ca 68 mg/l (VN 85-100), P 57 mg/l (VN 27-45).",
        ...                    "Ca 57 mg/l (VN 85-100), P 68 mg/l (VN 27-45)."))
        ['values exchanged: 68 and 57']
    """
    old, new = _pairs(source), _pairs(rewrite)
    values = {value for found in old.values() for value in found}
    for normal, before in old.items():
        now = new.get(normal, set())
        if len(before) == len(now) == 1 and before != now and now <= values:
            yield f"values exchanged: {next(iter(before))} and {next(iter(now))}"
            return
    gone, come = _shares(source), _shares(rewrite)
    if gone and come and not come & gone:
        yield f"frequency changed: {_told(gone)}, now {_told(come)}"


def _pairs(text: str) -> dict[str, set[str]]:
    """By range or multiple, the values that it is told of."""
    found: dict[str, set[str]] = {}
    for pattern in (_RANGE, *_MULTIPLE):
        for match in pattern.finditer(text):
            normal = "-".join(re.findall(_NUMBER, match["normal"])).replace(",", ".")
            found.setdefault(normal, set()).add(match["value"].replace(",", "."))
    return found


def _shares(text: str) -> set[tuple[str, int, int]]:
    plain = re.sub("[\u2060\u2063]", "", as_digits(_ONE_DAY.sub("1", text)))
    return {
        (match["of"][0].lower(), int(match["some"]), int(match["all"]))
        for match in _SHARE.finditer(plain)
        if int(match["some"]) <= int(match["all"])
    }


def _told(shares: set[tuple[str, int, int]]) -> str:
    return ", ".join(f"{some}/{whole}" for _, some, whole in sorted(shares))
