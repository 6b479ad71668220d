"""The gates on forms of French clinical texts: counts, limits, denials, short forms, sides."""

from itertools import product

import pytest

pytest.importorskip("text_to_num")

from doctobert_hf.finemed import check_rewrite
from doctobert_hf.finemed.rephrase.remnants import form_reasons
from doctobert_hf.finemed.rephrase.spelled import as_digits
from doctobert_hf.finemed.rephrase.terms import term_reasons

SAME = [
    ("Plaquettes à 450 000/mm3.", "Plaquettes : 450 G/L."),
    ("Plaquettes à 98 000.", "Plaquettes à 98 G/l."),
    ("Isoniazide 250 mg/j et rifampicine 500 mg/j.", "Isoniazide 250 mg, rifampicine 500 mg par "
     "jour."),
    ("À conserver à une température ne dépassant pas 25 °C.", "Ne pas conserver au-dessus de "
     "25 °C."),
    ("Il n'est pas nécessaire de dépasser 3 g/j.", "Dépasser 3 g/j n'est pas nécessaire."),
    ("Question 14. Un homme de 45 ans tousse.", "Un homme de 45 ans tousse."),
    ("Une TVP chez 12 patients (5 %), une EP chez 2 (0,8 %).", "Douze patients (5 %) ont une TVP "
     "et deux (0,8 %) une EP."),
    ("Il n'y a pas de fièvre.", "Fièvre absente."),
    ("Pas de syndrome inflammatoire.", "Syndrome inflammatoire : non."),
    ("Nitrites nég.", "Pas de nitrites."),
    ("La douleur est sans doute ischémique.", "La douleur est probablement ischémique."),
    ("Examen sans particularité, amlodipine 10 mg.", "Examen sans particularité sous amlodipine "
     "10 mg."),
    ("L'échographie rénale élimine un obstacle.", "À l'échographie rénale, pas d'obstacle."),
    ("La patiente nie tout contage.", "Aucun contage n'est rapporté par la patiente."),
    ("La cytologie est négative pour des cellules malignes.", "Pas de cellules malignes à la "
     "cytologie."),
    ("Crâne et rachis indemnes de lésion.", "Ni le crâne ni le rachis ne présentent de lésion."),
    ("Aucun décès n'est survenu.", "Personne n'est décédé."),
    ("Il n'y a plus de vomissements.", "Elle ne vomit plus."),
    ("DT2 sous metformine.", "Diabète de type 2 sous metformine."),
    ("FEVG à 35 %.", "Fraction d'éjection du ventricule gauche à 35 %."),
    ("Douleur du genou G.", "Douleur du genou gauche."),
    ("OMI bilatéraux.", "Œdèmes bilatéraux des membres inférieurs."),
    ("Créat 95, sulfate de Mg 4 g.", "Créatininémie à 95, sulfate de magnésium 4 g."),
    ("Carcinome épidermoïde du poumon.", "Tumeur du poumon : carcinome épidermoïde."),
    ("L'insuline est poursuivie.", "Poursuite de l'insuline."),
    ("Vitamine B1 500 mg/j.", "On donne 500 mg de vitamine B1 par jour."),
    ("Clopidogrel 75mg 1cp/j.", "Clopidogrel 75 mg/j (1 cp)."),
    ("Toux chez 10 % des patients.", "Dix pour cent des patients ont une toux."),
    ("Doubler toutes les deux à quatre semaines.", "Doubler toutes les 2 à 4 semaines."),
    ("Hanche D douloureuse, fracture du col D.", "Hanche droite douloureuse, "
     "fracture du col droit."),
    ("Posologie de 5 mg. Aucun ajustement n'est nécessaire.", "5 mg ; il n'y a pas lieu d'ajuster "
     "la posologie."),
    ("Elle ne présentait aucun antécédent.", "Elle n'a aucun antécédent, a-t-elle présenté."),
    ("ECG sans particularités.\nL'échographie montre un kyste.", "ECG sans particularités "
     "L'échographie montre un kyste."),
    ("VD non dilaté.", "Pas de dilatation du VD."),
    ("Prise d'AINS.", "Des AINS ont été pris."),
    ("Pas d'HTA.", "Pas d'hypertension artérielle."),
    # words built of Greek and Latin parts
    ("Douleur du genou droit depuis trois mois.", "Gonalgie droite depuis trois mois."),
    ("Gonalgie droite.", "Douleur du genou droit."),
    ("Inflammation de la vessie.", "Cystite."),
    ("Ablation de la rate en 2010.", "Splénectomie en 2010."),
    ("Pas de gros foie.", "Pas d'hépatomégalie."),
    ("Plaquettes basses à 50 000/mm3.", "Thrombopénie à 50 G/l."),
    ("Potassium bas à 2,8 mmol/l.", "Hypokaliémie à 2,8 mmol/l."),
    ("Lactates 2,1 mmol/l.", "Lactatémie à 2,1 mmol/l."),
    ("Sang dans les urines.", "Hématurie."),
    ("Rythme cardiaque rapide.", "Tachycardie."),
    ("Arthrose du genou.", "Gonarthrose."),
    # words that deny by their form
    ("Abdomen indolore.", "Abdomen non douloureux."),
    ("Patient apyrétique.", "Pas de fièvre."),
    ("Sclères anictériques.", "Pas d'ictère des sclères."),
    ("Tumeur inopérable.", "Tumeur non opérable."),
    ("Patient asymptomatique.", "Patient sans symptôme."),
    # what stands behind "avec" is affirmed, where it is a complaint
    ("Pas de fièvre avec dyspnée.", "Dyspnée sans fièvre."),
    ("Pas de contact avec un malade.", "Aucun contact avec un malade."),
    ("Pas de lésion avec prise de contraste.", "Aucune lésion ne prend le contraste."),
    # frequencies
    ("Alendronate 70 mg hebdomadaire.", "Alendronate 70 mg par semaine."),
    ("Méthotrexate 15 mg par semaine.", "Méthotrexate à la dose hebdomadaire de 15 mg."),
    ("Contrôle trimestriel.", "Contrôle tous les 3 mois."),
    ("Pansement tous les 2 jours.", "Pansement un jour sur deux."),
    ("Morphine 10 mg toutes les 4 heures.", "Morphine : 10 mg/4 h."),
    ("Bolus de 500 ml.", "Bolus d'un demi-litre."),
    ("CRP 45 mg/l.", "CRP à 45 milligrammes par litre."),
    ("Potassium 2 g par jour.", "Deux grammes de potassium par jour."),
    # others
    ("Ventricule gauche dilaté.", "VG dilaté."),
    ("Membres inférieurs droit et gauche normaux.", "Les deux membres inférieurs sont normaux."),
    ("AINS contre-indiqués.", "Anti-inflammatoires non stéroïdiens contre-indiqués."),
    ("Corticothérapie par prednisone.", "Corticoïdes : prednisone."),
]  # fmt: skip
CHANGED = [
    ("Douleur du genou.", "Coxalgie.", "disease invented"),
    ("Douleur de la hanche et genou normal.", "Gonalgie, hanche normale.", "disease invented"),
    ("Douleur de l'estomac.", "Gastrite.", "disease invented"),
    ("Pas d'inflammation de la vessie.", "Cystite.", "negation lost"),
    ("Gros foie.", "Pas d'hépatomégalie.", "negation added"),
    ("Suspicion d'inflammation de l'appendice.", "Appendicite.", "hypothesis made certain"),
    ("Sa mère a une inflammation de la vessie.", "Cystite.", "a relative's disease"),
    ("Douleur du genou gauche, fracture du poignet droit.", "Gonalgie droite, fracture du poignet "
     "gauche.", "side changed"),
    ("Pouls lent.", "Tachycardie.", "pace changed"),
    ("Abdomen indolore.", "Abdomen douloureux.", "negation lost"),
    ("Abdomen douloureux.", "Abdomen indolore.", "negation added"),
    ("Patient asymptomatique.", "Patient symptomatique.", "negation lost"),
    ("Eupnéique au repos.", "Dyspnéique au repos.", "negation lost"),
    ("Patient conscient.", "Patient inconscient.", "negation added"),
    ("Pouls régulier.", "Pouls irrégulier.", "negation added"),
    ("Lésion inopérable.", "Lésion opérable.", "negation lost"),
    ("Pas de fièvre avec dyspnée.", "Pas de fièvre ni dyspnée.", "negation added"),
    ("Sans fièvre avec une diarrhée.", "Sans fièvre ni diarrhée.", "negation added"),
    ("Séance hebdomadaire de kinésithérapie.", "Séance quotidienne de kinésithérapie.",
     "quantity changed"),
    ("Vitamine D tous les mois.", "Vitamine D tous les jours.", "quantity changed"),
    ("Une AOMI connue.", "Un diabète connu.", "disease lost"),
    ("Ne prenez jamais ce médicament si vous avez un asthme.", "Ce médicament peut être pris avec "
     "un asthme.", "warning turned round"),
    ("Ce n'est généralement pas nécessaire.", "C'est généralement nécessaire.", "negation lost"),
    ("Le holter n'a pas été réalisé.", "Le holter a été fait.", "negation lost"),
    ("Nodule pulmonaire non retrouvé.", "Nodule pulmonaire retrouvé.", "negation lost"),
    ("Il ne vomit plus.", "Il vomit.", "negation lost"),
    ("Pas de toux.", "Toux.", "negation lost"),
    ("Personne n'est décédé.", "Deux patients sont décédés.", "negation lost"),
    ("La patiente nie tout contage.", "Un contage est rapporté.", "negation lost"),
    ("Pas de barre épigastrique ni de fièvre.", "Barre épigastrique présente, fièvre absente.",
     "negation lost"),
    ("Cytolyse : non.", "Cytolyse : oui.", "negation lost"),
    ("La température ne doit pas dépasser 25 °C.", "La température doit dépasser 25 °C.",
     "limit turned round"),
    ("Le score est passé de 9 à 3.", "Le score est passé de 3 à 9.", "values exchanged"),
    ("Otalgie droite.", "Otalgie bilatérale, tympan droit.", "side changed"),
    ("Douleur du genou G.", "Douleur du genou D.", "side"),
    ("IRC connue.", "Insuffisance respiratoire chronique connue.", "disease lost: IRC"),
    ("Prophylaxie par HBPM.", "Prophylaxie par HNF.", "drug invented: HNF"),
    ("DT2 connu.", "Diabète de type 1 connu.", "code changed"),
    ("Insuline glargine le soir.", "Insuline détémir le soir.", "drug invented"),
    ("Insuffisance mitrale.", "Insuffisance mitrale, rétrécissement aortique.", "disease invented"),
    ("Diarrhée chronique.", "Diarrhée chronique, maladie de Crohn.", "disease invented"),
    ("Régime pauvre en potassium.", "Régime riche en potassium.", "content changed"),
    ("Plaquettes à 450 G/l.", "Plaquettes à 45 000/mm3.", "quantity invented"),
    ("TC sans PC.", "TC avec PC.", "negation lost"),
    ("Pas d'AVC ni d'HTA.", "AVC, pas d'HTA.", "negation lost"),
    ("Pas de diabète, pas d'allergie.", "Il est diabétique et n'a pas d'allergie.",
     "negation lost"),
    ("Sérologie en faveur d'un kyste.", "Sérologie en défaveur d'un kyste.", "sense changed"),
    ("PTH prévue.", "PTG prévue.", "term invented"),
    ("VD non dilaté.", "Dilatation du VD.", "negation lost"),
    ("Pas d'HTA.", "Elle est hypertendue.", "negation lost"),
    ("Nausées fréquentes, convulsions rares.", "Nausées fréquentes, convulsions fréquentes.",
     "how often changed"),
    ("EP bilatérale.", "EP bilatérale, choc cardiogénique.", "disease invented"),
    ("Sous Kardégic 75 mg.", "Sous Plavix 75 mg.", "drug invented"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "rewrite"), SAME)
