"""Mistakes of a model in their sentences: what was missed, invented, cut wrongly or named wrongly.

Read from the predictions beside the result files; nothing is computed again.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from doctobert_hf.drbenchmark.families import find_family
from doctobert_hf.drbenchmark.results import Result, read_predictions
from doctobert_hf.errors import DataError, UsageError

KINDS = ("missed", "invented", "wrong ends", "wrong type")
_AROUND = 12  # words shown on each side, at most to the sentence's end
_ENDS = (".", "!", "?", "\n")


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    Attributes:
        kind: One of :data:`KINDS`.
        document: Id of the row.
        expected: Type and words of the true entity; empty for an invented one.
        found: Type and words of the predicted one; empty for a missed one.
        before: Words before.
        words: The words that both are about.
        after: Words behind.
    """

    kind: str
    document: str
    expected: tuple[str, str]
    found: tuple[str, str]
    before: str
    words: str
    after: str

    @property
    def type(self) -> str:
        """Type that the mistake is listed under: the true one, else the predicted."""
        return self.expected[0] or self.found[0]


def read_mistakes(result: Result, root: Path) -> list[Mistake]:
    """Read the mistakes of a result.

    Raises:
        UsageError: A result that is not of entities, or of version 0.1, whose predictions have no
            words.
        DataError: The predictions are damaged.
    """
    if not find_family(result.kind).finds_entities:
        raise UsageError(f"{result.cell.task} is {result.kind}", "a task of entities")
    family = find_family(result.kind)

    def spans(tags: object) -> list[Span]:
        return [span for layer in family.tag_sequences([tags]) for span in spans_of(layer)]

    found: list[Mistake] = []
    for row in read_predictions(result, root):
        if "tokens" not in row:
            raise UsageError(
                f"The predictions of {result.cell.path(root)} have no words: it is of version 0.1",
                fix="Run the cell again",
            )
        try:
            sides = [spans(row[name]) for name in ("reference", "prediction")]
            found += _mistakes(str(row["id"]), row["tokens"], *sides)
        except (ValueError, TypeError, IndexError) as error:
            raise DataError(f"The predictions of {result.cell.path(root)}: {error}") from error
    return found


Span = tuple[int, int, str]
"""First word, last word, type."""


def _mistakes(
    document: str, words: Sequence[str], true: Sequence[Span], guessed: Sequence[Span]
) -> Iterator[Mistake]:
    right = set(true) & set(guessed)
    left = [span for span in guessed if span not in right]
    for span in (span for span in true if span not in right):
        other = _partner(span, left)
        if other is not None:
            left.remove(other)
        kind = "missed"
        if other is not None:
            kind = "wrong type" if other[:2] == span[:2] else "wrong ends"
        yield _mistake(kind, document, words, span, other)
    for span in left:
        yield _mistake("invented", document, words, None, span)


def _partner(span: Span, others: Sequence[Span]) -> Span | None:
    """The prediction that meant it: of the same words, else of its type and overlapping."""
    same = [o for o in others if o[:2] == span[:2]]
    overlapping = [o for o in others if o[0] <= span[1] and span[0] <= o[1] and o[2] == span[2]]
    return next(iter([*same, *overlapping]), None)


def spans_of(tags: Sequence[str]) -> list[Span]:
    """Entities of tags, as the F1 counts them.

    Example:
        >>> spans_of(["B-X", "I-X", "O", "B-Y"])
        [(0, 1, 'X'), (3, 3, 'Y')]
    """
    found: list[Span] = []
    before = "O"
    for number, tag in enumerate(tags):
        if tag != "O":
            if tag[0] == "I" and before != "O" and before[2:] == tag[2:]:
                found[-1] = (found[-1][0], number, tag[2:])
            else:
                found.append((number, number, tag[2:]))
        before = tag
    return found


def _mistake(
    kind: str, document: str, words: Sequence[str], true: Span | None, guessed: Span | None
) -> Mistake:
    spans = [span for span in (true, guessed) if span is not None]
    first, last = min(s[0] for s in spans), max(s[1] for s in spans)
    begin, end = first, last + 1
    while begin > max(0, first - _AROUND) and words[begin - 1] not in _ENDS:
        begin -= 1
    while end < min(len(words), last + 1 + _AROUND) and words[end - 1] not in _ENDS:
        end += 1

    def named(span: Span | None) -> tuple[str, str]:
        return (span[2], " ".join(words[span[0] : span[1] + 1])) if span else ("", "")

    return Mistake(
        kind,
        document,
        named(true),
        named(guessed),
        " ".join(words[begin:first]),
        " ".join(words[first : last + 1]),
        " ".join(words[last + 1 : end]),
    )


def summary(mistakes: Sequence[Mistake]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a table: mistakes by type and kind."""
    counts = Counter((m.type, m.kind) for m in mistakes)
    types = sorted({m.type for m in mistakes}, key=lambda t: -sum(counts[t, k] for k in KINDS))
    return ["type", *KINDS], [[t, *(f"{counts[t, kind]:,}" for kind in KINDS)] for t in types]


def line(mistake: Mistake) -> str:
    """Return a mistake as one line of text, the words in brackets."""
    expected, found = mistake.expected, mistake.found
    told = {
        "missed": expected[0],
        "invented": found[0],
        "wrong ends": f"{expected[0]}: '{expected[1]}', not '{found[1]}'",
        "wrong type": f"{expected[0]}, not {found[0]}",
    }[mistake.kind]
    sentence = f"{mistake.before} [{mistake.words}] {mistake.after}".strip()
    return f"{mistake.kind} {told} ({mistake.document}): {' '.join(sentence.split())}"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 56rem; margin: 0 auto; padding: 1rem;
  color: #1f2933; background: #fff; overflow-wrap: anywhere; }}
mark {{ padding: .1em .25em; border-radius: .25em; }}
.missed mark {{ background: #fbdcc4; }} .invented mark {{ background: #cfe3f7; }}
.ends mark {{ background: #f9e6a6; }} .type mark {{ background: #e6d9f2; }}
small {{ color: #52606d; }} h2 {{ margin-top: 2rem; }} li {{ margin: .3rem 0; }}
</style></head><body><h1>{title}</h1>
{parts}
</body></html>
"""


def page(title: str, mistakes: Sequence[Mistake]) -> str:
    """Return one self-contained page: the mistakes by type, in their sentences."""
    parts = []
    for kind in sorted({m.type for m in mistakes}):
        own = sorted((m for m in mistakes if m.type == kind), key=lambda m: KINDS.index(m.kind))
        items = "\n".join(_item(mistake) for mistake in own)
        parts.append(f"<h2>{html.escape(kind)} ({len(own):,})</h2>\n<ul>\n{items}\n</ul>")
    return _PAGE.format(title=html.escape(title), parts="\n".join(parts) or "<p>None.</p>")


def _item(mistake: Mistake) -> str:
    escaped = [html.escape(part) for part in (mistake.before, mistake.words, mistake.after)]
    told = html.escape(line(mistake).split(" (", 1)[0])
    style = mistake.kind.split()[-1]
    return (
        f'<li class="{style}">{escaped[0]} <mark>{escaped[1]}</mark> {escaped[2]} '
        f"<small>{told} · {html.escape(mistake.document)}</small></li>"
    )
