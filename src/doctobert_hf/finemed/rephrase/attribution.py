"""Who has a disease, how sure it is, and what is forbidden: what a text says around its terms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from doctobert_hf.finemed.rephrase.polarity import LIGHT, segments
from doctobert_hf.finemed.rephrase.terms import CONTENT, kind_of, stem, surface
from doctobert_hf.finemed.words import WORD, fold

_PEOPLE = (
    r"p[èe]res?|m[èe]res?|fr[èe]res?|s(?:œ|oe)urs?|oncles?|tantes?|cousine?s?|neveux?|ni[èe]ces?|"
    r"papas?|mamans?"
)
_RELATIVE = re.compile(
    rf"(?<!\w)(?:{_PEOPLE}|grands?-(?:p[èe]re|m[èe]re|parent|oncle|tante)s?|"
    r"(?<!domicile )(?<!planning )(?<!decin de )(?<!milieu )(?<!decin )famil\w+|"
    r"h[ée]r[ée]d\w+|parents?|fratrie|a[ïi]eu\w*|"
    r"collat[ée]ra\w+|ascendants?|consanguin\w*|jum\w+|maternel\w*|paternel\w*)(?!\w)",
    re.IGNORECASE,
)
_KIN = re.compile(
    rf"(?<!\w)(?:{_PEOPLE}|grands?-(?:p[èe]re|m[èe]re|parent)s?|(?:sa|la|dans\s+(?:sa|la|leur))\s+famille|"
    r"ant[ée]c[ée]dents?\s+famili\w+)(?!\w)(?!\s+de(?:s)?\s)",
    re.IGNORECASE,
)
"""Somebody of the patient's; "la famille des statines" is nobody."""
_NO_FAMILY = re.compile(
    r"(?<!\w)(?:sans|(?:pas|aucune?|ni)\s+(?:d['’e]\s*)?)\s*(?:contexte|ant[ée]c[ée]dents?|histoire|cas|"
    r"notion)\s+famili\w+[^.;]*",
    re.IGNORECASE,
)
"""A family that is told to have nothing tells nothing of what stands before it."""
_UNION = re.compile(
    r"(?:(?<!\w)(?:mariages?|unions?|couples?|parents)\s+(?:non\s+)?)?consanguin\w*",
    re.IGNORECASE,
)
"""Where the patient comes from: what else a sentence tells is the patient's."""
_CHILDREN = re.compile(
    r"(?<!\w)(?:m[èe]re|p[èe]re)\s+(?:de\s+|d['’])(?:\d+|une?|deux|trois|quatre|cinq|six|sept|huit|plusieurs)\s+"
    r"(?:enfants?|filles?|gar[çc]ons?|fils)",
    re.IGNORECASE,
)
"""Of the patient."""
_ILL_KIN = re.compile(
    rf"(?<!\w)(?:{_PEOPLE})(?!\w)[^.;,]{{0,15}}(?<!\w)(?:suivi|atteint|d[ée]c[ée]d|trait[ée]|mort|porteu|op[ée]r|souffr|connu|diab|"
    r"hypert|asthm|[ée]pilep|canc)\w*",
    re.IGNORECASE,
)
_OF_KIN = re.compile(
    rf",\s*((?:ayant|avec|dont)\s+(?:une?|l[ea]s?|deux|son|sa|ses)\s+(?:{_PEOPLE})(?!\w)[^,;.]*)(?=,)",
    re.IGNORECASE,
)
"""What a sentence tells of a relative in passing: "ayant un frère suivi pour ..., qui"."""
_OBSTETRIC = re.compile(r"(?<!\w)(?:parturiente|enceinte|gestante|accouch[ée]e)", re.IGNORECASE)
_BIRTH = re.compile(
    _OBSTETRIC.pattern
    + r"|(?<!\w)(?:post-?partum|grossesse|nouveau-?n[ée]|nourrisson|enfant|G\dP\d)",
    re.IGNORECASE,
)
_MOTHER = re.compile(r"(?<!\w)la\s+m[èe]re(?!\w|\s+d[eu'])", re.IGNORECASE)
_TELLS = re.compile(
    r"(?<!\w)(?:rapport|signal|d[ée]cri|not|constat|am[èe]n|amen|accompagn|observ|d[ée]clar|remarqu|"
    r"appel|dit|explique|motiv|s['’]inqui)\w*",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"(?<!\w)(?:suspi?\w*|suspect\w*|probabl\w+|possibl\w+|[ée]ventuel\w*|hypoth[èe]s\w+|[ée]vo[qc]\w+|"
    r"pourrai\w+|semble\w*|pr[ée]som\w+|soup[çc]on\w*|craint\w*|crain\w*|doute\w*|discut\w+|compatible\w*|"
    r"(?:fait|font|faisant|faire|laisse\w*|[àa])\s+penser|pens(?:[ée]|ons|ait|aient)\s+(?:à|aux?)|envisag\w+|vraisemblabl\w+|sugg[èe]r\w+|"
    r"en\s+faveur|orient\w+|à\s+confirmer|à\s+[ée]liminer|aspects?|peut[- ][êe]tre|apparen\w+|"
    r"suppos\w+|redout\w+|peur|(?:re)?cherch\w+|d[ée]pist\w+|risque\w*|si|en\s+cas|crainte|penser\s+à|pr[ée]vent\w+)(?!\w)|\?",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"(?<!\w)(?:suspicion|suspect[ée]e?s?|suspecte\w*|probables?|probablement|possibles?|possiblement|[àa]\s+(?:discuter|rechercher|confirmer)|[àa]\s+la\s+recherche|"
    r"(?:crainte|peur)(?=\s+d['’e])|redout[ée]e?s?|"
    r"pourrai(?:t|ent)|peut[- ][êe]tre|hypoth[èe]ses?|"
    r"pr[ée]somption|pr[ée]sum[ée]e?s?|vraisemblabl\w+|soup[çc]onn\w+)(?!\w)",
    re.IGNORECASE,
)


