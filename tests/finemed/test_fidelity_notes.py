"""The gates on rewrites of notes, leaflets and tables: what says the same, and what does not."""

import pytest

pytest.importorskip("text_to_num")

from doctobert_hf.finemed import check_rewrite
from doctobert_hf.finemed.rephrase.brands import BRANDS, HOLDS

SAME = [
    # numbers, units, frequencies
    ("Rendez-vous le 15/09.", "Rendez-vous le 15 septembre."),
    ("Coloscopie prévue le 15 septembre.", "Coloscopie le 15/09."),
    ("Paracétamol 15 mg/kg toutes les 6 heures.", "Paracétamol 15 mg/kg/6 h."),
    ("Fentanyl changé toutes les 72 heures.", "Fentanyl, changement /72 h."),
    ("Vitamine D 100 000 UI tous les 3 mois.", "Vitamine D 100 000 UI une fois par trimestre."),
    ("Méthotrexate 15 mg par semaine et acide folique 10 mg par semaine.",
     "Elle prend chaque semaine 15 mg de méthotrexate et 10 mg d'acide folique."),
    ("Arthralgies des deux mains.", "Arthralgies des 2 mains."),
    ("En première intention, fosfomycine 3 g. En deuxième intention, pivmécillinam.",
     "1re intention : fosfomycine 3 g. 2e intention : pivmécillinam."),
    ("Lévothyroxine 75 µg le matin.", "Lévothyroxine 75 µg par jour, le matin."),
    ("Budésonide 2 inhalations matin et soir.", "Budésonide, deux inhalations le matin et deux le "
    "soir."),
    ("Thrombolyse à 2 h 40.", "Thrombolyse à 2h40."),
    ("Une prise de 6 kg en 4 mois.", "Elle a pris 6 kg en 4 mois."),
    ("Protéinurie à 0,3 g/24 h.", "La protéinurie des 24 heures est à 0,3 g."),
    ("Marche à 6 semaines.", "S6 : marche."),
    ("La mortalité à 30 jours était de 4 %.", "La mortalité à un mois était de 4 %."),
    ("Saturation minimale 78 %.", "La saturation descend jusqu'à 78 %."),
    ("G3P2, 34 ans.", "Troisième geste et deuxième pare, 34 ans."),
    # denials
    ("Protéinurie : 0,3 g/l.", "La protéinurie est à 0,3 g/l."),
    ("Il n'est pas sans facteur de risque : tabac.", "Il a des facteurs de risque : tabac."),
    ("Pas d'idées suicidaires. Pas de prise de toxiques.",
     "Les idées suicidaires sont absentes, de même que la prise de toxiques."),
    ("Pas d'astérixis ni de signe de localisation.",
     "L'astérixis et les signes de localisation étaient absents."),
    ("Pas de perte de poids.", "Le poids est stable."),
    ("Sans atteinte muqueuse.", "Les muqueuses sont indemnes."),
    ("Ponction sans infection du liquide.", "La ponction ramène un liquide clair, écartant une "
    "infection."),
    ("Pas de métastase osseuse à la scintigraphie.", "Scintigraphie osseuse : pas de métastase."),
    ("Coronarographie non indiquée.", "Il n'y a pas d'indication de coronarographie."),
    ("En cas d'insuffisance rénale, il n'est pas recommandé.",
     "Et en cas d'insuffisance rénale ?\nRéponse : il n'est pas recommandé."),
    ("Ne prenez jamais ce comprimé si vous avez une hypotension "
    "sévère.", "CI : hypotension sévère."),
    # terms
    ("Le patient est hypertendu.", "Il a une hypertension artérielle."),
    ("Crépitants des deux bases.", "Râles crépitants des deux bases."),
    ("Cancer de la prostate métastatique.", "Cancer de la prostate avec métastases."),
    ("Na 128 mmol/l, K 5,8 mmol/l.", "Natrémie 128 mmol/l, kaliémie 5,8 mmol/l."),
    ("Tacrolimus 3 mg, mycophénolate 500 mg.", "Immunosuppresseurs : tacrolimus 3 mg, "
    "mycophénolate 500 mg."),
    ("Noradrénaline à 0,4 µg/kg/min.", "NAD 0,4 µg/kg/min."),
    ("Amoxicilline-acide clavulanique 1 g.", "Augmentin 1 g."),
    ("Douleur.\nRéponse attendue.", "Douleur. R : réponse attendue."),
    ("Lasègue négatif des deux côtés.", "Le Lasègue est négatif à droite comme à gauche."),
    ("AVC ischémique récent.", "Infarctus cérébral récent."),
]  # fmt: skip

