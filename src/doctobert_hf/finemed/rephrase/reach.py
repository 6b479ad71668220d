"""How far the words reach that deny something: which words of a sentence are surely denied."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from doctobert_hf.finemed.rephrase.cues import (
    AFTER,
    BEARER,
    BEARERS,
    BEFORE_ANY,
    BEHIND_ANY,
    CUE,
    FREE,
    GOES_ON,
    LIST,
    LISTED,
    LOOKED_FOR,
    OF_ALL,
    PRESENT,
    RULED_OUT,
    SCOPE_END,
    TELLS_ALREADY,
    TURN,
    VERB,
    places_behind,
)
from doctobert_hf.finemed.rephrase.terms import CONTENT, kind_of
from doctobert_hf.finemed.words import WORD, fold

_SHORT = frozenset("toux rash coma choc pus rale".split())
_INFINITIVE = re.compile(r"(?:(?<!uli)er|ir|dre|rompre|mettre|battre|suivre|vivre)\Z")
_COMPLAINTS = tuple(
    """dyspne toux frisson sueur cephale vertig nause vomi diarrhe constip fievre febri douleur algi
    oedem cyanos icter asthen anorexi amaigriss malaise syncope palpit crachat expector hemopty
    hematem melaen hematur brulure prurit eruption rash paresthes raideur photophob confus
    somnol convuls essouffl epanchem rale crepitant sibilant souffle hypoten hyperten tachycard
    bradycard polypne desatur hypoxi gene fatigue faiblesse""".split()
)
"""How complaints and signs begin, folded."""
GENERAL = frozenset(
    """signe signes notion argument arguments antecedent antecedents lesion lesions element elements
    trouble troubles image images aspect aspects syndrome episode episodes prise symptome symptomes
    presence apparition survenue risque recidive trace indication anomalie anomalies recours relais
    besoin consommation utilisation complication complications facteur facteurs atteinte""".split()
)
"""Words that a denial may do without: "pas de signe d'infection" is "pas d'infection"."""
_LITTLE = frozenset(
    "de la le les du des et en au aux un une ou il elle est sur par ce se on".split()
)


@lru_cache(maxsize=1 << 16)
def tells(raw: str) -> bool:
    """Return whether a word tells a fact: a long one, a short one that is listed, "HTA"."""
    word = fold(raw)
    short = raw.isupper() and raw.isalpha() and len(raw) > 1 and word not in _LITTLE
    return len(raw) >= CONTENT or word in _SHORT or short


@lru_cache(maxsize=1 << 16)
def is_infinitive(raw: str) -> bool:
    """Return whether a word is a verb's infinitive by its form, and no medicine or disease."""
    return bool(_INFINITIVE.search(fold(raw))) and kind_of(raw) is None


def is_complaint(raw: str) -> bool:
    """Return whether a word names a complaint or a sign: "dyspnée", "œdème"."""
    return fold(raw).startswith(_COMPLAINTS)


class Reach:
    """How far the cues of a segment reach; places are looked up, for lists of hundreds.

    Args:
        segment: Part of a sentence.

    Attributes:
        negated: Where words stand that a cue surely negates.
        heads: By the place of a denied word, that of the word it stands behind.
    """

    def __init__(self, segment: str) -> None:
        self.segment = segment
        self.heads: dict[int, int] = {}
        self.negated = frozenset(_negated_places(segment, self.heads))
        self._before = [match.end() for match in BEFORE_ANY.finditer(segment)]
        self._behind = [match.start() for match in BEHIND_ANY.finditer(segment)]
        self._free = [match.start() for match in FREE.finditer(segment)]
        ruled_out = RULED_OUT.search(segment)
        self._ruled_out = ruled_out.start() if ruled_out else len(segment)
        self._present = list(_present(segment))
        self._with = list(_with(segment))
        self._open = [match.span("told") for match in LOOKED_FOR.finditer(segment)]
        self._listed = sorted([*_listed(segment), *_spared(segment)])
        self._goes_on = max((match.start() for match in GOES_ON.finditer(segment)), default=-1)

    def unclear(self, at: int) -> bool:
        """Return whether a cue may reach a place that none surely reaches."""
        segment = self.segment
        if _inside(self._with, at):
            return False
        if _inside(self._open, at) or _inside(self._listed, at):
            return True
        near = (
            at > self._ruled_out
            or any(
                not TURN.search(segment, at, c + 2) for c in _among(self._behind, at + 1, at + 90)
            )
            or any(" et " not in segment[at:c] for c in _among(self._free, at + 1, at + 90))
            or any(
                not TURN.search(segment, c, at) and not self._apart(c, at)
                for c in _among(self._before, at - 59, at + 1)
            )
        )
        return near and not _inside(self._present, at)

    def _apart(self, cue: int, at: int) -> bool:
        """Return whether a word stands behind the only comma: "pas de raideur, purpura".

        A list that goes on ("pas de toux, fièvre ni dyspnée") may be denied as a whole.
        """
        comma = self.segment.find(",", cue, at)
        return comma >= 0 and self._goes_on <= comma


