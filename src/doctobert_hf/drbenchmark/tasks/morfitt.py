"""MorFITT: abstracts of French scientific articles with one or more of twelve specialities."""

from __future__ import annotations

from doctobert_hf.drbenchmark.readers.table import read_table
from doctobert_hf.drbenchmark.source import RawFolder
from doctobert_hf.drbenchmark.spec import CorpusSpec, Filter, Report, Row, Splits, TaskSpec
from doctobert_hf.errors import DataError

CORPUS = CorpusSpec(
    name="morfitt",
    title="MorFITT",
    description=(
        "Abstracts of biomedical articles in French (some translated), with all specialities that "
        "apply."
    ),
    homepage="https://github.com/qanastek/MORFITT",
    license="CC-BY-SA-4.0",
    redistributable=True,
    citation="""@inproceedings{labrak:hal-04131591,
  title = {{MORFITT}: Un corpus multi-labels d'articles scientifiques français dans le domaine
           biomédical},
  author = {Labrak, Yanis and Rouvier, Mickael and Dufour, Richard},
  booktitle = {18e Conférence en Recherche d'Information et Applications (CORIA-TALN)},
  year = {2023}
}""",
    layout="train.tsv, dev.tsv and test.tsv with the columns identifier, abstract, specialities",
    urls={
        f"{part}.tsv": f"https://raw.githubusercontent.com/qanastek/MORFITT/main/{part}.tsv"
        for part in ("train", "dev", "test")
    },
    place=3,
)
LABELS = (
    *("microbiology", "etiology", "virology", "physiology", "immunology", "parasitology"),
    *("genetics", "chemistry", "veterinary", "surgery", "pharmacology", "psychology"),
)


def _read(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
    return {
        split: _rows(folder, name, report)
        for split, name in (
            ("train", "train.tsv"),
            ("validation", "dev.tsv"),
            ("test", "test.tsv"),
        )
    }


def _rows(folder: RawFolder, name: str, report: Report) -> list[Row]:
    rows = []
    columns = ("identifier", "abstract", "specialities")
    for where, record in read_table(folder, name, columns, report):
        labels = record["specialities"].split("|")
        unknown = [label for label in labels if label not in LABELS]
        if unknown:
            raise DataError(
                f"{where}: speciality '{unknown[0]}'",
                f"some of {', '.join(LABELS)}, separated by '|'",
            )
        identity = record["identifier"]
        rows.append(
            {
                "id": identity,
                "document_id": identity,
                "text": record["abstract"],
                "labels": labels,
            }
        )
    return rows


TASKS = (
    TaskSpec(
        name="morfitt",
        fingerprint="e1d35b1d0e6d908bc616ad628a8bd9153fe198aa17212d8cf5ab3e4630297521",
        corpus=CORPUS,
        kind="multilabel-classification",
        labels=LABELS,
        metric="multilabel_f1",
        files=("train.tsv", "dev.tsv", "test.tsv"),
        read=_read,
        sizes=(1514, 1022, 1088),
        doctobert_sizes=(1514, 1021, 1088),
        filter=Filter(key=lambda row: row["text"]),
        label_column="labels",
        marker="specialities",
        measured=True,
        doctobert=True,
        strict="Official splits; an abstract that test also holds is left out of validation.",
    ),
)
