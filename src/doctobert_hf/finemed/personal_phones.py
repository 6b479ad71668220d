"""Phone numbers in French text."""

from __future__ import annotations

import re

from doctobert_hf.finemed.personal_places import (
    DASH as _DASH,
    LINE as _LINE,
    SPACE as _S,
    STREET,
    Spans,
    of_maker,
)
from doctobert_hf.finemed.scanning import scan

_SEP = rf"(?:{_S}{{1,2}}|{_LINE}?\.{_LINE}?|{_S}?{_DASH}{_S}?)"
_OF_NINE = (
    rf"(?:[2-9]\d\d(?:(?:{_SEP}?\d\d){{3}}|(?:{_SEP}?\d{{3}}){{2}})|[2-9](?:{_SEP}?\d\d){{4}})"
)
_OVERSEAS = (
    rf"\(?(?:\+|00){_S}?(?:"
    rf"(?:262|590|594|596)\)?{_SEP}?(?:\(0\)|0)?{_SEP}?{_OF_NINE}"
    rf"|508\)?{_SEP}?(?:\(0\)|0)?{_SEP}?(?:{_OF_NINE}|\d\d(?:{_SEP}?\d\d){{2}})"
    rf"|68[17]\)?{_SEP}?(?:\d\d(?:{_SEP}?\d\d){{2}}|\d{{3}}{_SEP}?\d{{3}})"
    rf"|689\)?{_SEP}?\d\d(?:{_SEP}?\d\d){{2,3}})"
)
"""By its form: new blocks of Mayotte and others are not in every plan."""
_FREE = (
    rf"0{_S}?8\d\d(?:(?:{_SEP}\d\d){{3}}|(?:{_S}\d{{3}}){{2}})"
    r"|0\.?8\d\d(?:(?:\.\d{3}){2}|(?:\.\d\d){3})"
    rf"|0{_DASH}?8\d\d(?:(?:{_DASH}\d{{3}}){{2}}|(?:{_DASH}\d\d){{3}})"
)
_PHONE = re.compile(
    rf"(?<![\d+])(?:"
    rf"(?:\(?\+33\)?|\(33\)|0033|(?<!\S)33(?={_S})){_SEP}?(?:\(0\)|0)?{_SEP}?[1-9](?:{_SEP}?\d\d){{4}}"
    rf"|{_OVERSEAS}"
    rf"|(?:\(0\)[1-9]|\(?0[1-9]\)?)(?:{_SEP}?\d\d){{4}}"
    rf"|{_FREE}|0[1-9](?:{_S}\d{{4}}){{2}}"
    rf"|(?P<apart>0{_LINE}[1-9](?:{_LINE}\d\d){{4}})"
    rf"|(?P<called>0{_S}?[1-9]\d\d{_S}\d{{3}}{_S}\d{{3}}|0[1-9]{_S}\d\d{_S}\d{{3}}{_S}\d{{3}}"
    rf"|(?P<slashed>0[1-9](?:/\d\d){{4}}(?!/))|0[ .]?[1-9](?:[ .]?\d){{8}})"
    rf")(?!\d)"
)
_SURE_FORM = re.compile(
    rf"(?:{_FREE})\Z|0\d(?:{_S}\d{{4}}){{2}}\Z"
    rf"|0\d{{3}}(?:(?:{_S}\d\d){{3}}|(?:\.\d\d){{3}}|(?:{_DASH}\d\d){{3}})\Z"
)
"""0800 12 34 56, 0 892 69 69 69, 0142 34 56 78: nothing else is written so."""
_ABROAD = re.compile(
    rf"(?<![\d.,+])00(?!33)(?=[1-9])(?P<rest>\d{{1,3}}(?:{_SEP}?\d){{6,11}})(?!\d)"
)
_PHONE_START = re.compile(r"[0+(3](?<![\d+].)")
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

