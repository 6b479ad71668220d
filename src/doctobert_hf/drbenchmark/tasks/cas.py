"""CAS: clinical cases with parts of speech and scopes of negation and speculation."""

from __future__ import annotations

from doctobert_hf.drbenchmark.spec import CorpusSpec
from doctobert_hf.drbenchmark.tasks._scope_tables import ScopeTables

CORPUS = CorpusSpec(
    name="cas",
    title="CAS",
    description=(
        "Sentences of published French clinical cases, tagged by TreeTagger, with the scopes of "
        "negation and speculation annotated by hand."
    ),
    homepage="https://clementdalloux.fr/?page_id=28",
    license="Data-use agreement",
    redistributable=False,
    gate=(
        "CAS needs a personal data-use agreement: ask its authors (Clément Dalloux, Natalia "
        "Grabar, Vincent Claveau; see https://clementdalloux.fr/?page_id=28)."
    ),
    citation="""@inproceedings{grabar-etal-2018-cas,
  title = {{CAS}: {F}rench Corpus with Clinical Cases},
  author = {Grabar, Natalia and Claveau, Vincent and Dalloux, Clément},
  year = {2018},
  booktitle = {Proceedings of the Ninth International Workshop on Health Text Mining and
               Information Analysis},
  pages = {122--128},
  doi = {10.18653/v1/W18-5614}
}""",
    layout="corpora/CAS_neg.txt and corpora/CAS_spec.txt (tab-separated)",
    aliases=("casessai",),
    place=6,
)
POS = (
    *("B-INT", "B-PRO:DEM", "B-VER:impf", "B-VER:ppre", "B-PRP:det", "B-KON", "B-VER:pper"),
    *("B-PRP", "B-PRO:IND", "B-VER:simp", "B-VER:con", "B-SENT", "B-VER:futu", "B-PRO:PER"),
    *("B-VER:infi", "B-ADJ", "B-NAM", "B-NUM", "B-PUN:cit", "B-PRO:REL", "B-VER:subi", "B-ABR"),
    *("B-NOM", "B-VER:pres", "B-DET:ART", "B-VER:cond", "B-VER:subp", "B-DET:POS", "B-ADV"),
    *("B-SYM", "B-PUN"),
)
TABLES = ScopeTables("CAS", {"I_xcope_inc_": "I_xcope_inc"})

TASKS = TABLES.tasks(
    CORPUS,
    pos=POS,
    pos_sizes=(2653, 379, 758),
    classes=("negation_speculation", "speculation", "neutral", "negation"),
    negation=("O", "B_scope_neg", "I_scope_neg"),
    speculation=("O", "B_xcope_inc", "I_xcope_inc"),
)
