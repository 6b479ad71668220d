"""Polarity: what a text denies and what it affirms, term by term."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from doctobert_hf.finemed.rephrase.terms import CONTENT, kind_of, stem, surface
from doctobert_hf.finemed.words import WORD, fold

_CUE = re.compile(
    r"(?<!\w)(?:(?:pas|jamais)\s+(?:(?!candidat|seul)\w+\s+){0,2}?(?:d['’]|de\s)|pas\s+non\s+plus|(?:sans|aucune?s?|ni)(?!\w)|absences?\s+d[e'’]|"
    r"absences?\s+(?:du|des)|faute\s+d[e'’]|indemnes?\s+d[e'’]|"
    r"d[ée]pourvue?s?\s+d[e'’]|n[ée]gatif\s+pour|non[ -](?=\w+)|exclu\w*|[ée]limin\w+|infirm\w+)",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"(?<!\w)(?:absente?s?|[ée]limin[ée]e?s?|exclue?s?|infirm[ée]e?s?|nie|ni[ée]e?s?)(?!\w)",
    re.IGNORECASE,
)
_BEFORE_ANY = re.compile(
    r"(?<!\w)(?:pas|sans|aucune?s?|ni|non|jamais|rien|absen\w+|n[ée]gati\w+|exclu\w*|[ée]limin\w+|nie|"
    r"faute|indemne\w*|infirm\w+)(?!\w)",
    re.IGNORECASE,
)
_BEHIND_ANY = re.compile(
    r"(?<!\w)(?:absen(?!ces?\s+d)\w+|n[ée]gati\w+|exclu\w*|[ée]limin\w+|nie|ni[ée]e?s?|disparu\w*|libres?|infirm\w+|"
    r"n['’]|ne(?!\w))",
    re.IGNORECASE,
)
_RULED_OUT = re.compile(r"(?<!\w)(?:[ée]limin|exclu|infirm|n[ée]gati)", re.IGNORECASE)
_SEGMENT = re.compile(r"[.;!\n]|(?<!\w)(?:mais|cependant|toutefois)(?!\w)", re.IGNORECASE)
LIGHT = frozenset(
    """autre autres signe signes notion aussi retrouve retrouvee objective notee revele particuliers
    particuliere particularite avait etait patient patiente examen clinique faire cette celui celle
    aucun aucune encore pouvant ayant comme avoir entre apres avant depuis contexte
    suite suites
    votre notre leurs heure heures jours semaine semaines annee annees minute minutes depasser
    diagnostic""".split()
)


_INFINITIVE = re.compile(r"(?:er|ir|dre)\Z")
_FINDINGS = frozenset("signe signes notion particularite particuliers particuliere".split())
"""Light where sentences are compared, yet what "sans signe", "sans particularité" denies."""


def segments(text: str) -> Iterator[str]:
    """Yield the parts of a text that a cue reaches; a question and its answer are one."""
    at = 0
    for stop in _SEGMENT.finditer(text):
        if stop[0] == "." and text[stop.end() : stop.end() + 1].isdigit():
            continue
        yield text[at : stop.start()]
        at = stop.end()
    yield text[at:]


def _polarities(text: str) -> dict[str, Counter[str]]:
    """By stem, how often it is ``negated``, ``affirmed`` or ``unclear``."""
    found: dict[str, Counter[str]] = {}
    for segment in segments(text):
        negated = set(_negated_places(segment))
        before = [match.end() for match in _BEFORE_ANY.finditer(segment)]
        behind = [match.start() for match in _BEHIND_ANY.finditer(segment)]
        ruled_out = min((m.start() for m in _RULED_OUT.finditer(segment)), default=len(segment))
        for match in WORD.finditer(segment):
            word, at = fold(match[0]), match.start()
            if len(word) < CONTENT or not word.isalpha() or word in LIGHT - _FINDINGS:
                continue
            if _BEFORE_ANY.fullmatch(match[0]) or _BEHIND_ANY.fullmatch(match[0]):
                continue  # a cue is no fact
            if _INFINITIVE.search(word) and at not in negated and kind_of(match[0]) is None:
                continue  # "ne pas prendre si": what is denied stands elsewhere
            unclear = at > ruled_out or any(
                at < cue < at + 90 and not _TURN.search(segment, at, cue) for cue in behind
            )
            unclear = unclear or any(
                at - 60 < cue <= at
                and not _TURN.search(segment, cue, at)
                and not _apart(segment, cue, at)
                for cue in before
            )
            polarity = "negated" if at in negated else "unclear" if unclear else "affirmed"
            found.setdefault(stem(word), Counter())[polarity] += 1
    return found


_TURN = re.compile(
    r"(?:[,(]\s*(?:notamment\s)?|\set\s|\snotamment\s)(?:une?|les?|la|l['’]|il|elle|on|puis|avec|cette|ce|cet|son|sa|ses|dont|qui|a|avait|pr[ée]sente\w*|est)"
    r"(?!\w)",
    re.IGNORECASE,
)
"""A comma, or "et la", behind which something else is told than what was denied before it."""


def _apart(segment: str, cue: int, at: int) -> bool:
    """Return whether a word stands behind the only comma: "pas de raideur, purpura" has purpura.

    A list that goes on ("pas de toux, fièvre ni dyspnée") may be denied as a whole.
    """
    return "," in segment[cue:at] and not _GOES_ON.search(segment, segment.index(",", cue) + 1)


_GOES_ON = re.compile(
    r",(?!\s*(?:pas|sans|aucune?|absence|ni)\s)|(?<!\w)(?:ni|ou|et)(?!\w)", re.IGNORECASE
)


_VERB = re.compile(
    r"(?<!\w)(?:ne\s+|n['’])(?:(?:pas|jamais)\s+(?P<bare>\w+(?:er|ir|re))(?!\w)"
    r"|(?P<verb>\w+)(?:-\w+)?\s+(?:pas|jamais)(?:\s+(?:[ée]t[ée]|[êe]tre|encore))?"
    r"(?:\s+(?P<told>\w+(?:[ée]e?s?|ie?s?|ue?s?|aires?|ables?|ibles?|er|ir|re))(?!\w))?)",
    re.IGNORECASE,
)
"""A verb that is denied: "ne doublez pas", "ne pas appliquer", "n'est pas recommandé"."""
_LIST = re.compile(
    r"(,\s*(?:ni\s|ou\s|et\s)?(?=d['’e]|ni\s|ou\s)|\sni\s|\sou\s|\set\s(?=de\s|d['’]))"
)
_SCOPE_END = re.compile(
    r"[,:()]|(?<!\w)(?:avec|puis|donc|qui|pour|consultant|car|est|sont|[ée]tai(?:t|ent)|ont|sera|fut|à|au|"
    r"aux|des|du|de\s+la|sur|dans|lors|selon|et(?=\s+(?:l[ea]s?|une?|ils?|elles?|on|son|sa|ses)\s|\s+l['’]))(?!\w)"
)


def _negated_places(segment: str) -> Iterator[int]:
    """Where words stand that a cue surely negates: its first two, and the heads of a list."""
    for cue in _CUE.finditer(segment):
        at = cue.end()
        if cue[0].lower().startswith("non"):  # denies the one word behind it
            yield at
            continue
        for number, part in enumerate(_LIST.split(segment[at:])):
            if number % 2:  # what stands between two members of a list
                at += len(part)
                continue
            limit = _SCOPE_END.search(part)
            inside = part[: limit.start()] if limit else part
            words = [m for m in WORD.finditer(inside) if len(m[0]) >= CONTENT]
            for match in words[:2]:
                yield at + match.start()
            at += len(part)
            if limit:
                break
    for cue in _VERB.finditer(segment):
        for name in ("verb", "bare", "told"):
            if cue[name] and len(cue[name]) >= CONTENT:
                yield cue.start(name)
    for cue in _AFTER.finditer(segment):
        before = re.split(r"[,:]", segment[: cue.start()])[-1]
        offset = cue.start() - len(before)
        for match in [m for m in WORD.finditer(before) if len(m[0]) >= CONTENT][-3:]:
            yield offset + match.start()


def polarity_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield what is denied in one text and affirmed in the other."""
    old, new = _polarities(source), _polarities(rewrite)
    for root, before in old.items():
        after = new.get(root, Counter())
        if after["negated"] < before["negated"] and after["affirmed"] > before["affirmed"]:
            yield f"negation lost: {surface(root, source)}"
        elif (
            after["negated"] > before["negated"] + before["unclear"]
            and after["affirmed"] < before["affirmed"]
        ):
            yield f"negation added: {surface(root, source)}"