_FORBIDS = re.compile(
    r"(?<!\w)(?:(?:ne\s+|n['’])(?:doi\w+|devr\w+|peu\w+|pouv\w+|faut)\s+(?:pas|jamais|en\s+aucun\s+cas)"
    r"(?!\s+(?:attendre|tarder|diff[ée]rer|retarder|[êe]tre\s+(?:diff|retard)))|"
    r"ne\s+(?:pas|jamais)\s+\w+(?:er|ir|re)|(?:ne\s+|n['’])\w+(?:ez|er)\s+(?:pas|jamais)|"
    r"(?:ne\s+|n['’])(?:est|sont|sera)\s+(?:pas|jamais)\s+(?:recommand|conseill|indiqu)\w+|"
    r"[ée]vit\w+|contre[- ]indi(?:qu|ca)\w+|d[ée]conseill\w+|"
    r"proscri\w+|interdi\w+)(?!\w)",
    re.IGNORECASE,
)
_DENIES = re.compile(
    _FORBIDS.pattern + r"|(?<!\w)(?:pas|jamais|sans|aucune?s?|ni|non|contre|hors|sauf|except\w+|"
    r"ne|n['’]\w+|(?-i:CI)|incompatib\w+|abstenir|arr[êe]t\w*|exclu\w*)(?!\w)",
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
    r"libre|normal|trop|perte|perdu|incapab|impossib|hormis|rebel|r[ée]sist|moins|[ée]limin|infirm|[ée]cart)\w*",
    re.IGNORECASE,
)
_EXCLUDES = re.compile(
    r"(?<!\w)(?:[ée]limin|exclu[trsea]|infirm[ée]|[ée]cart(?:[ée]|ant|er|e(?!\w)))\w*",
    re.IGNORECASE,
)
_CONFIRMS = re.compile(r"(?<!\w)(?:confirm|av[ée]r|prouv|affirm)\w*", re.IGNORECASE)


_THEN_UNSURE = re.compile(
    r"(?<!\w)avec(?=\s+(?:une\s+)?suspicion)|(?=(?<!\w)[àa]\s+la\s+recherche)"
    r"|(?=(?<!\w)(?:fait|font|faisan?t|faisaient|faire)\s+(?:\w+ment\s+)?(?:suspecter|soup[çc]onner)(?!\w))",
    re.IGNORECASE,
)
"""Before it something is told that is sure: "un kyste avec suspicion d'envahissement"."""