_PAIRS = {
    gap: re.compile(rf"(?:{gap_form}\d\d(?![\w]|{no_more}))+")
    for gap, gap_form, no_more in (
        (" ", f"{_LINE}{{1,2}}", rf"[/:.]\d|{_DASH}\d"),
        (".", r"\.", r"[/:]\d"),
        (". ", rf"{_LINE}?\.{_LINE}?", r"[/:]\d"),
        ("-", f"{_LINE}?{_DASH}{_LINE}?", r"[/:.]\d"),
    )
}
"""What goes on behind a number as it is written: by the gap between its pairs."""
_MONTH = r"(?:janv|f[ée]vr|mars|avril|mai|juin|juil|ao[ûu]t|sept|oct|nov|d[ée]c)\w*\.?"
_OWN_PAIR = re.compile(
    rf"{_LINE}{{1,2}}(?:bis|ter|{STREET}|{_MONTH}|ans|h|heures)(?!\w)",
    re.IGNORECASE,
)
"""Behind these two digits: "12 rue de la Paix" is no pair of the number before it."""
_PAIR_BEFORE = {
    " ": re.compile(
        rf"(?<!\d{{3}}{_LINE})(?<![\w:/.,-])\d{{1,2}}{_LINE}{{1,2}}\Z"
        rf"|(?<!\w)[A-Z]{{2}}\d\d{_LINE}\Z"
    ),
    ".": re.compile(r"\w\.\Z"),
    ". ": re.compile(rf"\d{_LINE}?\.{_LINE}?\Z"),
    "-": re.compile(rf"\w\.\Z|(?<!\d)\d\d{_LINE}?{_DASH}{_LINE}?\Z"),
    "": re.compile(rf"\w\.\Z|\d{_LINE}\Z"),
}
"""What a row has before what looks like a number: pages, weeks, the rest of a longer number."""
_OWN_BEFORE = re.compile(
    rf"(?:\d(?:[/.]|{_DASH})\d\d?(?:[/.]|{_DASH})(?:\d\d)?\d\d|\d{{8}}"
    rf"|\+\d[\d .()-]{{7,18}}|\d[h:]\d\d|(?<!\w){_MONTH}{_S}(?:\d\d)?\d\d"
    rf"|(?:cedex|paris|lyon|marseille|chambre|lit|box|poste|bureau|[ée]tage|porte){_S}\d\d?){_LINE}{{1,2}}\Z",
    re.IGNORECASE,
)
"""A date, a time, a number from abroad or with a label of its own: what follows begins anew."""
_ANOTHER = re.compile(rf"{_S}{{1,2}}0[1-9](?:{_S}\d\d){{4}}(?!\w|{_S}\d\d(?!\w))")
"""One that goes on in the next line."""
_NEXT_TO = re.compile(rf"(?:{_S}|[,;/|()]|{_DASH}|\.){{0,5}}")
_OTHER_NUMBER = re.compile(
    r"(?:(?<!\d)10\.\d{4,9}/\S*|(?<!\w)(?:PMC|PMCID|PMID|DOI|ISSN|ISBN(?:[- ]?1[03])?|batch|"
    r"(?:n[°ºo]|num[ée]ros?)\s{0,2}(?:de\s|du\s)?lot|lots?\s{0,2}(?:n[°ºo]|num[ée]ros?))"
    r"(?:\s{0,2}(?:n[°ºo]\.?|num[ée]ro|est|PMC|[:=#(/-])){0,3}\s{0,2})\Z",
    re.IGNORECASE,
)
_OTHER_COMPACT = re.compile(
    r"(?:https?://\S*|(?<!\w)(?:lots?|EAN(?:[- ]?1[34])?|GTIN|UDI|CIP\d*|UCD\d*|ACL|"
    r"AMM|NCT|EudraCT|PubMed|LPP|HAL|arXiv|"
    r"(?:n[°ºo]|num[ée]ros?)\s{0,2}(?:de\s)?(?:s[ée]rie|r[ée]f[ée]rence)|(?:s[ée]rie|r[ée]f[ée]rence|r[ée]f\.?|article)\s{0,2}n[°ºo])"
    r"(?:\s{0,2}(?:n[°ºo]\.?|num[ée]ro|est|ID|[:=#(/-])){0,3}\s{0,2})\Z",
    re.IGNORECASE,
)
"""What has ten digits as well; with blanks between them it would be a phone's."""
_CODE_BEHIND = re.compile(r"[^\W\d_]{1,2}(?![^\W\d_])")
_LABEL_GLUED = re.compile(
    r"(?:t[ée]l\w{0,9}|fax|t[ée]l[ée]copie|phone|mobile|portable|port|gsm|domicile)[_\W]?\Z",
    re.IGNORECASE,
)


def find_phones(text: str) -> Spans:
    """Yield where phone numbers stand; those of makers in leaflets are no personal data."""
    for start, end in _all_phones(text):
        if not of_maker(text, start) and not _is_other(text, start, end):
            yield start, end


def _is_other(text: str, start: int, end: int) -> bool:
    """Return whether a number is a publication's or a batch's, or part of a code."""
    before = max(0, start - 120)
    if _OTHER_NUMBER.search(text, before, start):
        return True
    if not text[start:end].isdigit():
        return False
    label = _LABEL_GLUED.search(text, before, start)
    if label is None and start and (text[start - 1].isalpha() or text[start - 1] == "_"):
        return True
    if _CODE_BEHIND.match(text, end) and not _CALL_SURELY.search(text, before, start):
        return True
    return label is None and _OTHER_COMPACT.search(text, before, start) is not None


