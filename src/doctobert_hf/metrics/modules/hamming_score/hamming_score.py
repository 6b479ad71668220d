"""Hamming score of questions with several right answers, as an ``evaluate`` module over ``doctobert_hf.metrics.hamming_score``."""

import datasets
import evaluate

from doctobert_hf.metrics import hamming_score

_DESCRIPTION = """Mean share of chosen or right answers that are both."""
_CITATION = """@inproceedings{labrak:hal-03824241, author = {Labrak, Y. and others}, title = {FrenchMedMCQA}, booktitle = {LOUHI}, year = {2022}}"""


class HammingScore(evaluate.Metric):
    """Hamming score of questions with several right answers."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=hamming_score.__doc__,
            features=[
                datasets.Features(
                    {
                        "predictions": datasets.Sequence(datasets.Value("string")),
                        "references": datasets.Sequence(datasets.Value("string")),
                    }
                ),
                datasets.Features(
                    {
                        "predictions": datasets.Sequence(datasets.Value("int64")),
                        "references": datasets.Sequence(datasets.Value("int64")),
                    }
                ),
            ],
        )

    def _compute(self, predictions: list, references: list) -> dict:
        return hamming_score(predictions, references)
