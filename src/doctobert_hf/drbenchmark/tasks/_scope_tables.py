"""The tables that CAS and ESSAI share: words, lemmas, parts of speech, negation or speculation.

Facts about the conversion: ``data_loaders_hf/CAS.py`` and ``ESSAI.py`` of DrBenchmark. Two files a
corpus, one with scopes of negation and one with scopes of speculation, over the same sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from doctobert_hf.drbenchmark.readers.conll import Line, table_blocks, table_lines
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

FILE_CLASSES = {"neg": "negation", "spec": "speculation"}
QUIRKS = {
    "pos": (
        "Column 7 is the part of speech of lines with 8 columns or more, column 5 of others.",
        "Sentences come in the order of a CPython set of their numbers: ascending where numbers "
        "are dense.",
    ),
    "cls": (
        "A sentence that is in scope from end to end has no mark of its class: it keeps the label "
        "of the sentence before it.",
        "A sentence met again replaces its words; two negated blocks of one number in the same "
        "file give negation_speculation.",
    ),
    "ner": ("Tags keep '_' instead of '-', so that a type is read as '_scope_neg'.",),
}
STRICT = {
    "pos": "70 / 10 / 20 at random, numbers ascending; repeated sentences yield to test.",
    "cls": (
        "70 / 10 / 20 at random; a sentence in scope from end to end has the class of its file, "
        "and it is negation_speculation only if both files say so; repeated sentences yield to "
        "test."
    ),
    "ner": "70 / 10 / 20 at random, numbers ascending; repeated sentences yield to test.",
}


@dataclass(frozen=True)
class ScopeTables:
    """What differs between the two corpora.

    Attributes:
        prefix: ``CAS`` or ``ESSAI``: files are ``{prefix}_neg.txt`` and ``{prefix}_spec.txt``.
        repairs: Scope tags to replace, slips of the annotation tool.
    """

    prefix: str
    repairs: Mapping[str, str]

    def tasks(
        self,
        corpus: CorpusSpec,
        *,
        pos: tuple[str, ...],
        classes: tuple[str, ...],
        negation: tuple[str, ...],
        speculation: tuple[str, ...],
        pos_sizes: tuple[int, int, int],
    ) -> tuple[TaskSpec, ...]:
        """Declare the corpus's four tasks, given the labels of each in the original's order."""
        files = tuple(self._file(part) for part in FILE_CLASSES)
        scopes = (
            TaskSpec(
                name=f"{corpus.name}_ner_{part}",
                corpus=corpus,
                kind="token-classification",
                labels=labels,
                metric="entity_f1",
                files=(file,),
                read=self.read,
                label_column="ner_tags",
                quirks=QUIRKS["ner"],
                strict=STRICT["ner"],
            )
            for part, file, labels in zip(FILE_CLASSES, files, (negation, speculation), strict=True)
        )
        return (
            TaskSpec(
                name=f"{corpus.name}_pos",
                corpus=corpus,
                kind="token-classification",
                labels=pos,
                metric="entity_f1",
                files=files,
                read=self.read,
                sizes=pos_sizes,
                label_column="pos_tags",
                filter=Filter(key=lambda row: tuple(row["tokens"])),
                quirks=QUIRKS["pos"],
                strict=STRICT["pos"],
            ),
            TaskSpec(
                name=f"{corpus.name}_cls",
                corpus=corpus,
                kind="classification",
                labels=classes,
                metric="weighted_f1",
                files=files,
                read=self.read,
                quirks=QUIRKS["cls"],
                strict=STRICT["cls"],
            ),
            *scopes,
        )

    def read(self, task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
        """Convert one of the corpus's four tasks."""
        _, kind, *part = task.name.split("_")
        strict = protocol == "strict"
        if kind == "pos":
            rows = self._parts_of_speech(task, folder, strict, report)
        elif kind == "ner":
            rows = self._scopes(task, folder, part[0], strict, report)
        else:
            rows = self._classes(folder, strict, report)
        return three_way(rows)

    def _file(self, part: str) -> str:
        return f"{self.prefix}_{part}.txt"

    def _parts_of_speech(
        self, task: TaskSpec, folder: RawFolder, strict: bool, report: Report
    ) -> list[Row]:
        rows: list[Row] = []
        seen: set[int] = set()
        for part in FILE_CLASSES:
            sentences: dict[int, list[tuple[str, str]]] = {}
            for line in table_lines(folder, self._file(part), 5, report):
                words_of = sentences.setdefault(_number(line), [])
                # Of a sentence that the first file had, nothing is read, whatever stands there
                # (lines of five columns with ***); its number counts for the order.
                if _number(line) not in seen:
                    words_of.append(_word_and_tag(line, task.labels, report))
            for number in _ordered(sentences, strict):
                if number in seen:
                    continue
                seen.add(number)
                words, tags = zip(*sentences[number], strict=True)
                rows.append(
                    {
                        "id": str(number),
                        "document_id": str(number),
                        "tokens": list(words),
                        "pos_tags": list(tags),
                    }
                )
        return rows

    def _scopes(
        self, task: TaskSpec, folder: RawFolder, part: str, strict: bool, report: Report
    ) -> list[Row]:
        sentences: dict[int, list[tuple[str, str]]] = {}
        for line in table_lines(folder, self._file(part), 5, report):
            tag = line.columns[-1].replace("\n", "")
            if tag in ("***", "_"):
                tag = "O"
            tag = _label(self.repairs.get(tag, tag), task.labels, line)
            sentences.setdefault(_number(line), []).append((line.columns[2], tag))
        rows: list[Row] = []
        for number in _ordered(sentences, strict):
            words, tags = zip(*sentences[number], strict=True)
            rows.append(
                {
                    "id": str(len(rows)),
                    "document_id": str(number),
                    "tokens": list(words),
                    "ner_tags": list(tags),
                }
            )
        return rows

    def _classes(self, folder: RawFolder, strict: bool, report: Report) -> list[Row]:
        """One label a sentence, from the marks of both files."""
        rows: dict[str, Row] = {}
        before: str | None = None
        decided: dict[str, set[str]] = {}
        for part, file_class in FILE_CLASSES.items():
            for block in table_blocks(folder, self._file(part)):
                identity = block[0].columns[0]
                marks = {line.columns[-1] for line in block}
                label = _block_label(marks, file_class, None if strict else before)
                if before is None and not marks & {"***", "_"}:
                    report.add(
                        "sentence without a mark and none before it: labelled by its file",
                        block[0].where,
                    )
                before = label
                words = _block_words(block)
                if strict and not words:
                    report.add("empty block left out (protocol strict)", block[0].where)
                    continue
                decided.setdefault(identity, set()).add(label)
                if identity in rows and label == "neutral":
                    continue
                if strict:
                    label = _merged(decided[identity])
                elif identity in rows and rows[identity]["label"] != "neutral":
                    before = label = "negation_speculation"
                if strict and identity in rows:
                    rows[identity]["label"] = label
                    continue
                rows[identity] = {
                    "id": identity,
                    "document_id": identity,
                    "text": " ".join(words),
                    "label": label,
                }
        return list(rows.values())


