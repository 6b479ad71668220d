"""Light annotators: rules over lexicon terms and cue words, for work without models.

They stand in for the published classifiers on a laptop and in tests. They are rough by design:
the domain rule is measured (README), subdomain and quality only order documents sensibly.
"""

from __future__ import annotations

import math
import re

from doctobert_hf.finemed.annotators.domain import health_score
from doctobert_hf.finemed.annotators.lexicon import Term
from doctobert_hf.finemed.density import covered
from doctobert_hf.finemed.taxonomy import SUBDOMAINS

DOMAINS = ("Health", "Other")
_CUES: dict[str, str] = {
    "Clinical cases & vignettes": r"âgée? de|cas cliniques?|observation|nous rapportons|admise?"
    r"|hospitalisée?|ans, (?:sans|aux?|qui)|antécédents?|à l'examen|évolution (?:était|fut|a été)",
    "Clinical guidelines & pathways": r"recommand\w+|grade [ABC]|consensus|prise en charge"
    r"|niveau de preuve|haute autorité de santé|conduite à tenir|algorithme",
    "Patient education & lifestyle": r"votre médecin|conseils?|vous pouvez|votre santé|évitez"
    r"|alimentation|activité physique|que faire|comment",
    "Wellness, supplements & CAM": r"bien-être|compléments? alimentaires?|huiles? essentielles?"
    r"|naturel\w*|homéopathi\w+|phytothérapie|acupuncture|détox|plantes?",
    "Public health, policy & programs": r"santé publique|épidémi\w+|prévention|politique\w*"
    r"|ministère|campagne|dépistage organisé|population|mortalité",
    "Commercial & promotional": r"achet\w+|livraison|prix|promo\w*|offre|panier|commande|€",
    "Drugs, trials & regulation": r"comprimés?|posologie|excipients?|autorisation de mise sur le"
    r"|notice|médicaments?|effets indésirables|essai clinique|placebo|pharmac\w+|laboratoire\w*",
    "Biomedical & mechanistic science": r"gènes?|protéines?|cellul\w+|récepteurs?|mécanismes?"
    r"|in vitro|souris|expression|molécul\w+|voie de signalisation|enzym\w+",
    "Medical devices, diagnostics & imaging": r"IRM|scanner|imagerie|échographi\w+|dispositifs?"
    r"|prothèses?|implants?|radiograph\w+|endoscop\w+",
    "Health IT, telemedicine & operations": r"télémédecine|téléconsultation|logiciel\w*"
    r"|dossier médical|données de santé|plateforme|numérique|application mobile",
    "Occupational health & safety": r"santé au travail|médecine du travail|salariés?|employeurs?"
    r"|risques? professionnels?|accidents? du travail|postes? de travail",
    "Health workforce education & training": r"formation|étudiants?|internes?|diplôme|concours"
    r"|faculté|enseignement|stage|examen classant",
    "Health services & facilities": r"hôpita\w+|clinique|cabinet|rendez-vous|horaires|établissement"
    r"|urgences|EHPAD|centre hospitalier|consultations?",
}
_PATTERNS = {
    label: re.compile(rf"(?<!\w)(?:{cues})(?!\w)", re.IGNORECASE) for label, cues in _CUES.items()
}
_SELLING = re.compile(
    r"(?<!\w)(?:achet\w+|promo\w*|livraison|panier|cliquez|abonnez)(?!\w)|[!€]", re.I
)
_SCHOLARLY = re.compile(
    r"(?<!\w)(?:et al|conclusion|discussion|résultats?|références|étude|figure|tableau|\d+ ?%"
    r"|\d+ ?(?:mg|g|ml|mmol|cm|mm|UI)(?:/\w+)?)(?!\w)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?…]+(?:\s|$)")
_HEAD = 5_000
"""Characters that cues are counted in from each of three places of a long text."""


def domain_scores(text: str, terms: list[Term]) -> list[float]:
    """Scores of ``DOMAINS``: a linear model on words, with the terms' share of the text."""
    health = health_score(_sample(text), _density(text, terms))
    return [health, 1 - health]


def subdomain_scores(text: str, terms: list[Term]) -> list[float]:
    """Scores of ``SUBDOMAINS`` by cue words, softmax over their rates in a thousand words."""
    seen = _sample(text)
    words = max(50, len(seen) / 6)
    rates = {
        label: 1000 * sum(1 for _ in pattern.finditer(seen)) / words
        for label, pattern in _PATTERNS.items()
    }
    rates["Other health"] = 2.0
    rates["Others"] = 0.0 if domain_scores(text, terms)[0] >= 0.5 else 60.0
    powers = [math.exp(min(rates[label], 60.0) / 4) for label in SUBDOMAINS]
    return [power / sum(powers) for power in powers]


def quality_score(text: str, terms: list[Term]) -> float:
    """Educational quality, about 0 to 5: content, length, sentences, method, no selling."""
    seen = _sample(text)
    words = len(text) / 6
    share = _density(text, terms)
    ends = sum(1 for _ in _SENTENCE.finditer(seen))
    per_sentence = (len(seen) / 6) / max(1, ends)
    score = min(1.0, share / 0.02)
    score += min(1.0, words / 300)
    score += 1.0 if 7 <= per_sentence <= 45 else 0.2
    score += min(1.0, share / 0.10)
    score += min(1.0, 6 * sum(1 for _ in _SCHOLARLY.finditer(seen)) / max(50, len(seen) / 6))
    selling = 1000 * sum(1 for _ in _SELLING.finditer(seen)) / max(50, len(seen) / 6)
    return score - min(2.0, selling / 5)


def _density(text: str, terms: list[Term]) -> float:
    return covered((term.start, term.end) for term in terms) / max(1, len(text))


def _sample(text: str) -> str:
    """The text, or its beginning, middle and end where it is long: never one window alone."""
    if len(text) <= 3 * _HEAD:
        return text
    middle = (len(text) - _HEAD) // 2
    return text[:_HEAD] + "\n" + text[middle : middle + _HEAD] + "\n" + text[-_HEAD:]
