"""Personal data: found by kind, counted, replaced with offsets; what only looks like it is left."""

import json
import os
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from doctobert_hf.errors import UsageError
from doctobert_hf.finemed import count_personal_data, deidentify
from doctobert_hf.finemed.config import DeidentifyConfig
from doctobert_hf.finemed.deidentification import deidentify_documents
from doctobert_hf.finemed.masking import PLACEHOLDERS
from doctobert_hf.finemed.personal_data import KINDS, find_personal_data

POSITIVE = {
    "email": [
        "marie.petit@ght-nord.fr",
        "m.petit [arobase] ght-nord [point] fr",
        "a＠b.org",
        "m.petit{at}ght-nord.fr",
        "m.petit(a)ght-nord.fr",
        "m.petit[@]ght-nord.fr",
        "m.petit&#64;ght-nord.fr",
        "m.petit&commat;ght-nord.fr",
        *("m.petit%40ght-nord.fr", "m.petit <at> ght-nord.fr", "m.petit[chez]ght-nord.fr"),
        *("m.petit@ght-nord(.)fr", "m.petit@ght-nord point fr", "m.petit_at_ght-nord.fr"),
        *("marie dot petit at free dot fr", "m.petit à free point fr", "m.petit arobas free.fr"),
    ],
    "phone": [
        *("03 20 44 59 62", "06.12.34.56.79", "+32 2 555 12 12", "0033 6 12 34 56 79"),
        "03\u00a020\u00a044\u00a059\u00a062",
        *("0262 35 90 00", "Tél. 06 12 345 679", "Tél.0320445962", "fax 03/20/44/59/62"),
        *("0041 22 372 33 11", "03  20  44  59  62", "03 – 20 – 44 – 59 – 62", "0 800 12 34 56"),
        *("GSM 0475 12 34 56", "0475/12.34.56", "02/555.12.12", "tél. 02 555 12 12"),
        *("079 123 45 67 (Suisse)", "Natel 079 123 45 67", "GSM : 621 123 456"),
        *("06/11/22/33/44 (portable)", "(06) 11 22 33 44", "06 11 22 3344", "tél. 01 445 566 77"),
    ],
    "social_security": [
        *("2 69 05 49 588 157 80", "269054958815780", "2 69 05 49 588 157", "1 84 12 2A 451 089"),
        *("2 69 05 49 588 157 (80)", "N° de sécurité sociale : 2 69 05 49 588 157 12"),
        *("2  69  05  49  588  157  80", "2 69 05 49 588 157 clef 80", "NIA : 269054958815712"),
        *("immatriculée sous le n° 269054958815712", "n° d'assuré social 269054958815712"),
    ],
    "iban": [
        "FR14 2004 1010 0505 0001 3M02 606",
        "BE68 5390 0754 7034",
        "FR 14 2004 1010 0505 0001 3M02 606",
        "FR14.2004.1010.0505.0001.3M02.606",
        "20041-01005-0500013M026-06",
        "RIB : 20041010050500013M02606",
        "banque 20041 guichet 01005 compte 0500013M026 clé 06",
    ],
    "birth_date": [
        *("née le 3 févr. 1948", "NÉE LE 03/02/1948", "Date de naissance : 03/02/1948"),
        *("né à Lille le 1er mars 1950", "DDN : 1948-02-03"),
        *(
            "née au CHU le 3 mars 1948",
            "Date de naiss. : 03/02/1948",
            "nés le 03/02/2020",
            "DDN=03/02/1948",
        ),
        *("DN : 03/02/1948", "Date de naissance (JJ/MM/AAAA) : 03/02/1948", "né le 3-févr-1948"),
        *("date de naissance du patient : 03/02/1948", "venue au monde le 3 mars 1948"),
        "ne le 3 mars 1948",
        *("née le trois mars mille neuf cent quarante-huit", "né à Lyon (69) le 03/02/1948"),
        *("née à Lyon 3e le 03/02/1948", "née le 03021948", "née un 3 mars 1948"),
        *("Date de naissance : 02/1948", "DDN : mars 1948", "Année de naissance : 1948"),
        *("DDN du patient 03/02/1948", "Date naissance patient : 03/02/1948"),
    ],
    "postal_address": [
        "14 bis, allée des Tilleuls\n59000 Lille",
        "3 bd Voltaire 75011 PARIS",
        "Résidence Les Pins, bât. B, 59000 Lille",
        "3 Grande Rue, 59000 Lille",
        "lieu-dit Kerlann, 29120 Pont-l'Abbé",
        "14 rue Foch (59000 Lille)",
        "adresse : 14 rue Foch",
        "chemin des Dames, 02000 Laon",
        "habite 14 rue Foch, Lille",
        "Appt 12, 14 rue Foch, 59000 La Bassée",
        "14 rue Foch, 59000 Lille cedex 03",
        "14 r. Foch, 59000 Lille",
        *("14 rue des Lilas", "14, rue des lilas", "14 RUE DES LILAS", "6 place Bellecour"),
        *("8 chemin du Bois", "7 all. des Tilleuls, 44000 Nantes", "15, bd Foch, Paris 5e"),
        *("Le Bourg, 22110 Kergrist", "rue de la Loi 16, 1000 Bruxelles"),
        *("12, rue de la Gare, L-1611 Luxembourg", "23, avenue du Docteur Lannelongue"),
    ],
    "ip_address": [
        *(
            "82.64.10.3",
            "2a01:e0a:1f4::12",
            "IP : 10.0.12.7",
            "poste 192.168.4.12",
            "fe80::1ff:fe23",
        ),
        *("http://192.168.1.50/dossier", "connexion depuis 10.20.30.40", "serveur PACS : 10.1.2.3"),
    ],
    "rpps": [
        *("RPPS (10002345678)", "RPPS/ADELI : 10002345678", "RPPS – 10002345678"),
        *("RPPS de la prescriptrice : 10002345678", "RPPS n° 10002345678"),
        "RPPS du prescripteur : 10 00 234 567 8",
    ],
    "adeli": [
        "ADELI : 591234567",
        "ADELI n° 2A1234567",
        "A.D.E.L.I. 9D1234567",
        "ADELI : 59-1-23456-7",
    ],
    "finess": [
        "FINESS (590000188)",
        "N° FINESS géo. : 590000188",
        "N° FINESS : 590000188",
        "FINESS de l'établissement : 590000188",
    ],
    "ipp": [
        "IPP 00123456",
        "NDA : 240012345",
        "identifiant patient : 800123456",
        "n° patient : 1234567",
        "numéro d'hospitalisation 123456789",
        *("N° de dossier : 123456", "n° dossier 2019/12345", "dossier médical n° 123456"),
        *("N° d'admission 240001234", "ID patient : 800123456", "IPP 0800.123.456"),
    ],
    "name": [
        "Mme Élodie N'Guyen-Petit",
        "Dr. J.-P. LE GOFF",
        "Patient : DUPONT Jean",
        "madame Dupont",
        "le docteur Paul Morel",
        "Mme Le Gall",
        "M. DE LA TOUR",
        "Mme N'Diaye",
        "Dr O'Connor",
        "Pr L. Queré",
        "Dr. B. de La Tour d'Auvergne",
        "Opérateur : Jacques Meunier",
        "Rédigé par : Paul Garnier",
        "Nom de jeune fille : Martin",
        "Nom, prénom : ROUSSEL, Anna",
        *("IDE : Claire Garnier", "l'enfant Lucas MOREAU", "La patiente, Anne-Marie Le Roux,"),
        "le jeune Lucas MOREAU",
        *("M. de Villepin", "le patient Paul DURAND", "Pr J-P Petit", "Mesdames Durand"),
        *("vu mme durand ce jour", "dr martin", "clinique du Dr Crohn"),
    ],
}
NEGATIVE = [
    *("Rhumatologie 01 02 03 04 05 06", "posologie 10 20 30 40 50", "CIP 34009 300 123 4 5"),
    *("1:2:3::4", "dilution 1:160::1", "192.168.1.2", "4.8.1.25 Effets indésirables"),
    *("test du Dr Coombs", "maladie du Dr Crohn", "échelle de M. Borg", "score du Dr Duke"),
    *("dossier d'AMM n° 12345678", "séjour du 12.03.2020", "séjour 2019-2020", "dossier : 03/2020"),
    *("mme la patiente", "mme hypertendue", "le docteur est passé", "docteur en médecine"),
    *("12 rue", "4 cours du soir", "12 av. J.-C.", "10 avenues possibles", "4 place de suite"),
    *("LABORATOIRES M. RICHARD", "Fabricant DR REDDY'S LABORATORIES", "UL. M. ADAMKIEWICZA 6A"),
    *("GmbH Dr Otto-Röhm-Str. 2-4", "née en mars 1956", "né en 1956"),
    *("Il ne le 12/03 revient pas.", "née prématurément", "version 4.10.2.1", "rubrique 4.8.1.2"),
    *("Mme la présidente", "M. le directeur", "12 place des antalgiques dans la douleur 20000 cas"),
    *("avenue du Docteur Lannelongue", "Fabricant DR. REDDY", "Interne : Garde de nuit"),
    *(
        "Nattrass M. Diabetic ketoacidosis. Medicine 2002;30:51",
        "(après {JJ MM AAAA})",
        "Mme La Présidente",
    ),
    *("avec l'Infirmier Superviseur de Zone", "des pénicillines M. OXACILLINE", "né à terme"),
    *("La petite Maison Bleue", "IDE : Garde de nuit", "La jeune Fille Au Pair", "Mère : Diabète"),
    *("Il ne le prend plus le 12/03/2020.", "p. 12 r. 75011 Paris"),
    *("lot 2 69 05 49 588 157 12", "@service", "1,25 g", "TA 12/8", "04.05.06.07.08"),
]


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, ts in POSITIVE.items() for t in ts])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_kinds(kind, text, form):
    text = unicodedata.normalize(form, text)
    whole = f"Compte rendu. {text} ; suite."
    counts = count_personal_data(whole)
    assert tuple(counts) == KINDS
    assert {k: n for k, n in counts.items() if n} == {kind: 1}
    [finding] = find_personal_data(whole)
    assert whole[finding.start : finding.end].strip() in text


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("NOM : DUPONT PRÉNOM : JEAN", ["DUPONT", "JEAN"]),
        ("Mme MARTIN, née DURAND, vue hier", ["MARTIN", "DURAND"]),
        ("Drs Martin et Petit", ["Martin", "Petit"]),
    ],
)
def test_each_of_several_names(text, names):
    assert [text[f.start : f.end] for f in find_personal_data(text)] == names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Service de Cardiologie\nM. Durand, 54 ans", "Durand"),
        ("Compte rendu de Consultation\nM. Dupont", "Dupont"),
        ("Lettre de Sortie\nM. Durand", "Durand"),
        ("Examen M. Durand", "Durand"),
        ("Hospitalisation M. Durand", "Durand"),
        ("Dr Martin\nM. DURAND Paul", "DURAND Paul"),
        ("vu à l'hôpital\nMme Durand", "Durand"),
        ("Hospitalisation en cours\nM. Lefebvre", "Lefebvre"),
        ("Mise en place\nMonsieur Dupuis", "Dupuis"),
        ("Chef de clinique Dr Bernard", "Bernard"),
        ("clinique du Dr Martin", "Martin"),
        ("centre de la Dre Petit", "Petit"),
        ("a pris la place du Dr Martin", "Martin"),
        ("chute dans la rue Dr Martin prévenu", "Martin"),
        ("Bilan de laboratoire normal, M. DUPONT va mieux", "DUPONT"),
        ("Laboratoire : DR MARTIN", "MARTIN"),
        ("DR MARTIN PHARMACIEN", "MARTIN"),
        ("allergie aux pénicillines M. Antoine", "Antoine"),
        ("M. Antoine et M. Maire", "Antoine"),
        ("M. Maire", "Maire"),
        ("Monsieur le Docteur Martin", "Martin"),
        ("Madame le Professeur Petit", "Petit"),
    ],
)
def test_in_doubt_a_name_behind_a_title_is_a_persons(text, name):
    found = [text[f.start : f.end] for f in find_personal_data(text) if f.kind == "name"]
    assert name in found


