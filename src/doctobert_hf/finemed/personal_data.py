"""Personal data in French text: found by form and by what stands before it.

Numbers are checked where they have a key (python-stdnum: social security, IBAN) or a plan
(phonenumbers). Names are found after a title or a field's name only. Rules do not find everything:
a name in running text, a nickname, a rare disease in a small village stay. What leaves a hospital
needs a model and a reader besides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from doctobert_hf.errors import UsageError
from doctobert_hf.finemed.personal_births import find_births
from doctobert_hf.finemed.personal_contacts import find_emails, find_ips
from doctobert_hf.finemed.personal_names import find_names
from doctobert_hf.finemed.personal_numbers import REGISTERS, find_bank, find_social_security
from doctobert_hf.finemed.personal_phones import find_phones
from doctobert_hf.finemed.personal_places import Spans, find_addresses

KINDS = ("email", "phone", "social_security", "iban", "birth_date", "postal_address", "ip_address",
         "rpps", "adeli", "finess", "ipp", "name")  # fmt: skip


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


CHECKED = ("social_security", "iban")
"""Kinds whose numbers have a key: such a number is what it is, whatever stands before it."""


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
    found: dict[int, Finding] = {}  # by the first character
    marked = bytearray(len(composed))
    for kind, finder in _FINDERS:
        for start, end in finder(composed):
            if any(marked[start:end]):
                within = [found[place] for place in range(start, end) if place in found]
                rest = sum(marked[start:end]) - sum(one.end - one.start for one in within)
                # "hospitalisation⏎1 85 05 ...": not a visit's number, but the whole NIR's.
                if kind not in CHECKED or rest or any(one.end > end for one in within):
                    continue
                for one in within:
                    del found[one.start]
            found[start] = Finding(start, end, kind)
            marked[start:end] = b"\1" * (end - start)
    taken = sorted(found.values(), key=lambda finding: finding.start)
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


_FINDERS: tuple[tuple[str, Callable[[str], Spans]], ...] = (
    ("email", find_emails),
    *REGISTERS,
    ("social_security", find_social_security),
    ("iban", find_bank),
    ("birth_date", find_births),
    ("postal_address", find_addresses),
    ("phone", find_phones),
    ("ip_address", find_ips),
    ("name", find_names),
)
