"""Polarity: what a text denies and what it affirms, term by term."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from doctobert_hf.corpus.clinical_abbreviations import EXPANSIONS
from doctobert_hf.finemed.rephrase.cues import (
    AFTER,
    ANY,
    BEARER,
    BEARERS,
    BEFORE_ANY,
    BEHIND_ANY,
    CUE,
    FREE,
    GOES_ON,
    LIST,
    LISTED,
    OF_ALL,
    PRESENT,
    RULED_OUT,
    SCOPE_END,
    TELLS_ALREADY,
    TURN,
    VERB,
    places_behind,
)
from doctobert_hf.finemed.rephrase.normal import told_as_normal
from doctobert_hf.finemed.rephrase.terms import CONTENT, kind_of, stem
from doctobert_hf.finemed.words import WORD, fold

_SEGMENT = re.compile(
    r"[.;!]|(?<!\?)(?<!\? )\n|(?<!\w)(?:mais|cependant|toutefois)(?!\w)", re.IGNORECASE
)
LIGHT = frozenset(
    """autre autres signe signes notion aussi retrouve retrouvee objective notee revele particuliers
    particuliere particularite avait etait patient patiente examen clinique faire cette celui celle
    aucun aucune encore pouvant ayant comme avoir entre apres avant depuis contexte
    suite suites votre notre leurs heure heures jours semaine semaines annee annees minute minutes
    depasser diagnostic pendant durant toujours chaque quelque quelques plusieurs lorsque notamment
    egalement ensuite ainsi alors toutefois selon droite droites gauche gauches droit droits direct
    aurait auraient serait seraient etaient avaient malgre general generale suivi suivie suivis
    compte compter comptait
    local locale locales locaux operatoire operatoires postoperatoire postoperatoires
    permettant permet permis""".split()
)
_SHORT = frozenset("toux rash coma choc pus rale".split())
_ALIASES = {
    "deces": "deced mort", "vomi": "vomi", "recidiv": "recidiv", "allerg": "allerg",
    "saigne": "saign hemorrag", "fum": "fumeu tabag", "traitem": "medicam traite",
    "hypertens": "hypertend", "hypotens": "hypotend", "doul": "doul", "fievre": "fievr febril pyre",
    "romp": "romp ruptur", "irradi": "irrad",
    "exten": "exten etend",
    "indiqu": "indiqu indic", "abaiss": "abaiss baiss", "doubl": "doubl", "sensib": "sensib",
    "dyspn": "dyspn", "icter": "icter", "symptom": "symptom", "cyanos": "cyanos",
}  # fmt: skip
_ALIAS = {start: name for name, starts in _ALIASES.items() for start in (name, *starts.split())}
_STARTS = tuple(_ALIAS)
_NOUN = re.compile(r"(?<=\w{5})atio?n?\Z")
"""What makes a noun of a verb: "sans dilatation" is "n'est pas dilaté"."""


@lru_cache(maxsize=1 << 16)
def _root(word: str) -> str:
    """Return what is denied by whichever word of a family: "décès", "décédé"."""
    if word.startswith(_STARTS):
        return next(_ALIAS[start] for start in _STARTS if word.startswith(start))
    return _NOUN.sub("", stem(word))


_DENIED_WORDS = {
    "indolor": "douleur", "apyre": "fievre", "afebril": "fievre", "asymptom": "symptome",
    "eupne": "dyspnee", "anicter": "ictere", "acyano": "cyanose",
}  # fmt: skip
"""Words that deny what another says, by how both begin: "indolore" is "pas de douleur"."""
_DENIED_STARTS = tuple(_DENIED_WORDS)
_PRIVATIVE = re.compile(
    r"(?:in(?![bmp])|im(?=[bmp])|ir(?=r)|il(?=l)|an(?=[aeiouyh])|a(?![aeiouyh]))(?P<base>\w{5,})"
)
_QUALITY = re.compile(
    r"(?:ques?|[ai]bles?|[ei]ls?|elles?|ifs?|ives?|eux|euses?|[ae]nte?s?|iers?|ieres?|ales?|als?|"
    r"aux|aires?|iles?|ites?|[ai]tes?|[ae]nces?|eures?|ees?|es?|tes?|abilite|ibilite)\Z"
)
_NO_PRIVATIVE = frozenset(
    """anormal anormale anormales anormaux important importante importants importantes irradiation
    information formation intention attention approche approches avaleur inflammation indication
    inspiration intense inclusion informe informee informes informees inhibe injecte injectee
    infecte infectee infiltre installe installee instaure instauree interne internes integre
    incision induction infection injection investigation invasion admise admises adresse
    ameliore amenee""".split()
)


def _denied(word: str, stems: frozenset[str]) -> str | None:
    """Return what a folded word denies by its form: "douleur" of "indolore".

    A prefix that may be none ("irradiation", "approche") is read as one only where a text has the
    word without it.
    """
    if word.startswith(_DENIED_STARTS):
        return next(_DENIED_WORDS[start] for start in _DENIED_STARTS if word.startswith(start))
    base = _without_prefix(word)
    if base is None or len(stem(base)) < 4:  # "d" of "indiqué" is that of "d'un"
        return None
    return base if stem(base) in stems else None


@lru_cache(maxsize=1 << 16)
def _without_prefix(word: str) -> str | None:
    match = _PRIVATIVE.fullmatch(word)
    if match is None or word in _NO_PRIVATIVE or not _QUALITY.search(word):
        return None
    return match["base"]


_INFINITIVE = re.compile(r"(?:(?<!uli)er|ir|dre)\Z")
_ARTICLE = re.compile(
    r"(?<!\w)(?:les?\s|la\s|l['’]|une?\s|des?\s|d['’]|du\s|au\s)\Z", re.IGNORECASE
)
_COMPLAINTS = tuple(
    """dyspne toux frisson sueur cephale vertig nause vomi diarrhe constip fievre febri douleur algi
    oedem cyanos icter asthen anorexi amaigriss malaise syncope palpit crachat expector hemopty
    hematem melaen hematur brulure prurit eruption rash paresthes raideur photophob confus
    somnol convuls essouffl epanchem rale crepitant sibilant souffle hypoten hyperten tachycard
    bradycard polypne desatur hypoxi gene fatigue faiblesse""".split()
)
"""How complaints and signs begin, folded."""
_FINDINGS = frozenset("signe signes notion particularite particuliers particuliere".split())
_VERBS = frozenset(
    """presentait presentaient presenter presentant montrait montrer montrant montraient revelait
    revele revelaient retrouvait retrouvaient objectivait objectivaient mettait trouvait""".split()
)
_MODAL = re.compile(r"(?:doi|dev|peu|pouv|pourr|fau)\w{0,6}|fai(?:t|sai)\w*|fon?t")
_CONTRA = re.compile(r"contre[- ]\Z", re.IGNORECASE)
_PASSED_FORM = re.compile(
    rf"{_MODAL.pattern}|(?:fait|montr|r[ée]v[ée]l|trouv|r[ée]alis|effectu|pratiqu|retrouv|observ|not|objectiv|constat|"
    r"identifi|visualis|d[ée]cel|d[ée]tect)[ée]?e?s?"
)
"""What is done with a finding or an examination is no fact of its own: "n'a pas été réalisée"."""
_ORDERED = re.compile(
    r"(?<!\w)(?:doi|dev|peu|pouv|pourr|fau|faisai|fai?t|font)\w*\s+(?:l[ea]s?\s|y\s|en\s|l['’])?\Z",
    re.IGNORECASE,
)
"""Behind these an infinitive tells what is done: "il faut doubler"."""
_PASSED = (LIGHT | _VERBS) - _FINDINGS
"""Light where sentences are compared, yet what "sans signe", "sans particularité" denies."""


@lru_cache(maxsize=8)
def segments(text: str) -> tuple[str, ...]:
    """Return the parts of a text that a cue reaches; a question and its answer are one."""
    found, at = [], 0
    for stop in _SEGMENT.finditer(text):
        if stop[0] == "." and text[stop.end() : stop.end() + 1].isdigit():
            continue
        found.append(text[at : stop.start()])
        at = stop.end()
    return (*found, text[at:])


def _polarities(
    text: str, stems: frozenset[str], heads: dict[str, set[str]] | None = None
) -> dict[str, Counter[str]]:
    """By stem, how often it is ``negated``, ``affirmed`` or ``unclear``.

    Args:
        text: A source or its rewrite.
        stems: Those of the words of both.
        heads: Gets, by the root of a second word that is denied ("métastase osseuse"), the roots
            of the words that it stands behind; an empty root where it is denied by itself too.
    """
    found: dict[str, Counter[str]] = {}
    for segment in segments(text):
        reach = _Reach(segment) if ANY.search(segment) else None
        for match in WORD.finditer(segment):
            word, at = fold(match[0]), match.start()
            if word.startswith("indi") and _CONTRA.search(segment[max(0, at - 8) : at]):
                continue  # "contre-indiqué" is a warning, no indication
            if word in _PASSED or not word.isalpha() or _PASSED_FORM.fullmatch(match[0]):
                continue
            if not _tells(match[0]) or _is_cue(match[0]):
                continue
            sure = reach is not None and at in reach.negated
            if (
                not sure
                and _is_infinitive(match[0])
                and not _ARTICLE.search(segment[max(0, at - 5) : at])
                and not _ORDERED.search(segment[max(0, at - 20) : at])
                and segment[:at].strip(" \t\n-•*")
            ):
                continue  # "ne pas prendre si": what is denied stands elsewhere
            unclear = reach is not None and not sure and reach.unclear(at)
            polarity = "negated" if sure else "unclear" if unclear else "affirmed"
            base = _denied(word, stems)
            for root in (_root(base),) if base else _roots(match[0]):
                told = _TURNED.get(polarity, polarity) if base else polarity
                if heads is not None and told == "negated":
                    heads.setdefault(root, set()).update(_head(segment, reach, at))
                found.setdefault(root, Counter())[told] += 1
    return found


def _head(segment: str, reach: _Reach | None, at: int) -> tuple[str, ...]:
    first = reach.heads.get(at) if reach is not None else None
    word = WORD.match(segment, first) if first is not None else None
    return _roots(word[0]) if word and fold(word[0]) not in _GENERAL | LIGHT else ("",)


_GENERAL = frozenset(
    """signe signes notion argument arguments antecedent antecedents lesion lesions element elements
    trouble troubles image images aspect aspects syndrome episode episodes prise symptome symptomes
    presence apparition survenue risque recidive trace indication anomalie anomalies recours relais
    besoin consommation utilisation complication complications facteur facteurs atteinte""".split()
)
"""Words that a denial may do without: "pas de signe d'infection" is "pas d'infection"."""
_TURNED = {"negated": "affirmed", "affirmed": "negated"}
_LITTLE = frozenset(
    "de la le les du des et en au aux un une ou il elle est sur par ce se on".split()
)


@lru_cache(maxsize=1 << 16)
def _tells(raw: str) -> bool:
    """Return whether a word tells a fact: a long one, a short one that is listed, "HTA"."""
    word = fold(raw)
    short = raw.isupper() and raw.isalpha() and len(raw) > 1 and word not in _LITTLE
    return len(raw) >= CONTENT or word in _SHORT or short


@lru_cache(maxsize=1 << 16)
def _roots(raw: str) -> tuple[str, ...]:
    """A word's root, or those of what an abbreviation stands for."""
    word = fold(raw)
    parts = EXPANSIONS.get(word, ()) if raw.isupper() else ()
    return tuple(_root(part) for part in parts if len(part) >= CONTENT) or (_root(word),)