def _among(places: list[int], first: int, end: int) -> list[int]:
    """Return those of sorted places that are from ``first`` to before ``end``."""
    return places[bisect_left(places, first) : bisect_left(places, end)]


def _inside(spans: list[tuple[int, int]], at: int) -> bool:
    """Return whether a place is in one of sorted spans, which do not overlap."""
    number = bisect_right(spans, at, key=lambda span: span[0]) - 1
    return number >= 0 and at < spans[number][1]


def _present(segment: str) -> Iterator[tuple[int, int]]:
    """Yield the parts of an enumeration that are surely there: "fièvre absente, toux présente"."""
    for match in PRESENT.finditer(segment):
        if not (BEFORE_ANY.search(match["told"]) or BEHIND_ANY.search(match["told"])):
            yield match.span("told")


_ALL_NEGATIVE = re.compile(
    r"(?<!\w)(?:sont|[ée]taient|reviennent|restent)\s+(?:tou(?:te)?s\s+|revenue?s\s+)?n[ée]gati(?:fs|ves)(?!\w)",
    re.IGNORECASE,
)


def _listed(segment: str) -> Iterator[tuple[int, int]]:
    """Yield lists whose results are told together: "les AAN, les ANCA et les ACL sont négatifs"."""
    for match in _ALL_NEGATIVE.finditer(segment):
        begin = segment.rfind(",", 0, match.start()) + 1
        yield _list_begin(segment, begin), match.start()


_WITH = re.compile(
    r"(?<!\w)(?<!pas )(?<!ni )avec\s+(?:(?:une?|des?|la|les?|quelques)\s+|l['’])?"
    r"(?P<told>\w+)(?=(?P<behind>[^.;,]{0,40}))",
    re.IGNORECASE,
)


def _with(segment: str) -> Iterator[tuple[int, int]]:
    """Yield what stands with a finding that is denied: "pas de fièvre avec dyspnée" has dyspnea.

    Only complaints: in "pas de lésion avec prise de contraste" the whole is denied.
    """
    for match in _WITH.finditer(segment):
        if fold(match["told"]).startswith(_COMPLAINTS) and not BEHIND_ANY.search(match["behind"]):
            yield match.span("told")


_SHOWS = tuple(
    "montr retrouv revel objectiv not met mett voi constat identifi visualis detect trouv".split()
)


_SPARES = re.compile(
    r"(?<!\w)(?:respect|[ée]pargn)(?:ant|ent|ai(?:t|ent)|er?)\s+(?=l[ae]s?\s|l['’])", re.IGNORECASE
)


_SPARED_ENDS = re.compile(
    r"(?<!\w)(?:une?|d[eu]s|avec|sans|qui|dont|mais|est|sont|a|ont|[ée]tai(?:t|ent)|avai(?:t|ent)|pr[ée]sent\w+|montr\w+|"
    r"retrouv\w+|r[ée]v[ée]l\w+|il|elle|on)(?!\w)",
    re.IGNORECASE,
)
"""What no member of such a list has: behind it something else is told."""


def _spared(segment: str) -> Iterator[tuple[int, int]]:
    """Yield what is spared, behind its first words: "respectait le tronc, la veine et le nerf"."""
    for match in _SPARES.finditer(segment):
        end = _SPARED_ENDS.search(segment, match.end())
        yield match.end(), end.start() if end else len(segment)


