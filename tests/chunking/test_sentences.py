"""Sentence ends of French clinical text, by kind of what is mistaken for one."""

import json
import os
import textwrap
from pathlib import Path

import pytest

from doctobert_hf.chunking import split_sentences
from doctobert_hf.chunking.wrapping import wrap_width
from doctobert_hf.errors import UsageError

CASES = {
    "values are no sections": [
        "Bilan : CRP 4.8 Leucocytes 9.1 Plaquettes 210.",
        "Créatinine 8.2. |Urée 0.4.",
        "TA 13.5 FC 80.",
        "Il pèse 72.5 kg. |Il mesure 1.80 m.",
    ],
    "references are no sections": [
        "Voir rubrique 4.4. |La dose est réduite.",
        "Voir rubriques 4.3, 4.5 et 5.1. |Aucune étude n'existe.",
    ],
    "sections": ["4.3 Contre-indications", "Fin du texte. |5.1 Propriétés pharmacodynamiques"],
    "dotted abbreviations": [
        "Antalgiques par voie s.c. |Le patient dort.",
        "Suivi au C.M.P. |Elle va mieux.",
        "En 50 av. J.-C. |Le site est fondé.",
        "M. J.-P. Le Goff est sorti.",
        "Des opiacés, c.-à-d. Tramadol ou morphine.",
    ],
    "letters that are labels": [
        "Groupe sanguin O. |Rhésus négatif.",
        "Une hépatite C. |Il est traité.",
        "Le Pr E. Dupont est présent.",
        "Score de Child B. |Ascite modérée.",
    ],
    "capitals": ["HOSP. EN 2015. |SORTIE LE 3 MAI.", "CF. COMPTE RENDU."],
    "abbreviations": [
        "Le pat. Durand est suivi.",
        "Selon l'art. L. 1110-4 du code.",
        "La société Pfizer Inc. a répondu.",
        "Le Dr. Martin et Mme. Petit.",
    ],
    "items whose line break was lost": [
        "si vous avez mal. |- si vous vomissez. |- si vous dormez mal.",
        "Prévenez votre médecin : |o fièvre",
    ],
    "lost spaces": ["Traitement poursuivi.|Pas de plainte.", "Voir www.Exemple.fr pour plus."],
    "dashes": ["Pas de fièvre. — |Le patient sort."],
    "wrapped by hand": ["Vu par le Dr\nMartin le\n12 mai. |Il va bien."],
    "capitals without accents": ["Il est sorti. |à domicile, il a chuté."],
    "no end": ["Il a pris env. à midi un comprimé.", "Il dit... « rien »."],
    "dotted nouns": [
        "Malade sous A.V.K. |INR à 2.5.",
        "H.T.A. |D.N.I.D. |Tabac ancien.",
        "Par voie p.o. |Tolérance bonne.",
        "Le C.H.U. Pellegrin l'a reçu.",
        "Examen : R.A.S. |Retour à domicile.",
    ],
    "sides and units": ["Ostéosynthèse du fémur D. |Suites simples.", "ALAT 3 N. |ASAT 2 N."],
    "items in lower case": [
        "Signes :\n|o toux grasse\n|o fièvre à 39\n|o Asthénie",
        "1. Biologie\n|   o NFS normale\n|   o CRP à 12",
        "a) première dose\n|b) deuxième dose",
        "i) fièvre\n|ii) frissons\n|iii) sueurs",
        "a. repos\n|b. glace",
    ],
    "years before and after Christ": [
        "Elle date de 300 av. J.-C. |Rome était puissante.",
        "Le 1er s. apr. J.-C. |Les Grecs la citent.",
        "Mort en 44 av. J.-C. à Rome.",
    ],
    "letters behind an abbreviation": [
        "Carence en vit. D. |Il est traité.",
        "Carence en vit. C. |Patient pâle.",
        "Vu au bât. C. |Il habite au 3e.",
    ],
    "clinical abbreviations": [
        "Créat. 85 µmol/L. |DFG 75.",
        "Merck & Co. Inc. finance l'étude.",
        "Transfert par le S.A.M.U. |Arrivée à 10 h.",
        "Rx. Thorax normale.",
        "Temp. 38.5. |FC 100.",
        "Bât. C, 3e étage.",
        "NB. Le malade fume.",
        "Prendre 1 cp. Matin et soir.",
        "1 amp. IV par jour.",
        "Courrier de son Dr. |Il va mieux.",
    ],
    "abbreviations in capitals": [
        "EXAM. CLIN. NORMAL.",
        "OBS. N° 4. |BON ETAT GENERAL.",
        "INTERV. EN 2011. |SORTIE LE 12. |BON ETAT.",
        "TEL. 01 02 03 04 05.",
        "RDV. DANS 3 MOIS.",
        "HOSPIT. DU 3 AU 7 MAI. |RETOUR.",
    ],
    "numbers behind an abbreviation": [
        "Voir Fig. 2. |On note une masse.",
        "Art. 4. |Le décret s'applique.",
        "Refaire les étapes 3 à 6. |8. Revissez le capuchon.",
    ],
    "notes and references": [
        "Le risque est connu.4 |Il reste faible.",
        "Le risque est connu.(4) |Il reste faible.",
        "Le risque est connu. [4] |Il reste faible.",
        "Petit J. Lancet Med. 2010;12:34.",
    ],
    "lower case that begins": [
        "Bilan normal. |pH urinaire à 6.",
        "Arrêt de l'aspirine. |β-bloquants repris.",
        "Cicatrice très propre. |ablation des fils à J10.",
        "Une infection (souvent virale). |traitement simple.",
        "a. Repos. |b. Paracétamol.",
    ],
    "dashes of a list or a dialogue": [
        "Il faut appeler. |– en cas de fièvre.",
        "— Avez-vous mal ? |— Oui.",
    ],
    "spaces lost behind other ends": [
        "Il pèse 72kg.|Il mesure 1m80.",
        "Apyrétique depuis 48 h.|Antibiotiques arrêtés.",
        "Opéré en 2010.|Récidive en 2012.",
        "(voir rubrique 4.4).|Les malades boivent.",
        "Malade vu.|Examen normal.",
        "Fièvre ?|Oui.",
        "Vu par le Dr.Petit hier.",
    ],
    "commas at a line's end": [
        "Traité par Bisoprolol,\nRamipril et repos. |Il sort.",
        "Cher confrère,\n|Je vois ce malade.",
    ],
    "small words at a line's end": [
        "Il souffre depuis\n3 jours. |Il sort.",
        "Scanner réalisé à\nLyon le 3 mars. |Pas d'embolie.",
    ],
    "citations of several": ["Les AVK sont efficaces.1,2 |Leur maniement est délicat."],
    "fields of a form": [
        "Âge : 50 ans. |Sexe : M. |Poids : 70 kg.",
        "Âge : 50 ans. |Sexe : F. |Poids : 70 kg.",
        "Sexe : M\n|Poids : 70\n|Taille : 175",
        "Insuline 4 U. |Glycémie 1,8 g/l.",
        "Bébé B. |Poids 2,1 kg.",
    ],
    "abbreviations behind a parenthesis": [
        "Douze et quinze cas (resp. A et B). |Ils vont bien.",
        "Acide folique (A.F.) 5 mg par jour.",
        "Il vit en Russie (U.R.S.S.) |Il parle russe.",
    ],
    "journals, ranks and first names": [
        "Rev. Med. Interne 2009 ; 95 : 12.",
        "Le Lt. Col. Morel est soigné. |Il sort.",
        "Ph. Petit, interne. |Service de chirurgie.",
        "Candida spp. |Culture en cours.",
    ],
    "hours": ["Il est entré à 9 h. 15 en salle. |Il dort."],
    "items in Roman numerals": ["i. Lavez la plaie. |ii. Séchez. |iii. Pansez."],
    "citations behind figures": [
        "Le risque baisse depuis 2005.14 |Les causes sont connues.",
        "Le taux est de 12 %.3 |Il reste faible.",
        "Plaquettes à 250.000. |Hb 12.5.",
    ],
    "lower case of notes": [
        "Pas de toux. |pas de fièvre. |il dort bien.",
        "Il pèse 70 kg. en tout.",
    ],
    "what is left out": ["[...] Le malade dort.", "Il mange [...]. |Il dort."],
    "glued dashes and answers": [
        "Méthodes.— |Les dossiers ont été revus.",
        "Avez-vous mal ? |– Oui.",
    ],
    "weekdays": [
        "Séance le mer. 14 oct. à 10 h. |Venir à jeun.",
        "Ouvert Lun. Mar. Ven. de 9 h à 17 h.",
        "Une chute dans la mer. |14 jours plus tard, il boite.",
    ],
    "short words before a number or a place": [
        "Vol. résid. 40 ml.",
        "Sirop buv. 100 ml, flacon de verre.",
        "Press. syst. à 14.",
        "Il loge en ville. |Vu en néphro. à Metz.",
        "Adressé en endocrinol. à Tours.",
        "Prendre 1 cp. midi. |2 le soir.",
        "Il a bu du cacao. |à midi, il dort.",
        "L'examen est bon. |3 clichés sont faits.",
    ],
    "letters, antigens and nerves behind a short word": [
        "Vaccin hép. A fait, anti-hép. B refusé.",
        "Ac. anti-VHC absents, Ag. HBe absent.",
        "Ig. M positives. |Ig. G négatives.",
        "Section du n. Médian et de l'a. Radiale.",
        "Prof. Dr. med. Huber, Vienne.",
    ],
    "names of journals": [
        "Br. J. Haematol. 2008;141:1.",
        "N. Engl. J. Med. 1999, vol. 341.",
        "Eur. Respir. J. 2012;40:1.",
        "Paru dans Am. Heart J. en 2003. |Rien depuis.",
    ],
    "routes and ages that end": [
        "Kétoprofène 100 mg i.v. |Glace locale.",
        "Héparine 5000 UI s.c. |Bas de contention.",
        "Lithium 1 cp b.i.d. |Lithiémie prévue.",
        "Née à 36 S.A. |Cri immédiat.",
        "Suivie au C.M.P. |Consultation mensuelle.",
        "Vu au C.H.R. Bonnet hier.",
        "Signé P.-M. C. |Les clés sont rendues.",
        "Vers 280 av. J.-C. Hérophile dissèque.",
    ],
    "labels behind what is measured": [
        "Immunoglobuline G. |Taux bas.",
        "Déficit en immunoglobuline M. |Infections répétées.",
        "Hémophilie B. |Facteur IX à 3 %.",
        "Traité par ciclosporine A. |Créatinine stable.",
    ],
    "spaces lost behind values and before acronyms": [
        "Kaliémie 4.1.|Natrémie 140.",
        "Retrait du plâtre à J45.|Appui permis.",
        "SpO2 97 %.|Eupnéique.",
        "TA 13/7.|Pouls 80.",
        "Examen sans particularité.|TDM prévue.",
        "Abdomen souple.|ASP normal, NFS en cours.",
        "Soins : 1.Repos 2.Glace 3.Contention",
        "Lire le fichier bilan.PDF avant midi.",
        "Un variant p.Gly12Asp et c.35delG. |Suivi.",
        "Lire /usr/share/doc/README.Debian avant tout.",
        "Nausées...|Elle pâlit.",
        "Elle doute…|Puis elle signe.",
        "Vraiment ?!|Oui.",
    ],
    "ellipses before numbers and of spaced stops": [
        "Elle a pris… 20 gouttes.",
        "Elle a dormi ... 3 heures.",
        "Fin... |2. Diabète.",
        "Elle part . . . puis revient.",
        "Elle part . . . |Puis elle revient.",
    ],
    "sections in Roman numerals": [
        "II.3. Examen",
        "IV.1.2. Évolution",
        "B.2. Biologie",
        "I.A. Contexte",
    ],
    "quotes of other languages": [
        "Elle dit : „Nein.“ |Elle sort.",
        "Elle dit : ‚Nein.‘ |Elle sort.",
        "Elle dit : »Nein.« |Elle sort.",
        "Elle dit : <<Non.>> |Elle sort.",
        "Elle dit : << Non. >> |Elle sort.",
        "Elle dit : ‹ Non. › |Elle sort.",
        "Ni « oui. » |Ni « non. » |Rien.",
    ],
    "lines of a form": [
        "Allergie : aucune\n|Tabac : 10 PA\n|Profession : infirmier",
        "Taille : 1,82 m\n|Poids : 80 kg\n|IMC : 24",
        "- Antécédents : aucun\n|- Allergies : pollens",
        "Il n'a aucune\nallergie. |Il sort.",
    ],
    "lines": ["Motif : toux\n|Antécédents : HTA\n|Traitement : aucun"],
    "letters behind an adjective": [
        "Hépatite virale C.| Charge virale indétectable.",
        "Protéine réactive C.| Valeur élevée.",
        "Chambre 4, bloc A.| Lit 2.",
        "Le facteur découvert par J. Martin est connu.",
    ],
    "dotted acronyms before an adjective": [
        "Gavage par S.N.G.| Bonne tolérance.",
        "Échec de la V.N.I.| Nouvelle tentative demain.",
        "Suivi au C.H.U. Pellegrin.",
    ],
    "addresses and ranks": [
        "Appt. 4, 3e étage, rue des Lilas.",
        "Esc. 3, ét. 2, porte gauche.",
        "Le col. Fournier commande la base.| Il part en juin.",
        "Fracture du col.| Fièvre à 39.",
    ],
    "lines that part a title or a date": [
        "Nous avons revu en\nconsultation Monsieur\nPetit, âgé de 71 ans.| Il marche.",
        "Traité depuis mars\n2010, il va bien.",
        "Cher Monsieur\n|Je vous remercie.",
        "Métier : docteur\n|Adresse : Paris",
        "Il vit avec madame\n|Conclusion : ras",
        "Examen par madame\n|Bilan normal",
        "Rendez-vous avec le docteur\n|IRM prévue",
        "Début en mars\n|2010 : HTA\n|2012 : diabète",
        "Chère Consœur, cher Dr. Vidal,\n|Je vous remercie.",
        "Très cordialement,\n|Dr Paul Mercier",
        "La saturation en oxygène est à 96\n% en air ambiant.| Il sort.",
    ],
    "companies, wards and short words in capitals": [
        "Fabriqué par Pfizer Inc.| Conserver à l'abri.",
        "Titulaire : Sanofi S.A.| Date d'autorisation : 2012.",
        "Opéré en juill. 2019.| Il va bien.",
        "J'ai revu Mme Vve. Petit.| Elle va bien.",
        "Melle. Petit est venue seule.",
        "Vu aux Urg. (CHU Nord) ce matin.",
        "Contrôle par le méd. (Dr Petit) prévu.",
        "Une Sphingobacterium sp. (SNB-CN13) isolée.",
        "Il est sorti hier.| (Dr Petit)",
        "ATCD FAM. SANS PARTICULARITE.| RAS.",
        "RADIO PULM. NORMALE.",
    ],
    "numbered lists on one line": [
        "1. Ouvrir l'emballage| 2. Dérouler la tubulure| 3. Retirer le bouchon",
        "1. Ouvrir| 2. Verser| 3. Agiter| 4. Boire| 5. Jeter| 6. Noter| 7. Fermer",
        "Antécédents : 1. Diabète de type 2.| Traité par metformine.",
        "Étapes : 1) Ouvrir le flacon| 2) Verser la poudre| 3) Agiter",
        "Il prend 1.| Le patient va à 2.| Il va bien.",
        "Il est au stade 2.| Il va bien au stade 3.| Il sort.",
    ],
}


