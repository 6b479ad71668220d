"""Gates: each thing a rewrite must keep, and each it must not bring."""

import pytest
from finemed_helpers import medical_text

from doctobert_hf.finemed.annotators.lexicon import load_lexicons
from doctobert_hf.finemed.config import RephraseConfig
from doctobert_hf.finemed.rephrase.gates import facts_of, is_negated, numbers_of, rejection

SOURCE = (
    "Patient de 54 ans, hypertension traitée par ramipril 2,5 mg. Fièvre à 38,5 °C depuis 3 jours. "
    "Pas de dyspnée ni d'œdème. La radiographie montre une pneumonie ; absence de fracture. "
    "Amoxicilline 1 g trois fois par jour pendant 7 jours. Créatinine à 1 050 µmol/L."
)
REWRITE = (
    "Vu ce jour un homme, 54 ans, connu pour une hypertension sous ramipril (2.5 mg). Il décrit "
    "3 jours de fièvre, mesurée à 38,5°C. On ne retrouve pas de dyspnée, pas d'œdème. Pneumonie "
    "sur la radiographie, sans fracture. Mise en route d'une amoxicilline à raison de 1 g, trois "
    "prises, 7 jours en tout. La créatinine atteint 1050 µmol/l."
)


@pytest.fixture(scope="module")
def matcher():
    return load_lexicons(("base",))


def judge(rewrite, matcher, source=SOURCE, language="fr", **settings):
    return rejection(source, rewrite, RephraseConfig(**settings), matcher, language)


def test_a_faithful_rewrite_passes(matcher):
    assert judge(REWRITE, matcher) is None


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("38,5°C", "39,5°C", "numbers"),
        ("2.5 mg", "25 mg", "numbers"),
        ("1 g", "1 mg", "numbers"),
        ("1050 µmol/l", "1050 mg/l", "numbers"),
        ("pas de dyspnée, pas d'œdème", "une dyspnée, un œdème", "negations lost"),
    ],
)
def test_what_is_changed_is_found(matcher, old, new, reason):
    assert old in REWRITE
    found = judge(REWRITE.replace(old, new), matcher, keep_numbers=0.95, new_numbers=0.0)
    assert found and found.startswith(reason)


def test_what_is_left_out_is_found(matcher):
    few = (
        "Homme de 54 ans, 2,5 mg, 38,5 °C, 3 jours, 1 g, 7 jours, 1050 µmol/L, avec une pneumonie."
    )
    assert judge(few, matcher) == "terms lost"
    worded = REWRITE
    for number in ("54", "2.5", "38,5", "1050"):
        worded = worded.replace(number, "quelques")
    assert judge(worded, matcher) == "numbers lost"
    assert judge("Pneumonie traitée.", matcher) == "too short"


def test_what_is_brought_is_found(matcher):
    invented = REWRITE + " Poids 81 kg, CRP 140 mg/L, pouls 96 bpm, taille 172 cm."
    assert judge(invented, matcher) == "numbers invented"
    for leak in ("|||NAME|||", "Dr [NOM DU PATIENT]", "<DATE>", "Dr XXXX", "**Conclusion**"):
        assert judge(f"{REWRITE} {leak}", matcher) == "placeholder or comment left"
    assert judge(f"Voici une réécriture : {REWRITE}", matcher) == "placeholder or comment left"
    assert judge(REWRITE, matcher, language="en") == "language: en"
    assert judge("", matcher) == "empty rewrite"


def test_form(matcher):
    source = medical_text(1, 30)
    assert judge(SOURCE, matcher) == "near-copy of the source"
    assert judge(source * 4, matcher, source=source) == "too long"
    assert judge(REWRITE * 2, matcher) == "repetitive"


def test_numbers_are_written_one_way():
    assert numbers_of("1 000,50 mg et 1000.5mg") == {"1000.5 mg"}
    assert numbers_of("007 ; 3 jours, 3 j ; 12 heures") == {"7", "3 jours", "12 h"}
    assert numbers_of("CYP3A4, 10.2.3") == {"3"} or "4" not in numbers_of("CYP3A4")


@pytest.mark.parametrize(
    ("text", "term", "negated"),
    [
        ("Pas de fièvre.", "fièvre", True),
        ("Sans fièvre ni toux", "toux", True),
        ("Fièvre : absente", "Fièvre", True),
        ("Pas de toux. Fièvre élevée", "Fièvre", False),
        ("Pas de toux mais une fièvre", "fièvre", False),
        ("La fièvre persiste", "fièvre", False),
        ("Le trépas d'un malade fiévreux avec fièvre", "fièvre", False),
    ],
)
def test_scope_of_negation(text, term, negated):
    start = text.index(term)
    assert is_negated(text, start, start + len(term)) is negated


def test_a_term_negated_once_and_affirmed_once_is_affirmed(matcher):
    facts = facts_of("Pas de fièvre hier. Fièvre aujourd'hui. Pas de toux.", matcher)
    assert facts.negated == {"toux"} and "fievre" in facts.terms
