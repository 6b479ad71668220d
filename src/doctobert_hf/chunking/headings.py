"""Places that a chunk must not end at: behind a heading, and between a name and its value."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

_TAIL = 160
_LINE_START = re.compile(r"[\n\r\x0b\x0c\x85\u2028\u2029]")
_MARKDOWN = re.compile(r"#{1,6}[ \t]+\S")
_NUMBERED = re.compile(r"(?:\d{1,2}(?:\.\d{1,2})*\.?|[IVX]{1,4}[.)])[ \t\u00a0]+[^\W\d_][^.!;]*\Z")
_MARKED_UP = re.compile(
    r"(?P<mark>\*\*|__)(?![*_\s])[^*\n]{1,78}(?P=mark)\Z"
    r"|<(?P<tag>h[1-6]|b|strong)(?:\s[^<>]*)?>[^<>]+</(?P=tag)>\Z",
    re.IGNORECASE,
)
"""A line that is bold, or a heading of HTML."""
_UNDERLINE = re.compile(r"(?:-{3,}|={3,})[ \t]*(?=[\n\r]|\Z)")
_ONE_WORD = re.compile(r"[A-ZÀ-ÖØ-Þ]{6,}\Z")
_CHAPTER = re.compile(r"[IVXLC]{1,7}\.?\Z")
# "2. QUELLES SONT LES INFORMATIONS A CONNAITRE ?", also where its line break was lost.
_CAPITALS = re.compile(
    r"(?:\A|[\s.?!:;])((?:\d{1,2}(?:\.\d{1,2})*\.?\s+)?[^\Wa-zà-öø-ÿ_][^a-zà-öø-ÿ]*)\Z"
)
_LETTERS = re.compile(r"[^\W\d_]")
_WORD_START = re.compile(r"\S")
_VALUE = re.compile(
    r"[<>≤≥±+=-]?\s?\d+(?:[.,]\d+)?(?![\d.)]*[.)]\s)"
    r"|(?:(?:A|B|AB|O)\s+)?(?:positi(?:f|ve)|n[ée]gati(?:f|ve)|normale?|absente?|pr[ée]sente?|oui|non|"
    r"RAS)s?[ \t.;,]*(?=[\n\r]|\Z)",
    re.IGNORECASE,
)
_NAME = re.compile(r"[^\W\d_][^\n\r.!?;,]*[\w)%]\Z")
"""What a value may belong to: "Plaquettes (G/l)", "Vitamine B12"."""
_NAMED_VALUE = re.compile(r"[^\W\d_][^\n\r.!?;,]{0,40}[\w)%](?:\s?:)?[ \t]*[\n\r]{1,2}")
# "4. Quels sont les effets ?", "3. COMMENT PRENDRE ATENOLOL 50 mg, comprimé ?": the answer is what
# follows. A turn of a dialogue is none.
_QUESTION = re.compile(
    r"(?:(?:\A|[\s·])\d{1,2}(?:\.\d{1,2})*\.?\s+[A-ZÀ-Ý]|(?:\A|[.!?…]\s+|\n)"
    r"(?:Qu|Comment|Pourquoi|Quand|Combien|Où|Dans\s+quel|[AÀ]\s+qu|De\s+qu|Pour\s+qu|Peut-on|"
    r"Faut-il|Est-ce))[^!?—]*\?\Z"
)
_BULLETS = frozenset("•·∙▪▫◦‣●○■□◆◇▸►▶➢➤✓✔⁃\uf0b7\uf0a7\uf02d")
_LAST_MARK = re.compile(rf"[.!?…](?=\s)|[{''.join(sorted(_BULLETS))}]")
_TITLE_LINE = re.compile(
    r"(?:\A|\n[ \t\r]*\n|[.!?…][ \t\r]*\n|(?:\A|\n)[ \t]*[-–*+→][ \t][^\n]{1,70}\n)"
    r"((?:\d[\d.]*\s+)?[A-ZÀ-Ý][^\n{}<>=|$#;\\\t]*[\w)’'»])\Z"
)
_LINE = re.compile(r"[A-ZÀ-Ý«“][^\n\r]*")
_LOWER = re.compile(r"[a-zà-öø-ÿ]|\d")
_LONGEST_TITLE, _LEAST_PROSE = 80, 40
_LONGEST_NAME = 40
_ITEM = re.compile(r"[ \t]*(?:[-–*+→][ \t\u00a0]+|(?:1|a)[.)][ \t\u00a0]+)\S")
"""A list's item by its mark; a number or a letter only where it is the first one."""
_MARK = re.compile(r"[ \t]*([-–—*+→]|[a-z\d]{1,2}[.)])[ \t\u00a0]")
_OVER_LIST = re.compile(r"[^\W\d_a-zà-öø-ÿ][^\n\r]*[\w)’'»%]\Z")
"""A line that may introduce a list: it begins with a capital and has no mark at its end."""
_LEAST_LETTERS = 8


