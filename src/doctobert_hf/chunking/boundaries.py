"""Where French text may be cut, and how good a place each is.

Every place is the end of a run of whitespace: the whitespace stays with what it ends. A place's
level says what ends there; cuts inside words or whitespace are no places but the chunker's last
resort.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum

from doctobert_hf.chunking.abbreviations import (
    LAST_WORD,
    LETTERED,
    LOOKBACK,
    begins_in_lower_case,
    is_abbreviation,
    starts_sentence,
)
from doctobert_hf.chunking.wrapping import is_split, is_wrapped_at

_WHITESPACE = re.compile(r"\s++")
_LINE_BREAK = re.compile(r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_NO_BREAK = frozenset("\u00a0\u202f\u2007\ufeff")

_CODE_STARTS = frozenset("{}/")
_HORIZONTAL = r"[^\S\n\r\x0b\x0c\x85\u2028\u2029]"

# Glyphs that begin an item; hyphens, asterisks and arrows do so only at the start of a line.
_BULLETS = frozenset("•·∙▪▫◦‣●○■□◆◇▸►▶➢➤✓✔⁃\uf0b7\uf0a7\uf02d")
_ENDS = frozenset(".!?…")
_SUPERSCRIPTS = "¹²³⁴⁵⁶⁷⁸⁹⁰"
_CLOSERS = frozenset(")]}»”\"'’›" + _SUPERSCRIPTS)
# Openers that close in other languages, and in typewriting: „Gut.“, ‚Gut.‘, »Gut.«, <<Bien.>>
_PAIRS = {"“": ("„", "“"), "‘": ("‚", "‘"), "«": ("»", "«"), "‹": ("›", "‹"), ">": ("<<", ">>")}
_CITATION = re.compile(
    r"(?:\[\d+(?:[,;–-]\s?\d+)*\])+\Z"
    r"|(?:(?<=[^\W\d_]{3}[.!?])|(?<=\b(?:19|20)\d\d\.)|(?<=[%)\]»]\.))(?:\(\d{1,3}(?:[,;–-]\s?\d+)*\)|\d{1,3}(?:[,–-]\d{1,3})*)\Z"
)
_CITED = re.compile(r"\[\d+(?:[,;–-]\s?\d+)*\]\s+")
_CLAUSE_ENDS = frozenset(",;:)]»–—")
# French sets a space before these: what they belong to is on the left.
_GLUED_LEFT = frozenset("?!;:»›%°)]}…")
_OPENERS = frozenset("«“„‚‹(\"[{‘'-–—")

# Whitespace that may end a sentence or more, found at the speed of the regular expression engine:
# after a sentence's end or a closing mark, before a bullet or number, or around a line break.
_NEW_LINE = r"[\n\r\x0b\x0c\x85\u2028\u2029]"
_CANDIDATE = re.compile(  # begins with one set of characters, which the engine skips to at speed
    rf"[\s](?:(?<=[{re.escape(''.join(sorted(_ENDS | _CLOSERS | set(_PAIRS))))}]\s)\s*+"
    r"|(?<=\d\s)(?:(?<=[.!?]\d\s)|(?<=[.!?]\d\d\s)|(?<=[.!?]\d\d\d\s)"
    r"|(?<=[.!?]\d[,–-]\d\s)|(?<=[.!?]\d[,–-]\d\d\s)|(?<=[.!?]\d\d[,–-]\d\d\s))\s*+"
    rf"|(?<!\s\s)\s*+(?=[{re.escape(''.join(sorted(_BULLETS)))}0-9IVX{{}}/])"
    r"|(?<=[:;]\s)\s*+(?=o\s)"
    rf"|(?<!\s\s)(?:(?<={_NEW_LINE})|{_HORIZONTAL}*+{_NEW_LINE})\s*+)"
)

# An item in lower case at a line's beginning: Word's second-level bullet, "a)", "ii)". No word of a
# wrapped sentence looks so.
_LOWER_ITEM = re.compile(rf"(?:o|[a-z]\)|[ivx]{{1,4}}\)|[a-h]\.){_HORIZONTAL}+[^\W_]")
_ITEM_NUMBER = re.compile(
    r"\(?(?:\d{1,2}(?:\.\d{1,2})*|(?:[IVX]{1,4}|[A-H])(?:\.\d{1,2})+"
    r"|[IVX]{1,4}\.[A-Ha-h](?:\.\d{1,2})*|[IVX]{1,4}|[ivx]{1,4}|[a-zA-Z])[.)]\Z"
)
_SECTION = re.compile(r"(?:[1-9]|1[0-2])(?:\.[1-9]\d?)+\.?\s+[^\W\d_]")
_SECTION_NUMBER = re.compile(r"\(?(?:[1-9]|1[0-2])(?:\.[1-9]\d?)+[.)]")
_SECTION_TOKEN = re.compile(r"(\d{1,2}(?:\.\d{1,2})+)\.?\s*\Z")
_NUMBERED_TITLE = re.compile(r"(?:\d{1,2}|[IVX]{1,4})[.)]\s+[^\W\d_]")
_CAPITALS = re.compile(r"(?:[dlDL]['’])?([^\W\d_]{2,})")
# "rubrique 4. IMPORTANT": the number belongs to the word before it.
_REFERENCES = re.compile(
    r"\b(?:rubriques?|sections?|chapitres?|paragraphes?|annexes?|points?|tableaux?|figures?|"
    r"pages?|étapes?|stades?|grades?|types?|classes?|phases?|niveaux?|groupes?|articles?)\s*\Z",
    re.IGNORECASE,
)


class Level(IntEnum):
    """What ends at a place; higher is a better place to cut."""

    ANYWHERE = 0
    WORD = 1
    CLAUSE = 2
    SOFT_LINE = 3
    """A line break inside a sentence, as in text wrapped at a column."""
    SENTENCE = 4
    LINE = 5
    """A line, or a list item: a bullet begins one even where its line break was lost."""
    PARAGRAPH = 6


def iter_boundaries(
    text: str, start: int, end: int, sentences_only: bool = False
) -> Iterator[tuple[int, Level]]:
    """Yield ``(position, level)`` of the places in ``(start, end]``, in order.

    Args:
        text: The whole document; context outside the range is looked at.
        start: First character of the range.
        end: Last position that may be yielded.
        sentences_only: Only sentence ends and higher; several times as fast.
    """
    pattern = _CANDIDATE if sentences_only else _WHITESPACE
    least = Level.SENTENCE if sentences_only else Level.ANYWHERE
    # One character more: a run that goes on beyond the range does not end inside it.
    for run in pattern.finditer(text, start, min(end + 1, len(text))):
        position = run.end()
        if start < position <= end:
            level = boundary_level(text, run.start(), position)
            if level >= least:
                yield position, level


def boundary_level(text: str, start: int, end: int) -> Level:
    """Return the level of the place after the whitespace ``text[start:end]``."""
    if start == 0 or end >= len(text):
        return Level.WORD
    before, after = text[start - 1], text[end]
    breaks = _count_breaks(text, start, end)
    if breaks > 1:
        return Level.PARAGRAPH
    if breaks == 1:
        if _LOWER_ITEM.match(text, end):
            return Level.LINE
        soft = after.islower() and before not in _ENDS and before not in ":;»" and before != "·"
        soft = soft or (before == "," and not _GREETING.search(text, max(0, start - 80), start))
        soft = soft or (after in "%‰" and before.isdigit())
        field = _NAMED.match(text, end) is not None
        named = field and _is_named_line(text, start)
        if soft or _goes_on(text, start, named) or (not field and is_split(text, start, end)):
            return Level.SOFT_LINE
        if named:
            return Level.LINE
        if is_wrapped_at(text, start, end):
            return _ends_or_goes_on(text, start, end)
        return Level.LINE
    if before in _BULLETS and (start == 1 or text[start - 2].isspace()):
        return Level.ANYWHERE  # between a bullet and its text
    if after in _BULLETS and not (after == "·" and _is_inner_dot(text, start, end)):
        return Level.LINE
    if before in ":;" and text.startswith("o ", end):
        return Level.LINE  # Word's second-level bullet
    if after in _CODE_STARTS and _begins_code_line(text, start, end):
        return Level.LINE
    if after in _GLUED_LEFT or (after in "“‘>" and _closes(text, end)):
        return Level.ANYWHERE
    if after == "." == before and not text[end + 1 : end + 2].strip():
        return Level.ANYWHERE  # an ellipsis of spaced stops
    if _ends_sentence(text, start, end):
        return Level.SENTENCE
    if (after.isdigit() or after in "IVX") and _begins_numbered_title(text, end):
        return Level.SENTENCE
    if after.isdigit() and _is_next_item(text, end):
        return Level.SENTENCE
    if all(c in _NO_BREAK for c in text[start:end]) or before in _OPENERS or _is_item(text, start):
        return Level.ANYWHERE
    return Level.CLAUSE if before in _CLAUSE_ENDS else Level.WORD


# "Cher confrère," and "Cordialement," stand on lines of their own; else a comma ends none.
_GREETING = re.compile(
    r"\b(?:ch(?:er|ère)s?|bonjour|bonsoir|monsieur|madame|mesdames|docteur|confrères?)\b"
    r"(?:[^\n\r.!?,]|\b(?:Dre?|Pr)\.){0,40},\Z|\b(?:cordialement|confraternellement),\Z",
    re.IGNORECASE,
)
_LAST_ON_LINE = re.compile(r"[^\W\d_]+[.’']?\Z")
# No line of its own ends with these: what they belong to stands on the next.
_NEVER_LAST = frozenset(
    """le la les l un une des du de d au aux en et ou par pour sur sous dans avec sans chez vers
    entre ce cette ces cet son sa ses leur leurs qui que dont depuis pendant durant selon contre
    dès jusque environ voire sauf hormis malgré parmi via est sont était étaient sera seront ont
    avait avaient très trop ne se lorsque quand si comme car mais notre votre nos vos mon ma mes
    chaque quelques plusieurs aucun aucune à dr dre pr mme mlle m mr st ste n°""".split()
)


_NAMED = re.compile(r"(?:[-*•o]\s)?[A-ZÀ-Ý][\w'’/().-]*(?: [\w'’/()-]+){0,3}\s?:\s")
"""What a line of a form begins with; also what begins many a wrapped line of text."""
_LONGEST_FIELD = 200
_VALUES = frozenset("aucun aucune sans".split())


def _is_named_line(text: str, start: int) -> bool:
    """Return whether the line that ends at ``start`` is a form's: "Poids : 72 kg"."""
    least = max(0, start - _LONGEST_FIELD)
    begin = max(text.rfind("\n", least, start), text.rfind("\r", least, start)) + 1
    return (begin > 0 or least == 0) and _NAMED.match(text, begin, start) is not None