CHANGED = [
    # doses of another medicine
    ("Médicament | Dose\nCeftriaxone | 1 g\nMétronidazole | 500 mg\nParacétamol | 1 g",
     "De la ceftriaxone à 500 mg, du métronidazole à 1 g et du paracétamol à 1 g.",
     "dose of another medicine"),
    ("Ceftriaxone 1 g une fois par jour ; métronidazole 500 mg trois fois par jour.",
     "Ceftriaxone 1 g x 3/j ; métronidazole 500 mg/j.", "dose"),
    ("Une goutte de latanoprost le soir, de timolol matin et soir.",
     "Latanoprost une goutte le matin, timolol matin et soir.", "time of day changed"),
    # denials
    ("La coloscopie n'a pas pu être réalisée.", "La coloscopie a été réalisée.", "negation lost"),
    ("On ne peut exclure une lésion colique.", "Pas de lésion colique.", "negation added"),
    ("Ne prenez pas de dose double.", "Il faut doubler la dose.", "negation lost"),
    ("Ne pas associer à un autre AINS.", "Associer à un autre AINS.", "negation lost"),
    ("Les membranes ne sont pas rompues.", "Il y a rupture des membranes.", "negation lost"),
    ("Il n'est pas sous anticoagulant.", "Il est anticoagulé.", "negation lost"),
    ("TPHA positif, VDRL négatif.", "TPHA négatif, VDRL positif.", "result changed"),
    ("Le colchique n'abaisse pas l'uricémie.", "Le colchique fait baisser l'uricémie.", "negation "
    "lost"),
    # who, how sure, whether it was done
    ("Son frère est asthmatique.", "Il est asthmatique.", "a relative's disease"),
    ("Son père a eu un infarctus, sa sœur un cancer du sein.",
     "Il a fait un infarctus et sa sœur un cancer du sein.", "a relative's disease"),
    ("Lobectomie proposée.", "La lobectomie a été réalisée.", "what is planned is done"),
    ("Tendinopathie possiblement liée au traitement.", "La tendinopathie est due au traitement.",
     "hypothesis made certain"),
    # sides, opposites
    ("Tympan droit bombé ; tympan gauche normal.", "Le tympan gauche est bombé, alors que le droit "
     "est normal.", "side changed"),
    ("Masse du LSD.", "Masse du LSG.", "side"),
    ("Acuité : OD 10/10, OG 3/10.", "Acuité : OD 3/10, OG 10/10.", "values exchanged"),
    ("Sensible à la témocilline, résistant au céfotaxime.", "Résistant à la témocilline, sensible "
     "au céfotaxime.", "sensitivity changed"),
    ("Couché sur le dos.", "Couché sur le ventre.", "position changed"),
    ("Le pincement s'est aggravé.", "Le pincement a régressé.", "evolution changed"),
    ("Le miel est interdit avant 1 an.", "Le miel est autorisé avant 1 an.", "permit changed"),
    ("Il est inapte à la conduite.", "Il est apte à la conduite.", "fitness changed"),
    ("Glaucome à angle ouvert.", "Glaucome à angle fermé.", "aperture changed"),
    ("Patient de 29 ans opéré.", "Une femme de 29 ans opérée.", "sex changed"),
    ("AVC ischémique récent, pas de transformation hémorragique.",
     "AVC hémorragique récent, pas de transformation hémorragique.", "stroke changed"),
    ("Discopathie L4-L5.", "Discopathie L5-S1.", "code invented"),
    ("ASA 1, apte.", "ASA 3, apte.", "code changed"),
    ("PPC 12 cmH2O.", "PPC 12 mmHg.", "quantity"),
    ("Contre-indiqué avec les macrolides, sauf la spiramycine.",
     "Contre-indiqué avec les macrolides, y compris la spiramycine.", "exception changed"),
    ("Dyspnée depuis 3 jours.", "Dyspnée depuis 3 jours, insuffisance rénale.", "disease invented"),
    ("Rendez-vous le 15/09.", "Rendez-vous le 25 septembre.", "date invented"),
    # what a model says around it
    ("Dyspnée.", "Dyspnée. N'hésitez pas si vous souhaitez autre chose.", "remnant"),
    ("Dyspnée.", "Dyspnée. Souhaitez-vous que j'adapte le style ?", "remnant"),
    ("Douleur du genou et de la hanche, sur le dos.", "Douleur du genou et de la hanche, sur le "
    "dos. "
     "The patient should return in the morning with her chart.", "not French"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "rewrite"), SAME)
def test_the_same_in_other_words_passes(source, rewrite):
    assert check_rewrite(source, rewrite) == []


@pytest.mark.parametrize(("source", "rewrite", "reason"), CHANGED)
def test_each_change_is_named(source, rewrite, reason):
    found = check_rewrite(source, rewrite)
    assert any(told.startswith(reason) for told in found), found
    assert check_rewrite(source, source) == []


def test_brands_that_hold_something_are_known_brands():
    assert HOLDS.keys() <= BRANDS
    assert check_rewrite("Sous Augmentin 1 g.", "Sous Clamoxyl 1 g.")
    assert check_rewrite("Sous Kardegic 75 mg.", "Sous clopidogrel 75 mg.")
