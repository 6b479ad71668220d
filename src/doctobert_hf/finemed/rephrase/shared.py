"""What a number has from its neighbours: the unit that stands once for several, and its side.

"11/7 cm" is 11 cm and 7 cm, "75 µmol/l (11-50)" has limits in µmol/l, and "8 cas" is what another
text counts as "huit fois".
"""

from __future__ import annotations

import re

Span = tuple[int, int]
Scaled = tuple[float, str]
_JOINED = re.compile(
    r"\s*(?:[-–/,×x;]|à|et|ou|puis|sur|contre)\s*(?:(?:à|de|d'|en|par|puis)\s*)?(?:la\s+|le\s+)?"
)
_NORMAL = (
    r"(?:(?:pour\s+)?(?:une?\s+|des\s+|la\s+|les\s+)?(?:VN|N|normes?|normales?|valeurs?|r[ée]f[ée]rences?|limites?|"
    r"intervalle|IC|extr[êe]mes?|min|EIQ|IQR)(?:\s+(?:normales?|usuelles?|de\s+r[ée]f[ée]rence|inf\w*|sup\w*))?)"
)
_BOUND = r"(?:de|d'|entre|à|est|:|=|[<>≤≥]|inf[ée]rieure?\s+à|sup[ée]rieure?\s+à|jusqu'à|\s)*"
_LIMIT = re.compile(rf"\s*(?:\(\s*{_NORMAL}?|[,;]?\s*{_NORMAL})\s*{_BOUND}", re.I)
_CASES = re.compile(
    r"\s+(?:autres\s+)?(?:cas|[ée]pisodes?|r[ée]cidives?|crises?|pouss[ée]es?|patiente?s?|malades?|sujets?|enfants?|femmes?|hommes?|genoux|yeux)(?!\w)",
    re.I,
)
_APART = re.compile(r"(?:espac\w+\s+d[e']|intervalles?\s+d[e']|intervalles?\s*:?)\s*\Z", re.I)
_INTERVAL = re.compile(r"\s*d'(?:intervalle|[ée]cart)", re.I)


def shared_units(text: str, spans: list[Span], own: list[Scaled]) -> list[tuple[Scaled, ...]]:
    """Return what each number may be besides what it says by itself.

    Args:
        text: The text with digits.
        spans: Where each number and its unit begin and end.
        own: Of each, what it is multiplied by to have its value, and the unit's dimension.

    Returns:
        Factors and dimensions; a negative factor divides ("espacées de 21 jours" is 1/21 a day).
    """
    found: list[list[Scaled]] = [[] for _ in spans]
    for at in range(len(spans) - 2, -1, -1):  # a unit stands behind the last
        if not own[at][1] and _is(_JOINED, text, spans[at][1], spans[at + 1][0]):
            found[at] += [own[at + 1]] if own[at + 1][1] else found[at + 1]
    limits: list[Scaled] = []  # the unit of which the number before is a limit
    for at in range(1, len(spans)):
        if own[at][1]:
            if own[at][1] == "h" and _is_interval(text, spans[at]):
                found[at].append((-own[at][0], "fois/h"))
            limits = []
            continue
        between = spans[at - 1][1], spans[at][0]
        unit = own[at - 1] if own[at - 1][1] else None
        if unit and _is(_LIMIT, text, *between):
            found[at].append(unit)
        elif at > 1 and own[at - 2] in limits and _is(_JOINED, text, *between):
            found[at].append(own[at - 2])
        limits = [unit] if unit and found[at][-1:] == [unit] else []
    for at, (_, end) in enumerate(spans):
        if not own[at][1] and _CASES.match(text, end):
            found[at].append((1.0, "fois"))
    if spans and own[0][1] == "h" and _is_interval(text, spans[0]):
        found[0].append((-own[0][0], "fois/h"))
    return [tuple(also) for also in found]


_GAP = 80


def _is(pattern: re.Pattern[str], text: str, start: int, end: int) -> bool:
    """Return whether what stands between two numbers is so; far ones have nothing in common."""
    return end - start <= _GAP and pattern.fullmatch(text, start, end) is not None


def _is_interval(text: str, span: Span) -> bool:
    before = text[max(0, span[0] - 30) : span[0]]
    return bool(_APART.search(before) or _INTERVAL.match(text, span[1]))


# -------------------------------------------------------------------------------- sides

_SIDE = re.compile(r"(?<!\w)(?:(droite?s?)|(gauches?))(?!\w)", re.I)
_BREAK = re.compile(r"[;!?\n]|\.(?:\s|\Z)")
_BEHIND = re.compile(
    r"\s*(?:\([^()]{0,20}\)\s*)?(?:à|au|aux|de|du|pour|sur|en|dans|l'|oeil|rein)(?!\w)[^,;.!?\n\d(]{0,45}",
    re.I,
)
_AGAIN = re.compile(r"(?<!\w)(?:et|mais|puis|contre|alors|tandis)(?!\w)", re.I)


def sides_of(text: str, spans: list[Span]) -> list[int]:
    """Return the side that each number is of: 1 the right, 2 the left, 0 where none is told.

    "10/10 à droite" has its side behind it; "OD 10/10, OG 4/10" before.
    """
    if not _SIDE.search(text):
        return [0] * len(spans)
    found: list[int] = []
    for at, (start, end) in enumerate(spans):
        following = spans[at + 1][0] if at + 1 < len(spans) else len(text)
        behind = _BEHIND.match(text, end, following)
        side = _only(_AGAIN.split(behind[0])[0]) if behind else 0
        if not side:
            since = max(spans[at - 1][1] if at else 0, start - 60)
            before = list(_SIDE.finditer(_BREAK.split(text[since:start])[-1]))
            side = (before[-1].lastindex or 0) if before else 0
            if not side and at and not _BREAK.search(text, spans[at - 1][1], start):
                side = found[-1]  # "œil droit : 2/10 avec une correction de -3"
        found.append(side)
    return found


def _only(text: str) -> int:
    sides = {match.lastindex or 0 for match in _SIDE.finditer(text)}
    return sides.pop() if len(sides) == 1 else 0
