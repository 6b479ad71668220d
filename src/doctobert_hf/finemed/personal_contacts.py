"""Phone numbers, e-mail and IP addresses in French text."""

from __future__ import annotations

import contextlib
import ipaddress
import re

from doctobert_hf.finemed.personal_places import DASH as _DASH, SPACE as _S, Spans, of_maker
from doctobert_hf.finemed.scanning import Matches, around, scan

_PAIR_SEPARATOR = f"(?:{_S}{{1,2}}|\\.|{_S}?{_DASH}{_S}?)"
_PHONE = re.compile(
    rf"(?<![\d+,])(?:"
    rf"(?:\(?\+33\)?|\(33\)|0033|(?<!\S)33(?={_S})){_PAIR_SEPARATOR}?(?:\(0\)|0)?{_PAIR_SEPARATOR}?"
    rf"[1-9](?:{_PAIR_SEPARATOR}?\d\d){{4}}"
    rf"|(?:\(0\)[1-9]|\(?0[1-9]\)?)(?:{_PAIR_SEPARATOR}?\d\d){{4}}"
    rf"|0{_S}?8\d\d(?:(?:{_PAIR_SEPARATOR}\d\d){{3}}|(?:{_S}\d{{3}}){{2}})|0[1-9](?:{_S}\d{{4}}){{2}}"
    rf"|0[1-9]\d\d(?:{_S}\d\d){{3}}"
    rf"|(?P<called>0{_S}?[1-9]\d\d{_S}\d{{3}}{_S}\d{{3}}|0[1-9]{_S}\d\d{_S}\d{{3}}{_S}\d{{3}}"
    rf"|0[1-9](?:/\d\d){{4}}|0[ .]?[1-9](?:[ .]?\d){{8}})"
    rf")(?!\d)"
)
_ABROAD = re.compile(
    rf"(?<![\d.,+])00(?!33)(?=[1-9])(?P<rest>\d{{1,3}}(?:{_PAIR_SEPARATOR}?\d){{6,11}})(?!\d)"
)
_PHONE_START = re.compile(r"[0+(3](?<![\d+,].)")
_ABROAD_START = re.compile(r"00(?<![\d.,+]00)")
_DIGITS_START = re.compile(r"\d(?<![\w+.,/-].)")
_LONGEST = 60  # characters of a number with its blanks
_CALL = re.compile(
    r"(?<!\w)(?:t[ée]l\w*|phone|portable|mobile|port\.|gsm|natel|fixe|fax|t[ée]l[ée]copie|appel\w*|joign\w*|joindre|contact\w*|"
    r"secr[ée]tariat|standard|bureau|num[ée]ro|n[°o]\s+vert)(?!\w)[^\d\n]{0,25}\Z",
    re.IGNORECASE,
)
_CALL_SURELY = re.compile(
    r"(?<!\w)(?:t[ée]l(?:\.|[ée]ph\w*)?|phone|portable|mobile|gsm|natel|fax)(?!\w)[^\d\n]{0,12}\Z",
    re.IGNORECASE,
)
_CALLED_BEHIND = re.compile(
    rf"{_S}?[(,]?{_S}?(?:portable|mobile|gsm|natel|domicile|fax|t[ée]l(?!\w)|Suisse|Belgique|Luxembourg)",
    re.IGNORECASE,
)
_NATIONAL = re.compile(
    r"(?<![\w+.,/-])\d{1,4}(?:(?P<gap>[ ./-]|\u00a0|\u202f)?\d{2,3}){2,4}(?![\w/-]|[.,]\d)"
)
_NEIGHBOURS = ("FR", "BE", "CH", "LU")
_OWN_FORM = re.compile(
    r"04\d\d/\d\d[. ]\d\d[. ]\d\d\Z|0\d/\d{3}[. ]\d\d[. ]\d\d\Z|"
    rf"07\d{_S}\d{{3}}{_S}\d\d{_S}\d\d\Z"
)
"""Mobile numbers of Belgium and Switzerland, in groups that nothing else is written in."""


