"""E3C: clinical cases with clinical entities and temporal information, UIMA XMI.

Facts about the conversion: ``data_loaders_hf/E3C.py`` of DrBenchmark, with file names sorted (the
original takes them as the file system lists them, so that its splits depend on the machine).
"""

from __future__ import annotations

from typing import Any

from doctobert_hf.drbenchmark.iob import outermost_first
from doctobert_hf.drbenchmark.readers.brat import TextBound
from doctobert_hf.drbenchmark.readers.xml import Xmi, parse_xmi
from doctobert_hf.drbenchmark.source import RawFolder
from doctobert_hf.drbenchmark.spec import CorpusSpec, Filter, Report, Row, Splits, TaskSpec
from doctobert_hf.drbenchmark.splits import by_document, random_splits, three_way
from doctobert_hf.errors import DataError

CORPUS = CorpusSpec(
    name="e3c",
    title="E3C (European Clinical Case Corpus), French",
    description=(
        "Published clinical cases. Layer 1 (81 documents) is annotated by hand, layer 2 (168) "
        "automatically."
    ),
    homepage="https://github.com/hltfbk/E3C-Corpus",
    license="CC-BY-NC-4.0",
    redistributable=True,
    annotators=("expert-generated", "machine-generated"),
    citation="""@report{Magnini2021,
  author = {Magnini, Bernardo and Altuna, Begoña and Lavelli, Alberto and Speranza, Manuela
            and Zanoli, Roberto},
  title = {The {E3C} Project: European Clinical Case Corpus},
  institution = {Fondazione Bruno Kessler},
  year = {2021}
}""",
    layout=(
        "E3C-Corpus-2.0.0.zip, or its folder, with data_annotation/French/layer1/*.xml and "
        "layer2/*.xml"
    ),
    urls={
        "E3C-Corpus-2.0.0.zip": (
            "https://github.com/hltfbk/E3C-Corpus/archive/refs/tags/v2.0.0.zip"
        )
    },
    place=2,
)
TEMPORAL = ("EVENT", "ACTOR", "BODYPART", "TIMEX3", "RML")
QUIRKS = (
    "Words are cut by syntok 1.4, which leaves hyphens between parts of a word out.",
    "A word counts if it lies wholly inside an annotation: what stands behind an elision "
    "(l'observation, one word for syntok) is lost, 44 of 1,327 clinical annotations of layer 1.",
)
LAYER = "data_annotation/French/layer{}/*.xml"


