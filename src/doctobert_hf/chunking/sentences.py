"""Sentences of French text, as character spans."""

from __future__ import annotations

import re

from doctobert_hf.chunking.abbreviations import is_abbreviation
from doctobert_hf.chunking.boundaries import Level, iter_boundaries
from doctobert_hf.errors import UsageError

_NO_SPACE = re.compile(
    r"[.!?…](?=[A-ZÀ-Ý—–])(?:"
    r"(?=(?P<word>[A-ZÀ-Ý][a-zœà-ÿ]+)(?:['’ ]|(?:[-'’][^\W\d_]+)*[,;:)]?\.?(?:\s|\Z))"
    r"|[A-ZÀ-Ý]['’]|[AÀY] )|[—–](?=\s[A-ZÀ-Ý])"
    r"|(?=(?P<mixed>[A-Z][a-z]*[A-Z0-9][^\W_]*)[,;:)]?\.?(?:\s|\Z)))"
)
_LOST = 40
_BEFORE_NO_SPACE = re.compile(
    r"(?:[^\W\d_]{2}|\d\s?[hjgmsLl]|\d[^\W\d_]|\w\)|\d{3}|\s(?=[!?])"
    r"|[%€]|°[CF]?|\w\s?»|\d[^\s.]{0,8}/[^\W\d_]{1,3}|\w\s?[.!?…]+(?=[!?…]))[.!?…]\Z"
    r"|\w\s?(?:\.{2,}|…)\Z"
)
"""An end whose space was lost: "arrêté.Pas de récidive", "72kg.Il mesure", "48 h.Puis arrêt"."""
_BEFORE_MIXED = re.compile(
    r"(?:(?:\A|[\s(\[’'-])[^\W\d_]*[^\W\dA-Z_][^\W\d_]{2,}|\A[A-Z]{4,}|\s[A-Z]{4,}|\w\)|%)[.!?…]+\Z"
)
"""What an acronym stands behind: "normal.IRM prévue", and no name of a file or a site."""
_VALUE = re.compile(
    r"(?:[^\s.!?:;•·*-]\s(?:[<>≤≥≈~=]\s?)?|=\s?)(?P<number>\d+(?:[.,/]\d+)*)\.\Z|(?:\A|[\s(’'])[^\W\d_][^\W_]*\d\.\Z"
)
"""A value at an end: "INR 2.5.Plaquettes", "Retrait à J2.Sortie", and no item's number."""
_ADDRESS = re.compile(r"(?:www\.|://|@|(?<!\S)~?/)\S*\Z")
_EXTENSIONS = frozenset(
    """AVI BMP COM CSV DCM DOC DOCX EXE FR GIF HTM HTML JPEG JPG JS JSON MP3 MP4 NET ODT ORG PDF
    PHP PNG PPT PPTX RTF TIF TIFF TXT XLS XLSX XML ZIP""".split()
)
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
    cuts.update(found.end() for found in _NO_SPACE.finditer(text) if _is_glued_end(text, found))
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


def _is_glued_end(text: str, found: re.Match[str]) -> bool:
    """Tell an end whose space was lost from stops inside names, addresses and numbers."""
    stop = found.start()
    left = text[max(0, stop - _LOST) : stop + 1]
    value = _VALUE.search(left)
    before = _BEFORE_MIXED if found["mixed"] else _BEFORE_NO_SPACE
    if not (value or before.search(left)):
        return False
    if (found["mixed"] or found["word"] or "").upper() in _EXTENSIONS:
        return False
    if _ADDRESS.search(left) or (value and _is_glued_item(text, stop, value["number"])):
        return False
    glued_dash = found.end() > stop + 1  # "Résumé.— Nous rapportons"
    ended = glued_dash or text[stop] != "." or text[stop - 1] == "."
    return ended or not is_abbreviation(text, stop, found.end())


def _is_glued_item(text: str, stop: int, number: str | None) -> bool:
    """Tell an item's number by its neighbours': "1.HTA 2.Diabète 3.Asthme"."""
    if number is None or not number.isdigit() or len(number) > 2:
        return False
    before = re.search(rf"(?<![\d.,]){int(number) - 1}\.[^\W\d_]", text[max(0, stop - 200) : stop])
    after = re.search(rf"(?<![\d.,]){int(number) + 1}\.[^\W\d_]", text[stop : stop + 200])
    return before is not None or after is not None
