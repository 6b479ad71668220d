"""Entity precision, recall and F1, as an ``evaluate`` module over ``doctobert_hf.metrics.entity_f1``."""

from typing import Literal

import datasets
import evaluate

from doctobert_hf.metrics import entity_f1

_DESCRIPTION = """Micro and per-type scores of entities in IOB2 tags, equal to seqeval's default and strict modes."""
_CITATION = """@misc{seqeval, author = {Nakayama, Hiroki}, title = {seqeval}, year = {2018}}"""


class EntityF1(evaluate.Metric):
    """Entity precision, recall and F1."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=entity_f1.__doc__,
            features=datasets.Features(
                {
                    "predictions": datasets.Sequence(datasets.Value("string")),
                    "references": datasets.Sequence(datasets.Value("string")),
                }
            ),
        )

    def _compute(
        self, predictions: list, references: list, mode: Literal["default", "strict"] = "default"
    ) -> dict:
        return entity_f1(predictions, references, mode=mode)
