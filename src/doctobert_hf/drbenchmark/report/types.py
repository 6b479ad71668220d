"""F1 by entity type or class, for every format of the report."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from doctobert_hf.drbenchmark.report.board import Board
from doctobert_hf.drbenchmark.results import Result
from doctobert_hf.statistics import deviation

TABLES = ("per_type", "per_class")


@dataclass(frozen=True)
class TypeScore:
    """A type's F1 on a task.

    Attributes:
        task: The task.
        kind: Entity type or class.
        support: Gold entities, or rows, of the type in the test split; None if not recorded.
        scores: F1 in percent by the model's name on the board, one a seed.
    """

    task: str
    kind: str
    support: int | None
    scores: Mapping[str, tuple[float, ...]]

    def mean(self, model: str) -> float | None:
        """Mean F1 of a model's seeds; None where it has none."""
        values = self.scores.get(model)
        return statistics.fmean(values) if values else None

    def deviation(self, model: str) -> float | None:
        """Standard deviation (n - 1) of a model's seeds; None below two."""
        values = self.scores.get(model, ())
        return deviation(values)


def type_scores(board: Board, task: str) -> list[TypeScore]:
    """Return the types of a task in the order of its result files."""
    own = [row for row in board.rows if not row.published and task in row.entries]
    found = {row.name: [types_of(r) for r in board.results_of(row, task)] for row in own}
    kinds = dict.fromkeys(kind for seeds in found.values() for seed in seeds for kind in seed)
    return [_type_score(task, kind, found) for kind in kinds]


def _type_score(
    task: str, kind: str, found: Mapping[str, list[Mapping[str, Mapping[str, float]]]]
) -> TypeScore:
    cells = {name: [s[kind] for s in seeds if kind in s] for name, seeds in found.items()}
    counts = [c.get("support", c.get("number")) for cs in cells.values() for c in cs]
    known = [int(count) for count in counts if count is not None]
    scores = {
        name: tuple(100.0 * cell["f1"] for cell in cs if "f1" in cell) for name, cs in cells.items()
    }
    return TypeScore(str(task), str(kind), known[0] if known else None, scores)


def types_of(result: Result) -> Mapping[str, Mapping[str, float]]:
    """Return the scores by type or class of a result; empty where it has none."""
    return next((result.scores[name] for name in TABLES if result.scores.get(name)), {})


_NAMES = {
    "quaero": "QUAERO",
    "e3c": "E3C",
    "morfitt": "MorFITT",
    "deft2019": "DEFT-2019",
    "deft2020": "DEFT-2020",
    "deft2021": "DEFT-2021",
    "diamed": "DiaMED",
    "cas": "CAS",
    "essai": "ESSAI",
    "frenchmedmcqa": "FrenchMedMCQA",
    "mantragsc": "MantraGSC",
    "clister": "CLISTER",
    "pxcorpus": "PxCorpus",
}
_CAPITALS = {"emea", "medline", "ner", "cls", "pos", "sts", "mcqa"}


def readable(task: str) -> str:
    """Return a task's name for people: ``QUAERO EMEA`` for ``quaero_emea``."""
    first, *rest = task.split("_")
    words = [word.upper() if word in _CAPITALS else word for word in rest]
    return " ".join([_NAMES.get(first, first), *words])
