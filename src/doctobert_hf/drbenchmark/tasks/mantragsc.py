"""Mantra GSC: UMLS groups in French drug leaflets, MEDLINE titles and patent claims.

Facts about the conversion: ``data_loaders_hf/MANTRAGSC.py`` of DrBenchmark. The XML release it
reads (GSC-v1.1) went off line in November 2025; the BRAT release holds the same annotations and is
read to the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from doctobert_hf.drbenchmark.readers.brat import TextBound, read_brat
from doctobert_hf.drbenchmark.readers.xml import documents, parse_xml, plain_text, required
from doctobert_hf.drbenchmark.source import RawFolder
from doctobert_hf.drbenchmark.spec import SPLITS, CorpusSpec, Report, Row, Splits, TaskSpec
from doctobert_hf.drbenchmark.splits import by_document, three_way
from doctobert_hf.errors import DataError

CORPUS = CorpusSpec(
    name="mantragsc",
    title="Mantra GSC, French",
    description=(
        "Text units of drug leaflets (EMEA), MEDLINE titles and patent claims with UMLS concepts, "
        "three annotators and adjudication."
    ),
    homepage="https://github.com/mi-erasmusmc/Mantra-Gold-Standard-Corpus",
    license="CC-BY-4.0, GPL-3.0 (GitHub)",
    redistributable=True,
    citation="""@article{10.1093/jamia/ocv037,
  author = {Kors, Jan A and Clematide, Simon and Akhondi, Saber A and van Mulligen, Erik M
            and Rebholz-Schuhmann, Dietrich},
  title = {A multilingual gold-standard corpus for biomedical concept recognition: the Mantra GSC},
  journal = {Journal of the American Medical Informatics Association},
  volume = {22},
  number = {5},
  pages = {948--956},
  year = {2015}
}""",
    layout=(
        "GSC-v1.1/EMEA_GSC_fr_man.xml, Medline_GSC_fr_man.xml and Patent_GSC_fr_man.xml, or "
        "Mantra-GSC-brat.zip with French/EMEA_ec22-cui-best_man/*.ann and so on"
    ),
    urls={
        "Mantra-GSC-brat.zip": (
            "https://github.com/mi-erasmusmc/Mantra-Gold-Standard-Corpus/raw/master/"
            "Mantra-GSC-brat.zip"
        )
    },
    aliases=("mantra", "gscv11"),
    place=9,
)
XML = {"emea": "EMEA", "medline": "Medline", "patents": "Patent"}
BRAT = {
    "emea": "French/EMEA_ec22-cui-best_man",
    "medline": "French/Medline_EN_FR_ec22-cui-best_man",
    "patents": "French/Patents_ec22-cui-best_man",
}
GROUPS = ("ANAT", "CHEM", "DEVI", "DISO", "GEOG", "LIVB", "OBJC", "PHEN", "PHYS", "PROC")


@dataclass(frozen=True)
class Concept:
    """An annotated concept: semantic group and characters ``start`` to ``end``, end excluded."""

    group: str
    start: int
    end: int


def _read(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
    part = task.name.removeprefix("mantragsc_")
    rows = _rows(folder, part, task, report)
    if protocol == "strict":
        return dict(zip(SPLITS, by_document(rows, 0.70, 0.80), strict=True))
    if protocol == "doctobert":
        return _pooled(folder, part, report)
    return three_way(rows)


def _rows(folder: RawFolder, part: str, task: TaskSpec, report: Report) -> list[Row]:
    rows = []
    units = _brat_units if _is_brat(folder, part) else _xml_units
    for document, unit, text, concepts, where in units(folder, part, report):
        tokens = text.split(" ")
        tags = _tags(tokens, concepts)
        unknown = [tag for tag in tags if tag not in task.labels]
        if unknown:
            raise DataError(
                f"{where}: unit {unit} has the tag {unknown[0]}, which {task.name} does not know",
                f"one of {', '.join(task.labels)}",
            )
        rows.append({"id": unit, "document_id": document, "tokens": tokens, "ner_tags": tags})
    return rows


def _is_brat(folder: RawFolder, part: str) -> bool:
    if folder.names(f"{XML[part]}_GSC_fr_man.xml"):
        return False
    if not folder.names(f"{BRAT[part]}/*.txt"):
        raise DataError(
            f"{folder.where('')} has neither {XML[part]}_GSC_fr_man.xml nor {BRAT[part]}",
            "all three parts: protocol doctobert pools them",
        )
    return True


Unit = tuple[str, str, str, list[Concept], str]


def _xml_units(folder: RawFolder, part: str, report: Report) -> Iterator[Unit]:
    name = f"{XML[part]}_GSC_fr_man.xml"
    where = folder.where(name)
    root = parse_xml(folder.read_text(name), where)
    for document in documents(root, "document", where):
        identity = required(document, "id", where)
        for unit in documents(document, "unit", f"{where} document {identity}"):
            concepts = [
                Concept(
                    required(e, "grp", where).upper(),
                    _number(required(e, "offset", where), where),
                    _number(required(e, "offset", where), where)
                    + _number(required(e, "len", where), where),
                )
                for e in unit.all("e")
            ]
            text = plain_text(next(documents(unit, "text", where)), where).strip()
            place = f"{where} unit {required(unit, 'id', where)}"
            _check(concepts, text, place, report)
            yield identity, unit.attributes["id"], text, concepts, where


def _brat_units(folder: RawFolder, part: str, report: Report) -> Iterator[Unit]:
    for document in read_brat(folder, BRAT[part], report):
        concepts = []
        for mention in document.mentions:
            group = _group(document.notes.get(mention.id, []), mention)
            start, end = mention.fragments[0][0], mention.fragments[-1][1]
            concepts.append(Concept(group, start, end))
        unit = document.name.split("_", 1)[-1]
        where = folder.where(f"{BRAT[part]}/{document.name}.ann")
        yield unit.rsplit(".u", 1)[0], unit, document.text.strip(), concepts, where


def _group(notes: list[str], mention: TextBound) -> str:
    """Semantic group in a note ``"CUI", "name", "type", "GROUP"``; at times the last two swap."""
    for field in reversed(re.findall(r'"([^"]*)"', " ".join(notes))):
        group = field.split("|")[0].upper()
        if group in GROUPS:
            return group
    raise DataError(
        f"{mention.where}: {mention.id} has no note with its semantic group",
        f"'AnnotatorNotes {mention.id}' with one of {', '.join(GROUPS)}",
    )


def _number(text: str, where: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise DataError(f"{where}: offset '{text}'", "a whole number") from None


def _check(concepts: list[Concept], text: str, where: str, report: Report) -> None:
    for concept in concepts:
        if concept.start < 0 or concept.end > len(text):
            report.add("annotation reaches outside its text", where)


def _tags(tokens: list[str], concepts: list[Concept]) -> list[str]:
    """First concept to reach a word tags it; ends are inclusive, as the original has them."""
    tags = ["O"] * len(tokens)
    for concept in concepts:
        at, written = 0, 0
        for index, token in enumerate(tokens):
            if max(at, concept.start) <= min(at + len(token), concept.end) and tags[index] == "O":
                tags[index] = ("I-" if written else "B-") + concept.group
                written += 1
            at += len(token) + 1
    return tags


def _pooled(folder: RawFolder, part: str, report: Report) -> Splits:
    """This part's rows of the pooled corpus: three parts together, shuffled, in five shards.

    The published recipe pools the label-bearing units of all three parts, shuffles them with seed
    42, takes shard 1 as test, half of shard 2 as validation and the rest for training, and removes
    repeated units across them.
    """
    import numpy as np

    pool: list[tuple[str, Row]] = []
    for task in TASKS:
        name = task.name.removeprefix("mantragsc_")
        own = report if name == part else Report()
        splits = three_way(_rows(folder, name, task, own))
        for row in (row for split in SPLITS for row in splits[split]):
            if set(row["ner_tags"]) == {"O"}:
                own.add("row without labels left out (protocol doctobert)", row["id"])
            else:
                pool.append((name, row))
    order = np.random.default_rng(42).permutation(len(pool))
    shards = [[pool[i] for i in shard] for shard in np.array_split(order, 5)]
    halves = np.array_split(np.arange(len(shards[1])), 2)
    parts = {
        "train": [shards[1][i] for i in halves[0]] + shards[2] + shards[3] + shards[4],
        "validation": [shards[1][i] for i in halves[1]],
        "test": shards[0],
    }
    seen: set[tuple[str, ...]] = set()
    result: Splits = {}
    for split in ("test", "validation", "train"):
        result[split] = []
        for name, row in parts[split]:
            key = tuple(row["tokens"])
            if key in seen:
                if name == part:
                    report.add("duplicate row left out (protocol doctobert)", row["id"])
                continue
            seen.add(key)
            if name == part:
                result[split].append(row)
    return {split: result[split] for split in SPLITS}


_EMEA = (
    *("B-ANAT", "I-ANAT", "I-PHEN", "B-PROC", "I-CHEM", "I-PHYS", "B-DEVI", "O", "B-PHYS"),
    *("I-DEVI", "B-OBJC", "I-DISO", "B-PHEN", "I-LIVB", "B-DISO", "B-LIVB", "B-CHEM", "I-PROC"),
)
_MEDLINE = (
    *("B-ANAT", "I-ANAT", "B-PROC", "I-CHEM", "I-PHYS", "B-GEOG", "B-DEVI", "O", "B-PHYS"),
    *("I-LIVB", "B-OBJC", "I-DISO", "I-DEVI", "B-PHEN", "B-DISO", "B-LIVB", "B-CHEM", "I-PROC"),
)
_PATENTS = (
    *("B-ANAT", "I-ANAT", "B-PROC", "I-CHEM", "I-PHYS", "B-DEVI", "O", "I-LIVB", "B-OBJC"),
    *("I-DISO", "B-PHEN", "I-PROC", "B-DISO", "I-DEVI", "B-LIVB", "B-CHEM", "B-PHYS"),
)
TASKS = tuple(
    TaskSpec(
        name=f"mantragsc_{part}",
        corpus=CORPUS,
        kind="token-classification",
        labels=labels,
        metric="entity_f1",
        files=(f"{XML[part]}_GSC_fr_man.xml",),
        alternative=(f"{BRAT[part]}/*.ann",),
        read=_read,
        sizes=sizes,
        doctobert_sizes=doctobert_sizes,
        measured=True,
        fingerprint=fingerprint,
        label_column="ner_tags",
        quirks=(
            "Words are cut at single blanks, so punctuation stays with them; a concept's end is "
            "inclusive, so that it also tags a word that begins right behind it.",
            "The label list lacks some tags and has another order in each of the three tasks.",
            "protocol='doctobert' pools the three tasks before it splits; each task then holds its "
            "own rows of the pooled splits.",
        ),
        strict="70 / 10 / 20 by source document, which the original's split by unit is not.",
    )
    for part, labels, sizes, doctobert_sizes, fingerprint in (
        (
            "emea",
            _EMEA,
            (70, 10, 20),
            (66, 15, 15),
            "f7380180d1745aeac301712f8f1b6db29e46981618c18f796ef63d053d539ac9",
        ),
        (
            "medline",
            _MEDLINE,
            (70, 10, 20),
            (66, 9, 18),
            "03fbd2f46026a79f826a25093453685089bd434e32f52167a9b24ef4c43edc24",
        ),
        (
            "patents",
            _PATENTS,
            (35, 5, 10),
            (34, 0, 15),
            "980eb45868feb9e4ebafe53fc28385fa59145c217fa675105f0de662f47651d2",
        ),
    )
)