def _goes_on(text: str, start: int, named: bool) -> bool:
    """Return whether the line that ends at ``start`` ends with an article, a title or the like.

    Args:
        text: The document.
        start: Where the line ends.
        named: Whether it and the next are lines of a form, which may end with "aucun".
    """
    word = _LAST_ON_LINE.search(text, max(0, start - 10), start)
    if word is None or (word.start() > 0 and text[word.start() - 1].isalnum()):
        return False
    raw = word[0].rstrip(".’'")
    if raw == "m" and text[max(0, word.start() - 2) : word.start()].rstrip()[-1:].isdigit():
        return False  # "1,75 m"
    if raw.lower() in _VALUES:
        lead = text[max(0, word.start() - 3) : word.start()].rstrip()
        if named or lead[-1:] in (":", "="):
            return False
    titled = raw.lower() in ("dr", "dre", "pr", "mme", "mlle", "mr", "st", "ste")
    # "Sexe : M" is a field's value
    titled = titled or (
        raw == "M" and not text[max(0, word.start() - 3) : word.start()].rstrip().endswith(":")
    )
    if word[0].endswith("."):
        return titled
    return (raw.islower() or titled) and raw.lower() in _NEVER_LAST


def _ends_or_goes_on(text: str, start: int, end: int) -> Level:
    """Level of a break that only wraps the text: what it would be with a space in its place."""
    if text[end] in _BULLETS or text[end : end + 2] in ("- ", "* ", "o "):
        return Level.LINE
    if text[end] not in _GLUED_LEFT and _ends_sentence(text, start, end):
        return Level.SENTENCE
    return Level.SOFT_LINE


