"""What looks like a secret: tokens, keys and passwords by their form, or by the word before them.

Our own forms (:mod:`.forms`) come first, then those of a kept scanner (:mod:`.scanner`).

A finding never quotes a secret: it is masked, and named by a fingerprint, by which ``--allow`` lets
it pass where it is none.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from doctobert_hf.hub.stage import forms, tables
from doctobert_hf.hub.stage.escapes import undone
from doctobert_hf.hub.stage.scanner import scanned

_SAMPLE = re.compile(
    rb"(?i)your|example|placeholder|password|mot_?de_?passe|changeme|dummy|redact|\*{3}|x{4,}|\.{3}"
)
_DOCUMENTED = re.compile(rb"(?i)x{8,}|\.{3}|EXAMPLE(?:KEY)?$")
_SAMPLE_PASSWORD = re.compile(rb"(?i):(?:pass(?:wd)?|pw|pwd|secret|token|key|mdp)@")
_BASE64 = re.compile(rb"(?!.*/[A-Za-z]?[a-z]{2,}(?:/|$))(?=.*[A-Z])/[A-Za-z0-9+/]{31,}={0,2}")
_SLUG = re.compile(rb"[A-Za-z]+(?:[-_.](?:[A-Za-z]+\d{0,8}|\d{1,4}))+")
_ABOUT = re.compile(
    rb"(?i)[\w-]{0,40}(?:pass(?:word|wd|phrase)|pwd|mdp|secret|key|token)[_.-]"
    rb"(?:policy|rules?|hint|strength|type|format|label|level|length|help|field)\b"
)
"""What says something of passwords, and not one."""
_PARTS = re.compile(rb"(?:[A-Z0-9]{4}-){3,}[A-Z0-9]{4}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_LEAST_ENTROPY = 2.9
_LONGEST_WORD = 13


@dataclass(frozen=True)
class Secret:
    """Something that looks like a secret.

    Attributes:
        kind: What it looks like.
        masked: Its beginning, and how long it is.
        fingerprint: 12 hexadecimal digits of its SHA-256: the same wherever it stands.
    """

    kind: str
    masked: str
    fingerprint: str


def find_secrets(content: bytes, tokens: Iterable[str] = ()) -> list[Secret]:
    """Find what looks like a secret.

    Args:
        content: A text, in UTF-8.
        tokens: Tokens in use, sought as they are.

    Returns:
        Each once, in the order of kinds.
    """
    found: dict[str, Secret] = {}
    for token in tokens:
        if token and token.encode() in content:
            secret = _secret("the token in use", token.encode())
            found[secret.fingerprint] = secret
    content = undone(content)
    own = dict.fromkeys(_values(content))
    known = b"\n".join(value for _, value in own)
    others = [
        (kind, word.encode())
        for kind, word in scanned(content.decode("utf-8", "replace"))
        if not _DOCUMENTED.search(word.encode())
        and word.encode() not in known  # the same, cut elsewhere
    ]
    for kind, value in [*own, *others]:
        secret = _secret(kind, value)
        found.setdefault(secret.fingerprint, secret)
    return list(found.values())


def _values(content: bytes) -> Iterator[tuple[str, bytes]]:
    for kind, pattern, judge in _DETECTORS:
        for match in pattern.finditer(content):
            value = next((group for group in match.groups() if group), match[0])
            if judge(value) and not _ABOUT.match(match[0]):
                yield kind, value
    for cell in tables.cells(content):
        if _told(cell) and b" " not in cell:
            yield "a password in a table", cell


def _undocumented(value: bytes) -> bool:
    """Return whether a token is no placeholder: vendors' manuals write EXAMPLE, or xxxx."""
    return not _DOCUMENTED.search(value)


def _no_words(value: bytes) -> bool:
    """Return whether a key is more than words and numbers joined by hyphens."""
    return (_jumbled(value) or not _SLUG.fullmatch(value)) and _undocumented(value)


def _no_slug(value: bytes) -> bool:
    """Return whether a key is no address of an article, whose words are short."""
    longest = max(map(len, re.split(rb"[-_]", value)))
    return longest > _LONGEST_WORD and _drawn(value) and _undocumented(value)


def _drawn(value: bytes) -> bool:
    """Return whether characters are drawn at random: several digits, or cases that change often."""
    return len(re.findall(rb"\d", value)) >= 2 or (len(value) >= 20 and _jumbled(value))


def _jumbled(value: bytes) -> bool:
    """Return whether the kind of character changes more often than in words, CamelCase too.

    Example:
        >>> _jumbled(b"iL7fuq1ooVAD"), _jumbled(b"WindowsServer10Pro")
        (True, False)
    """
    runs = re.findall(rb"[a-z]+|[A-Z]+|\d+|[^A-Za-z\d]+", value)
    return len(runs) - 1 >= 0.4 * len(value)


def _unspeakable(value: bytes) -> bool:
    """Return whether what follows a word for a password is one, and no word of the sentence."""
    value = value.rstrip(b".,:;)")
    letters = re.search(rb"[A-Za-z]", value) and re.search(rb"\d", value)
    odd = _jumbled(value) or re.search(rb"[!#$%&*+?@^~]", value)
    # No dose, as 7.5mg/m2, and no bytes of weights.
    plain = re.fullmatch(rb"[!-~]{8,64}", value) and not re.search(rb"[./]", value)
    return bool(letters and odd and plain and _random(value))


