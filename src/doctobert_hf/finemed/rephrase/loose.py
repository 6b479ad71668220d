"""Numbers that are loosely written: glued to a word, of a list, ordinal, a reading told by turns.

"J90et J120" is "J90 et J120", the "3)" at the beginning of a line counts nothing, and what is seen
"à la première et à la dixième minute" is seen at 1 and at 10 minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doctobert_hf.finemed.rephrase.spelled import IMPLIED, as_digits

_BEHIND = "et|ou|puis|pour|par|avec|chez|dans|soit|sous|sur|sans|au|aux|du|des|de|à|en"
_BEFORE = "de|du|des|à|et|ou|dans|par|pour|en|au|aux|les|sur|environ|avec|entre|soit|puis|chez"
_GLUED = re.compile(
    rf"(?<=\d)(?={_BEHIND}(?!\w))|(?:(?<=\s)|(?<=\A))(?P<word>{_BEFORE})(?=\d)"
    r"|(?:(?<=\s)|(?<=\A))(?P<count>dans|chez|avec|pour|par|sur)(?=(?:une?|deux|trois)(?!\w))"
)


def parted(text: str) -> str:
    """Return a text with a blank between numbers and the words that they are glued to.

    Example:
        >>> parted("à J90et J120, de15 mg, 80pour cent")
        'à J90 et J120, de 15 mg, 80 pour cent'
    """
    return _GLUED.sub(lambda match: f"{match['word'] or match['count'] or ''} ", text)


_LABELLED = re.compile(r"^([ \t]{0,8}[-*#]{0,6}[ \t]{0,8})[QR]\s?\d{1,3}(?=\s?[:.)])", re.M)
_LISTED = re.compile(
    r"(?:^[ \t]{0,8}[-*#]{0,6}[ \t]{0,8}\(?(?P<line>\d{1,2})\s?"
    r"(?:°\s?\)?|[.)-]|\.-|/)(?=[ \t]+[^\W\d])"
    r"|(?<=[.;?!]\s)\(?(?P<within>\d{1,2})\)(?=\s+[^\W\d])"
    r"|(?<=\s)(?P<slashed>\d{1,2})/(?=\s+[A-ZÀÉÊ]))",
    re.M,
)


def without_list_numbers(text: str) -> str:
    r"""Return a text with blanks where the numbers of its lists stood.

    One alone may be a value that a line's end has cut off ("un score de\n12. Il"): those count
    that begin at one, or follow each other.

    Example:
        >>> without_list_numbers("1) Toux.\n2) Fièvre à 39.")
        '   Toux.\n   Fièvre à 39.'
    """
    text = _LABELLED.sub(lambda match: " " * len(match[0]), text)
    marks = list(_LISTED.finditer(text))
    numbers = [int(mark["line"] or mark["within"] or mark["slashed"]) for mark in marks]
    first = {number: at for at, number in reversed(list(enumerate(numbers)))}
    last = {number: at for at, number in enumerate(numbers)}
    parts, end = [], 0
    for at, (mark, number) in enumerate(zip(marks, numbers, strict=True)):
        beside = first.get(number - 1, at) < at or last.get(number + 1, at) > at
        if number == 1 or beside:
            parts += [text[end : mark.start()], " " * len(mark[0])]
            end = mark.end()
    return "".join([*parts, text[end:]])


_YEARS_AND_MONTHS = re.compile(
    r"(?<![\w.,])(\d{1,3})\s*ans?\s+(?:et\s+)?(\d{1,2})\s*mois(?!\w)", re.IGNORECASE
)


def in_months(text: str, other: str) -> str:
    """Return a text with years and months as months, where the other text has as many months.

    Example:
        >>> in_months("Recul de 2 ans et 6 mois.", "Recul de 30 mois.")
        'Recul de 30 mois.'
    """
    if not _YEARS_AND_MONTHS.search(text):
        return text
    known = set(re.findall(r"(?<![\w.,])\d+(?=\s*mois(?!\w))", as_digits(other)))

    def total(match: re.Match[str]) -> str:
        months = str(12 * int(match[1]) + int(match[2]))
        return f"{months} mois" if months in known else match[0]

    return _YEARS_AND_MONTHS.sub(total, text)


_HOW_OFTEN = re.compile(
    r"(?<!\w)([^\W\d_]{4,})\s+(deux|trois|quatre|[2-9])\s+fois(?!\w)", re.IGNORECASE
)
_SEVERAL = re.compile(r"(?<!\w)(deux|trois|quatre|[2-9])\s+([^\W\d_]{4,})", re.IGNORECASE)
_SAME_VERB = 4


def as_often(text: str, other: str) -> str:
    """Return a text with what it counts told as often, where the other text tells it so.

    Example:
        >>> as_often("Elle a eu deux vomissements.", "Elle a vomi deux fois.")
        'Elle a eu vomissements deux fois.'
    """
    often = {(m[1][:_SAME_VERB].lower(), _digit(m[2])) for m in _HOW_OFTEN.finditer(other)}

    def told(match: re.Match[str]) -> str:
        known = (match[2][:_SAME_VERB].lower(), _digit(match[1])) in often
        return f"{match[2]} {match[1]} fois" if known else match[0]

    return _SEVERAL.sub(told, text) if often else text


def _digit(count: str) -> str:
    return {"deux": "2", "trois": "3", "quatre": "4"}.get(count.lower(), count)


_ENDING = rf"{IMPLIED}?(?:[èe]re?s?|ers?|res?|[èe]mes?|[èe]|nde?)"
_FIRST = re.compile(r"(?<!\w)(?<!\d )premi(?:er|[èe]re)(?!\w)", re.I)
_SECOND = re.compile(
    r"(?<!\w)seconde?(?=\s+(?:minute|heure|jour|semaine|mois|ann[ée]e)(?!\w))", re.I
)
_OF_TIME = "minute|heure|jour|semaine|mois|ann[ée]e|an"
_ALSO = (
    rf"\s*(?:,|et|ou|puis|-|à)\s*(?:(?:à|de|en|au|aux|dès)\s+)?(?:l[ae]s?\s+|l')?\d{{1,3}}{_ENDING}"
)
_ORDINAL = re.compile(
    rf"(?<![\w.,])(?P<number>\d{{1,3}}){_ENDING}(?=(?:{_ALSO}){{0,5}}\s+(?P<unit>{_OF_TIME})s?(?!\w))",
    re.I,
)
_ORDINAL_HINT = re.compile(
    rf"(?:\d\s?(?:e|è|re|er|nd)|i[eè](?:r|me)|second)\w*\s+(?:{_OF_TIME})", re.I
)


def ordinals(text: str) -> Iterator[str]:
    """Yield the times that ordinals tell: "au premier et au sixième mois" is 1 mois, 6 mois."""
    if not _ORDINAL_HINT.search(text):
        return
    text = _SECOND.sub("2e", _FIRST.sub("1e", text))
    for match in _ORDINAL.finditer(as_digits(text)):
        unit = match["unit"]
        yield f"{match['number']} {unit}{'' if unit.endswith('s') else 's'}"
