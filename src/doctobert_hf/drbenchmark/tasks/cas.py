"""CAS: clinical cases with parts of speech and scopes of negation and speculation."""

from __future__ import annotations

from doctobert_hf.drbenchmark.scope_tables import QUIRKS, STRICT, ScopeTables
from doctobert_hf.drbenchmark.spec import CorpusSpec, Filter, TaskSpec

CORPUS = CorpusSpec(
    name="cas",
    title="CAS",
    description=(
        "Sentences of published French clinical cases, tagged by TreeTagger, with the scopes of "
        "negation and speculation annotated by hand."
    ),
    homepage="https://clementdalloux.fr/?page_id=28",
    licence="Data-use agreement",
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
)
POS = (
    *("B-INT", "B-PRO:DEM", "B-VER:impf", "B-VER:ppre", "B-PRP:det", "B-KON", "B-VER:pper"),
    *("B-PRP", "B-PRO:IND", "B-VER:simp", "B-VER:con", "B-SENT", "B-VER:futu", "B-PRO:PER"),
    *("B-VER:infi", "B-ADJ", "B-NAM", "B-NUM", "B-PUN:cit", "B-PRO:REL", "B-VER:subi", "B-ABR"),
    *("B-NOM", "B-VER:pres", "B-DET:ART", "B-VER:cond", "B-VER:subp", "B-DET:POS", "B-ADV"),
    *("B-SYM", "B-PUN"),
)
TABLES = ScopeTables("CAS", {"I_xcope_inc_": "I_xcope_inc"})
NEG, SPEC = "CAS_neg.txt", "CAS_spec.txt"

TASKS = (
    TaskSpec(
        name="cas_pos",
        corpus=CORPUS,
        kind="token-classification",
        labels=POS,
        metric="entity_f1",
        files=(NEG, SPEC),
        read=TABLES.read,
        sizes=(2653, 379, 758),
        label_column="pos_tags",
        filter=Filter(key=lambda row: tuple(row["tokens"])),
        quirks=QUIRKS["pos"],
        strict=STRICT["pos"],
    ),
    TaskSpec(
        name="cas_cls",
        corpus=CORPUS,
        kind="classification",
        labels=("negation_speculation", "speculation", "neutral", "negation"),
        metric="weighted_f1",
        files=(NEG, SPEC),
        read=TABLES.read,
        quirks=QUIRKS["cls"],
        strict=STRICT["cls"],
    ),
    TaskSpec(
        name="cas_ner_neg",
        corpus=CORPUS,
        kind="token-classification",
        labels=("O", "B_scope_neg", "I_scope_neg"),
        metric="entity_f1",
        files=(NEG,),
        read=TABLES.read,
        label_column="ner_tags",
        quirks=QUIRKS["ner"],
        strict=STRICT["ner"],
    ),
    TaskSpec(
        name="cas_ner_spec",
        corpus=CORPUS,
        kind="token-classification",
        labels=("O", "B_xcope_inc", "I_xcope_inc"),
        metric="entity_f1",
        files=(SPEC,),
        read=TABLES.read,
        label_column="ner_tags",
        quirks=QUIRKS["ner"],
        strict=STRICT["ner"],
    ),
)
