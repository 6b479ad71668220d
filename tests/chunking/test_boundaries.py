"""French structure: where a text may be cut and where not."""

import pytest
from hypothesis import given, strategies as st

from doctobert_hf.chunking.boundaries import Level, iter_boundaries


def level_at(marked: str, sign: str = "¦") -> Level:
    """Return the level of the place at the sign, which is taken out."""
    position = marked.index(sign)
    text = marked.replace(sign, "")
    return dict(iter_boundaries(text, 0, len(text))).get(position, Level.ANYWHERE)


SENTENCE_ENDS = [
    "Le patient va bien. ¦Il sort demain.",
    "Que faire ? ¦Attendre.",
    "Attention ! ¦Ne pas dépasser.",
    "Il hésite… ¦Puis il part.",
    "Il hésite... ¦Puis il part.",
    "Il dit « oui. » ¦Elle part.",
    "Elle (la patiente.) ¦Elle part.",
    "Opéré en 2012. ¦Le suivi est simple.",
    "Une lésion de grade 3. ¦Le bilan suit.",
    "Il pesait 3060 g. ¦Le caryotype est normal.",
    "La dose est de 2 mg/kg/j. ¦Du cotrimoxazole est ajouté.",
    "Vaccin contre l'hépatite B. ¦Dans le cadre du bilan.",
    "Voir la rubrique 4. ¦IMPORTANT : lire.",
    "Il reste 30 min. ¦Le lendemain, rien.",
    "Le traitement, etc. ¦Il part.",
    "Bien. ¦« Oui », dit-il.",
    "Bien.\u00a0¦Oui.",
    "FC à 80. ¦ECG normal.",
    "Hémoglobine à 12. ¦IRM cérébrale.",
    "Ramipril 5. ¦HTA équilibrée.",
    "Lésion de 5 mm. ¦Le bilan suit.",
    "Sus-décalage du segment ST. ¦La troponine monte.",
    "Il prend 3 cp. ¦Le patient dort.",
    "Elle dort sur le sol. ¦Le matin, rien.",
    "Vaccin de l'hépatite B. ¦L'hépatite C est absente.",
    "Carence en vitamine D. ¦Supplémentation débutée.",
    "Température à 38.5. ¦Le patient dort.",
    "Sortie le 12.05.20. ¦Le patient va bien.",
    "EVA : 8. ¦Le patient souffre.",
    "Guéri en un jour.[1] ¦Le patient sort.",
    "Urines claires.¹ ¦Le patient sort.",
]
NO_ENDS = [
    "Le Dr. ¦Martin consulte.",
    "Vu par le Pr. ¦Durand hier.",
    "M. ¦Dupont est venu.",
    "cf. ¦Figure deux",
    "p. ex. ¦Aspirine ou autre",
    "Injection i.v. ¦Paracétamol ensuite",
    "par J. ¦Dupont et al.",
    "et al. ¦Nature, 2012",
    "dose max. ¦4 g par jour",
    "une dose de 2. ¦5 mg",
    "le patient. ¦et la suite",
    "1. ¦Qu'est-ce que ce médicament ?",
    "Fin. 2. ¦Posologie",
    "la suite.\n4.2. ¦Posologie et mode",
    "Quoi ¦? Rien.",
    "Oui ! ¦dit-il",
    "« ¦Bonjour »",
    "dose : 10\u00a0¦mg",
    "C.-à-d. ¦Rien",
    "voir n° 4, fig. ¦Deux",
    "le Dr. ¦Le Gall",
    "hôp. ¦Necker",
    "atcd. ¦HTA ancienne",
    "Na 140 ¦→ 138",
    "Plaquettes 4,5 ¦· 10 9 /l",
    "FC à ¦80. ECG normal",
    "Signes : 1. ¦Fièvre",
    "10 m² ¦Le",
]


@pytest.mark.parametrize("marked", SENTENCE_ENDS)
def test_sentence_ends(marked):
    assert level_at(marked) == Level.SENTENCE


@pytest.mark.parametrize("marked", NO_ENDS)
def test_what_ends_no_sentence(marked):
    assert level_at(marked) < Level.SENTENCE


@pytest.mark.parametrize(
    ("marked", "level"),
    [
        ("Un.\n\n¦Deux.", Level.PARAGRAPH),
        ("Un.\r\n\r\n¦Deux.", Level.PARAGRAPH),
        ("Un.\n \t\n   ¦Deux.", Level.PARAGRAPH),
        ("Un.\n¦Deux.", Level.LINE),
        ("Un.\r\n¦Deux.", Level.LINE),
        ("un mot\n¦Titre", Level.LINE),
        ("une ligne coupée\n¦au milieu", Level.SOFT_LINE),
        ("suivants : ¦· fièvre", Level.LINE),
        ("fièvre ; ¦• toux", Level.LINE),
        ("· ¦fièvre", Level.ANYWHERE),
        ("un; ¦deux", Level.CLAUSE),
        ("un, ¦deux", Level.CLAUSE),
        ("un ¦deux", Level.WORD),
        ("comprimé. 4.1. ¦Indications", Level.ANYWHERE),
        ("comprimé. ¦4.1. Indications", Level.SENTENCE),
        ("le 12/05/2020 ¦1. DENOMINATION", Level.SENTENCE),
        ("}, ¦{id: 'b'}", Level.LINE),
    ],
)
def test_levels(marked, level):
    assert level_at(marked) == level


def test_a_middle_dot_inside_words_is_no_bullet():
    assert level_at("les médecin·e·s ¦sont") == Level.WORD
    assert level_at("HCl ¦·2H2O") <= Level.WORD


@given(st.text(st.sampled_from("aB1 .?!;,:·•\n\r\t\u00a0»«()/{}")))
def test_the_fast_scan_finds_the_same_sentence_ends(text):
    slow = [(p, level) for p, level in iter_boundaries(text, 0, len(text)) if level >= 4]
    assert list(iter_boundaries(text, 0, len(text), sentences_only=True)) == slow


@given(st.text())
def test_places_follow_whitespace_and_go_forward(text):
    places = [p for p, _ in iter_boundaries(text, 0, len(text))]
    assert places == sorted(set(places))
    assert all(text[p - 1].isspace() for p in places)
    assert all(not text[p].isspace() for p in places if p < len(text))