@pytest.mark.parametrize(
    "before",
    [
        "Elle vit avec sa fille au ",
        "Prélevé au laboratoire. Adresse ",
        "Résultats du laboratoire adressés au ",
        "Sortie à 34 SA au ",
        "Agriculteur exploitant, ",
        "Pharmacie de garde : ",
        "Elle est titulaire du RSA, ",
        "Assurée chez Axa SA. Son adresse est ",
        "Laboratoire Cerba, Lille\nMme Durand\n",
    ],
)
def test_addresses_are_of_a_person_where_no_maker_stands_before(before):
    assert count_personal_data(f"{before}12 rue de la Paix, 75002 Paris.")["postal_address"] == 1


LONG = {
    **{unit: unit * (200_000 // len(unit)) for unit in ("J", "ACGT", "M. ", " ", "\n", "7", "a@")},
    **{unit: unit * (200_000 // len(unit)) for unit in ("12 rue ", "De ", "A-", "ab@cd.fr ")},
    **{
        start: start + "\n" * 200_000
        for start in ("12 rue Foch", "12 r. F", "l'enfant", "née", "Dr", "IPP", "Nom :")
    },
    "Drs": "Drs " + "De " * 60_000,
}


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", LONG)
def test_long_texts_of_one_piece_take_no_square_of_their_length(name):
    find_personal_data(LONG[name])


@pytest.mark.parametrize("text", NEGATIVE)
def test_what_only_looks_like_it(text):
    assert sum(count_personal_data(text).values()) == 0


@pytest.mark.parametrize(
    "text",
    [
        "Titulaire : LABORATOIRES DUVAL SAS, 12 rue de la Paix, 75002 Paris. Fabricant : le même.",
        "Laboratoires DUVAL, 12 rue de la Paix, 75002 Paris. Tél. 01 42 34 56 78",
        "Autorisation de mise sur le marché : DUVAL, 12 avenue Foch, tél : 01 58 07 34 40",
        "UPSA, 3 rue Joseph Monier",
    ],
)
def test_makers_in_leaflets_are_no_persons(text):
    assert not any(count_personal_data(text).values())


def test_a_persons_phone_behind_a_maker_is_one():
    for text in (
        "Laboratoires DUVAL prévenus. Mme Petit, tél. 01 42 34 56 78",
        "Autorisation de mise sur le marché demandée pour la patiente (tél. 01 42 34 56 78).",
        "Laboratoires DUVAL, tél. 06 42 34 56 78",
    ):
        assert count_personal_data(text)["phone"] == 1


@pytest.mark.parametrize("before", ["", "("])
def test_a_number_is_whole_wherever_it_stands_in_a_long_line(before):
    number = "+41 79 123 45 67"
    for far in range(200, 330, 3):
        text = f"IgE + {'x ' * (far // 2)}{before}{number} fin " + "y " * 300
        found = [text[f.start : f.end] for f in find_personal_data(text)]
        assert any(number in each for each in found), far


@pytest.mark.parametrize(
    ("kind", "text"),
    [("adeli", "AD.E.L.I. : 759123456"), ("rpps", "R.PPS 10003456789"),
     ("finess", "FI.NESS 750712184")],
)  # fmt: skip
def test_registers_are_known_with_points_between_any_letters(kind, text):
    assert [f.kind for f in find_personal_data(text)] == [kind]


def test_replaced_with_offsets_of_the_text_as_given():
    text = "Mme Zoé Petit, née le 3 mars 1948, vue par le Dr LE GOFF. Tél. 03 20 44 59 62."
    wanted = (
        "Mme |||PATIENT_NAME|||, née le |||DATE|||, vue par le Dr |||PHYSICIAN|||. "
        "Tél. |||PHONE_NUMBER|||."
    )
    for form in ("NFC", "NFD"):
        given = unicodedata.normalize(form, text)
        masked, table = deidentify(given)
        assert masked == unicodedata.normalize(form, wanted)
        again, shift = given, 0
        for row in table:
            start, end = row["start"] + shift, row["end"] + shift
            again = again[:start] + row["replacement"] + again[end:]
            shift += len(row["replacement"]) - (row["end"] - row["start"])
        assert again == masked
        assert deidentify(masked) == (masked, [])  # once more changes nothing


def test_placeholders_are_those_of_the_tokenizer(tokenizer):
    for placeholder in (*PLACEHOLDERS.values(), "|||PHYSICIAN|||"):
        assert placeholder in tokenizer.get_vocab()


def test_one_string_is_wanted():
    for function in (count_personal_data, deidentify):
        with pytest.raises(UsageError, match="A list"):
            function(["Mme Petit"])


def test_the_stage_masks_and_keeps_a_table(tmp_path):
    texts = ["Mme Petit, tél. 03 20 44 59 62.", "Rien à signaler."]
    pq.write_table(pa.table({"id": ["a", "b"], "text": texts}), tmp_path / "in.parquet")
    config = DeidentifyConfig(input=(str(tmp_path / "in.parquet"),), output=tmp_path / "out")
    manifest = deidentify_documents(config)
    assert manifest["documents"] == 2 and manifest["personal_data"]["name"]["matches"] == 1
    rows = {
        row["id"]: row
        for path in sorted((tmp_path / "out" / "data").glob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    }
    assert rows["a"]["text"] == "Mme |||PATIENT_NAME|||, tél. |||PHONE_NUMBER|||."
    found = json.loads(rows["a"]["personal_data"])
    assert [texts[0][f["start"] : f["end"]] for f in found] == ["Petit", "03 20 44 59 62"]
    assert rows["b"]["personal_data_count"] == 0 and rows["b"]["text"] == texts[1]
    assert deidentify_documents(config) == manifest  # done before


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Dr BLANC\nDr ROUX", ["BLANC", "ROUX"]),
        ("Dr Paul BLANC\nPneumologue", ["Paul BLANC"]),
        ("Dr Paul BLANC Neurologue", ["Paul BLANC"]),
        ("Mme BLANC\nMotif : fièvre", ["BLANC"]),
        ("Pr Paul Blanc\nChef de service\nSecrétariat : 02 40 16 50 00",
         ["Paul Blanc", "02 40 16 50 00"]),
        ("Sexe : M\nAdresse : 3 rue des Pins 69003 LYON", ["3 rue des Pins 69003 LYON"]),
        ("M. BLANC EST VENU LE 3 MAI", ["BLANC"]),
        ("LE DR ROUX PROPOSE UN SCANNER", ["ROUX"]),
        ("M. BLANC RPPS 10001234567", ["BLANC", "10001234567"]),
        ("opéré dans de bonnes conditions ce matin par le Dr Paul\nBLANC sans difficulté",
         ["Paul\nBLANC"]),
        ("3 rue des Pins\n69003 LYON\n04 78 12 34 56",
         ["3 rue des Pins\n69003 LYON", "04 78 12 34 56"]),
        ("3 rue des Pins 69003 LYON\n12/05/2019", ["3 rue des Pins 69003 LYON"]),
        ("3 rue Foch, 92130 Issy les Moulineaux.", ["3 rue Foch, 92130 Issy les Moulineaux"]),
        ("IPP 8012939402\n12/05/2019", ["8012939402"]),
        ("RPPS 10003456789 04 78 12 34 56", ["10003456789", "04 78 12 34 56"]),
        ("le petit Paul Blanc, 4 ans, tousse", ["Paul Blanc"]),
        ("DDN : 020381", ["020381"]),
        ("Nom du patient : BLANC", ["BLANC"]),
        ("Nom et prénom de l'enfant : BLANC Paul", ["BLANC Paul"]),
        ("Nom patronymique : BLANC", ["BLANC"]),
        ("Identité : BLANC Paul", ["BLANC Paul"]),
        ("Nom du médicament : Aspirine", []),
        ("Dr BLANC P., neurologie", ["BLANC P."]),
        ("M. BLANC est sorti", ["BLANC"]),
        ("vu en 2010 chez lui.Le malade dort", []),
        ("Docteurs Blanc et Roux", ["Blanc", "Roux"]),
        ("paul.blanc chez orange.fr", ["paul.blanc chez orange.fr"]),
        ("paul(point)blanc(arobase)free(point)fr", ["paul(point)blanc(arobase)free(point)fr"]),
        ("Tél. 0 2 3 8 5 1 2 2 3 3", ["0 2 3 8 5 1 2 2 3 3"]),
        ("3 bis, Grande-Rue – 45150 JARGEAU", ["3 bis, Grande-Rue – 45150 JARGEAU"]),
        ("Merck Santé, 37 rue Foch, 69379 Lyon Cedex 08", []),
        ("vu par M.BLANC et Dr.Roux", ["BLANC", "Roux"]),
        ("Signé : Paul Blanc", ["Paul Blanc"]),
        ("01 4234 5678", ["01 4234 5678"]),
        ("0800 123 456", ["0800 123 456"]),
        ("née Blanc, le 12 mars 1956", ["12 mars 1956"]),
        ("né le 12.III.1956", ["12.III.1956"]),
        ("5 ch. des Pins, 13100 Aix", ["5 ch. des Pins, 13100 Aix"]),
        ("véhicule AB 123 CD", ["AB 123 CD"]),
        ("FR00 3000 6000 0112 3456 7890 189", []),
        ("passeport vaccinal", []),
        ("DATE NAISS : 05/06/44", ["05/06/44"]),
        ("Interne : P. Blanc", ["P. Blanc"]),
        ("Prénoms : Paul, Henri", ["Paul, Henri"]),
        ("p . blanc @ chu . fr", ["p . blanc @ chu . fr"]),
        ("Mme X (1 85 05 78 006 084 91)", ["1 85 05 78 006 084 91"]),
        ("Tél : 06 12 34 5 678", ["06 12 34 5 678"]),
    ],
)  # fmt: skip
def test_a_finding_ends_where_it_ends(text, wanted):
    assert [text[f.start : f.end] for f in find_personal_data(text)] == wanted


@pytest.mark.parametrize(
    "text",
    [
        "5 place de l'Héparine dans la prévention",
        "3 cours de Danse par semaine",
        "4 cours de chimiothérapie, 50000 unités",
        "arôme citron TETRAROME P0551 987323",
        "Le docteur démarrera la perfusion, le docteur avait prévenu.",
        "le petit Larousse illustré",
    ],
)
def test_words_of_streets_and_titles_elsewhere(text):
    assert not find_personal_data(text)


def test_shared_cases():
    folder = os.environ.get("DOCTOBERT_DATA_DIR")
    above = Path(folder or ".").resolve().parents
    path = next((p for up in above if (p := up / "cases" / "personal_data.jsonl").is_file()), None)
    if not folder or path is None:
        pytest.skip("the shared cases are not here: set DOCTOBERT_DATA_DIR")
    other = {
        **{"ADELI": "adeli", "FINESS": "finess", "SIRET": "finess", "RPPS": "rpps"},
        **{"INS": "social_security", "IPP": "ipp", "NDA": "ipp", "passport": "ipp"},
        **{"plaque": "ipp", "carte bancaire": "iban"},
        **dict.fromkeys(("Dr name", "M. DUPONT", "Mme", "Pr"), "name"),
    }
    wrong = []
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if (
            count_personal_data(case["text"])[other.get(case["kind"], case["kind"])]
            != case["count"]
        ):
            wrong.append(case["text"])
    assert not wrong


def test_a_number_with_its_key_is_taken_whole_and_names_with_their_particles():
    from stdnum.fr import nir

    body = "1850578006084"
    number = f"1 85 05 78 006 084 {nir.calc_check_digits(body)}"
    for text in (f"Hospitalisation\n{number}\nMotif : toux", f"Dossier {number}"):
        [found] = deidentify(text)[1]
        assert (text[found["start"] : found["end"]], found["kind"]) == (number, "social_security")
    abroad = "2 71 09 972 09 203"
    key = nir.calc_check_digits(abroad.replace(" ", ""))
    for text in (f"N° sécurité sociale {abroad} {key}", "immatriculation : 4821 WX 59"):
        assert len(deidentify(text)[1]) == 1, text
    for text in ("concernant M. de La Bretonnière", "Mme de la Bretonnière, 80 ans"):
        [found] = deidentify(text)[1]
        assert text[found["start"] : found["end"]].endswith("a Bretonnière")
    for text in ("Mme De La Tour", "Pr De La Tour Mohamed", "Patient : De La Tour"):
        [found] = deidentify(text)[1]
        assert text[found["start"] : found["end"]].startswith("De La Tour")
    address = "12 rue de la République, 13005 Marseille CEDEX 05"
    assert (
        deidentify(f"Vit au {address}. Pas de fièvre.")[0] == "Vit au |||ADDRESS|||. Pas de fièvre."
    )
    assert "|||PHONE_NUMBER|||" in deidentify(f"{address[:-3]} 04 78 45 12 36")[0]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Contactez votre docteur avant de prendre ce médicament.", []),
        ("Parlez-en à votre docteur. Allaitement Ce médicament passe dans le lait.", []),
        ("Lactate de sodium 1/6 M. Incompatibilités En raison du calcium.", []),
        ("mariée à un monsieur nettement plus âgé", []),
        ("12/03/2024 M. DUPONT sort. Prof. Martin.", ["DUPONT", "Martin"]),
        ("vu par le docteur durand, puis mme clement", ["durand", "clement"]),
    ],
)
def test_words_behind_a_title_that_are_no_name(text, names):
    found = deidentify(text)[1]
    assert [text[f["start"] : f["end"]] for f in found if f["kind"] == "name"] == names


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("IPP : 123456789/1", ["123456789"]),
        ("dossier n° 12345/2023", ["12345"]),
        ("RPPS 10003456789/12", ["10003456789"]),
        ("IPP 12345678 12/03/2024", ["12345678"]),
        ("Mme Maitre est sortie", ["Maitre"]),
        ("Mme Maître Sophie", ["Maître Sophie"]),
        ("Dr Minh Vu, cardiologue", ["Minh Vu"]),
        ("Mme ANH LE, 49 ans", ["ANH LE"]),
        ("M. DUPONT VU CE JOUR", ["DUPONT"]),
    ],
)
def test_what_ends_a_finding_loses_none(text, found):
    assert [text[f["start"] : f["end"]] for f in deidentify(text)[1]] == found