def _mixed(value: bytes) -> bool:
    """Return whether letters and digits, of both cases where there are any, are mixed."""
    capitals = re.search(rb"[A-Z]", value)
    small = value.startswith(b"SCW") or re.search(rb"[a-z]", value[3:])
    return bool(capitals and small) and _no_slug(value)


def _no_sample(value: bytes) -> bool:
    """Return whether an address holds a password and not a word for one."""
    return not (_SAMPLE.search(value.rsplit(b"@", 1)[0]) or _SAMPLE_PASSWORD.search(value))


def _random(value: bytes) -> bool:
    """Return whether a value behind a keyword is no word, path, call or placeholder."""
    # What a shell puts in is no part of a secret; what stands before it may be one.
    value = re.sub(rb"\$[A-Za-z_]\w*\Z", b"", value.rstrip(b".,:\\*"))
    if len(value) < 8 or _SAMPLE.search(value) or not re.search(rb"[A-Za-z]", value):
        return False
    if value.startswith((b"http://", b"https://", b"/", b"./", b"~/", b"--")):
        return bool(_BASE64.fullmatch(value)) and len(re.findall(rb"\d", value)) > 3
    if not re.search(rb"[\d!#%&*+?@^~]|[a-z][A-Z]", value) or re.fullmatch(
        rb"[a-z_.]+\d{0,2}", value
    ):
        return False
    kinds = (rb"[a-z]", rb"[A-Z]", rb"\d")
    less = 0.9 if len(value) < 16 and all(re.search(one, value) for one in kinds) else 0.6
    return _entropy(value) >= min(_LEAST_ENTROPY, math.log2(len(value)) - less)


def _header(value: bytes) -> bool:
    """Return whether what stands behind "token" or "basic" is no address's words."""
    return _random(value) and not _SLUG.fullmatch(value)


def _told(value: bytes) -> bool:
    """Return whether a value in a sentence is no word of it: it has digits within."""
    return bool(re.search(rb"\d", value)) and _random(value)


def _said(value: bytes) -> bool:
    """Return whether what a sentence says a password is, is one: no words joined by hyphens."""
    return _told(value) and not re.fullmatch(rb"[a-z]+(?:-[a-z]+)+(?:-\d{1,4})?[.,]?", value)


def _key(value: bytes) -> bool:
    """Return whether a value is a key by itself: long, of one alphabet, letters and digits."""
    if not re.fullmatch(rb"[A-Za-z0-9+/=_.~-]{16,}", value) or not _drawn(value):
        return False
    if not (re.search(rb"[a-z].*[A-Z]|[A-Z].*[a-z]", value) or _no_slug(value)):
        return bool(_PARTS.fullmatch(value))
    return _random(value)


def _key_of_section(value: bytes) -> bool:
    """Return whether a value is a key by itself, and no word or SHA-256 of a file."""
    return _told(value) and _key(value) and not re.fullmatch(rb"[0-9a-f]{64}", value)


_TABLES = (forms.PLAIN, forms.NO_WORDS, forms.NO_SLUGS, forms.MIXED, forms.ADDRESSES)
_DETECTORS = [
    (kind, re.compile((left + f"(?:{pattern})").encode()), judge)
    for left, judge, lines in (
        (forms.LEFT, _undocumented, forms.table(forms.PLAIN)),
        (forms.LEFT, _no_words, forms.table(forms.NO_WORDS)),
        (forms.LEFT, _no_slug, forms.table(forms.NO_SLUGS)),
        (forms.LEFT, _mixed, forms.table(forms.MIXED)),
        (forms.LEFT, _no_sample, forms.table(forms.ADDRESSES)),
        ("", _random, [("a key or password", forms.KEYED)]),
        ("", _header, [("a header", forms.HEADER)]),
        ("", _random, [("a login", forms.LOGINS), ("a password of a command", forms.COMMANDS)]),
        ("", _random, [("a password of a command", forms.TOOLS)]),
        ("", _told, [("a password of a section", forms.SECTION_PASSWORDS)]),
        ("", _key_of_section, [("a key of a section", forms.SECTIONS)]),
        ("", _random, [("a password in a call", forms.CALLS)]),
        ("", _said, [("a password in a sentence", forms.PROSE)]),
        ("", _unspeakable, [("a password behind its word", forms.BARE)]),
        ("", _undocumented, [("a password of a mailer", forms.MAIL)]),
        ("", _key, [("a key", forms.OTHER_KEYED), ("a key of a client", forms.CLIENTS)]),
    )
    for kind, pattern in lines
]

SUSPICIOUS = (
    "|".join(forms.loosened(p) for lines in _TABLES for _, p in forms.table(lines)),
    forms.loosened(forms.NEAR),
    forms.loosened(forms.NEXT),
)
"""Patterns for RE2 by which columns are searched first: the same forms, wherever they begin.

They are sought where escapes are undone (:mod:`.escapes`), in bytes, and find all that
:func:`find_secrets` finds, and more.

Three, as each fits RE2's memory: one of all takes ten times as long.
"""

SECRET_NAMES = re.compile(f"(?i:{tables.NAMES})")
"""Columns whose values are secrets where they look like one."""


def _entropy(value: bytes) -> float:
    counts = Counter(value)
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())


def _secret(kind: str, value: bytes) -> Secret:
    shown = value[:4].decode("ascii", "replace")
    fingerprint = hashlib.sha256(value).hexdigest()[:12]
    return Secret(kind, f"{shown}… ({len(value)} characters)", fingerprint)
