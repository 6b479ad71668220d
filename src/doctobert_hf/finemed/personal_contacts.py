"""E-mail and IP addresses in French text."""

from __future__ import annotations

import contextlib
import ipaddress
import re

from doctobert_hf.finemed.personal_places import SPACE as _S, Spans
from doctobert_hf.finemed.scanning import Matches, around, scan

_SIGN_FORMS = r"(?:[@＠﹫]|&(?:#0*64|#x0*40|commat);|%40)"
_DOT = rf"(?:{_S}?\.{_S}?|{_S}?[\[({{](?:\.|dot|point)[\])}}]{_S}?|{_S}(?:dot|point){_S})"
_TOP = r"(?:fr|com|org|net|eu|be|ch|lu|ca|info|paris)(?!\w)"
"""Domains that mail ends with most: where nothing but words is there to tell."""
_ENDS_SO = re.compile(rf"{_TOP}\Z", re.IGNORECASE)
_EMAIL = re.compile(
    rf"(?:[\"“«](?=\S)[^\"“”«»\n]{{1,64}}(?<=\S)[\"”»](?={_SIGN_FORMS})|(?<![\w.+-])[\w.+-]+{_S}?){_SIGN_FORMS}{_S}?"
    rf"(?:\[?\d{{1,3}}(?:\.\d{{1,3}}){{3}}\]?|[\w-]+(?: ?\. ?[\w-]+)* ?\. ?[^\W\d_]{{2,}}(?![\w-])"
    rf"|[\w-]+(?:{_DOT}[\w-]+){{0,4}}{_DOT}{_TOP})"
    rf"|(?<![\w.+-])[\w.+-]+{_S}*(?:[\[({{<](?:at?|arobase?|à|chez|[@＠﹫])[\])}}>]|(?<=\s)(?:at|arobase?|chez)(?=\s)){_S}*"
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
    rf"[@＠﹫]|&(?:#0*64|#x0*40|commat);|%40|arobas|[\[({{<](?:at?|à|chez)[\])}}>]|_at_|-at-|\sà\s[\w-]+\spoint\s"
    # "chez" is a word of every report: only before what may be a domain
    rf"|\s(?:at|chez)\s{_S}*[\w-]+{_S}*(?:\.|[\[({{<](?:\.|dot|point)[\])}}>]|(?:dot|point)\s){_S}*[\w-]",
    re.IGNORECASE,
)
_SIGN = re.compile("[@＠﹫;%]")  # or the end of its entity; none is spoken


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
            if spoken and not before and not _is_spoken(found):
                continue  # "the service at archive.debian.org"
            start = before.start() if before else start
        yield start, match.end()


def _is_spoken(found: str) -> bool:
    """Return whether "X at Y" is an address with nothing before it: a point in X, or in its words.

    "look at chu-lille.fr" is none: a domain may hold pages. With "point" said, or a domain that
    has nothing but mail, only a verb or a place of a page stands before it otherwise.
    """
    name = found.split()[0]
    if re.search(r"[._\d]", name):
        return True
    if _BEFORE_PAGE.fullmatch(name) or not re.search(r"\sat\s", found, re.IGNORECASE):
        return False
    return _SPOKEN_POINT.search(found) is not None or _OF_MAIL.search(found) is not None


_BEFORE_PAGE = re.compile(
    r"look\w*|find|found|see|seen|visit\w*|us|me|it|them|here|online|available|accessible|posted|hosted|"
    r"published|sites?|website|pages?|is|are|was|data|file|out|up|compte|mail|e-mail|email|adresse|"
    r"service|support|account|back|read|more|information|infos?|register\w*|located|disponible|work\w*|login|log|logged",
    re.IGNORECASE,
)
_SPOKEN_POINT = re.compile(
    rf"(?:\s(?:dot|point)\s+|[\[({{](?:\.|dot|point)[\])}}]\s*){_TOP}\Z", re.IGNORECASE
)
_OF_MAIL = re.compile(
    r"\s(?:(?:(?:g|google|hot|proton|rocket)mail|outlook|live|msn|yahoo|ymail|aol|icloud|gmx)\s*\.\s*\w{2,4}"
    r"|(?:orange|wanadoo|free|sfr|neuf|laposte|bbox|club-internet|numericable|aliceadsl|voila|medimail|"
    r"apicrypt)\s*\.\s*(?:fr|net))\Z",
    re.IGNORECASE,
)


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