@pytest.mark.parametrize(
    ("text", "phones"),
    [
        ("04 67 33 67 33\n06 88 21 43 65", 2),
        ("Secrétariat 04 67 33 67 33 06 88 21 43 65", 2),
        ("04 67 33 67 33 06 88 21 43 65 09 72 31 54 76", 3),
        ("04.67.33.67.33.06.88.21.43.65", 2),
        ("0467336733 06.88.21.43.65", 2),
        ("04 67 33 67 33,06 88 21 43 65", 2),
        ("04 67 33\n67 33 06 88 21\n43 65", 2),
        ("04 67 33 67 33\n21 bis chemin Vert", 1),
        ("04 67 33 67 33 21 mai 2019", 1),
        ("04 67 33 67 33\n21/05/2019", 1),
        ("21/05/2019 04 67 33 67 33", 1),
        ("21 05 2019 04 67 33 67 33", 1),
        ("21.05.19 0467336733", 1),
        ("34295 Montpellier Cedex 05 04 67 33 67 33", 1),
        ("Chambre 12 04 67 33 67 33", 1),
        ("IPP 8012939402 04 67 33 67 33", 1),
        ("+41 22 372 33 11 04 67 33 67 33 +32 2 555 31 11", 3),
        *((f"+{code} 12 34 56", 1) for code in ("262 639", "262 (0)269", "590 690", "594 594")),
        *((text, 1) for text in ("+596 696-21-43-65", "+508 41 14 00", "+687 76.54.32")),
        *((text, 1) for text in ("+689 87 21 43 65", "00262 692 81 23 45", "+681 72 12 34")),
        *((f"04{dash}67{dash}33{dash}67{dash}33", 1) for dash in "\u2212\u2015\ufe63\u2011"),
        *((text, 1) for text in ("0.805.200.300", "0805.200.300", "0-805-200-300")),
        *(
            (text, 1)
            for text in ("04 . 67 . 33 . 67 . 33", "04. 67. 33. 67. 33", "0 4 67 33 67 33")
        ),
        *((text, 1) for text in ("04.67 33-67 33", "04-67 33.67 33", "04/67/33/67/33")),
        *((text, 0) for text in ("semaines 02 06 13 19 27 35", "04 07 12 16 21 29 33")),
        *((text, 0) for text in ("0 1 12 24 36 48", "0 2 15 30 45 60", "07/12/16/21/29")),
        *((text, 0) for text in ("08.30-12.30 14", "03.04-05.06.12", "05-98 06-99 12")),
        *(
            (text, 0)
            for text in ("doi:10.1111/0467336733", "https://doi.org/10.1093/brain0688214365")
        ),
        *((text, 0) for text in ("PMC0467336733", "PMCID : PMC0467336733", "ISBN-10 : 0688214365")),
        *(
            (text, 0)
            for text in ("numéro de lot 0688214365", "lot n° 0688214365", "Lot : 0688214365")
        ),
        *((text, 0) for text in ("x0688214365y", "numéro de série 0688214365", "EAN 0688214365")),
        *((text, 1) for text in ("Lot : 05 65 20 50 50", "Tel0688214365", "Contact : 0688214365")),
    ],
)
def test_phones_one_behind_another_and_what_has_their_digits(text, phones):
    assert count_personal_data(text)["phone"] == phones