@pytest.mark.parametrize("marked", [case for cases in CASES.values() for case in cases])
def test_cases(marked):
    text = marked.replace("|", "")
    found = [text[start:end] for start, end in split_sentences(text)]
    assert found == [part.strip() for part in marked.split("|")]


def test_spans_are_in_order_and_leave_only_white_space_out(sample_texts):
    for text in sample_texts[:40]:
        spans = split_sentences(text)
        kept = "".join(text[start:end] for start, end in spans)
        assert "".join(kept.split()) == "".join(text.split())
        assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:], strict=False))
        assert all(text[start:end] == text[start:end].strip() for start, end in spans)


def test_nothing_and_no_string():
    assert split_sentences("") == split_sentences(" \n ") == []
    with pytest.raises(UsageError, match="A list"):
        split_sentences(["Un."])


PARAGRAPH = (
    "Le patient est adressé par le Dr Martin pour une douleur thoracique évoluant depuis le 12 mai "
    "2020. Il présente une HTA traitée par amlodipine 5 mg. Pas de fièvre. L'examen retrouve un "
    "souffle systolique au foyer aortique. Le bilan montre une CRP à 12 mg/l. Sortie le 15 mai."
)


@pytest.mark.parametrize("width", [50, 72, 100])
def test_wrapped_text_is_as_unwrapped(width):
    wrapped = textwrap.fill(PARAGRAPH, width, break_on_hyphens=False)
    assert wrap_width(wrapped) is not None
    assert split_sentences(wrapped) == split_sentences(PARAGRAPH)  # line breaks are as wide


