"""Which examinations were made, what was there before and how it ended: none is added or left out.

An examination goes by several names: "scanner" is "TDM", "écho" is "échographie".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_EXAMINATIONS = {
    "CT": r"(?:(?:angio|uro|ent[ée]ro|colo|arthro|thoraco)-?)?(?-i:TDM|CT)|scanners?|"
    r"tomodens\w+|scann?ograph\w+|\w+-?scanners?|(?-i:TAP)",
    "MRI": r"(?:\w+-)?(?-i:IRM|RMN)|r[ée]sonance(?:\s+magn[ée]tique)?",
    "ultrasound": r"[ée]chos?|[ée]cho-?(?:graph|cardio|endoscop|scop|guid)\w*|(?:[ée]cho-?)?doppler"
    r"|(?-i:ETT|ETO|EDTSA)|ultrason\w*",
    "radiography": r"radiograph\w+|radios?(?![\s-]?chimio)|"
    r"clich[ée]s?(?!\s+(?:en\s+auto|r[ée]tin|photo))|(?-i:ASP|RP(?!\s*(?::\s*)?(?:[+-](?!\w)|\d+\s*%|positi|n[ée]gati))|RXT?|RxT?)|"
    r"abdomen\s+sans\s+pr[ée]paration",
    "ECG": r"(?-i:ECG)|[ée]lectrocardio\w+|holter|trac[ée]s?\s+(?:[ée]lectriques?|cardiaques?)",
    "EEG": r"(?-i:EEG)|[ée]lectroenc[ée]phalo\w+",
    "EMG": r"(?-i:EN?MG)|[ée]lectro(?:neuro)?myo\w+",
    "lumbar puncture": r"ponctions?\s+lombaires?|(?-i:PL|LCR|LCS)|c[ée]phalo-?rachidien|"
    r"c[ée]r[ée]bro-?spinal",
    "scintigraphy": r"(?-i:TEP|PET)\w*|scintigraph\w+|[ée]mission\s+de\s+positons|"
    r"(?-i:FDG)|morpho-?tep",
}
"""Names of the examinations that are told of by few words only."""
_MADE = {
    kind: re.compile(rf"(?<![\w-])(?:{names})(?!\w)", re.IGNORECASE)
    for kind, names in _EXAMINATIONS.items()
}
_SOME = re.compile(r"(?<!\w)(?:imageri|radiolog|examens?\s+compl|images?)\w*", re.IGNORECASE)
"""What may stand for any of them."""
_DEATH = re.compile(
    r"(?<!\w)(?:d[ée]c[ée]d[ée]\w*|d[ée]c[èe]d\w+|d[ée]c[èe]s|(?-i:DCD)|exitus|succomb\w+|(?:est|sont|[ée]taient)\s+mort(?:e|s|es)?|"
    r"(?:issue|[ée]volution)\s+(?:[ée]tait\s+|est\s+|a\s+[ée]t[ée]\s+)?fatale)(?!\w)",
    re.IGNORECASE,
)
_DYING = re.compile(
    r"(?<!\w)(?:d[ée]c[éèe]d|d[ée]c[èe]s|(?-i:DCD)|exitus|succomb|mort|meur|fatal|l[ée]tal|n['’](?:a|ont)\s+pas\s+surv[ée]c|perdu\s+(?:une?|son|l'))",
    re.IGNORECASE,
)


_HISTORY_BUT = re.compile(
    r"(?<!\w)(?:ant[ée]c[ée]dents?|ATCDs?)[^.;\n]{0,60}?(?:hormis|en\s+dehors\s+d|à\s+l['’]exception|sauf|"
    r"except[ée]|si\s+ce\s+n['’]est|mis\s+à\s+part|à\s+part)[^.;,\n]{0,40}",
    re.IGNORECASE,
)
_LOST_SIGHT_OF = re.compile(r"(?<!\w)perdue?s?\s+de\s+vue(?!\w)", re.IGNORECASE)
_NOT_SEEN_AGAIN = re.compile(
    r"(?<!\w)(?:perdu|(?-i:PDV)|rev(?:enu|ue?|oir|u\b)|nouvelles|reparu|repr[ée]sent|disparu|"
    r"(?:pas|plus|jamais)\s+(?:\w+\s+)?(?:consult|donn|suivi|vue?\b))",
    re.IGNORECASE,
)


_REFUSED = re.compile(
    r"(?<!\w)(?:a|ont|avai(?:t|ent)|ayant|[ée]t[ée])\s+(?:\w+ment\s+)?refus[ée]e?s?(?!\w)",
    re.IGNORECASE,
)
_TREATED = re.compile(
    r"(?<!\w)(?:mise?|sous|re[çc]u|prescri\w+|instaur\w+|b[ée]n[ée]fici\w+)\s+(?:\w+\s+){0,3}?traitement\s+"
    r"(?:symptomatique|conservateur|m[ée]dical|substitutif|antalgique|ambulatoire)",
    re.IGNORECASE,
)
_ANY_TREATMENT = re.compile(
    r"(?<!\w)(?:trait|ttt|tt\b|th[ée]rap|prescri|m[ée]dic|soign|soula|symptomat|conservat|substitu|"
    r"antalg|calm|re[çc](?:u|oi|ev)|prend|donn|administr|sous(?![\w-]))|th[ée]rapie",
    re.IGNORECASE,
)
_UNWILLING = re.compile(
    r"(?<!\w)(?:refus|d[ée]clin|oppos|r[ée]ticen|renonc|rejet|"
    r"(?:n['’]|ne\s|sans\s|pas\s|non[ -])[^.;]{0,25}?"
    r"(?:souhait|veut|voul|accept|consent|accord|d[ée]sir))",
    re.IGNORECASE,
)


def examination_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield examinations that are new or left out.

    Example:
        >>> list(examination_reasons("La TDM est normale.", "L'IRM est normale."))
        ['examination lost: CT', 'examination invented: MRI']
    """
    for kind, names in _MADE.items():
        before, after = names.search(source), names.search(rewrite)
        if before and not after and not _SOME.search(rewrite):
            yield f"examination lost: {kind}"
        elif after and not before and not _SOME.search(source):
            yield f"examination invented: {kind}"


def outcome_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield a death or a patient lost sight of that is new or left out, and antecedents excepted.

    Example:
        >>> list(outcome_reasons("Sortie à J6.", "Sortie à J6, puis décès."))
        ['outcome invented: décès']
    """
    died, dies = _DEATH.search(source), _DEATH.search(rewrite)
    if dies and not _DYING.search(source):
        yield f"outcome invented: {dies[0]}"
    elif died and not _DYING.search(rewrite):
        yield f"outcome lost: {died[0]}"
    treated = _TREATED.search(source)
    if treated and not _ANY_TREATMENT.search(rewrite):
        yield f"treatment lost: {treated[0]}"
    refused = _REFUSED.search(source)
    if refused and not _UNWILLING.search(rewrite):
        yield f"refusal lost: {refused[0]}"
    but = _HISTORY_BUT.search(rewrite)
    if but and not _HISTORY_BUT.search(source):
        yield f"antecedent invented: {but[0]}"
    lost = _LOST_SIGHT_OF.search(source)
    if lost and not _NOT_SEEN_AGAIN.search(rewrite):
        yield f"outcome lost: {lost[0]}"
