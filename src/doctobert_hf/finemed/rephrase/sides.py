"""Right and left: what is on the other side in a rewrite, and sides that are new or lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

from doctobert_hf.finemed.rephrase.polarity import LIGHT, segments
from doctobert_hf.finemed.rephrase.terms import CONTENT, stem, surface
from doctobert_hf.finemed.words import WORD, fold

_OF_EYE = r"(?!\s+(?:externe|interne|sup[ée]rieur|inf[ée]rieur|m[ée]dial|lat[ée]ral)s?(?!\w))"
_NAMED = "".join(
    rf"(?<![\s(]{word} )(?<!^{word} )" for word in ("du", "le", "un", "muscle", "muscles")
)
_RIGHT = rf"droites?|{_NAMED}(?<!, )droits?|droits?{_OF_EYE}|dext\w+"
"""Right, and not "le droit externe", a muscle of the eye."""
SIDE = re.compile(
    rf"(?<!\w)(?:({_RIGHT})|(gauches?|senestr\w+)|(bilat[ée]ra\w+))(?!\w)", re.IGNORECASE
)
_ANY_PLACE = frozenset(
    """region niveau cotes zone endroit partie versant grand grande petit petite correction
    examen faveur""".split()
)
_SHORT_SIDES = tuple(
    re.compile(rf"(?<!\w)(?:{short})(?!\w)")
    for short in ("VD|OD|HVD|BBD|FID|CCD", "VG|FEVG|OG|HVG|IVG|BBG|FIG|TCG|FE")
)
"""Abbreviations that hold a side."""
_SIDED_PARTS = re.compile(r"[,:(]|(?<!\w)et\s+(?:à|au|aux|du|de|\w+(?:ant|ai(?:t|ent)))(?!\w)")
_MORE_ON = ("predomin", "surtout", "davantage")
"""What is on both sides, and more on one."""
_SHOWN = re.compile(r"(?:montr|retrouv|revel|objectiv|visualis)\w*")
_OTHER_SIDE = re.compile(
    r"\s*(?:et\s+)?(?:(?:l[ae]\s|l['’]|à\s)?[^\W\d_]{0,8}\s)?(?:droite?|gauche)(?!\w)"
)


def _sided(text: str) -> dict[str, set[str]]:
    """By stem, on which sides it stands."""
    found: dict[str, set[str]] = {}
    for segment in segments(text):
        before: list[str] = []
        read = 0  # each part once: a list names hundreds of sides without a full stop
        for match in SIDE.finditer(segment):
            *ended, part = _SIDED_PARTS.split(segment[read : match.start()])
            words = [w for w in map(fold, WORD.findall(part)) if len(w) >= CONTENT]
            words = [w for w in words if w not in _ANY_PLACE and not _SHOWN.fullmatch(w)]
            before = [*([] if ended else before), *words][-2:]
            if before and before[-1].startswith(_MORE_ON):
                before = before[-1:]
            read = match.start()
            side = "right" if match[1] else "left" if match[2] else "both"
            for word in before:
                found.setdefault(stem(word), set()).add(side)
    return found


_BREAKS = re.compile(r"[,:;.()\n]|(?<!\w)(?:et|mais|alors|tandis|dont|ou|contre)(?!\w)", re.I)


_INNER = r"(m[ée]dia(?:l|le|ux)|internes?)"
_OUTER = r"(lat[ée]ra(?:l|le|ux)|externes?)"
_HALVES = tuple(
    re.compile(rf"(?<!\w)(?:{parts})\s+(?:{one}|{other})(?!\w)", re.IGNORECASE)
    for parts, one, other in (
        (r"m[ée]nisques?|mall[ée]oles?|condyles?|compartiments?|plateaux?|canthus", _INNER, _OUTER),
        (r"p[ôo]les?|lobes?|paupi[èe]res?", r"(sup[ée]rieure?s?)", r"(inf[ée]rieure?s?)"),
    )
)
"""Halves of a part that findings are told of as of sides: "ménisque médial"."""


def _said_behind(source: str, rewrite: str, sides: re.Pattern[str] = SIDE) -> Iterator[str]:
    """Yield what is told of the other side: "tympan droit normal, gauche bombé"."""
    old, new = _behind(source, sides), _behind(rewrite, sides)
    for root, told in old.items():
        if len(told) == 1 and len(new.get(root, ())) == 1 and new[root] != told:
            yield f"side changed: {surface(root, source)}"


_CLAUSE = re.compile(r"[,;.\n]|(?<!\w)(?:mais|alors que|tandis que)(?!\w)", re.IGNORECASE)
_CLAUSE_WORDS = 14


def _behind(text: str, pattern: re.Pattern[str] = SIDE) -> dict[str, set[str]]:
    """By stem, on which sides that stands which is told behind a side, or alone in its clause."""
    found: dict[str, set[str]] = {}
    clauses = _CLAUSE.split(text)
    for clause, behind in zip(clauses, [*clauses[1:], ""], strict=True):
        if _OTHER_SIDE.match(behind):
            continue  # "acuité : oeil droit 8/10, oeil gauche 4/10"
        named = {m.lastindex for m in pattern.finditer(clause)}
        words = [fold(word) for word in WORD.findall(clause)]
        if len(named) == 1 and named <= {1, 2} and len(words) <= _CLAUSE_WORDS:
            for word in words:
                if len(word) < CONTENT or word in LIGHT | _ANY_PLACE or _SHOWN.fullmatch(word):
                    continue
                if not pattern.fullmatch(word):
                    found.setdefault(stem(word), set()).add("right" if named == {1} else "left")
    sides = list(pattern.finditer(text))
    for number, match in enumerate(sides):
        end = sides[number + 1].start() if number + 1 < len(sides) else len(text)
        told = _BREAKS.split(text[match.end() : min(end, match.end() + 60)])[0]
        side = "right" if match[1] else "left" if match[2] else "both"
        for word in [w for w in map(fold, WORD.findall(told)) if len(w) >= CONTENT][:3]:
            if word not in LIGHT | _ANY_PLACE:
                found.setdefault(stem(word), set()).add(side)
    return found


_BOTH = re.compile(
    r"(?<!\w)(?:(?:l|d|c)?es|aux)\s+(?:deux|2)\s|bilat[ée]ra|des\s+deux\s+c[ôo]t", re.I
)


def side_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield what is on the other side, and sides that are new or lost."""
    old, new = _sided(source), _sided(rewrite)
    for root, sides in old.items():
        if len(sides) == 1 and len(new.get(root, ())) == 1 and new[root] != sides:
            yield f"side changed: {surface(root, source)}"
    if all({m.lastindex for m in SIDE.finditer(text)} >= {1, 2} for text in (source, rewrite)):
        yield from _said_behind(source, rewrite)
    for halves in _HALVES:
        if all({m.lastindex for m in halves.finditer(t)} == {1, 2} for t in (source, rewrite)):
            yield from _said_behind(source, rewrite, halves)
    counts = [
        (sum(bool(m[1]) for m in SIDE.finditer(t)), sum(bool(m[2]) for m in SIDE.finditer(t)))
        for t in (source, rewrite)
    ]
    (right, left), (right_now, left_now) = counts
    in_short = [bool(short.search(source)) for short in _SHORT_SIDES]
    right_now += bool(right and not right_now and _SHORT_SIDES[0].search(rewrite))
    left_now += bool(left and not left_now and _SHORT_SIDES[1].search(rewrite))
    for before, now, known in ((right, right_now, in_short[0]), (left, left_now, in_short[1])):
        if not right and not left and right_now and left_now and _BOTH.search(source):
            continue  # "à droite comme à gauche" is "des deux côtés"
        if before == 0 and now and not known:
            yield "side invented"
    more_of_one = (right_now - right) * (left_now - left) < 0
    if right and left and more_of_one:
        yield "sides exchanged"
    elif right and left and not right_now and not left_now and _BOTH.search(rewrite):
        return  # "les deux membres inférieurs"
    elif (right and not right_now) or (left and not left_now):
        yield "side lost"
