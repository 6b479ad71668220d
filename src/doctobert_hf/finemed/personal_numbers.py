"""Numbers of French people and institutions: social security, bank, and those of a register.

Checked where they have a key (python-stdnum); the others count only behind what they are called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from doctobert_hf.finemed.personal_places import DASH as _DASH, LINE, SPACE as _S, Spans
from doctobert_hf.finemed.scanning import DIGITS_START, lowered, scan

_GAP = rf"(?:{_S}{{1,2}}|[./]|{_DASH})"
_NIR = re.compile(
    rf"(?<![\d])(?P<body>[1-478](?P<sep>{_GAP}?)\d\d{_GAP}?"
    rf"(?:0[1-9]|1[0-3]|[2-9]\d){_GAP}?(?:(?:\d\d|2[ABab]){_GAP}?\d{{3}}|9[78]\d{_GAP}?\d\d){_GAP}?\d{{3}})"
    rf"(?P<key>{_S}{{0,2}}(?:cl[ée]f?{_S}?:?|[/|(]|\({_S}?cl[ée]f?{_S}?:?)?{_GAP}?\d\d(?:(?<=\d)\))?)?(?![\d])",
    re.IGNORECASE,
)
_MORE_DIGITS = re.compile(rf"{_GAP}?\d")
_KEYWORD_NIR = re.compile(
    r"(?<!\w)(?:N\.?I\.?R\.?|NSS|NIA|INS|INSEE|n[°ºo]\s*SS|SS|s[ée]cu\w*(?:\s+soc\w*)?|immatricul\w+|"
    r"assur[ée]e?s?(?:\s+soci\w+)?)\W{0,6}(?:sous\s+le\s+)?(?:(?:n[°ºo]|num[ée]ro)\W{0,3})?\Z",
    re.IGNORECASE,
)
"""Behind these a number counts also where its key is wrong, or left out: people mistype."""


def find_social_security(text: str) -> Spans:
    """Yield where social security numbers stand."""
    from stdnum.fr import nir

    for match in scan(_NIR, DIGITS_START, text):
        number = re.sub(r"\W", "", match["body"]).upper()
        keyword = _KEYWORD_NIR.search(text, max(0, match.start() - 40), match.start())
        if match["key"] is not None:
            key = re.sub(r"\D", "", match["key"])
            if keyword or nir.is_valid(number + key):
                opened = not match[0].endswith(")") or "(" in match[0]
                yield match.start(), match.end() - (not opened)
            continue
        told = match["sep"] or keyword
        if told and not _MORE_DIGITS.match(text, match.end()):
            yield match.span()


_IBAN_GAP = rf"(?:{_S}|{_DASH}|\.)?"
_IBAN = re.compile(
    rf"(?<!\w)[A-Za-z]{{2}}{_S}?\d\d(?:{_IBAN_GAP}[0-9A-Za-z]{{4}}){{2,7}}"
    rf"(?:{_IBAN_GAP}[0-9A-Za-z]{{1,3}})?(?!\w)"
)
_RIB_GAP = rf"(?:{_S}|{_DASH}|[./])"
_RIB = re.compile(
    rf"(?:(?<!\w)|(?<=RIB))\d{{5}}(?P<gap>{_RIB_GAP}?)\d{{5}}{_RIB_GAP}?[0-9A-Za-z]{{11}}{_RIB_GAP}?\d\d(?!\w)"
)
_OF_BANK = re.compile(
    r"(?<!\w)(?:RIB|compte|banque|bancaires?|pr[ée]l[èe]vement|virement)(?!\w)[^\d\n]{0,20}\Z",
    re.IGNORECASE,
)
"""Behind these an account counts also where its key is wrong: people mistype."""
_NAMED_RIB = re.compile(
    rf"(?<=RIB)\W{{1,4}}(?-i:(?P<bare>\d{{10}}[0-9A-Z]{{11}}\d\d))(?!\w)"
    rf"|banque{_S}:?{_S}?\d{{5}}\W{{1,3}}guichet{_S}:?{_S}?\d{{5}}\W{{1,3}}"
    rf"(?:n°{_S}?(?:de{_S})?)?compte{_S}:?{_S}?(?-i:[0-9A-Z]{{11}})"
    rf"(?:\W{{1,3}}cl[ée]f?(?:{_S}RIB)?{_S}:?{_S}?\d\d)?(?!\d)",
    re.IGNORECASE,
)
_LETTERS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "12345678912345678923456789")
_SAYS_RIB = re.compile(r"rib(?=\W)")
_CARD = re.compile(
    rf"(?<!\d)[3-6]\d{{3}}(?P<sep>{_S}|{_DASH}|)\d{{4}}(?P=sep)\d{{4}}(?P=sep)\d{{4}}(?!\d)"
)


_CHECK_DIGITS = re.compile(r"\d\d(?<!\d\d\d)")


_OF_ACCOUNT = re.compile(r"(?<!\w)[A-Z]{2}\d\d\W\Z")


def _ibans(text: str) -> Iterator[re.Match[str]]:
    """Yield what the pattern matches: two letters, and the first two digits behind them."""
    end = 0
    for digits in _CHECK_DIGITS.finditer(text):
        for back in (3, 2):
            start = digits.start() - back
            if start >= end and (found := _IBAN.match(text, start)):
                end = found.end()
                yield found
                break


def find_bank(text: str) -> Spans:
    """Yield where accounts and bank cards stand."""
    from stdnum import iban, luhn

    for match in _ibans(text):
        # The pattern may have taken a word behind: the longest beginning that is valid counts.
        pieces = [piece.end() for piece in re.finditer(r"[0-9A-Za-z]+", match[0])]
        for length in reversed(pieces):
            bare = re.sub(r"\W", "", match[0][:length])
            if len(bare) >= 15 and iban.is_valid(bare, check_country=False):
                yield match.start(), match.start() + length
                break
    for match in scan(_RIB, DIGITS_START, text):
        told = match["gap"] and _OF_BANK.search(text, max(0, match.start() - 40), match.start())
        if told or _is_rib(match[0]):
            yield match.span()
    if "guichet" in lowered(text) or _SAYS_RIB.search(lowered(text)):
        for match in _NAMED_RIB.finditer(text):
            yield match.span("bare" if match["bare"] else 0)
    for match in scan(_CARD, DIGITS_START, text):
        if _OF_ACCOUNT.search(text, max(0, match.start() - 6), match.start()):
            continue  # an account's number with a wrong key is no card's
        if match["sep"] or luhn.is_valid(re.sub(r"\D", "", match[0])):
            yield match.span()


def _is_rib(account: str) -> bool:
    """Return whether the key of a French account is right: letters count as 1 to 9, S as 2."""
    digits = re.sub(r"[^0-9A-Z]", "", account.upper()).translate(_LETTERS)
    return int(digits) % 97 == 0


def _plain(pattern: str, flags: int = 0, group: int | str = 0) -> Callable[[str], Spans]:
    compiled = re.compile(pattern, flags)

    def find(text: str) -> Spans:
        for match in compiled.finditer(text):
            yield match.span(group)

    return find


_DIGITS_GAP = rf"(?:{_S}|[.]|{_DASH})?"
_OF_DATE = f"(?:[./]|{_DASH})"
_BEGINS_ANEW = (
    rf"0[1-9](?:{_DIGITS_GAP}\d\d){{4}}(?!\d)"
    rf"|(?<={LINE})\d{{1,2}}{_OF_DATE}\d{{1,2}}{_OF_DATE}(?:\d\d)?\d\d(?!\d)"
)
_ON_A_LINE = rf"(?:(?:{LINE}|[.]|{_DASH})(?!{_BEGINS_ANEW}))?"
"""Where nobody knows how many digits come, no line, phone or date behind them is taken as well."""
_CONNECTOR = (
    rf"(?:{_S}*(?:n[°º]|num[ée]ro|no\.?|[:=/#([_]|{_DASH}|est|g[ée]o\.?|"
    rf"(?:du|de{_S}la|de{_S}l['’]|d['’]|de){_S}?(?!AMM(?!\w)|EudraCT)[^\W\d_]{{3,15}}))"
)

_NOT_IN_DATE = rf"(?!(?:(?<={_S}\d)|(?<={_S}\d\d))/\d)"
"""No gap leads into a date ("IPP 12345678 12/03/2024"); "IPP 12345678/1" is a number and a part."""


def _keyed(
    words: str, number: str, letters: str, hints: str = "", whose: bool = False
) -> Callable[[str], Spans]:
    """A number that only what stands before it tells.

    Args:
        words: What it is called.
        letters: What that begins with, in lower case.
        hints: Parts of words, in lower case, one of which stands in a text that has one.
        number: Its form.
        whose: Whether a line's words, such as a name, may stand between, up to a colon.
    """
    far = r"|[^\d\n:;]{3,40}:" if whose else ""
    pattern = re.compile(
        rf"(?<!\w)(?:{words})(?:{_CONNECTOR}{{0,4}}{far}){_S}*(?P<number>{number})(?!\w){_NOT_IN_DATE}",
        re.IGNORECASE,
    )
    # A class is looked for faster than a pattern of small and capital letters.
    starts = re.compile(f"[{letters}{letters.upper()}](?<!\\w.)")
    parts = hints.split()

    def hinted(text: str) -> Spans:
        if not parts or any(part in lowered(text) for part in parts):
            for match in scan(pattern, starts, text):
                yield match.span("number")

    return hinted


def _digits(first: str, count: int | str, gap: str = _DIGITS_GAP) -> str:
    """A number's form: how it begins, and so many digits more, apart or not."""
    return rf"{first}(?:{gap}\d){{{count}}}"


