"""Small numbers and letters that a name makes a fact: "stade 4", "hépatite B", "T2bN0M0", "L5"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from doctobert_hf.finemed.rephrase.loose import ordinals
from doctobert_hf.finemed.rephrase.quantities import quantities_of
from doctobert_hf.finemed.rephrase.spelled import ROMAN
from doctobert_hf.finemed.words import fold

_ROMAN = {fold(roman): number for roman, number in ROMAN.items()}
_LABELLED = re.compile(
    r"(?<!\w)(?P<label>stades?|grades?|types?|classes?|degr[ée]s?|groupes?|Glasgow|GCS|NYHA|Child(?:-Pugh)?|ASA|"
    r"Gleason|Karnofsky|ECOG|Fitzpatrick|ACR|BI-?RADS|h[ée]patites?|vitamines?|facteurs?|Apgar|lobe|segment|vert[èe]bre)"
    r"(?:\s+(?:de\s+la\s+)?[A-Z][\w-]+\b|\s+(?:de|à|était|est|chronique|aiguë?|virale))?"
    r"\s*(?:de\s+|à\s+|était\s+(?:à|de)\s+|est\s+(?:à|de)\s+|:\s*|=\s*|virale\s+)?"
    r"(?P<code>\d{1,3}[a-dA-D]?|(?-i:VI|IV|III|II|I|V|[A-E]))(?!\w|[.,]\d|\s?[cm]?m(?!\w))",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"(?<![\w.,/-])(?=[A-Za-z]*[A-Z])[A-Za-z]{1,4}\d[A-Za-z0-9]*(?!\w)")
_GASES = re.compile(
    r"(?:[sp]?[ap]?c?o2|hba1c|h2o|h24|b\d{1,2}|j\d+|[th]0|co2|fi02|fio2)\Z", re.IGNORECASE
)
"""Names of what is measured: a rewrite may call a saturation SpO2."""


def code_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield codes that are another's now, or new."""
    old, new = _labelled(source), _labelled(rewrite)
    for label, codes in old.items():
        now = new.get(label, {})
        lost, invented = codes.keys() - now.keys(), now.keys() - codes.keys()
        if lost and invented:
            first = min(lost)
            yield f"code changed: {codes[first]}, now {now[min(invented)]}"
    levels = _levels(source)
    for vertebra, written in _levels(rewrite).items() if levels else ():
        if vertebra not in levels and vertebra not in source:
            yield f"code invented: {written}"
    known = re.sub(r"[\W_]", "", fold(source))
    for match in _TOKEN.finditer(rewrite):
        token = fold(match[0])
        if token in known or _since(token, source) or _GASES.match(token):
            continue
        number = re.search(r"\d+", token)
        if (token == "g1" and "primigest" in known) or (token == "g0" and "nulligest" in known):
            continue
        if number is None or not name_in_code(number[0], source, match[0]):
            yield f"code invented: {match[0]}"
    yield from _signs(source, rewrite)


_CODE = re.compile(r"(?<![\w-])([A-Z][A-Za-z]{0,4})[- ]?(\d{1,4})(?!\w)")
_NAME = re.compile(
    r"(?<!\w)(?P<name>[^\W\d_]{3,30}(?:\s(?:d[eu]s?\s(?:l[ae]s?\s)?|d'|à\s)?[^\W\d_]{3,30}){0,3})"
    r"[ -](?P<number>\d{1,4})(?![\w.,]\d|\w|\s?[%°/])"
)
_TIMES = frozenset("hjsm")


def name_in_code(number: str, text: str, other: str) -> bool:
    """Return whether a number ends a name in a text of which the other has the code.

    Example:
        >>> name_in_code("125", "l'antigène carbohydrate 125", "le CA125")
        True
    """
    codes = _codes(other).get(number, ())
    names = _names(text).get(number, ()) if codes else ()
    return any(_stands_for(code, words) for code in codes for words in names)