def _negated_places(segment: str, heads: dict[int, int] | None = None) -> Iterator[int]:
    """Yield where words stand that a cue surely negates: its first two, and the heads of a list.

    Args:
        segment: Part of a sentence.
        heads: Gets, for the second of two words, where the first one stands.
    """
    heads = {} if heads is None else heads
    bearers = max((match.start() for match in BEARERS.finditer(segment)), default=-1)
    walked: set[int] = set()
    for cue in CUE.finditer(segment):
        at = cue.end()
        head = BEARER.match(segment, at) if cue[0].lower() == "ni" else None
        if head and head.end() <= bearers:
            continue  # "ni le crâne ni le rachis ne présentent de lésion": no lesion
        if cue[0].lower() == "ni" and _WHERE.match(segment, at):
            continue  # "ni derrière ni devant l'artère": not there
        if cue[0].lower() == "ni":
            _share_noun(segment, at, heads)
        if cue[0].lower().startswith("non"):  # denies the one word behind it
            yield at
            continue
        yield from _list_heads(segment, at, walked, heads)
    for cue in VERB.finditer(segment):
        for name in ("verb", "state", "bare", "told", "who", "object", "which"):
            if name in ("object", "which") and not fold(cue["verb"] or "").startswith(_SHOWS):
                continue  # "ne prenez pas ce médicament": it is the taking that is denied
            if cue[name] and len(cue[name]) >= CONTENT:
                yield cue.start(name)
    yield from _before_cues(segment, heads)


_ADJECTIVE = re.compile(
    r"\s+(\w{4,}(?:iques?|aires?|a(?:ux|les?|l)|eux|euses?|ifs?|ives?|iennes?))(?!\w)",
    re.IGNORECASE,
)


def _share_noun(segment: str, at: int, heads: dict[int, int]) -> None:
    """Tell what "ni" and an adjective belong to: "d'anomalie cardiaque ni osseuse"."""
    match = _ADJECTIVE.match(segment, at)
    if match is None:
        return
    nouns = [m.start() for m in WORD.finditer(segment, 0, at) if fold(m[0]) in GENERAL]
    if nouns:
        heads[match.start(1)] = nouns[-1]


def _list_heads(segment: str, at: int, walked: set[int], heads: dict[int, int]) -> Iterator[int]:
    """Yield the first words of each member of a list, up to where it ends.

    Args:
        segment: What the cue stands in.
        at: Where the list begins.
        walked: Where members begin that an earlier cue has reached; grows.
        heads: Where the first of two words stands, by the second; grows.
    """
    while at not in walked:
        walked.add(at)
        inside, following = _member(segment, at)
        words = islice((m for m in WORD.finditer(inside) if tells(m[0])), 2)
        first = at
        for number, match in enumerate(words):
            if number:
                heads[at + match.start()] = first
            first = at + match.start()
            yield first
            if number == 0 and is_infinitive(match[0]):
                break
        if following is None:
            return
        at = following


_FARTHEST = 2048
"""Letters behind a cue: what has neither comma nor verb for longer is no sentence."""
_MARGIN = 64
"""More than what stands behind a word may change whether it ends a scope."""


def _member(segment: str, at: int) -> tuple[str, int | None]:
    """Return a member of a list, and where the next one begins, if the list goes on.

    The rest of a segment is looked at by pieces, as long lists deny at every comma.
    """
    size = 4 * _MARGIN
    while True:
        piece = segment[at : at + size]
        whole = at + size >= len(segment) or size > _FARTHEST
        stop = LIST.search(piece)
        part = piece[: stop.start()] if stop else piece
        limit = SCOPE_END.search(part)
        found = limit or stop
        if whole or (found is not None and found.end() <= size - _MARGIN):
            break
        size *= 4
    if limit:
        return part[: limit.start()], None
    return part, at + stop.end() if stop else None


_SEVERAL = re.compile(r"(?<!\w)(?:sont|[ée]taient|[ée]tant|ont\s+[ée]t[ée])\s*\Z", re.IGNORECASE)
_SEEMS = frozenset("semblant semble semblait paraissait apparait apparaissait".split())
"""Of more than one: "l'astérixis et les signes de localisation étaient absents"."""
_LIKEWISE = re.compile(
    rf"(?:{AFTER.pattern})\s*,?\s*(?:de\s+m[êe]me\s+que|ainsi\s+que|tout\s+comme)\s",
    re.IGNORECASE,
)
"""What is denied like what stands before: "absentes, de même que la prise de toxiques"."""


