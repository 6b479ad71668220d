"""Units in words, denials in other words, examinations and deaths: what passes, what does not."""

import pytest

from doctobert_hf.finemed import check_rewrite

SAME = [
    ("Sulfate de DHA : 1145 ug/dl.", "DHA à mille cent quarante-cinq microgrammes par décilitre."),
    ("Prednisone 1 mg/kg/j.", "Prednisone, un milligramme par kilogramme et par jour."),
    ("Prednisone 1 mg/kg/j.", "Prednisone, 1 mg par kilo de poids et par jour."),
    ("Hémoglobine à 12g/dl.", "Hémoglobine à douze grammes par décilitre."),
    ("Tension à 130/80 mmHg.", "Tension à cent trente sur quatre-vingts millimètres de mercure."),
    ("Tension normale à 12/8cmHg.", "Tension normale à douze sur huit centimètres de mercure."),
    ("Pression de 15mm Hg.", "Pression de 15 millimètres de mercure."),
    ("VS à 82mm à la 1 ère heure.", "VS à 82 mm/h."),
    ("Stimulation de 0,35 mA.", "Stimulation de 350 microampères."),
    ("Une surveillance horaire est faite.", "Une surveillance est faite toutes les heures."),
    ("Mise sous quadrithérapie : isoniazide, rifampicine, éthambutol, pyrazinamide.",
     "Elle a reçu quatre antituberculeux : isoniazide, rifampicine, éthambutol, pyrazinamide."),
    ("Sans antécédents. Toux.", "Les antécédents étaient nuls. Toux."),
    ("Patient sans antécédents, fébrile.", "ATCD : RAS. Fébrile."),
    ("Pas d'épanchement. Toux.", "Toux. Épanchement 0."),
    ("Sans facteur de risque cardiovasculaire.", "Facteurs de risque cardiovasculaires : 0."),
    ("Pas de signes digestifs.", "Les signes digestifs faisaient défaut."),
    ("L'exploration a éliminé un ulcère perforé.", "L'exploration a écarté un ulcère perforé."),
    ("L'évolution a été défavorable.", "L'évolution n'a pas été favorable."),
    ("Conservation de l'état général.", "L'état général n'était pas altéré."),
    ("Les prélèvements dans les crachats et les urines étaient négatifs.",
     "Les prélèvements n'étaient positifs ni dans les crachats ni dans les urines."),
    ("L'hymen et l'urètre étaient en place.", "Ni l'hymen ni l'urètre ne manquaient."),
    ("Aucune anomalie locale n'est notée.", "Aucune anomalie n'est vue à cet endroit."),
    ("Dosage de la 17 OH progestérone élevé.", "La 17-hydroxyprogestérone est élevée."),
    ("Dosage de la 17 OH progestérone élevé.", "Dosage élevé de la 17-OHP."),
    ("Lavage broncho alvéolaire : alvéolite.", "LBA : alvéolite."),
    ("Granulome sans signe de malignité.", "Granulome sans signe de cancer."),
    ("Un bloc analgésique du nerf crural est fait.", "Un bloc du nerf crural est fait."),
    ("Injection de bupivacaïne.", "Injection de bupivacaïne (un anesthésique local)."),
    ("La tomodensitométrie est normale.", "Le scanner est normal."),
    ("L'échographie et l'IRM sont normales.", "L'imagerie est normale."),
    ("Le diagnostic de kyste hydatique est évoqué.", "On évoque un kyste hydatique."),
    ("Évolution fatale à J3.", "Le patient est décédé à J3."),
    ("Patiente perdue de vue après six mois.", "La patiente n'a plus été revue après six mois."),
    ("Prednisone 1 mg/kg/j.", "Prednisone, 1 mg par jour et par kg."),
    ("Bupivacaïne à 0,125%.", "Bupivacaïne à 1,25 mg/ml."),
    ("VS à 82mm à la 1 ère heure.", "VS 82 mm à H1."),
    ("Température à 37.2°C.", "Température à trente-sept degrés deux."),
    ("Sans antécédents pathologiques particuliers.",
     "Antécédents pathologiques : aucun en particulier."),
    ("Les 2 ovaires sont présents.", "Aucun des 2 ovaires ne faisait défaut."),
    ("Les prélèvements étaient négatifs.", "Aucun prélèvement n'est positif."),
    ("La CRP était normale à 5 mg/l.", "La CRP n'était pas élevée (5 mg/l)."),
    ("G2P2 au 15e jour du post-partum.", "Une maman, G2P2, au 15e jour du post-partum."),
]  # fmt: skip
CHANGED = [
    ("Prednisone 1 mg/kg/j.", "Prednisone, un milligramme par kilogramme et par semaine.",
     "quantity"),
    ("Hémoglobine à 12g/dl.", "Hémoglobine à douze grammes par litre.", "quantity"),
    ("Tension à 130/80 mmHg.", "Tension à cent trente sur soixante millimètres de mercure.",
     "quantity"),
    ("Une surveillance horaire est faite.", "Une surveillance quotidienne est faite.",
     "quantity changed"),
    ("Stade 0. Pas d'épanchement.", "Stade 2. Pas d'épanchement.", "quantity"),
    ("L'hymen était en place.", "L'hymen n'était pas en place.", "negation added: hymen"),
    ("Les masses étaient palpables.", "Les masses n'étaient pas palpables.",
     "negation added: masses"),
    ("Épanchement à gauche.", "Épanchement à gauche : 0.", "negation added"),
    ("L'exploration a trouvé un ulcère.", "L'exploration a écarté un ulcère.", "negation added"),
    ("L'évolution a été favorable.", "L'évolution n'a pas été favorable.", "outcome"),
    ("L'état général était altéré.", "L'état général n'était pas altéré.", "state changed"),
    ("La TDM montre un nodule.", "L'échographie montre un nodule.", "examination lost: CT"),
    ("Un nodule est vu au scanner.", "Un nodule est vu à l'IRM.", "examination invented: MRI"),
    ("Sortie au 6e jour, suivi d'un an.", "Sortie au 6e jour. Il est décédé après un an de suivi.",
     "outcome invented: décédé"),
    ("Une hémorragie entraîne le décès.", "Une hémorragie survient.", "outcome lost: décès"),
    ("Les taux ont évoqué une hyperplasie.", "Les taux confirment une hyperplasie.",
     "hypothesis made certain: hyperplasie"),
    ("Le diagnostic de sarcoïdose est retenu.", "Une sarcoïdose est suspectée.",
     "certainty lost: sarcoïdose"),
    ("Une endoscopie nasale montre une rhinite croûteuse.",
     "Nasal endoscopy showed crusty rhinitis with polyps.", "not French"),
    ("La toux a duré. Une endoscopie montre des polypes du nez. Il sort guéri.",
     "La toux a duré. Endoscopy showed nasal polyps with crusts. Il sort guéri.", "not French"),
    ("L'enzyme de conversion de l'angiotensine était augmentée.",
     "L'enzyme de conversion de l'angiotensine était normale.", "level changed: enzyme"),
    ("Patiente perdue de vue.", "Patiente régulièrement suivie.", "outcome lost: perdue de vue"),
    ("Une tuberculose est retenue.", "Son frère avait eu une tuberculose.",
     "relative invented: frère"),
    ("Patiente sans antécédents.", "Patiente dont la famille n'a pas d'antécédents.",
     "relative invented: famille"),
    ("Lésion d'allure kystique. Le scanner fait évoquer des kystes hydatiques.",
     "Lésion d'allure kystique. Le scanner confirme des kystes hydatiques.",
     "hypothesis made certain"),
    ("L'exploration est faite. Ni appendicite, ni diverticulose, ni ulcère.",
     "L'exploration est faite.", "terms lost: appendicite, diverticulose"),
    ("Cruralgie chronique du membre inférieur droit. Examen lombaire normal à gauche.",
     "Cruralgie chronique du membre inférieur gauche. Examen lombaire normal à droite.",
     "sides exchanged"),
    ("Il reçoit un analgésique.", "Il reste alité.", "drug lost: analgesique"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "rewrite"), SAME)
def test_the_same_in_other_words_passes(source, rewrite):
    assert check_rewrite(source, rewrite) == []
    assert check_rewrite(source, source) == []


@pytest.mark.parametrize(("source", "rewrite", "reason"), CHANGED)
def test_each_change_is_named(source, rewrite, reason):
    found = check_rewrite(source, rewrite)
    assert any(one.startswith(reason) for one in found), found
