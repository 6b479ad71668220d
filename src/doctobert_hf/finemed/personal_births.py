"""Birth dates in French text."""

from __future__ import annotations

import re

from doctobert_hf.finemed.personal_places import DASH as _DASH, SPACE as _S, Spans
from doctobert_hf.finemed.scanning import lowered, scan

_MONTH = (
    r"(?:janv(?:ier|\.)?|f[ée]vr?(?:ier|\.)?|mars|avr(?:il|\.)?|mai|juin|juil(?:let|\.)?|ao[ûu]t|"
    r"sept?(?:embre|\.)?|oct(?:obre|\.)?|nov(?:embre|\.)?|d[ée]c(?:embre|\.)?)"
)
_ONES = "un|deux|trois|quatre|cinq|six|sept|huit|neuf"
_DAY_IN_WORDS = (
    rf"(?:premier|(?:vingt|trente)(?:{_S}|{_DASH})et(?:{_S}|{_DASH})un|vingt(?:{_DASH}(?:{_ONES}))?|"
    rf"dix(?:{_DASH}(?:sept|huit|neuf))?|onze|douze|treize|quatorze|quinze|seize|trente|{_ONES})"
)
_YEAR_IN_WORDS = (
    rf"(?:mil(?:le)?{_S}+neuf|dix-neuf|deux{_S}+mille?)(?:(?:{_S}|{_DASH})[a-zé]{{2,12}}){{0,7}}"
)
_BETWEEN = f"(?:[/.]|{_DASH})"
_DATE = (
    rf"(?:\d{{1,2}}{_S}?{_BETWEEN}{_S}?\d{{1,2}}{_S}?{_BETWEEN}{_S}?(?:\d{{4}}|\d{{2}})"
    rf"|\d{{1,2}}{_S}\d{{1,2}}{_S}\d{{4}}"
    rf"|\d{{1,2}}{_BETWEEN}(?:I{{1,3}}|I?V|VI{{1,3}}|I?X|XI{{1,2}}){_BETWEEN}(?:\d{{4}}|\d{{2}})"
    rf"|\d{{4}}{_DASH}\d{{2}}{_DASH}\d{{2}}"
    rf"|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d"
    rf"|(?:\d{{1,2}}(?:er)?|{_DAY_IN_WORDS})(?:{_S}+|{_DASH}){_MONTH}(?:{_S}+|{_DASH})"
    rf"(?:\d{{4}}|\d{{2}}(?!\d)|{_YEAR_IN_WORDS}))"
)
_MONTH_OF_YEAR = rf"(?:(?:0?[1-9]|1[0-2]){_S}?{_BETWEEN}{_S}?|{_MONTH}{_S}+)?(?:19|20)\d\d"
_BORN = rf"""(?<![\w-])(?:
    n(?:é|e\u0301)(?:e?s?|\(e\)|\.e|·e) | n[ée]es? | NE | NEE | venue?{_S}+au{_S}+monde
    | (?:DDN|D\.D\.N\.?)(?:{_S}+(?:d[ue]{_S}+)?(?:la{_S}+)?patiente?)? | (?-i:DN)(?={_S}*:)
    | (?:date{_S}+(?:et{_S}+lieu{_S}+)?(?:de{_S}+)?)?naiss(?:ance)?\.?
      (?:{_S}+(?:d[ue]{_S}+)?(?:la{_S}+)?patiente?)?
)(?![\w-])(?:{_S}*\([^()\d]{{1,15}}\))?"""
_WIDE = f"{_S}{{0,80}}"
"""Each gap belongs to the word before it: two side by side would cost the square of their width."""
_BIRTH = re.compile(
    rf"{_BORN}{_WIDE}(?:[,:=]{_WIDE})?(?:(?:(?:à|au|aux|en){_S}{{1,9}}[^\d\n,;.(]{{2,40}}?(?:\(\d[\dAB]{{1,4}}\)|\d{{1,2}}[eè](?:r|me)?)?"
    rf"|(?-i:[A-ZÀ-Ý])[\w'’-]+(?:{_S}(?-i:[A-ZÀ-Ý])[\w'’-]+){{0,2}}(?=,?{_S}{{1,9}}le\b)){_WIDE}(?:,{_WIDE})?)?"
    rf"(?:(?:le|un|du|en\s+date\s+du)\b{_WIDE})?(?::{_WIDE})?"
    rf"(?:(?:(?:lun|mar|mercre|jeu|vendre|same)di|dimanche){_WIDE})?(?P<date>{_DATE})(?!\d)",
    re.IGNORECASE | re.VERBOSE,
)
_FIELD = re.compile(
    rf"(?<![\w-])(?:(?:date|ann[ée]e|mois)(?:{_S}+et{_S}+(?:lieu|ann[ée]e))?{_S}+(?:de{_S}+)?naiss(?:ance)?\.?|DDN|D\.D\.N\.?)"
    rf"(?:{_S}*\([^()\d]{{1,15}}\))?{_S}*[:=]{_S}*(?P<date>{_MONTH_OF_YEAR}|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d)(?!{_BETWEEN}\d|\d)",
    re.IGNORECASE,
)
"""Filled in without a day. In running text ("née en mars 1956") a month or year is an age."""
_NE_LE = re.compile(rf"ne{_S}+le{_S}+{_DATE}", re.IGNORECASE)


_BIRTH_START = re.compile(r"[nNvVdD][éÉeEaAdD.nN](?<![\w-]..)")
_FIELD_START = re.compile(r"[dDaAmM][aAnNoOdD.](?<![\w-]..)")


def find_births(text: str) -> Spans:
    """Yield where dates of birth stand."""
    for match in scan(_BIRTH, _BIRTH_START, text):
        word = match[0].split()[0]
        if word.lower() == "ne" and word != "NE" and not _NE_LE.match(match[0]):
            continue  # the negation: "ne ... 12/03/2020"
        yield match.span("date")
    if not any(word in lowered(text) for word in ("naiss", "ddn", "d.d.n")):
        return
    for match in scan(_FIELD, _FIELD_START, text):
        yield match.span("date")
