"""The gates on texts that a writer tells anew: shares, durations, answers, species, halves."""

import pytest

pytest.importorskip("text_to_num")

from doctobert_hf.finemed import check_rewrite

SAME = [
    # numbers in another form
    ("Une otite chez 25 % des enfants.", "Un enfant sur quatre a une otite."),
    ("Une otite chez 50 % des malades.", "Un malade sur deux a une otite."),
    ("Examiné 95 minutes après l'accident.", "Examiné 1 h 35 après l'accident."),
    ("Éviter dès le premier trimestre.", "Éviter dès les trois premiers mois de grossesse."),
    ("Pénicilline G 2,4 millions d'unités.", "Pénicilline G 2,4 MUI."),
    ("Artésunate à 0, 12 et 24 heures.", "Artésunate aux heures 0, 12 et 24."),
    ("À renouveler après 4 heures.", "Laisser 4 heures entre deux prises, puis renouveler."),
    ("Elle a vomi deux fois.", "Elle a eu deux vomissements."),
    ("Appliquer deux fois par semaine.", "À raison de deux applications hebdomadaires."),
    ("Plaquettes contrôlées deux fois par semaine.", "Plaquettes : deux comptages par semaine."),
    ("Rispéridone 1 mg par jour puis 4 mg par jour.",
     "Rispéridone à la dose quotidienne de 1 mg, portée ensuite à 4 mg."),
    # other words
    ("Il ne remplace pas le dépistage.", "Le dépistage reste utile, il ne le remplace pas."),
    ("Naissance par voie basse, sans extraction, d'un garçon de 3 kg.",
     "Un garçon de 3 kg est né par voie basse, sans extraction."),
    ("RE 90 %, RP 60 %.", "Récepteurs : RE à 90 %, ceux de la progestérone à 60 %."),
    ("Transfusion de deux concentrés érythrocytaires.", "Deux concentrés érythrocytaires donnés."),
    ("Réponses : A et C.", "Les réponses exactes sont A, C."),
    ("À P. falciparum ; Plasmodium falciparum est grave.", "Plasmodium falciparum est grave."),
    # who rules out, and what is ruled out
    ("Une exploration cœlioscopique, qui a éliminé une appendicite.",
     "Une exploration cœlioscopique. Elle a écarté une appendicite."),
    ("Sans étiologie pouvant expliquer l'épanchement gazeux.",
     "Étiologie expliquant l'épanchement gazeux : non retrouvée."),
    ("La patiente est décédée d'une détresse respiratoire.",
     "La patiente décède d'une détresse respiratoire."),
    ("Pas de notion de fièvre, de signes digestifs ou d'altération de l'état général.",
     "Ni fièvre, ni signes digestifs, ni altération de l'état général."),
    ("La recherche des AAN et des anti-cardiolipines était négative.",
     "Les AAN et les anti-cardiolipines sont négatifs."),
    ("Anticorps endomysium positifs, AAN négatifs.", "Ac endomysium +, AAN négatifs."),
    ("Anti GAD positifs, anti IA2 négatifs.", "Anti GAD +, anti IA2 -."),
    ("Fièvre prolongée. Évolution : disparition de la fièvre.", "Fièvre prolongée. Puis apyrexie."),
    ("Un angioscanner thoracique.", "Une angio-TDM thoracique."),
    ("Cures à J15, J30 et J60.", "Trois cures, à J15, J30 et J60."),
    ("La recherche des maladies telles que les thyréopathies et la maladie cœliaque est négative.",
     "Thyréopathies, maladie cœliaque : recherche négative."),
    ("Une cure a été proposée, il a refusé.", "Une cure a été proposée, il n'en veut pas."),
    ("Positive dans le sang, négative dans le LCR.",
     "Négative dans le LCR, positive dans le sang."),
    ("Masse de 62mm/40mm de diamètre.", "Masse de 62 mm sur 40 mm."),
    ("L'alpha foetoprotéine dépassait 230 fois la normale.",
     "Alpha foetoprotéine : plus de 230 fois la normale."),
    ("Azathioprine 2mg/kg/jr.", "Azathioprine 2 mg/kg/j."),
    ("Anémie (Hb=10,2g/d).", "Anémie, Hb 10,2 g/dl."),
    ("Elle respectait la veine, le tronc spléno-mésaraïque et le tronc porte.",
     "La veine, le tronc spléno-mésaraïque et le tronc porte sont respectés."),
    ("Elle ne présentait plus d'aphte depuis 18 mois. Bonne évolution.",
     "Évolution bonne, plus d'aphte depuis 18 mois."),
    ("Les foyers n'ont pas disparu totalement.", "Les foyers n'ont pas totalement disparu."),
    ("Azathioprine, puis rituximab.", "Ttt 1 : azathioprine.\nTtt 2 : rituximab."),
    ("Limitation du droit externe gauche en faveur d'une paralysie du VI gauche.",
     "Le droit externe gauche est limité, en faveur d'une paralysie du VI gauche."),
    ("Cher confrère, voici le dossier. Patient de 45 ans.",
     "Cher confrère, voici le résumé du dossier. Patient de 45 ans."),
    ("L'examen pleuropulmonaire était sans particularité.", "Examen pleuropulmonaire : RAS."),
    ("Crachats et urines étaient négatifs.", "Crachats et urines : nég."),
    ("Une plastie du clitoris est prévue.", "Une clitoroplastie est prévue."),
    ("Un mélange de 4 ml de bupivacaïne et de 1 ml de dexaméthasone, soit un volume de 5 ml.",
     "Volume de 5 ml en tout : 4 ml de bupivacaïne et 1 ml de dexaméthasone."),
    ("Sténose de l'artère inter ventriculaire antérieure.", "Sténose de l'IVA."),
    ("Paralysie du nerf cubital.", "Paralysie du nerf ulnaire."),
    ("Utérus petit, avec les 2 ovaires présents.", "Utérus petit, les deux ovaires présents."),
    # and what looks like it
    ("Un enfant sur 10 000 est atteint.", "Un enfant sur dix mille est atteint."),
    ("Une femme sur 2 000 est touchée.", "Une femme sur 2000 est touchée."),
    ("RP : foyer de la base droite.", "La radiographie montre un foyer à la base droite."),
    ("Mme P. est traitée pour un accès à Plasmodium falciparum.",
     "Mme P. souffre d'un accès à Plasmodium falciparum."),
    ("Antigène Legionella positif.", "Legionella dans les urines : antigène positif."),
    ("Ce Candida est sensible.", "Ce Candida reste sensible."),
    ("TSH à 2,5 MUI/L.", "TSH à 2,5 mUI/L."),
    ("2 millions UI de pénicilline.", "2 millions d'unités de pénicilline."),
    ("Réponses : A B D.", "Réponses : A, B et D."),
    ("Réponses : A et C.", "Réponses : A - C."),
    ("2 mg par jour de X, puis 4 mg toutes les 12 heures.",
     "X à la dose quotidienne de 2 mg, augmentée à 4 mg toutes les 12 heures."),
    ("Séjour court. Affection de longue durée.",
     "Séjour de courte durée. Affection de longue durée."),
]  # fmt: skip
CHANGED = [
    ("Une otite chez 25 % des enfants.", "Un enfant sur cinq a une otite.", "quantity"),
    ("Examiné 95 minutes après l'accident.", "Examiné 1 h 45 après l'accident.", "quantity"),
    ("Pénicilline G 2,4 millions d'unités.", "Pénicilline G 2,4 UI.", "quantity"),
    ("Elle a vomi deux fois.", "Elle a eu trois vomissements.", "quantity"),
    ("Appliquer deux fois par semaine.", "À raison de trois applications hebdomadaires.",
     "quantity"),
    ("Rispéridone 1 mg par jour puis 4 mg par jour.",
     "Rispéridone à la dose quotidienne de 1 mg, portée ensuite à 6 mg.", "quantity"),
    ("Il ne remplace pas le dépistage.", "Le dépistage est inutile, il le remplace.", "negation"),
    ("Réponse : C.", "Bonne réponse : D.", "answer changed: C, now D"),
    ("À Plasmodium falciparum.", "À Plasmodium vivax.", "species invented: vivax"),
    ("Insuline de courte durée.", "Insuline de longue durée.", "lasting changed"),
    ("Fissure verticale du ménisque médial. Le ménisque latéral est intact.",
     "Le ménisque latéral porte une fissure verticale ; le ménisque médial est intact.",
     "side changed"),
    ("Un enfant sur 10 000 est atteint.", "10 % des enfants sont atteints.", "quantity"),
    ("Transfusion à J2. Urines concentrées.", "Urines concentrées.", "treatment lost"),
    ("À Staphylococcus aureus.", "À Staphylococcus epidermidis.", "species invented"),
    ("T4 libre basse. Lévothyroxine à augmenter par paliers.",
     "T4 libre élevée. Lévothyroxine à augmenter par paliers.", "level changed"),
    ("La cœlioscopie a éliminé une appendicite.", "La cœlioscopie a montré une appendicite.",
     "negation lost: appendicite"),
    ("Sans étiologie pouvant expliquer l'épanchement.",
     "Étiologie expliquant l'épanchement : retrouvée.", "negation lost: étiologie"),
    ("Crachats et urines positifs.", "Crachats et urines : nég.", "result changed"),
    ("Une frénoplastie. Une plastie en Z.", "Une frénoplastie.", "treatment lost: plastie"),
    ("Un mélange de 4 ml de bupivacaïne et de 1 ml de dexaméthasone, soit un volume de 5 ml.",
     "Volume de 4 ml en tout : 5 ml de bupivacaïne et 1 ml de dexaméthasone.",
     "values exchanged"),
    ("Sténose de l'artère inter ventriculaire antérieure.", "Sténose de l'artère circonflexe.",
     "vessel changed"),
    ("Paralysie du nerf radial.", "Paralysie du nerf médian.", "nerve changed"),
    ("Utérus petit, avec les 2 ovaires présents.", "Utérus petit.", "finding lost"),
    ("Utérus petit, avec les 2 ovaires présents.", "Utérus petit, un seul ovaire présent.",
     "count changed"),
    ("Aspirine 4cp de 75mg.", "Aspirine 350 mg.", "quantity invented"),
    ("Sous isoniazide.", "Sous isoniazide et éthionamide.", "drug invented"),
    ("La patiente est décédée.", "La patiente va bien.", "outcome lost"),
    ("Une chirurgie a été proposée au patient, qui a refusé.", "Une chirurgie a été proposée.",
     "refusal lost"),
    ("Il a été mis sous traitement symptomatique. La douleur persiste.", "La douleur persiste.",
     "treatment lost"),
    ("Lyme positive dans le sang et négative dans le LCR.",
     "Lyme positive dans le sang et dans le LCR.", "result turned round: lcr"),
    ("Anti GAD positifs.", "Anti GAD -.", "result changed"),
    ("Les AAN et les ANCA sont négatifs.", "Les AAN et les ANCA sont positifs.", "result changed"),
    ("Cures à J15, J30 et J60.", "Quatre cures, à J15, J30 et J60.", "quantity invented"),
    ("On ne trouvait pas la notion de fièvre ou d'altération de l'état général.",
     "Pas de fièvre. Altération de l'état général.", "negation lost"),
    ("Après induction anesthésique une asystolie, associée à un rush cutané, a fait suspecter "
     "une anaphylaxie.", "Après induction anesthésique, asystolie et rush cutané : "
     "anaphylaxie.", "hypothesis made certain"),
    ("Surveillance par crainte d'une méningite.", "La surveillance a révélé une méningite.",
     "hypothesis made certain"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "rewrite"), SAME)
