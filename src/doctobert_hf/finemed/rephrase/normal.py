"""What is told as normal in one text and as having no anomaly in the other."""

from __future__ import annotations

import re

from doctobert_hf.finemed.rephrase.terms import stem
from doctobert_hf.finemed.words import WORD, fold

_NORMAL = re.compile(
    r"(?<!\w)(?:normal\w*|normaux|sans\s+(?:particularit|anomalie)|(?-i:RAS)|intacte?s?|conserv\w+|libres?|"
    r"satisfais\w+)",
    re.IGNORECASE,
)
_ANOMALY = re.compile(
    r"(?<!\w)(?:anomalie|trouble|d[ée]ficit|atteinte|l[ée]sion|particularit|alt[ée]ration|perturbation)",
    re.IGNORECASE,
)

_NOTHING = re.compile(r"(?<!\w)(?:RAS|(?i:rien\s+[àa]\s+signaler|rien\s+de\s+particulier))(?!\w)")


def told_as_normal(root: str, source: tuple[str, ...], rewrite: tuple[str, ...]) -> bool:
    """Return whether what is denied now is an anomaly of what was normal.

    Args:
        root: Stem of the word that is denied: "nerveux" of "pas d'anomalie nerveuse".
        source: The source's sentences.
        rewrite: The rewrite's.

    Example:
        >>> told_as_normal("nerv", ("L'examen nerveux est normal",), ("Aucun trouble nerveux",))
        True
    """
    was = [part for part in source if root in _stems(part)]
    now = [part for part in rewrite if root in _stems(part)]
    return any(map(_NORMAL.search, was)) and all(
        _ANOMALY.search(part) or _NOTHING.search(part) for part in now
    )


def _stems(text: str) -> set[str]:
    return {stem(fold(word)) for word in WORD.findall(text)}
