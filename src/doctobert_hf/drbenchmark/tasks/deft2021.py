"""DEFT 2021: fine-grained entities, and chapters of pathologies, in clinical cases."""

from __future__ import annotations

from doctobert_hf.drbenchmark.source import RawFolder, text_lines
from doctobert_hf.drbenchmark.spec import (
    SPLITS,
    CorpusSpec,
    Filter,
    Report,
    Row,
    Splits,
    TaskSpec,
    bio,
)
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
from doctobert_hf.errors import DataError

CORPUS = CorpusSpec(
    name="deft2021",
    title="DEFT 2021",
    description=(
        "275 published clinical cases with thirteen types of clinical information, and the "
        "chapters of pathologies that describe the patient."
    ),
    homepage="https://deft.lisn.upsaclay.fr/2021/",
    license="Data-use agreement",
    redistributable=False,
    gate=GATE,
    citation="""@inproceedings{grouin-etal-2021-classification,
  title = {Classification de cas cliniques et évaluation automatique de réponses d'étudiants :
           présentation de la campagne {DEFT} 2021},
  author = {Grouin, Cyril and Grabar, Natalia and Illouz, Gabriel},
  booktitle = {Actes de la 28e Conférence sur le Traitement Automatique des Langues Naturelles.
               Atelier DÉfi Fouille de Textes},
  year = {2021},
  pages = {1--13},
  url = {https://aclanthology.org/2021.jeptalnrecital-deft.1}
}""",
    layout=(
        f"{LAYOUT}; for classes also evaluations/ref-train-deft2021.txt and "
        "evaluations/ref-test-deft2021.txt"
    ),
    aliases=("deft",),
    place=4,
)
TYPES = (
    *("anatomie", "date", "dose", "duree", "examen", "frequence", "mode", "moment"),
    *("pathologie", "sosy", "substance", "traitement", "valeur"),
)
CHAPTERS = (
    *("immunitaire", "endocriniennes", "blessures", "chimiques", "etatsosy", "nutritionnelles"),
    *("infections", "virales", "parasitaires", "tumeur", "osteomusculaires", "stomatognathique"),
    *("digestif", "respiratoire", "ORL", "nerveux", "oeil", "homme", "femme"),
    *("cardiovasculaires", "hemopathies", "genetique", "peau"),
)
REFERENCE = "evaluations/ref-{}-deft2021.txt"


def _read_entities(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
    strict = protocol == "strict"
    names = partition(folder, 2021, 0.73, strict, report)
    return splits_by_name(entity_rows(folder, TYPES, strict, report), names)


def _read_chapters(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
    names = partition(folder, 2021, 0.7096, protocol == "strict", report)
    wanted = {"train": {*names["train"], *names["validation"]}, "test": set(names["test"])}
    parts = {part: _cases(folder, part, wanted[part], protocol, report) for part in wanted}
    return {
        split: splits_by_name(parts["test" if split == "test" else "train"], names)[split]
        for split in SPLITS
    }


def _cases(
    folder: RawFolder, part: str, wanted: set[str], protocol: str, report: Report
) -> list[Row]:
    """Cases of a reference file, numbered in the order of the folder."""
    chapters = _reference(folder, REFERENCE.format(part), report)
    rows: list[Row] = []
    used: set[str] = set()
    for name in folder.names(f"{CASES}/*.txt"):
        document = name.removeprefix(f"{CASES}/").removesuffix(".txt")
        # The original looks a document up by its name before the first full stop.
        labels = chapters.get(document.split(".")[0] + ".ann")
        if labels is None:
            if f"{document}.txt" in wanted:
                report.add(f"document without a line in ref-{part}", folder.where(name))
            continue
        used.add(document.split(".")[0] + ".ann")
        if protocol == "strict" and len(set(labels)) < len(labels):
            report.add("chapter named several times, kept once (protocol strict)", document)
            labels = list(dict.fromkeys(labels))
        rows.append(
            {
                "id": str(len(rows)),
                "document_id": document,
                "text": folder.read_text(name),
                "labels": list(labels),
            }
        )
    for name in sorted(set(chapters) - used):
        report.add(f"document of ref-{part} without a file", name)
    return rows


def _reference(folder: RawFolder, name: str, report: Report) -> dict[str, list[str]]:
    chapters: dict[str, list[str]] = {}
    for number, line in enumerate(text_lines(folder.read_text(name)), 1):
        fields = line.strip().split("\t")
        if len(fields) != 3:
            if line.strip():  # a class without a mention, as the original passes over
                report.add("line of the reference without 3 fields", folder.where(name, number))
            continue
        if fields[1] not in CHAPTERS:
            raise DataError(
                f"{folder.where(name, number)}: chapter '{fields[1]}'",
                f"one of {', '.join(CHAPTERS)}",
            )
        chapters.setdefault(fields[0], []).append(fields[1])
    return chapters


TASKS = (
    TaskSpec(
        name="deft2021_ner",
        corpus=CORPUS,
        kind="token-classification",
        labels=bio(*TYPES),
        metric="entity_f1",
        files=(TABLE, f"{CASES}/*.txt"),
        read=_read_entities,
        sizes=(2153, 793, 1766),
        label_column="ner_tags",
        filter=Filter(key=lambda row: tuple(row["tokens"]), drop_label_free=True),
        quirks=QUIRKS,
        strict=STRICT,
        doctobert=True,
    ),
    TaskSpec(
        name="deft2021_cls",
        corpus=CORPUS,
        kind="multilabel-classification",
        labels=CHAPTERS,
        metric="multilabel_f1",
        files=(TABLE, f"{CASES}/*.txt", REFERENCE.format("train"), REFERENCE.format("test")),
        read=_read_chapters,
        sizes=(118, 49, 108),
        label_column="labels",
        threshold=0.70,
        filter=Filter(key=lambda row: row["text"]),
        quirks=(
            "Labels are the chapters of all mentions in file order, with repetitions.",
            "Documents without a line in the reference file are not in the task.",
        ),
        strict="Official test documents, each training document once, each chapter once.",
    ),
)
