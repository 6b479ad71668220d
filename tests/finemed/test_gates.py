"""Gates: each thing a rewrite must keep, and each it must not bring."""

import pytest
from finemed_helpers import medical_text

from doctobert_hf.finemed.annotators.lexicon import load_lexicons
from doctobert_hf.finemed.config import RephraseConfig
from doctobert_hf.finemed.rephrase.gates import rejections

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
    return rejections(source, rewrite, RephraseConfig(**settings), matcher, language)


def test_a_faithful_rewrite_passes(matcher):
    assert judge(REWRITE, matcher) == []


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("38,5°C", "39,5°C", "quantity invented: 39,5°C"),
        ("2.5 mg", "25 mg", "quantity invented: 25 mg"),
        ("1 g", "1 mg", "quantity invented: 1 mg"),
        ("1050 µmol/l", "1050 mg/l", "quantity invented: 1050 mg/l"),
        ("pas de dyspnée, pas d'œdème", "une dyspnée, un œdème", "negation lost: dyspnée"),
        ("amoxicilline", "ciprofloxacine", "drug lost: amoxicilline"),
        ("Pneumonie", "Pneumonie et méningite", "disease invented: meningite"),
    ],
)
def test_what_is_changed_is_found_and_named(matcher, old, new, reason):
    assert old in REWRITE
    assert reason in judge(REWRITE.replace(old, new), matcher)


def test_what_is_left_out_is_found(matcher):
    worded = REWRITE
    for number in ("54", "2.5", "38,5", "1050"):
        worded = worded.replace(number, "quelques")
    lost = [reason for reason in judge(worded, matcher) if reason.startswith("quantity lost")]
    assert len(lost) == 4
    found = judge("Pneumonie traitée.", matcher)
    assert found[0] == "too short" and "terms lost" in found


def test_every_marker_is_found(matcher):
    for leak in ("|||NAME|||", "Dr [NOM DU PATIENT]", "<DATE>", "Dr XXXX", "**Conclusion**"):
        (found,) = [
            r for r in judge(f"{REWRITE} {leak}", matcher) if "left" in r or "remnant" in r
        ][:1]
        assert found.split(": ")[1].strip("'*") in leak
    listed = judge(f"{REWRITE}\n- une pneumonie", matcher)
    assert any(reason.startswith("markup left") for reason in listed)
    # One the source has hides none that it has not.
    source = f"{SOURCE} <DATE>"
    assert judge(f"{REWRITE} <DATE>", matcher, source=source) == []
    assert judge(f"{REWRITE} <DATE> <NOM>", matcher, source=source) == ["markup left: <NOM>"]
    assert judge(f"Voici une réécriture : {REWRITE}", matcher)
    assert judge(REWRITE, matcher, language="en") == ["language: en"]
    assert judge("", matcher) == ["empty rewrite"]


def test_form(matcher):
    source = medical_text(1, 30)
    assert judge(SOURCE, matcher) == ["near-copy of the source"]
    assert "too long" in judge(source * 4, matcher, source=source)
    assert judge(REWRITE * 2, matcher) == ["repetitive"]
