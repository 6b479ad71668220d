"""CLISTER: similarity of sentence pairs from clinical cases."""

from __future__ import annotations

from doctobert_hf.drbenchmark.readers.records import read_json, text_field
from doctobert_hf.drbenchmark.readers.table import read_table
from doctobert_hf.drbenchmark.source import RawFolder
from doctobert_hf.drbenchmark.spec import (
    CorpusSpec,
    Filter,
    Report,
    Row,
    Splits,
    TaskSpec,
    read_score,
)
from doctobert_hf.drbenchmark.splits import random_splits
from doctobert_hf.errors import DataError

CORPUS = CorpusSpec(
    name="clister",
    title="CLISTER",
    description="1,000 pairs of sentences of clinical cases, similarity 0 to 5 by annotators.",
    homepage="https://gitlab.inria.fr/codeine/clister",
    license="Data-use agreement",
    redistributable=False,
    gate=(
        "CLISTER needs the data-use agreement of the CAS clinical cases: see "
        "https://gitlab.inria.fr/codeine/clister and ask its authors."
    ),
    citation="""@inproceedings{hiebel:cea-03740484,
  title = {{CLISTER}: A corpus for semantic textual similarity in French clinical narratives},
  author = {Hiebel, Nicolas and Ferret, Olivier and Fort, Karën and Névéol, Aurélie},
  booktitle = {LREC 2022 - 13th Language Resources and Evaluation Conference},
  year = {2022},
  pages = {4306--4315}
}""",
    layout=(
        "train.csv and test.csv (tab-separated: id_1, id_2, sim), id_to_sentence_train.json and "
        "id_to_sentence_test.json"
    ),
    place=10,
)


def _read(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
    train, validation = random_splits(_pairs(folder, "train", report), 0.8333)
    return {"train": train, "validation": validation, "test": _pairs(folder, "test", report)}


def _pairs(folder: RawFolder, part: str, report: Report) -> list[Row]:
    name = f"id_to_sentence_{part}.json"
    sentences = read_json(folder, name)
    if not isinstance(sentences, dict):
        raise DataError(f"{folder.where(name)}: a {type(sentences).__name__}", "an object")
    table = f"{part}.csv"
    rows: list[Row] = []
    columns = ("id_1", "id_2", "sim")
    for number, (where, record) in enumerate(read_table(folder, table, columns, report)):
        score = read_score(record["sim"], f"{where}: sim")
        rows.append(
            {
                "id": str(number),
                "text_1": _sentence(sentences, record["id_1"], where, folder.where(name)),
                "text_2": _sentence(sentences, record["id_2"], where, folder.where(name)),
                "score": score,
            }
        )
    return rows


def _sentence(sentences: dict[str, str], identity: str, where: str, map_name: str) -> str:
    """Look a sentence up by the first two parts of its id: of ``a_3_12``, ``a_3``."""
    key = "_".join(identity.split("_")[:2])
    if key not in sentences:
        raise DataError(f"{where} names the sentence '{key}'", f"a key of {map_name}")
    return text_field(sentences, key, map_name)


TASKS = (
    TaskSpec(
        name="clister",
        corpus=CORPUS,
        kind="similarity",
        labels=(),
        metric="edrm",
        files=("train.csv", "test.csv", "id_to_sentence_train.json", "id_to_sentence_test.json"),
        read=_read,
        sizes=(499, 101, 400),
        label_column="score",
        filter=Filter(key=lambda row: frozenset((row["text_1"], row["text_2"]))),
        strict="Official test; the rest 83 / 17 at random; repeated pairs yield to test.",
    ),
)
