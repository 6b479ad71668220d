"""Clinical cases of DEFT 2019 and 2021: words, tags and partition, which the two share.

Facts about the conversion: ``data_loaders_hf/DEFT2019.py`` and ``DEFT2021.py`` of DrBenchmark.
"""

from __future__ import annotations

from collections.abc import Sequence

from doctobert_hf.drbenchmark.iob import (
    fragment_spans,
    iob2,
    sentences,
    strict_tags,
    without_nested,
    write_first_come,
)
from doctobert_hf.drbenchmark.readers.brat import BratDocument, read_brat
from doctobert_hf.drbenchmark.source import RawFolder, text_lines
from doctobert_hf.drbenchmark.spec import Report, Row, Splits
from doctobert_hf.drbenchmark.splits import cut, shuffled
from doctobert_hf.errors import DataError

CASES = "DEFT-cas-cliniques"
TABLE = "distribution-corpus.txt"
COLUMNS = {2019: 1, 2021: 3}
GATE = (
    "The DEFT clinical cases need a signed data-use agreement, one for all members of a team: "
    "ask Natalia Grabar (natalia.grabar@univ-lille.fr) and Cyril Grouin (LISN, Orsay)."
)
LAYOUT = "DEFT-cas-cliniques/*.txt and *.ann (BRAT) and distribution-corpus.txt"
QUIRKS = (
    "Offsets are mapped to words by tokenizing the text before them; a word that is not part of "
    "the surface passes its tag to the word before it, the first word to the document's last one.",
    "A span is dropped if one listed later overlaps it and is longer; then the first to come "
    "writes.",
    "Sentences end at every '.', so that '...' gives three rows of one word.",
)
STRICT = (
    "Official test documents; the training documents are split by document, each name once. Tags "
    "by character overlap, the outermost mention first; a mention that crosses one already tagged "
    "is left out whole and counted."
)
_BEFORE, _AFTER, _BOTH = "?!;*", "’'", "-/[]:)(,."
_SPACED = str.maketrans(
    {c: f" {c}" for c in _BEFORE} | {c: f"{c} " for c in _AFTER} | {c: f" {c} " for c in _BOTH}
)


def deft_words(text: str) -> list[str]:
    """Words as the original cuts them: blanks at punctuation, decimal numbers joined again.

    The joining walks over the shrinking list of words, so that a place after a joined number is
    skipped: ``1.2.3`` gives ``1.2 . 3``.
    """
    words = text.translate(_SPACED).split()
    for at in range(1, len(words) - 1):
        if (
            at + 1 < len(words)
            and words[at] in (",", ".")
            and words[at - 1][-1].isdigit()
            and words[at + 1][0].isdigit()
        ):
            words[at - 1 : at + 2] = ["".join(words[at - 1 : at + 2])]
    return words


def entity_rows(folder: RawFolder, types: Sequence[str], strict: bool, report: Report) -> list[Row]:
    """Sentences of all documents of the folder, listed in the table or not, numbered throughout."""
    rows: list[Row] = []
    for document in read_brat(folder, CASES, report, repair=strict):
        words = deft_words(document.text)
        if strict:
            tags = strict_tags(document, words, types, report)
        else:
            tags = _tags(document, words, types, report)
        for piece, piece_tags in sentences(words, tags):
            if piece:
                rows.append(
                    {
                        "id": str(len(rows)),
                        "document_id": document.name,
                        "tokens": piece,
                        "ner_tags": piece_tags,
                    }
                )
    return rows


def _tags(
    document: BratDocument, words: list[str], types: Sequence[str], report: Report
) -> list[str]:
    listed = [mention for mention in document.mentions if mention.label in types]
    for mention in document.mentions:
        if mention.label not in types:
            report.add("annotation of a type outside the label list left out", mention.where)
    spans = fragment_spans(
        listed,
        lambda offset: len(deft_words(document.text[:offset])),
        lambda surface: len(deft_words(surface)),
    )
    return iob2(write_first_come(words, without_nested(spans), report, step_back=True))


def partition(
    folder: RawFolder, year: int, ratio: float, strict: bool, report: Report
) -> dict[str, list[str]]:
    """Names of the text files of each split, from the table of the organisers.

    A name that the table lists twice may land in train and validation both, as in the original;
    ``strict`` takes it once.

    Raises:
        DataError: The table has no document of this year.
    """
    column = COLUMNS[year]
    names: dict[str, list[str]] = {f"train {year}": [], f"test {year}": []}
    listed_names: set[str] = set()
    for line in text_lines(folder.read_text(TABLE)):
        fields = line.strip().split("\t")
        listed_names.add(fields[0])
        if len(fields) == 4 and fields[column] in names:
            names[fields[column]].append(fields[0])
        elif len(fields) != 4 and line.strip():
            report.add("line of the table without exactly 4 fields not read", folder.where(TABLE))
    train, test = names.values()
    if not train or not test:
        raise DataError(
            f"{folder.where(TABLE)}: {len(train)} documents 'train {year}' and {len(test)} "
            f"'test {year}' in column {column + 1}",
            "lines of four fields separated by tabs: name.txt, train|test 2019, ..., "
            "train|test 2021",
        )
    for name in sorted({name for name in train if train.count(name) > 1}):
        report.add("document listed twice in the table", f"{folder.where(TABLE)}: {name}")
    if strict:
        train = [name for name in dict.fromkeys(train) if name not in set(test)]
    known = set(folder.names(f"{CASES}/*.txt"))
    for name in sorted(known - {f"{CASES}/{listed}" for listed in listed_names}):
        report.add("document that the table does not list, in no split", folder.where(name))
    for name in (*train, *test):
        if f"{CASES}/{name}" not in known:
            report.add("document of the table without a file", f"{folder.where(TABLE)}: {name}")
    train, validation = cut(shuffled(train), ratio)
    return {"train": train, "validation": validation, "test": test}


def splits_by_name(rows: Sequence[Row], names: dict[str, list[str]]) -> Splits:
    """Rows of each split's documents, in corpus order."""
    members = {split: set(listed) for split, listed in names.items()}
    return {
        split: [row for row in rows if f"{row['document_id']}.txt" in members[split]]
        for split in names
    }
