"""Sentences of French text, as character spans."""

from __future__ import annotations

import re

from doctobert_hf.chunking.abbreviations import is_abbreviation
from doctobert_hf.chunking.boundaries import Level, iter_boundaries
from doctobert_hf.errors import UsageError

_NO_SPACE = re.compile(
    r"[.!?](?:(?=[A-ZÀ-Ý][a-zà-ÿ]+(?:['’ ]|\.?\Z)|[A-ZÀ-Ý]['’]|[AÀY] )|[—–](?=\s[A-ZÀ-Ý]))"
)
_BEFORE_NO_SPACE = re.compile(
    r"(?:[^\W\d_]{2}|\d\s?[hjgmsLl]|\d[^\W\d_]|\w\)|\d{3}|\s(?=[!?]))[.!?]\Z"
)
"""An end whose space was lost: "arrêté.Pas de récidive", "72kg.Il mesure", "48 h.Puis arrêt"."""
_DASH = re.compile(r"[—–]\s+(?=[A-ZÀ-Ý0-9])")


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Split a French text into sentences.

    Known are abbreviations and titles (``Dr.``, ``cf.``, ``i.v.``), decimals, item and section
    numbers, list items, ellipses and quotes; a line break ends a sentence unless the text is
    wrapped at a width. Figures beside other splitters: ``benchmarks/sentences.py``.

    Args:
        text: A document of any length.

    Returns:
        Spans ``(start, end)`` in order, in characters, end excluded, without the white space
        between them.

    Raises:
        UsageError: Not a string.

    Example:
        >>> text = "Le Dr. Martin prescrit 2.5 mg i.v. Il revient lundi."
        >>> [text[a:b] for a, b in split_sentences(text)]
        ['Le Dr. Martin prescrit 2.5 mg i.v.', 'Il revient lundi.']
    """
    if not isinstance(text, str):
        raise UsageError(f"A {type(text).__name__}", "a string", "Call it for each text")
    cuts = {
        position
        for position, level in iter_boundaries(text, 0, len(text), sentences_only=True)
        if level >= Level.SENTENCE
    }
    for found in _NO_SPACE.finditer(text):
        stop = found.start()
        if not _BEFORE_NO_SPACE.search(text, max(0, stop - 3), stop + 1):
            continue
        glued_dash = found.end() > stop + 1  # "Résumé.— Nous rapportons"
        if glued_dash or text[stop] != "." or not is_abbreviation(text, stop, found.end()):
            cuts.add(found.end())
    spans, begin = [], 0
    for cut in [*sorted(cuts), len(text)]:
        dash = _DASH.match(text, cut) if cut < len(text) and text[cut - 1] == " " else None
        if dash and text[max(0, cut - 4) : cut].rstrip()[-1:] in ("?", "!"):
            dash = None  # "Ça va ? – Oui": an answer
        if dash and not text.startswith(("—", "–"), begin):  # there each dash begins a turn
            cut = dash.end()  # "Fièvre. — Le patient": the dash is the first one's
        piece = text[begin:cut]
        kept = piece.strip()
        if kept:
            start = begin + len(piece) - len(piece.lstrip())
            spans.append((start, start + len(kept)))
        begin = max(begin, cut)
    return spans
