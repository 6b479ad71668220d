"""A text as facts are read from it: one spelling, no words that only look like a denial.

"cœur" is "coeur", "sans doute" is "probablement", "DT2" is "diabète de type 2", "genou G" is
"genou gauche", and "450 000/mm3" is "450 000 éléments/µl", which "450 G/l" is too.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_S = "[ \u00a0\u202f]"
_LETTERS = str.maketrans({"œ": "oe", "Œ": "Oe", "æ": "ae", "Æ": "Ae", "’": "'", "μ": "µ"})
_NOT_A_SIDE = (
    "vitamine hepatite groupe classe stade grade type reponse proposition facteur monsieur madame "
    "docteur patient patiente item question option vit rhésus hépatite "
    "réponse facteurs lettre"
).split()
_SIDE = re.compile(r"(?<=[^\W\d_])[ ](G|D|Gche|gche|Dte|dte|Drt|drt)(?![\w'’°-])")
_SIDES = {"g": " gauche", "d": " droit"}
_COUNTS = re.compile(
    rf"(?<=\d)(?:{_S}*(?:[éeÉE]l[ée]ments?|plaquettes|leucocytes|h[ée]maties|cellules|globules|elts?))?"
    rf"{_S}*(?:/|par{_S}){_S}?(?:mm{_S}?[3³]|µ[lL]|microlitre)"
)
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, flags), new)
    for pattern, flags, new in (
        (r"(?<!\w)sans\s+(?:aucun\s+|nul\s+)?doute(?!\w)", re.I, "probablement"),
        (r"(?<!\w)(?:non|pas)\s+(?:seulement|uniquement|exclusivement|simplement)(?!\w)", re.I, ""),
        (r"(?<!\w)non[ -](?=st[ée]ro[ïi]dien)", re.I, ""),
        (r"(?<!\w)sans\s+(?:cesse|d[ée]lai|attendre|tarder)(?!\w)", re.I, "vite"),
        (r"\s(?:en\s+g[ée]n[ée]ral|g[ée]n[ée]ralement|habituellement|en\s+principe|à\s+ce\s+jour|encore|"
         r"formellement|strictement|actuellement)(?=\s)", re.I, ""),
        (r"(?<!\w)(?:DT|diab[èe]te\s+(?:sucr[ée]\s+)?(?:de\s+)?type)\s?([12])(?!\w)", re.I,
         r"diabète de type \1"),
        (r"(?<!\w)DID(?!\w)", 0, "diabète de type 1"),
        (r"(?<!\w)DNID(?!\w)", 0, "diabète de type 2"),
        (r"(?<![\w\d] )(?<!\d)(?<!\w)Mg(?!\w)|(?<=\bde )Mg(?!\w)", 0, "magnésium"),
        (rf"(?<=\d){_S}*(?:G|giga|Giga)/[lL](?!\w)", 0, " giga/l"),
        (rf"(?<=\d){_S}*(?:T|t[ée]ra|T[ée]ra)/[lL](?!\w)", 0, " tera/l"),
        (rf"(?<=\d){_S}*[.×xX*]?{_S}?10(?:\^9|⁹|9){_S}?/{_S}?[lL](?!\w)", 0, " giga/l"),
        (rf"(?<=\d){_S}*[.×xX*]?{_S}?10(?:\^3|³){_S}?/{_S}?(?:mm{_S}?[3³]|µ[lL])(?!\w)",
         0, " giga/l"),
    )
)  # fmt: skip


_ANY = re.compile(
    r"(?<!\w)(?:sans|non|pas|en\s+g|g[ée]n[ée]r|habituel|en\s+principe|à\s+ce|encore|formel|strict|"
    r"actuel|DT|diab[èe]te|DID|DNID|Mg)|\d\s*(?:G|T|giga|t[ée]ra)/|10(?:\^|⁹|9|³)",
    re.IGNORECASE,
)
"""Where none of these stands, no rule applies."""


@lru_cache(maxsize=4)
def plain(text: str) -> str:
    """Return a text in the one form that facts are read from.

    Args:
        text: As written.

    Returns:
        The same words, with abbreviations of sides, kinds of diabetes and units of counts written
        out, and without what denies nothing.
    """
    text = unicodedata.normalize("NFC", text).translate(_LETTERS)
    for pattern, new in _RULES if _ANY.search(text) else ():
        text = pattern.sub(new, text)
    return _SIDE.sub(_side, _COUNTS.sub(" éléments/µl", text))


def _side(match: re.Match[str]) -> str:
    word = re.search(r"([^\W\d_]+)\Z", match.string[: match.start()])
    if word is None or len(word[1]) < 3 or word[1].lower() in _NOT_A_SIDE:
        return match[0]
    if (
        len(match[1]) == 1
        and word[1].istitle()
        and match.string[match.end() : match.end() + 1] == "."
    ):
        return match[0]  # "Madame Durand D."
    return _SIDES[match[1][0].lower()]