def _french(text: str) -> Spans:
    """Yield numbers as France writes them.

    They are decided from left to right: behind one, another needs no proof of where it begins. What
    is none may hold one: "2015 01 42 34 56 78".
    """
    last = end = row_end = -1
    row_of_numbers = True
    for place in _PHONE_START.finditer(text):
        start = place.start()
        if start < end or (match := _PHONE.match(text, start)) is None:
            continue
        follows = last >= 0 and _NEXT_TO.fullmatch(text, last, start) is not None
        if text[start - 1 : start] == "," and text[start - 2 : start - 1].isdigit() and not follows:
            continue  # "0,12 34 56 78 90"
        if not _is_called(text, match):
            if match["called"] is not None and not _is_slashed(match):
                continue
            if not _is_phone(text, match, follows):
                continue
            if (gap := _gap(match[0])) in _PAIRS:
                if match.end() > row_end or not row_of_numbers:  # a row of them is read once
                    row_end, row_of_numbers = _row(text, match.end(), gap)
                if not row_of_numbers:
                    continue
        last = end = match.end()
        yield match.span()


def _row(text: str, end: int, gap: str) -> tuple[int, bool]:
    """Read the pairs that follow a number.

    Returns:
        Where they end, and whether they are further numbers (or there are none): a row of pages or
        weeks is no phone.
    """
    found = _PAIRS[gap].match(text, end)
    if found is None:
        return end, True
    pairs = re.findall(r"\d\d", found[0])
    if _OWN_PAIR.match(text, found.end()):
        pairs.pop()
    first = pairs[::5]
    numbers = all(pair[0] == "0" and pair != "00" for pair in first)
    if len(pairs) % 5 or not numbers:
        return end, gap == " " and _ANOTHER.match(text, end) is not None
    return found.end(), True


def _all_phones(text: str) -> Spans:
    import phonenumbers

    french = list(_french(text))
    yield from french
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
    for start, end in _between(french, _lines_with_plus(text)):
        for found in phonenumbers.PhoneNumberMatcher(text[start:end], None):
            yield start + found.start, start + found.end


def _between(taken: list[tuple[int, int]], parts: Spans) -> Spans:
    """Yield what parts hold outside spans: a number that ends where another begins is whole."""
    at = 0
    for start, end in parts:
        while at < len(taken) and taken[at][0] < end:
            if taken[at][0] > start:
                yield start, taken[at][0]
            start = max(start, taken[at][1])
            at += 1
        if start < end:
            yield start, end


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


def _is_phone(text: str, match: re.Match[str], follows: bool) -> bool:
    """Tell a phone number from lab values, page numbers, doses and other numbers."""
    number = match[0]
    if not number.startswith("0") or number.startswith("00"):
        return not number.startswith("00") or number.startswith("0033") or not number.isdigit()
    before = max(0, match.start() - 24)
    if _SURE_FORM.match(number):
        glued = "." in number and re.search(r"\w\.\Z", text[before : match.start()])
        return follows or not glued
    gap = _gap(number)
    pairs = [int(pair) for pair in re.findall(r"\d\d", number)]
    if gap == "mixed" and not _is_mixed(number, pairs):
        return False
    if not follows and not _begins(text, before, match.start(), gap):
        return False
    steps = {b - a for a, b in zip(pairs, pairs[1:], strict=False)}
    if match["apart"] is not None:  # 0 1 12 24 36 48: weeks, scores
        in_steps = len(steps) == 1 and abs(max(steps)) <= 12
        return not in_steps and not any(all(p % n == 0 for p in pairs) for n in (5, 6, 7))
    in_steps = len(steps) == 1 and max(steps) <= 10
    in_fives = all(p % 5 == 0 for p in pairs) and min(steps) > 0
    return not in_steps and not in_fives  # 05 10 15 20 25: doses, dates


def _begins(text: str, before: int, start: int, gap: str) -> bool:
    """Return whether a number may begin here: nothing before it goes on in it."""
    if _OWN_BEFORE.search(text, before, start):
        return True
    row = _PAIR_BEFORE.get(gap, _PAIR_BEFORE[" "])
    return row.search(text, before, start) is None


def _is_slashed(match: re.Match[str]) -> bool:
    """Tell "01/42/34/56/78" from vertebrae and days: two of its pairs are above 31."""
    return match["slashed"] is not None and sum(pair > "31" for pair in match[0].split("/")) > 1


def _is_mixed(number: str, pairs: list[int]) -> bool:
    """Tell a number with several gaps from dates ("03.04-05.06.12") and hours ("08.30-12.30")."""
    gaps = re.split(r"\d\d", number)[1:-1]
    if "" in gaps:  # "06 11 22 3344"
        return number[1] in "67" and len({_class(gap) for gap in gaps} - {""}) == 1
    if pairs[2] <= 12 and _class(gaps[0]) == _class(gaps[2]):
        return False  # 05-98 06-99: months
    return max(pairs[1], pairs[3]) > 59 or pairs[2] > 31


def _gap(number: str) -> str:
    """Return what stands between the pairs of a number: the class, or "mixed"."""
    gaps = {_class(gap) for gap in re.split(r"\d\d", number)[1:-1]}
    return gaps.pop() if len(gaps) == 1 else "mixed"


def _class(gap: str) -> str:
    if not gap or gap.isspace():
        return " " if gap else ""
    return ("." if gap == "." else ". ") if "." in gap else "-"
