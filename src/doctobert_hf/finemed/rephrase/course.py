"""How a disease went on: complications, what got better or stayed, how likely a diagnosis is.

Each is told in a few families of words: a rewrite takes another one of the same family, or tells
something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doctobert_hf.finemed.rephrase.polarity import LIGHT, segments
from doctobert_hf.finemed.rephrase.reach import GENERAL, is_complaint
from doctobert_hf.finemed.rephrase.terms import CONTENT, stem
from doctobert_hf.finemed.words import WORD, fold

_COMPLICATIONS = {
    r"blocs?\s+(?:auriculo|atrio|de\s+branche|sino|complet)":
        r"blocs?\s+(?:auri|atrio|de\s+br|sino|compl)|(?-i:BAV)|dissoci",
    r"arr[êe]ts?\s+(?:cardi|circul|respir)\w*|(?-i:ACR)":
        r"arr[êe]t|(?-i:ACR)|asystol|massage|r[ée]anim|d[ée]c[èeé]|mort",
    r"tamponnades?": r"tampon|p[ée]ricard|compress",
    r"[ée]panchements?":
        r"[ée]panch|liquid|pleur|ascit|h[ée]mo|hydro|pneumo|lame|collection|exsud|transsud|s[ée]r",
    r"ruptures?": r"rupt|effract|romp|d[ée]chir|l[âa]ch|[ée]clat|fissur|perfor|section|ins[ée]r|"
    r"arrach",
    r"fuites?":
        r"fui|insuffis|fistul|reflux|r[ée]gurg|l[âa]ch|d[ée]sun|(?-i:I[MAT])(?!\w)|[ée]coul",
    r"d[ée]hiscences?|d[ée]sunions?": r"d[ée]hisc|d[ée]sun|l[âa]ch|ouvert|[ée]ventr|[ée]visc|sutur",
    r"surinfections?|surinfect[ée]\w*":
        r"infect|pus|purul|sep|germe|abc|bact|staph|strep|antibio|suppur|f[ée]br|fi[èe]vre",
    r"[ée]visc[ée]rations?|[ée]ventrations?": r"[ée]visc|[ée]ventr|herni|paroi|d[ée]sun",
    r"perforations?": r"perfor|trou|br[èe]che|rupt|pneumop|orifice|d[ée]hisc|plaie",
    r"escarres?": r"escar|ulc[èeé]r|sacr|plaie|n[ée]cro|pression",
    r"(?:\w{3,})?par[ée]sies?|d[ée]ficits?\s+moteurs?":
        r"par[ée]s|paraly|pl[ée]g|d[ée]fici|moteur|motric|faibl|mobil|boug|force",
    r"confusions?|confuse?s?":
        r"confu|d[ée]sorien|conscien|d[ée]lir|obnub|vigil|enc[ée]phal|agit|coma|incoh",
    r"r[ée]tentions?\s+(?:aigu[ëe]s?\s+)?d['’]urines?": r"r[ée]ten|glob|urin|sond|mict",
    r"il[ée]us": r"il[ée]us|occlu|transit|gaz|m[ée]t[ée]or|vomi|mati[èe]res",
    r"troubles?\s+d[ue]\s+rythme|arythmies?":
        r"rythm|fibrill|tachy|brady|extrasys|flutter|palpit|irr[ée]gul|syncop|(?-i:ACFA)",
    r"lymphoc[èe]les?": r"lymph",
    r"hypertendue?s?": r"hypert|(?-i:HTA)|(?<!\w)tension",
    r"diab[ée]tiques?": r"diab|glyc|insulin|(?-i:DT|DID|DNID|HbA)",
    r"asthmatiques?": r"asthm",
    r"[ée]pileptiques?": r"[ée]pilep|convuls|comit|crise",
    r"ob[èe]ses?": r"ob[èeé]s|(?-i:IMC|BMI)|poids|surcharge|kg",
    r"cirrhotiques?": r"cirrho|h[ée]pat",
    r"at[ée]lectasies?": r"at[ée]lect|collaps|condens|ventil|pulm|poumon",
    r"(?:crises?\s+)?convuls\w+|crises?\s+d['’][ée]pilepsie":
        r"convuls|[ée]pilep|comit|crise|(?-i:EME)|mouvement|secouss",
}  # fmt: skip
"""What may befall a patient, and by what the source may tell of it, or of what it comes from."""
_BEFALL = tuple(
    (
        re.compile(rf"(?<![\w-])(?:{names})(?!\w)", re.IGNORECASE),
        re.compile(rf"(?:{told})", re.IGNORECASE),
    )
    for names, told in _COMPLICATIONS.items()
)
_DENIED = re.compile(
    r"(?<!\w)(?:sans|pas|ni|aucune?|absence|non|jamais|risque\w*|pr[ée]v\w+|[ée]vit\w+)(?!\w)"
    r"[^.;:]{0,40}\Z",
    re.IGNORECASE,
)

_BETTER = re.compile(
    r"(?P<before>(?<!\w)(?:(?:sans|aucune?s?|peu|absences?|ni|non)\s(?:[^.;,]{0,25}\s)?"
    r"(?:d['’]|de\s)?|pas\s(?:[^.;,]{0,12}\s)?(?:d['’]|de\s)?))?"
    r"(?<!\w)am[ée]lior\w+",
    re.IGNORECASE,
)
_NO_BETTER = re.compile(
    r"(?<!\w)(?:[ée]chec|inefficac|n['’]am[ée]lior|sans\s+(?:succ[èe]s|effet|r[ée]ponse)|r[ée]sist|r[ée]fract|rebel|"
    r"aggrav|persist|stationn|malgr[ée]|(?:pas|aucun\w*)\s+(?:de\s+|d['’])?(?:effet|r[ée]ponse|chang|"
    r"progr|b[ée]n[ée]f))\w*",
    re.IGNORECASE,
)

_UNCHANGED = re.compile(
    r"(?<!\w)(?:inchang[ée]\w*|stationnaires?|superposables?|sans\s+(?:aucun\s+)?changement)(?!\w)",
    re.IGNORECASE,
)
_STAYS = re.compile(
    r"(?<!\w)(?:inchang|stationn|superpos|identi|stab|persist|demeur|rest|toujours|encore|"
    r"m[êe]me|semblable|[ée]gal|fig[ée]|(?:pas|sans|aucun\w*|ni)\s+(?:de\s+|d['’])?(?:chang|modif|[ée]vol|"
    r"am[ée]lior|r[ée]gress|progress|diff[ée]r)|n['’]a\s+pas)\w*",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"(?<!\w)(?:a|ont|avai(?:t|ent))\s+(?:totalement\s+|compl[èe]tement\s+|rapidement\s+)?disparu(?!\w)",
    re.IGNORECASE,
)
_GOES = re.compile(
    r"(?<!\w)(?:dispar|r[ée]gress|r[ée]sol|r[ée]sor|gu[ée]ri|effac|r[ée]mis|cess|c[ée]d|amend|tari|n[ée]gativ|"
    r"normalis|apyr|am[ée]lior|favorab|asymp|correct|corrig|soulag|lev[ée]e|succ[èe]s|"
    r"plus\s+(?:aucun|de\s+(?:fi|dou|sym|sig|l[ée]s|tr))|n['’e]\s?\w+\s+plus|sans\s+(?:r[ée]cid|s[ée]quel|sympt))",
    re.IGNORECASE,
)

_LIKELY = re.compile(
    r"(?<!\w)(?:tr[èe]s|hautement|fortement|plus\s+que|extr[êe]mement)\s+(?:probable|vraisemblable|"
    r"[ée]vocat|suspect)\w*",
    re.IGNORECASE,
)
_UNLIKELY = re.compile(
    r"(?<!\w)(?:(?:peu|moins|gu[èe]re)\s+(?:probable|vraisemblable|[ée]vocat|suspect)\w*|improbable\w*|"
    r"invraisembl\w*)",
    re.IGNORECASE,
)
_CONFIRMED = re.compile(
    r"(?<!\w)diagnostics?\s+d(?:e\s|['’u]\s?|es\s)(?P<what>[^.;:,()]{3,70}?)\s+(?:est|[ée]tait|a\s+[ée]t[ée]|fut)\s+"
    r"(?:alors\s+|donc\s+|ainsi\s+)?(?:confirm|affirm|av[ée]r|prouv)\w+",
    re.IGNORECASE,
)
_CONFIRMS = re.compile(
    r"(?<!\w)(?:confirm|affirm|av[ée]r|prouv|certain|reten|pos[ée]|port[ée]|[ée]tabli|conclu|authentif)",
    re.IGNORECASE,
)

_UNSETTLED = re.compile(
    r"(?<!\w)diagnostics?\s[^.;:]{0,40}(?:suspect[ée]|non\s+(?:[ée]tabli|confirm|retenu|certain)|incertain|"
    r"à\s+confirmer)\w*",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"(?<!\w)(?:suspe?c|suspi|soup[çc]on|incert|pr[ée]s(?:um|omp)|probab|possib|(?:à|non)\s+confirm|non\s+[ée]tabl)",
    re.IGNORECASE,
)
_DENIED_DEED = re.compile(
    r"(?<!\w)(?P<what>[^\W\d_]{5,})(?:\s+[^\W\d_]+)?\s+non\s+(?P<deed>(?:sutur|op[ée]r|trait|vaccin|explor|"
    r"biopsi|d[ée]pist|suivi|r[ée]par|appareill|document|contr[ôo]l|drain|r[ée]duit|immunis|irradi)\w*)",
    re.IGNORECASE,
)
_ANY_DENIAL = re.compile(
    r"(?<!\w)(?:non|pas|jamais|sans|aucun\w*|ni|absence|d[ée]faut|mal|peu|plus|rien|manque|faute|"
    r"in[cdos]\w+|im[mp]\w+|d[ée]s[ée]q\w+)(?!\w)",
    re.IGNORECASE,
)


def course_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield what of the course of a disease is new, lost or turned round.

    Example:
        >>> list(course_reasons("Suites simples.", "Suites marquées par un iléus."))
        ['complication invented: iléus']
        >>> list(course_reasons("Lésions inchangées au scanner.", "Au scanner, elles régressent."))
        ['outcome lost: inchangées']
    """
    for names, told in _BEFALL:
        found = names.search(rewrite)
        if found is None or told.search(source):
            continue
        if not _DENIED.search(rewrite, max(0, found.start() - 60), found.start()):
            yield f"complication invented: {found[0]}"
    yield from _better(source, rewrite)
    yield from _stopped(source, rewrite)
    yield from _stays_or_goes(source, rewrite)
    stays = _UNCHANGED.search(source)
    if stays and not _STAYS.search(rewrite):
        yield f"outcome lost: {stays[0]}"
    still = _UNCHANGED.search(rewrite)
    if still and not _STAYS.search(source):
        yield f"outcome invented: {still[0]}"
    gone = _GONE.search(rewrite)
    if gone and not _GOES.search(source):
        yield f"outcome invented: {gone[0]}"
    likely, unlikely = _LIKELY.search(source), _UNLIKELY.search(source)
    if (likely and not unlikely and not _LIKELY.search(rewrite) and _UNLIKELY.search(rewrite)) or (
        unlikely and not likely and not _UNLIKELY.search(rewrite) and _LIKELY.search(rewrite)
    ):
        yield f"likelihood turned round: {likely[0] if likely else unlikely and unlikely[0]}"
    sure = _CONFIRMED.search(rewrite)
    if sure and not _CONFIRMS.search(source):
        yield f"hypothesis made certain: {sure['what']}"
    unsettled = _UNSETTLED.search(rewrite)
    if unsettled and _CONFIRMS.search(source) and not _OPEN.search(source):
        yield f"certainty lost: {unsettled[0]}"
    for match in _DENIED_DEED.finditer(source):
        of_it = [part for part in segments(rewrite) if match["what"][:6].lower() in part.lower()]
        if of_it and not any(_ANY_DENIAL.search(part) for part in of_it):
            yield f"negation lost: non {match['deed']}"


