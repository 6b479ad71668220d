"""Medical words built of Greek and Latin parts, told in the plain words that they stand for.

"gonalgie" is "douleur du genou", "hépatomégalie" "gros foie", "hypokaliémie" "potassium bas". Where
one text has the compound and the other the words, the words are read as the compound: what is
denied, suspected, a relative's or on a side is then compared as it is for any other term.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from doctobert_hf.finemed.rephrase.terms import stem
from doctobert_hf.finemed.words import WORD, fold

_ROOTS = {
    **{"gon": "genou", "scapul": "epaul scapul", "omo": "epaul", "gastr": "estomac gastr"},
    **{"hepat": "foie hepat", "splen": "rate splen", "nephr": "rein nephr renal", "cox": "hanch"},
    **{"arthr": "articul arthr", "my": "muscl muscul", "cephal": "tete cran", "odont": "dent"},
    **{"rachi": "rachis colonn dos vertebr", "lomb": "lomb dos", "cervic": "cou cervic nuque"},
    **{"dors": "dos dors", "dermat": "peau cutan", "derm": "peau cutan", "cyst": "vessie vesical"},
    **{"cholecyst": "vesicul", "appendic": "appendic", "append": "appendic", "col": "colon coliq"},
    **{"enter": "intestin grele", "duoden": "duoden", "rect": "rect", "proct": "rect anus anal"},
    **{"pancreat": "pancrea", "ovari": "ovair", "hyster": "uterus uterin", "salping": "trompe"},
    **{"mast": "sein mammair", "mamm": "sein mammair", "prostat": "prostat", "orch": "testic"},
    **{"vagin": "vagin", "uretr": "uretr", "urethr": "uretr", "pyel": "bassinet"},
    **{"pneumon": "poumon pulmon", "pneum": "poumon pulmon", "bronch": "bronch", "pleur": "plevr"},
    **{"laryng": "laryn", "pharyng": "gorge pharyn", "rhin": "nez nasal", "ot": "oreill"},
    **{"blephar": "paupier", "kerat": "corne", "conjonctiv": "conjonctiv", "mening": "mening"},
    **{"encephal": "cerveau cerebr encephal", "myel": "moelle", "neur": "nerf nerv"},
    **{"nevr": "nerf nerv"},
    **{"phleb": "vein", "arter": "arter", "angi": "vaiss", "cardi": "coeur cardia", "oste": "os"},
    **{"myocard": "myocard", "pericard": "pericard", "endocard": "endocard", "thyroid": "thyroid"},
    **{"spondyl": "vertebr", "tendin": "tendon", "stomat": "bouche", "gingiv": "gencive"},
    **{"gloss": "langue", "sinus": "sinus", "amygdal": "amygdal", "tonsill": "amygdal"},
    **{"hemat": "sang", "py": "pus", "protein": "protein", "glyc": "glyc sucre glucos"},
    **{"thrombocyt": "plaquett", "thromb": "plaquett", "leuc": "leucocyt blancs"},
    **{"lymph": "lymphocyt", "neutr": "neutrophil", "talus": "talon", "talal": "talon"},
}  # fmt: skip
"""What a part is called in French, by the beginning of the words, folded."""
_ENDINGS = {
    "algies?": "douleur doulour mal maux souffr",
    "(?:odynies?)": "douleur doulour mal maux",
    "ites?": "inflam",
    "arthroses?": "arthros",
    "ectomies?": "ablat resec exeres retrait enlev retire",
    "megalies?": "gros grosse augment hypertroph volumin",
    "uries?": "urin",
    "(?:o?rr?h?agies?)": "saign hemorrag sang",
    "pathies?": "maladi atteint patholog affect",
    "plegies?": "paralys",
    "penies?": "baiss manqu diminu chut bas basse carenc insuffis faibl",
    "plasties?": "repar reconstr prothes",
    "lithiases?": "calcul pierr",
    "scopies?": "endoscop",
}
_BUILT = re.compile(
    rf"(?P<root>{'|'.join(sorted(_ROOTS, key=len, reverse=True))})(?:o|i)?"
    rf"(?:{'|'.join(f'(?P<e{n}>{ending})' for n, ending in enumerate(_ENDINGS))})"
)
_MEANINGS = tuple(tuple(told.split()) for told in _ENDINGS.values())
_LOW = tuple("bas basse baiss diminu faibl manqu chut carenc insuffis effondr".split())
_HIGH = tuple("haut elev augment exces eleve".split())
_BLOOD = {
    "kal": "potassi kalie", "natr": "sodium natre", "calc": "calci", "glyc": "glyc sucre glucos",
    "phosphat": "phosph", "magnes": "magnes", "uric": "urique uric", "lipid": "lipid graiss",
    "cholesterol": "cholest", "triglycerid": "triglyc", "albumin": "albumin", "protid": "protein",
}  # fmt: skip
_IN_BLOOD = re.compile(rf"(?P<way>hypo|hyper)(?P<what>{'|'.join(_BLOOD)})(?:i?emies?)")
_RATE = re.compile(r"(?P<way>tachy|brady)(?P<what>cardi|pne)(?:es?|ies?|aques?)")
_RATES = {
    "tachy": tuple("rapid acceler".split()), "brady": tuple("lent ralent".split()),
    "cardi": tuple("rythm coeur cardia pouls frequenc".split()),
    "pne": tuple("respir frequenc".split()),
}  # fmt: skip
_BETWEEN = frozenset(
    """de du des d la le les l au aux a niveau dans sur en est sont etait etaient reste tres un une
    plutot trop se sa son ses peu""".split()
)
_ORGANS = tuple(part for told in _ROOTS.values() for part in told.split())
_STOP = re.compile(r"[.;:,!?\n]|(?<!\w)(?:et|ou|ni|mais|puis|avec|sans)(?!\w)", re.IGNORECASE)


@lru_cache(maxsize=1 << 14)
def parts_of(word: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return how words begin that a folded compound stands for.

    Returns:
        Beginnings of what is found, and of what it is found in; ``None`` for other words.
    """
    if match := _IN_BLOOD.fullmatch(word):
        return _LOW if match["way"] == "hypo" else _HIGH, tuple(_BLOOD[match["what"]].split())
    if match := _RATE.fullmatch(word):
        return _RATES[match["way"]], _RATES[match["what"]]
    match = _BUILT.fullmatch(word)
    if match is None:
        return None
    ending = next(n for n in range(len(_MEANINGS)) if match[f"e{n}"])
    return _MEANINGS[ending], tuple(_ROOTS[match["root"]].split())


