"""Birth dates in French text."""

from __future__ import annotations

import re

from doctobert_hf.finemed.personal_places import DASH as _DASH, SPACE as _S, Spans

_MONTH = (
    r"(?:janv(?:ier|\.)?|f[ée]vr?(?:ier|\.)?|mars|avr(?:il|\.)?|mai|juin|juil(?:let|\.)?|ao[ûu]t|"
    r"sept?(?:embre|\.)?|oct(?:obre|\.)?|nov(?:embre|\.)?|d[ée]c(?:embre|\.)?)"
)
_DATE = (
    rf"(?:\d{{1,2}}{_S}?[/.-]{_S}?\d{{1,2}}{_S}?[/.-]{_S}?(?:\d{{4}}|\d{{2}})"
    rf"|\d{{1,2}}{_S}\d{{1,2}}{_S}\d{{4}}"
    rf"|\d{{4}}-\d{{2}}-\d{{2}}"
    rf"|\d{{1,2}}(?:er)?(?:{_S}+|{_DASH}){_MONTH}(?:{_S}+|{_DASH})(?:\d{{4}}|\d{{2}}(?!\d)))"
)
_BORN = rf"""(?<![\w-])(?:
    n(?:é|e\u0301)(?:e?s?|\(e\)|\.e|·e) | n[ée]es? | NE | NEE | venue?{_S}+au{_S}+monde
    | DDN | D\.D\.N\.? | (?-i:DN)(?={_S}*:)
    | (?:date{_S}+(?:et{_S}+lieu{_S}+)?(?:de{_S}+)?)?naiss(?:ance|\.)
      (?:{_S}+d[ue]{_S}+(?:la{_S}+)?patiente?)?
)(?![\w-])(?:{_S}*\([^()\d]{{1,15}}\))?"""
_WIDE = f"{_S}{{0,80}}"
"""Each gap belongs to the word before it: two side by side would cost the square of their width."""
_BIRTH = re.compile(
    rf"{_BORN}{_WIDE}(?:[,:=]{_WIDE})?(?:(?:(?:à|au|aux|en){_S}{{1,9}}[^\d\n,;.]{{2,40}}?"
    rf"|(?-i:[A-ZÀ-Ý])[\w'’-]+(?:{_S}(?-i:[A-ZÀ-Ý])[\w'’-]+){{0,2}}(?={_S}{{1,9}}le\b)){_WIDE}(?:,{_WIDE})?)?"
    rf"(?:(?:le|du|en\s+date\s+du)\b{_WIDE})?(?::{_WIDE})?"
    rf"(?:(?:(?:lun|mar|mercre|jeu|vendre|same)di|dimanche){_WIDE})?(?P<date>{_DATE})(?!\d)",
    re.IGNORECASE | re.VERBOSE,
)
_NE_LE = re.compile(rf"ne{_S}+le{_S}+{_DATE}", re.IGNORECASE)


def find_births(text: str) -> Spans:
    """Yield where dates of birth stand."""
    for match in _BIRTH.finditer(text):
        word = match[0].split()[0]
        if word.lower() == "ne" and word != "NE" and not _NE_LE.match(match[0]):
            continue  # the negation: "ne ... 12/03/2020"
        yield match.span("date")
