"""Rewrites of other registers: the same facts for a patient, in notes, in words, in other units."""

import pytest

from doctobert_hf.finemed.rephrase.fidelity import check_rewrite

pytest.importorskip("text_to_num")
KEPT = [
    # numbers and units
    ("Lésion évoluant depuis 4ans et demie.", "Lésion présente depuis quatre ans et demi."),
    ("Acuité visuelle à 3/10 à l'œil droit.", "Acuité visuelle de trois dixièmes à l'œil droit."),
    (
        "Les données sont au Tableau 2, Figure 5.",
        "Les données sont au tableau deux et à la figure cinq.",
    ),
    (
        "Hémoglobine à 6,2 g/dl au bilan.",
        "Bilan : six virgule deux grammes d'hémoglobine par décilitre.",
    ),
    ("Plasma 15 ml/kg par huit heures.", "Plasma 15 ml/kg toutes les 8 heures."),
    ("Recul de 3 ans et 4 mois.", "Recul de 40 mois."),
    (
        "Abcès de 250 cc drainé.",
        "Abcès drainé, de deux cent cinquante centimètres cubes.",
    ),
    ("Nodule de 4/3 cm du sein.", "Nodule du sein, de quatre centimètres sur trois."),
    (
        "Des adénopathies infra-centimétriques étaient vues.",
        "On voyait de petits ganglions de moins d'un centimètre.",
    ),
    (
        "Elle rapporte une prise de médicaments pendant la grossesse.",
        "Médicaments pris pendant la grossesse, dit-elle.",
    ),
    # names and codes
    ("Quatrième geste, troisième pare, 31 ans.", "G4P3, 31 ans."),
    ("Une céphalosporine de 3ème génération est donnée.", "C3G donnée."),
    ("Indice de masse corporel à 31 kg/m2.", "IMC à 31 kg/m2."),
    (
        "Traitée par 2RHZE/4RH.",
        "Traitée par 2RHZE/4RH (rifampicine, isoniazide, pyrazinamide, éthambutol).",
    ),
    (
        "Altération de l'épithélium pigmentaire.",
        "Épithélium pigmentaire (EP) altéré ; pas d'autre atteinte de l'EP.",
    ),
    # what is denied
    (
        "L'examen thoraco-abdominal était sans particularités.",
        "Examen thoraco-abdominal : RAS.",
    ),
    (
        "On ne retrouve pas d'anomalie osseuse ni musculaire.",
        "Les explorations osseuse et musculaire sont dépourvues d'anomalie.",
    ),
    (
        "Des orteils écartés et un cou court sont notés.",
        "On note un écartement des orteils et un cou court.",
    ),
    (
        "La membrane est restée intacte, extraite sans la rompre.",
        "On a extrait sans la rompre la membrane, restée intacte.",
    ),
    (
        "Ni ses frères et ni ses cousins ne présentaient de tels signes.",
        "Ses frères et ses cousins étaient indemnes de tels signes.",
    ),
    (
        "Ne disposant pas d'imagerie adaptée, on a opéré.",
        "L'imagerie nécessaire à un bilan adapté faisant défaut, on a opéré.",
    ),
    (
        "Le nerf facial inférieur n'avait pas été identifié ni devant ni derrière la glande.",
        "Le nerf facial inférieur n'a pu être identifié, pas plus devant que derrière la glande.",
    ),
    (
        "L'OCT montre une disparition de la ligne externe.",
        "À l'OCT, la ligne externe n'est plus visible.",
    ),
    (
        "Un hématome fuse jusqu'au ligament ovarien, qui a été respecté.",
        "Hématome fusant jusqu'au ligament ovarien, respecté.",
    ),
    (
        "La recherche d'une atteinte rénale et des calcifications s'est révélée négative.",
        "Aucune atteinte rénale ni calcification n'a été trouvée.",
    ),
    (
        "Il n'avait pas d'allergie particulière, notamment aux antibiotiques.",
        "Aucune allergie, en particulier pas aux antibiotiques.",
    ),
    # of whom, and on which side
    (
        "Aux antécédents de hernie opérée, il est issu d'un mariage consanguin.",
        "ATCD : hernie opérée. Parents consanguins.",
    ),
    (
        "Reçue à l'hôpital de Grand-Bassam pour des vomissements.",
        "Motif : vomissements. Hôpital de Grand-Bassam.",
    ),
    (
        "Une lésion envahissant les méninges, opérée avec reconstruction durale.",
        "Une lésion envahissant les méninges, opérée ; la dure-mère a été reconstruite.",
    ),
    ("Entorse de la chevillegauche.", "Entorse de la cheville gauche."),
    (
        "Le ventricule gauche est dilaté, la fuite mitrale minime.",
        "VG dilaté, fuite mitrale minime.",
    ),
    (
        "La nécrose montait jusqu'au coude à droite et touchait l'épaule gauche.",
        "La nécrose montait à droite jusqu'au coude et touchait à gauche l'épaule.",
    ),
    (
        "Une insuffisance rénale est diagnostiquée et on suit le patient à la recherche "
        "d'une anémie.",
        "Une insuffisance rénale est diagnostiquée ; un suivi est prévu pour dépister une anémie.",
    ),
    (
        "L'antibiogramme indiquait une résistance de E. coli aux quinolones et Proteus, "
        "sensible aux antibiotiques testés.",
        "Selon l'antibiogramme, E. coli était résistant aux quinolones, Proteus multisensible aux "
        "antibiotiques testés.",
    ),
]
KEPT += [
    (
        "À la dose de 15 mg/kg/j d'antimoine.",
        "Quinze milligrammes d'antimoine par kilogramme et par jour.",
    ),
    ("Il vient consulter une fois de plus.", "Il consulte à nouveau."),
    (
        "Après la biopsie, une résection. Deux mois plus tard, une plastie.",
        "1er temps : biopsie, résection. 2e temps, deux mois plus tard : plastie.",
    ),
    ("Chimiothérapie par cispliatne.", "Chimiothérapie par cisplatine."),
    ("Parathormone effondrée à 4 pg/ml.", "PTH effondrée : 4 pg/ml."),
    ("Contrôles des 3 ème, 9 ème et 18 ème mois normaux.", "M3, M9 et M18 : contrôles normaux."),
    ("Une SPM dépassant l'ombilic.", "Une splénomégalie dépassant l'ombilic."),
    ("Une lympho histiocytose est discutée.", "Une lymphohistiocytose est discutée."),
    ("Prise de corticoïdes oraux.", "Corticothérapie orale."),
    ("Patiente non connue diabétique.", "Patiente sans diabète connu."),
    ("Loge libre sans adénopathies.", "Loge libre, pas de ganglions anormaux."),
    (
        "Une augmentation de la protéine C réactive à 90 mg/l avec une calcémie normale.",
        "Protéine C réactive élevée à 90 mg/l ; calcémie normale.",
    ),
    (
        "Sans frissons, ni sueurs, ni vertiges. Le reste va bien.",
        "Frissons, sueurs et vertiges étaient absents. Le reste va bien.",
    ),
    (
        "Vu l'absence de facteurs de rechute (emboles, limites envahies), on surveille.",
        "Les facteurs de rechute (emboles, limites envahies) étant absents, on surveille.",
    ),
    (
        "Une poussée non jugulée par les corticoïdes, le rituximab.",
        "Une poussée que ni les corticoïdes ni le rituximab ne l'ont jugulée.",
    ),
    (
        "L'aspiration, à la recherche de BK, est non concluante.",
        "Ni la biopsie ni l'aspiration à la recherche de bacille de Koch ne sont concluantes.",
    ),
    (
        "Douleurs non améliorées par le paracétamol.",
        "Douleurs que le paracétamol n'améliorait pas.",
    ),
    ("À prendre pendant ou en dehors des repas.", "À prendre pendant les repas ou en dehors."),
    ("Traitements qui ne sont plus totalement efficaces.", "Traitements incomplètement efficaces."),
    (
        "Aucun autre signe n'est rapporté, notamment la fatigue.",
        "Aucun autre signe n'est rapporté, pas de fatigue.",
    ),
]
KEPT += [
    ("Traité par Gentamycine et amoxcilline.", "Traité par gentamicine et amoxicilline."),
    ("Un AVC sans séquelles.", "Un AVC, séquelles = 0."),
    ("Gentamicine 3 mg/kg/jour.", "Gentamicine 3 mg/kg en 24 h."),
    ("Observation n°2 : un enfant de 9 ans.", "OBS. 2 : enfant, 9 ans."),
    ("Patiente coronarienne.", "Patiente aux antécédents de coronaropathie."),
    (
        "Les douleurs diminuent, avec persistance d'une gêne fonctionnelle.",
        "Les douleurs diminuent, sans que disparaisse la gêne fonctionnelle.",
    ),
    (
        "Une disparition complète des signes infectieux est notée.",
        "Plus aucun signe infectieux (disparition complète).",
    ),
    ("Neurofibromatose type 1 connue.", "NF1 connue."),
    ("Une pan uvéite par poussées.", "Une panuvéite par poussées."),
    ("La graisse dissocie les fascicules.", "La graisse écarte ses fascicules, dissociés."),
    (
        "On voit un orifice fistuleux avec un col non visible.",
        "On voit un orifice fistuleux ; le col n'est pas vu.",
    ),
    (
        "Antécédents : aucun antécédent notable chez cet enfant de 2 ans.",
        "ANTÉCÉDENTS : enfant de 2 ans, rien de notable.",
    ),
    (
        "Leucocytes à 27. 103/mm³.",
        "Leucocytes à 27 000/mm³.",
    ),
    ("240 mg de methyl-prednisolone.", "Méthylprednisolone, 240 mg."),
    (
        "Mère de 3 enfants, elle a eu une tuberculose.",
        "Elle a eu une tuberculose. Trois enfants.",
    ),
    (
        "Une formation kystique d'autre nature ne peut être écartée.",
        "On décrit le kyste, sans qu'une formation kystique d'autre nature puisse être exclue.",
    ),
    ("CPK à une fois et demi la normale.", "CPK à 1,5 fois la normale."),
    ("La hanche est en flexion et abduction.", "Sa hanche était pliée, écartée et tournée."),
    ("Fracture après un traumatisme minime.", "Fracture après un choc minime."),
    (
        "Les lésions persistent à droite et régressent à gauche.",
        "À droite les lésions persistent, elles ont régressé à gauche.",
    ),
]
KEPT += [
    ("La vésicule était alithiasique.", "Vésicule sans lithiase."),
    ("Des végétations de 6, 37X 9,07mm.", "Végétations de 6,37 x 9,07 mm."),
    ("Une masse au sein de la lésion.", "Une masse dans la lésion."),
    ("Autres appareils sans particularité.", "Autres appareils : RAS."),
    ("Hémoglobine à 8,1g/100ml.", "Hémoglobine : huit virgule un grammes pour cent millilitres."),
    ("Kaliémie à 2,1 mEq/l.", "Kaliémie à deux virgule un mEq/l."),
    ("Tachycarde à 130 bpm, puis 130 cpm.", "Cent trente battements, puis cycles, par minute."),
    (
        "Pas d'antécédents médicaux particuliers, notamment pas d'antécédents cardiaques.",
        "Aucun antécédent médical particulier, en particulier cardiaque.",
    ),
    (
        "L'os n'est recouvert ni d'une séreuse ni d'un revêtement cutané.",
        "L'os est dépourvu de séreuse comme de revêtement cutané.",
    ),
    ("Sous isoniazide et rifampicine.", "Sous INH et RMP."),
    ("Une TDM sans et avec injection est faite.", "TDM avec et sans injection."),
    ("La thrombose respectait la portion terminale.", "Était respectée la portion terminale."),
    ("Une héparinothérapie est débutée.", "Un traitement par héparine est débuté."),
    ("Sous BBloquant.", "Sous bêtabloquant."),
    ("Sérologie hydatique positive.", "Sérologie de l'hydatidose positive."),
    (
        "Sans antécédents gynéco-obstétricaux particuliers.",
        "ATCD gynéco-obstétricaux : pas de particularité.",
    ),
    ("Irradiée à la dose de 50 Gy.", "Irradiée à 5000 cGy."),
    ("Une population de 1.250.000 habitants.", "Une population de 1 250 000 habitants."),
    ("Cellules positives pour CD 34.", "Cellules positives pour CD34."),
    ("Une lyse de la scapula droite.", "Une lyse de l'omoplate droite."),
]
ALTERED = [
    ("Une femme de 40 ans et un garçon de 9 ans.", "Une femme de 40 ans et une fille de 9 ans.",
     "sex changed"),
    ("Une image probablement en rapport avec un kyste.", "Une image en rapport avec certitude avec "
     "un kyste.", "certainty invented"),
    ("Une chirurgie a été faite. Une plastie en Z de la bride a été réalisée.",
     "Une chirurgie a été faite.", "treatment lost: plastie"),
    ("Résistance de E. coli aux quinolones, Proteus sensible aux macrolides.",
     "E. coli sensible aux quinolones, Proteus sensible aux macrolides.", "sensitivity changed"),
    ("On ne retrouve pas d'anomalie osseuse ni musculaire.",
     "On retrouve une anomalie osseuse et musculaire.", "negation lost"),
    ("Recul de 3 ans et 4 mois.", "Recul de 34 mois.", "quantity"),
    ("Acuité visuelle à 3/10.", "Acuité visuelle de cinq dixièmes.", "quantity"),
    ("Quatrième geste, troisième pare.", "G3P3.", "code"),
    ("Traitée par 2RHZE/4RH.", "Traitée par 2RHZE/4RH et lévofloxacine.", "drug invented"),
    ("Plasma 15 ml/kg par huit heures.", "Plasma 15 ml/kg toutes les 6 heures.", "quantity"),
    ("Acuité de 3/10 et 7/10 à l'œil droit et gauche respectivement.",
     "Acuité de 7/10 à l'œil droit et de 3/10 à l'œil gauche.", "values exchanged"),
    ("Supination à 30°/70°.", "Supination à 70°/30°.", "values exchanged"),
    ("À l'œil droit, acuité de 2/10 avec une myopie de 5 dioptries. À l'œil gauche, acuité de 4/10 "
     "avec une myopie de 3 dioptries.", "À l'œil droit, acuité de 2/10 avec une myopie de 3 "
     "dioptries. À l'œil gauche, acuité de 4/10 avec une myopie de 5 dioptries.",
     "values exchanged"),
    ("Opérée. Mise sous corticothérapie, elle va mieux.", "Opérée, elle va mieux.",
     "treatment lost: corticotherapie"),
    ("Lésion réséquée. Le patient va bien.", "The patient underwent complete en bloc resection of "
     "the lesion. Le patient va bien.", "not French"),
    ("Mère de 3 enfants, elle a eu une tuberculose.", "Elle a 3 enfants. Sa mère a eu une "
     "tuberculose.", "relative invented"),
    ("Ceftriaxone et un aminoside.", "Ceftriaxone et un macrolide.", "drug invented: macrolide"),
    ("L'ataxie régresse nettement, les troubles mnésiques persistent.", "L'ataxie régresse "
     "nettement, les troubles mnésiques ont disparu.", "outcome turned round"),
    ("Un MNI test positif, traumatisme du genou.", "Un MNI test positif, traumatisme du genou, "
     "méningite.", "disease invented: meningite"),
    ("Un traumatisme du genou.", "Un traumatisme du genou, avec état de choc.",
     "disease invented: choc"),
    ("Sans troubles du cycle ni troubles urinaires ou digestifs.", "Des troubles urinaires, sans "
     "troubles du cycle ni troubles digestifs.", "negation lost: urinaires"),
    ("Sans frissons, ni sueurs, ni vertiges.", "Sueurs et vertiges étaient absents, frissons "
     "présents.", "negation lost"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "rewrite"), KEPT)