def with_compounds(text: str, other: str) -> str:
    """Return a text with its words for a compound that the other has, and it has not, read as it.

    Args:
        text: A source or its rewrite.
        other: The rewrite or the source.

    Example:
        >>> with_compounds("Absence de douleur du genou.", "Pas de gonalgie.")
        'Absence de gonalgie.'
    """
    own: set[str] | None = None
    for word in dict.fromkeys(WORD.findall(other)):
        parts = parts_of(fold(word)) if len(word) > 5 else None
        if parts is None:
            continue
        own = {stem(fold(known)) for known in WORD.findall(text)} if own is None else own
        if stem(fold(word)) in own:
            continue
        for start, end, free in reversed(list(_restated(parts, text))):
            text = f"{text[:start]}{word.lower()}{free}{text[end:]}"
    return text


def _restated(
    parts: tuple[tuple[str, ...], tuple[str, ...]], text: str
) -> Iterator[tuple[int, int, str]]:
    """Yield where both parts stand side by side, with no other organ between.

    Yields:
        Start, end, and the word between that is neither ("douleur intense du genou"), if any.
    """
    finding, place = parts
    at = 0
    for stop in (*_STOP.finditer(text), None):
        end = stop.start() if stop else len(text)
        words = [(m.start(), m.end(), fold(m[0])) for m in WORD.finditer(text, at, end)]
        if any(_begins(word, place) for _, _, word in words):
            yield from _side_by_side(words, finding, place, text)
        at = stop.end() if stop else end


def _side_by_side(
    words: list[tuple[int, int, str]], finding: tuple[str, ...], place: tuple[str, ...], text: str
) -> Iterator[tuple[int, int, str]]:
    last = -1
    for at, (start, end, word) in enumerate(words):
        if start < last or not _begins(word, place):
            continue
        for step in (-1, 1):
            free, to = "", at + step
            while 0 <= to < len(words) and abs(to - at) <= 6:
                begin, finish, near = words[to]
                if _begins(near, finding) and not _begins(near, place):
                    last = max(end, finish)
                    yield min(start, begin), last, free
                    break
                if near not in _BETWEEN:
                    if free or near.startswith(_ORGANS):
                        break
                    free = f" {text[begin:finish]}"
                to += step
            if last >= end:
                break


def _begins(word: str, starts: tuple[str, ...]) -> bool:
    """Return whether a word begins so; short beginnings are whole words, or their plurals."""
    return any(
        word in (start, start + "s", start + "x") if len(start) < 4 else word.startswith(start)
        for start in starts
    )
