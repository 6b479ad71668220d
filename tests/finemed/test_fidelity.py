"""Whether a rewrite says what its source says: each kind of fact, both ways."""

import json
import os
from pathlib import Path

import pytest

pytest.importorskip("text_to_num")

from doctobert_hf.errors import UsageError
from doctobert_hf.finemed import check_rewrite

SAME = [
    ("Bisoprolol 0,5 mg par jour.", "Bisoprolol 500 µg/j."),
    ("Bisoprolol 0,5 mg par jour.", "Bisoprolol 500 \u03bcg par jour."),
    ("Plaquettes à 1\u202f000 /mm3.", "Les plaquettes sont à 1000/mm3."),
    ("Un enfant de vingt ans et 3,5 kg.", "20 ans, 3.5 kg."),
    ("Il souffre d'une HTA ancienne.", "Hypertension artérielle ancienne."),
    ("Pas de fièvre ni de toux.", "Absence de fièvre, absence de toux."),
    ("Examen sans particularité, sous traitement depuis hier.", "Traitement depuis hier, examen "
     "sans particularité."),
    ("Fracture du fémur droit.", "Fémur droit : fracture."),
]  # fmt: skip
CHANGED = [
    ("Bisoprolol 5 mg par jour.", "Bisoprolol 50 mg par jour.", "quantity invented: 50 mg"),
    ("Bisoprolol 5 mg par jour.", "Bisoprolol 5 g par jour.", "quantity invented: 5 g"),
    ("Débit de 3 mg/kg/j.", "Débit de 3 mg/j.", "quantity"),
    ("Pas de fièvre ni de toux.", "Fièvre et toux.", "negation lost"),
    ("Le patient a une embolie.", "Le patient n'a pas d'embolie.", "negation added"),
    ("Fracture du fémur droit.", "Fracture du fémur gauche.", "side"),
    ("Traité par ramipril.", "Traité par métoprolol.", "drug lost: ramipril"),
    ("Douleur au ventre.", "Douleur au ventre due à une appendicite.", "disease invented"),
    ("Examen normal.", "Voici le document réécrit : examen normal.", "remnant"),
    ("Examen normal.", "[/INST] Examen normal.", "remnant"),
    ("Examen normal.", "Examen normal <|im_end|>", "remnant"),
    ("Examen normal.", "Examen norm\ufffdal", "remnant"),
    ("Examen normal.", "Examen normal, 检查.", "another script"),
    ("Examen normal.", "  ", "empty rewrite"),
]


@pytest.mark.parametrize(("source", "rewrite"), SAME)
def test_the_same_facts_in_other_words_pass(source, rewrite):
    assert check_rewrite(source, rewrite) == []
    assert check_rewrite(source, source) == []


@pytest.mark.parametrize(("source", "rewrite", "reason"), CHANGED)
def test_each_change_is_named(source, rewrite, reason):
    found = check_rewrite(source, rewrite)
    assert any(told.startswith(reason) for told in found), found


def test_values_that_changed_places():
    source = "La température est de 38 °C et le pouls de 120 bpm. Poids 70 kg, taille 170 cm."
    assert check_rewrite(source, source) == []
    source = "Ramipril 5 mg le matin. Metformine 850 mg le soir."
    found = check_rewrite(source, "Ramipril 850 mg le matin. Metformine 5 mg le soir.")
    assert found == ["values exchanged: 5 mg and 850 mg"]


def test_what_is_no_text_is_refused():
    with pytest.raises(UsageError, match="NoneType"):
        check_rewrite(None, "Examen normal.")


def test_shared_cases():
    folder = os.environ.get("DOCTOBERT_DATA_DIR")
    path = Path(folder or ".") / ".." / "cases" / "rephrase.jsonl"
    if not folder or not path.is_file():
        pytest.skip("no shared cases: DOCTOBERT_DATA_DIR is not set")
    cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for case in cases:
        found = check_rewrite(case["source"], case["rewrite"])
        assert bool(found) == (case["expected"] == "reject"), (case["id"], found)
