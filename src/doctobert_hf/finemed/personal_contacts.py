"""Phone numbers, e-mail and IP addresses in French text."""

from __future__ import annotations

import ipaddress
import re

from doctobert_hf.finemed.personal_places import DASH as _DASH, SPACE as _S, Spans

_PAIR_SEPARATOR = f"(?:{_S}{{1,2}}|\\.|{_S}?{_DASH}{_S}?)"
_PHONE = re.compile(
    rf"(?<![\d+,])(?:"
    rf"(?:\(?\+33\)?|\(33\)|0033|(?<!\S)33(?={_S})){_PAIR_SEPARATOR}?(?:\(0\)|0)?{_PAIR_SEPARATOR}?"
    rf"[1-9](?:{_PAIR_SEPARATOR}?\d\d){{4}}"
    rf"|(?:\(0\)|0)[1-9](?:{_PAIR_SEPARATOR}?\d\d){{4}}"
    rf"|0{_S}?8\d\d(?:{_PAIR_SEPARATOR}\d\d){{3}}"
    rf"|0[1-9]\d\d(?:{_S}\d\d){{3}}"
    rf"|(?P<called>0{_S}?[1-9]\d\d{_S}\d{{3}}{_S}\d{{3}}|0[1-9]{_S}\d\d{_S}\d{{3}}{_S}\d{{3}}"
    rf"|0[1-9](?:/\d\d){{4}})"
    rf")(?!\d)"
)
_ABROAD = re.compile(
    rf"(?<![\d.,+])00(?!33)(?=[1-9])(?P<rest>\d{{1,3}}(?:{_PAIR_SEPARATOR}?\d){{6,11}})(?!\d)"
)
_CALL = re.compile(
    r"(?<!\w)(?:t[ée]l\w*|phone|portable|mobile|gsm|fixe|fax|t[ée]l[ée]copie|appel\w*|joign\w*|joindre|contact\w*|"
    r"secr[ée]tariat|standard|bureau|num[ée]ro|n[°o]\s+vert)(?!\w)[^\d\n]{0,25}\Z",
    re.IGNORECASE,
)


def find_phones(text: str) -> Spans:
    """Yield where phone numbers stand."""
    import phonenumbers

    for match in _PHONE.finditer(text):
        called = _CALL.search(text, max(0, match.start() - 45), match.start()) is not None
        if called or (match["called"] is None and _is_phone(text, match)):
            yield match.span()
    for match in _ABROAD.finditer(text):
        try:
            number = phonenumbers.parse("+" + match["rest"], None)
        except phonenumbers.NumberParseException:
            continue
        spaced = not match["rest"].isdigit()
        if phonenumbers.is_valid_number(number) and (
            spaced or _CALL.search(text, max(0, match.start() - 45), match.start())
        ):
            yield match.span()
    if "+" in text:
        for found in phonenumbers.PhoneNumberMatcher(text, None):
            yield found.start, found.end


def _is_phone(text: str, match: re.Match[str]) -> bool:
    """Tell a phone number from lab values, page numbers, doses and other numbers."""
    number = match[0]
    if re.match(rf"0{_S}?\d{{3}}{_S}", number):
        return True  # "0800 12 34 56", "0 892 69 69 69": nothing else is written so
    if number.startswith("0") and not number.startswith("00"):
        gaps = {_class(gap) for gap in re.split(r"\d\d", number)[1:-1]}
        if len(gaps) > 1:
            return False
        before = text[max(0, match.start() - 5) : match.start()]
        after = text[match.end() : match.end() + 4]
        gap = gaps.pop() if gaps else ""
        if gap and re.match(rf"{_of_class(gap)}\d\d(?!\d)", after):
            return False  # a row of more than five: pages, weeks
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


_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_EMAIL = re.compile(
    rf"(?<![\w.+-])[\w.+-]+{_S}?(?:[@＠]|&(?:#0*64|#x0*40|commat);){_S}?"
    r"(?:\[?\d{1,3}(?:\.\d{1,3}){3}\]?|[\w-]+(?: ?\. ?[\w-]+)* ?\. ?[^\W\d_]{2,}(?![\w-]))"
    rf"|(?<![\w.+-])[\w.+-]+{_S}*(?:[\[({{](?:at?|arobase|à|[@＠])[\])}}]|(?<=\s)(?:at|arobase)(?=\s)){_S}*"
    rf"[\w-]+(?:{_S}*(?:\.|[\[({{](?:dot|point)[\])}}]|(?<=\s)(?:dot|point)(?=\s)){_S}*[\w-]+)+",
    re.IGNORECASE,
)


_AT = re.compile(r"[@＠]|&(?:#0*64|#x0*40|commat);|arobase|[\[({]at?[\])}]|\sat\s", re.IGNORECASE)
_SIGN = re.compile("[@＠;]")  # or the end of its entity; none is spoken


def find_emails(text: str) -> Spans:
    """Yield where e-mail addresses stand, spoken ones too."""
    if not _AT.search(text):
        return
    for match in _EMAIL.finditer(text):
        found = match[0]
        if not _SIGN.search(found):
            end = re.split(r"[\s.\[\]()]+", found)[-1] or ""
            spoken = re.search(r"\sat\s", found) is not None
            if not end.isalpha() or not 2 <= len(end) <= 6:
                continue
            if spoken and not re.search(r"[._\d]", found.split()[0]):
                continue  # "the service at archive.debian.org"
        yield match.span()


_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_HEX = "[0-9a-fA-F]{1,4}"
_IPV6 = re.compile(
    rf"(?<![\w:])(?:(?:{_HEX}:){{2,7}}(?:{_HEX}|:)(?::{_HEX})*|(?:{_HEX}:)+(?::{_HEX})+)(?![\w:])"
)
_NO_ADDRESS = re.compile(
    r"(?:version|v\.?|article|art\.|section|rubrique|chapitre|paragraphe|§|n°|logiciel|release)\s*\Z",
    re.IGNORECASE,
)


def find_ips(text: str) -> Spans:
    """Yield where IP addresses stand; numbers of versions and sections are none."""
    for match in [*_IPV4.finditer(text), *_IPV6.finditer(text)]:
        try:
            address = ipaddress.ip_address(match[0])
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv4Address):
            numbers = [int(part) for part in match[0].split(".")]
            if address.is_private or max(numbers) < 20:
                continue  # of a network at home, or a section's number
            if _NO_ADDRESS.search(text, max(0, match.start() - 20), match.start()):
                continue
        yield match.span()
