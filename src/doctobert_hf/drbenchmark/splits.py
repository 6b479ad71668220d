"""The benchmark's random splits, and the three protocols' views of a corpus."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from doctobert_hf.drbenchmark.spec import SPLITS, Filter, Report, Row, Splits, TaskSpec

T = TypeVar("T")


def shuffled(items: Sequence[T], seed: int = 4) -> list[T]:
    """Shuffle three times in a row with Python's generator, as every original script does."""
    result = list(items)
    generator = random.Random(seed)
    for _ in range(3):
        generator.shuffle(result)
    return result


def cut(items: Sequence[T], *ratios: float) -> list[list[T]]:
    """Cut a list at ``int(n * ratio)``, in floating point: int(180 * 0.7) is 125."""
    bounds = [0, *(int(len(items) * ratio) for ratio in ratios), len(items)]
    return [list(items[a:b]) for a, b in zip(bounds, bounds[1:], strict=False)]


def random_splits(rows: Sequence[Row], *ratios: float) -> list[list[Row]]:
    """Split rows at random by position; each part keeps the corpus's order."""
    parts = cut(shuffled(range(len(rows))), *ratios)
    return [[rows[i] for i in sorted(part)] for part in parts]


def three_way(rows: Sequence[Row]) -> Splits:
    """70 / 10 / 20, the split of the corpora without an official one."""
    return dict(zip(SPLITS, random_splits(rows, 0.70, 0.80), strict=True))


def by_document(rows: Sequence[Row], *ratios: float) -> list[list[Row]]:
    """Split whole documents at random; each part keeps the corpus's order."""
    documents = list(dict.fromkeys(row["document_id"] for row in rows))
    parts = [set(part) for part in cut(shuffled(documents), *ratios)]
    return [[row for row in rows if row["document_id"] in part] for part in parts]


def apply_filter(task: TaskSpec, splits: Splits, rule: Filter, report: Report) -> Splits:
    """Clean all splits, test first, as the published DoctoBERT scores were computed."""
    seen: set[Hashable] = set()
    test = _filtered(task, splits["test"], rule, seen, report)
    after_test = seen if rule.scope == "cascade" else set(seen)
    validation = _filtered(task, splits["validation"], rule, after_test, report)
    before_train = seen if rule.scope == "cascade" else set(seen)
    return {
        "train": _filtered(task, splits["train"], rule, before_train, report),
        "validation": validation,
        "test": test,
    }


def _filtered(
    task: TaskSpec, rows: list[Row], rule: Filter, seen: set[Hashable], report: Report
) -> list[Row]:
    kept = []
    for row in rows:
        key = rule.key(row)
        free = rule.drop_label_free and all(tag == "O" for tag in row[task.label_column])
        duplicate = key in seen
        if not free or rule.remember_label_free:
            seen.add(key)
        if free and not (duplicate and rule.remember_label_free):
            report.add("row without labels left out (protocol doctobert)", str(row["id"]))
        elif duplicate:
            report.add("duplicate row left out (protocol doctobert)", str(row["id"]))
        else:
            kept.append(row)
    return kept


def leak_free(splits: Splits, content: Callable[[Row], Hashable], report: Report) -> Splits:
    """Leave out of train and validation every document that a later split holds.

    Two documents are the same if they have the same ``document_id`` or the same content. Test is
    never touched; validation yields to test, train to both.
    """
    identities: set[Hashable] = set()
    contents: set[Hashable] = set()
    result: Splits = {}
    for split in ("test", "validation", "train"):
        documents: dict[Hashable, list[Row]] = {}
        for number, row in enumerate(splits[split]):
            documents.setdefault(row.get("document_id", number), []).append(row)
        keep_ids, new_contents = set(), set()
        for identity, rows in documents.items():
            text = tuple(content(row) for row in rows)
            known = text in contents or ("document_id" in rows[0] and identity in identities)
            if split != "test" and known:
                place = f"{split} {rows[0]['id']}"
                report.add("document also in a later split left out (protocol strict)", place)
                continue
            keep_ids.add(identity)
            new_contents.add(text)
        result[split] = [
            row for n, row in enumerate(splits[split]) if row.get("document_id", n) in keep_ids
        ]
        identities |= keep_ids
        contents |= new_contents
    return {split: result[split] for split in SPLITS}
