"""Who has a disease, how sure it is, and what is forbidden: what a text says around its terms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from doctobert_hf.finemed.rephrase.polarity import LIGHT, segments
from doctobert_hf.finemed.rephrase.terms import CONTENT, kind_of, stem, surface
from doctobert_hf.finemed.words import WORD, fold

_RELATIVE = re.compile(
    r"(?<!\w)(?:p[èe]res?|m[èe]res?|fr[èe]res?|s(?:œ|oe)urs?|oncles?|tantes?|cousine?s?|grands?-\w+|"
    r"famil\w+|h[ée]r[ée]d\w+|parents?|fratrie|a[ïi]eu\w*|collat[ée]ra\w+|ascendants?|consanguin\w*|"
    r"neveux?|ni[èe]ces?|jum\w+|maternel\w*|paternel\w*)(?!\w)",
    re.IGNORECASE,
)
_TELLS = re.compile(
    r"(?<!\w)(?:rapport|signal|d[ée]cri|not|constat|am[èe]n|amen|accompagn|observ|d[ée]clar|remarqu|"
    r"appel|dit|explique|s['’]inqui)\w*",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"(?<!\w)(?:suspi?\w*|suspect\w*|probabl\w+|possibl\w+|[ée]ventuel\w*|hypoth[èe]s\w+|[ée]vo[qc]\w+|"
    r"pourrai\w+|semble\w*|pr[ée]som\w+|soup[çc]on\w*|craint\w*|crain\w*|doute\w*|discut\w+|compatible\w*|"
    r"(?:fait|font|faisant|faire|laisse\w*|[àa])\s+penser|envisag\w+|vraisemblabl\w+|sugg[èe]r\w+|"
    r"en\s+faveur|orient\w+|à\s+confirmer|à\s+[ée]liminer|peut[- ][êe]tre|apparen\w+|suppos\w+|"
    r"recherch\w+|risque\w*|si|en\s+cas|crainte|penser\s+à|pr[ée]vent\w+)(?!\w)|\?",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"(?<!\w)(?:suspicion|suspect[ée]e?s?|suspecte\w*|probables?|probablement|possibles?|hypoth[èe]ses?|"
    r"pr[ée]somption|pr[ée]sum[ée]e?s?|vraisemblabl\w+|soup[çc]onn\w+)(?!\w)",
    re.IGNORECASE,
)


_FORBIDS = re.compile(
    r"(?<!\w)(?:(?:ne\s+|n['’])(?:doi\w+|devr\w+|peu\w+|pouv\w+|faut)\s+(?:pas|jamais|en\s+aucun\s+cas)|"
    r"ne\s+(?:pas|jamais)\s+\w+(?:er|ir|re)|(?:ne\s+|n['’])\w+(?:ez|er)\s+(?:pas|jamais)|"
    r"(?:ne\s+|n['’])(?:est|sont|sera)\s+(?:pas|jamais)\s+(?:recommand|conseill|indiqu)\w+|"
    r"[ée]vit\w+|contre[- ]indi(?:qu|ca)\w+|d[ée]conseill\w+|"
    r"proscri\w+|interdi\w+)(?!\w)",
    re.IGNORECASE,
)
_DENIES = re.compile(
    _FORBIDS.pattern + r"|(?<!\w)(?:pas|jamais|sans|aucune?s?|ni|non|contre|hors|sauf|except\w+|"
    r"ne|n['’]\w+|incompatib\w+|abstenir|arr[êe]t\w*|exclu\w*)(?!\w)",
    re.IGNORECASE,
)
"""Any word that may tell that something is not to be done."""


_SCOPE = re.compile(
    r"(?<!\w)(?:ne\s+|n['’])(?:\w+(?:-\w+)?\s+)?(?:pas|jamais)\s+(?P<scope>.{4,70}?)"
    r"(?=[,;:().]|(?<!\w)(?:avant|que|qui|depuis|pendant|quand|si|pour|car|mais|sauf)(?!\w)|\Z)",
    re.IGNORECASE,
)
_NEGATIVE = re.compile(
    _DENIES.pattern
    + r"|(?<!\w)(?:in|im|non|d[ée]|an?|ar)\w*(?:capab|possib|[ée]vit|pourv|compat)\w*|"
    r"(?<!\w)(?:absen|d[ée]faut|[ée]chec|refus|manqu|n[ée]gati|indemne|d[ée]pourvu|rare|peu|plut[ôo]t|"
    r"libre|normal|perte|perdu|incapab|impossib|hormis|rebel|r[ée]sist|moins|[ée]limin|infirm|[ée]cart)\w*",
    re.IGNORECASE,
)
_EXCLUDES = re.compile(
    r"(?<!\w)(?:[ée]limin|exclu[trsea]|infirm[ée]|[ée]cart[ée])\w*", re.IGNORECASE
)
_CONFIRMS = re.compile(r"(?<!\w)(?:confirm|av[ée]r|prouv|affirm)\w*", re.IGNORECASE)


def attribution_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield diseases of relatives that are the patient's now, and suspected ones that are sure."""
    yield from _moved(
        _diseases(source, _RELATIVE, but=_TELLS), _diseases(rewrite, _RELATIVE), source,
        "a relative's disease told of the patient",
    )  # fmt: skip
    yield from _moved(
        _diseases(source, _STRONG), _diseases(rewrite, _UNSURE), source, "hypothesis made certain"
    )
    yield from _moved(
        _diseases(source, _FORBIDS), _diseases(rewrite, _DENIES), source, "warning turned round"
    )
    yield from _unscoped(source, rewrite)
    confirmed = _diseases(rewrite, _CONFIRMS, parts=re.compile(","))
    for root, marked in _diseases(source, _EXCLUDES).items():
        if marked == {True} and True in confirmed.get(root, ()):
            yield f"what was ruled out is confirmed: {surface(root, source)}"


