"""Repairing texts that extraction damaged: wrong encodings, entities, words cut at line ends.

The encoding is repaired by ftfy. A word that was cut at the end of a line is joined; where the text
writes it with its hyphen elsewhere, or its first part is one that French joins by a hyphen, or in
capitals, the hyphen stays.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_left
from collections import Counter

from doctobert_hf.errors import UsageError

KINDS = ("encoding", "entities", "cut_words", "unicode", "control_characters")
_CUT = re.compile(
    r"(?<![^\W\d_])([^\W\d_]{2,}+)[-\u2010\u2011\u00ad][ \t]*\r?\n[ \t]*([a-zà-öø-ÿœ]{2,})"
)
_WHOLE = re.compile(r"(?<![^\W\d_])([^\W\d_]{2,}+)-(?=([a-zà-öø-ÿœ]{2,}))")
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\u2060\ufeff]|\u00ad(?=\w)"
)
_ENTITY = re.compile(r"&(?:#\d{2,6}|#x[0-9a-fA-F]{2,5}|[a-zA-Z]{2,8});")
_HYPHENATED = frozenset(
    "post non sous demi mi ex inter sus vis avant après contre celui celle ceux peut quelques lui "
    "elle eux moi toi nous vous soi broncho bucco oto médico socio psycho spino thoraco abdomino "
    "ilio fémoro tibio hépato dorso lombo cervico recto vésico aorto".split()
)
"""First parts that French joins to the next by a hyphen."""


def repair(text: str) -> tuple[str, Counter[str]]:
    r"""Repair a text.

    Args:
        text: As it was extracted.

    Returns:
        The text in Unicode's composed form (NFC), and how often each of :data:`KINDS` was repaired;
        empty where nothing was.

    Raises:
        UsageError: ftfy is not installed.

    Example:
        >>> repair("Fi&egrave;vre et hospi-\ntalisation")[0]
        'Fièvre et hospitalisation'
    """
    try:
        import ftfy
    except ImportError as error:
        raise UsageError(
            "Repair without ftfy", fix="pip install 'doctobert-hf[finemed]'"
        ) from error
    found: Counter[str] = Counter()
    fixed = ftfy.fix_encoding(text)
    if fixed != text:
        found["encoding"] = sum(a != b for a, b in zip(text.split(), fixed.split(), strict=False))
        found["encoding"] = max(found["encoding"], 1)
    found["entities"] = sum(html.unescape(name) != name for name in _ENTITY.findall(fixed))
    fixed = _ENTITY.sub(lambda match: html.unescape(match[0]), fixed)
    fixed, found["cut_words"] = _joined(fixed)
    fixed, found["control_characters"] = _CONTROL.subn("", fixed)
    composed = unicodedata.normalize("NFC", fixed)
    found["unicode"] = int(composed != fixed)
    return composed, +found


def _joined(text: str) -> tuple[str, int]:
    """Join words that were cut at line ends; return how many."""
    count = 0
    whole: list[str] | None = None

    def written(word: str) -> bool:
        """Return whether the text writes it so, or with an ending."""
        nonlocal whole
        if whole is None:  # once, and sorted: looked for in the text at each cut, it is quadratic
            whole = sorted({"-".join(parts) for parts in _WHOLE.findall(text)})
        at = bisect_left(whole, word)
        return at < len(whole) and whole[at].startswith(word)

    def join(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        first, second = match[1], match[2]
        if written(f"{first}-{second}"):
            return f"{first}-{second}"
        # "VIH-positif": capitals and small letters are not one word.
        apart = first.isupper() or first.lower() in _HYPHENATED
        return f"{first}-{second}" if apart else f"{first}{second}"

    return _CUT.sub(join, text), count
