"""What a family of tasks says of itself; and a row as a model sees it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.statistics import Counts

if TYPE_CHECKING:
    import numpy as np
    import torch
    from transformers import PreTrainedTokenizerBase

    from doctobert_hf.drbenchmark.finetuning.encoding import ExampleEncoder
    from doctobert_hf.drbenchmark.spec import TaskSpec

IGNORED = -100
"""Label of a token that counts in no loss, as in Transformers."""
Row = Mapping[str, Any]
Predict = Callable[[Sequence["Item"]], list[Any]]


@dataclass
class Item:
    """One row as a model sees it.

    Attributes:
        inputs: What the tokenizer gives for each sequence: ``input_ids`` and, where the model has
            them, ``token_type_ids``.
        labels: Of words: for each sequence a label or -100 per token; else the row's target: a
            class, 0/1 per class, or a score.
        places: Of words: sequence and token of each word, (-1, -1) for a word without a token.
        as_published: Whether tags are read as the published code reads them.

    Example:
        >>> Item(inputs=[{"input_ids": [0, 7, 2]}], labels=1).as_published
        False
    """

    inputs: list[dict[str, list[int]]]
    labels: Any
    places: list[tuple[int, int]] = field(default_factory=list)
    as_published: bool = False

    def apart(self) -> list[Item]:
        """Return an item for each sequence, to train on words: batches are then of chunks."""
        if len(self.inputs) == 1:
            return [self]
        return [
            Item([inputs], [labels])
            for inputs, labels in zip(self.inputs, self.labels, strict=True)
        ]

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence."""
        return max(len(sequence["input_ids"]) for sequence in self.inputs)