@pytest.mark.parametrize(
    ("kind", "text", "count"),
    [
        *(("email", t, 1) for t in ("leroy at orange point fr", "leroy AT yahoo.fr")),
        ("email", "l﹫ght-sud.fr", 1),
        *(("email", t, 1) for t in ('"paul leroy"@ght-sud.fr', "“paul leroy”@ght-sud.fr")),
        *(("email", t, 0) for t in ("available at yahoo.com", "look at example.com", '"oui" @ght')),
        *(("iban", t, 1) for t in ("14707 50010 0123456A789 07", "14707500100123456A78907")),
        *(("iban", t, 0) for t in ("14707 50010 0123456A789 96", "14707500100123456A78996")),
        ("iban", "RIB : 14707 50010 0123456A789 96", 1),  # called so: mistyped
        *(("birth_date", f"née le 17{d}11{d}1962", 1) for d in "\u2010\u2011\u2013\u2212"),
        *(("birth_date", f"DDN {t}", 1) for t in ("17\u201111\u20111962", "1962\u221211\u221217")),
        ("birth_date", "opérée le 17\u201111\u20111962", 0),
        ("ipp", "séjour du 17\u201111\u20112019", 0),
        *(("ipp", t, 1) for t in ("immatriculé GH456JK", "auto GH-456-JK", "moto 4567 XB 33")),
        *(("ipp", t, 0) for t in ("GH 456 JK", "4567 XB 33", "voiture de 120 ch", "auto SS123AB")),
        ("postal_address", "TSA 40023, 59040 Lille Cedex", 1),
        ("postal_address", "6 cours Foch 69003 LYON", 1),
        ("postal_address", "9 rue Foch, CS 70001, 59037 Lille Cedex", 1),
        *(("postal_address", t, 0) for t in ("6 cours de radiothérapie 30000 UI", "TSA 12 mg")),
        ("postal_address", "2 passages d'héparine 25000 UI", 0),
    ],
)  # fmt: skip
def test_other_kinds_with_other_signs_keys_and_units(kind, text, count):
    assert count_personal_data(text)[kind] == count


@pytest.mark.parametrize("gap", [" ", "\n"])
def test_a_list_of_phones_is_found_whole(gap):
    text = gap.join(["04 67 33 67 33"] * 300)
    assert count_personal_data(text)["phone"] == 300