def test_the_same_told_anew_passes(source, rewrite):
    assert check_rewrite(source, rewrite) == []
    assert check_rewrite(rewrite, source) == []


@pytest.mark.parametrize(("source", "rewrite", "reason"), CHANGED)
def test_each_change_is_named(source, rewrite, reason):
    assert any(found.startswith(reason) for found in check_rewrite(source, rewrite))


@pytest.mark.parametrize(
    ("source", "rewrite"),
    [
        ("Une hypocholestérolémie à 0,8 g/l.", "Un cholestérol abaissé, à 0,8 g/l."),
        ("Induction par du vécuronum.", "Induction par du vécuronium."),
    ],
)
def test_what_is_told_better_passes(source, rewrite):
    assert check_rewrite(source, rewrite) == []


def test_what_stands_before_a_suspicion_is_sure():
    source = "Après induction anesthésique une asystolie a fait suspecter une anaphylaxie."
    rewrite = "Après induction anesthésique, asystolie. On suspecte une anaphylaxie."
    assert check_rewrite(source, rewrite) == []


def test_tablets_may_be_told_as_the_dose_that_they_make():
    assert check_rewrite("Aspirine 4cp de 75mg.", "Aspirine 300 mg.") == []
    assert check_rewrite("Aspirine 4cp de 75mg.", "Aspirine 300 mg (4 comprimés de 75 mg).") == []


