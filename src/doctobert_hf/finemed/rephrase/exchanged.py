"""What a text tells of two sides or organs, told the other way round by its rewrite.

No word is new, none is lost: only what each is told of has changed places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doctobert_hf.finemed.rephrase.opposites import ORGAN
from doctobert_hf.finemed.rephrase.polarity import LIGHT, segments
from doctobert_hf.finemed.rephrase.sides import SIDE
from doctobert_hf.finemed.rephrase.spelled import as_digits
from doctobert_hf.finemed.rephrase.terms import CONTENT, stem
from doctobert_hf.finemed.words import WORD, fold

_KIN = re.compile(
    r"(?<!\w)(?:(p[èe]re|paternel\w*)|(m[èe]re|maternel\w*)|(fr[èe]res?)|(s(?:œ|oe)urs?)|(tantes?)|(oncles?)|(fils)|(filles?))(?!\w)",
    re.IGNORECASE,
)
_CLAUSES = re.compile(r"[,:()]|(?<!\w)(?:et|mais|puis|ainsi que)(?!\w)", re.IGNORECASE)
_Told = dict[str, set[int]]
"""By stem, which sides or organs it is told of."""


def exchange_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield which of sides and organs have changed places.

    Example:
        >>> list(exchange_reasons("Foie cirrhotique micronodulaire, rate polykystique.",
        ...                       "Rate cirrhotique micronodulaire, foie polykystique."))
        ['organs exchanged']
    """
    if _exchanged(_by_side(source), _by_side(rewrite), 1.0):
        yield "sides exchanged"
    if _exchanged(_by_clause(source, ORGAN), _by_clause(rewrite, ORGAN), 0.0):
        yield "organs exchanged"
    if _exchanged(_by_clause(source, _KIN), _by_clause(rewrite, _KIN), 1.0, least=2):
        yield "relatives exchanged"
    yield from _other_sex(source, rewrite)
    old, new = _orders(source), _orders(rewrite)
    for first, then in sorted(new - old):
        if (then, first) in old - new:
            yield f"order changed: {first} before {then}"


_AGED = re.compile(
    r"(?<!\w)(?:(?P<male>gar[çc]on|homme|adolescent|patient|monsieur)|"
    r"(?P<female>fille|fillette|femme|adolescente|patiente|dame))\s+(?:âg[ée]e?\s+)?de\s+"
    r"(?P<age>\d{1,3}\s+(?:ans|mois|jours))",
    re.IGNORECASE,
)


def _other_sex(source: str, rewrite: str) -> Iterator[str]:
    """Yield ages that are told of a man in one text, and of a woman in the other."""
    old, new = _sexes(source), _sexes(rewrite)
    for age, before in old.items():
        if len(before) == 1 and len(new.get(age, ())) == 1 and new[age] != before:
            yield f"sex changed: of {age}"


def _sexes(text: str) -> dict[str, set[bool]]:
    found: dict[str, set[bool]] = {}
    for match in _AGED.finditer(re.sub("[\u2060\u2063]", "", as_digits(text))):
        found.setdefault(" ".join(match["age"].split()), set()).add(match["male"] is not None)
    return found


_TREATED = (
    "chirurg|r[ée]sec|curieth|radioth|chimioth|irradi|immunoth|hormonoth|embolis|drain|transfus|"
    "greff"
)
_AFTER = re.compile(
    rf"(?<!\w)(?P<first>{_TREATED})\w*[^.;:]{{0,30}}?(?:suivie?s?\s+(?:d['’e]|par)|,?\s*puis(?!\w)|(?<!\w)avant(?!\w))"
    rf"[^.;:]{{0,25}}?(?<!\w)(?P<then>{_TREATED})\w*",
    re.IGNORECASE,
)


_FIRST = re.compile(
    rf"(?<!\w)(?P<first>{_TREATED})\w*\s+d['’]abord[^.;:]{{0,20}}?(?<!\w)(?P<then>{_TREATED})\w*",
    re.IGNORECASE,
)


def _orders(text: str) -> set[tuple[str, str]]:
    matches = (match for pattern in (_AFTER, _FIRST) for match in pattern.finditer(text))
    found = (tuple(fold(m[name])[:6] for name in ("first", "then")) for m in matches)
    return {(first, then) for first, then in found if first != then}


def _exchanged(old: _Told, new: _Told, share: float, least: int = 3) -> bool:
    """Return whether words of two have moved to the other, as a share of all that are of one."""
    once = [root for root, of in old.items() if len(of) == len(new.get(root, ())) == 1]
    moved = {(*old[root], *new[root]) for root in once if old[root] != new[root]}
    for first, other in moved:
        both = [root for root in once if old[root] | new[root] <= {first, other}]
        gone = [root for root in both if old[root] != new[root]]
        if (other, first) in moved and len(gone) >= least and len(gone) >= share * len(both):
            return True
    return False


def _by_side(text: str) -> _Told:
    """Words of the sentences that name one side only."""
    found: _Told = {}
    for segment in segments(text):
        named = {match.lastindex or 0 for match in SIDE.finditer(segment)}
        if len(named) == 1 and named <= {1, 2}:
            _add(found, segment, named)
    return found


def _by_clause(text: str, owner: re.Pattern[str]) -> _Told:
    """Words of the clauses that name one owner only: an organ, a relative."""
    found: _Told = {}
    for segment in segments(text):
        for clause in _CLAUSES.split(segment):
            named = {match.lastindex or 0 for match in owner.finditer(clause)}
            if len(named) == 1:
                _add(found, clause, named)
    return found


def _add(found: _Told, part: str, named: set[int]) -> None:
    for word in map(fold, WORD.findall(part)):
        if len(word) >= CONTENT and word not in LIGHT:
            found.setdefault(stem(word), set()).update(named)