def _is_inner_dot(text: str, start: int, dot: int) -> bool:
    """Tell a middle dot inside a formula ("HCl ·2H2O", "4,5 · 10 9") from a bullet."""
    right = text[dot + 1 : dot + 3]
    return right[:1].isalnum() or (text[start - 1].isdigit() and right.lstrip()[:1].isdigit())


def _begins_code_line(text: str, start: int, end: int) -> bool:
    """Return whether code begins at ``end``: web pages bring scripts, line breaks lost."""
    if text[end] == "/":
        return text.startswith("//", end)
    return text[start - 1] in ";,{}[("


def _count_breaks(text: str, start: int, end: int) -> int:
    if end - start == 1:
        return int(text[start] not in " \t\u00a0" and bool(_LINE_BREAK.match(text, start)))
    count = 0
    for _ in _LINE_BREAK.finditer(text, start, end):
        count += 1
        if count == 2:
            break
    return count


_LOST_ITEM = re.compile(r"[-o]\s|–\s[^\W\d_A-ZÀ-Ý]")


def _citation_length(text: str, start: int, end: int) -> int:
    """Return how many characters of a citation stand before ``start``: "[12]", ".(3)", ".4"."""
    if not (text[start - 1] in "])" or text[start - 1].isdigit()):
        return 0
    found = _CITATION.search(text[max(0, start - 24) : start])
    if found is None or (found[0][0] != "[" and not starts_sentence(text, end)):
        return 0
    return len(found[0])