@lru_cache(maxsize=4)
def _codes(text: str) -> dict[str, set[str]]:
    """By number, the letters that stand before it; those of a time are left out."""
    found: dict[str, set[str]] = {}
    for letters, number in _CODE.findall(text):
        if fold(letters) not in _TIMES:
            found.setdefault(number, set()).add(fold(letters))
    return found


@lru_cache(maxsize=4)
def _names(text: str) -> dict[str, list[list[str]]]:
    """By number, the words before it."""
    found: dict[str, list[list[str]]] = {}
    for match in _NAME.finditer(text):
        words = re.findall(r"[^\W\d_]{3,}", fold(match["name"]))
        found.setdefault(match["number"], []).append(words)
    return found


_OF_A_KIND = frozenset("type stade grade classe".split())


def _stands_for(code: str, words: list[str]) -> bool:
    """Return whether letters begin the words before a number, or stand in the last in order."""
    words = [word for word in words if word not in _OF_A_KIND] or words
    initials = [word[0] for word in words]
    if len(code) > 1 and all(letter in initials for letter in code):
        return True
    at, last = 0, words[-1]
    for letter in code:
        at = last.find(letter, at) + 1
        if not at:
            return False
    return last[0] == code[0]


_MARKER = re.compile(
    r"(?<![\w-])(?P<name>[A-Z][A-Za-z]{0,6}(?:[ -]?\d{1,3}[a-z]?)?(?:\s[AB](?=\s?[+-]))?)"
    r"(?:\s?(?P<plus>\++|⁺)|(?P<minus>[-−–⁻])|\s(?P<found>posit\w+)|\s(?P<none>n[ée]gat\w+))"
    r"(?=\s|[,.;:)/]|\Z)"
)
"""Marks of cells and germs with their sign: "CD56+", "Granzyme B+", "EBV négatif"."""


def _signs(source: str, rewrite: str) -> Iterator[str]:
    """Yield markers that are found in one text and not in the other."""
    old = _marked(source)
    for name, now in _marked(rewrite).items() if old else ():
        if name in old and not old[name].keys() & now.keys():
            before, after = (next(iter(told.values())) for told in (old[name], now))
            yield f"sign of a marker changed: {before}, now {after}"


def _marked(text: str) -> dict[str, dict[bool, str]]:
    """By marker, whether it is found and how that is written."""
    found: dict[str, dict[bool, str]] = {}
    for match in _MARKER.finditer(text):
        name = re.sub(r"[\s-]", "", fold(match["name"]))
        found.setdefault(name, {})[bool(match["plus"] or match["found"])] = match[0]
    return found


_SPINE = re.compile(
    r"(?<!\w)(?P<first>[CDTLS]\d{1,2})\s?[-/–]\s?(?P<last>[CDTLS]?\d{1,2})(?!\w|[.,/]\d)"
)


def _levels(text: str) -> dict[str, str]:
    """Return the vertebrae that a text names in pairs, and how each pair is written."""
    found: dict[str, str] = {}
    for match in _SPINE.finditer(text):
        last = match["last"] if match["last"][0].isalpha() else match["first"][0] + match["last"]
        found |= dict.fromkeys((match["first"], last), match[0])
    return found


def _since(token: str, source: str) -> bool:
    """Return whether a code is a time that the source tells in words: "S6" is "6 semaines"."""
    match = re.fullmatch(r"([hsm])(\d{1,2})", token)
    if match is None:
        return False
    unit = {"h": "heures", "s": "semaines", "m": "mois"}[match[1]]
    told = quantities_of(f"{match[2]} {unit}")[0]
    known = [*quantities_of(source), *(q for time in ordinals(source) for q in quantities_of(time))]
    return any(q.unit == told.unit and q.equals(told) for q in known)


def _labelled(text: str) -> dict[str, dict[str, str]]:
    """By label, its codes and how each is written."""
    found: dict[str, dict[str, str]] = {}
    for match in _LABELLED.finditer(text):
        code = fold(match["code"])
        label = re.sub(r"s\Z", "", fold(match["label"]))
        written = " ".join(match[0].split())
        found.setdefault(label, {})[_ROMAN.get(code, code)] = written
    return found