def _word_and_tag(line: Line, labels: tuple[str, ...], report: Report) -> tuple[str, str]:
    _, _, word, lemma, tag = line.columns[:5]
    if len(line.columns) >= 8:
        tag = line.columns[6]
    if tag == "@card@" and lemma == "000":
        # The tagger split "100 000" and lost the first half; the original puts one number back.
        report.add("number '000' read as '100 000', as the original does", line.where)
        return "100 000", "B-NUM"
    if tag == "@card@" and lemma == "45":
        return word, "B-NUM"
    return word, _label(f"B-{tag}", labels, line)


def _label(tag: str, labels: tuple[str, ...], line: Line) -> str:
    found = find_label(tag, labels)
    if found is None:
        raise DataError(
            f"{line.where}: tag '{tag.strip()}' is not in the label list",
            f"one of {', '.join(labels)}",
            "Check that the columns are separated by single tabs",
        )
    return found


def _number(line: Line) -> int:
    try:
        return int(line.columns[0])
    except ValueError:
        raise DataError(
            f"{line.where}: document id '{line.columns[0]}'", "a whole number"
        ) from None


def _ordered(sentences: dict[int, list[tuple[str, str]]], strict: bool) -> list[int]:
    """Numbers as the original walks them: a set, filled in file order; ascending when strict."""
    if strict:
        return sorted(sentences)
    # Of a list, not of the dict: a set made from a dict has another size and so another order.
    return list(set(list(sentences)))  # noqa: C414


def _block_label(marks: set[str], file_class: str, before: str | None) -> str:
    if "***" in marks:
        return "neutral"
    if "_" in marks or before is None:
        return file_class
    return before


def _block_words(block: list[Line]) -> list[str]:
    words = []
    for line in block:
        if len(line.columns) == 2:
            raise DataError(f"{line.where}: 2 columns", "1 column or at least 3")
        if len(line.columns) > 2:
            words.append(line.columns[2])
    return words


def _merged(labels: set[str]) -> str:
    classes = labels - {"neutral"}
    if len(classes) > 1:
        return "negation_speculation"
    return classes.pop() if classes else "neutral"