def _unscoped(source: str, rewrite: str) -> Iterator[str]:
    """Yield what "ne ... pas" denies as a whole: two words of it, now where nothing is denied."""
    scopes = [match["scope"] for part in segments(source) for match in _SCOPE.finditer(part)]
    if not scopes:
        return
    now: dict[str, set[bool]] = {}
    for segment in segments(rewrite):
        marked = _NEGATIVE.search(segment) is not None
        for root in _roots(segment):
            now.setdefault(root, set()).add(marked)
    outside = set(_roots(_SCOPE.sub(" ", source)))
    for scope in scopes:
        told = [r for r in _roots(scope) if r not in outside and r in now]
        free = [root for root in told if now[root] == {False}]
        if len(free) >= 2 and len(free) == len(told):
            yield f"negation lost: {' '.join(scope.split())}"


def _roots(text: str) -> list[str]:
    folded = (fold(raw) for raw in WORD.findall(text))
    return [stem(word) for word in folded if len(word) >= CONTENT and word not in LIGHT]


def _moved(
    old: dict[str, set[bool]], new: dict[str, set[bool]], source: str, told: str
) -> Iterator[str]:
    for root, marked in old.items():
        if marked == {True} and new.get(root) == {False}:
            yield f"{told}: {surface(root, source)}"


def _diseases(
    text: str,
    cue: re.Pattern[str],
    but: re.Pattern[str] | None = None,
    parts: re.Pattern[str] | None = None,
) -> dict[str, set[bool]]:
    """By stem, whether a disease's segments, or parts of them, have the cue."""
    found: dict[str, set[bool]] = {}
    whole = segments(text)
    for segment in whole if parts is None else (p for s in whole for p in parts.split(s)):
        roots = _disease_roots(segment)
        if roots:
            marked = bool(cue.search(segment)) and not (but is not None and but.search(segment))
            for root in roots:
                found.setdefault(root, set()).add(marked)
    return found


@lru_cache(maxsize=1 << 12)  # several looks at one document read its sentences once
def _disease_roots(segment: str) -> tuple[str, ...]:
    return tuple(
        stem(fold(raw))
        for raw in WORD.findall(segment)
        if len(raw) >= CONTENT and fold(raw) not in LIGHT and kind_of(raw, wide=True)
    )
