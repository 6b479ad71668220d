"""The gates on numbers that are written loosely: glued, ordinal, in a list, of a shared unit."""

import pytest

pytest.importorskip("text_to_num")

from doctobert_hf.finemed import check_rewrite

SAME = [
    # one of a unit, and numbers that a space is missing at
    ("Prednisone 1 mg/kg/j.", "Prednisone à raison d'un mg/kg/j."),
    ("Perfusion de 1 l de sérum salé.", "Perfusion d'un litre de sérum salé."),
    ("Un ganglion de 1 cm.", "Un ganglion d'un centimètre."),
    ("Cures à J60, J90et J120.", "Cures à J60, J90 et J120."),
    ("Col effacé à 80pour cent.", "Col effacé à 80 %."),
    ("Un bolus de15 mg puis de 30 mg.", "Un bolus de 15 mg, puis de 30 mg."),
    ("Traité 12mois puis 6 mois.", "Traité 12 mois, puis 6 mois."),
    # units that stand once, for several numbers
    ("Ammoniémie à 75 micromoles/l (11-50).", "Ammoniémie à 0,075 mmol/l (norme : 0,011-0,050)."),
    ("Hémoglobine à 8 g/dl (N : 12 à 16).", "Hémoglobine à 80 g/l (normale de 120 à 160 g/l)."),
    ("Ferritine à 900 µg/l (< 300).", "Ferritine à 0,9 mg/l (normale < 0,3)."),
    ("Une image de 11/7 cm, une masse de 110/80 mm, un kyste de 11 cm.",
     "Une image de 110/70 mm, une masse de 11/8 cm, un kyste de 110 mm."),
    ("Une masse de 15x12×11 cm.", "Une masse de quinze sur douze sur onze cm."),
    ("Une masse de 15x12×11 cm.", "Une masse de 150 sur 120 sur 110 mm."),
    ("Trois nodules de 29, 30 et 35 mm.", "Trois nodules de 2,9 cm, 3 cm et 3,5 cm."),
    # ordinals
    ("Apgar de 8 et 9 à 1 et à 5 minutes.", "Apgar 8 (1 min), 9 (5 min)."),
    ("Apgar à 8 et 10 à la première et à la dixième minute.", "Apgar 8 à 1 min, 10 à 10 min."),
    ("Apgar 7 à 1 min et 9 à 5 min.", "Apgar 7 et 9 aux 1re et 5e minutes."),
    ("Récidive à la vingt et unième semaine.", "Récidive à 21 semaines."),
    ("Contrôle au premier et au sixième mois.", "Contrôle à 1 mois et à 6 mois."),
    ("Fièvre à la deuxième heure.", "Fièvre à H2."),
    ("Décès à 3 ans.", "Décès la troisième année."),
    # counts
    ("Taux à 21 fois la normale.", "Taux à vingt et une fois la normale."),
    ("Taux à 31 fois la normale.", "Taux à trente-et-une fois la normale."),
    ("Troponine positive à 2 reprises.", "Troponine positive deux fois."),
    ("Ponction réalisée trois fois.", "Ponction réalisée à trois reprises."),
    ("Pouls à 80 battements par minute.", "Le pouls bat 80 fois par minute."),
    ("Pouls à 120 bat/min.", "Le pouls est à 120 par minute."),
    ("Une vis dans 9 cas, une plaque dans 8 cas.", "Une vis neuf fois, une plaque huit fois."),
    ("Une plaque chez 8 patients.", "Une plaque huit fois."),
    ("Un lobe est retiré en 1987, puis le reste en 1997.",
     "Opéré deux fois : un lobe est retiré en 1987, puis le reste en 1997."),
    ("Opérée à deux reprises, en 1999 et en 2004.", "Opérée en 1999, puis en 2004."),
    # fractions
    ("Il occupe les deux tiers postérieurs de l'orbite.", "Il occupe les 2/3 postérieurs de "
     "l'orbite."),
    ("Lésion des trois quarts du disque.", "Lésion des 3/4 du disque."),
    ("Un tiers des patients, puis le quart des cas.", "1/3 des patients, puis 1/4 des cas."),
    ("La moitié des patients sont guéris.", "50 % des patients sont guéris."),
    ("Une dose de 1,5 mg.", "Une dose d'un milligramme et demi."),
    ("Température à 38,5 °C.", "Température à 38°5."),
    ("Poids de naissance de 3200 g.", "Il pèse 3 kg 200 à la naissance."),
    ("Deux épisodes de vomissements.", "Il a vomi deux fois."),
    # frequencies
    ("Cure chaque 21 jours.", "Cure tous les 21 jours."),
    ("Cure chaque 3 semaines.", "Cure toutes les trois semaines."),
    ("Cures espacées de 21 jours.", "Une cure tous les 21 jours."),
    ("Dosage à 12 heures d'intervalle.", "Dosage à 12 heures d'écart."),
    # numbers that are of a list or of a name
    ("Scanner normal. Traitement par prednisone.", "1) Que montre le scanner ? Il est normal.\n"
     "2) Quel traitement ? Prednisone.\n3) Quelle suite ?\n4) Quel suivi ?"),
    ("Scanner normal. Prednisone.", "1. Scanner normal.\n2. Prednisone.\n3. Prednisone.\n"),
    ("Repos, puis paracétamol 1 g.", "Traitement : 1/ Repos 2/ Paracétamol 1 g."),
    ("Score à\n12. Il tousse.", "Il tousse, score à 12."),
    ("Scanner normal.", "Q12 : Que montre le scanner ?\nR12 : Il est normal."),
    ("Marqueur CA125 élevé.", "Antigène carbohydrate 125 élevé."),
    ("Antigène carbohydrate 125 élevé.", "CA125 élevé."),
    ("Un dosage de l'IL-6.", "Un dosage de l'interleukine 6."),
    # signs of markers
    ("CD4+, CD56+, CD20-.", "CD4 positif, CD56 positif, CD20 négatif."),
    # sides
    ("Acuité de 10/10 au niveau de l'œil droit et de 4/10 au niveau de l'œil gauche.",
     "Acuité : OD 10/10, OG 4/10."),
    ("Opéré à gauche, reins de 82 mm à droite et de 79 mm à gauche.",
     "Rein droit 82 mm, rein gauche 79 mm, opéré à gauche."),
]  # fmt: skip
CHANGED = [
    ("Prednisone 2 mg/kg/j.", "Prednisone à raison d'un mg/kg/j.", "quantity"),
    ("Prednisone à raison d'un mg/kg/j.", "Prednisone 2 mg/kg/j.", "quantity"),
    ("Cures à J60, J90et J120.", "Cures à J60, J80 et J120.", "quantity"),
    ("Col effacé à 80pour cent.", "Col effacé à 60 %.", "quantity"),
    ("Un bolus de15 mg puis de 30 mg.", "Un bolus de 25 mg, puis de 30 mg.", "quantity"),
    ("Ammoniémie à 75 micromoles/l (11-50).", "Ammoniémie à 0,075 mmol/l (norme : 0,11-0,50).",
     "quantity"),
    ("Une image de 11/7 cm, un kyste de 11 cm.", "Une image de 110/80 mm, un kyste de 110 mm.",
     "quantity"),
    ("Une image de 11/7 cm.", "Une image de 1,1/7 cm.", "quantity"),
    ("Une masse de 15x12×11 cm.", "Une masse de 15 sur 12 sur 10 cm.", "quantity"),
    ("Apgar de 8 et 9 à 1 et à 5 minutes.", "Apgar 8 (1 min), 9 (10 min).", "quantity"),
    ("Apgar à 8 et 9 à la première et à la neuvième minute.", "Apgar 8 à 1 min, 9 à 10 min.",
     "quantity"),
    ("Fièvre à la deuxième heure.", "Fièvre à H3.", "code"),
    ("Opérée à trois reprises, en 1999 et en 2004.", "Opérée en 1999, puis en 2004.", "quantity"),
    ("Récidive à la vingt et unième semaine.", "Récidive à 20 semaines.", "quantity"),
    ("Taux à 21 fois la normale.", "Taux à vingt fois la normale.", "quantity"),
    ("Taux à vingt et une fois la normale.", "Taux à 22 fois la normale.", "quantity"),
    ("Troponine positive à 2 reprises.", "Troponine positive trois fois.", "quantity"),
    ("Ponction réalisée trois fois.", "Ponction réalisée à deux reprises.", "quantity"),
    ("Pouls à 80 battements par minute.", "Le pouls bat 90 fois par minute.", "quantity"),
    ("Une vis dans 7 cas, une plaque dans 9 cas.", "Une vis sept fois, une plaque huit fois.",
     "quantity"),
    ("Opéré en 1987 d'un goitre.", "Opéré trois fois d'un goitre, en 1987.", "quantity"),
    ("Un lobe est retiré en 1987, puis le reste en 1997, amoxicilline 1 g.",
     "Un lobe est retiré en 1987, puis le reste en 1997, amoxicilline 1 g deux fois.", "quantity"),
    ("Il occupe les deux tiers postérieurs.", "Il occupe les 3/4 postérieurs.", "quantity"),
    ("Les deux tiers du foie.", "Le tiers du foie.", "quantity"),
    ("1/4 des patients.", "1/3 des patients.", "quantity"),
    ("60 % des patients sont guéris.", "La moitié des patients sont guéris.", "quantity"),
    ("Température à 38,5 °C.", "Température à 39°5.", "quantity"),
    ("Poids de 3200 g.", "Il pèse 3 kg 300.", "quantity"),
    ("Score à\n12. Il tousse.", "Score à\n15. Il tousse.", "quantity"),
    ("Cure chaque 21 jours.", "Cure pendant 21 jours.", "quantity"),
    ("Nodule de 12 mm à droite, de 9 mm à gauche.", "Nodule de 9 mm à droite, de 12 mm à gauche.",
     "values exchanged"),
    ("Cure chaque 21 jours.", "Cure tous les 28 jours.", "quantity"),
    ("Cures espacées de 21 jours.", "Une cure tous les 14 jours.", "quantity"),
    ("Scanner normal. Six cures.", "1) Scanner normal.\n2) Neuf cures.", "quantity"),
    ("Une dose.\n12 comprimés.", "Une dose.\n15 comprimés.", "quantity"),
    ("Marqueur CA125 élevé.", "Antigène carbohydrate 199 élevé.", "quantity"),
    ("Marqueur CA125 élevé.", "Marqueur élevé à 125 UI/l.", "quantity"),
    ("CD4+, CD56+, EBV+.", "CD4+, CD56-, EBV+.", "sign of a marker changed: CD56+, now CD56-"),
    ("CD20-, CD3+ et CD4+.", "CD20+, CD3+ et CD4+.", "sign of a marker changed"),
    ("Acuité de 10/10 au niveau de l'œil droit et de 4/10 au niveau de l'œil gauche.",
     "La vision est chiffrée à 4/10 à droite et à 10/10 à gauche.", "values exchanged"),
    ("Tonus : OD 13 mmHg, OG 18 mmHg.", "Tonus de 18 mmHg à droite et de 13 mmHg à gauche.",
     "values exchanged"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "rewrite"), SAME)
def test_the_same_numbers_in_another_form_pass(source, rewrite):
    assert check_rewrite(source, rewrite) == []
    assert check_rewrite(source, source) == []


@pytest.mark.parametrize(("source", "rewrite", "reason"), CHANGED)
def test_each_change_is_named(source, rewrite, reason):
    found = check_rewrite(source, rewrite)
    assert any(told.startswith(reason) for told in found), found
    assert check_rewrite(source, source) == []


@pytest.mark.long
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    ["1. Toux\n", "\t", "1e ", "CA12 ", "carbohydrate 12 ", "a", "1 et ", "1 mg (\n", "CD4+ "],
)
def test_long_runs_of_one_thing_take_linear_time(unit):
    text = "Antigène carbohydrate 125. " + unit * 3_000
    check_rewrite(text, "CA125, acuité à droite, à gauche. " + text)
