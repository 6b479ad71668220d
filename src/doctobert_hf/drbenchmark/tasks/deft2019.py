"""DEFT 2019: age, gender, outcome and reason of consultation in clinical cases."""

from __future__ import annotations

from doctobert_hf.drbenchmark.source import RawFolder
from doctobert_hf.drbenchmark.spec import CorpusSpec, Report, Splits, TaskSpec, bio
from doctobert_hf.drbenchmark.tasks._deft_cases import (
    CASES,
    GATE,
    LAYOUT,
    QUIRKS,
    STRICT,
    TABLE,
    entity_rows,
    partition,
    splits_by_name,
)

CORPUS = CorpusSpec(
    name="deft2019",
    title="DEFT 2019",
    description=(
        "717 published clinical cases with the patient's age and gender, the reason of "
        "consultation and the outcome."
    ),
    homepage="https://deft.lisn.upsaclay.fr/2019/",
    license="Data-use agreement",
    redistributable=False,
    gate=GATE,
    citation="""@inproceedings{grabar2019deft,
  title = {Recherche et extraction d'information dans des cas cliniques. Présentation de la
           campagne d'évaluation {DEFT} 2019},
  author = {Grabar, Natalia and Grouin, Cyril and Hamon, Thierry and Claveau, Vincent},
  booktitle = {Actes de TALN-RECITAL-PFIA, atelier DEFT},
  year = {2019}
}""",
    layout=LAYOUT,
    aliases=("deft",),
    place=11,
)
TYPES = ("age", "genre", "issue", "origine")


def _read(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
    strict = protocol == "strict"
    names = partition(folder, 2019, 0.7096, strict, report)
    return splits_by_name(entity_rows(folder, TYPES, strict, report), names)


TASKS = (
    TaskSpec(
        name="deft2019",
        corpus=CORPUS,
        kind="token-classification",
        labels=bio(*TYPES),
        metric="entity_f1",
        files=(TABLE, f"{CASES}/*.txt"),
        read=_read,
        sizes=(3543, 1340, 7202),
        label_column="ner_tags",
        quirks=QUIRKS,
        strict=STRICT,
    ),
)