def binds_forward(text: str, position: int) -> bool:
    r"""Return whether what stands before a place belongs to what stands behind it.

    A heading (Markdown, underlined, bold, HTML, numbered, in capitals, a question, a short line
    below a blank one), what introduces a list, a line that ends with a colon, and a short line
    whose value is on the next ("Kaliémie" above "3,9 mmol/l").

    Args:
        text: The document.
        position: The place: the first character behind the whitespace.

    Example:
        >>> binds_forward("## Posologie\nUn comprimé.", 13)
        True
        >>> binds_forward("Un comprimé. Deux le soir.", 13)
        False
    """
    end = position
    while end > 0 and text[end - 1].isspace():
        end -= 1
    if end == 0 or position >= len(text):
        return False
    if text[end - 1] == ":":
        return True
    tail = text[max(0, end - _TAIL) : end]
    if text[end - 1] == "?":
        return _QUESTION.search(tail) is not None or _ends_in_capitals(tail)
    if text[position] in _BULLETS and _introduces(tail):
        return True
    broken = _LINE_START.search(text, end, position) is not None
    if broken and _is_title_line(text, end, position):
        return True
    if broken:
        breaks = list(_LINE_START.finditer(tail))
        if breaks or len(tail) == end:  # the whole line is in view
            line = tail[breaks[-1].end() if breaks else 0 :].strip()
            if _MARKDOWN.match(line) or _NUMBERED.match(line) or _CHAPTER.match(line):
                return True
            if _MARKED_UP.match(line) or _is_underline(tail, breaks, text, position):
                return True
            if _ONE_WORD.match(line) and _begins_prose(text, position, len(line)):
                return not is_in_capitals(text)
            if len(line) <= _LONGEST_NAME and _NAME.match(line) and _VALUE.match(text, position):
                return True
            listed = _ITEM.match(text, position) or _begins_table(text, position)
            if listed and _is_over_list(line, text[position]):
                return True
    return _ends_in_capitals(tail) and not is_in_capitals(text)


def _introduces(tail: str) -> bool:
    """Tell what stands before a list's first item from an item: "Ce que contient X · Le"."""
    before = _LAST_MARK.findall(tail)
    return bool(before) and tail[-1] not in ".!…;,»" and before[-1] not in _BULLETS


def _is_over_list(line: str, mark: str) -> bool:
    """Return whether a line introduces the list below it: "Antécédents", and no item like them."""
    own = _MARK.match(line)
    said = line[own.end() :] if own else line
    return (
        len(line) <= _LONGEST_TITLE
        and _OVER_LIST.match(said) is not None
        and _VALUE.match(said) is None
        and (own is None or own[1][0] != mark)
    )


def _begins_table(text: str, position: int) -> bool:
    """Return whether a name begins there whose value is on the next line."""
    named = _NAMED_VALUE.match(text, position)
    return named is not None and _VALUE.match(text, named.end()) is not None


def _is_title_line(text: str, end: int, position: int) -> bool:
    """Return whether the line that ends at ``end`` is a title by its place and form.

    It stands below a blank line, the end of a sentence or a list's item, is short, has no mark at
    its end and nothing of code in it, and a longer line follows that begins as a sentence does.
    """
    line = _TITLE_LINE.search(text, max(0, end - 2 * _LONGEST_TITLE), end)
    if line is None or _LOWER.search(line[1]) is None:
        return False
    return _begins_prose(text, position, len(line[1]))


def _begins_prose(text: str, position: int, longer: int) -> bool:
    """Return whether a line begins there as a sentence does, of some length."""
    following = _LINE.match(text, position, position + _LONGEST_TITLE)
    return following is not None and len(following[0]) >= max(longer, _LEAST_PROSE)


def _is_underline(tail: str, breaks: list[re.Match[str]], text: str, position: int) -> bool:
    """Return whether a place is before or behind the line that underlines a heading."""
    lines = [tail[a.end() : b.start()] for a, b in pairwise(breaks)] if breaks else []
    last = tail[breaks[-1].end() :] if breaks else tail
    above = lines[-1] if lines else tail[: breaks[0].start()] if breaks else ""
    behind = _UNDERLINE.fullmatch(last.strip()) is not None
    title = (above if behind else last).strip()
    if not title or len(title) > _LONGEST_TITLE or title[-1] in ".!…;,":
        return False
    return behind or _UNDERLINE.match(text, position) is not None


def _ends_in_capitals(tail: str) -> bool:
    if tail[-1] in ".!…":
        return False  # a sentence with a brand's name at its end
    found = _CAPITALS.search(tail)
    if found is None or len(found[1]) == len(tail) == _TAIL:
        return False
    words = found[1].split()
    return len(_LETTERS.findall(found[1])) >= _LEAST_LETTERS and len(words) > 1


