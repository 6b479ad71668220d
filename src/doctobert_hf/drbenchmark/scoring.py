"""``compute_metrics`` for ``Trainer``, one factory for all tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from doctobert_hf.drbenchmark.families import Item, family_of
from doctobert_hf.drbenchmark.spec import TaskSpec
from doctobert_hf.drbenchmark.tasks import get_task
from doctobert_hf.errors import UsageError
from doctobert_hf.metrics.own import own_metrics, own_scores
from doctobert_hf.statistics import Counts

if TYPE_CHECKING:
    import numpy as np


def score_predictions(
    task: TaskSpec, predictions: Any, references: Any, mode: str = "default"
) -> dict[str, Any]:
    """Score a task's rows, one prediction and one right answer each.

    Args:
        task: The task.
        predictions: Token classification: tag names of each word. Else logits of each row: of
            classes, labels, answers or candidates, or ``[score]``.
        references: Token classification: tag names. Else a class number, 0 or 1 for each label or
            answer, or a score.
        mode: For token classification, ``default`` or ``strict``.

    Returns:
        Scores with the tables per type or class.
    """
    scores = family_of(task).score(task, predictions, references, mode)
    return _with_own(task, scores, predictions, references)


def score_test(
    task: TaskSpec,
    predictions: Any,
    references: Any,
    items: Sequence[Item],
    legacy: bool = False,
) -> dict[str, Any]:
    """Score the test split, with what is shown besides the metric.

    Args:
        task: The task.
        predictions: As :func:`score_predictions` takes them.
        references: Right answers.
        items: The rows as the model saw them.
        legacy: The published procedure, to which words behind the limit do not count.
    """
    family = family_of(task)
    scores = family.score_test(task, predictions, references, items, legacy)
    return _with_own(task, scores, *family.counted(predictions, references, items, legacy))


def _with_own(
    task: TaskSpec, scores: dict[str, Any], predictions: Any, references: Any
) -> dict[str, Any]:
    """Add what the metric of a plugin says, where the task has one."""
    if task.metric not in own_metrics():
        return scores
    own = own_scores(task.metric, *family_of(task).decided(task, predictions, references))
    if taken := sorted(own.keys() & scores.keys()):
        raise UsageError(
            f"The metric '{task.metric}' and the scores of {task.kind} both have {taken[0]}",
            "a name of its own",
        )
    return scores | own


def row_counts(task: TaskSpec, rows: Sequence[Mapping[str, Any]]) -> Counts | None:
    """Return a task's metric on some predictions as sums over documents.

    Args:
        task: The task.
        rows: ``id, prediction, reference`` and, where they are parts of one, ``document``.

    Returns:
        The sums; None where the metric is no function of such, or a plugin's.
    """
    if task.metric in own_metrics():
        return None
    ids = [str(row["id"]) for row in rows]
    predictions, references = ([row[key] for row in rows] for key in ("prediction", "reference"))
    counts = family_of(task).counts(task, predictions, references, ids)
    if counts is None:
        return None
    return counts.by_document({str(row["id"]): str(row.get("document", row["id"])) for row in rows})


def compute_metrics(
    task: str | TaskSpec, mode: Literal["default", "strict"] = "default"
) -> Callable[[Any], dict[str, float]]:
    """Return a function for ``Trainer(compute_metrics=...)`` that scores a task.

    Args:
        task: A task or its name.
        mode: For token classification: ``default`` as the benchmark scores, or ``strict``.

    Returns:
        A function of an ``EvalPrediction`` with logits and labels:

        * token classification: logits ``(examples, length, labels)``, labels with -100 where a
          position does not count;
        * classification, parallel sentence: logits ``(examples, labels)``, class numbers;
        * multi-label: logits ``(examples, labels)``, 0/1 tables; sigmoid and the task's threshold;
        * similarity: one number per example, scores;
        * multiple choice: logits ``(examples, 5)`` with 0/1 tables (sigmoid, 0.5, at least the
          best answer), or ``(examples, 31)`` with classes in the order of
          ``families.choice.COMBINATIONS``.

        Its result has numbers only, among them the task's ``metric_key``.

    Example:
        >>> import numpy as np
        >>> score = compute_metrics("morfitt")
        >>> labels = np.eye(12, dtype=int)
        >>> from transformers import EvalPrediction
        >>> score(EvalPrediction(labels * 8.0 - 4.0, labels))["f1"]
        1.0
    """
    spec = get_task(task) if isinstance(task, str) else task
    if mode not in ("default", "strict"):
        raise UsageError(f"mode '{mode}'", "'default' or 'strict'")

    def compute(output: Any) -> dict[str, float]:
        family, (logits, labels) = family_of(spec), _arrays(output)
        scores = family.score_trainer(spec, logits, labels, mode)
        if spec.metric in own_metrics():
            scores = _with_own(spec, scores, *family.trainer_rows(spec, logits, labels))
        # Without the tables per type: Trainer logs numbers.
        return {name: value for name, value in scores.items() if not isinstance(value, dict)}

    return compute


def _arrays(output: Any) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    logits, labels = output.predictions, output.label_ids
    if isinstance(logits, tuple):  # some models return hidden states behind the logits
        logits = logits[0]
    return np.asarray(logits, dtype=np.float64), np.asarray(labels)
