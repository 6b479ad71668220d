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
    ("Vu le 12/03/2021, sorti le 4 juin 2021.", "Sorti le 04.06.2021 ; vu le 12 mars 2021."),
    ("Metformine 500 mg deux fois par jour.", "Metformine 500 mg x 2/j."),
    ("Metformine 500 mg matin et soir.", "Metformine : deux prises quotidiennes de 500 mg."),
    ("Metformine 500 mg deux fois par jour.", "Metformine : 1 g par jour en 2 prises de 500 mg."),
    ("Bisoprolol 5 mg par jour.", "Chaque jour, 5 mg de bisoprolol."),
    ("Paracétamol 1 g toutes les 6 heures.", "Paracétamol 1 g quatre fois par jour."),
    ("Méthotrexate 15 mg/semaine.", "Méthotrexate 15 mg une fois par semaine."),
    ("Revu à 18 mois.", "Revu au bout d'un an et demi."),
    ("Revu à 15 jours.", "Revu après deux semaines."),
    ("Toux depuis 12 mois.", "Toux depuis un an."),
    ("Pression artérielle à 165/95 mmHg.", "TA 16,5/9,5 cmHg."),
    ("Kaliémie à 4,1 mmol/l.", "Kaliémie à 4,1 mEq/l."),
    ("Il n'a pas de fièvre.", "Patient apyrétique."),
    ("Elle ne fume pas.", "Non-fumeuse."),
    ("Il n'a jamais eu de crise d'épilepsie.", "Aucune crise d'épilepsie."),
    ("Ne pas associer au méthotrexate.", "L'association au méthotrexate est à éviter."),
    ("Une rotavirose est suspectée.", "Suspicion de rotavirose."),
    ("Pas de lésion des ligaments collatéraux.", "Ligaments collatéraux sans lésion."),
    ("Ne doublez pas la dose.", "Il ne faut pas doubler la dose."),
    ("Hypothyroïdie induite par le lithium.", "Le lithium a causé une hypothyroïdie."),
    ("Orifices herniaires libres.", "Pas de hernie aux orifices herniaires."),
    ("Sa mère a un eczéma.", "Eczéma chez la mère."),
    ("Il a une fibrillation auriculaire.", "FA."),
    ("Clairance < 30 ml/min.", "Clairance inférieure à 30 ml/min."),
    ("Absence de kyste, d'épanchement ou d'ascite.", "Ni ascite, ni épanchement, ni kyste."),
    ("Diabète de type 2, insuffisance rénale de stade III.", "Insuffisance rénale stade 3, "
     "diabète de type 2."),
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
    ("Vu le 12/03/2021.", "Vu le 12 mai 2021.", "date invented: 12 mai 2021"),
    ("Metformine 500 mg deux fois par jour.", "Metformine 500 mg x 3/j.", "quantity"),
    ("Bisoprolol 5 mg par jour.", "Chaque semaine, 5 mg de bisoprolol.", "quantity"),
    ("Paracétamol 1 g toutes les 6 heures.", "Paracétamol 1 g six fois par jour.", "quantity"),
    ("Traité une année.", "Traité un mois.", "quantity changed"),
    ("Pression artérielle à 165/95 mmHg.", "TA 15,6/9,5 cmHg.", "quantity"),
    ("Clairance < 30 ml/min.", "Clairance supérieure à 30 ml/min.", "limit turned round"),
    ("ASAT à 150 UI/l, ALAT à 210 UI/l.", "ASAT 210 UI/l, ALAT 150 UI/l.", "values exchanged"),
    (
        "On associe 80 mg de cisplatine et 30 mg de vinorelbine.",
        "Cisplatine 30 mg, vinorelbine 80 mg.",
        "values exchanged",
    ),
    (
        "Reins de 82 mm à droite et de 79 mm à gauche.",
        "Rein droit 79 mm, rein gauche 82 mm.",
        "values exchanged",
    ),
    ("Diabète de type 2.", "Diabète de type 1.", "code changed"),
    ("Tumeur classée T2bN0M0.", "Tumeur classée T3N0M0.", "code invented: T3N0M0"),
    ("Hépatite B ancienne.", "Hépatite C ancienne.", "code changed"),
    ("Il n'a jamais eu de crise d'épilepsie.", "Crises d'épilepsie.", "negation lost"),
    ("Il n'a pas eu d'hospitalisation.", "Une hospitalisation.", "negation lost"),
    ("Ni raideur de la nuque ni purpura.", "Pas de raideur de la nuque, purpura.", "negation lost"),
    ("Il n'a pas de fièvre.", "Patient fébrile.", "fever changed"),
    ("Ne pas associer au méthotrexate.", "Peut être associé au méthotrexate.", "warning"),
    ("Ne doublez pas la dose.", "Doublez la dose.", "negation lost: doublez"),
    ("Il n'est pas recommandé avant 14 ans.", "Recommandé avant 14 ans.", "negation lost"),
    (
        "N'utilisez jamais ce gel sur une plaie ouverte.",
        "Appliquer sur une plaie ouverte.",
        "negation lost",
    ),
    ("Seins développés.", "Seins non développés.", "negation added"),
    ("Allergie aux céphalosporines.", "Non allergique aux céphalosporines.", "negation added"),
    (
        "Absence d'expression du gène, absence d'amplification.",
        "Expression du gène, absence d'amplification.",
        "negation lost: expression",
    ),
    ("Il a pris 6 kg.", "Il a perdu 6 kg.", "weight changed"),
    ("Fissure du ménisque médial.", "Fissure du ménisque latéral.", "side of a limb changed"),
    ("Une rotavirose est suspectée.", "Rotavirose confirmée.", "hypothesis made certain"),
    ("Son père a une pancréatite.", "Pancréatite.", "a relative's disease told of the patient"),
    ("On a éliminé une appendicite.", "Appendicite confirmée.", "what was ruled out is confirmed"),
    ("Furosémide par voie intraveineuse.", "Furosémide per os.", "route changed"),
    (
        "Tests positifs aux acariens et négatifs aux pollens.",
        "Acariens négatifs, pollens positifs.",
        "result changed",
    ),
    (
        "Territoire antérieur, mâchoire inférieure.",
        "Territoire inférieur, mâchoire inférieure.",
        "place changed",
    ),
    ("Hypokaliémie modérée.", "Hyperkaliémie modérée.", "opposite"),
    ("Insuffisance rénale.", "Insuffisance hépatique.", "organ changed"),
    ("Germe sensible à la ceftriaxone.", "Germe résistant à la ceftriaxone.", "sensitivity"),
    ("L'ibuprofène est arrêté.", "L'ibuprofène est poursuivi.", "medication changed"),
    ("Infarctus du père.", "Accident vasculaire cérébral du père.", "disease invented: accident"),
    ("Antécédent de diabète.", "Antécédents de diabète et d'AVC.", "disease invented: AVC"),
    ("L'ECBU isole Escherichia coli.", "L'ECBU isole Klebsiella pneumoniae.", "germ invented"),
    ("Examen normal.", "Voici la réécriture demandée : examen normal.", "remnant"),
    ("Examen normal.", "<think>Je réécris.</think> Examen normal.", "remnant"),
    ("Examen normal.", "### Réponse :\nExamen normal.", "remnant"),
    ("Examen normal.", "[Nom du patient] : examen normal.", "remnant"),
    ("Examen normal.", "Examen normal. Note : j'ai conservé toutes les valeurs.", "remnant"),
    ("Patient apyrétique.", "Patient apyr\u00c3\u00a9tique.", "garbled letters"),
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
    above = Path(folder or ".").resolve().parents
    path = next((p for up in above if (p := up / "cases" / "rephrase.jsonl").is_file()), None)
    if not folder or path is None:
        pytest.skip("no shared cases: DOCTOBERT_DATA_DIR is not set")
    cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for case in cases:
        found = check_rewrite(case["source"], case["rewrite"])
        assert bool(found) == (case["expected"] == "reject"), (case["id"], found)