class Headings:
    r"""The headings of a document that have a line of their own, and what stands below each.

    Args:
        text: The document.

    Example:
        >>> headings = Headings("## Posologie\nUn comprimé. Deux le soir.")
        >>> headings.above(20), headings.above(0)
        ('## Posologie', '')
    """

    def __init__(self, text: str) -> None:
        self._text = text
        found = list(_heading_lines(text))
        self._starts = [start for start, _ in found]
        self._lines = [line for _, line in found]
        self._words = [text.index(line, start) for start, line in found]

    def above(self, position: int) -> str:
        """Return the heading that a place stands below; empty where there is none, or at it."""
        index = bisect_right(self._starts, position) - 1
        following = self._starts[index + 1] if index + 1 < len(self._starts) else None
        # Only white space is passed over: copies of the text between would make this quadratic.
        word = _WORD_START.search(self._text, position)
        if following is not None and (word is None or word.start() >= following):
            return ""  # the next heading is what the chunk begins with
        if index < 0 or position <= self._words[index]:
            return ""
        return self._lines[index]


_TITLE = re.compile(r"(?:\d{1,2}\.(?:\d{1,2}\.?)*|[IVX]{1,4}[.)])[ \t\u00a0]+[A-ZÀ-ÖØ-Þ][^.!;]*\Z")
"""A numbered heading on a line of its own: "1 g le matin" and "15 mars" are none."""
_PERSON = re.compile(r"(?:M|MM|MME|MLLE|DR|PR)\b", re.IGNORECASE)


_ROW = re.compile(r"[^\n\r\x0b\x0c\x85\u2028\u2029]+")
_FENCE = re.compile(r"[ \t]*```[^`]*\Z")
_NUMBER = re.compile(r"\d{1,2}(?:\.\d{1,2})*")


def _follow(text: str, row: re.Match[str] | None, behind: re.Match[str] | None) -> bool:
    """Return whether a line's number and the next line's are those of two items of a list.

    They are of one depth and follow each other, with no blank line between: "4.1" below "4" is a
    part of it.
    """
    if row is None or behind is None or not _TITLE.match(behind[0].strip()):
        return False
    one, two = (_NUMBER.match(line[0].strip()) for line in (row, behind))
    if one is None or two is None or text.count("\n", row.end(), behind.start()) > 1:
        return False
    own, other = ([int(n) for n in found[0].split(".")] for found in (one, two))
    return own[:-1] == other[:-1] and own[-1] + 1 == other[-1]


def _heading_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield where the lines of headings begin, and what they say; code is passed over."""
    capitals = not is_in_capitals(text)
    rows = list(_ROW.finditer(text))
    fenced = False
    last_closer = max((n for n, row in enumerate(rows) if row[0].strip() == "```"), default=-1)
    for number, row in enumerate(rows):
        if _FENCE.match(row[0]) and (fenced or number < last_closer):
            fenced = not fenced
        line = row[0].strip()
        if fenced or not line or len(row[0]) > _TAIL:
            continue
        behind = rows[number + 1] if number + 1 < len(rows) else None
        before = rows[number - 1] if number else None
        if _TITLE.match(line) and (_follow(text, row, behind) or _follow(text, before, row)):
            continue  # items of a list
        if _is_heading(line, capitals) or (behind and _is_by_place(text, row, behind, capitals)):
            yield row.start(), line


def _is_by_place(text: str, row: re.Match[str], behind: re.Match[str], capitals: bool) -> bool:
    """Return whether a line is a heading by what stands around it."""
    line, end = row[0].strip(), row.start() + len(row[0].rstrip())
    below = behind.start() + len(behind[0]) - len(behind[0].lstrip())
    if len(line) > _LONGEST_TITLE or line[-1] in ".!…;,":
        return False
    if _UNDERLINE.fullmatch(behind[0].strip()) and not _UNDERLINE.fullmatch(line):
        return True
    if _is_title_line(text, end, below):
        return True
    above = _ONE_WORD.match(line) is not None and _begins_prose(text, below, len(line))
    listed = _ITEM.match(text, below) is not None or _begins_table(text, below)
    listed = listed and _is_over_list(line, text[below])
    return capitals and (above or (listed and line.isupper()))


def _is_heading(line: str, capitals: bool) -> bool:
    if _MARKDOWN.match(line) or _TITLE.match(line) or _MARKED_UP.match(line):
        return True
    if not capitals or not line or line[-1] in ".!…" or _PERSON.match(line):
        return False
    found = _CAPITALS.search(line)
    bare = re.sub(r"\A\d{1,2}(?:\.\d{1,2})*\.?\s+", "", line)
    return (
        found is not None
        and found[1] == line
        and len(line.split()) > 1
        and len(_LETTERS.findall(line)) >= _LEAST_LETTERS
        and not re.search(r"\d", bare)
    )


@lru_cache(maxsize=8)
def is_in_capitals(text: str) -> bool:
    """Return whether a document is written in capitals, so that they mark no heading."""
    letters = _LETTERS.findall(text[:20_000])
    return sum(letter.isupper() for letter in letters) > 0.8 * max(1, len(letters))
