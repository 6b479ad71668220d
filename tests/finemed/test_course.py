"""The course of a disease, values beside their ranges, shares of days: kept as they are."""

import pytest

from doctobert_hf.finemed import check_rewrite

FAITHFUL = [
    (
        "Trois diagnostics ont été discutés : une sarcoïdose, un lymphome et une tuberculose.",
        "Trois hypothèses sont discutées : sarcoïdose, lymphome, tuberculose.",
    ),
    (
        "On discutait une sarcoïdose, un lymphome et une tuberculose.",
        "Trois hypothèses sont discutées : sarcoïdose, lymphome et tuberculose.",
    ),
    ("Une goutte épaisse positive à l'admission.", "À l'admission, goutte épaisse positive."),
    (
        "M. R, 40 ans, ayant un frère suivi pour goutte, qui présente depuis deux ans des "
        "lombalgies et une polyarthralgie.",
        "Homme de 40 ans. Son frère est suivi pour goutte. Depuis deux ans, lombalgies et "
        "polyarthralgie.",
    ),
    (
        "Anastomose réalisée ; l'enfant a regagné le domicile familial après cinq jours.",
        "L'anastomose a été faite ; retour au domicile familial au bout de cinq jours.",
    ),
    (
        "Un drain thoracique est posé sans incident sous anesthésie locale.",
        "Pose sans incident d'un drain thoracique sous anesthésie locale.",
    ),
    ("Éruption non prurigineuse du tronc.", "Éruption du tronc, sans prurit."),
    (
        "Lésions rebelles à tout traitement antibiotique ou antifongique.",
        "Aucun antibiotique ni antifongique n'a eu d'effet sur ces lésions.",
    ),
    (
        "Le tableau n'a pas été accompagné de fièvre. Toux sèche.",
        "Il n'a eu ni fièvre ni autre signe. Toux sèche.",
    ),
    (
        "Suivi pour une SA à forme axiale.",
        "Suivi pour une spondylarthrite ankylosante à forme axiale.",
    ),
    ("Albendazole six jours sur sept.", "Albendazole 6 jours sur 7."),
    (
        "Le scanner de contrôle est resté inchangé.",
        "Au scanner de contrôle, aucune modification.",
    ),
    ("La douleur a régressé en une semaine.", "En une semaine la douleur a disparu."),
    (
        "En l'absence d'obésité ou de prise d'alcool, la prise en charge est ambulatoire.",
        "Ni obésité ni consommation d'alcool ; prise en charge ambulatoire.",
    ),
    ("L'examen vasculo-nerveux était normal.", "Pas d'anomalie vasculaire ni nerveuse."),
    ("Il n'a pas d'antécédents médicaux particuliers.", "ATCD médicaux : RAS."),
    ("L'abdomen sans préparation montre des niveaux.", "ASP : niveaux."),
    ("Durant son séjour de 1 mois, il a reçu du fer.", "Pendant le mois passé ici : fer."),
    ("Transféré faute d'un plateau technique suffisant.", "Plateau insuffisant : transféré."),
    (
        "Des conseils sont donnés pour éviter les complications.",
        "Pour prévenir les complications, on a conseillé le patient.",
    ),
    ("Métrorragies depuis deux ans.", "Saignements depuis deux ans."),
    ("Tuméfaction de 3cm/3cm.", "Tuméfaction de 3 cm sur 3."),
    ("Elle a eu une radio chimiothérapie.", "Elle a eu une radiochimiothérapie."),
    ("Une acido-cétose est apparue.", "Une acidocétose est apparue."),
    (
        "Kyste ovarien avec suspicion d'envahissement colique.",
        "Kyste de l'ovaire ; un envahissement du côlon est suspecté.",
    ),
    ("Récepteurs progestatifs négatifs.", "Récepteurs de la progestérone négatifs."),
    ("Le complément scannographique est normal.", "Le scanner est normal."),
]
ALTERED = [
    ("Suites simples.", "Suites marquées par une éventration.", "complication invented"),
    ("Suites simples.", "Suites marquées par un iléus.", "complication invented"),
    ("Suites favorables.", "Suites favorables après un arrêt cardiaque.", "complication invented"),
    (
        "Schwannome réséqué, suites simples.",
        "Schwannome réséqué, suites simples. Une radiothérapie a été délivrée.",
        "treatment invented: radiotherapie",
    ),
    (
        "Halopéridol sans aucune amélioration clinique.",
        "Halopéridol, et la clinique s'est améliorée.",
        "outcome turned round",
    ),
    (
        "Le scanner de contrôle est inchangé.",
        "Scanner de contrôle : régression des lésions.",
        "outcome lost: inchangé",
    ),
    (
        "Malgré l'halopéridol, le délire est resté persistant deux ans.",
        "Grâce à l'halopéridol, le délire a disparu au bout de deux ans.",
        "outcome invented: a disparu",
    ),
    ("La récidive est très probable.", "La récidive est peu probable.", "likelihood"),
    (
        "Le tableau évoque une grossesse extra-utérine. Une laparotomie est faite.",
        "Le diagnostic de grossesse extra-utérine est confirmé. Une laparotomie est faite.",
        "hypothesis made certain",
    ),
    (
        "L'imagerie a permis de conclure au diagnostic de naevus choroïdien.",
        "Diagnostic seulement suspecté sur l'imagerie : naevus choroïdien.",
        "certainty lost",
    ),
    (
        "Elle décrit des déchirures vaginales non suturées.",
        "Elle décrit des déchirures vaginales, qui ont été recousues.",
        "negation lost: non suturées",
    ),
    (
        "Pas d'occlusion ni d'hémorragie, mais une malformation ano-rectale avec fistule "
        "recto-vestibulaire était associée.",
        "Pas d'occlusion ni d'hémorragie.",
        "left out",
    ),
    (
        "Drépanocytose dans la famille du père et diabète dans la famille de la mère.",
        "Diabète dans la famille du père et drépanocytose dans la famille de la mère.",
        "relatives exchanged",
    ),
    (
        "Antalgiques, antipaludéen et réhydratation.",
        "Antalgiques et réhydratation.",
        "drug lost: antipaludeen",
    ),
    (
        "Mme L, ayant un frère suivi pour goutte, consulte pour une toux.",
        "Madame L consulte pour une toux ; elle est suivie pour goutte.",
        "relative",
    ),
    (
        "Hypocalcémie à 68,2 mg/l (VN: 85-100), hyperphosphorémie à 57,3 mg/l (VN: 27-45).",
        "Ca 57,3 mg/l (VN 85-100), hypocalcémie ; P 68,2 mg/l (VN 27-45), hyperphosphorémie.",
        "values exchanged: 68.2 and 57.3",
    ),
    (
        "AFP > 230 fois la normale (6900 ng/ml), puis AFP à 284 ng/ml (< 10 fois la normale).",
        "AFP à 284 ng/ml, soit plus de 230 fois la normale, puis 6900 ng/ml (10 fois la normale).",
        "values exchanged",
    ),
    ("Albendazole six jours sur sept.", "Albendazole un jour sur six.", "frequency changed"),
    ("VGM à 48 fl et CCMH à 29 %.", "VGM 29 fl, CCMH 48 %.", "quantity invented: 29 fl"),
    ("Radiothérapie suivie de chirurgie.", "Une chirurgie, puis une radiothérapie.", "order"),
    ("Curiethérapie avant la chirurgie.", "Chirurgie d'abord, curiethérapie ensuite.", "order"),
    ("L'artère sous-clavière naît à droite.", "L'artère carotide naît à droite.", "vessel"),
    ("Le tamoxifène n'a pas pu être arrêté.", "Le tamoxifène a pu être interrompu.", "negation"),
    ("Sang noir, puis extraction.", "Sang noir, extraction et transfusion.", "treatment invented"),
    ("Douleurs lombaires et hématurie.", "Douleurs lombaires.", "finding lost: hématurie"),
    (
        "Positivité pour le CD20 et le DBA44, négatives pour le CD5.",
        "CD5 et DBA44 positifs, CD20 négatif.",
        "result turned round",
    ),
    ("Un envahissement médullaire.", "La moelle n'était pas envahie.", "negation added"),
    ("Condensation des 2/3 internes.", "Les deux tiers externes sont denses.", "part changed"),
    ("La masse a diminué.", "La masse est restée inchangée.", "outcome invented"),
    ("Diabétique, mal équilibré.", "Diabétique et hypertendu, mal équilibré.", "invented"),
]


@pytest.mark.parametrize(("source", "rewrite"), FAITHFUL)
def test_what_says_the_same_passes(source, rewrite):
    assert check_rewrite(source, rewrite) == []


@pytest.mark.parametrize(("source", "rewrite", "reason"), ALTERED)
def test_what_says_otherwise_is_named(source, rewrite, reason):
    assert any(reason in found for found in check_rewrite(source, rewrite))


@pytest.mark.parametrize("source", [source for source, *_ in [*FAITHFUL, *ALTERED]])
def test_the_source_itself_passes(source):
    assert check_rewrite(source, source) == []