def test_the_same_facts_in_another_form_pass(source, rewrite):
    assert check_rewrite(source, rewrite) == []
    assert check_rewrite(source, source) == []


@pytest.mark.parametrize(("source", "rewrite", "reason"), CHANGED)
def test_each_change_is_named(source, rewrite, reason):
    found = check_rewrite(source, rewrite)
    assert any(told.startswith(reason) for told in found), found


@pytest.mark.long
@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", [" ", "\n", "\u00a0", "1 ", "mg ", "# "])
def test_long_runs_of_one_thing_take_linear_time(unit):
    """What a model that has gone astray writes."""
    list(form_reasons("Une note.", unit * 100_000))
    as_digits(unit * 100_000)


@pytest.mark.long
@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "text",
    [
        "oeil droit oeil gauche " * 6_000,
        ". ".join(
            f"{''.join(name)}mycine {n} mg le matin"
            for n, name in enumerate(
                product(("ba", "co", "di", "fu", "la", "me", "no", "pi"), repeat=4)
            )
        ),
    ],
)
def test_lists_of_sides_and_medicines_take_no_square_of_their_length(text):
    check_rewrite(text, text)


@pytest.mark.timeout(30)
def test_terms_of_which_none_is_kept_take_no_square_of_their_number():
    """Two long texts on other matters: each term was compared with every word of the other."""
    told, written = (
        " ".join(f"{''.join(name)}ite" for name in product(syllables, repeat=4))
        for syllables in (
            ("ba", "co", "di", "fu", "la", "me", "no", "pi", "ra"),
            ("be", "ca", "do", "fi", "lu", "ma", "ni", "po", "ru"),
        )
    )
    assert sum("invented" in reason for reason in term_reasons(told, written)) > 5_000
