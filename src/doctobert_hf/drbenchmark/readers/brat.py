"""BRAT standoff annotation: a ``.txt`` and beside it ``.a1``, ``.a2`` or ``.ann``.

Reads text-bound annotations (nested, crossing and discontinuous ones), notes and attributes. Line
ends are read as LF before offsets count; a byte order mark stays in the text, where offsets count
it. Source of the format: https://brat.nlplab.org/standoff.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from doctobert_hf.drbenchmark.source import RawFolder, text_lines
from doctobert_hf.drbenchmark.spec import Report
from doctobert_hf.errors import DataError

ANNOTATION_SUFFIXES = (".a1", ".a2", ".ann")
BOM = "\ufeff"
_OTHER_KINDS = ("E", "R", "*", "A", "M", "N", "#")


@dataclass(frozen=True)
class TextBound:
    """An annotated mention: one label, one or more fragments.

    Attributes:
        id: Its number in the file, such as ``T3``.
        label: Its type.
        fragments: Character offsets ``(start, end)`` of each fragment, end excluded.
        surfaces: Text of each fragment *as the annotation file has it*.
        where: File and line, for messages.
    """

    id: str
    label: str
    fragments: tuple[tuple[int, int], ...]
    surfaces: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class BratDocument:
    """A text and what is annotated in it, in file order.

    Attributes:
        name: File name without ``.txt``.
        text: The text; offsets count its characters.
        mentions: Text-bound annotations (``T`` lines).
        notes: Notes (``#`` lines) by the id of what they are about.
        attributes: Attributes (``A`` and ``M`` lines): (id, name, value) by what they are about.
        group: Patient or source that documents share; empty where it is not known.
    """

    name: str
    text: str
    mentions: tuple[TextBound, ...]
    notes: dict[str, list[str]] = field(default_factory=dict)
    attributes: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    group: str = ""


def read_brat(
    folder: RawFolder,
    directory: str,
    report: Report,
    repair: bool = False,
    any_line_ends: bool = False,
) -> Iterator[BratDocument]:
    """Read all documents of a directory in byte order of their file names.

    Args:
        folder: The corpus.
        directory: Directory inside it, without a slash at its end.
        report: Takes what was found odd: texts without annotations, annotations without a text,
            back-up files, offsets outside the text, surfaces that disagree with the text.
        repair: Read an annotation line that a byte order mark precedes; the original conversion
            skips it.
        any_line_ends: Offsets may count CR LF line ends as one character or as two: the reading
            whose surfaces match is taken, and where none does the document is refused. Else they
            count one, as in the benchmark's corpora.

    Yields:
        Documents; one without annotation files has no mentions.

    Raises:
        DataError: A ``T`` line is malformed; the message has file, line and what is wrong.
    """
    names = set(folder.names(f"{directory}/*"))
    texts = sorted(name for name in names if name.endswith(".txt"))
    known = {name.removesuffix(".txt") for name in texts}
    for name in sorted(names):
        if name.endswith("~") or name.endswith(".bak"):
            report.add("back-up file not read", folder.where(name))
        elif name.endswith(ANNOTATION_SUFFIXES) and name.rsplit(".", 1)[0] not in known:
            report.add("annotation file without a .txt not read", folder.where(name))
    for name in texts:
        yield _document(folder, name, names, report, repair, any_line_ends)


def _document(
    folder: RawFolder,
    name: str,
    names: set[str],
    report: Report,
    repair: bool,
    any_line_ends: bool,
) -> BratDocument:
    stem = name.removesuffix(".txt")
    text = folder.read_text(name)
    document = BratDocument(stem.rsplit("/", 1)[-1], text, ())
    mentions: list[TextBound] = []
    triggers: dict[str, str] = {}
    annotated = False
    for suffix in ANNOTATION_SUFFIXES:
        if stem + suffix not in names:
            continue
        annotated = True
        lines = text_lines(folder.read_text(stem + suffix))
        for number, raw in enumerate(lines, 1):
            where = folder.where(stem + suffix, number)
            line = raw.strip()
            if line.startswith(BOM + "T"):
                if not repair:
                    report.add("annotation behind a byte order mark not read", where)
                    continue
                line = line.removeprefix(BOM)
            if line.startswith("T"):
                mentions.append(_text_bound(line, where))
            elif event := re.match(r"(E\d+)\t\S+?:(T\d+)", line):
                triggers[event[1]] = event[2]
            elif line and not line.startswith(_OTHER_KINDS):
                report.add("line of no known kind not read", where)
            else:
                _other(line, document)
    if not annotated:
        report.add("text without annotation file, read as not annotated", folder.where(name))
    if any_line_ends:
        text = _reading(folder, name, text, mentions, report)
    for mention in mentions:
        _check(mention, text, report)
    _bind_attributes(document.attributes, triggers, {m.id for m in mentions}, report, folder, stem)
    return BratDocument(document.name, text, tuple(mentions), document.notes, document.attributes)


def _bind_attributes(
    attributes: dict[str, list[tuple[str, str, str]]],
    triggers: dict[str, str],
    mentions: set[str],
    report: Report,
    folder: RawFolder,
    stem: str,
) -> None:
    """Give attributes of events to the mentions that trigger them; tell of those of nothing."""
    for about in [name for name in attributes if name not in mentions]:
        found = attributes.pop(about)
        if triggers.get(about) in mentions:
            attributes.setdefault(triggers[about], []).extend(found)
        else:
            where = f"{folder.where(stem)} {about}"
            report.add("attribute of no text-bound annotation or event not read", where, len(found))


def _reading(
    folder: RawFolder, name: str, text: str, mentions: list[TextBound], report: Report
) -> str:
    """Choose the text that the offsets count: with line ends as LF, or as they stand in the file.

    Raises:
        DataError: Most annotations have another surface than either text has at their offsets.
    """
    raw = folder.read_text(name, line_ends=True)
    readings = [text] if raw == text else [text, raw]
    wrong = [sum(not _fits(mention, reading) for mention in mentions) for reading in readings]
    best = wrong.index(min(wrong))
    if len(mentions) >= 3 and 2 * wrong[best] > len(mentions):
        raise DataError(
            f"{folder.where(name)}: {wrong[best]} of {len(mentions)} annotations have another "
            "surface than the text has at their offsets",
            "offsets in characters of the text",
            "The text was changed after it was annotated, or offsets count bytes: export it again",
        )
    if best:
        report.add("offsets count the CR of CR LF line ends, read so", folder.where(name))
    return readings[best]


def _fits(mention: TextBound, text: str) -> bool:
    return all(
        surface.split() == text[start:end].split()
        for (start, end), surface in zip(mention.fragments, mention.surfaces, strict=True)
    )


def _text_bound(line: str, where: str) -> TextBound:
    fields = line.split("\t")
    if len(fields) < 3 or not fields[1].split():
        raise DataError(
            f"{where}: '{line[:60]}' is not a text-bound annotation",
            "id, TAB, label and offsets, TAB, surface text",
        )
    label = fields[1].split()[0]
    fragments = []
    for piece in fields[1].removeprefix(f"{label} ").split(";"):
        try:
            start, end = (int(number) for number in piece.split())
        except ValueError:
            raise DataError(
                f"{where}: offsets '{fields[1]}' of {fields[0]}", "pairs such as '3 14;20 25'"
            ) from None
        if start < 0 or end < start:
            raise DataError(f"{where}: {fields[0]} goes from {start} to {end}", "0 <= start <= end")
        fragments.append((start, end))
    return TextBound(fields[0], label, tuple(fragments), _surfaces(fields[2], fragments), where)


def _surfaces(surface: str, fragments: list[tuple[int, int]]) -> tuple[str, ...]:
    """Cut the surface by the fragments' lengths in turn, skipping blanks between."""
    if len(fragments) == 1:
        return (surface,)
    pieces, at = [], 0
    for start, end in fragments:
        pieces.append(surface[at : at + end - start])
        at += end - start
        while at < len(surface) and surface[at] == " ":
            at += 1
    return tuple(pieces)


def _other(line: str, document: BratDocument) -> None:
    """Keep notes and attributes that are well formed; events and relations are not used here."""
    fields = line.split("\t")
    about = fields[1].split() if len(fields) > 1 else []
    if len(about) < 2:
        return
    if line.startswith("#"):
        document.notes.setdefault(about[1], []).append(fields[2] if len(fields) > 2 else "")
    elif line.startswith(("A", "M")):
        value = about[2] if len(about) > 2 else ""
        document.attributes.setdefault(about[1], []).append((fields[0], about[0], value))


def _check(mention: TextBound, text: str, report: Report) -> None:
    if any(end > len(text) for _, end in mention.fragments):
        report.add(
            "annotation reaches outside its text, cut at the end of the text",
            f"{mention.where} {mention.id}",
        )
        return
    for (start, end), surface in zip(mention.fragments, mention.surfaces, strict=True):
        if surface.split() != text[start:end].split():
            report.add(
                "surface in the annotation file differs from the text",
                f"{mention.where} {mention.id}: '{surface}' for '{text[start:end]}'",
            )
            return
