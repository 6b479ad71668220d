"""PxCorpus: spoken drug prescriptions with slots and intents."""

from __future__ import annotations

from typing import Any

from doctobert_hf.drbenchmark.readers.conll import Line, table_blocks
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
from doctobert_hf.drbenchmark.splits import three_way
from doctobert_hf.errors import DataError

CORPUS = CorpusSpec(
    name="pxcorpus",
    title="PxCorpus (PxSLU)",
    description=(
        "1,981 spoken drug prescriptions by 55 participants, transcribed and annotated with slots "
        "and intents."
    ),
    homepage="https://zenodo.org/records/6524162",
    license="CC-BY-4.0",
    redistributable=True,
    citation="""@inproceedings{Kocabiyikoglu2022,
  author = {Kocabiyikoglu, Alican and Portet, François and Gibert, Prudence and Blanchon, Hervé
            and Babouchkine, Jean-Marc and Gavazzi, Gaëtan},
  title = {A Spoken Drug Prescription Dataset in French for Spoken Language Understanding},
  booktitle = {13th Language Resources and Evaluation Conference (LREC 2022)},
  year = {2022}
}""",
    layout="seq.in, seq.label and PxSLU_conll.txt",
    urls={"pxslu.zip": "https://zenodo.org/record/6524162/files/pxslu.zip?download=1"},
    aliases=("pxslu", "pxcorpus"),
    place=13,
)
INTENTS = ("medical_prescription", "negate", "none", "replace")
_B = (
    *("A", "cma_event", "d_dos_form", "d_dos_form_ext", "d_dos_up", "d_dos_val", "dos_cond"),
    *("dos_uf", "dos_val", "drug", "dur_ut", "dur_val", "fasting", "freq_days", "freq_int_v1"),
    *("freq_int_v1_ut", "freq_int_v2", "freq_int_v2_ut", "freq_startday", "freq_ut", "freq_val"),
    *("inn", "max_unit_uf", "max_unit_ut", "max_unit_val", "min_gap_ut", "min_gap_val"),
    *("qsp_ut", "qsp_val", "re_ut", "re_val", "rhythm_hour", "rhythm_perday", "rhythm_rec_ut"),
    *("rhythm_rec_val", "rhythm_tdte", "roa"),
)
_I = (
    *("cma_event", "d_dos_form", "d_dos_form_ext", "d_dos_up", "d_dos_val", "dos_cond", "dos_uf"),
    *("dos_val", "drug", "fasting", "freq_startday", "inn", "rhythm_tdte", "roa"),
)
SLOTS = ("O", *(f"B-{name}" for name in _B), *(f"I-{name}" for name in _I))
SENTENCES, LABELS, WORDS = "seq.in", "seq.label", "PxSLU_conll.txt"


def _read(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
    rows: list[Row] = []
    sentences = folder.read_text(SENTENCES).split("\n")
    labels = folder.read_text(LABELS).split("\n")
    for index, block in enumerate(table_blocks(folder, WORDS)):
        if index >= len(sentences) or index >= len(labels):
            short, lines = (SENTENCES, sentences) if index >= len(sentences) else (LABELS, labels)
            raise DataError(
                f"{block[0].where}: block {index + 1}, but {folder.where(short)} has "
                f"{len(lines)} lines",
                "a sentence and a label for every block",
            )
        tokens, tags = _words(block)
        if not sentences[index] or not labels[index]:
            report.add("utterance without sentence or label left out", block[0].where)
            continue
        row: Row = {"id": str(len(rows)), "document_id": str(len(rows))}
        if task.label_column == "ner_tags":
            row |= {"tokens": tokens, "ner_tags": tags}
        else:
            label = _looked_up(labels[index], INTENTS, folder.where(LABELS, index + 1))
            text = " ".join(tokens) if protocol == "doctobert" else sentences[index]
            row |= {"text": text, "label": label}
        rows.append(row)
    blocks = index + 1
    spare = sum(1 for sentence in sentences[blocks:] if sentence)
    if spare:
        report.add("sentence behind the last block of words, not read", SENTENCES, spare)
    return three_way(rows)


def _words(block: list[Line]) -> tuple[list[str], list[str]]:
    tokens, tags = [], []
    for line in block:
        if line.columns == [""]:
            continue
        if len(line.columns) != 2:
            raise DataError(f"{line.where}: {len(line.columns)} columns", "a word, a tab and a tag")
        tokens.append(line.columns[0])
        tags.append(_looked_up(line.columns[1], SLOTS, line.where))
    return tokens, tags


def _looked_up(label: str, labels: tuple[str, ...], where: str) -> str:
    found = find_label(label, labels)
    if found is None:
        raise DataError(f"{where}: label '{label}'", f"one of {', '.join(labels)}")
    return found


_COMMON: dict[str, Any] = dict(
    corpus=CORPUS,
    files=(SENTENCES, LABELS, WORDS),
    read=_read,
    sizes=(1386, 198, 397),
    strict="70 / 10 / 20 at random; repeated utterances yield to test.",
)
TASKS = (
    TaskSpec(
        name="pxcorpus_ner",
        kind="token-classification",
        labels=SLOTS,
        metric="entity_f1",
        label_column="ner_tags",
        filter=Filter(key=lambda row: tuple(row["tokens"]), drop_label_free=True),
        quirks=("Words and sentences are paired by number and may disagree; tags are as given.",),
        **_COMMON,
    ),
    TaskSpec(
        name="pxcorpus_cls",
        kind="classification",
        labels=INTENTS,
        metric="weighted_f1",
        filter=Filter(key=lambda row: row["text"]),
        quirks=(
            "The text is the line of seq.in; protocol='doctobert' joins the words instead, as the "
            "published recipe does.",
        ),
        **_COMMON,
    ),
)
