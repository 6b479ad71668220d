"""A fine-tuned model on new text of any length, by the evaluator's own words and chunks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from doctobert_hf.drbenchmark.finetuning.encoding import Item, RowEncoder
from doctobert_hf.drbenchmark.finetuning.prediction import decode_with_scores, predict_items
from doctobert_hf.drbenchmark.finetuning.saving import TaskRecord, read_record
from doctobert_hf.drbenchmark.spec import TaskSpec
from doctobert_hf.drbenchmark.words import word_spans
from doctobert_hf.errors import DataError, UsageError


class Predictor:
    """Finds entities, classes or similarities in French text, as the model's score was measured.

    Documents are cut along their structure to the model's length and put together again, so that
    nothing behind the first 512 tokens is lost; the entities are those whose F1 was printed.

    Args:
        model: Encoder with a head.
        tokenizer: Its tokenizer.
        record: What it was trained for.

    Example:
        Given a folder of ``doctobert-hf finetune``::

            predictor = Predictor.from_pretrained("my-ner/model")
            [entities] = predictor(["Pas de fièvre."])
            entities[0]  # {"start": 7, "end": 13, "type": "DISO", "text": "fièvre", "score": 0.98}
    """

    def __init__(self, model: Any, tokenizer: Any, record: TaskRecord) -> None:
        self.model, self.tokenizer, self.record = model, tokenizer, record
        self.task: TaskSpec = record.spec()
        self.encoder = RowEncoder(
            self.task,
            tokenizer,
            record.max_length,
            record.long_inputs,  # type: ignore[arg-type]
            split_words=record.split_words,
        )

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, device: str | None = None, onnx: bool = False
    ) -> Predictor:
        """Open a fine-tuned model.

        Args:
            folder: ``model`` of a fine-tuning run, the run itself, or a folder of ``export``.
            device: ``cpu``, ``cuda``, ...; default: a GPU if there is one.
            onnx: Run the exported model, on the processor.

        Raises:
            UsageError: The folder holds no such model.
            DataError: Its weights or labels are not those of its record.
        """
        import torch
        from transformers import (
            AutoModelForSequenceClassification,
            AutoModelForTokenClassification,
            AutoTokenizer,
        )

        place = Path(folder)
        place = place / "model" if (place / "model" / "config.json").is_file() else place
        record = read_record(place)
        if onnx:
            from doctobert_hf.drbenchmark.export import open_exported

            tokenizer = AutoTokenizer.from_pretrained(place, trust_remote_code=False)
            return cls(open_exported(place), tokenizer, record)
        if (place / "model.onnx").is_file() and not list(place.glob("*.safetensors")):
            raise UsageError(f"'{place}' holds an ONNX model", "onnx=True", "Pass --onnx")
        words = record.kind == "token-classification"
        maker: Any = (
            AutoModelForTokenClassification if words else AutoModelForSequenceClassification
        )
        model, report = maker.from_pretrained(
            place, output_loading_info=True, dtype="float32", trust_remote_code=False
        )
        if report["missing_keys"]:
            raise DataError(
                f"'{place}' lacks weights, e.g. '{sorted(report['missing_keys'])[0]}'",
                "a whole model",
                "Fine-tune it again",
            )
        own = [model.config.id2label[i] for i in range(model.config.num_labels)]
        if len(own) > 1 and own != list(record.labels):
            raise DataError(f"The labels of '{place}' are not those of its record", "the same")
        tokenizer = AutoTokenizer.from_pretrained(place, trust_remote_code=False)
        chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
        return cls(model.to(chosen), tokenizer, record)

    def __call__(self, texts: Sequence[str]) -> list[list[dict[str, Any]]]:
        """Predict texts.

        Args:
            texts: Documents of any length.

        Returns:
            For each text, entities: ``start, end`` (characters of the text as given, end
            excluded), ``type``, ``text``, ``score`` (mean probability of its words); or classes:
            ``label, score``, the best first (of several labels those at the task's threshold).

        Raises:
            UsageError: One string instead of several, or a task that needs pairs of texts.
        """
        if isinstance(texts, str):
            raise UsageError("One string", "a list of texts", "Pass [text]")
        texts = list(texts)
        for number, text in enumerate(texts):
            if not isinstance(text, str):
                raise UsageError(f"Text {number} is a {type(text).__name__}", "a string")
        if self.task.kind == "token-classification":
            return self._entities(texts)
        if self.task.kind in ("classification", "multilabel-classification"):
            return [self._classes(logits) for logits in self.predict(self._text_items(texts))]
        raise UsageError(
            f"The model was trained for {self.task.kind}",
            "a task on single texts",
            f"Predict its own data: doctobert-hf predict MODEL --task {self.task.name}",
        )

    def predict(self, items: Sequence[Item]) -> list[Any]:
        """Predict encoded rows: tags and probabilities of words, or logits."""
        return predict_items(self.task, self.model, self.tokenizer, items, decode_with_scores)

    def similarity(self, pairs: Iterable[tuple[str, str]]) -> list[float]:
        """Return the score of each pair of texts.

        Raises:
            UsageError: The model was trained for something else.
        """
        if self.task.kind != "similarity":
            raise UsageError(f"The model was trained for {self.task.kind}", "similarity")
        rows = [{"text_1": a, "text_2": b, "score": 0.0} for a, b in pairs]
        return [float(outputs[0]) for outputs in self.predict(self.encoder(rows))]

    def _text_items(self, texts: Sequence[str]) -> list[Item]:
        return self.encoder([{"text": text, "label": 0, "labels": []} for text in texts])

    def _entities(self, texts: Sequence[str]) -> list[list[dict[str, Any]]]:
        found: list[list[dict[str, Any]]] = [[] for _ in texts]
        spans = [word_spans(text) for text in texts]
        filled = [number for number, words in enumerate(spans) if words]
        rows = [
            {
                "text": texts[n],
                "tokens": [texts[n][a:b] for a, b in spans[n]],
                "starts": [a for a, _ in spans[n]],
                self.task.label_column: [0] * len(spans[n]),
            }
            for n in filled
        ]
        predictions = self.predict(self.encoder(rows))
        for number, (tags, scores) in zip(filled, predictions, strict=True):
            found[number] = entities_of(texts[number], spans[number], tags, scores)
        return found

    def _classes(self, logits: Sequence[float]) -> list[dict[str, Any]]:
        import torch

        values = torch.tensor(logits)
        if self.task.kind == "classification":
            scores = values.softmax(-1).tolist()
            kept = list(range(len(scores)))
        else:
            scores = values.sigmoid().tolist()
            kept = [i for i, score in enumerate(scores) if score >= self.task.threshold]
        order = sorted(kept, key=lambda i: -scores[i])
        return [{"label": self.task.labels[i], "score": scores[i]} for i in order]


def entities_of(
    text: str, spans: Sequence[tuple[int, int]], tags: Sequence[str], scores: Sequence[float]
) -> list[dict[str, Any]]:
    """Make entities of words' tags, as the F1 counts them: an ``I-`` after another type starts one.

    Args:
        text: The document.
        spans: Characters of each word.
        tags: ``O``, ``B-type`` or ``I-type`` of each word.
        scores: Probability of each word's tag.

    Example:
        >>> entities_of("Pas de fièvre", [(0, 3), (4, 6), (7, 13)], ["O", "O", "B-X"], [1, 1, 0.5])
        [{'start': 7, 'end': 13, 'type': 'X', 'text': 'fièvre', 'score': 0.5}]
    """
    found: list[tuple[int, int, str]] = []  # words first:last and type
    before = "O"
    for number, tag in enumerate(tags):
        if tag != "O":
            kind = tag[2:]
            if tag[0] == "I" and before != "O" and before[2:] == kind:
                first, _, _ = found[-1]
                found[-1] = (first, number, kind)
            else:
                found.append((number, number, kind))
        before = tag
    return [
        {
            "start": spans[first][0],
            "end": spans[last][1],
            "type": kind,
            "text": text[spans[first][0] : spans[last][1]],
            "score": round(sum(scores[first : last + 1]) / (last + 1 - first), 6),
        }
        for first, last, kind in found
    ]