def _list_begin(segment: str, begin: int) -> int:
    """Return where the list begins whose last member does: "la radio, le bilan n'étaient pas"."""
    while begin > 0 and segment[begin - 1] == ",":
        before = segment.rfind(",", 0, begin - 1) + 1
        member = segment[before : begin - 1]
        if not LISTED.fullmatch(member) or TELLS_ALREADY.search(member):
            break
        begin = before
    return begin


_OF_HEAD = re.compile(
    r"(?<!\w)(?:\w{3,}(?<!av)ant|qui|que|pour|susceptibles?|capables?)(?!\w)", re.IGNORECASE
)
"""Behind it a complement tells more of what is denied: "étiologie expliquant le gaz : aucune"."""


def _heads_before(
    segment: str, begin: int, words: list[int], last: int, heads: dict[int, int]
) -> Iterator[int]:
    """Yield what an answer behind a colon denies: the words before it, its complement apart."""
    first = bisect_left(words, begin)
    more = _OF_HEAD.search(segment, words[first]) if first < last else None
    if more is not None and first < (end := bisect_left(words, more.start())) <= last:
        near = words[max(first, end - 3) : end]
    else:
        near = words[max(first, last - 3) : last]
    heads |= {at: near[0] for at in near[1:] if at not in heads}
    yield from near


_WHERE = re.compile(
    r"\s+(?:derri[èe]re|devant|à\s+c[ôo]t[ée]|au[- ]desso?us|en\s+(?:avant|arri[èe]re)|avant|"
    r"apr[èe]s)(?!\w)",
    re.IGNORECASE,
)
_LACKS = re.compile(r"(?:font|fai\w+)\s+(?:toujours\s+)?d[ée]faut|manqu", re.IGNORECASE)
"""As in "les signes, tous, font défaut"."""


_MANY = re.compile(r"(?:respect|[ée]pargn|absent|ni|exclu|infirm)\w*s(?!\w)", re.IGNORECASE)
_ASIDE = re.compile(r"\([^()]*\)")


def _before_cues(segment: str, heads: dict[int, int]) -> Iterator[int]:
    """Yield the last three words before a cue that stands behind: "fièvre absente"."""
    if not (cues := places_behind(segment)):
        return
    segment = _ASIDE.sub(lambda match: " " * len(match[0]), segment)
    words = [m.start() for m in WORD.finditer(segment) if tells(m[0]) and fold(m[0]) not in _SEEMS]
    for shared in _LIKEWISE.finditer(segment):
        told = (m for m in WORD.finditer(segment, shared.end(), shared.end() + 60) if tells(m[0]))
        yield from (match.start() for match in islice(told, 2))
    for cue in cues:
        begin = max(segment.rfind(",", 0, cue), segment.rfind(":", 0, cue)) + 1
        last = bisect_left(words, cue)
        if last == bisect_left(words, begin):  # "le ligament, qui est respecté"
            begin = max(segment.rfind(sign, 0, max(begin - 1, 0)) for sign in ",:") + 1
        if segment[:cue].rstrip().endswith(":") or segment[cue] == ":":
            yield from _heads_before(segment, begin, words, last, heads)
            continue
        if OF_ALL.match(segment, cue):
            begin = _list_begin(segment, begin)
            yield from words[bisect_left(words, begin) : last]
            continue
        own = segment.rfind(" avec ", begin, cue)
        if own >= 0 and segment[own + 6 : cue].strip():
            begin = own + 6  # "un orifice avec un col non visible"
            last = max(last, bisect_left(words, begin))
        several = _SEVERAL.search(segment, max(begin, cue - 20), cue)
        if several and not TELLS_ALREADY.search(segment[: several.start()]):
            begin = segment.rfind(":", 0, cue) + 1  # "toux, fièvre et frissons étaient absents"
            yield from words[bisect_left(words, begin) : last]
            continue
        many = _MANY.match(segment, cue)  # "les interlignes du poignet et du coude respectés"
        reach = 6 if several or many or _LACKS.match(segment, cue) else 3
        near = [at for at in words[max(0, last - reach) : last] if at >= begin]
        heads |= {at: near[0] for at in near[1:] if at not in heads}
        yield from near