def test_the_same_in_other_words_passes(source, rewrite):
    assert check_rewrite(source, rewrite) == []


@pytest.mark.parametrize(("source", "rewrite", "reason"), ALTERED)
def test_what_is_changed_is_named(source, rewrite, reason):
    found = check_rewrite(source, rewrite)
    assert any(one.startswith(reason) for one in found), found


def test_a_report_in_a_patients_words_has_all_its_sentences():
    source = (
        "Mme R. consulte pour une exophtalmie unilatérale gauche évoluant progressivement depuis "
        "une année. L'examen retrouve une exophtalmie axile, indolore, réductible et pulsatile "
        "avec limitation de la motilité oculaire. La palpation révèle une masse temporale "
        "adhérente. Le scanner objective une lésion ostéocondensante envahissant la fosse "
        "temporale. L'exérèse chirurgicale est pratiquée en neurochirurgie avec reconstruction."
    )
    told = (
        "Mme R. est venue parce que son œil gauche ressortait peu à peu depuis un an. Il était "
        "poussé droit devant, sans douleur, on pouvait le remettre en place, il battait et "
        "bougeait mal. À la tempe, on sentait une grosseur collée à l'os. Le scanner a montré une "
        "zone d'os trop dense qui gagnait le creux de la tempe. Des neurochirurgiens ont tout "
        "enlevé et reconstruit la paroi."
    )
    assert not [one for one in check_rewrite(source, told) if "left out" in one]
