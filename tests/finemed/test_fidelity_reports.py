"""The gates on case reports: normal, kept and denied in the ways in which rewrites say it."""

import pytest

pytest.importorskip("text_to_num")

from doctobert_hf.finemed import check_rewrite

SAME = [
    ("Une tumeur bénigne fut suspectée et aucune biopsie n'a été réalisée.", "Devant l'aspect de "
     "tumeur bénigne, on s'est abstenu de toute biopsie."),
    ("Une mauvaise prise pondérale.", "Une prise de poids insuffisante."),
    ("Ses antécédents médicaux et chirurgicaux étaient sans particularités.", "Elle n'a aucun "
     "antécédent médical ou chirurgical particulier."),
    ("Les scanners cérébral et facial étaient normaux.", "Scanner cérébral et scanner facial : "
     "rien d'anormal."),
    ("Elle était asymptomatique sur le plan respiratoire.", "Elle n'a aucun symptôme "
     "respiratoire."),
    ("Nouveau-né stable sur les plans: hémodynamique, neurologique et respiratoire.", "Il ne "
     "présente d'instabilité ni hémodynamique, ni neurologique, ni respiratoire."),
    ("Le temps de céphaline activée (TCA) était normal.", "Le temps de céphaline activée (TCA) "
     "n'est pas perturbé."),
    ("Calcémie à 2,35 mmol/l, phosphorémie à 1,23 mmol/l, bilan normal.", "Ni la calcémie, "
     "2,35 mmol/l, ni la phosphorémie, 1,23 mmol/l, n'étaient perturbées."),
    ("Hyperthyroïdie, sans altération de la fonction rénale.", "Hyperthyroïdie, la fonction rénale "
     "étant préservée."),
    ("L'interrogatoire a éliminé une intoxication éthylique.", "Il n'y a pas d'intoxication "
     "alcoolique à l'interrogatoire."),
    ("Une colique néphrétique a été suspectée.", "On pense à une colique néphrétique."),
    ("Accouchement par voie basse. L'ovaire droit était hypertrophique.", "Accouchement par les "
     "voies naturelles. L'ovaire droit est augmenté de volume."),
    ("Adénopathies axillaires bilatérales ; masse cervicale gauche.", "Sous les deux bras, des "
     "adénopathies ; au cou, une masse du côté gauche."),
    ("Des adénopathies jugulo-carotidiennes bilatérales et une hypoacousie droite.", "Des "
     "adénopathies jugulo-carotidiennes de chaque côté du cou ; hypoacousie du côté droit."),
    ("Anémie normo chrome normocytaire.", "Anémie normochrome normocytaire."),
    ("Des érosions buccales récidivantes.", "Des plaies à répétition dans la bouche."),
    ("Des décharges électriques délivrées par le DAI.", "Le DAI délivre des chocs électriques."),
    ("Les sérologies de l'hépatite B et HIV étaient négatives.", "Sérologies de l'hépatite B et du "
     "virus de l'immunodéficience humaine négatives."),
    ("Le bilan préchimiothérapique est revenu normal.", "Le bilan avant chimiothérapie est "
     "normal."),
    ("Créatinémie à 11 mg/l.", "Créatininémie 11 mg/l."),
    ("Sans troubles urinaires ni digestifs.", "Elle ne signalait de trouble ni urinaire ni "
     "digestif."),
    ("Une lésion du col sans extension aux parois vaginales ou aux paramètres.", "Une lésion du "
     "col qui ne s'étendait ni aux parois du vagin ni aux paramètres."),
    ("Sans adénopathies inguinales palpables.", "Les aires inguinales étaient libres d'adénopathie "
     "palpable."),
    ("Sans signes d'insuffisance cardiaque. Troponine positive.", "Rien n'indique une insuffisance "
     "cardiaque. La troponine, signe de souffrance, est positive."),
    ("Hémodialysé sur néphropathie indéterminée, sans contexte familial d'hématurie.", "Il est en "
     "hémodialyse pour une néphropathie indéterminée. Sa famille ne compte pas d'hématurie."),
    ("Hémorragies survenues dans un contexte a fébrile.", "Hémorragies, pas de fièvre."),
    ("Une transfusion a été réalisée.", "On lui a transfusé deux culots."),
    ("Apyrétique (température à 37 ° 5), tension à 80\\60 mmHg.", "Apyrétique (37,5 °C), tension à "
     "80/60 mmHg."),
    ("Hyperleucocytose à 19000 éléments/mm 3.", "Hyperleucocytose à dix-neuf mille éléments/mm3."),
    ("Plaquettes à 90,000 elts/mm³.", "Plaquettes : 90 000/mm³."),
    ("Leucocytose à 11.000 éléments/mm3.", "Leucocytes à 11 000 éléments/mm3."),
    ("Poids de naissance à 3Kg 300.", "Poids de naissance : 3,3 kg."),
    ("Une néoformation de 14cmx12cm, une masse de 8X13X14,6 cm.", "Une néoformation de 14 cm x "
     "12 cm, une masse de 8 x 13 x 14,6 cm."),
    ("Tumeur classée p T2N3Mo, LH à0.3 UI/l, FSH à 0.8 IU/l.", "Tumeur pT2N3M0, LH 0,3 UI/l, FSH "
     "0,8 UI/l."),
    ("Le diagnostic de LES était posé.", "Le diagnostic de lupus érythémateux systémique était "
     "posé."),
    ("Sous TDF-3TC-EFV.", "Elle reçoit ténofovir, lamivudine et éfavirenz."),
    ("La radiographie, le bilan tuberculeux, la sérologie n'étaient pas réalisés.", "Ni "
     "radiographie, ni bilan tuberculeux, ni sérologie n'ont été faits."),
    ("Un traitement optimal n'a pas pu être assuré d'emblée vu l'étendue de la maladie.", "La "
     "maladie était trop étendue pour un traitement optimal d'emblée."),
    ("La mammographie n'a pas pu être réalisée. Une mammographie avait montré une opacité.", "La "
     "mammographie était irréalisable. La mammographie montrait alors une opacité."),
    ("Les examens respiratoires et ophtalmologiques étaient normaux.", "La respiration et les yeux "
     "étaient normaux."),
    ("Opacité de contours partiellement bien limités ; sein nécrosé.", "Opacité aux contours en "
     "partie bien limités ; sein totalement nécrosé."),
    ("Un utérus malformé.", "Une malformation de l'utérus."),
    ("Exophtalmie avec baisse d'acuité visuelle.", "Exophtalmie + BAV."),
    ("Une masse, des adénopathies, un carcinome, un ictère et un prurit.", "Une grosseur, "
     "des ganglions, un cancer, une jaunisse et des démangeaisons."),
    ("L'examen général trouve une patiente en bon état général ; normo tendue et apyrétique.",
     "Elle va bien, sa tension est normale, elle n'a pas de fièvre."),
    ("L'auscultation pulmonaire n'avait pas objectivé de râles crépitants.", "À l'auscultation "
     "pulmonaire, aucun râle crépitant."),
    ("Évoluant dans un contexte de conservation de l'état général.", "Évoluant sans altération de "
     "l'état général."),
    ("Gemcitabine 1000mg /m² tous les vingt et un jours, avec respect des intervalles inter-cures.",
     "Gemcitabine, mille milligrammes par mètre carré tous les 21 jours, l'intervalle entre les "
     "cures étant respecté."),
    ("Des localisations secondaires pulmonaires.", "Des métastases pulmonaires."),
    ("Diabète sous glyclazide.", "Diabète traité par gliclazide."),
    ("Une ostéchondromatose multiple.", "Une ostéochondromatose multiple."),
    ("Elle n'a pas d'antécédents toxiques, notamment tabagiques.", "On ne lui connaissait pas "
     "d'antécédents toxiques, en particulier pas de tabagisme."),
    ("Les électrolytes sont dans les normes.", "Les sels minéraux sont normaux."),
    ("La tuméfaction n'a pas changé de taille ou de consistance.", "Taille et consistance de la "
     "tuméfaction inchangées."),
    ("Les récepteurs hormonaux sont négatifs.", "Les récepteurs hormonaux n'étaient pas positifs."),
    ("Une tumeur de 3,4x4, 6 cm.", "Une tumeur de 3,4 x 4,6 cm."),
    ("La circonflexe est occluse.", "Occlusion de la circonflexe."),
    ("Une augmentation des gammaglobulines à 42,9 g/l.", "Une hypergammaglobulinémie à 42,9 g/l."),
    ("Admis environ dix heures après.", "Admis une dizaine d'heures après."),
    ("Suggérant une GPA.", "Suggérant une granulomatose avec polyangéite."),
    ("Une tomodensitométrie, qui était sans anomalies. L'examen a montré une urticaire.", "La "
     "tomodensitométrie ne montre pas d'anomalie. Une urticaire apparaît."),
    ("Chez la parturiente une bradycardie fœtale, une réanimation pour la mère.", "Une bradycardie "
     "fœtale. La mère, parturiente, est réanimée."),
    ("Un micro adénome hypophysaire de 3.5mm.", "Un microadénome hypophysaire de 3,5 mm."),
    ("Une synovite bilatérale des deux poignets, carpite stade III à droite.", "Une synovite des "
     "deux poignets, carpite de stade III du côté droit."),
    ("Il devient hypotendu à 70/35 mm Hg.", "Une hypotension à 70/35 mm Hg s'installe."),
    ("Translocation t (X, 18).", "Translocation t(X,18)."),
    ("La recherche d'une autre atteinte viscérale s'est révélée négative.", "Aucune autre atteinte "
     "viscérale n'a été trouvée."),
    ("Métrorragies sur une aménorrhée de 10 SA.", "Métrorragies après une absence de règles de "
     "10 SA."),
    ("Une fracture fermée du tibia.", "Le tibia était cassé, sans plaie (fracture fermée)."),
]  # fmt: skip
CHANGED = [
    # words that could excuse an invention, and do not
    ("HTA secondaire à une sténose. Lésions secondaires au grattage.", "HTA secondaire à une "
     "sténose, métastases. Lésions secondaires au grattage.", "disease invented: metastases"),
    ("Tension artérielle normale.", "Tension artérielle normale, puis hypotension.",
     "disease invented: hypotension"),
    ("Masse de consistance ferme, yeux ouverts.", "Masse de consistance ferme avec plaie, yeux "
     "ouverts.", "disease invented: plaie"),
    ("Une tumeur bénigne du sein.", "Une tumeur bénigne du sein, un carcinome.",
     "disease invented: carcinome"),
    ("Patiente enceinte. Sa mère avait un asthme.", "Patiente enceinte, qui avait un asthme.",
     "a relative's disease told of the patient: asthme"),
    ("Protidémie à 70 g/l, bilan rénal et urinaire normal. La toux a augmenté.", "Protidémie à "
     "70 g/l, hyperprotidémie, bilan rénal et urinaire normal. La toux a augmenté.",
     "disease invented: hyperprotidemie"),
    ("Leur mariage n'est pas consanguin.", "Leur mariage est consanguin.",
     "negation lost: consanguin"),
    ("Aucune biopsie n'a été réalisée.", "Une biopsie a été réalisée.", "negation lost: biopsie"),
    ("Les scanners étaient normaux.", "Scanners : aspect anormal.", "normal or not changed"),
    ("Fonction rénale préservée.", "Altération de la fonction rénale.", "state changed"),
    ("Hyperthyroïdie, sans altération de la fonction rénale.", "Hyperthyroïdie, fonction rénale "
     "altérée.", "state changed"),
    ("Absence d'autres foyers périphériques. Un foyer blanc au pôle postérieur.", "Il existe "
     "d'autres foyers périphériques. Un foyer blanc au pôle postérieur.", "negation lost: foyers"),
    ("Les aires inguinales étaient libres d'adénopathie palpable.", "Les aires inguinales étaient "
     "le siège d'adénopathies palpables.", "negation lost"),
    ("Elle ne signalait de trouble ni urinaire ni digestif.", "Elle signalait un trouble urinaire "
     "et digestif.", "negation lost"),
    ("Adénopathies axillaires bilatérales.", "Adénopathies axillaires du côté gauche.", "extent"),
    ("Une anémie à 5 g/dl. Une transfusion a été réalisée avant la biopsie.", "Une anémie à "
     "5 g/dl, puis la biopsie. Les analyses sanguines suivent.", "treatment lost: transfusion"),
    ("Il a bénéficié d'un lavage et d'un drainage.", "Son état est bon.",
     "treatment lost: drainage"),
    ("Hypotonie néonatale.", "Hypotonie néonatale et communication interauriculaire.",
     "disease invented: interauriculaire"),
    ("Rien n'indique une insuffisance cardiaque.", "Il existe une insuffisance cardiaque.",
     "negation lost: insuffisance"),
    ("Il est sous antibiotique à large spectre depuis son entrée.", "Il est surveillé depuis son "
     "entrée.", "treatment lost: antibiotique"),
    ("Sous TDF-3TC-EFV.", "Sous TDF-3TC-NVP.", "drug invented: NVP"),
    ("Sous prednisone.", "Sous prednisolone.", "drug invented: prednisolone"),
    ("Les récepteurs hormonaux sont négatifs.", "Les récepteurs hormonaux sont positifs.",
     "result changed"),
    ("Une augmentation des gammaglobulines.", "Une hypogammaglobulinémie.", "disease invented"),
    ("Une arthrite du genou.", "Une arthrose du genou.", "disease invented: arthrose"),
    ("Admis dix heures après.", "Admis une vingtaine d'heures après.", "quantity"),
    ("Sous prednisone.", "Sous prednisolone.", "drug invented: prednisolone"),
    ("Les récepteurs hormonaux sont négatifs.", "Les récepteurs hormonaux sont positifs.",
     "result changed"),
    ("Une augmentation des gammaglobulines.", "Une hypogammaglobulinémie.", "disease invented"),
    ("Une arthrite du genou.", "Une arthrose du genou.", "disease invented: arthrose"),
    ("Admis dix heures après.", "Admis une vingtaine d'heures après.", "quantity"),
    ("Leucocytose à 11.000 éléments/mm3.", "Leucocytes à 1 100 éléments/mm3.", "quantity"),
    ("Température à 37 ° 5.", "Température à 38,5 °C.", "quantity invented: 38,5"),
    ("Tumeur classée pT2N3Mo.", "Tumeur pT2N2M0.", "code"),
    ("Sérologie HIV négative.", "Sérologie HIV positive.", "result changed"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "rewrite"), SAME)
def test_what_says_the_same_passes(source, rewrite):
    assert check_rewrite(source, rewrite) == []


@pytest.mark.parametrize(("source", "rewrite", "reason"), CHANGED)
def test_each_change_is_named(source, rewrite, reason):
    found = check_rewrite(source, rewrite)
    assert any(told.startswith(reason) for told in found), found
