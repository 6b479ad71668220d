"""Polarity: what a text denies and what it affirms, term by term."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from doctobert_hf.corpus.clinical_abbreviations import EXPANSIONS
from doctobert_hf.finemed.rephrase.cues import ANY, BEFORE_ANY, BEHIND_ANY
from doctobert_hf.finemed.rephrase.normal import told_as_normal
from doctobert_hf.finemed.rephrase.reach import GENERAL, Reach, is_infinitive, tells
from doctobert_hf.finemed.rephrase.terms import CONTENT, stem
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
    compte compter comptait jusque natal donnees cause maladie maladies
    local locale locales locaux operatoire operatoires postoperatoire postoperatoires
    permettant permet permis""".split()
)
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
    "eupne": "dyspnee", "alithias": "lithiase", "anicter": "ictere", "acyano": "cyanose",
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


_ARTICLE = re.compile(
    r"(?<!\w)(?:les?\s|la\s|l['’]|une?\s|des?\s|d['’]|du\s|au\s)\Z", re.IGNORECASE
)
_FINDINGS = frozenset("signe signes notion particularite particuliers particuliere".split())
_VERBS = frozenset(
    """presentait presentaient presenter presentant montrait montrer montrant montraient revelait
    revele revelaient retrouvait retrouvaient objectivait objectivaient mettait trouvait""".split()
)
_MODAL = re.compile(r"(?:doi|dev|peu|pouv|pourr|fau)\w{0,6}|fai(?:t|sai)\w*|fon?t")
_CONTRA = re.compile(r"contre[- ]\Z", re.IGNORECASE)
_PASSED_FORM = re.compile(
    rf"{_MODAL.pattern}|(?:fait|montr|r[ée]v[ée]l|trouv|r[ée]alis|effectu|pratiqu|retrouv|observ|not|objectiv|constat|"
    r"identifi|visualis|d[ée]cel|d[ée]tect|exist)(?:[ée]?e?s?|ent|ai(?:t|ent)|ant)"
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
        reach = Reach(segment) if ANY.search(segment) else None
        for match in WORD.finditer(segment):
            word, at = fold(match[0]), match.start()
            if word.startswith("indi") and _CONTRA.search(segment[max(0, at - 8) : at]):
                continue  # "contre-indiqué" is a warning, no indication
            if word in _PASSED or not word.isalpha() or _PASSED_FORM.fullmatch(match[0]):
                continue
            if not tells(match[0]) or _is_cue(match[0]):
                continue
            sure = reach is not None and at in reach.negated
            if (
                not sure
                and is_infinitive(match[0])
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


def _head(segment: str, reach: Reach | None, at: int) -> tuple[str, ...]:
    first = reach.heads.get(at) if reach is not None else None
    word = WORD.match(segment, first) if first is not None else None
    if word is None or fold(word[0]) in LIGHT - _FINDINGS:
        return ("",)
    mark = _ANY_SIGN if fold(word[0]) in GENERAL else ""
    return tuple(mark + root for root in _roots(word[0]))


_ANY_SIGN = "~"
"""Before the root of a general word, of which it is enough that it is denied as often."""


_TURNED = {"negated": "affirmed", "affirmed": "negated"}


@lru_cache(maxsize=1 << 16)
def _roots(raw: str) -> tuple[str, ...]:
    """A word's root, or those of what an abbreviation stands for."""
    word = fold(raw)
    parts = EXPANSIONS.get(word, ()) if raw.isupper() else ()
    return tuple(_root(part) for part in parts if len(part) >= CONTENT) or (_root(word),)


@lru_cache(maxsize=1 << 16)
def _is_cue(word: str) -> bool:
    return bool(BEFORE_ANY.fullmatch(word) or BEHIND_ANY.fullmatch(word))  # a cue is no fact


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


def _is_lost(head: str, old: dict[str, Counter[str]], new: dict[str, Counter[str]]) -> bool:
    """Return whether a denied word before another one is denied no more, or there is none."""
    if not head.startswith(_ANY_SIGN):
        return not head or _affirmed(head, new)
    root = head.removeprefix(_ANY_SIGN)
    was, now = old[root], new.get(root, Counter())
    return now["negated"] < was["negated"] or now["affirmed"] > was["affirmed"]


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
            if root in _SIGN or not any(_is_lost(head, old, new) for head in firsts):
                continue  # "pas de métastase osseuse", "scintigraphie osseuse : pas de métastase"
            yield f"negation lost: {_surface(root, source)}"
        elif (
            after["negated"] > before["negated"] + before["unclear"]
            and after["affirmed"] < before["affirmed"]
        ) and not told_as_normal(root, segments(source), segments(rewrite)):
            yield f"negation added: {_surface(root, source)}"