def _read(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
    types = ("CLINENTITY",) if task.name == "e3c_clinical" else TEMPORAL
    strict = protocol == "strict"
    gold = _layer(folder, 1, types, strict, report)
    if strict:
        return _official(gold, report)
    if task.name == "e3c_temporal":
        return three_way(gold)
    train, validation = random_splits(_layer(folder, 2, types, False, report), 0.8738)
    return {"train": train, "validation": validation, "test": gold}


def _layer(
    folder: RawFolder, layer: int, types: tuple[str, ...], strict: bool, report: Report
) -> list[Row]:
    rows: list[Row] = []
    for name in folder.names(LAYER.format(layer)):
        where = folder.where(name)
        document = parse_xmi(folder.read_text(name), where)
        stem = name.rsplit("/", 1)[-1].removesuffix(".xml")
        for begin, end in _bounds(document, where, report):
            words = [word for word in _words(document.text, begin, end) if word[1] <= end]
            tag = _strict_tags if strict else _tags
            rows.append(
                {
                    "id": str(len(rows)),
                    "document_id": stem,
                    "tokens": [word[2] for word in words],
                    "ner_tags": tag(document, types, words, begin, end, where, report),
                }
            )
    return rows


def _bounds(document: Xmi, where: str, report: Report) -> list[tuple[int, int]]:
    """Sentences of a document, and what is odd about its annotations."""
    length = len(document.text)
    sentences = document.spans.get("type4:Sentence", [])
    for begin, end in sentences:
        if not 0 <= begin <= end:
            raise DataError(f"{where}: a sentence from {begin} to {end}", "0 <= begin <= end")
        if end > length:
            report.add("sentence reaches outside its text, cut at its end", f"{where} {begin}")
    for kind in ("CLINENTITY", *TEMPORAL):
        for begin, end in document.spans.get(f"custom:{kind}", []):
            if not 0 <= begin <= end <= length:
                place = f"{where} {kind} from {begin} to {end}"
                report.add("annotation reaches outside its text", place)
    return sentences


Word = tuple[int, int, str]


def _tags(
    document: Xmi,
    types: tuple[str, ...],
    words: list[Word],
    begin: int,
    end: int,
    where: str,
    report: Report,
) -> list[str]:
    """Tags of words that lie wholly inside an annotation; later types and annotations overwrite."""
    tags = ["O"] * len(words)
    for kind in types:
        for start, stop in document.spans.get(f"custom:{kind}", []):
            if stop < begin or start > end:
                continue
            inside = [i for i, word in enumerate(words) if word[0] >= start and word[1] <= stop]
            if not inside and start >= begin and stop <= end:
                report.add(
                    "annotation without a whole word left out", f"{where} {kind} from {start}"
                )
            for position, index in enumerate(inside):
                tags[index] = ("I-" if position else "B-") + kind
    return tags


def _strict_tags(
    document: Xmi,
    types: tuple[str, ...],
    words: list[Word],
    begin: int,
    end: int,
    where: str,
    report: Report,
) -> list[str]:
    """Tags by character overlap, the outermost annotation of any type first."""
    mentions = [
        TextBound(f"{kind}{start}", kind, ((start, stop),), ("",), f"{where} {kind} from {start}")
        for kind in types
        for start, stop in document.spans.get(f"custom:{kind}", [])
        if start < end and stop > begin
    ]
    return outermost_first([word[:2] for word in words], mentions, types, report)


def _words(text: str, begin: int, end: int) -> list[tuple[int, int, str]]:
    """Words of a sentence by syntok, the original's tokenizer, with offsets in the text."""
    tokens = _tokenizer().tokenize(text[begin:end])
    return [
        (begin + token.offset, begin + token.offset + len(token.value), token.value)
        for token in tokens
    ]


def _tokenizer() -> Any:
    from syntok.tokenizer import Tokenizer

    global _SYNTOK
    if _SYNTOK is None:
        _SYNTOK = Tokenizer()
    return _SYNTOK


_SYNTOK = None


def _official(gold: list[Row], report: Report) -> Splits:
    """Hand-annotated layer only, test documents as the authors' own export has them."""
    test = [row for row in gold if row["document_id"] in OFFICIAL_TEST]
    if not test:
        report.add("none of the official test documents found: split at random", "layer1")
        train, validation, test = by_document(gold, 0.70, 0.80)
    else:
        rest = [row for row in gold if row["document_id"] not in OFFICIAL_TEST]
        train, validation = by_document(rest, 0.85)
    return {"train": train, "validation": validation, "test": test}


OFFICIAL_TEST = frozenset(
    f"FR{number}"
    for number in (
        "100130 100132 100142 100161 100185 100227 100255 100282 100296 100344 100346 100360 "
        "100361 100371 100400 100448 100517 100519 100589 100603 100611 100620 100623 100632 "
        "100663 100683 100688 100689 100717 100748 100766 100849 100870 100882 100919 100921 "
        "100930 100944 100946 100960 100971 100986 100996 100998 101000"
    ).split()
)
"""The 45 documents of ``preprocessed_data/clinical_entities/layer1/French/test.txt``; the other 36
of layer 1 are in its ``train.txt``. The files name no documents: found by their sentences."""

_COMMON: dict[str, Any] = dict(
    corpus=CORPUS,
    kind="token-classification",
    metric="entity_f1",
    read=_read,
    label_column="ner_tags",
    filter=Filter(
        key=lambda row: tuple(row["tokens"]), drop_label_free=True, remember_label_free=True
    ),
    measured=True,
    doctobert=True,
    strict=(
        "Hand-annotated layer 1 only, with the authors' own test documents; the others are split "
        "85 / 15 by document. Tags by character overlap, the outermost annotation first; one that "
        "crosses another is left out whole and counted."
    ),
)
TASKS = (
    TaskSpec(
        name="e3c_clinical",
        fingerprint="73bf4249de683fab7b0a6cb6a43f6c52f4ad7c9b2427e225b98adcce11f828f8",
        labels=("O", "B-CLINENTITY", "I-CLINENTITY"),
        files=(LAYER.format(1), LAYER.format(2)),
        sizes=(2087, 302, 1109),
        doctobert_sizes=(1094, 151, 697),
        quirks=(
            "Train and validation are the automatically annotated layer 2, test is layer 1.",
            "The split is by sentence: all documents of validation are in train too.",
            *QUIRKS,
        ),
        **_COMMON,
    ),
    TaskSpec(
        name="e3c_temporal",
        fingerprint="bd3106d4803fd1cc9402735a3c4f0c7be9754c648fbf1d86ab5c25c669d02ae9",
        labels=("O", *(f"B-{name}" for name in TEMPORAL), *(f"I-{name}" for name in TEMPORAL)),
        files=(LAYER.format(1),),
        sizes=(776, 111, 222),
        doctobert_sizes=(776, 109, 222),
        quirks=(
            "The split is by sentence: all documents of test are in train too.",
            *QUIRKS,
            "Where annotations overlap, the later type in the order EVENT, ACTOR, BODYPART, "
            "TIMEX3, RML overwrites.",
        ),
        **_COMMON,
    ),
)
