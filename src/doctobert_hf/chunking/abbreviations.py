"""Abbreviations, initials and labels of French text, and the words that begin sentences.

A full stop behind one of them ends a sentence only where the next word shows it.
"""

from __future__ import annotations

import re

LOOKBACK = 40
LAST_WORD = re.compile(r"[^\s(\[«\"“'’]+\Z")
_WORD = re.compile(r"[^\W\d_]+")
_LETTERED = re.compile(
    r"\b(?:vitamines?|hépatites?|groupes?|types?|virus|points?|classes?|formes?|streptocoques?|"
    r"gènes?|facteurs?|protéines?|grippes?|sanguins?|scores?|child|pugh|stades?|grades?|"
    r"catégories?|bras|cohortes?|annexes?|salles?|bâtiments?)\s*\Z",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.[-‑]?)+[^\W\d_]{1,2}|c\.-à-d")
_GOES_ON = re.compile(r"c\.-à-d|p\.[ \u00a0\u202f]?ex|i\.e|e\.g|n\.b|a\.k\.a")
"""Dotted abbreviations that announce what follows: they end no sentence."""
_PARTICLE_NAME = re.compile(r"(?:Le|La|Du|De|Des|Les)\s+[A-ZÀ-Ý][^\W\d_]+")
# "hépatite B. Dans", but "J. Dupont": a capital is an initial unless such a word follows.
_STARTERS = frozenset(
    """a à afin ainsi alors après au aucun aucune aussi autre autres aux avant avec bien bref car ce
    cela celle celui certains ces cet cette ceux chaque chez ci comme contre dans de depuis des
    deux devant donc du durant elle elles en enfin ensuite entre et ici il ils je jusque la le les
    leur leurs lors lorsque lui mais malgré même ne ni non notre nous on or où par parmi pas pendant
    plus plusieurs pour pourtant puis quand que quel quelle qui sa sans selon ses si son sous sur
    ta toute tous tout toutes trois tu un une vers voici voir vos votre vous y""".split()
)

# Abbreviations that end with a full stop and are followed by what they abbreviate for.
_ABBREVIATIONS = frozenset(
    """al amp ann anat ant atcd atcds av bd biblio boul bull c-à-d ca cf ch chap chir cit coll comp
    cp cpr cps dept dir dr dre drs ed éd ex fasc fax fig figs gél hab hosp hôp ibid id inf inj janv
    fév févr avr inc juil jr lat loc m me mgr mlle mlles mm mme mmes mr mrs n° nb no nos num obs oct
    op orig pag par pat pl post pr prs prof réf ref resp rev sc sect sept sér serv sp spp
    ss st ste sté
    suiv sup suppl susp syn tab tabl tél tel trad ttt univ var vit vol vs zool""".split()
)
# Of these, what may be followed by a capitalised "Le", "La", "Du" and still go on: names, "cf. La".
_ALWAYS_ABBREVIATED = frozenset(
    """cf chap dr dre drs ex fig figs m me mgr mlle mlles mm mme mmes mr mrs n° no pr prof prs sect
    st ste tab tabl vol""".split()
)
_CAPITAL_TITLES = frozenset("DR DRS PR PRS M MM MME MMES MLLE ME PROF".split())
# After a number these are units or forms, not abbreviations of what follows: "5 mm. Le bilan".
_UNITS = frozenset("amp cp cpr cps m mm inj gél".split())
_AFTER_NUMBER = re.compile(r"\d\s?\Z")
# Abbreviations only when a number follows ("max. 4 g"); else they are units or words.
_BEFORE_NUMBER = frozenset(
    """art env approx max min moy n p pp page pages nov déc dec éq equiv""".split()
)


def is_abbreviation(text: str, stop: int, after: int) -> bool:
    """Tell whether the full stop at ``stop`` belongs to an abbreviation or an initial.

    Args:
        text: The document.
        stop: Position of the full stop.
        after: Position of the first character after the whitespace that follows.
    """
    left = text[max(0, stop - LOOKBACK) : stop]
    found = LAST_WORD.search(left)
    if not found:
        return False
    raw, word = found[0], found[0].lower()
    lead = left[: found.start()]
    if _GOES_ON.fullmatch(word):
        return True
    if _DOTTED.fullmatch(word):  # "i.v. Le patient" ends, "J.-P. Le Goff" goes on
        name = len(word.replace("-", "")) == 3 and _PARTICLE_NAME.match(text, after)
        return bool(name) or not starts_sentence(text, after)
    if word in _UNITS and _AFTER_NUMBER.search(lead):
        return False
    if word in _ABBREVIATIONS and len(raw) > 1 and raw.isupper() and _in_capitals(text, after):
        return True  # "HOSP. EN 2012": such text has no other capitals to tell a beginning by
    if word in _ABBREVIATIONS and raw != "m" and (not raw.isupper() or raw in _CAPITAL_TITLES):
        return word in _ALWAYS_ABBREVIATED or not starts_sentence(text, after)
    if word == "art" and _ARTICLE.match(text, after):
        return True
    if word in _BEFORE_NUMBER and text[after].isdigit():
        return True
    if len(word) <= 2 and word.isdigit() and text[after].isdigit():
        return True  # a decimal point with a space behind it
    if len(raw) == 1 and raw.isupper():  # an initial, unless in "vitamine C" or before a sentence
        return not starts_sentence(text, after) and not _LETTERED.search(lead)
    return False


_NO_END = _ABBREVIATIONS | _BEFORE_NUMBER | {"etc"}


def is_bare_a(text: str, start: int, last: int, end: int) -> bool:
    """Return whether "à" begins a sentence: the capital's accent is hard to type in French."""
    if not text.startswith("à ", end) or text[last] != "." or last != start - 1:
        return False
    word = LAST_WORD.search(text, max(0, last - LOOKBACK), last)
    if word is None or "." in word[0]:
        return False
    letters = word[0].strip("()[]«»\"'’").lower()
    return letters not in _NO_END and (len(letters) > 1 or word[0].endswith(")"))


_ARTICLE = re.compile(r"[LRDA]\.\s?\d")


def _in_capitals(text: str, position: int) -> bool:
    """Return whether the word there is in capitals, of two letters at least."""
    word = _WORD.match(text, position)
    return bool(word and len(word[0]) > 1 and word[0].isupper())


def starts_sentence(text: str, position: int) -> bool:
    """Tell whether a word that mostly begins sentences stands there: "Le", "L'", "Dans"."""
    word = _WORD.match(text, position)
    if word is None:
        return False
    elided = len(word[0]) <= 2 and text[word.end() : word.end() + 1] in ("'", "’")
    return elided or word[0].lower() in _STARTERS