_DEPARTMENT = rf"\d{_DIGITS_GAP}[0-9ABCDE]{_DIGITS_GAP}[0-9AB]"
_NO_DATE = (
    rf"(?!\d{{1,2}}{_OF_DATE}\d{{1,2}}{_OF_DATE}\d{{2,4}}(?!\d)|"
    rf"(?:19|20)\d\d(?:/|{_DASH})(?:19|20)\d\d(?!\d)|\d\d/(?:19|20)\d\d(?!\d))"
)
_ANY_ID = _digits("[A-Z]?[0-9]", "4,13", _ON_A_LINE)
_OF_PATIENT = (
    r"(?:d[eu]{S}+|d['’])?(?:patiente?|admission|examen|archives?|identification|hospitalisation|"
    r"s[ée]jour|venue|dossier|passage|entr[ée]e|pr[ée]l[èe]vement)(?:{S}+(?:m[ée]dical|patiente?|unique))?"
).replace("{S}", _S)
_L = "[A-HJ-NP-TV-Z]"
_L2 = f"(?!SS){_L}{{2}}"
_PLATE = (
    rf"(?-i:{_L2}(?P<by>{_S}|{_DASH}|\.|)\d{{3}}(?P=by){_L2}"
    rf"|\d{{2,4}}(?P<of>{_S}|{_DASH}|){_L}{{2,3}}(?P=of)(?:\d\d|2[AB]|97\d))"
    rf"|(?-i:(?!ss)[a-hj-np-tv-z]{{2}}(?P<low>{_DASH}|)\d{{3}}(?P=low)(?!ss)[a-hj-np-tv-z]{{2}})"
)
"""Number plates, those of before 2009 too; I, O and U look like digits and are in none."""
REGISTERS: tuple[tuple[str, Callable[[str], Spans]], ...] = (
    ("rpps", _keyed(r"R\.?P\.?P\.?S\.?(?:\s?/\s?ADELI)?", _digits("1", 10), "r",
                    "rpps r.p rp. rpp.", True)),
    ("adeli", _keyed(r"A\.?D\.?E\.?L\.?I\.?", _digits(_DEPARTMENT, 6), "a",
                     "adeli a.d ad. ade. adel.", True)),
    ("finess", _keyed(r"F\.?I\.?N\.?E\.?S\.?S\.?"
                      r"(?:\s+(?:juridique|g[ée]o(?:graphique|\.)?|ET|EJ))?",
                      _digits(_DEPARTMENT, 6), "f",
                      "finess f.i fi. fin. fine. fines.", True)),
    ("finess", _keyed(r"SIRET", _digits(r"\d", 13), "s", "siret")),
    ("finess", _keyed(r"SIREN", _digits(r"\d", 8), "s", "siren")),
    ("ipp", _keyed(r"(?:IPP|I\.P\.P\.|NIP|NDA|IEP|NDOS|dossier|s[ée]jour|venue|hospitalisation)"
                   r"(?:\s+(?:m[ée]dical|patiente?|hospitalier))?|r[ée]f\.\s+(?:dossier|patiente?)|"
                   rf"(?:identifiant|matricule|num[ée]ro|n[°º]|ID){_S}*(?:permanent\s+)?{_OF_PATIENT}",
                   rf"(?:{_NO_DATE}(?:\d{{2,4}}/\d{{3,8}}|{_ANY_ID}))",
                   "indsvhmr")),
    ("ipp", _keyed(r"passeport|carte\s+d['’]identit[ée]|CNI|titre\s+de\s+s[ée]jour",
                   r"(?=[A-Z]*\d)[0-9A-Z]{7,15}", "pct", "passeport identit cni titre")),
    ("ipp", _keyed(r"immatricul\w+|plaques?|v[ée]hicules?|voitures?", _PLATE,
                   "ipv", "immatricul plaque hicule voiture")),
    ("ipp", _keyed(r"moto|scooter|camion(?:nette)?", _PLATE, "msc", "moto scooter camion")),
    ("ipp", _plain(rf"{_L}(?<![\w-].)(?<!S(?=S)){_L}(?P<by>{_DASH})\d{{3}}(?P=by){_L2}(?![\w-])")),
)  # fmt: skip