def test_lists_and_lines_are_not_taken_for_wrapped():
    text = (
        "Traitement de sortie :\nAmlodipine 5 mg\nMetformine 1 g\nParacétamol si besoin\nKardegic"
    )
    assert wrap_width(text) is None and len(split_sentences(text)) == 5


@pytest.mark.parametrize(
    "lines",
    [
        (
            "Motif de consultation : toux sèche",
            "Antécédents : HTA, diabète type 2",
            "Traitement : metformine 1 g x2/j",
        ),
        (
            "Motif de consultation : toux sèche et fièvre à 38,5 °C depuis trois jours",
            "Antécédents : HTA, diabète de type 2, dyslipidémie, tabagisme sevré",
            "Traitement habituel : metformine 1 g, amlodipine 5 mg, atorvastatine",
        ),
        (
            "Hémoglobine 12,3 g/dl (norme 12-16)",
            "Leucocytes 7,2 G/l (norme de 4 à 10)",
            "Plaquettes 250 G/l (norme 150-400)",
        ),
        (
            "Pas d'allergie médicamenteuse connue",
            "Pas d'intervention chirurgicale",
            "Tabac sevré depuis dix ans environ",
        ),
    ],
)
def test_findings_of_about_one_length_are_lines_of_their_own(lines):
    text = "\n".join(lines)
    assert [text[start:end] for start, end in split_sentences(text)] == list(lines)


