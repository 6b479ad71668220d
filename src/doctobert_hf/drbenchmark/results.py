"""Result files: one JSON per (model, revision, task, protocol, seed), written when a cell is done.

``RESULTS/MODEL@REVISION/TASK/PROTOCOL/seed-SEED.json``, beside it ``seed-SEED.predictions.jsonl``;
a cell that failed has ``seed-SEED.error.json`` instead, tuning leaves ``tuning.json`` and
``study.db``. The published procedure (``--legacy``) has folders of its own, ``PROTOCOL-legacy``.
"""

from __future__ import annotations

import json
import math
import re
import typing
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.files import write_json_atomic

FORMAT = 1
PROCEDURES = ("standard", "legacy")


@dataclass(frozen=True)
class Cell:
    """What a result is about.

    Attributes:
        model: Name of the model: a Hub id, or the last two parts of a local path.
        revision: Commit of the Hub, or ``local-`` and a hash of the weights.
        task: Name of the task.
        protocol: Protocol of the data.
        procedure: ``standard``, or ``legacy`` for the published procedure with its bugs.
        seed: Seed of head, order and dropout.
    """

    model: str
    revision: str
    task: str
    protocol: str
    procedure: str
    seed: int

    @property
    def key(self) -> tuple[str, str]:
        """Model and revision: what results of one model have in common."""
        return self.model, self.revision

    def folder(self, root: Path) -> Path:
        """Folder of this task's cells of this model."""
        model = re.sub(r"[^\w.-]+", "__", self.model)
        protocol = self.protocol + ("-legacy" if self.procedure == "legacy" else "")
        return root / f"{model}@{self.revision[:12]}" / self.task / protocol

    def path(self, root: Path) -> Path:
        """The result file."""
        return self.folder(root) / f"seed-{self.seed}.json"


@dataclass(frozen=True)
class Result:
    """One finished cell.

    Attributes:
        cell: What it is about.
        kind: Family of the task.
        metric: Which of ``scores`` the benchmark reports.
        score: That score on the test split, 0 to 1.
        scores: All scores of the test split; ``per_type`` or ``per_class`` are tables.
        validation_score: The same metric on the validation split, of the weights kept.
        hyperparameters: What the model was trained with.
        tuning: Trials, the winner and the rule it won by; None without tuning.
        data: ``fingerprint`` of the rows and the number of rows by split.
        encoding: Length limit, what is done about longer inputs, and how many there were.
        model: ``parameters``, ``architecture`` and ``fingerprint`` of the encoder.
        environment: Versions and hardware.
        duration: Seconds.
        energy_kwh: Kilowatt-hours if measured.
        date: Day it was finished, ISO 8601.
        predictions: Name of the file with the predictions, beside this one.
        settings: What was asked for that decides the score: lengths, rows, evaluations, trials,
            search space. Empty in files of version 0.1.
        interval: 95 % interval of the score over test documents; None where it has none, and in
            files of version 0.1.
        energy: What was measured with it: ``emissions_kg`` and ``country`` (None where nobody
            said where the machine stands), ``cpu``, ``gpu``, ``codecarbon``.
    """

    cell: Cell
    kind: str
    metric: str
    score: float
    scores: dict[str, Any]
    validation_score: float
    hyperparameters: dict[str, Any]
    tuning: dict[str, Any] | None
    data: dict[str, Any]
    encoding: dict[str, Any]
    model: dict[str, Any]
    environment: dict[str, Any]
    duration: float
    energy_kwh: float | None
    date: str
    predictions: str
    settings: dict[str, Any] = field(default_factory=dict)
    interval: list[float] | None = None
    energy: dict[str, Any] | None = None

    def write(self, root: Path) -> Path:
        """Write the file; a run that stops later finds the cell done."""
        path = self.cell.path(root)
        write_json_atomic(path, {"format": FORMAT, **asdict(self)})
        return path


