"""Abbreviations of diseases and medicines: "AVC" is new where its source tells of none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from doctobert_hf.corpus.clinical_abbreviations import ANOTHER_WAY, EXPANSIONS
from doctobert_hf.finemed.rephrase.terms import BETWEEN, allowed, stem, words_of
from doctobert_hf.finemed.words import fold

_ALSO = {"pth": ("parathormon",), "imc": ("masse corporel",)}
"""What else an abbreviation that is no disease's stands for, folded."""
_DISEASES_SHORT = frozenset(
    """avc ait hta htap bpco sep tvp ep idm vih oap rgo sca fa aomi irc pid vhb vhc sida sdra saos
    civd hsa mici rch dmla tdah acfa gea geu hed hsd hic icc ira iu lal lmc lnh pna rac sapl sla
    mtev mvte bav""".split()
)
_OTHERS_SHORT = frozenset("pth ptg ivg imc bav tep rcf".split())
_DRUGS_SHORT = frozenset("hbpm hnf avk aod iec ains isrs bzd epo tdf efv nvp azt".split())
_SPELT_OUT = {
    short: re.compile(r"\b" + BETWEEN.join(rf"{stem(part)}\w*" for part in EXPANSIONS[short]))
    for short in sorted(_DISEASES_SHORT & EXPANSIONS.keys())
    if len(EXPANSIONS[short]) > 1
}


def short_name_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield diseases that are new or lost, by their abbreviation or in the words of it.

    Example:
        >>> list(short_name_reasons("Un AIT ancien.", "Un AVC ancien."))
        ['disease invented: AVC', 'disease lost: AIT']
    """
    words = words_of(source)
    known = allowed(words) | set(words)
    for raw in dict.fromkeys(re.findall(r"(?<![\w-])[A-Z]{2,5}(?![\w-])", rewrite)):
        short, before = fold(raw), fold(source)
        if short not in _DISEASES_SHORT | _DRUGS_SHORT | _OTHERS_SHORT or short in known:
            continue
        if _says_what(raw, rewrite):
            continue
        if not any(other in before for other in ANOTHER_WAY.get(short, _ALSO.get(short, ()))):
            kind = "drug" if short in _DRUGS_SHORT else "disease"
            kind = "term" if short in _OTHERS_SHORT else kind
            yield f"{kind} invented: {raw}"
    for short, pattern in _SPELT_OUT.items():
        found = pattern.search(fold(rewrite))
        before = fold(source)
        if any(other in before for other in ANOTHER_WAY.get(short, ())):
            continue
        same = {s for s, parts in EXPANSIONS.items() if parts == EXPANSIONS[short]}  # HIC, HTIC
        if found and known.isdisjoint(same) and not pattern.search(before):
            yield f"disease invented: {found[0]}"

    told = fold(rewrite)
    for raw in dict.fromkeys(re.findall(r"(?<![\w-])[A-Z]{2,5}(?![\w-])", source)):
        short = fold(raw)
        named = short in ANOTHER_WAY or (short in _DISEASES_SHORT and short in EXPANSIONS)
        if not named or re.search(rf"(?<!\w){short}s?(?!\w)", told):
            continue
        if short not in ANOTHER_WAY:
            if not any(stem(part) in told for part in EXPANSIONS[short]):
                yield f"disease lost: {raw}"
            continue
        parts = EXPANSIONS.get(short, ("?",))[:2]
        spelt = re.search(BETWEEN.join(rf"{re.escape(stem(part))}\w*" for part in parts), told)
        if not spelt and not any(other in told for other in ANOTHER_WAY[short]):
            yield f"disease lost: {raw}"


def _says_what(short: str, text: str) -> bool:
    """Return whether a text spells an abbreviation out itself, as something else than a disease.

    What it is spelt out as is compared as any other words: "épithélium pigmentaire (EP)".
    """
    letters = fold(short)
    words = BETWEEN.join(letter + r"[^\W\d_]+" for letter in letters)
    spelt = re.search(rf"\b{words}\s*\({letters}\)", fold(text))
    return spelt is not None and not all(p in spelt[0] for p in EXPANSIONS.get(letters, ("?",)))