def test_a_wrapped_dialogue_is_as_unwrapped():
    turns = (
        "— Je ne crois pas que la fièvre de Marie-Céline baisse avant demain matin, dit Léopold.",
        "— Bien.",
        "— Alors, attendons.",
        "— Et le « Pourquoi pas ? » est-il rentré au port de Concarneau hier soir avec Jeanne ?",
        "— Non.",
        "— Tant mieux !",
        "— Hâtons-nous !",
        "— Qui va là ?",
    ) * 3
    wrapped = "\n".join(textwrap.fill(turn, 45, break_on_hyphens=False) for turn in turns)
    whole = "\n".join(turns)
    assert split_sentences(wrapped) == split_sentences(whole)


def test_shared_cases():
    """The cases that others of the same kinds are measured with."""
    folder = os.environ.get("DOCTOBERT_DATA_DIR")
    path = Path(folder or ".").parents[1] / "cases" / "sentences.jsonl" if folder else None
    if path is None or not path.is_file():
        pytest.skip("the shared cases are not here: set DOCTOBERT_DATA_DIR")
    wrong = []
    for line in path.read_text(encoding="utf-8").splitlines():
        marked = json.loads(line)["marked"]
        text = marked.replace("|", "")
        found = [text[start:end] for start, end in split_sentences(text)]
        if found != [part.strip() for part in marked.split("|")]:
            wrong.append(marked)
    assert not wrong
