"""Gates: what a rewrite must keep of its source, and what it must not bring.

Facts one by one (:mod:`doctobert_hf.finemed.rephrase.fidelity`: quantities, medicines, diseases,
polarity, side, sentences), then length, share of terms, language, repetition, left-over markup and
copied passages. The published corpus had language and repetition only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doctobert_hf.finemed.rephrase.fidelity import check_rewrite
from doctobert_hf.finemed.words import WORD, fold, ngrams, words

if TYPE_CHECKING:
    from doctobert_hf.finemed.annotators.lexicon import LexiconMatcher
    from doctobert_hf.finemed.config import RephraseConfig

_MARKUP = re.compile(
    r"<[A-Za-zÀ-ÿ_ /]{2,40}>|^\s*(?:#{1,6} |```|\* |- )|\*\*", re.IGNORECASE | re.MULTILINE
)
_GRAM = 8


def rejections(
    source: str, rewrite: str, config: RephraseConfig, matcher: LexiconMatcher, language: str
) -> list[str]:
    """Return why a rewrite is rejected; empty where it passes.

    Args:
        source: The chunk.
        rewrite: What the model made of it.
        config: The thresholds.
        matcher: Finds medical terms.
        language: Code of the rewrite's language, as identified.

    Returns:
        Reasons, the gravest first: ``"kind"`` or ``"kind: the fact"``.
    """
    if not rewrite.strip():
        return ["empty rewrite"]
    if language != "fr":
        return [f"language: {language}"]
    found = [
        f"markup left: {leak[0].strip()}"
        for leak in _MARKUP.finditer(rewrite)
        if leak[0].lstrip() not in source  # "- " with its space: hyphens are everywhere
    ]
    found += _form(words(source), words(rewrite), config)
    old, new = terms_of(source, matcher), terms_of(rewrite, matcher)
    if old and len(old & new) < config.keep_terms * len(old):
        found.append("terms lost")
    return found + check_rewrite(source, rewrite)


def terms_of(text: str, matcher: LexiconMatcher) -> set[str]:
    """Return a text's medical terms, folded."""
    spans = (text[term.start : term.end] for term in matcher.find(text))
    return {" ".join(fold(word) for word in WORD.findall(span)) for span in spans}


def _form(old: list[str], new: list[str], config: RephraseConfig) -> list[str]:
    found = []
    ratio = len(new) / max(1, len(old))
    if not config.length_ratio[0] <= ratio <= config.length_ratio[1]:
        found.append("too short" if ratio < config.length_ratio[0] else "too long")
    grams = ngrams(new, _GRAM)
    if grams:
        if 1 - len(set(grams)) / len(grams) > config.repeated_share:
            found.append("repetitive")
        taken = set(ngrams(old, _GRAM))
        if sum(gram in taken for gram in grams) / len(grams) > config.copy_share:
            found.append("near-copy of the source")
    return found
