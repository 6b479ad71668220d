"""Chunks end neither on a heading nor between a name and its value."""

import pytest

from doctobert_hf.chunking import HierarchicalChunker
from doctobert_hf.chunking.headings import binds_forward


@pytest.mark.parametrize(
    ("before", "after", "bound"),
    [
        ("Texte.\n\n## Posologie\n", "Un comprimé.", True),
        ("Texte.\n4.2. Posologie et mode d'administration\n", "Un comprimé.", True),
        ("Texte.\nIV. Discussion\n", "Le patient.", True),
        ("Texte.\nCONTRE-INDICATIONS ABSOLUES\n", "Aucune.", True),
        ("Texte. 2. QUELLES SONT LES INFORMATIONS A CONNAITRE ? ", "Ne prenez pas.", True),
        ("Texte.\nAntécédents :\n", "asthme", True),
        ("Effets suivants : ", "· fièvre", True),
        ("Texte.\nKaliémie\n", "3,9 mmol/l", True),
        ("Texte.\nHémoglobine\n", "< 12 g/dl", True),
        ("Texte. 3. COMMENT PRENDRE ATENOLOL 50 mg, comprimé pelliculé ? ", "Respectez.", True),
        ("Texte. 4. Quels sont les effets indésirables éventuels ? ", "Comme tous.", True),
        ("Texte. Quand devez-vous contacter votre médecin ? ", "Dès la fièvre.", True),
        ("— Avez-vous mal ? ", "— Oui.", False),
        ("Il demande s'il a mal ? ", "Il attend.", False),
        ("INFORMATIONS. Ce que contient ATENOLOL, gélule ", "· La substance active", True),
        ("Texte. · rare : touche 1 patient sur 1 000 ", "· très rare : fièvre", False),
        ("Texte.\n\nPrise en charge\n\n", "Le patient est traité par amoxicilline 1 g.", True),
        ("Texte.\n\nRAID-6\n", "Le RAID-6 peut être considéré comme une suite.", True),
        ("Texte.\n\nAmoxicilline 1 g\n", "Paracétamol 1 g", False),
        ("x = 1;\n\nif (a > b) {\n", "Return the value of the longest of all rows.", False),
        ("Texte.\nIV\n", "Le lendemain, il pleuvait.", True),
        ("Texte.\n- asthme\n", "2. Traitement", False),
        ("Texte.\n- asthme\n", "- diabète", False),
        ("Prenez la CIPROFLOXACINE BIOGARAN. ", "Deux fois.", False),
        ("Le patient va bien. ", "Il sort.", False),
        ("Une phrase entière, avec des mots.\n", "3,9 mmol/l", False),
        ("Reçu de l'OMS\n", "Le texte.", False),
        # above a list, above a table, below the end of a sentence or of a list
        ("Texte.\nAntécédents\n", "- HTA", True),
        ("Texte.\nATCD\n", "- HTA", True),
        ("Texte.\nA. Antécédents\n", "- HTA", True),
        ("Texte.\nMatériel\n", "1. Ouvrir le sachet", True),
        ("- douleur très\n  forte du bras\n", "- fièvre", False),
        ("Texte.\nHTA\n", "2. Traitement", False),
        ("Texte.\nBiologie\n", "Kaliémie\n3,9 mmol/l", True),
        ("Texte.\nMode de vie\n", "Il vit seul avec sa femme dans une grande maison.", True),
        ("- tabac\nConclusion\n", "Le patient rentre chez lui avec une ordonnance.", True),
        # a name and its value
        ("Bilan.\nVitamine B12\n", "350 pmol/l", True),
        ("Bilan.\nPlaquettes (G/l)\n", "250", True),
        ("Bilan.\nTP (%)\n", "85 %", True),
        ("Bilan.\nGroupe sanguin\n", "A positif", True),
        ("Bilan.\nVIH\n", "négatif\nVHC", True),
        ("Bilan.\nKaliémie\n", "= 3,9", True),
        ("Bilan.\nVIH\nNégatif\n", "VHC\nNégatif", False),
    ],
)
def test_what_belongs_to_what_follows(before, after, bound):
    assert binds_forward(before + after, len(before)) is bound


def test_a_note_in_capitals_has_no_headings_by_capitals():
    text = "LE PATIENT VA BIEN ET SORT\nIL REVIENT DANS UN MOIS\n" * 3
    assert not binds_forward(text, text.index("IL REVIENT"))


def test_chunks_keep_headings_with_their_text(tokenizer):
    sections = [f"## Titre numéro {n}\n" + "Le patient va bien. " * (3 + n % 5) for n in range(60)]
    text = "\n\n".join(sections)
    chunker = HierarchicalChunker(tokenizer, max_length=64)
    chunks = chunker.split(text)
    assert "".join(chunks) == text and len(chunks) > 20
    assert not any(chunk.rstrip().split("\n")[-1].startswith("## ") for chunk in chunks[:-1])


def test_nothing_but_headings_is_still_cut_at_lines(tokenizer):
    text = "".join(f"## Titre numéro {n}\n" for n in range(200))
    chunks = HierarchicalChunker(tokenizer, max_length=64).split(text)
    assert "".join(chunks) == text
    assert all(chunk.endswith("\n") for chunk in chunks)


@pytest.mark.parametrize(
    "heading",
    [
        *("**Conclusion**", "__Conclusion__", "<h2>Examen</h2>", "<b>Examen</b>", "CONCLUSION"),
        *("Examen clinique\n---------------", "Examen clinique\n======"),
    ],
)
def test_headings_of_one_word_bold_underlined_and_of_html_bind(heading):
    before, behind = "Le patient est sorti le matin.", "Une surveillance est prévue à un mois."
    text = f"{before}\n{heading}\n{behind} Fin."
    start = len(before) + 1
    assert binds_forward(text, start + len(heading) + 1)
    assert not binds_forward(text, start)
    if "\n" in heading:  # nor between a heading and its underline
        assert binds_forward(text, start + heading.index("\n") + 1)


@pytest.mark.parametrize("line", ["Il prend **du fer**", "-----", "Douleur au repos.\n====="])
def test_lines_that_look_like_such_headings_and_are_none(line):
    text = f"Le patient est sorti.\n{line}\n500 mg le matin."
    assert not binds_forward(text, text.index("500"))