def _begins_behind_citation(text: str, position: int) -> bool:
    """Tell a citation behind the end it belongs to from an entry of a list of references."""
    found = _CITED.match(text, position)
    return found is not None and starts_sentence(text, found.end())


_LEFT_OUT = re.compile(r"(?:\A|[.!?\n]\s?)\[(?:\.\.\.|…)\]\Z")
"""What is left out before a sentence belongs to it: "[...] Le patient sort"."""
_IN_PARENTHESES = re.compile(r"\((?:[A-Z]\.){2,}\)\Z")
"""Stops of an abbreviation in parentheses: "Acide acétylsalicylique (A.A.S.) 100 mg"."""


_NUMBERED_ITEM = re.compile(r"\d{1,2}(?:\.\d{1,2})*[.)]\s+[A-ZÀ-Ý]")
_LONGEST_QUOTE = 400


def _is_ellipsis(text: str, last: int) -> bool:
    """Return whether the mark at ``last`` ends an ellipsis: "…", "...", ". . ."."""
    return text[last] == "…" or (
        text[last] == "." and (text[last - 1 : last] == "." or text[last - 4 : last] == ". . ")
    )


def _closes(text: str, mark: int) -> bool:
    """Return whether a mark that opens a quote elsewhere closes one: „Gut.“, »Gut.«, <<Bien.>>."""
    opening, closing = _PAIRS[text[mark]]
    if closing == ">>" and not text.startswith(">>", mark) and not text.endswith(">>", 0, mark + 1):
        return False
    begin = max(0, mark - _LONGEST_QUOTE)
    before = mark - 1 if text.startswith(">>", mark - 1) else mark
    opened = text.rfind(opening, begin, before)
    if text[mark] in "«‹" and not text[opened + 1 : opened + 2].isalnum():
        return False  # of the French ones that is what stands outside
    return opened > text.rfind(closing, begin, before)


