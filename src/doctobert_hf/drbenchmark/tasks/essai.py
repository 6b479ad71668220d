"""ESSAI: clinical trial protocols with parts of speech and scopes of negation and speculation."""

from __future__ import annotations

from doctobert_hf.drbenchmark.spec import CorpusSpec
from doctobert_hf.drbenchmark.tasks._scope_tables import ScopeTables

CORPUS = CorpusSpec(
    name="essai",
    title="ESSAI",
    description=(
        "Sentences of French clinical trial protocols, mostly of the National Cancer Institute, "
        "tagged by TreeTagger, with cues and scopes of negation and speculation."
    ),
    homepage="https://clementdalloux.fr/?page_id=28",
    license="Data-use agreement",
    redistributable=False,
    gate=(
        "ESSAI needs a personal data-use agreement: ask its authors (Clément Dalloux, Natalia "
        "Grabar, Vincent Claveau; see https://clementdalloux.fr/?page_id=28)."
    ),
    citation="""@misc{dalloux,
  title = {Datasets -- Clément Dalloux},
  author = {Dalloux, Clément},
  url = {https://clementdalloux.fr/?page_id=28}
}""",
    layout="corpora/ESSAI_neg.txt and corpora/ESSAI_spec.txt (tab-separated)",
    aliases=("casessai",),
    place=7,
)
POS = (
    *("B-INT", "B-PRO:POS", "B-PRP", "B-SENT", "B-PRO", "B-ABR", "B-VER:pres", "B-KON", "B-SYM"),
    *("B-DET:POS", "B-VER:", "B-PRO:IND", "B-NAM", "B-ADV", "B-PRO:DEM", "B-NN", "B-PRO:PER"),
    *("B-VER:pper", "B-VER:ppre", "B-PUN", "B-VER:simp", "B-PREF", "B-NUM", "B-VER:futu"),
    *("B-NOM", "B-VER:impf", "B-VER:subp", "B-VER:infi", "B-DET:ART", "B-PUN:cit", "B-ADJ"),
    *("B-PRP:det", "B-PRO:REL", "B-VER:cond", "B-VER:subi"),
)
TABLES = ScopeTables("ESSAI", {"v": "I_scope_spec", "z": "O", "I_scope_spec_": "I_scope_spec"})

TASKS = TABLES.tasks(
    CORPUS,
    pos=POS,
    pos_sizes=(5072, 725, 1450),
    classes=("negation_speculation", "negation", "neutral", "speculation"),
    negation=("O", "B_cue_neg", "B_scope_neg", "I_scope_neg"),
    speculation=("O", "B_cue_spec", "B_scope_spec", "I_scope_spec"),
)
