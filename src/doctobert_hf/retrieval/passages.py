"""Pairs from documents nobody paired: title to text, heading to section, sentence to passage."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from doctobert_hf.chunking.boundaries import iter_boundaries
from doctobert_hf.corpus.files import split_of
from doctobert_hf.retrieval.pairs import Pair

logger = logging.getLogger(__name__)

# "## Posologie", "4.2. Posologie et mode d'administration", "CONTRE-INDICATIONS"
_HEADING = re.compile(
    r"^(?:#{1,6}[ \t]+(?P<marked>\S[^\n]{0,120})"
    r"|(?P<numbered>\d{1,2}(?:\.\d{1,2})*\.?[ \t]+[^\W\d_][^\n.!?]{2,120})"
    r"|(?P<capitals>[^\Wa-zà-öø-ÿ\d_][^a-zà-öø-ÿ\n.!?]{4,120}))[ \t]*$",
    re.MULTILINE,
)
_LEAST_WORDS = 8  # of a passage: shorter ones say too little to be found
_TITLE = 120  # characters; a longer first line is text


def passage_pairs(
    documents: Iterable[Mapping[str, Any]], text_column: str = "text"
) -> Iterator[Pair]:
    """Yield pairs made from the documents' own structure.

    A document with headings (Markdown, numbered, or a line of capitals) gives one pair a section,
    from ``title – heading`` to the section's text; one with a ``title`` only, one pair from the
    title to the text (an abstract, say); one with neither, from its first sentence to the rest.
    Without a column ``title``, a first line that stands by itself is the title. Documents too short
    for a pair are counted and told.

    Args:
        documents: Rows with ``text_column`` and, where there are any, ``title`` and ``split``, the
            part that all pairs of the document go to.
        text_column: Column that holds the text.
    """
    read = short = 0
    for row in documents:
        read += 1
        title = str(row.get("title") or "").strip()
        title, text = (title, row[text_column]) if title else _titled(row[text_column].strip())
        found = list(_pairs_of(title, text))
        short += not found
        told = str(row.get("split") or "")
        yield from (pair._replace(split=split_of(told) or told or None) for pair in found)
    if short:
        logger.info("%s of %s documents are too short for a pair", f"{short:,}", f"{read:,}")


def _titled(text: str) -> tuple[str, str]:
    """Return a document's title and the rest; no title where its first line is not one."""
    first, _, rest = text.partition("\n")
    title = first.strip(" #")
    heading = _HEADING.match(text) is not None
    if heading and (following := _HEADING.search(rest)):
        # Followed by text of its own, it is the first section's, not the document's.
        is_title = not _is_passage(rest[: following.start()])
    else:
        is_title = heading or (rest.startswith("\n") and title[-1:] not in ".!?:;,")
    return (title, rest) if is_title and len(title) <= _TITLE else ("", text)


def _pairs_of(title: str, text: str) -> Iterator[Pair]:
    sections = list(_sections(text))
    if sections:
        for heading, body in sections:
            yield Pair(f"{title} – {heading}" if title else heading, (body,))
    elif title:
        if _is_passage(text):
            yield Pair(title, (text.strip(),))
    else:
        first = next(iter_boundaries(text.strip(), 0, len(text.strip()), True), None)
        if first is not None:
            head, rest = text.strip()[: first[0]].strip(), text.strip()[first[0] :]
            if _is_passage(rest) and len(head.split()) > 2:
                yield Pair(head, (rest,))


def _sections(text: str) -> Iterator[tuple[str, str]]:
    marks = list(_HEADING.finditer(text))
    for mark, following in zip(marks, [*marks[1:], None]):
        body = text[mark.end() : following.start() if following else len(text)].strip()
        if _is_passage(body):
            yield (mark["marked"] or mark["numbered"] or mark["capitals"]).strip(), body


def _is_passage(text: str) -> bool:
    return len(text.split()) >= _LEAST_WORDS
