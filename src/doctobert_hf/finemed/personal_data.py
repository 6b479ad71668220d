"""Personal data in French text: found by form and by what stands before it.

Numbers are checked where they have a key (python-stdnum: social security, IBAN) or a plan
(phonenumbers). Names are found after a title or a field's name only. Rules do not find everything:
a name in running text, a nickname, a rare disease in a small village stay. What leaves a hospital
needs a model and a reader besides.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from doctobert_hf.errors import UsageError
from doctobert_hf.finemed.personal_names import find_names
from doctobert_hf.finemed.personal_places import DASH as _DASH, SPACE as _S, Spans, find_addresses

KINDS = ("email", "phone", "social_security", "iban", "birth_date", "postal_address", "ip_address",
         "rpps", "adeli", "finess", "ipp", "name")  # fmt: skip
_PUNCTUATION = f"(?:{_S}|[./]|{_DASH})"


@dataclass(frozen=True)
class Finding:
    """A piece of personal data.

    Attributes:
        start: First character.
        end: Character behind the last.
        kind: One of :data:`KINDS`.
    """

    start: int
    end: int
    kind: str


def find_personal_data(text: str) -> list[Finding]:
    """Find personal data.

    Returns:
        Findings in order, none inside another.

    Raises:
        UsageError: Not a string, or the extra ``finemed`` is missing.
    """
    if not isinstance(text, str):
        raise UsageError(f"A {type(text).__name__}", "a string", "Call it for each text")
    _require()
    composed, places = _composed(text)
    taken: list[Finding] = []
    marked = bytearray(len(composed))
    for kind, finder in _FINDERS:
        for start, end in finder(composed):
            if not any(marked[start:end]):
                taken.append(Finding(start, end, kind))
                marked[start:end] = b"\1" * (end - start)
    taken.sort(key=lambda finding: finding.start)
    if places is None:
        return taken
    return [Finding(places[f.start], places[f.end], f.kind) for f in taken]


def _composed(text: str) -> tuple[str, list[int] | None]:
    """The text with accents composed, and where each of its characters stood.

    Returns:
        The text, and places (one more than characters); None where it was composed already.
    """
    if unicodedata.is_normalized("NFC", text):
        return text, None
    pieces, places = [], []
    for cluster in _CLUSTER.finditer(text):
        piece = unicodedata.normalize("NFC", cluster[0])
        pieces.append(piece)
        places += [cluster.start()] * len(piece)
    return "".join(pieces), [*places, len(text)]


_CLUSTER = re.compile(r"[^\u0300-\u036f][\u0300-\u036f]*|[\u0300-\u036f]+", re.DOTALL)


def count_personal_data(text: str) -> dict[str, int]:
    """Count personal data by kind.

    Args:
        text: A document.

    Returns:
        A number for each of ``email, phone, social_security, iban, birth_date, postal_address,
        ip_address, rpps, adeli, finess, ipp, name``. Bank cards and RIBs count as ``iban``, a SIRET
        as ``finess``; visit numbers, passports and number plates as ``ipp``.

    Example:
        >>> found = count_personal_data("Mme Petit, née le 12/03/1956, tél. 01 42 34 56 78")
        >>> {kind: number for kind, number in found.items() if number}
        {'phone': 1, 'birth_date': 1, 'name': 1}
    """
    counts = dict.fromkeys(KINDS, 0)
    for finding in find_personal_data(text):
        counts[finding.kind] += 1
    return counts


def _require() -> None:
    try:
        import phonenumbers  # noqa: F401
        import stdnum  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"Personal data needs {error.name}",
            "it installed",
            "Install it: pip install 'doctobert-hf[finemed]'",
        ) from error


def _plain(pattern: str, flags: int = 0, group: int | str = 0) -> Callable[[str], Spans]:
    compiled = re.compile(pattern, flags)

    def find(text: str) -> Spans:
        for match in compiled.finditer(text):
            yield match.span(group)

    return find


# ------------------------------------------------------------------------------------- numbers

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


def _social_security(text: str) -> Spans:
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


def _bank(text: str) -> Spans:
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


def _phones(text: str) -> Spans:
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


# --------------------------------------------------------------------------------------- dates

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


def _births(text: str) -> Spans:
    for match in _BIRTH.finditer(text):
        word = match[0].split()[0]
        if word.lower() == "ne" and word != "NE" and not _NE_LE.match(match[0]):
            continue  # the negation: "ne ... 12/03/2020"
        yield match.span("date")


# ------------------------------------------------------------------------------- where and who

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


def _emails(text: str) -> Spans:
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


def _ips(text: str) -> Spans:
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


def _keyed(words: str, number: str) -> Callable[[str], Spans]:
    """A number that only what stands before it tells."""
    return _plain(
        rf"(?<!\w)(?:{words})(?:{_S}*(?:n°|num[ée]ro|no\.?|:|=|/|est|(?:du|de{_S}la|de{_S}l['’]|d['’]){_S}?[^\W\d_]{{3,15}})){{0,3}}{_S}*(?P<number>{number})(?!\w)",
        re.IGNORECASE,
        "number",
    )


_FINDERS: tuple[tuple[str, Callable[[str], Spans]], ...] = (
    ("email", _emails),
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
    ("social_security", _social_security),
    ("iban", _bank),
    ("birth_date", _births),
    ("postal_address", find_addresses),
    ("phone", _phones),
    ("ip_address", _ips),
    ("name", find_names),
)  # fmt: skip
