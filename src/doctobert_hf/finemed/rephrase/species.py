"""Species of a genus, and answers to a question: another one is another fact."""

from __future__ import annotations

import re
from collections.abc import Iterator

_GENERA = """Acinetobacter Actinomyces Aedes Anopheles Ascaris Aspergillus Bacillus Bacteroides
    Bartonella Bordetella Borrelia Brucella Campylobacter Candida Chlamydia Citrobacter
    Clostridioides Clostridium Corynebacterium Coxiella Cryptococcus Cutibacterium Echinococcus
    Entamoeba Enterobacter Enterococcus Escherichia Francisella Fusarium Fusobacterium
    Haemophilus Helicobacter Histoplasma Klebsiella Legionella Leishmania Leptospira Listeria
    Malassezia Microsporum Moraxella Mycobacterium Mycoplasma Neisseria Nocardia Onchocerca
    Pasteurella Plasmodium Pneumocystis Proteus Pseudomonas Rickettsia Salmonella Schistosoma
    Serratia Shigella Staphylococcus Streptococcus Strongyloides Taenia Toxoplasma Treponema
    Trichomonas Trichophyton Trypanosoma Ureaplasma Vibrio Wuchereria Yersinia""".split()
_EPITHET = (
    r"(?:coli|difficile|tropicale|[a-z]{2,}(?:us|um|is|ae|ans|ens|ax|ii|iae|oides|ella|osa|ata|"
    r"ica|osus|inis|ilis|alis|ensis|oris))(?!\w)"
)
"""A Latin word: no French one ends so behind a genus, apart from those below."""
_FRENCH = frozenset("dans sans puis plus vers depuis mais jamais positivus".split())
_SPECIES = re.compile(rf"(?<!\w)({'|'.join(_GENERA)})\s+({_EPITHET})")
_SHORT = re.compile(rf"(?<!\w)(?<!Mme )(?<!Dr )(?<!M\. )(?<!Pr )([A-Z])\.\s+({_EPITHET})")
_ANSWER = re.compile(
    r"(?<!\w)(?i:r[ée]ponses?)(?:\s+(?:exactes?|justes?|correctes?|attendues?))?\s*(?::|est|sont)?\s*"
    r"(?:l[ae]s?\s+)?(?P<letters>[A-E](?:(?:\s*[,;/+&–-]\s*|\s+(?:et\s+)?|)[A-E](?![\w'’]))*)(?![\w'’])"
)


def species_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield species of a genus that the source tells of, and of which it has another one.

    Example:
        >>> list(species_reasons("À Plasmodium falciparum.", "À Plasmodium vivax."))
        ['species invented: vivax']
    """
    old, new = _species(source), _species(rewrite)
    for genus, epithets in old.items():
        for epithet in sorted(new.get(genus, set()) - epithets):
            if epithet not in source.lower():
                yield f"species invented: {epithet}"


def _species(text: str) -> dict[str, set[str]]:
    """By genus its species; "P. vivax" is of the genus that is named in full, where one is."""
    found: dict[str, set[str]] = {}
    for match in _SPECIES.finditer(text):
        found.setdefault(match[1], set()).add(match[2])
    named = {genus for genus in _GENERA if genus in text}
    for match in _SHORT.finditer(text):
        of = [genus for genus in named if genus.startswith(match[1])]
        if len(of) == 1:
            found.setdefault(of[0], set()).add(match[2])
    return {genus: epithets - _FRENCH for genus, epithets in found.items()}


def answer_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield a question's right answer that is another letter now.

    Example:
        >>> list(answer_reasons("Réponse : C.", "La bonne réponse est D."))
        ['answer changed: C, now D']
    """
    old, new = (
        [set(re.findall("[A-E]", match["letters"])) for match in _ANSWER.finditer(text)]
        for text in (source, rewrite)
    )
    if len(old) == len(new) == 1 and old != new:
        yield f"answer changed: {', '.join(sorted(old[0]))}, now {', '.join(sorted(new[0]))}"
