"""From character spans to one tag a word: the benchmark's way, accidents included, and strictly.

The benchmark's way (``QUAERO.py``, ``DEFT2019.py`` and ``DEFT2021.py`` of DrBenchmark) counts the
words before and inside a fragment; where offsets cut words it may hit the word beside. The strict
way aligns characters.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from doctobert_hf.drbenchmark.readers.brat import BratDocument, TextBound
from doctobert_hf.drbenchmark.spec import Report

T = TypeVar("T")
Cell = tuple[str, str] | None
"""Label and annotation id of a word, or nothing."""


@dataclass(frozen=True)
class Span:
    """A fragment of an annotation: characters ``start:end``, words ``first:first + count``."""

    start: int
    end: int
    first: int
    count: int
    label: str
    id: str
    surface: str
    where: str


def fragment_spans(
    mentions: Iterable[TextBound], words_before: Callable[[int], int], count: Callable[[str], int]
) -> list[Span]:
    """Make a span of every fragment, by counting words.

    Args:
        mentions: Annotations in file order.
        words_before: Number of words in the text before an offset.
        count: Number of words in a surface.
    """
    return [
        Span(start, end, words_before(start), count(surface), m.label, m.id, surface, m.where)
        for m in mentions
        for (start, end), surface in zip(m.fragments, m.surfaces, strict=True)
    ]


def without_nested(spans: Sequence[Span]) -> list[Span]:
    """Drop a span if one listed later shares a character with it and is strictly longer."""
    kept = []
    for index, span in enumerate(spans):
        length = span.end - span.start
        if not any(
            max(span.start, other.start) < min(span.end, other.end)
            and other.end - other.start > length
            for other in spans[index + 1 :]
        ):
            kept.append(span)
    return kept


def write_first_come(
    words: Sequence[str],
    spans: Iterable[Span],
    report: Report,
    labels: Sequence[str] | None = None,
    step_back: bool = False,
) -> list[Cell]:
    """Write spans in order into words that are still free.

    Args:
        words: Words of the document.
        spans: Spans in file order.
        report: Takes spans that reach behind the last word.
        labels: Labels to write; others only took part in :func:`without_nested`.
        step_back: A word that is not a substring of the surface passes its tag to the word before
            it, the first word to the last one (rule of the DEFT corpora).
    """
    cells: list[Cell] = [None] * len(words)
    for span in spans:
        if labels is not None and span.label not in labels:
            report.add("annotation of a type outside the label list left out", span.where)
            continue
        for at in range(span.first, span.first + span.count):
            if at >= len(words):
                report.add(
                    "annotation counted behind the last word, cut there", f"{span.where} {span.id}"
                )
                break
            if step_back and words[at] not in span.surface:
                at -= 1
            if cells[at] is None:
                cells[at] = (span.label, span.id)
    return cells


def iob2(cells: Sequence[Cell]) -> list[str]:
    """Tags of words: ``I-`` where the word before has the same label and annotation id."""
    tags = []
    before: Cell = None
    for cell in cells:
        if cell is None:
            tags.append("O")
        else:
            tags.append(("I-" if cell == before else "B-") + cell[0])
        before = cell
    return tags


def word_offsets(text: str, words: Iterable[str]) -> list[tuple[int, int]]:
    """Place words in their text; they must be its non-blank characters in order.

    Every tokenizer of the benchmark that only adds or removes blanks can be placed so.
    """
    places = [index for index, char in enumerate(text) if not char.isspace()]
    offsets, at = [], 0
    for word in words:
        offsets.append((places[at], places[at + len(word) - 1] + 1))
        at += len(word)
    return offsets


def strict_tags(
    document: BratDocument, words: Sequence[str], labels: Sequence[str], report: Report
) -> list[str]:
    """Tag words by character overlap, outermost annotation first.

    Of nested or crossing annotations the one with most characters is kept whole (the earlier, then
    the first listed, where equal) and the others are left out and counted. Fragments of a
    discontinuous annotation that do not touch are entities of their own, as IOB2 cannot say more.
    """
    return outermost_first(word_offsets(document.text, words), document.mentions, labels, report)


def outermost_first(
    offsets: Sequence[tuple[int, int]],
    mentions: Sequence[TextBound],
    labels: Sequence[str],
    report: Report,
) -> list[str]:
    """Tag words, given by their character offsets, as :func:`strict_tags` says."""
    return iob2(_cells(offsets, mentions, labels, report, "nested in or crossing another"))


def _cells(
    offsets: Sequence[tuple[int, int]],
    mentions: Sequence[TextBound],
    labels: Sequence[str],
    report: Report,
    overlap: str,
) -> list[Cell]:
    cells: list[Cell] = [None] * len(offsets)
    order = sorted(
        enumerate(mentions),
        key=lambda item: (
            -sum(end - start for start, end in item[1].fragments),
            item[1].fragments[0],
            item[0],
        ),
    )
    for number, mention in order:
        covered = sorted({at for a, b in mention.fragments for at in _touched(offsets, a, b)})
        if mention.label not in labels:
            lost = "of a type outside the label list"
        elif not covered:
            lost = "covers no word"
        elif any(cells[index] is not None for index in covered):
            lost = overlap
        else:
            apart = covered[-1] - covered[0] >= len(covered)
            report.account(mention.label, "kept as fragments" if apart else "kept")
            for index in covered:
                cells[index] = (mention.label, str(number))
            continue
        report.account(mention.label, lost)
        report.add(f"annotation {lost} left out", mention.where)
    return cells


def layered_tags(
    offsets: Sequence[tuple[int, int]],
    mentions: Sequence[TextBound],
    types: Sequence[str],
    report: Report,
) -> list[list[str]]:
    """Tag words once for each type, so that annotations of different types may overlap.

    Of one type the annotation with most characters is kept. The fragments of a discontinuous one
    are ``B I``, then ``I`` behind the gap.

    Args:
        offsets: Characters of each word.
        mentions: Annotations.
        types: Types that have a layer; annotations of others are counted as lost.
        report: Takes what is lost.

    Returns:
        ``O``, ``B`` or ``I`` of each word, for each type.
    """
    for mention in mentions:
        if mention.label not in types:
            report.account(mention.label, "of a type outside the label list")
            report.add("annotation of a type outside the label list left out", mention.where)
    layers = []
    for name in types:
        own = [mention for mention in mentions if mention.label == name]
        cells = _cells(offsets, own, [name], report, "nested in or crossing another of its type")
        tags, before = [], None
        for cell in cells:
            tags.append("O" if cell is None else "I" if cell == before else "B")
            before = cell or before
        layers.append(tags)
    return layers


def overlapping(mentions: Iterable[TextBound]) -> bool:
    """Return whether annotations share characters, or one is in fragments with a gap."""
    ends = -1
    spans = []
    for mention in mentions:
        fragments = sorted(mention.fragments)
        if any(b[0] - a[1] > 1 for a, b in zip(fragments, fragments[1:], strict=False)):
            return True
        spans.append((fragments[0][0], fragments[-1][1]))
    for start, end in sorted(spans):
        if start < ends:
            return True
        ends = max(ends, end)
    return False


def widest_gap(offsets: Sequence[tuple[int, int]], mentions: Iterable[TextBound]) -> int:
    """Return the most words that lie between two fragments of one annotation."""
    widest = 0
    for mention in mentions:
        covered = sorted({at for a, b in mention.fragments for at in _touched(offsets, a, b)})
        gaps = (b - a - 1 for a, b in zip(covered, covered[1:], strict=False))
        widest = max([widest, *gaps])
    return widest


def _touched(offsets: Sequence[tuple[int, int]], start: int, end: int) -> range:
    """Indices of the words that share a character with ``start:end``."""
    first = bisect.bisect_right(offsets, start, key=lambda word: word[1])
    last = bisect.bisect_left(offsets, end, key=lambda word: word[0])
    return range(first, max(first, last))


def sentences(words: Sequence[str], tags: Sequence[T]) -> list[tuple[list[str], list[T]]]:
    """Cut after every word that is exactly a full stop; pieces may be empty."""
    ends = [index for index, word in enumerate(words) if word == "."] + [len(words)]
    starts = [0, *(end + 1 for end in ends[:-1])]
    return [
        (list(words[start : end + 1]), list(tags[start : end + 1]))
        for start, end in zip(starts, ends, strict=True)
    ]
