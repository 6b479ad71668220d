"""DEFT 2020: similarity of sentence pairs, and the parallel one of three candidates."""

from __future__ import annotations

from doctobert_hf.drbenchmark.readers.xml import Element, documents, parse_xml, plain_text, required
from doctobert_hf.drbenchmark.source import RawFolder
from doctobert_hf.drbenchmark.spec import (
    CorpusSpec,
    Filter,
    Report,
    Row,
    Splits,
    TaskSpec,
    find_label,
    read_score,
)
from doctobert_hf.drbenchmark.splits import random_splits
from doctobert_hf.errors import DataError

CORPUS = CorpusSpec(
    name="deft2020",
    title="DEFT 2020",
    description=(
        "Sentences of encyclopaedia articles, drug leaflets and Cochrane summaries (CLEAR), "
        "technical and simplified."
    ),
    homepage="https://deft.lisn.upsaclay.fr/2020/",
    license="Data-use agreement",
    redistributable=False,
    gate=(
        "DEFT 2020 needs a signed data-use agreement: see https://deft.lisn.upsaclay.fr/2020/ and "
        "ask Natalia Grabar (natalia.grabar@univ-lille.fr) and Cyril Grouin (LISN, Orsay)."
    ),
    citation="""@inproceedings{cardon-etal-2020-presentation,
  title = {Présentation de la campagne d'évaluation {DEFT} 2020 : similarité textuelle en domaine
           ouvert et extraction d'information précise dans des cas cliniques},
  author = {Cardon, Rémi and Grabar, Natalia and Grouin, Cyril and Hamon, Thierry},
  booktitle = {Actes de la 6e conférence conjointe JEP, TALN, RÉCITAL. Atelier DÉfi Fouille de
               Textes},
  year = {2020},
  pages = {1--13},
  url = {https://aclanthology.org/2020.jeptalnrecital-deft.1}
}""",
    layout="t1-train.xml and t1-test.xml (similarity), t2-train.xml and t2-test.xml (candidates)",
    aliases=("deft",),
    place=12,
)
CLASSES = ("1", "2", "3")


def _read_pairs(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
    train, validation = random_splits(_pairs(folder, "t1-train.xml", report), 0.8316)
    test = _pairs(folder, "t1-test.xml", report)
    return {"train": train, "validation": validation, "test": test}


def _read_choices(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
    train, validation = random_splits(_choices(folder, "t2-train.xml", report), 0.8059)
    test = _choices(folder, "t2-test.xml", report)
    return {"train": train, "validation": validation, "test": test}


def _pairs(folder: RawFolder, name: str, report: Report) -> list[Row]:
    where = folder.where(name)
    rows: list[Row] = []
    for pair in documents(parse_xml(folder.read_text(name), where), "paire", where):
        identity = required(pair, "id", where)
        place = f"{where} paire {identity}"
        try:
            negative = int(identity) <= -1
        except ValueError:
            raise DataError(f"{place}: id '{identity}'", "a whole number") from None
        if negative:
            report.add("pair with a negative id left out", place)
            continue
        mean = required(pair, "moy", place)
        score = read_score(mean, f"{place}: moy")
        rows.append(
            {
                "id": identity,
                "text_1": _only(pair, "source", place),
                "text_2": _only(pair, "cible", place),
                "score": score,
            }
        )
    _report_repeated(rows, where, report)
    return rows


def _choices(folder: RawFolder, name: str, report: Report) -> list[Row]:
    where = folder.where(name)
    rows: list[Row] = []
    for group in documents(parse_xml(folder.read_text(name), where), "ensemble", where):
        identity = required(group, "id", where)
        place = f"{where} ensemble {identity}"
        row: Row = {"id": identity, "source": _only(group, "source", place)}
        row |= {f"candidate_{number}": None for number in CLASSES}
        for candidate in group.all("cible"):
            number = required(candidate, "num", place)
            text = plain_text(candidate, place).strip()
            if number not in CLASSES or not text:
                problem = f"num '{number}'" if text else f"an empty candidate {number}"
                raise DataError(f"{place}: {problem}", "candidates 1, 2 and 3 with text")
            row[f"candidate_{number}"] = text
        row["label"] = _right(required(group, "cible", place), place)
        rows.append(row)
    _report_repeated(rows, where, report)
    return rows


def _right(text: str, place: str) -> str:
    found = find_label(text, CLASSES)
    if found is None:
        raise DataError(f"{place}: right candidate '{text}'", "1, 2 or 3")
    return found


def _only(parent: Element, name: str, place: str) -> str | None:
    """Text of a child, blanks around it removed; None if it has none."""
    found = parent.all(name)
    if len(found) != 1:
        raise DataError(f"{place}: {len(found)} elements <{name}>", "one")
    return plain_text(found[0], place).strip() or None


def _report_repeated(rows: list[Row], where: str, report: Report) -> None:
    seen: set[str] = set()
    for row in rows:
        if row["id"] in seen:
            report.add("id given twice; rows are kept by position", f"{where} id {row['id']}")
        seen.add(row["id"])


TASKS = (
    TaskSpec(
        name="deft2020_sts",
        corpus=CORPUS,
        kind="similarity",
        labels=(),
        metric="edrm",
        files=("t1-train.xml", "t1-test.xml"),
        read=_read_pairs,
        sizes=(498, 102, 410),
        label_column="score",
        filter=Filter(
            key=lambda row: frozenset(
                (
                    f"{row['text_1']}{row['text_2']}",
                    f"{row['text_2']}{row['text_1']}",
                )
            )
        ),
        strict="Official test; the rest 83 / 17 at random; repeated pairs yield to test.",
    ),
    TaskSpec(
        name="deft2020_cls",
        corpus=CORPUS,
        kind="parallel-sentence",
        labels=CLASSES,
        metric="weighted_f1",
        files=("t2-train.xml", "t2-test.xml"),
        read=_read_choices,
        sizes=(460, 112, 530),
        filter=Filter(
            key=lambda row: (row["source"], *(row[f"candidate_{number}"] for number in CLASSES))
        ),
        quirks=(
            "A candidate takes its place by its number; a missing one is null.",
            "The right candidate '0' is read as the first class.",
        ),
        strict="Official test; the rest 81 / 19 at random; repeated questions yield to test.",
    ),
)
