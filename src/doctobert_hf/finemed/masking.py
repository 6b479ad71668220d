"""Personal data of a text replaced by placeholders, with offsets of what was replaced."""

from __future__ import annotations

import re
from typing import Any

from doctobert_hf.finemed.personal_data import Finding, find_personal_data

PLACEHOLDERS = {
    "email": "|||EMAIL|||",
    "phone": "|||PHONE_NUMBER|||",
    "birth_date": "|||DATE|||",
    "postal_address": "|||ADDRESS|||",
    "name": "|||PATIENT_NAME|||",
}
"""Those that the published tokenizers have as single tokens; other kinds are ``|||KIND|||``."""
_PHYSICIAN = re.compile(
    r"(?:Dr|DR|Dre|Docteure?|DOCTEUR|Pr|PR|Prof\w*|PROF\w*|[Mm][ée]decin[^:\n]{0,20}:)\.?\s*\Z"
)


def deidentify(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Replace personal data by placeholders.

    Args:
        text: A document.

    Returns:
        The text with placeholders, and what was replaced, in order: ``start, end`` (characters of
        the text as given, end excluded), ``kind`` and ``replacement``.

    Raises:
        UsageError: Not a string, or the extra ``finemed`` is missing.

    Example:
        >>> deidentify("Vu par le Dr MARTIN, tél. 01 42 34 56 78.")[0]
        'Vu par le Dr |||PHYSICIAN|||, tél. |||PHONE_NUMBER|||.'
    """
    pieces, replaced, at = [], [], 0
    for finding in find_personal_data(text):
        placeholder = _placeholder(text, finding)
        pieces += [text[at : finding.start], placeholder]
        at = finding.end
        replaced.append(
            {
                "start": finding.start,
                "end": finding.end,
                "kind": finding.kind,
                "replacement": placeholder,
            }
        )
    return "".join([*pieces, text[at:]]), replaced


def _placeholder(text: str, finding: Finding) -> str:
    before = text[max(0, finding.start - 30) : finding.start]
    if finding.kind == "name" and _PHYSICIAN.search(before):
        return "|||PHYSICIAN|||"
    return PLACEHOLDERS.get(finding.kind, f"|||{finding.kind.upper()}|||")
