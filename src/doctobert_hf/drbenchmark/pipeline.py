"""A Transformers pipeline that finds the entities whose F1 was printed."""

from __future__ import annotations

from typing import Any

from transformers import Pipeline

from doctobert_hf.drbenchmark.finetuning.saving import read_record
from doctobert_hf.drbenchmark.predictor import Predictor


class EntitiesPipeline(Pipeline):
    """``pipeline("doctobert-entities", model=FOLDER)``, once ``doctobert_hf`` is imported.

    The stock ``token-classification`` pipeline cuts at the model's length and makes words its own
    way; this one cuts documents along their structure and puts them together again
    (:class:`~doctobert_hf.drbenchmark.Predictor`).

    Example:
        Given a folder of ``doctobert-hf finetune``::

            import doctobert_hf
            from transformers import pipeline

            find = pipeline("doctobert-entities", model="my-ner/model")
            find("Pas de fièvre.")  # [{"start": 7, "end": 13, "type": "DISO", ...}]
    """

    _load_tokenizer: Any = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        record = read_record(str(self.model.name_or_path))
        self.predictor = Predictor(self.model, self.tokenizer, record)

    def _sanitize_parameters(self, **_: Any) -> tuple[dict, dict, dict]:
        return {}, {}, {}

    def preprocess(self, input_: Any, **_: Any) -> dict[str, Any]:
        """Take a text as it is."""
        return {"text": input_}

    def _forward(self, input_tensors: dict[str, Any], **_: Any) -> Any:
        return {"found": self.predictor([input_tensors["text"]])[0]}

    def postprocess(self, model_outputs: dict[str, Any], **_: Any) -> list[dict[str, Any]]:
        """Return the entities: ``start, end, type, text, score``."""
        return model_outputs["found"]
