"""Personal data in a text, counted by kind. Nothing is changed or dropped.

Patterns are for French texts: they find what has a form of its own, not names of persons.
"""

from __future__ import annotations

import re

PATTERNS = {
    "email": re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-zA-Z]{2,}(?!\w)"),
    "phone": re.compile(
        r"(?<![\d+])(?:\+33[ .-]?(?:\(0\))?|0033[ .-]?|0)[1-9](?:[ .-]?\d{2}){4}(?!\d)"
    ),
    "social_security": re.compile(
        r"(?<!\d)[12][ .-]?\d{2}[ .-]?(?:0[1-9]|1[0-2]|[2-9]\d)[ .-]?(?:\d{2}|2[AB])"
        r"[ .-]?\d{3}[ .-]?\d{3}[ .-]?\d{2}(?!\d)"
    ),
    "iban": re.compile(r"(?<!\w)FR\d{2}(?: ?[0-9A-Z]{4}){5} ?[0-9A-Z]{3}(?!\w)"),
    "birth_date": re.compile(
        r"(?<!\w)née? le (?:\d{1,2}[/. -]\d{1,2}[/. -]\d{2,4}|\d{1,2}(?:er)? [a-zéû]+ \d{4})",
        re.IGNORECASE,
    ),
    "postal_address": re.compile(
        r"(?<!\w)\d{1,4}(?: ?(?:bis|ter))?,? "
        r"(?:rue|avenue|boulevard|place|allée|chemin|impasse|quai) [^\n,;.]{3,60}"
        r"[,\n ]+\d{5}(?!\d)",
        re.IGNORECASE,
    ),
    "ip_address": re.compile(r"(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?!\.?\d)"),
}
_NEEDED = {"email": "@", "iban": "FR", "birth_date": "né"}
"""What a text must hold for a kind to be there: a look that costs next to nothing."""


def count_personal_data(text: str) -> dict[str, int]:
    """Matches of each kind; a social security number must have its right key.

    Returns:
        ``email, phone, social_security, iban, birth_date, postal_address, ip_address``.
    """
    found = {}
    for kind, pattern in PATTERNS.items():
        matches = pattern.findall(text) if _NEEDED.get(kind, "") in text else []
        if kind == "ip_address":
            matches = [match for match in matches if max(map(int, match.split("."))) < 256]
        if kind == "social_security":
            matches = [match for match in matches if _has_key(match)]
        found[kind] = len(matches)
    return found


def _has_key(number: str) -> bool:
    """Whether the last two digits are 97 minus the rest modulo 97 (2A and 2B: Corsica)."""
    bare = re.sub(r"\W", "", number).upper()
    digits = bare.replace("2A", "19").replace("2B", "18")
    return digits.isdigit() and 97 - int(digits[:13]) % 97 == int(digits[13:])