@lru_cache(maxsize=1 << 16)
def _is_cue(word: str) -> bool:
    return bool(BEFORE_ANY.fullmatch(word) or BEHIND_ANY.fullmatch(word))  # a cue is no fact


@lru_cache(maxsize=1 << 16)
def _is_infinitive(raw: str) -> bool:
    return bool(_INFINITIVE.search(fold(raw))) and kind_of(raw) is None


class _Reach:
    """How far the cues of a segment reach; places are looked up, for lists of hundreds."""

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
        self._goes_on = max((match.start() for match in GOES_ON.finditer(segment)), default=-1)

    def unclear(self, at: int) -> bool:
        """Return whether a cue may reach a place that none surely reaches."""
        segment = self.segment
        if _inside(self._with, at):
            return False
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
        words = islice((m for m in WORD.finditer(inside) if _tells(m[0])), 2)
        first = at
        for number, match in enumerate(words):
            if number:
                heads[at + match.start()] = first
            first = at + match.start()
            yield first
            if number == 0 and _is_infinitive(match[0]):
                break
        if following is None:
            return
        at = following


_MARGIN = 64
"""More than what stands behind a word may change whether it ends a scope."""


def _member(segment: str, at: int) -> tuple[str, int | None]:
    """Return a member of a list, and where the next one begins, if the list goes on.

    The rest of a segment is looked at by pieces, as long lists deny at every comma.
    """
    size = 4 * _MARGIN
    while True:
        piece = segment[at : at + size]
        whole = at + size >= len(segment)
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


