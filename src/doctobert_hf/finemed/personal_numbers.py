"""Numbers of French people and institutions: social security, bank, and those of a register.

Checked where they have a key (python-stdnum); the others count only behind what they are called.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from doctobert_hf.finemed.personal_places import DASH as _DASH, SPACE as _S, Spans

_PUNCTUATION = f"(?:{_S}|[./]|{_DASH})"
_NIR = re.compile(
    rf"(?<![\d])(?P<body>[1-478](?P<sep>{_PUNCTUATION}?)\d\d(?:{_PUNCTUATION})?"
    rf"(?:0[1-9]|1[0-3]|[2-9]\d)(?:{_PUNCTUATION})?(?:\d\d|2[ABab])(?:{_PUNCTUATION})?"
    rf"\d{{3}}(?:{_PUNCTUATION})?\d{{3}})"
    rf"(?P<key>{_S}{{0,2}}(?:cl[ée]{_S}?:?|/|\()?{_PUNCTUATION}?\d\d(?:(?<=\(\d\d)\))?)?(?![\d])",
    re.IGNORECASE,
)
_MORE_DIGITS = re.compile(rf"{_PUNCTUATION}?\d")
_KEYWORD_NIR = re.compile(
    r"(?<!\w)(?:NIR|NSS|INS|INSEE|n[°o]\s*SS|SS|s[ée]cu\w*(?:\s+soc\w*)?|immatricul\w+)\W{0,6}(?:n[°o]\W{0,3})?\Z",
    re.IGNORECASE,
)
"""Behind these a number counts also where its key is wrong, or left out: people mistype."""


def find_social_security(text: str) -> Spans:
    """Yield where social security numbers stand."""
    from stdnum.fr import nir

    for match in _NIR.finditer(text):
        number = re.sub(r"\W", "", match["body"]).upper()
        keyword = _KEYWORD_NIR.search(text, max(0, match.start() - 40), match.start())
        if match["key"] is not None:
            key = re.sub(r"\D", "", match["key"])
            if keyword or nir.is_valid(number + key):
                yield match.span()
            continue
        told = match["sep"] or keyword
        if told and not _MORE_DIGITS.match(text, match.end()):
            yield match.span()


_IBAN = re.compile(
    rf"(?<!\w)[A-Za-z]{{2}}\d\d(?:(?:{_S}|{_DASH})?[0-9A-Za-z]{{4}}){{2,7}}"
    rf"(?:(?:{_S}|{_DASH})?[0-9A-Za-z]{{1,3}})?(?!\w)"
)
_RIB = re.compile(rf"(?<!\d)\d{{5}}{_S}\d{{5}}{_S}[0-9A-Za-z]{{11}}{_S}\d\d(?!\d)")
_CARD = re.compile(
    rf"(?<!\d)[3-6]\d{{3}}(?P<sep>{_S}|{_DASH}|)\d{{4}}(?P=sep)\d{{4}}(?P=sep)\d{{4}}(?!\d)"
)


def find_bank(text: str) -> Spans:
    """Yield where accounts and bank cards stand."""
    from stdnum import iban, luhn

    for match in _IBAN.finditer(text):
        # The pattern may have taken a word behind: the longest beginning that is valid counts.
        pieces = [piece.end() for piece in re.finditer(r"[0-9A-Za-z]+", match[0])]
        for length in reversed(pieces):
            bare = re.sub(r"\W", "", match[0][:length])
            if len(bare) >= 15 and iban.is_valid(bare, check_country=False):
                yield match.start(), match.start() + length
                break
    yield from (match.span() for match in _RIB.finditer(text))
    for match in _CARD.finditer(text):
        if match["sep"] or luhn.is_valid(re.sub(r"\D", "", match[0])):
            yield match.span()


def _plain(pattern: str, flags: int = 0, group: int | str = 0) -> Callable[[str], Spans]:
    compiled = re.compile(pattern, flags)

    def find(text: str) -> Spans:
        for match in compiled.finditer(text):
            yield match.span(group)

    return find


def _keyed(words: str, number: str) -> Callable[[str], Spans]:
    """A number that only what stands before it tells."""
    return _plain(
        rf"(?<!\w)(?:{words})(?:{_S}*(?:n°|num[ée]ro|no\.?|:|=|/|est|(?:du|de{_S}la|de{_S}l['’]|d['’]){_S}?[^\W\d_]{{3,15}})){{0,3}}{_S}*(?P<number>{number})(?!\w)",
        re.IGNORECASE,
        "number",
    )


REGISTERS: tuple[tuple[str, Callable[[str], Spans]], ...] = (
    ("rpps", _keyed(r"(?:n°\s*)?R\.?P\.?P\.?S\.?", rf"1(?:{_S}?\d){{10}}")),
    ("adeli", _keyed(r"(?:n°\s*)?ADELI", rf"\d[\dAB](?:{_S}?[0-9AB])(?:{_S}?\d){{6}}")),
    ("finess", _keyed(r"(?:n°\s*)?FINESS(?:\s+(?:juridique|g[ée]ographique|ET|EJ))?",
                      rf"\d(?:{_S}?[0-9AB])(?:{_S}?\d){{7}}")),
    ("finess", _keyed(r"(?:n°\s*)?SIRET", rf"\d(?:{_S}?\d){{13}}")),
    ("finess", _keyed(r"(?:n°\s*)?SIREN", rf"\d(?:{_S}?\d){{8}}")),
    ("ipp", _keyed(r"(?:n°\s*)?(?:IPP|I\.P\.P\.|NIP|NDA|IEP|NDOS|dossier|s[ée]jour|venue|"
                   r"(?:identifiant|matricule|num[ée]ro|n°)\s*(?:permanent\s+)?(?:du\s+)?patient|hospitalisation)",
                   rf"[A-Z]?\d(?:{_S}?\d){{4,13}}")),
    ("ipp", _keyed(r"passeport|carte\s+d['’]identit[ée]|CNI|titre\s+de\s+s[ée]jour",
                   r"[0-9A-Z]{7,15}")),
    ("ipp", _plain(r"(?<![\w-])[A-HJ-NP-TV-Z]{2}-\d{3}-[A-HJ-NP-TV-Z]{2}(?![\w-])")),
)  # fmt: skip