@pytest.mark.parametrize(
    ("source", "rewrite"),
    [
        ("L'état général est conservé.", "Altération de l'état général."),
        ("Altération de l'état général, amaigrissement.", "Amaigrissement, état général conservé."),
        (
            "Le patient respectait le régime et présentait une hémorragie.",
            "Le patient respectait le régime, sans hémorragie.",
        ),
        (
            "Le patient respectait le régime, une hémorragie digestive est survenue.",
            "Le patient respectait le régime, sans hémorragie digestive.",
        ),
        (
            "La lésion épargne le nerf, une métastase hépatique et une ascite sont vues.",
            "La lésion épargne le nerf, sans métastase hépatique ni ascite.",
        ),
        (
            "Le patient respectait le régime avec une hémorragie.",
            "Le patient respectait le régime sans hémorragie.",
        ),
        ("Phase 2 : métastases. Reçoit 5 mg.", "Phase 4 : métastases. Reçoit 5 mg."),
        ("Essai de phase 3 : le lot reçoit 5 mg.", "Essai de phase 1 : le lot reçoit 5 mg."),
        ("Le membre droit inférieur est froid.", "Le membre inférieur est froid."),
        ("Lobe supérieur atteint.", "Lobe droit supérieur atteint."),
        ("Condyle droit externe fracturé.", "Condyle externe fracturé."),
        ("Membres droits supérieurs et gauche inférieur.", "Membres gauche inférieur."),
        (
            "Recherche d'une cause chez ce patient ayant une hépatite compliquée de cirrhose.",
            "Recherche d'une cause chez ce patient n'ayant pas de cirrhose.",
        ),
        ("Douleurs moindres, plus d'asthénie que la veille.", "Douleurs moindres, sans asthénie."),
        ("Hypocholestérolémie.", "Il prend du cholestérol."),
        ("Toux.", "Voici le résumé du cas clinique demandé : toux."),
        ("Prednisone 10 g/d pendant 3 jours.", "Prednisone 10 g/dl pendant 3 jours."),
        ("Il a refusé la transfusion.", "Il a accepté la transfusion."),
        (
            "Une chirurgie a été proposée, il a refusé.",
            "Une chirurgie a été proposée contre la douleur.",
        ),
        ("Le patient décède.", "Le patient a survécu."),
    ],
)
def test_what_readers_got_past_the_rules_does_not_pass(source, rewrite):
    assert check_rewrite(source, rewrite)