def _ends_sentence(text: str, start: int, end: int) -> bool:
    """Return whether the text before the whitespace ``text[start:end]`` ends a sentence."""
    cited = _citation_length(text, start, end)
    last = start - cited - 1
    while text[last] not in _ENDS:
        closer = text[last] in _CLOSERS or (text[last] in _PAIRS and _closes(text, last))
        if last == 0 or start - last > 6 + cited or not (closer or text[last] in "\u00a0\u202f "):
            return False
        last -= 1
    if text[end] == "[" and _begins_behind_citation(text, end):
        return False
    after = text[end]
    if start - last == 1 and _LOST_ITEM.match(text, end):
        return True  # a list item whose line break was lost: "de la fièvre. - si vous toussez"
    if after in _OPENERS and end + 1 < len(text):
        after = text[end + 1 : end + 4].lstrip()[:1] or after
    if after.islower() and not begins_in_lower_case(text, start, last, end):
        return False
    closed = text[last + 1 : start - cited].strip(_SUPERSCRIPTS)
    ellipsis = not closed and _is_ellipsis(text, last)
    if ellipsis and text[end].isdigit():
        return _NUMBERED_ITEM.match(text, end) is not None  # "Il a... 12 ans"
    if closed == "]" and _LEFT_OUT.search(text, max(0, start - 12), start):
        return False
    if text[last] != "." or (
        closed and not (closed == ")" and _IN_PARENTHESES.search(text, max(0, start - 16), start))
    ):
        return True
    if ellipsis:
        return True
    return not is_abbreviation(text, last, end) and not _is_item(text, start)


def _is_item(text: str, start: int) -> bool:
    """Return whether what stands before ``start`` is an item's number ("1.", "4.2.", "b)").

    "en 2012." and "grade 3." end sentences; a number that follows the start of a line, a sentence's
    end, a colon or a bullet, or that precedes a title in capitals, numbers an item.
    """
    if text[start - 1] not in ".)":
        return False
    left = text[max(0, start - LOOKBACK) : start]
    found = LAST_WORD.search(left, left.rfind(" ") + 1)
    if not found or not _ITEM_NUMBER.fullmatch(found[0]):
        return False
    lead = left[: found.start()]
    if _SECTION_NUMBER.fullmatch(found[0]):
        return _may_be_section(lead, found[0], start <= LOOKBACK)
    if found[0].count(".") > 1 and found[0][0].isdigit():
        return False  # "38.5." is a value, "12.05.20." a date
    if found[0][0].isdigit() and _is_next_item(text, max(0, start - LOOKBACK) + found.start()):
        return True
    stripped = lead.rstrip(" \t\u00a0\u202f")
    if not stripped:
        return start <= LOOKBACK
    if stripped[-1] == ":":  # "Signes : 1. Fièvre", but "EVA : 8. Le patient"
        return found[0].strip("().") in ("1", "I", "a", "A")
    if LETTERED.search(lead) and found[0][0].isupper():
        return False  # "vit. D.", "bât. C."
    begin = max(0, start - LOOKBACK)
    # "Fig. 2. On voit", "Temp. 38. FC 100"
    abbreviated = (
        stripped[-1] == "."
        and (found[0][0].isdigit() or found[0][0].isupper())
        and is_abbreviation(text, begin + len(stripped) - 1, begin + found.start())
    )
    if (stripped[-1] in ".!?…;\n\r" and not abbreviated) or stripped[-1] in _BULLETS:
        return True
    word = LAST_WORD.search(stripped)
    if _REFERENCES.search(lead) or (word and word[0].lower() in _NEVER_LAST):
        return False
    return _is_capital_title(text[start : start + LOOKBACK].lstrip())


_TAKES_NUMBER = _NEVER_LAST | frozenset(
    "score scores palier paliers indice forrest cotation".split()
)
_ITEM_ON_LINE = re.compile(r"(\d{1,2})([.)])\s+[A-ZÀ-Ý]")
_LONGEST_ITEM = 300


