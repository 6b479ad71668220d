"""A fine-tuned model on new text of any length, by the evaluator's own words and chunks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from doctobert_hf.corpus import require_texts
from doctobert_hf.drbenchmark.families import Item, family_of, find_family
from doctobert_hf.drbenchmark.finetuning.encoding import ExampleEncoder
from doctobert_hf.drbenchmark.finetuning.prediction import predict_items
from doctobert_hf.drbenchmark.finetuning.saving import TaskRecord, read_record
from doctobert_hf.drbenchmark.spec import TaskSpec
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.models.opening import fetch_folder


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

    Example:
        >>> predictor = Predictor.from_pretrained("my-ner/model")
        >>> [entities] = predictor(["Il reçoit aspirine 5 mg."])
        >>> {entity["type"] for entity in entities} <= {"DRUG"}
        True
    """

    def __init__(self, model: Any, tokenizer: Any, record: TaskRecord) -> None:
        self.model, self.tokenizer, self.record = model, tokenizer, record
        self.task: TaskSpec = record.spec()
        self.encoder = ExampleEncoder(
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
            folder: ``model`` of a fine-tuning run, the run itself, a folder of ``export``, or the
                Hub id of a model that was published from one.
            device: ``cpu``, ``cuda``, ...; default: a GPU if there is one.
            onnx: Run the exported model, on the processor.

        Raises:
            UsageError: The folder holds no such model.
            DataError: Its weights or labels are not those of its record.
        """
        import torch
        from transformers import AutoTokenizer

        place = fetch_folder(folder)
        place = place / "model" if (place / "model" / "config.json").is_file() else place
        record = read_record(place)
        if onnx:
            from doctobert_hf.drbenchmark.onnx_model import open_exported

            tokenizer = AutoTokenizer.from_pretrained(place, trust_remote_code=False)
            return cls(open_exported(place), tokenizer, record)
        if (place / "model.onnx").is_file() and not list(place.glob("*.safetensors")):
            raise UsageError(f"'{place}' holds an ONNX model", "onnx=True", "Pass --onnx")
        model, report = (
            find_family(record.kind)
            .head()
            .from_pretrained(
                place, output_loading_info=True, dtype="float32", trust_remote_code=False
            )
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
        try:
            return cls(model.to(chosen), tokenizer, record)
        except (AssertionError, RuntimeError, NotImplementedError) as error:
            raise UsageError(
                f"The device '{chosen}' cannot be used ({str(error).splitlines()[0]})",
                "cpu, or a device of this machine",
            ) from error

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
        require_texts(texts)
        texts = list(texts)
        for number, text in enumerate(texts):
            if not isinstance(text, str):
                raise UsageError(f"Text {number} is a {type(text).__name__}", "a string")
        return family_of(self.task).predict_texts(self.task, texts, self.encoder, self.predict)

    def predict(self, items: Sequence[Item]) -> list[Any]:
        """Predict encoded rows: tags and probabilities of words, or logits."""
        return predict_items(self.task, self.model, self.tokenizer, items, scored=True)

    def similarity(self, pairs: Iterable[tuple[str, str]]) -> list[float]:
        """Return the score of each pair of texts.

        Raises:
            UsageError: The model was trained for something else.
        """
        return family_of(self.task).predict_pairs(self.task, pairs, self.encoder, self.predict)
