"""Entity F1: seqeval's scores, in its default and strict modes, at many times its speed.

seqeval walks over tags one by one in Python. Here each *kind* of tag is looked at once, a table
says for every pair of neighbouring kinds whether an entity ends or starts between them, and NumPy
reads the table for all words at a time.

Sources: the chunking rules of conlleval (Tjong Kim Sang and De Meulder, 2003) as seqeval 1.2.2
states them (``seqeval.metrics.sequence_labeling`` for the default mode; ``seqeval.scheme.IOB2`` for
the strict one).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from doctobert_hf.errors import DataError, UsageError

if TYPE_CHECKING:
    import numpy as np

Tags = Sequence[Sequence[str]]


def entity_f1(
    predictions: Tags, references: Tags, mode: Literal["default", "strict"] = "default"
) -> dict[str, Any]:
    """Precision, recall and F1 of entities, micro-averaged and per type.

    Args:
        predictions: Predicted tags, one list of ``O``, ``B-type``, ``I-type`` strings per sequence.
        references: True tags, of the same lengths.
        mode: ``default``: ill-formed tags make entities where conlleval sees them (an ``I-`` after
            ``O`` starts one), as the benchmark's scores are computed. ``strict``: only ``B-``
            starts an entity and only ``I-`` of its type goes on (IOB2).

    Returns:
        ``precision``, ``recall``, ``f1``, ``accuracy`` (of tags), ``support`` (how many true
        entities there are), and ``per_type``: for each type ``precision``, ``recall``, ``f1``,
        ``support``. A score without anything to divide by is 0.

    Raises:
        DataError: No sequence, different numbers of sequences or of tags, an empty tag, a tag
            without prefix among others with one, or, in strict mode, a tag other than ``O``, ``B``
            and ``I``; says where.
        UsageError: Unknown mode.

    Example:
        >>> found = entity_f1([["B-DISO", "I-DISO", "O"]], [["B-DISO", "I-DISO", "B-CHEM"]])
        >>> found["precision"], found["recall"], round(found["f1"], 3)
        (1.0, 0.5, 0.667)
    """
    import numpy as np

    if mode not in ("default", "strict"):
        raise UsageError(f"mode '{mode}'", "'default' or 'strict'")
    if not len(references):
        raise DataError("No sequence to score", "at least one")
    found = _Matched.of(predictions, references, mode)
    table, true, pred, right = found.table, found.true, found.pred, found.right
    true_ids, pred_ids = found.true_ids, found.pred_ids
    size = len(table.types)
    hits = np.bincount(true.type[right], minlength=size)
    gold = np.bincount(true.type[true.start >= 0], minlength=size)
    guessed = np.bincount(pred.type[pred.start >= 0], minlength=size)
    per_type = {
        name: _scores(int(hits[i]), int(guessed[i]), int(gold[i]))
        for i, name in sorted(enumerate(table.types), key=lambda item: item[1])
        if gold[i] or guessed[i]
    }
    total = _scores(int(hits.sum()), int(guessed.sum()), int(gold.sum()))
    words = len(true_ids) - len(references)  # one border after each sequence
    same = int((true_ids == pred_ids).sum()) - len(references)
    return {**total, "accuracy": same / words if words else 0.0, "per_type": per_type}


def partial_entity_f1(predictions: Tags, references: Tags) -> dict[str, Any]:
    """Entity F1 that gives half a point for an entity of the right type with wrong ends.

    Exact matches first; what is left is paired in order with the first entity of its type that it
    overlaps, each entity once (``partial`` of SemEval-2013 task 9, within types).

    Args:
        predictions: Tags of each sequence.
        references: True tags, as many.

    Returns:
        ``precision, recall, f1, support`` and the same ``per_type``.

    Raises:
        DataError: As :func:`entity_f1`.

    Example:
        >>> partial_entity_f1([["B-DISO", "O"]], [["B-DISO", "I-DISO"]])["f1"]
        0.5
    """
    _check_lengths(predictions, references)
    kinds: dict[str, int] = {}
    flat = [_flat(references, kinds), _flat(predictions, kinds)]
    table = _Table.build(list(kinds), "default")
    gold, guessed = (_by_type(_chunks(ids, table, "default"), table) for ids in flat)
    counts = {
        name: (
            _partial_hits(gold.get(name, []), guessed.get(name, [])),
            len(guessed.get(name, [])),
            len(gold.get(name, [])),
        )
        for name in sorted({*gold, *guessed})
    }
    sums = [sum(column) for column in zip(*counts.values(), strict=True)] or [0, 0, 0]
    per_type = {name: _scores(*row) for name, row in counts.items()}
    return {**_scores(*sums), "per_type": per_type}  # type: ignore[arg-type]


def entity_counts(predictions: Tags, references: Tags) -> np.ndarray:
    """Hits, predicted and true entities of each sequence, ``[sequences, 3]``, in default mode.

    Their sums make the F1 of :func:`entity_f1`: ``2 * hits / (predicted + true)``.

    Raises:
        DataError: As :func:`entity_f1`.

    Example:
        >>> entity_counts([["B-DISO", "O"]], [["B-DISO", "B-CHEM"]]).tolist()
        [[1, 1, 2]]
    """
    import numpy as np

    found = _Matched.of(predictions, references, "default")
    # An entity is told at the place behind its last word: the border, for the last of a sequence.
    owners = np.repeat(np.arange(len(references)), [len(row) + 1 for row in references])
    columns = (found.right, found.pred.start >= 0, found.true.start >= 0)
    return np.stack([np.bincount(owners[c], minlength=len(references)) for c in columns], 1)


def _by_type(chunks: _Chunks, table: _Table) -> dict[str, list[tuple[int, int]]]:
    """Entities as (start, end) places, in order, by type."""
    import numpy as np

    found: dict[str, list[tuple[int, int]]] = {}
    for end in np.flatnonzero(chunks.start >= 0).tolist():
        name = table.types[int(chunks.type[end])]
        found.setdefault(name, []).append((int(chunks.start[end]), end))
    return found


def _partial_hits(gold: list[tuple[int, int]], guessed: list[tuple[int, int]]) -> float:
    exact = set(gold) & set(guessed)
    left = [span for span in guessed if span not in exact]
    points = float(len(exact))
    for start, end in (span for span in gold if span not in exact):
        for place, (other_start, other_end) in enumerate(left):
            if start < other_end and other_start < end:
                points += 0.5
                left.pop(place)
                break
    return points


def _check_lengths(predictions: Tags, references: Tags) -> None:
    if len(predictions) != len(references):
        raise DataError(
            f"{len(predictions)} predicted and {len(references)} true sequences", "as many of each"
        )
    for index, (pred, true) in enumerate(zip(predictions, references, strict=True)):
        if len(pred) != len(true):
            raise DataError(
                f"Sequence {index} has {len(pred)} predicted and {len(true)} true tags",
                "one predicted tag for every true one",
            )
        if isinstance(pred, str) or isinstance(true, str):
            raise DataError(f"Sequence {index} is one string", "a list of tags")


def _flat(sequences: Tags, kinds: dict[str, int]) -> np.ndarray:
    """Ids of all tags in a row, an ``O`` behind each sequence; new kinds are added."""
    import numpy as np

    border = kinds.setdefault("O", len(kinds))
    ids: list[int] = []
    for sequence in sequences:
        try:
            ids += [kinds[tag] for tag in sequence]
        except KeyError:
            for tag in sequence:
                if not isinstance(tag, str) or not tag:
                    raise DataError(
                        f"The tag {tag!r}", "a string such as 'O' or 'B-DISO'"
                    ) from None
                kinds.setdefault(tag, len(kinds))
            ids += [kinds[tag] for tag in sequence]
        ids.append(border)
    return np.asarray(ids, dtype=np.int64)


def _check_scheme(kinds: Iterable[str]) -> None:
    """Refuse tags without a prefix among tags with one: ``MISC`` would be read as ``M`` of ``ISC``.

    Raises:
        DataError: With the tag.
    """
    prefixed = [kind for kind in kinds if _PREFIX.match(kind)]
    bare = [kind for kind in kinds if len(kind) > 1 and not _PREFIX.match(kind)]
    if prefixed and bare:
        raise DataError(
            f"The tag '{bare[0]}' beside '{prefixed[0]}'",
            "every tag but O with its prefix, as 'B-type' and 'I-type'",
        )


_PREFIX = re.compile(r"\w[-_]")


def _scores(hits: float, guessed: int, gold: int) -> dict[str, Any]:
    precision = hits / guessed if guessed else 0.0
    recall = hits / gold if gold else 0.0
    both = precision + recall
    f1 = 2 * precision * recall / both if both else 0.0
    return {"precision": precision, "recall": recall, "f1": f1, "support": gold}


@dataclass(frozen=True)
class _Table:
    """For every pair (kind before, kind): does an entity end, start or go on between them?"""

    types: list[str]
    type_of: np.ndarray
    ends: np.ndarray
    starts: np.ndarray
    goes_on: np.ndarray

    @classmethod
    def build(cls, kinds: list[str], mode: str) -> _Table:
        import numpy as np

        split = _default_split if mode == "default" else _strict_split
        parts = [split(kind) for kind in kinds]
        types = list(dict.fromkeys(kind for _, kind in parts))
        shape = (len(kinds), len(kinds))
        ends, starts, goes_on = (np.zeros(shape, dtype=bool) for _ in range(3))
        for i, (before, before_type) in enumerate(parts):
            for j, (tag, tag_type) in enumerate(parts):
                differ = before_type != tag_type
                ends[i, j] = _ends(before, tag, differ)
                starts[i, j] = _starts(before, tag, differ)
                goes_on[i, j] = tag == "I" and before in "BI" and not differ
        type_of = np.asarray([types.index(kind) for _, kind in parts], dtype=np.int64)
        return cls(types, type_of, ends, starts, goes_on)


def _default_split(tag: str) -> tuple[str, str]:
    """``B-DISO`` -> (B, DISO); only the first dash separates: ``B_scope`` -> (B, _scope)."""
    return tag[0], tag[1:].split("-", maxsplit=1)[-1] or "_"


def _strict_split(tag: str) -> tuple[str, str]:
    if tag[0] not in "OBI":
        raise DataError(f"The tag '{tag}' in strict mode", "O, B-type or I-type (IOB2)")
    return tag[0], tag[1:].strip("-") or "_"


def _ends(before: str, tag: str, differ: bool) -> bool:
    if before in "ES":
        return True
    if before in "BI" and tag in "BSO":
        return True
    return before not in "O." and differ


def _starts(before: str, tag: str, differ: bool) -> bool:
    if tag in "BS":
        return True
    if before in "ESO" and tag in "EI":
        return True
    return tag not in "O." and differ


@dataclass(frozen=True)
class _Matched:
    """Tags of two sides in a row, their entities, and which are on both."""

    true_ids: np.ndarray
    pred_ids: np.ndarray
    table: _Table
    true: _Chunks
    pred: _Chunks
    right: np.ndarray

    @classmethod
    def of(cls, predictions: Tags, references: Tags, mode: str) -> _Matched:
        _check_lengths(predictions, references)
        kinds: dict[str, int] = {}
        true_ids, pred_ids = _flat(references, kinds), _flat(predictions, kinds)
        _check_scheme(kinds)
        table = _Table.build(list(kinds), mode)
        true, pred = _chunks(true_ids, table, mode), _chunks(pred_ids, table, mode)
        # At most one entity ends at a place, so two chunkings share an entity where start and type
        # of the one that ends there agree.
        right = (true.start == pred.start) & (true.type == pred.type) & (true.start >= 0)
        return cls(true_ids, pred_ids, table, true, pred, right)


@dataclass(frozen=True)
class _Chunks:
    """Entities by the place behind their last word: where they start (-1: none) and their type."""

    start: np.ndarray
    type: np.ndarray


def _chunks(ids: np.ndarray, table: _Table, mode: str) -> _Chunks:
    """Find the entities of a flat row of tags."""
    import numpy as np

    before = np.concatenate((np.zeros(1, dtype=np.int64), ids[:-1]))  # kind 0 is O
    if mode == "strict":
        return _strict_chunks(ids, before, table)
    places = np.arange(len(ids))
    # An entity that ends at a place started at the last start before that place.
    started = np.maximum.accumulate(np.where(table.starts[before, ids], places, 0))
    last_start = np.concatenate((np.zeros(1, dtype=np.int64), started[:-1]))
    return _Chunks(np.where(table.ends[before, ids], last_start, -1), table.type_of[before])


def _strict_chunks(ids: np.ndarray, before: np.ndarray, table: _Table) -> _Chunks:
    import numpy as np

    begins = np.flatnonzero(table.starts[0, ids] & _is_b(table, ids))
    breaks = np.flatnonzero(~table.goes_on[before, ids])
    following = np.searchsorted(breaks, begins, side="right")
    start = np.full(len(ids) + 1, -1, dtype=np.int64)
    stops = np.append(breaks, len(ids))[following]
    start[stops] = begins
    kind = np.zeros(len(ids) + 1, dtype=np.int64)
    kind[stops] = table.type_of[ids[begins]]
    return _Chunks(start, kind)


def _is_b(table: _Table, ids: np.ndarray) -> np.ndarray:
    # Only B (and S, which strict mode refuses) starts an entity behind one of its own type.
    return table.starts[ids, ids]