_SEVERAL = re.compile(r"(?<!\w)(?:sont|[ée]taient|ont\s+[ée]t[ée])\s*\Z", re.IGNORECASE)
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


_LACKS = re.compile(r"(?:font|fai\w+)\s+d[ée]faut|manqu", re.I)  # "les signes, tous, font défaut"


def _before_cues(segment: str, heads: dict[int, int]) -> Iterator[int]:
    """Yield the last three words before a cue that stands behind: "fièvre absente"."""
    if not (cues := places_behind(segment)):
        return
    words = [m.start() for m in WORD.finditer(segment) if _tells(m[0])]
    for shared in _LIKEWISE.finditer(segment):
        told = (m for m in WORD.finditer(segment, shared.end(), shared.end() + 60) if _tells(m[0]))
        yield from (match.start() for match in islice(told, 2))
    for cue in cues:
        begin = max(segment.rfind(",", 0, cue), segment.rfind(":", 0, cue)) + 1
        last = bisect_left(words, cue)
        if _LACKS.match(segment, cue) and last == bisect_left(words, begin):
            begin = max(segment.rfind(sign, 0, max(begin - 1, 0)) for sign in ",:") + 1
        if OF_ALL.match(segment, cue):
            begin = _list_begin(segment, begin)
            yield from words[bisect_left(words, begin) : last]
            continue
        reach = 6 if _SEVERAL.search(segment, max(begin, cue - 20), cue) else 3
        near = [at for at in words[max(0, last - reach) : last] if at >= begin]
        heads |= {at: near[0] for at in near[1:] if at not in heads}
        yield from near