def find_phones(text: str) -> Spans:
    """Yield where phone numbers stand; those of makers in leaflets are no personal data."""
    for start, end in _all_phones(text):
        if not of_maker(text, start):
            yield start, end


def _all_phones(text: str) -> Spans:
    import phonenumbers

    for match in scan(_PHONE, _PHONE_START, text):
        called = _is_called(text, match)
        if called or (match["called"] is None and _is_phone(text, match)):
            yield match.span()
    for match in scan(_ABROAD, _ABROAD_START, text):
        try:
            number = phonenumbers.parse("+" + match["rest"], None)
        except phonenumbers.NumberParseException:
            continue
        spaced = not match["rest"].isdigit()
        if phonenumbers.is_valid_number(number) and (spaced or _is_called(text, match)):
            yield match.span()
    for match in scan(_NATIONAL, _DIGITS_START, text):
        if _is_national(text, match):
            yield match.span()
    for start, end in _lines_with_plus(text):
        for found in phonenumbers.PhoneNumberMatcher(text[start:end], None):
            yield start + found.start, start + found.end


def _lines_with_plus(text: str) -> Spans:
    """Yield the parts of a text in which a number may begin with "+": lines, or of long ones less.

    phonenumbers tries every number of a text, and gives up after so many. A part of a long line
    ends where the next "+" stands rather than within its number.
    """
    start = end = -1
    for plus in re.finditer(r"[+\uff0b]", text):
        at = plus.start()
        if at < end and (at + _LONGEST < end or text[end : end + 1] in ("", "\n")):
            continue  # the part has its number whole
        first = at - 1 if at and text[at - 1] in "([" else at
        if end >= 0:
            yield start, min(end, first)
        if first >= end:
            first = max(text.rfind("\n", max(0, end, at - 40), at) + 1, end, at - 40, 0)
        line = text.find("\n", at + _LONGEST)
        start, end = first, min(len(text) if line < 0 else line, at + 300)
    if end >= 0:
        yield start, end


def _is_called(text: str, match: re.Match[str]) -> bool:
    return (
        _CALL.search(text, max(0, match.start() - 45), match.start()) is not None
        or _CALLED_BEHIND.match(text, match.end()) is not None
    )


