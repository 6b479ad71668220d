"""Words that a rewrite spells as they should be, and values that their source tells in words.

Case reports are full of slips: "glyclazide", "ostéchondromatose", "broncho-pneupathie". A model
that writes the right word invents no medicine and no disease.
"""

from __future__ import annotations

import re

from doctobert_hf.finemed.words import fold


def is_slip(written: str, right: str, kind: str) -> bool:
    """Return whether a word is another one with a slip.

    Of diseases one letter may be another or two be missing; of medicines, whose names differ by no
    more than that, only what sounds alike is a slip.

    Args:
        written: The word of the source, folded.
        right: That of the rewrite, folded.
        kind: ``drug``, ``disease`` or ``germ``.

    Example:
        >>> is_slip("glyclazide", "gliclazide", "drug")
        True
        >>> is_slip("prednisone", "prednisolone", "drug")
        False
    """
    if _sound(written) == _sound(right):
        return True
    if len(right) > 7 and written[:4] == right[:4] and sorted(written) == sorted(right):
        return True  # "cispliatne"
    if (
        kind == "drug"
        and len(right) > 8
        and _sound(written).replace("s", "") == _sound(right).replace("s", "")
    ):
        return True  # "cysplastine" is "cisplatine"
    if kind == "drug" and len(written) > 8 and len(right) == len(written) + 1:
        return _within(written, right)  # "amoxcilline", "vecuronum"
    if kind in ("disease", "germ") and len(right) == len(written) > 9:
        return sum(one != other for one, other in zip(written, right, strict=True)) == 1
    missing = len(right) - len(written)
    return (
        kind in ("disease", "germ")
        and len(written) > 9
        and 0 < missing < 3
        and _within(written, right)
    )


def swapped(letters: str) -> str:
    """Return letters with "y" for "i", and the reverse."""
    return letters.translate(str.maketrans("iy", "yi"))


def _sound(word: str) -> str:
    """Return a word as it sounds: "i" for "y", "t" for "th", one letter for two."""
    return re.sub(r"(.)\1", r"\1", word.replace("y", "i").replace("th", "t").replace("ph", "f"))


def _within(short: str, long: str) -> bool:
    letters = iter(long)
    return all(letter in letters for letter in short)


_HYPER = re.compile(r"(?P<way>hyper|hypo)(?P<what>\w{5,}?)em(?:ies?)?")
_WAYS = {
    "hyper": r"(?<!\w)(?:augment|elev|haut)\w*",
    "hypo": r"(?<!\w)(?:diminu|bas|abaiss|effondr|reduit)\w*",
}


def value_told(word: str, source: str) -> bool:
    """Return whether a value is told to be so: "hypercalcémie" of "calcium augmenté"."""
    match = _HYPER.fullmatch(word)
    if match is None:
        return False
    way, what = _WAYS[match["way"]], rf"(?<!\w){match['what'][:7]}\w*"
    near = re.compile(rf"{way}[^.;]{{0,60}}?{what}|{what}[^.;]{{0,60}}?{way}")
    return near.search(fold(source)) is not None


def is_value(word: str, text: str) -> bool:
    """Return whether a substance is told as what was measured: "un cholestérol abaissé, à 0,8"."""
    plain = fold(text)
    taken = re.search(
        rf"(?<!\w)(?:pren\w+|prise?s?|recoi\w*|recu\w*|sous|trait\w+)\W+(?:\w+\W+){{0,3}}{word}",
        plain,
    )
    return (
        taken is None
        and re.search(
            rf"(?:taux|dosage|bilan|\d)\W+(?:\w+\W+){{0,3}}{word}|"
            rf"{word}\W+(?:\w+\W+){{0,2}}(?:abaiss|bas|eleve|augment|diminu|normal|haut|[:=]|a\s+\d|\d)",
            plain,
        )
        is not None
    )