def _surface(root: str, text: str) -> str:
    """Return the first word of a text that tells a root, or denies it."""
    for word in WORD.findall(text):
        base = _denied(fold(word), frozenset()) or _without_prefix(fold(word))
        if root in _roots(word) or (base and root == _root(base)):
            return word
    return root


_SIGN = frozenset(stem(word) for word in ("signe", "signes"))
"""Of something that is denied or affirmed itself: "rien n'indique", "signe de souffrance"."""


def _affirmed(root: str, told: dict[str, Counter[str]]) -> bool:
    """Return whether a text affirms what has a root, in whichever form: "irradie"."""
    return any(
        counts["affirmed"] for other, counts in told.items() if other.startswith(root[:CONTENT])
    )


def polarity_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield what is denied in one text and affirmed in the other."""
    words = {fold(word) for text in (source, rewrite) for word in WORD.findall(text)}
    stems = frozenset(map(stem, words))
    heads: dict[str, set[str]] = {}
    old, new = _polarities(source, stems, heads), _polarities(rewrite, stems)
    for root, before in old.items():
        after = new.get(root, Counter())
        if after["negated"] < before["negated"] and after["affirmed"] > before["affirmed"]:
            firsts = heads.get(root, {""})
            if root in _SIGN or not any(not head or _affirmed(head, new) for head in firsts):
                continue  # "pas de métastase osseuse", "scintigraphie osseuse : pas de métastase"
            yield f"negation lost: {_surface(root, source)}"
        elif (
            after["negated"] > before["negated"] + before["unclear"]
            and after["affirmed"] < before["affirmed"]
        ) and not told_as_normal(root, segments(source), segments(rewrite)):
            yield f"negation added: {_surface(root, source)}"