def attribution_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield diseases of relatives that are the patient's now, and suspected ones that are sure."""
    source, rewrite = (_OF_KIN.sub(r". \1. ", text) for text in (source, rewrite))
    source, rewrite = (_CHILDREN.sub(" ", text) for text in (source, rewrite))
    no_family = _UNION.sub(" ", _NO_FAMILY.sub(" ", source))
    if _OBSTETRIC.search(source):  # "la mère" is the patient
        no_family = _MOTHER.sub(" ", no_family)
    yield from _moved(
        _diseases(no_family, _RELATIVE, but=_TELLS), _diseases(rewrite, _RELATIVE), source,
        "a relative's disease told of the patient",
    )  # fmt: skip
    yield from _moved(
        _diseases(source, _STRONG, parts=_THEN_UNSURE),
        _unsure(rewrite),
        source,
        "hypothesis made certain",
    )
    yield from _moved(
        _diseases(source, _FORBIDS), _diseases(rewrite, _DENIES), source, "warning turned round"
    )
    yield from _surer(source, rewrite)
    certain = _CERTAIN.search(rewrite)
    if certain and not _CERTAIN.search(source) and _UNSURE.search(source):
        yield f"certainty invented: {certain[0]}"
    relative = _KIN.search(rewrite)
    mother = relative and _BIRTH.search(source) and re.match("m[èe]re|maman", relative[0], re.I)
    if relative and not mother and not _RELATIVE.search(source):
        yield f"relative invented: {relative[0]}"
    ill = None if _RELATIVE.search(rewrite) else _ILL_KIN.search(source)
    if ill and not (_BIRTH.search(source) and re.match("m[èe]re|maman", ill[0], re.I)):
        yield f"relative lost: {ill[0]}"
    yield from _own(source, rewrite)
    yield from _planned(source, rewrite)
    yield from _unscoped(source, rewrite)
    confirmed = _diseases(rewrite, _CONFIRMS, parts=re.compile(","))
    for root, marked in _diseases(source, _EXCLUDES).items():
        if marked == {True} and True in confirmed.get(root, ()):
            yield f"what was ruled out is confirmed: {surface(root, source)}"


_ONLY_THOUGHT = re.compile(
    _STRONG.pattern + r"|(?<!\w)(?:[ée]vo[qc]\w+|en\s+faveur|compatibles?)", re.IGNORECASE
)
_SETTLED = re.compile(
    r"(?<!\w)(?:(?<!non )(?<!pas )retenu|confirm|av[ée]r|prouv|affirm)\w*", re.IGNORECASE
)


_CERTAIN = re.compile(
    r"(?<!\w)(?:de\s+(?:fa[çc]on|mani[èe]re)\s+(?:certaine|s[ûu]re|formelle|indiscutable)|avec\s+certitude|certitude|"
    r"certainement|à\s+coup\s+s[ûu]r|sans\s+[ée]quivoque|indubitabl\w+|indiscutabl\w+)(?!\w)",
    re.IGNORECASE,
)


def _surer(source: str, rewrite: str) -> Iterator[str]:
    """Yield what was only thought of and is confirmed, and what was settled and is only thought."""
    thought, settled = _diseases(source, _ONLY_THOUGHT), _diseases(source, _SETTLED)
    now_settled = _diseases(rewrite, _CONFIRMS, but=_ONLY_THOUGHT, parts=re.compile("[,:]"))
    now_thought = _diseases(rewrite, _STRONG)
    for root, marked in thought.items():
        if True in marked and True not in settled[root] and True in now_settled.get(root, ()):
            yield f"hypothesis made certain: {surface(root, source)}"
    for root, marked in settled.items():
        if True in marked and True not in thought[root] and now_thought.get(root) == {True}:
            yield f"certainty lost: {surface(root, source)}"


_PATIENT = re.compile(
    r"(?:^|[,(]|(?<!\w)et\s)\s*(?:par ailleurs,?\s|en revanche,?\s|elle-m[êe]me\s|lui-m[êe]me\s)?"
    r"(?:ils?|elles?|l[ea]\s+patiente?|(?:ce|cette|une?)\s+\w+)\s+(?:\w+\s+)?",
    re.IGNORECASE,
)


def _own(source: str, rewrite: str) -> Iterator[str]:
    """Yield a relative's disease of which a sentence tells the patient, before any relative."""
    family = {
        root
        for root, marked in _diseases(source, _RELATIVE, but=_TELLS).items()
        if marked == {True}
    }
    for root in dict.fromkeys(_of_patient(rewrite, family)) if family else ():
        if root not in _of_patient(source, family):
            yield f"a relative's disease told of the patient: {surface(root, source)}"


def _of_patient(text: str, family: set[str]) -> Iterator[str]:
    """Yield those of some diseases that a sentence tells of its subject, before a relative."""
    for segment in segments(text):
        relative = _RELATIVE.search(segment)
        head = segment[: relative.start()] if relative else segment
        subject = _PATIENT.match(head.lstrip())
        if relative and subject and not re.search(r"(?<!\w)(?:rapport|signal|not|dont)\w*", head):
            for root in _disease_roots(head[: max(head.rfind(","), head.rfind(" et "), 0)]):
                if root in family:
                    yield root