_STAYED = re.compile(r"(?<!\w)(?:persist|perdur)\w+", re.IGNORECASE)
_WENT = re.compile(r"(?<!\w)(?:dispar|r[ée]gress|amend|r[ée]sorb)\w+", re.IGNORECASE)
_PARTS = re.compile(
    r"[,:()]|(?<!\w)(?:et|mais|puis|avec|alors\s+que|tandis\s+que)(?!\w)",
    re.IGNORECASE,
)


def _stays_or_goes(source: str, rewrite: str) -> Iterator[str]:
    """Yield what persisted in one text and went away in the other, each told of it once."""
    (stayed, went), (stays, goes) = _course_of(source), _course_of(rewrite)
    for root, raw in stayed.items():
        if root in goes and root not in went and root not in stays:
            yield f"outcome turned round: {raw}"
    for root, raw in went.items():
        if root in stays and root not in stayed and root not in goes:
            yield f"outcome turned round: {raw}"


def _course_of(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return by stem what persists, and what goes away, as each is written."""
    found: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for part in (part for segment in segments(text) for part in _PARTS.split(segment)):
        stays, goes = _STAYED.search(part), _WENT.search(part)
        if (stays is None) == (goes is None) or _ANY_DENIAL.search(part):
            continue
        for raw in WORD.findall(part):
            word = fold(raw)
            if len(word) < CONTENT or is_complaint(word):
                continue  # complaints come and go
            if word not in LIGHT | GENERAL:
                found[stays is None].setdefault(stem(word), raw)
    return found


_STOPPED = re.compile(
    r"(?P<denied>(?<!\w)(?:n['’]\w+\s+pas|ne\s+\w+\s+pas|sans|jamais|non)\s+(?:\w+\s+){0,3}?)?"
    r"(?<!\w)(?P<told>(?:arr[êe]t|interromp|stopp|suspend)(?:[ée]|u)(?:e|s|es)?)(?!\w)",
    re.IGNORECASE,
)


def _stopped(source: str, rewrite: str) -> Iterator[str]:
    """Yield that a treatment was stopped, where the source says that it was not."""
    old, new = ([m["denied"] is not None for m in _STOPPED.finditer(t)] for t in (source, rewrite))
    if old and new and all(old) and not any(new):
        yield "negation lost: arrêté"
    elif old and new and not any(old) and all(new):
        yield "negation added: arrêté"


def _better(source: str, rewrite: str) -> Iterator[str]:
    """Yield an improvement that the source denies, or one that is denied now."""
    old, new = (
        [(match["before"] is not None, match[0]) for match in _BETTER.finditer(text)]
        for text in (source, rewrite)
    )
    if not old or not new:
        return
    was, now = ({denied for denied, _ in found} for found in (old, new))
    turned = was == {True} and now == {False} and not _NO_BETTER.search(rewrite)
    if turned or (was == {False} and now == {True} and not _NO_BETTER.search(source)):
        yield f"outcome turned round: {old[0][1]}"
