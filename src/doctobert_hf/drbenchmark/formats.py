"""Predictions in the formats that people work with: BRAT, JSON lines, CoNLL and a page to read."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doctobert_hf.drbenchmark.words import word_spans
from doctobert_hf.errors import UsageError

FORMATS = ("jsonl", "brat", "html", "conll")


@dataclass(frozen=True)
class Predicted:
    """A document and what was found in it.

    Attributes:
        id: Its id.
        text: Its text.
        found: Entities (``start, end, type, text, score``) or classes (``label, score``).
    """

    id: str
    text: str
    found: list[dict[str, Any]]


def json_line(document: Predicted, entities: bool) -> str:
    """Return a document as one line of JSON, without its end."""
    row: dict[str, Any] = {"id": document.id, "text": document.text}
    row["entities" if entities else "labels"] = document.found
    return json.dumps(row, ensure_ascii=False)


def conll(document: Predicted) -> str:
    """Return a document as lines of word, TAB, tag (IOB2), with a blank line behind.

    Raises:
        UsageError: Entities overlap: one tag a word cannot say that.
    """
    spans = sorted((entity["start"], entity["end"]) for entity in document.found)
    if any(b[0] < a[1] for a, b in zip(spans, spans[1:], strict=False)):
        raise UsageError(
            f"Entities of '{document.id}' overlap, and CoNLL has one tag a word",
            "--format jsonl, brat or html",
        )
    lines = [f"# id = {' '.join(document.id.split())}"]
    starts = {entity["start"]: entity for entity in document.found}
    inside: dict[str, Any] | None = None
    for start, end in word_spans(document.text):
        tag = "O"
        if start in starts:
            inside = starts[start]
            tag = f"B-{inside['type']}"
        elif inside is not None and start < inside["end"]:
            tag = f"I-{inside['type']}"
        lines.append(f"{document.text[start:end]}\t{tag}")
    return "\n".join(lines) + "\n\n"


def brat_annotations(document: Predicted) -> str:
    """Return a document's ``.ann``: text-bound annotations, the score as a note."""
    lines = []
    for number, entity in enumerate(document.found, 1):
        kind = "_".join(str(entity["type"]).split())
        fragments = entity.get("fragments", [(entity["start"], entity["end"])])
        surface = " ".join(document.text[start:end] for start, end in fragments)
        surface = re.sub(r"[\n\r\t]", " ", surface)
        places = ";".join(f"{start} {end}" for start, end in fragments)
        lines.append(f"T{number}\t{kind} {places}\t{surface}\n")
        lines.append(f"#{number}\tAnnotatorNotes T{number}\tscore {entity['score']:.3f}\n")
    return "".join(lines)


def brat_name(identity: str, taken: set[str]) -> str:
    """Return a file name for a document, unique among those given out."""
    stem = identity.removesuffix(".txt")
    name = "".join(c if c.isalnum() or c in "-_. " else "_" for c in stem).strip(". ") or "document"
    unique, number = name, 1
    while unique.lower() in taken:
        number += 1
        unique = f"{name}-{number}"
    taken.add(unique.lower())
    return unique


_COLOURS = ("#cfe3f7", "#fbdcc4", "#d3edd8", "#e6d9f2", "#f9e6a6", "#d5eef0", "#f6cfd8", "#e4e4d2")
_PAGE = """<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1rem/1.7 system-ui, sans-serif; margin: 0 auto; max-width: 48rem; padding: 1rem;
  color: #1f2933; background: #fff; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.3rem; }} h2 {{ font-size: 1rem; margin: 2rem 0 .3rem; color: #52606d; }}
mark {{ padding: .1em .25em; border-radius: .25em; color: inherit; }}
mark small {{ font-size: .7em; font-weight: 600; margin-left: .35em; color: #334; }}
.text {{ white-space: pre-wrap; }}
.legend {{ position: sticky; top: 0; background: #fff; padding: .5rem 0; border-bottom: 1px solid
  #e4e7eb; }}
.legend mark {{ display: inline-block; margin: .15em .3em .15em 0; }}
{colours}
</style>
</head>
<body>
<h1>{title}</h1>
<p class="legend">Légende : {legend}</p>
{documents}
<p><small>Entités trouvées automatiquement ; à relire avant tout usage. Modèle : {model}.</small>
</p>
</body>
</html>
"""