_PROPOSED = re.compile(
    r"(?<!\w)(?:propos\w+|pr[ée]vue?s?|pr[ée]voir|programm[ée]\w*|envisag\w+|serai(?:t|ent)|pourrai(?:t|ent)|"
    r"à\s+(?:pr[ée]voir|discuter|envisager|faire|r[ée]aliser))(?!\w)",
    re.IGNORECASE,
)
_TO_COME = re.compile(
    _PROPOSED.pattern
    + r"|(?<!\w)(?:discut\w+|d[ée]ci\w+|indiqu\w+|indication|recommand\w+|conseill\w+|\w+ra|"
    r"\w+ront|"
    r"doi(?:t|vent)|devr\w+|avant|projet|en\s+vue|retenu\w*|demand\w+|prescri\w+|si|en\s+cas|attente|proposition|"
    r"faudra|planifi\w+|à\s+\w+er|pr[ée]v\w+)(?!\w)",
    re.IGNORECASE,
)
_HAPPENED = re.compile(
    r"(?<!\w)(?:(?:a|ont|est|sont|fut|[ée]t[ée]|avai(?:t|ent)|[ée]tai(?:t|ent))\s+(?:[ée]t[ée]\s+)?"
    r"(?:r[ée]alis|effectu|pratiqu|d[ée]but|instaur|administr|op[ée]r|eu\b|b[ée]n[ée]fici|subi|fait)\w*)",
    re.IGNORECASE,
)
_DONE_TO = re.compile(r"\w+(?:ectomie|otomie|stomie|plastie|scopie|graphie|th[ée]rapie|centese)s?|"
r"biopsies?|"
    r"chirurgies?|interventions?|transfusions?|vaccinations?|arthrodeses?|greffes?|"
    r"amputations?")  # fmt: skip


def _planned(source: str, rewrite: str) -> Iterator[str]:
    """Yield what is to be done in the source, and was done in the rewrite."""
    plans = _procedures(source, _PROPOSED)
    told = _procedures(rewrite, _TO_COME) if plans else {}
    done = _procedures(rewrite, _HAPPENED) if plans else {}
    just_done = _just_done(rewrite) - _just_done(source) if plans else set()
    for root, marked in plans.items():
        now = told.get(root) == {False} and True in done.get(root, ())
        just = root in just_done
        if marked == {True} and (now or just):
            yield f"what is planned is done: {surface(root, source)}"


_WAS_DONE = re.compile(
    r"\w*[^.;]{0,45}(?<!\w)(?:a|ont)\s+[ée]t[ée]\s+(?:r[ée]alis|effectu|pratiqu)"
)


def _just_done(text: str) -> set[str]:
    """Return the stems of what "a été réalisée" follows, operations among them."""
    return {stem(fold(m[0])) for m in WORD.finditer(text) if _WAS_DONE.match(text, m.start())}


def _procedures(text: str, cue: re.Pattern[str]) -> dict[str, set[bool]]:
    """By stem, whether the segments of an operation or examination have the cue."""
    found: dict[str, set[bool]] = {}
    for segment in segments(text):
        words = {
            stem(word) for word in map(fold, WORD.findall(segment)) if _DONE_TO.fullmatch(word)
        }
        for root in words:
            found.setdefault(root, set()).add(cue.search(segment) is not None)
    return found


_GOES_ON = re.compile(
    r"\s*(?:elles?|ils?|cet(?:te)?|ces?|cel\w+(?:-ci)?|son|sa|le lien)\s", re.IGNORECASE
)


_QUESTION = re.compile(r"[^?]*\?|[^?]+")


def _unsure(text: str) -> dict[str, set[bool]]:
    """As :func:`_diseases` of unsure ones; "elle" may tell it of what stands before."""
    found: dict[str, set[bool]] = {}
    whole = [part for segment in segments(text) for part in _QUESTION.findall(segment)]
    for number, segment in enumerate(whole):
        behind = whole[number + 1] if number + 1 < len(whole) else ""
        unsure = _UNSURE.search(segment) or (_GOES_ON.match(behind) and _UNSURE.search(behind))
        for root in _disease_roots(segment):
            found.setdefault(root, set()).add(unsure is not None and unsure is not False)
    return found


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


_DISEASE_OF = re.compile(r"(?<!\w)maladie\s+(?:de\s+la\s+|de\s+|d['’])?(\w{5,})", re.IGNORECASE)


@lru_cache(maxsize=1 << 12)  # several looks at one document read its sentences once
def _disease_roots(segment: str) -> tuple[str, ...]:
    return tuple(
        stem(fold(raw))
        for raw in WORD.findall(segment)
        if len(raw) >= CONTENT and fold(raw) not in LIGHT and kind_of(raw, wide=True)
    ) + tuple(stem(fold(named)) for named in _DISEASE_OF.findall(segment))
