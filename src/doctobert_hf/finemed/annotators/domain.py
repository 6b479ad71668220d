"""Whether a text is about human health: a linear model on words, shipped as a readable table.

``lexicons/domain.tsv`` has a weight for each of some 6,000 folded words, learned by
``benchmarks/train_domain.py`` from open French corpora: case reports, leaflets, abstracts, exam
questions, dialogues and titles, beside novels, a manual and pages on other subjects. Telegraphic
notes, which have few words, are told by their abbreviations and measures too.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache
from importlib import resources

from doctobert_hf.finemed.words import fold

_WORD = re.compile(r"[^\W\d_]{2,}")
_NOTE = re.compile(
    r"(?<!\w)(?:TA|PA|FC|FR|T°|SpO2|SaO2|sat|EVA|CRP|GB|Hb|IMC|ATCD|TTT|HDM|RAS|BDC|OMI|ECG|IRM|TDM"
    r"|BU|KT|SA|HTA|AEG|DNID|BPCO|VAT|EEG|PTH|TVP|EP|NFS|TP|TCA|PEC|post-op|cp|UI|mg|mmHg"
    r"|[gD](?=\s*[,.]|$)|J\d{1,2}|x ?\d(?: ?/ ?j)?|\d ?x(?:/\w+)?"
    r"|\d+ ?(?:g|UI|mmol|mg)/(?:L|l|j|24 ?h|dL))(?!\w)"
)
_SHORT = 60
_TERMS = 10.0
_NOTHING_KNOWN = -0.5
"""In place of the intercept for a text without a word of the table."""


def health_score(text: str, density: float) -> float:
    """Return how likely a text is about human health, from 0 to 1.

    Args:
        text: Text, or a sample of a long one.
        density: Share of its characters in medical terms.

    Example:
        >>> health_score("Le patient est hospitalisé pour une pneumopathie.", 0.2) > 0.5
        True
        >>> health_score("Taureau : une rencontre vous attend, les astres vous sourient.", 0) > 0.5
        False
    """
    intercept, weights = _model()
    counts = Counter(fold(word) for word in _WORD.findall(text))
    known = {word: 1 + math.log(count) for word, count in counts.items() if word in weights}
    total = math.sqrt(sum(value * value for value in known.values()))
    logit = min(1.0, _TERMS * density) + (intercept if total else _NOTHING_KNOWN)
    if total:
        logit += sum(weights[word] * value for word, value in known.items()) / total
    if sum(counts.values()) <= _SHORT:
        logit += 1.2 * min(3, len(set(_NOTE.findall(text))))
    return 1 / (1 + math.exp(-logit))


@lru_cache(maxsize=1)
def _model() -> tuple[float, dict[str, float]]:
    """Return the intercept and the weight of each word."""
    place = resources.files("doctobert_hf.finemed") / "lexicons" / "domain.tsv"
    lines = place.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    weights = {word: float(weight) for word, weight in rows}
    return weights.pop(""), weights


def known_words() -> frozenset[str]:
    """Return the words of the table, folded: words of French, and few names."""
    return frozenset(_model()[1])
