"""FrenchMedMCQA: exam questions of the French pharmacy diploma, with one or more right answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from doctobert_hf.drbenchmark.readers.records import read_records, text_field
from doctobert_hf.drbenchmark.source import RawFolder
from doctobert_hf.drbenchmark.spec import (
    CorpusSpec,
    Filter,
    Report,
    Row,
    Splits,
    TaskSpec,
    find_label,
)
from doctobert_hf.errors import DataError

CORPUS = CorpusSpec(
    name="frenchmedmcqa",
    title="FrenchMedMCQA",
    description="3,105 exam questions, each with five answers of which one to five are right.",
    homepage="https://github.com/qanastek/FrenchMedMCQA",
    license="Apache-2.0",
    redistributable=True,
    citation="""@inproceedings{labrak:hal-03824241,
  title = {{FrenchMedMCQA}: A French Multiple-Choice Question Answering Dataset for Medical
           domain},
  author = {Labrak, Yanis and Bazoge, Adrien and Dufour, Richard and Daille, Béatrice
            and Gourraud, Pierre-Antoine and Morin, Emmanuel and Rouvier, Mickael},
  booktitle = {Proceedings of the 13th International Workshop on Health Text Mining and
               Information Analysis (LOUHI)},
  year = {2022}
}""",
    layout="train.json, dev.json and test.json: lists of questions",
    urls={
        f"{part}.json": (
            f"https://raw.githubusercontent.com/qanastek/FrenchMedMCQA/main/corpus/{part}.json"
        )
        for part in ("train", "dev", "test")
    },
    place=8,
)
LETTERS = ("a", "b", "c", "d", "e")


def _read_questions(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
    return _read(folder, protocol, report, _question)


def _read_counts(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
    return _read(folder, protocol, report, _count)


def _read(folder: RawFolder, protocol: str, report: Report, make: Callable[[dict], Row]) -> Splits:
    splits = {}
    for split, name in (("train", "train.json"), ("validation", "dev.json"), ("test", "test.json")):
        records = _records(folder, name, report)
        if protocol == "strict" and split != "test":
            records = [record for record in records if record["correct_answers"]]
        splits[split] = [make(record) for record in records]
    return splits


def _records(folder: RawFolder, name: str, report: Report) -> list[dict]:
    records = []
    for place, record in read_records(folder, name):
        text_field(record, "id", place)
        text_field(record, "question", place)
        answers, right = record.get("answers"), record.get("correct_answers")
        if not isinstance(answers, dict) or any(letter not in answers for letter in LETTERS):
            raise DataError(f"{place}: answers {answers!r:.60}", "an object with a to e")
        if not isinstance(right, list) or not all(isinstance(letter, str) for letter in right):
            raise DataError(f"{place}: correct_answers {right!r:.60}", "a list of letters")
        letters = [find_label(letter, LETTERS) for letter in right]
        if None in letters or len(set(letters)) < len(letters):
            raise DataError(f"{place}: correct_answers {right}", "each of a to e at most once")
        if not letters:
            report.add("question without a right answer", place)
        for letter in LETTERS:
            if answers[letter] is None:
                report.add("answer without text", f"{place} {letter}")
            else:
                text_field(answers, letter, place)
        records.append(record | {"correct_answers": letters})
    return records


def _question(record: dict) -> Row:
    answers = {f"answer_{letter}": record["answers"][letter] for letter in LETTERS}
    return {
        "id": record["id"],
        "question": record["question"],
        **answers,
        "correct_answers": list(record["correct_answers"]),
    }


def _count(record: dict) -> Row:
    parts = [record["question"], *(record["answers"][letter] or "" for letter in LETTERS)]
    return {
        "id": record["id"],
        "document_id": record["id"],
        "text": "\n".join(parts),
        # No right answer is "0", which Datasets looks up as class number 0, named "1".
        "label": str(len(record["correct_answers"]) or 1),
    }


_COMMON: dict[str, Any] = dict(
    corpus=CORPUS,
    files=("train.json", "dev.json", "test.json"),
    sizes=(2171, 312, 622),
    marker="correct_answers",
    measured=True,
    strict=(
        "Official splits; out of train and validation are left questions that a later split also "
        "holds, and those without a right answer."
    ),
)
TASKS = (
    TaskSpec(
        name="frenchmedmcqa_mcqa",
        fingerprint="0f1665698a8cc845689293bf3c679d09cd55251d75a27ccaf97e56ca7e4c4b8d",
        kind="multiple-choice",
        read=_read_questions,
        labels=LETTERS,
        metric="hamming_score",
        doctobert_sizes=(2168, 312, 622),
        label_column="correct_answers",
        quirks=("A question without a right answer stays, with an empty list.",),
        filter=Filter(
            key=lambda row: (
                row["question"],
                frozenset(row[f"answer_{letter}"] for letter in LETTERS),
            )
        ),
        **_COMMON,
    ),
    TaskSpec(
        name="frenchmedmcqa_cls",
        fingerprint="80d131cd3f5e24ecc3def8b335c75cf4ebd008b3672dc8accf68b456b994b18b",
        kind="classification",
        read=_read_counts,
        labels=("1", "2", "3", "4", "5"),
        metric="weighted_f1",
        doctobert_sizes=(2168, 312, 622),
        filter=Filter(key=lambda row: _question_and_answers(row["text"])),
        quirks=(
            "The text is the question and its answers, one a line; the original recipes join them "
            "with the tokenizer's separator.",
            "A question without a right answer gets the class '1'.",
        ),
        **_COMMON,
    ),
)


def _question_and_answers(text: str) -> tuple[str, frozenset[str]]:
    """What makes two questions the same: the question and the set of its answers."""
    question, *answers = text.rsplit("\n", len(LETTERS))
    return question, frozenset(answers)
