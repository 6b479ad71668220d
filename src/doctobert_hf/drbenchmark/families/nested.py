"""Nested entities: one BIO layer for each type, all in one head, so that types may overlap.

The head gives three numbers a type and token: outside, begin, inside. Entities of different types
nest and cross freely; of one type, the outer one is kept. Source: the layered
reading of nested annotation in Alex, Haddow and Grover, "Recognising Nested Named Entities in
Biomedical Text" (BioNLP 2007), with one shared encoder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from doctobert_hf.drbenchmark.families.alignment import sequences_of, word_places
from doctobert_hf.drbenchmark.families.base import IGNORED, Item, Row, wrong_width
from doctobert_hf.drbenchmark.families.token import (
    TokenClassification,
    continued,
    entities_of,
    tag_loss,
)

if TYPE_CHECKING:
    import numpy as np
    import torch

    from doctobert_hf.drbenchmark.finetuning.encoding import ExampleEncoder
    from doctobert_hf.drbenchmark.spec import TaskSpec

TAGS = ("O", "B", "I")


def layer_labels(types: Iterable[str]) -> tuple[str, ...]:
    """Return the labels of a task: three for each type, ``O-type, B-type, I-type``."""
    return tuple(f"{tag}-{name}" for name in types for tag in TAGS)


def layer_types(task: TaskSpec) -> list[str]:
    """Return the types of a task's layers, in order."""
    return [label[2:] for label in task.labels[::3]]


class NestedTokenClassification(TokenClassification):
    """Words with a tag for each type: ``[types][words]`` numbers, 0 outside, 1 begin, 2 inside."""

    kind: ClassVar[str] = "nested-token-classification"

    def columns(self, task: TaskSpec) -> dict[str, Any]:
        """``document_id, tokens`` and a list of tags for each type."""
        from datasets import ClassLabel, List, Value

        text = Value("string")
        layers = List(List(ClassLabel(names=list(TAGS))))
        return {"document_id": text, "tokens": List(text), task.label_column: layers}

    def reference(self, task: TaskSpec, row: Row) -> Any:
        """Tag names of the words in each layer."""
        return [
            _named(layer, name)
            for layer, name in zip(row[task.label_column], layer_types(task), strict=True)
        ]

    def label_ids(self, task: TaskSpec, rows: Iterable[Row]) -> set[int]:
        """Numbers of the labels that stand in some rows, as the head counts them."""
        return {
            3 * number + tag
            for row in rows
            for number, layer in enumerate(row[task.label_column])
            for tag in set(layer)
        }

    def facts(self, task: TaskSpec) -> list[list[str]]:
        """The layers."""
        return [["layers", ", ".join(layer_types(task))]]

    def _encoded(self, encoder: ExampleEncoder, row: Row) -> Item:
        layers = row[encoder.task.label_column]
        sequences = sequences_of(encoder, row)
        places = word_places(encoder, len(row["tokens"]), sequences)
        width = len(layers)
        labels = [[[IGNORED] * width for _ in tokens["input_ids"]] for tokens, _ in sequences]
        for word, (number, position) in enumerate(places):
            if number < 0:
                continue
            for layer in range(width):
                if labels[number][position][layer] == IGNORED:
                    labels[number][position][layer] = layers[layer][word]
        return Item([tokens for tokens, _ in sequences], labels, places)

    def targets(self, items: Sequence[Item], length: int, left: bool) -> torch.Tensor:
        """``[sequences, length, types]``, -100 where a token carries no tag."""
        import torch

        rows = [labels for item in items for labels in item.labels]
        width = next((len(tags) for row in rows for tags in row), 1)
        filled = []
        for row in rows:
            filler = [[IGNORED] * width] * (length - len(row))
            filled.append(filler + row if left else row + filler)
        return torch.tensor(filled)

    def outputs(self, task: TaskSpec, logits: torch.Tensor, owner: torch.Tensor) -> torch.Tensor:
        """``[sequences, length, types, 3]``."""
        return logits.reshape(*logits.shape[:-1], len(task.labels) // 3, 3)

    def loss(self, task: TaskSpec, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Cross-entropy in each layer: the sum over types, the mean over tokens with a tag."""
        return tag_loss(outputs, labels) * outputs.shape[-2]

    def loss_weight(self, labels: torch.Tensor) -> int:
        """Tokens that carry a tag, in each layer."""
        return int((labels != IGNORED).sum())

    def decode(self, task: TaskSpec, items: Sequence[Item], outputs: torch.Tensor) -> list[Any]:
        """Tag names of every word in each layer."""
        best = outputs.argmax(-1).cpu().numpy()  # [sequences, length, types]
        types = layer_types(task)
        predictions, first = [], 0
        for item in items:
            layers = []
            for layer, name in enumerate(types):
                numbers = [0 if n < 0 else int(best[first + n, p, layer]) for n, p in item.places]
                layers.append(continued(_named(numbers, name), item.places))
            predictions.append(layers)
            first += len(item.inputs)
        return predictions

    def decode_scored(
        self, task: TaskSpec, items: Sequence[Item], outputs: torch.Tensor
    ) -> list[Any]:
        """``(tags, probabilities)``, both ``[types][words]``, of each row."""
        best = outputs.float().softmax(-1).amax(-1).cpu().numpy()
        found, first = [], 0
        for item, layers in zip(items, self.decode(task, items, outputs), strict=True):
            scores = [
                [0.0 if n < 0 else float(best[first + n, p, layer]) for n, p in item.places]
                for layer in range(len(layers))
            ]
            found.append((layers, scores))
            first += len(item.inputs)
        return found

    def tag_sequences(self, rows: Any) -> list[list[str]]:
        """The layers of all rows, one after the other."""
        return [layer for row in rows for layer in row]

    def row_counts(self, task: TaskSpec, counts: np.ndarray) -> np.ndarray:
        """Sums of a row's layers."""
        return counts.reshape(-1, len(task.labels) // 3, counts.shape[-1]).sum(axis=1)

    def check_width(self, task: TaskSpec, logits: np.ndarray, labels: np.ndarray) -> None:
        """Three numbers a type."""
        wrong_width(task, logits, (len(task.labels),))

    def trainer_rows(
        self, task: TaskSpec, logits: np.ndarray, labels: np.ndarray
    ) -> tuple[Any, Any]:
        """Logits ``(examples, length, 3 * types)``, labels ``(examples, length, types)``."""
        self.check_width(task, logits, labels)
        types = layer_types(task)
        best = logits.reshape(*logits.shape[:-1], len(types), 3).argmax(axis=-1)
        predicted, right = (
            [
                [_named(row[kept[:, i], i].tolist(), name) for i, name in enumerate(types)]
                for row, kept in zip(rows, labels != IGNORED, strict=True)
            ]
            for rows in (best, labels)
        )
        return predicted, right

    def no_tags(self, task: TaskSpec, words: int) -> Any:
        """Nothing in each layer."""
        return [[0] * words for _ in layer_types(task)]

    def entities(
        self, task: TaskSpec, text: str, spans: Sequence[tuple[int, int]], prediction: Any
    ) -> list[dict[str, Any]]:
        """Entities of all layers, the outer first."""
        found = [
            entity
            for layer, scores in zip(*prediction, strict=True)
            for entity in entities_of(text, spans, layer, scores, task.max_gap)
        ]
        return sorted(found, key=lambda entity: (entity["start"], -entity["end"], entity["type"]))


def _named(numbers: Iterable[int], name: str) -> list[str]:
    return [f"{TAGS[number]}-{name}" if number else "O" for number in numbers]


FAMILIES = (NestedTokenClassification(),)