def _is_national(text: str, match: re.Match[str]) -> bool:
    """Return whether it is a number as France or a neighbour writes it within the country."""
    import phonenumbers

    surely = _CALL_SURELY.search(text, max(0, match.start() - 45), match.start()) is not None
    if not surely and not match[0].startswith("0"):
        return False  # Luxembourg has no zero before a number: what is none might be anything
    if not surely and not _OWN_FORM.match(match[0]) and not _is_called(text, match):
        return False
    for region in _NEIGHBOURS:
        try:
            number = phonenumbers.parse(match[0], region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number_for_region(number, region) and (
            region != "LU"
            or phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
        ):
            return True
    return False


def _is_phone(text: str, match: re.Match[str]) -> bool:
    """Tell a phone number from lab values, page numbers, doses and other numbers."""
    number = match[0]
    if re.match(rf"0{_S}?8\d\d{_S}|0\d(?:{_S}\d{{4}}){{2}}\Z|0\d{{3}}(?:{_S}\d\d){{3}}\Z", number):
        return True  # "0800 12 34 56", "0 892 69 69 69": nothing else is written so
    if number.startswith("0") and not number.startswith("00"):
        gaps = {_class(gap) for gap in re.split(r"\d\d", number)[1:-1]}
        if len(gaps) > 1:
            return re.match(r"0[67]", number) is not None and len(gaps - {""}) == 1
        before = text[max(0, match.start() - 5) : match.start()]
        after = text[match.end() : match.end() + 4]
        gap = gaps.pop() if gaps else ""
        if gap and re.match(rf"{_of_class(gap)}\d\d(?!\d)", after):
            return False  # a row of more than five: pages, weeks
        if re.search(r"\d{8}\s\Z", text[max(0, match.start() - 9) : match.start()]):
            return True  # "RPPS 10003456789 01 42 34 56 78"
        if re.search(r"[\d\w]\.\Z", before[-2:]) or re.search(
            r"(?:[A-Z]{2}\d\d|\d){1}[ ]\Z", before[-5:]
        ):
            return gap == " " and not re.search(r"\d \Z", before[-2:])
        pairs = [int(pair) for pair in re.findall(r"\d\d", number)]
        steps = {b - a for a, b in zip(pairs, pairs[1:], strict=False)}
        if (len(steps) == 1 and max(steps) <= 10) or (
            all(p % 5 == 0 for p in pairs) and min(steps) > 0
        ):
            return False  # 05 10 15 20 25: doses, dates
    return True


def _class(gap: str) -> str:
    return "" if not gap else " " if gap.isspace() else "." if gap == "." else "-"


def _of_class(gap: str) -> str:
    return {" ": _S, ".": r"\.", "-": _DASH}[gap]


_SIGN_FORMS = r"(?:[@＠]|&(?:#0*64|#x0*40|commat);|%40)"
_DOT = rf"(?:{_S}?\.{_S}?|{_S}?[\[({{](?:\.|dot|point)[\])}}]{_S}?|{_S}(?:dot|point){_S})"
_TOP = r"(?:fr|com|org|net|eu|be|ch|lu|ca|info|paris)(?!\w)"
"""Domains that mail ends with most: where nothing but words is there to tell."""
_ENDS_SO = re.compile(rf"{_TOP}\Z", re.IGNORECASE)
_EMAIL = re.compile(
    rf"(?<![\w.+-])[\w.+-]+{_S}?{_SIGN_FORMS}{_S}?"
    rf"(?:\[?\d{{1,3}}(?:\.\d{{1,3}}){{3}}\]?|[\w-]+(?: ?\. ?[\w-]+)* ?\. ?[^\W\d_]{{2,}}(?![\w-])"
    rf"|[\w-]+(?:{_DOT}[\w-]+){{0,4}}{_DOT}{_TOP})"
    rf"|(?<![\w.+-])[\w.+-]+{_S}*(?:[\[({{<](?:at?|arobase?|à|chez|[@＠])[\])}}>]|(?<=\s)(?:at|arobase?|chez)(?=\s)){_S}*"
    rf"[\w-]+(?:{_S}*(?:\.|[\[({{](?:\.|dot|point)[\])}}]|(?<=\s)(?:dot|point)(?=\s)){_S}*[\w-]+)+"
    rf"|(?<![\w.+-])[\w+-]+(?:\.[\w+-]+){{1,4}}(?:(?:_at_|-at-)[\w-]+(?:\.[\w-]+){{0,3}}\.|{_S}à{_S}[\w-]+{_S}point{_S}){_TOP}",
    re.IGNORECASE,
)
_SPOKEN_BEFORE = re.compile(
    rf"(?:(?<!\w)[\w+-]+(?:{_S}(?:dot|point){_S}|{_S}?[\[({{](?:\.|dot|point)[\])}}]{_S}?)){{1,3}}\Z",
    re.IGNORECASE,
)
"""What stands before the last part of a name that is spoken: "jean point dupont arobase"."""


_APART_BEFORE = re.compile(r"(?:(?<![\w+.-])[\w+-]+ \. ){1,3}\Z")
"""The same of one whose points stand apart: "jean . dupont @ chu . fr"."""
_FARTHEST = 320
"""Characters of an address, with the blanks and signs that it is written with."""


def _mails(text: str) -> Matches:
    signs = (match.start() for match in _AT.finditer(text))
    return around(_EMAIL, signs, _FARTHEST, _FARTHEST, text)


_AT = re.compile(
    rf"[@＠]|&(?:#0*64|#x0*40|commat);|%40|arobas|[\[({{<](?:at?|à|chez)[\])}}>]|_at_|-at-|\sà\s[\w-]+\spoint\s"
    # "chez" is a word of every report: only before what may be a domain
    rf"|\s(?:at|chez)\s{_S}*[\w-]+{_S}*(?:\.|[\[({{<](?:\.|dot|point)[\])}}>]|(?:dot|point)\s){_S}*[\w-]",
    re.IGNORECASE,
)
_SIGN = re.compile("[@＠;%]")  # or the end of its entity; none is spoken


def find_emails(text: str) -> Spans:
    """Yield where e-mail addresses stand, spoken ones too."""
    if not _AT.search(text):
        return
    for match in _mails(text):
        found, start = match[0], match.start()
        if " . " in found and (apart := _APART_BEFORE.search(text, max(0, start - 60), start)):
            start = apart.start()
        if not _SIGN.search(found):
            end = re.split(r"[\s.\[\]()]+", found)[-1] or ""
            if not end.isalpha() or not 2 <= len(end) <= 6:
                continue
            if re.search(r"\schez\s", found) and not _ENDS_SO.search(found):
                continue  # "en 2010 chez lui.Le malade"
            before = _SPOKEN_BEFORE.search(text, max(0, start - 60), start)
            spoken = re.search(r"\s(?:at|chez)\s", found) is not None
            if spoken and not before and not re.search(r"[._\d]", found.split()[0]):
                continue  # "the service at archive.debian.org"
            start = before.start() if before else start
        yield start, match.end()


_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_IPV4_START = re.compile(r"\d(?<![\w.].)")
_IPV6_START = re.compile(r"[23fF](?<![\w:].)")
"""Of an address that counts: see ``_GLOBAL_V6``."""
_HEX = "[0-9a-fA-F]{1,4}"
_IPV6 = re.compile(
    rf"(?<![\w:])(?:(?:{_HEX}:){{2,7}}(?:{_HEX}|:)(?::{_HEX})*|(?:{_HEX}:)+(?::{_HEX})+)(?![\w:])"
)
_NO_ADDRESS = re.compile(
    r"(?:version|v\.?|article|art\.|section|rubrique|chapitre|paragraphe|§|n°|logiciel|release)\s*\Z",
    re.IGNORECASE,
)


_ADDRESSED = re.compile(
    r"(?<!\w)(?:IP(?:v[46])?|postes?|serveurs?|imprimantes?|connexions?|connect\w+|machines?|h[ôo]tes?|passerelle|"
    r"ping|routeurs?|borne|automate|PACS|DICOM|stations?|ordinateurs?|terminal|r[ée]seau|https?://|ssh|logs?|ftp://)"
    r"(?:(?<=/)|(?!\w))[^;\n]{0,25}\Z",
    re.IGNORECASE,
)
"""Behind these also an address of a network at home, or in a hospital, is one."""
_GLOBAL_V6 = re.compile(r"(?:[23]\w{3}|f[cd]\w\w|fe[89ab]\w):", re.IGNORECASE)


def find_ips(text: str) -> Spans:
    """Yield where IP addresses stand; numbers of versions and sections are none."""
    for match in scan(_IPV4, _IPV4_START, text):
        if _is_ipv4(text, match):
            yield match.span()
    for match in scan(_IPV6, _IPV6_START, text):
        if not _GLOBAL_V6.match(match[0]):
            continue  # "1:160::1": a ratio, or a time
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(match[0])
            yield match.span()


def _is_ipv4(text: str, match: re.Match[str]) -> bool:
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return False
    if _NO_ADDRESS.search(text, max(0, match.start() - 20), match.start()):
        return False
    if _ADDRESSED.search(text, max(0, match.start() - 45), match.start()):
        return True
    numbers = [int(part) for part in match[0].split(".")]
    # Alone it might be of a network at home, or a section's number: no book has so many.
    return not address.is_private and (numbers[0] >= 20 or max(numbers) >= 100)