def read_result(path: Path) -> Result:
    """Read a result file.

    Raises:
        DataError: It is damaged, of another format, has values that cannot be, or is not where its
            content belongs.
    """
    try:
        content = _load(path)
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise ValueError("another format")
        cell = Cell(**content["cell"])
        result = Result(**content | {"cell": cell})
        _check_types(cell)
        _check_types(result)
        _check_scores(result)
    except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
        raise DataError(
            f"{path} is damaged ({type(error).__name__}: {error})",
            f"a result file with {', '.join(item.name for item in fields(Result))}",
            "Delete it and run the same command again: only this cell is computed anew",
        ) from error
    if path.name != f"seed-{result.cell.seed}.json" or path.parent != result.cell.folder(
        path.parent.parent.parent.parent
    ):
        raise DataError(
            f"{path} says it is {result.cell}",
            "a file in the folder of its model, task and protocol",
            "Result files must not be moved or renamed",
        )
    return result


def _load(path: Path) -> Any:
    """Read JSON; a key that stands twice is an error, not the last value."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise ValueError(f"the key '{key}' is given twice")
            found[key] = value
        return found

    return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)


def _check_types(item: Any) -> None:
    hints = typing.get_type_hints(type(item))
    for part in fields(item):
        value, hint = getattr(item, part.name), hints[part.name]
        kinds = tuple(typing.get_origin(h) or h for h in typing.get_args(hint) or ()) or (hint,)
        if typing.get_origin(hint) is dict:
            kinds = (dict,)
        right = isinstance(value, kinds) or (float in kinds and type(value) is int)
        if not right or (isinstance(value, bool) and bool not in kinds):
            raise TypeError(f"{part.name} is {value!r:.80}, not {hint}")


_SIGNED = ("pearson", "spearman")


def _check_scores(result: Result) -> None:
    """Refuse scores outside what their metric can be, which a ranking would take as they are."""
    least = -1.0 if any(name in result.metric.lower() for name in _SIGNED) else 0.0
    for name in ("score", "validation_score"):
        value = getattr(result, name)
        if not least <= value <= 1.0:
            raise ValueError(f"{name} is {value}, not from {least:g} to 1")
    if not math.isfinite(result.duration) or result.duration < 0:
        raise ValueError(f"duration is {result.duration}")
    named = result.scores.get(result.metric)
    if isinstance(named, (int, float)) and abs(named - result.score) > 1e-9:
        raise ValueError(f"score is {result.score}, but scores has {result.metric} {named}")
    if result.cell.procedure not in PROCEDURES:
        raise ValueError(f"procedure is '{result.cell.procedure}'")


def read_results(root: Path) -> list[Result]:
    """Read all result files below a folder, in order of their paths.

    Raises:
        UsageError: There is none.
        DataError: One is damaged.
    """
    paths = sorted(root.glob("*/*/*/seed-*.json"))
    results = [read_result(path) for path in paths if not path.name.endswith(".error.json")]
    if not results:
        raise UsageError(
            f"No result in '{root}'",
            "the --output folder of 'doctobert-hf benchmark run'",
        )
    return results


def read_predictions(result: Result, root: Path) -> list[dict[str, Any]]:
    """Read the predictions of a result: ``id, prediction, reference`` of each row and more.

    Raises:
        DataError: They are missing or damaged.
    """
    path = result.cell.folder(root) / result.predictions
    try:
        with path.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        for row in rows:
            str(row["id"]), row["prediction"], row["reference"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"The predictions file '{path}' is damaged ({type(error).__name__}: {error})",
            "the file that the run wrote",
            "Delete the result beside it and run the same command again",
        ) from error
    return rows


def read_failures(root: Path) -> list[dict[str, Any]]:
    """Read what is recorded of failed cells: ``cell``, ``error``, ``traceback``.

    Raises:
        DataError: A record is damaged.
    """
    records = []
    for path in sorted(root.glob("*/*/*/seed-*.error.json")):
        try:
            record = _load(path)
            Cell(**record["cell"])
            str(record["error"])
            records.append(record)
        except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
            raise DataError(
                f"{path} is damaged ({type(error).__name__}: {error})", fix="Delete it"
            ) from error
    return records
