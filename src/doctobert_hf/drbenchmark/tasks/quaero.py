"""QUAERO French Medical Corpus: ten UMLS groups in EMA leaflets and MEDLINE titles.

Facts about the conversion: ``data_loaders_hf/QUAERO.py`` of DrBenchmark, over the BRAT files that
``bigbio/quaero`` reads.
"""

from __future__ import annotations

import bisect
import re
from typing import Any

from doctobert_hf.drbenchmark.families.nested import layer_labels
from doctobert_hf.drbenchmark.iob import (
    fragment_spans,
    iob2,
    layered_tags,
    sentences,
    strict_tags,
    without_nested,
    word_offsets,
    write_first_come,
)
from doctobert_hf.drbenchmark.readers.brat import BratDocument, read_brat
from doctobert_hf.drbenchmark.source import RawFolder
from doctobert_hf.drbenchmark.spec import (
    CorpusSpec,
    Filter,
    Report,
    Row,
    Splits,
    TaskSpec,
    bio,
)

CORPUS = CorpusSpec(
    name="quaero",
    title="QUAERO French Medical Corpus",
    description=(
        "Leaflets of the European Medicines Agency (EMEA) and titles of MEDLINE articles, with "
        "mentions of ten UMLS semantic groups, nested and discontinuous ones included."
    ),
    homepage="https://quaerofrenchmed.limsi.fr/",
    license="GFDL-1.3",
    redistributable=True,
    citation="""@inproceedings{neveol14quaero,
  author = {Névéol, Aurélie and Grouin, Cyril and Leixa, Jeremy and Rosset, Sophie
            and Zweigenbaum, Pierre},
  title = {The {QUAERO} {French} Medical Corpus: A Ressource for Medical Entity Recognition
           and Normalization},
  booktitle = {Proceedings of the Fourth Workshop on Building and Evaluating Ressources for
               Health and Biomedical Text Processing (BioTxtM)},
  year = {2014},
  pages = {24--30}
}""",
    layout=(
        "QUAERO_FrenchMed_brat.zip, or its folder corpus/ with train, dev and test, each with "
        "EMEA and MEDLINE: *.txt and *.ann in BRAT format"
    ),
    urls={
        "QUAERO_FrenchMed_brat.zip": ("https://quaerofrenchmed.limsi.fr/QUAERO_FrenchMed_brat.zip")
    },
    place=1,
)
LABELS = bio("LIVB", "PROC", "ANAT", "DEVI", "CHEM", "GEOG", "PHYS", "PHEN", "DISO", "OBJC")
TYPES = tuple(label[2:] for label in LABELS[1::2])


def _read(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
    part = task.name.removeprefix("quaero_").upper()
    strict = protocol == "strict"
    return {
        split: [
            row
            for document in read_brat(folder, f"{name}/{part}", report, repair=strict)
            for row in _rows(document, part, strict, report)
        ]
        for split, name in (("train", "train"), ("validation", "dev"), ("test", "test"))
    }


def _rows(document: BratDocument, part: str, strict: bool, report: Report) -> list[Row]:
    words = document.text.split()
    if strict:
        tags = strict_tags(document, words, TYPES, report)
    else:
        starts = [found.start() for found in re.finditer(r"\S+", document.text)]
        spans = fragment_spans(
            document.mentions,
            lambda offset: bisect.bisect_left(starts, offset),
            lambda surface: len(surface.split()),
        )
        tags = iob2(write_first_come(words, without_nested(spans), report, TYPES))
    if part == "MEDLINE":
        return [_row(document.name, document.name, words, tags)]
    return [
        _row(f"{document.name}_{index}", document.name, *unit)
        for index, unit in enumerate(sentences(words, tags))
    ]


def _read_nested(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
    part = task.name.removeprefix("quaero_").removesuffix("_nested").upper()
    return {
        split: [
            row
            for document in read_brat(folder, f"{name}/{part}", report, repair=True)
            for row in _nested_rows(document, part, report)
        ]
        for split, name in (("train", "train"), ("validation", "dev"), ("test", "test"))
    }


def _nested_rows(document: BratDocument, part: str, report: Report) -> list[Row]:
    """Rows as those of the flat task, tags in a layer for each type."""
    words = document.text.split()
    layers = layered_tags(word_offsets(document.text, words), document.mentions, TYPES, report)
    columns = [list(tags) for tags in zip(*layers, strict=True)]
    units = [(words, columns)] if part == "MEDLINE" else sentences(words, columns)
    return [
        _row(
            document.name if part == "MEDLINE" else f"{document.name}_{index}",
            document.name,
            unit,
            [[column[layer] for column in tags] for layer in range(len(TYPES))],
        )
        for index, (unit, tags) in enumerate(units)
    ]


def _row(identity: str, document: str, words: list[str], tags: Any) -> Row:
    return {"id": identity, "document_id": document, "tokens": words, "ner_tags": tags}


_COMMON: dict[str, Any] = dict(
    corpus=CORPUS,
    kind="token-classification",
    labels=LABELS,
    metric="entity_f1",
    read=_read,
    label_column="ner_tags",
    filter=Filter(key=lambda row: tuple(row["tokens"]), scope="against_test", drop_label_free=True),
    measured=True,
    doctobert=True,
    quirks=(
        "Words are counted before a fragment and in its surface; where an offset cuts a word, the "
        "tag may land on the word beside it (28 of 16,377 fragments).",
        "A fragment is dropped if one listed later overlaps it and is longer, whatever its type; "
        "then the first to come writes.",
        "Every fragment of a discontinuous mention is an entity unless they touch.",
    ),
    strict=(
        "Official splits by document. Tags by character overlap, the outermost mention first; a "
        "mention that crosses one already tagged is left out whole and counted."
    ),
)
_NESTED: dict[str, Any] = _COMMON | dict(
    kind="nested-token-classification",
    labels=layer_labels(TYPES),
    read=_read_nested,
    filter=None,
    doctobert=False,
    extra=True,
    quirks=(
        "No part of the benchmark: all annotations, one layer for each type, where the benchmark's "
        "own protocol keeps one entity at a place.",
    ),
    strict="The same.",
)
TASKS = (
    TaskSpec(
        name="quaero_emea_nested",
        files=("train/EMEA/*.txt", "dev/EMEA/*.txt", "test/EMEA/*.txt"),
        sizes=(482, 437, 427),
        **_NESTED,
    ),
    TaskSpec(
        name="quaero_medline_nested",
        files=("train/MEDLINE/*.txt", "dev/MEDLINE/*.txt", "test/MEDLINE/*.txt"),
        sizes=(833, 832, 833),
        **_NESTED,
    ),
    TaskSpec(
        name="quaero_emea",
        fingerprint="5e3f90ec5b181c986aa2f88f75293f35ae9299db931cc3b20f64acc416bc0ed1",
        files=("train/EMEA/*.txt", "dev/EMEA/*.txt", "test/EMEA/*.txt"),
        sizes=(482, 437, 427),
        doctobert_sizes=(427, 355, 348),
        **_COMMON,
    ),
    TaskSpec(
        name="quaero_medline",
        fingerprint="f566f1e2300bd4711029de091acff54c59ebbd0c7efb17e8594f1692083eb185",
        files=("train/MEDLINE/*.txt", "dev/MEDLINE/*.txt", "test/MEDLINE/*.txt"),
        sizes=(833, 832, 833),
        doctobert_sizes=(791, 791, 804),
        **_COMMON,
    ),
)
