"""Gates: what a rewrite must keep of its source, and what it must not bring.

Checked against the source: medical terms, numbers with their units, negations, length; and for
itself: language, repetition, left-over placeholders, copied passages. The published corpus had
language and repetition only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doctobert_hf.finemed.words import WORD, fold, ngrams, words

if TYPE_CHECKING:
    from doctobert_hf.finemed.annotators.lexicon import LexiconMatcher
    from doctobert_hf.finemed.config import RephraseConfig

_UNITS = (
    r"mg/kg|mg/l|mg/dl|g/dl|g/l|µg/l|ng/ml|mmol/l|µmol/l|ui/l|ml/min|mmhg|kg/m2|kg/m²|cmh2o|bpm"
    r"|kg|mg|µg|mcg|ng|cg|g|ml|dl|cl|µl|l|mm|cm|m|kcal|ui|u|%|‰|°c|°|ans?|mois|semaines?|jours?|j"
    r"|heures?|h|minutes?|min|secondes?|s|fois|hz|mhz|ma|v|kpa|bar"
)
_NUMBER = re.compile(
    rf"(?<![\w.,])(\d+(?:[   ]\d{{3}})*(?:[.,]\d+)?)\s*(?:({_UNITS})(?![\w/]))?", re.IGNORECASE
)
_SAME = {"an": "ans", "an(s)": "ans", "semaine": "semaines", "jour": "jours", "j": "jours"}
_SAME |= {"heure": "h", "heures": "h", "minute": "min", "minutes": "min", "mcg": "µg"}
_SAME |= {"seconde": "s", "secondes": "s", "kg/m²": "kg/m2", "u": "ui", "°": "°c"}
_NEGATION = re.compile(
    r"(?<!\w)(?:pas(?: d[e'’]| non plus)?|absence d[e'’]|absent\w*|sans|aucune?|jamais|ni|non"
    r"|nie|exclu\w*|élimin\w+|négati\w+|dépourvu\w*|indemne|rm d[e'’])(?!\w)",
    re.IGNORECASE,
)
_SCOPE_BEFORE = 60
_SCOPE_AFTER = 25
_STOP = re.compile(
    r"[.;:!?\n]|(?<!\w)(?:mais|cependant|toutefois|en revanche)(?!\w)", re.IGNORECASE
)
_PLACEHOLDER = re.compile(
    r"\|\|\||\[[A-ZÀ-Ý_ ]{3,40}\]|<[A-Za-zÀ-ÿ_ /]{2,40}>|\{\{?[^{}\n]{1,40}\}\}?|\bX{3,}\b|_{3,}"
    r"|lorem ipsum|en tant (?:que modèle|qu['’](?:ia|assistant))"
    r"|voici (?:la|une) (?:version|réécriture)"
    r"|^\s*(?:#{1,6} |```|\* |- )|\*\*",
    re.IGNORECASE | re.MULTILINE,
)
_GRAM = 8


@dataclass(frozen=True)
class Facts:
    """What of a text the gates compare.

    Attributes:
        words: Its words.
        terms: Medical terms, folded.
        negated: Terms that are negated wherever they stand.
        numbers: Numbers with their units, ``"3.5 mg"``.
    """

    words: list[str]
    terms: frozenset[str]
    negated: frozenset[str]
    numbers: frozenset[str]


def facts_of(text: str, matcher: LexiconMatcher) -> Facts:
    """Read a text's facts."""
    affirmed: set[str] = set()
    negated: set[str] = set()
    for term in matcher.find(text):
        surface = " ".join(fold(word) for word in WORD.findall(text[term.start : term.end]))
        (negated if is_negated(text, term.start, term.end) else affirmed).add(surface)
    return Facts(
        words(text),
        frozenset(affirmed | negated),
        frozenset(negated - affirmed),
        frozenset(numbers_of(text)),
    )


def is_negated(text: str, start: int, end: int) -> bool:
    """Whether a term stands under a negation: before it in its clause, or close behind it."""
    before = text[max(0, start - _SCOPE_BEFORE) : start]
    stops = [match.end() for match in _STOP.finditer(before)]
    if stops:
        before = before[stops[-1] :]
    if _NEGATION.search(before):
        return True
    after = text[end : end + _SCOPE_AFTER]
    stop = re.search(r"[.;!?\n]", after)  # not at a colon: "fièvre : absente"
    behind = after[: stop.start()] if stop else after
    return (
        re.search(r"(?<!\w)(?:négati\w+|absent\w*|exclu\w*|éliminée?s?)", behind, re.I) is not None
    )


def numbers_of(text: str) -> set[str]:
    """Numbers with their units, written one way: ``1 000,50 mg`` is ``1000.5 mg``."""
    found = set()
    for match in _NUMBER.finditer(text):
        digits = re.sub(r"[   ]", "", match[1]).replace(",", ".")
        if "." in digits:
            digits = digits.rstrip("0").rstrip(".")
        unit = (match[2] or "").lower()
        found.add(f"{digits.lstrip('0') or '0'} {_SAME.get(unit, unit)}".strip())
    return found


def rejection(
    source: str, rewrite: str, config: RephraseConfig, matcher: LexiconMatcher, language: str
) -> str | None:
    """Why a rewrite is rejected, or ``None``.

    Args:
        source: The chunk.
        rewrite: What the model made of it.
        config: The thresholds.
        matcher: Finds medical terms.
        language: Code of the rewrite's language, as identified.
    """
    if not rewrite.strip():
        return "empty rewrite"
    if (leak := _PLACEHOLDER.search(rewrite)) and leak.group() not in source:
        return "placeholder or comment left"
    if language != "fr":
        return f"language: {language}"
    old, new = facts_of(source, matcher), facts_of(rewrite, matcher)
    return _form(old, new, config) or _content(old, new, config)


def _form(old: Facts, new: Facts, config: RephraseConfig) -> str | None:
    ratio = len(new.words) / max(1, len(old.words))
    if not config.length_ratio[0] <= ratio <= config.length_ratio[1]:
        return "too short" if ratio < config.length_ratio[0] else "too long"
    grams = ngrams(new.words, _GRAM)
    if grams:
        if 1 - len(set(grams)) / len(grams) > config.repeated_share:
            return "repetitive"
        taken = set(ngrams(old.words, _GRAM))
        if sum(gram in taken for gram in grams) / len(grams) > config.copy_share:
            return "near-copy of the source"
    return None


def _content(old: Facts, new: Facts, config: RephraseConfig) -> str | None:
    if _share(old.terms & new.terms, old.terms) < config.keep_terms:
        return "terms lost"
    if _share(old.numbers & new.numbers, old.numbers) < config.keep_numbers:
        return "numbers lost"
    # A number of the source that has lost or changed its unit counts as new: it means another.
    if len(new.numbers - old.numbers) > config.new_numbers * max(1, len(new.numbers)):
        return "numbers invented"
    told = old.negated & new.terms
    if told and _share(told & new.negated, told) < config.keep_negations:
        return "negations lost"
    return None


def _share(kept: frozenset[str], whole: frozenset[str]) -> float:
    return len(kept) / len(whole) if whole else 1.0
