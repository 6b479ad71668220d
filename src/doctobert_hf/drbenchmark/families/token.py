"""Token classification: a tag for every word, and the entities that the tags make."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from doctobert_hf.drbenchmark.families.alignment import sequences_of, word_places
from doctobert_hf.drbenchmark.families.base import IGNORED, Family, Item, Predict, Row
from doctobert_hf.drbenchmark.words import word_spans
from doctobert_hf.statistics import Counts

if TYPE_CHECKING:
    import numpy as np
    import torch

    from doctobert_hf.drbenchmark.finetuning.encoding import ExampleEncoder
    from doctobert_hf.drbenchmark.spec import TaskSpec


class TokenClassification(Family):
    """Words and their tags; a row may be a whole document, in chunks."""

    kind: ClassVar[str] = "token-classification"
    hub_task: ClassVar[str] = "token-classification"
    finds_entities: ClassVar[bool] = True

    def columns(self, task: TaskSpec) -> dict[str, Any]:
        """``document_id, tokens`` and the tags."""
        from datasets import ClassLabel, List, Value

        text = Value("string")
        tags = List(ClassLabel(names=list(task.labels)))
        return {"document_id": text, "tokens": List(text), task.label_column: tags}

    def target_column(self, task: TaskSpec) -> str:
        """The task's own."""
        return task.label_column

    def content_key(self, row: Row) -> Hashable:
        """The words."""
        return tuple(row["tokens"])

    def reference(self, task: TaskSpec, row: Row) -> Any:
        """Tag names of the words."""
        return [task.labels[tag] for tag in row[task.label_column]]

    def label_ids(self, task: TaskSpec, rows: Iterable[Row]) -> set[int]:
        """Numbers of the tags of some rows."""
        return {tag for row in rows for tag in row[task.label_column]}

    def head(self) -> Any:
        """A head on every token."""
        from transformers import AutoModelForTokenClassification

        return AutoModelForTokenClassification

    def encode(self, encoder: ExampleEncoder, rows: Sequence[Row]) -> list[Item]:
        """A sequence for each chunk of the text."""
        return [self._encoded(encoder, row) for row in rows]

    def _encoded(self, encoder: ExampleEncoder, row: Row) -> Item:
        tags = row[encoder.task.label_column]
        sequences = sequences_of(encoder, row)
        places = word_places(encoder, len(row["tokens"]), sequences)
        labels = [[IGNORED] * len(tokens["input_ids"]) for tokens, _ in sequences]
        for (number, position), tag in zip(places, tags, strict=True):
            if number >= 0 and labels[number][position] == IGNORED:
                labels[number][position] = tag
        return Item([tokens for tokens, _ in sequences], labels, places, encoder.split_words)

    def training_items(self, items: list[Item]) -> list[Item]:
        """Chunks: a batch of documents would be any number of sequences."""
        return [part for item in items for part in item.apart()]

    def targets(self, items: Sequence[Item], length: int, left: bool) -> torch.Tensor:
        """``[sequences, length]``, -100 where a token carries no tag."""
        import torch

        rows = [labels for item in items for labels in item.labels]
        return torch.tensor([padded(row, length, left) for row in rows])

    def outputs(self, task: TaskSpec, logits: torch.Tensor, owner: torch.Tensor) -> torch.Tensor:
        """As they are, ``[sequences, length, width]``."""
        return logits

    def loss(self, task: TaskSpec, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Cross-entropy, the mean over the tokens that carry a tag."""
        return tag_loss(outputs, labels)

    def loss_weight(self, labels: torch.Tensor) -> int:
        """Tokens that carry a tag."""
        return int((labels != IGNORED).sum())

    def decode(self, task: TaskSpec, items: Sequence[Item], outputs: torch.Tensor) -> list[Any]:
        """Tag names of every word; ``O`` (or the first tag) for a word without a token."""
        best = outputs.argmax(-1).cpu().numpy()
        default = "O" if "O" in task.labels else task.labels[0]
        predictions, first = [], 0
        for item in items:
            tags = [
                default if number < 0 else task.labels[best[first + number, position]]
                for number, position in item.places
            ]
            predictions.append(tags if item.as_published else continued(tags, item.places))
            first += len(item.inputs)
        return predictions

    def decode_scored(
        self, task: TaskSpec, items: Sequence[Item], outputs: torch.Tensor
    ) -> list[Any]:
        """``(tags, probabilities)`` of the words of each row."""
        best = outputs.float().softmax(-1).amax(-1).cpu().numpy()
        found, first = [], 0
        for item, tags in zip(items, self.decode(task, items, outputs), strict=True):
            scores = [
                0.0 if number < 0 else float(best[first + number, position])
                for number, position in item.places
            ]
            found.append((tags, scores))
            first += len(item.inputs)
        return found

    def score(
        self, task: TaskSpec, predictions: Any, references: Any, mode: str = "default"
    ) -> dict[str, Any]:
        """Entity F1 of tag names."""
        from doctobert_hf.metrics import entity_f1

        sides = self.tag_sequences(predictions), self.tag_sequences(references)
        return entity_f1(*sides, mode=cast(Literal["default", "strict"], mode))

    def tag_sequences(self, rows: Any) -> Any:
        """Tags of rows as sequences of which each has at most one entity at a place."""
        return rows

    def row_counts(self, task: TaskSpec, counts: np.ndarray) -> np.ndarray:
        """Bring counts of :meth:`tag_sequences` to rows."""
        return counts

    def score_test(
        self, task: TaskSpec, predictions: Any, references: Any, items: Sequence[Item], legacy: bool
    ) -> dict[str, Any]:
        """Strict mode too, and half points for wrong ends."""
        from doctobert_hf.metrics import partial_entity_f1

        predictions, references = self.counted(predictions, references, items, legacy)
        scores = self.score(task, predictions, references)
        others = {
            "strict": self.score(task, predictions, references, "strict"),
            "partial": partial_entity_f1(*map(self.tag_sequences, (predictions, references))),
        }
        numbers = {
            name: {key: value for key, value in table.items() if not isinstance(value, dict)}
            for name, table in others.items()
        }
        return scores | numbers

    def counted(
        self, predictions: Any, references: Any, items: Sequence[Item], legacy: bool
    ) -> tuple[Any, Any]:
        """The published code knows nothing of words behind its limit: they do not count there."""
        if not legacy:
            return predictions, references
        kept = [[place != (-1, -1) for place in item.places] for item in items]
        without, right = (
            [[tag for tag, keep in zip(row, mask) if keep] for row, mask in zip(rows, kept)]
            for rows in (predictions, references)
        )
        return without, right

    def decided(self, task: TaskSpec, predictions: Any, references: Any) -> tuple[Any, Any]:
        """Sequences of tag names; of layers, one for each."""
        return self.tag_sequences(predictions), self.tag_sequences(references)

    def counts(
        self, task: TaskSpec, predictions: Any, references: Any, ids: Sequence[str]
    ) -> Counts | None:
        """Entity F1 in default mode."""
        import numpy as np

        from doctobert_hf.metrics import entity_counts

        def f1(sums: np.ndarray) -> np.ndarray:
            both = sums[..., 1] + sums[..., 2]
            return np.divide(2.0 * sums[..., 0], both, out=np.zeros(both.shape), where=both > 0)

        counts = entity_counts(*map(self.tag_sequences, (predictions, references)))
        return Counts(tuple(ids), self.row_counts(task, counts), f1)

    def trainer_rows(
        self, task: TaskSpec, logits: np.ndarray, labels: np.ndarray
    ) -> tuple[Any, Any]:
        """Logits ``(examples, length, labels)``, labels with -100 where a position is no word."""
        self.check_width(task, logits, labels)
        kept, names = labels != IGNORED, task.labels
        predicted, right = (
            [[names[i] for i in row[keep]] for row, keep in zip(rows, kept, strict=True)]
            for rows in (logits.argmax(axis=-1), labels)
        )
        return predicted, right

    def predict_texts(
        self, task: TaskSpec, texts: Sequence[str], encoder: ExampleEncoder, predict: Predict
    ) -> list[list[dict[str, Any]]]:
        """Entities with ``start, end, type, text, score``."""
        found: list[list[dict[str, Any]]] = [[] for _ in texts]
        spans = [word_spans(text) for text in texts]
        filled = [number for number, words in enumerate(spans) if words]
        rows = [
            {
                "text": texts[n],
                "tokens": [texts[n][a:b] for a, b in spans[n]],
                "starts": [a for a, _ in spans[n]],
                task.label_column: self.no_tags(task, len(spans[n])),
            }
            for n in filled
        ]
        predictions = predict(self.encode(encoder, rows))
        for number, prediction in zip(filled, predictions, strict=True):
            found[number] = self.entities(task, texts[number], spans[number], prediction)
        return found

    def no_tags(self, task: TaskSpec, words: int) -> Any:
        """What stands for the tags of a text that has none yet."""
        return [0] * words

    def entities(
        self, task: TaskSpec, text: str, spans: Sequence[tuple[int, int]], prediction: Any
    ) -> list[dict[str, Any]]:
        """Entities of a text from what :meth:`decode_scored` gives."""
        tags, scores = prediction
        return entities_of(text, spans, tags, scores, task.max_gap)


def padded(row: list[int], length: int, left: bool) -> list[int]:
    """Fill a sequence's labels up to a length."""
    filler = [IGNORED] * (length - len(row))
    return filler + row if left else row + filler


def tag_loss(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy, the mean over the labels that are not -100; 0 where there is none."""
    import torch

    total = torch.nn.functional.cross_entropy(
        outputs.float().reshape(-1, outputs.shape[-1]),
        labels.reshape(-1),
        ignore_index=IGNORED,
        reduction="sum",
    )
    return total / (labels != IGNORED).sum().clamp(min=1)


def continued(tags: list[str], places: list[tuple[int, int]]) -> list[str]:
    """Words that share a token are one entity: ``B-X I-X``, not ``B-X B-X``.

    Tokenizers join what words keep apart: ``++``, ``+/-``, ``°C`` in XLM-R's vocabulary.
    """
    return [
        "I-" + tag[2:] if n and place == places[n - 1] != (-1, -1) and tag[:2] == "B-" else tag
        for n, (tag, place) in enumerate(zip(tags, places, strict=True))
    ]


def entities_of(
    text: str,
    spans: Sequence[tuple[int, int]],
    tags: Sequence[str],
    scores: Sequence[float],
    max_gap: int = 0,
) -> list[dict[str, Any]]:
    """Make entities of words' tags, as the F1 counts them: an ``I-`` after another type starts one.

    Args:
        text: The document.
        spans: Characters of each word.
        tags: ``O``, ``B-type`` or ``I-type`` of each word.
        scores: Probability of each word's tag.
        max_gap: Words between two fragments of one entity: an ``I-`` that starts one belongs to
            the entity of its type that ended no more than so many words before. Such an entity
            has ``fragments``, the F1 counts each of them.

    Example:
        >>> entities_of("Pas de fièvre", [(0, 3), (4, 6), (7, 13)], ["O", "O", "B-X"], [1, 1, 0.5])
        [{'start': 7, 'end': 13, 'type': 'X', 'text': 'fièvre', 'score': 0.5}]
    """
    found: list[tuple[str, list[list[int]]]] = []  # type, and words first:last of each fragment
    before = "O"
    for number, tag in enumerate(tags):
        if tag != "O":
            kind = tag[2:]
            last = next((runs for name, runs in reversed(found) if name == kind), None)
            if tag[0] == "I" and before != "O" and before[2:] == kind and last:
                last[-1][1] = number
            elif tag[0] == "I" and last and number - last[-1][1] - 1 <= max_gap and max_gap:
                last.append([number, number])
            else:
                found.append((kind, [[number, number]]))
        before = tag
    return [_entity(text, spans, scores, kind, runs) for kind, runs in found]


def _entity(
    text: str,
    spans: Sequence[tuple[int, int]],
    scores: Sequence[float],
    kind: str,
    runs: Sequence[Sequence[int]],
) -> dict[str, Any]:
    start, end = spans[runs[0][0]][0], spans[runs[-1][1]][1]
    words = [number for first, last in runs for number in range(first, last + 1)]
    entity = {
        "start": start,
        "end": end,
        "type": kind,
        "text": text[start:end],
        "score": round(sum(scores[number] for number in words) / len(words), 6),
    }
    if len(runs) > 1:
        entity["fragments"] = [[spans[first][0], spans[last][1]] for first, last in runs]
    return entity


FAMILIES = (TokenClassification(),)