def _is_next_item(text: str, at: int) -> bool:
    """Return whether a number goes on with a list whose line breaks were lost.

    "1. Ouvrir l'emballage 2. Dérouler la tubulure": each number follows the one before, and the
    first stands at a beginning.
    """
    item = _ITEM_ON_LINE.match(text, at)
    if item is None or (at and not text[at - 1].isspace()):
        return False
    said = text[max(0, at - LOOKBACK) : at]
    word = LAST_WORD.search(said.rstrip())
    if _REFERENCES.search(said) or (word and word[0].lower() in _TAKES_NUMBER):
        return False  # "diabète de type 2. Traité par"
    number, mark = int(item[1]), item[2]
    for step in range(1, min(number, _ENOUGH + 1)):
        before = _item_before(text, at, f"{number - step}{mark}")
        if before < 0:
            return False
        at = before
    if number > _ENOUGH:
        return True  # so many in a row are no accident, wherever the first stands
    lead = text[max(0, at - LOOKBACK) : at].rstrip(" \t\u00a0\u202f")
    return number > 1 and (not lead or lead[-1] in ".!?…:;\n\r" or lead[-1] in _BULLETS)


_ENOUGH = 4
"""Numbers before one that are looked for: a list of a hundred would be read a hundred times."""


def _item_before(text: str, at: int, number: str) -> int:
    """Return where an item of this number stands last before a place, near it; -1: nowhere."""
    begin = max(0, at - _LONGEST_ITEM)
    found = text.rfind(number, begin, at)
    while found >= 0:
        if (found == 0 or text[found - 1].isspace()) and _ITEM_ON_LINE.match(text, found, at):
            return found
        found = text.rfind(number, begin, found)
    return -1


def _may_be_section(lead: str, number: str, whole: bool) -> bool:
    """Tell a section's number from a value or a reference: "INR 2.5", "voir rubrique 4.2".

    It stands at a line's beginning or after an end, and is not below a number right before it.

    Args:
        lead: The text before the number.
        number: The number, with what stands behind it.
        whole: Whether ``lead`` goes back to the beginning of the text.
    """
    stripped = lead.rstrip(" \t\u00a0\u202f")
    if not stripped:
        return whole
    if stripped[-1] in "\n\r" or stripped[-1] in _BULLETS:
        return True
    if stripped[-1] not in _ENDS and stripped[-1] not in _CLOSERS and stripped[-1] != ";":
        return False
    before = _SECTION_TOKEN.search(stripped)
    if before is None or not stripped.endswith("."):
        return True
    own = re.match(r"\(?(\d{1,2}(?:\.\d{1,2})*)", number)
    return own is not None and _parts(own[1]) > _parts(before[1])


def _parts(number: str) -> list[int]:
    return [int(part) for part in number.split(".")]


def _is_capital_title(right: str) -> bool:
    """Tell a title in capitals ("DENOMINATION", "QUE CONTIENT") from an acronym ("ECG normal")."""
    title = _CAPITALS.match(right)
    if not title or not title[1].isupper():
        return False
    if len(title[1]) >= 6:
        return True
    second = _CAPITALS.match(right[title.end() :].lstrip(" \u00a0'’-"))
    return bool(second and second[1].isupper())


def _begins_numbered_title(text: str, end: int) -> bool:
    """Return whether ``text[end:]`` begins with a section number and a title: "4.2. Posologie"."""
    right = text[end : end + LOOKBACK]
    section = _SECTION.match(right)
    if section:
        lead = text[max(0, end - LOOKBACK) : end]
        return section[0][-1].isupper() and _may_be_section(lead, section[0], end <= LOOKBACK)
    numbered = _NUMBERED_TITLE.match(right)
    if not numbered:
        return False
    lead = text[max(0, end - LOOKBACK) : end]
    word = LAST_WORD.search(lead.rstrip())
    if _REFERENCES.search(lead) or (word and word[0].lower() in _NEVER_LAST):
        return False
    return _is_capital_title(right[numbered.end() - 1 :])