class Family:
    """One kind of task: all that differs between kinds is a method here.

    The defaults are those of a single text with one class; a family overrides what differs.

    Attributes:
        kind: Name of the kind, as ``TaskSpec.kind`` has it.
        hub_task: The Hub's name for it, in model cards.
        finds_entities: Whether its predictions are entities in a text.
        gives_several: Whether its predictions are any number of classes of a text.

    Example:
        >>> from doctobert_hf.drbenchmark.families import find_family
        >>> find_family("token-classification").finds_entities
        True

        One of your own overrides what differs: here classes that have an order, whose error counts
        by how far off it is.

        >>> from doctobert_hf.drbenchmark.families import find_family, register_family
        >>> class Ordered(type(find_family("classification"))):
        ...     kind = "ordered-classification"
        ...     def score(self, task, predictions, references, mode="default"):
        ...         far = [abs(p - r) for p, r in zip(predictions, references, strict=True)]
        ...         return {"mae": sum(far) / len(far), "support": len(far)}
        >>> Ordered().score(None, [0, 2], [0, 1])["mae"]
        0.5
        >>> register_family(Ordered())
    """

    kind: ClassVar[str]
    hub_task: ClassVar[str] = "text-classification"
    finds_entities: ClassVar[bool] = False
    gives_several: ClassVar[bool] = False

    # -- data -------------------------------------------------------------------------------

    def columns(self, task: TaskSpec) -> dict[str, Any]:
        """Columns besides ``id``, as Datasets features."""
        raise NotImplementedError

    def target_column(self, task: TaskSpec) -> str:
        """Column that holds what is to be predicted."""
        return "label"

    def content_key(self, row: Row) -> Hashable:
        """What a row says, without its id and label: equal keys are duplicates."""
        return row["text"]

    def reference(self, task: TaskSpec, row: Row) -> Any:
        """What is right for a row, as :meth:`score` takes it; labels are numbers in the row."""
        return row["label"]

    def label_ids(self, task: TaskSpec, rows: Iterable[Row]) -> set[int]:
        """Numbers of the labels that stand in some rows."""
        return {row[self.target_column(task)] for row in rows}

    def facts(self, task: TaskSpec) -> list[list[str]]:
        """Rows for a task's page that only this family has."""
        return []

    # -- model ------------------------------------------------------------------------------

    def width(self, task: TaskSpec) -> int:
        """Numbers the head gives for a sequence (of words: for a token)."""
        return len(task.labels)

    def head(self) -> Any:
        """Transformers class of the encoder with its head."""
        from transformers import AutoModelForSequenceClassification

        return AutoModelForSequenceClassification

    def encode(self, encoder: ExampleEncoder, rows: Sequence[Row]) -> list[Item]:
        """Make token sequences of rows, labels as numbers."""
        raise NotImplementedError

    def training_items(self, items: list[Item]) -> list[Item]:
        """Items whose batches are bounded in memory; default: the rows."""
        return items

    def collate(
        self, task: TaskSpec, tokenizer: PreTrainedTokenizerBase, items: Sequence[Item]
    ) -> dict[str, torch.Tensor]:
        """Pad the sequences of some rows to the longest of them.

        Returns:
            ``input_ids``, ``attention_mask`` and, where there are, ``token_type_ids``
            ``[sequences, length]``; ``owner`` ``[sequences]``: the row of each; ``labels``, see
            :meth:`targets`.
        """
        import torch

        inputs = [sequence for item in items for sequence in item.inputs]
        batch = dict(tokenizer.pad(inputs, return_tensors="pt", verbose=False))
        owners = [number for number, item in enumerate(items) for _ in item.inputs]
        batch["owner"] = torch.tensor(owners)
        left = tokenizer.padding_side == "left"
        batch["labels"] = self.targets(items, batch["input_ids"].shape[1], left)
        return batch

    def targets(self, items: Sequence[Item], length: int, left: bool) -> torch.Tensor:
        """Right answers of a batch, ``[rows]`` or ``[rows, labels]``.

        Args:
            items: The batch.
            length: Tokens of the padded sequences.
            left: Whether they are padded at the left.
        """
        import torch

        return torch.tensor([item.labels for item in items])

    def outputs(self, task: TaskSpec, logits: torch.Tensor, owner: torch.Tensor) -> torch.Tensor:
        """Bring the logits of sequences to what belongs to rows: the mean over a row's chunks.

        Args:
            task: The task.
            logits: ``[sequences, width]``, of words ``[sequences, length, width]``.
            owner: Row of each sequence, ascending.

        Returns:
            ``[rows, width]``.
        """
        import torch

        rows = int(owner[-1]) + 1
        total = logits.new_zeros(rows, logits.shape[-1], dtype=torch.float32)
        total.index_add_(0, owner, logits.float())
        return total / torch.bincount(owner, minlength=rows).clamp(min=1)[:, None]

    def loss(self, task: TaskSpec, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Mean loss of a batch; default: cross-entropy of classes."""
        import torch

        return torch.nn.functional.cross_entropy(outputs.float(), labels)

    def loss_weight(self, labels: torch.Tensor) -> int:
        """Terms that :meth:`loss` is the mean of, for some rows' labels; default: the rows.

        A batch of many tokens is computed in parts, and each counts by this. A family with a loss
        of its own says so too; else its batches are computed twice, which is right for any loss.
        """
        return len(labels)

    def decode(self, task: TaskSpec, items: Sequence[Item], outputs: torch.Tensor) -> list[Any]:
        """Turn a batch's outputs into one prediction a row, as :meth:`score` takes it."""
        return outputs.float().cpu().tolist()

    def decode_scored(
        self, task: TaskSpec, items: Sequence[Item], outputs: torch.Tensor
    ) -> list[Any]:
        """Like :meth:`decode`, with the certainty that :meth:`predict_texts` shows."""
        return self.decode(task, items, outputs)

    # -- score ------------------------------------------------------------------------------

    def score(
        self, task: TaskSpec, predictions: Any, references: Any, mode: str = "default"
    ) -> dict[str, Any]:
        """Score rows, one prediction and one right answer each; tables per type included.

        Raises:
            DataError: The predictions are for another number of labels.
        """
        import numpy as np

        logits, labels = np.asarray(predictions, dtype=np.float64), np.asarray(references)
        self.check_width(task, logits, labels)
        return self.score_logits(task, logits, labels)

    def score_logits(
        self, task: TaskSpec, logits: np.ndarray, labels: np.ndarray
    ) -> dict[str, Any]:
        """Score logits of rows; default: weighted F1 of the highest."""
        from doctobert_hf.metrics import weighted_f1

        return weighted_f1(logits.argmax(axis=-1), labels)

    def counts(
        self, task: TaskSpec, predictions: Any, references: Any, ids: Sequence[str]
    ) -> Counts | None:
        """The task's metric as sums over rows, for intervals and tests; None: it is no such."""
        return None

    def tag_sequences(self, rows: Any) -> Any:
        """Tags of rows as sequences that the entity F1 reads; for families that find entities."""
        return rows

    def score_test(
        self, task: TaskSpec, predictions: Any, references: Any, items: Sequence[Item], legacy: bool
    ) -> dict[str, Any]:
        """Score the test split, with what is shown besides the metric."""
        return self.score(task, predictions, references)

    def counted(
        self, predictions: Any, references: Any, items: Sequence[Item], legacy: bool
    ) -> tuple[Any, Any]:
        """Predictions and right answers without what does not count in the test split."""
        return predictions, references

    def decided(self, task: TaskSpec, predictions: Any, references: Any) -> tuple[Any, Any]:
        """Bring both to what a metric from outside compares, as lists; default: class numbers.

        A family with a score of its own gives what it scores.
        """
        import numpy as np

        if type(self).score is not Family.score:
            return predictions, references
        logits = np.asarray(predictions, dtype=np.float64)
        self.check_width(task, logits, np.asarray(references))
        return logits.argmax(axis=-1).tolist(), np.asarray(references).tolist()

    def score_trainer(
        self, task: TaskSpec, logits: np.ndarray, labels: np.ndarray, mode: str
    ) -> dict[str, Any]:
        """Score what a stock ``Trainer`` collects."""
        return self.score(task, *self.trainer_rows(task, logits, labels), mode)

    def trainer_rows(
        self, task: TaskSpec, logits: np.ndarray, labels: np.ndarray
    ) -> tuple[Any, Any]:
        """Bring what a stock ``Trainer`` collects to predictions and right answers of rows."""
        return logits, labels

    def check_width(self, task: TaskSpec, logits: np.ndarray, labels: np.ndarray) -> None:
        """Refuse logits of another width: they would score as if the model were merely bad."""
        wrong_width(task, logits, (self.width(task),))

    # -- use --------------------------------------------------------------------------------

    def predict_texts(
        self, task: TaskSpec, texts: Sequence[str], encoder: ExampleEncoder, predict: Predict
    ) -> list[list[dict[str, Any]]]:
        """Predict plain texts: entities or classes of each.

        Raises:
            UsageError: The rows of the task are more than a text.
        """
        raise UsageError(
            f"The model was trained for {self.kind}",
            "a task on single texts",
            f"Predict its own data: doctobert-hf predict MODEL --task {task.name}",
        )

    def predict_pairs(
        self,
        task: TaskSpec,
        pairs: Iterable[tuple[str, str]],
        encoder: ExampleEncoder,
        predict: Predict,
    ) -> list[float]:
        """Score pairs of texts.

        Raises:
            UsageError: The task is another.
        """
        raise UsageError(f"The model was trained for {self.kind}", "similarity")


def wrong_width(task: TaskSpec, logits: np.ndarray, wanted: tuple[int, ...]) -> None:
    """Refuse logits of another width than those wanted."""
    if logits.shape[-1] not in wanted:
        raise DataError(
            f"Logits for {logits.shape[-1]} labels of {task.name}",
            f"{' or '.join(map(str, wanted))} labels",
        )


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits."""
    import numpy as np

    return 1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0)))


def binary_loss(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean binary cross-entropy of logits; both ``[rows, classes]``."""
    import torch

    functional = torch.nn.functional
    return functional.binary_cross_entropy_with_logits(outputs.float(), labels.float())


def chosen_counts(logits: Any, references: Any, classes: int, ids: Sequence[str]) -> Counts:
    """Return the counts behind weighted F1 of the likeliest class of each row."""
    import numpy as np

    chosen = one_hot(np.asarray(logits).argmax(axis=-1), classes)
    return class_counts(chosen, one_hot(references, classes), ids)


def class_counts(chosen: np.ndarray, right: np.ndarray, ids: Sequence[str]) -> Counts:
    """Weighted F1 as sums; ``chosen`` and ``right`` are 0 or 1, ``[rows, classes]``."""
    import numpy as np

    from doctobert_hf.metrics import weighted_f1_of

    chosen, right = chosen.astype(bool), right.astype(bool)
    values = np.stack([chosen & right, chosen, right], axis=1).astype(np.float64)
    rows, _, classes = values.shape
    return Counts(
        tuple(ids),
        values.reshape(rows, -1),
        lambda sums: weighted_f1_of(sums.reshape(*sums.shape[:-1], 3, classes)),
    )


def mean_counts(scores: Sequence[float], ids: Sequence[str]) -> Counts:
    """A mean over rows as sums."""
    import numpy as np

    values = np.stack([np.asarray(scores, dtype=np.float64), np.ones(len(scores))], axis=1)
    return Counts(tuple(ids), values, lambda sums: sums[..., 0] / sums[..., 1])


def one_hot(classes: np.ndarray, width: int) -> np.ndarray:
    """0 or 1 for each class, ``[rows, width]``."""
    import numpy as np

    return np.eye(width, dtype=bool)[np.asarray(classes, dtype=np.int64)]