def page(documents: Sequence[Predicted], types: Sequence[str], model: str) -> str:
    """Return one self-contained page: the texts with their entities marked, by type."""
    classes = {kind: f"t{number}" for number, kind in enumerate(types)}
    counts = dict.fromkeys(types, 0)
    for document in documents:
        for entity in document.found:
            counts[entity["type"]] = counts.get(entity["type"], 0) + 1
    legend = " ".join(
        f'<mark class="{classes[kind]}">{html.escape(kind)} <small>{counts[kind]}</small></mark>'
        for kind in types
    )
    colours = "\n".join(
        f".{name} {{ background: {_COLOURS[number % len(_COLOURS)]}; }}"
        for number, name in enumerate(classes.values())
    )
    parts = [
        f"<h2>{html.escape(d.id)}</h2>\n<div class='text'>{_marked(d, classes)}</div>"
        for d in documents
    ]
    return _PAGE.format(
        title=f"{len(documents)} document{'s' * (len(documents) > 1)} annoté"
        f"{'s' * (len(documents) > 1)}",
        legend=legend or "aucun type",
        colours=colours,
        documents="\n".join(parts),
        model=html.escape(model),
    )


def _marked(document: Predicted, classes: dict[str, str]) -> str:
    """The text with a mark for each entity; those that overlap are marks in marks."""
    parts = [
        (start, end, number, end == entity["end"])
        for number, entity in enumerate(document.found)
        for start, end in entity.get("fragments", [(entity["start"], entity["end"])])
    ]
    borders = sorted({0, len(document.text), *(border for p in parts for border in p[:2])})
    pieces: list[str] = []
    open_now: list[tuple[int, int, int, bool]] = []
    for at, until in zip(borders, [*borders[1:], None], strict=True):
        while any(part[1] == at for part in open_now):  # what opened later closes first
            pieces.append(_closing(document.found[open_now[-1][2]], open_now[-1], at))
            part = open_now.pop()
            if part[1] != at:  # it crosses one that ends here: it goes on in another mark
                parts.append((at, *part[1:]))
        for part in sorted((p for p in parts if p[0] == at), key=lambda p: -p[1]):
            open_now.append(part)
            entity = document.found[part[2]]
            title = f"{html.escape(entity['type'])}, {100 * entity['score']:.0f} %"
            name = classes.get(entity["type"], "")
            pieces.append(f'<mark class="{name}" title="{title}">')
        pieces.append(html.escape(document.text[at:until]) if until is not None else "")
    return "".join(pieces)


def _closing(entity: dict[str, Any], part: tuple[int, int, int, bool], at: int) -> str:
    last = part[3] and part[1] == at
    return f"<small>{html.escape(entity['type'])}</small></mark>" if last else "</mark>"


def write_predictions(
    documents: Iterable[Predicted],
    target: Path,
    form: str,
    entities: bool,
    types: Sequence[str],
    model: str,
) -> dict[str, int]:
    """Write documents to a file, or for BRAT into a folder that is there.

    Returns:
        ``documents`` and ``entities`` (or ``labels``) written.

    Raises:
        UsageError: A format for entities, and classes to write.
    """
    if not entities and form != "jsonl":
        raise UsageError(f"--format {form} for classes", "jsonl")
    count = {"documents": 0, "entities" if entities else "labels": 0}
    found = _counted(documents, count)
    if form == "brat":
        taken: set[str] = set()
        for document in found:
            name = brat_name(document.id, taken)
            with (target / f"{name}.txt").open("w", encoding="utf-8", newline="") as file:
                file.write(document.text)
            (target / f"{name}.ann").write_text(brat_annotations(document), encoding="utf-8")
    elif form == "html":
        target.write_text(page(list(found), types, model), encoding="utf-8")
    else:
        line: Callable[[Predicted], str] = conll
        if form == "jsonl":
            line = lambda document: json_line(document, entities) + "\n"  # noqa: E731
        with target.open("w", encoding="utf-8", newline="") as file:
            for document in found:
                file.write(line(document))
    return count


def _counted(documents: Iterable[Predicted], count: dict[str, int]) -> Iterable[Predicted]:
    key = next(name for name in count if name != "documents")
    for document in documents:
        count["documents"] += 1
        count[key] += len(document.found)
        yield document
