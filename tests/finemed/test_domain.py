"""The light domain rule on kinds of text that it was not learned from."""

import json
from pathlib import Path

import numpy as np
import pytest

from doctobert_hf.finemed.annotators.domain import health_score
from doctobert_hf.finemed.annotators.lexicon import load_lexicons
from doctobert_hf.finemed.annotators.light import domain_scores, subdomain_scores
from doctobert_hf.finemed.taxonomy import SUBDOMAINS

DATA = Path(__file__).resolve().parents[2] / "benchmarks" / "data"


def kept(name):
    matcher = load_lexicons(("base",))
    rows = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    texts = [row["text"] if isinstance(row, dict) else row for row in rows]
    return [domain_scores(text, matcher.find(text))[0] >= 0.5 for text in texts]


def test_notes_are_kept_and_other_subjects_are_not():
    notes, pages = kept("notes_held_out"), kept("other_pages_held_out")
    assert sum(notes) >= 0.9 * len(notes) and sum(pages) <= 0.1 * len(pages)


@pytest.mark.parametrize(
    "text",
    [
        "TA 12/8 FC 72 apyrétique",
        "Évaluation de l'efficacité d'un traitement anticoagulant après fibrillation auriculaire.",
        "EVALUATION DE L'EFFICACITE D'UN TRAITEMENT ANTICOAGULANT",
        "Prendre un comprimé matin et soir pendant sept jours, au cours du repas.",
    ],
)
def test_forms_of_health(text):
    assert health_score(text, 0.0) > 0.5
    assert health_score(text.lower(), 0.0) > 0.5


def test_a_text_without_a_known_word_is_not_health():
    assert health_score("", 0.0) < 0.5
    assert health_score("xyzzy plugh", 0.0) == health_score("qwerty asdf", 0.0)


def test_what_is_health_is_no_subdomain_others():
    text = "Consultation de contrôle : la tension artérielle du patient est normale, il va bien."
    assert domain_scores(text, [])[0] >= 0.5
    assert SUBDOMAINS[int(np.argmax(subdomain_scores(text, [])))] != "Others"
    novel = "Le marquis entra dans le salon, salua la comtesse et s'assit près du feu sans parler."
    assert SUBDOMAINS[int(np.argmax(subdomain_scores(novel, [])))] == "Others"
