"""Exact match ratio of questions with several right answers, as an ``evaluate`` module over ``doctobert_hf.metrics.exact_match_ratio``."""

import datasets
import evaluate

from doctobert_hf.metrics import exact_match_ratio

_DESCRIPTION = """Share of questions whose chosen answers are exactly the right ones."""
_CITATION = """@inproceedings{labrak:hal-03824241, author = {Labrak, Y. and others}, title = {FrenchMedMCQA}, booktitle = {LOUHI}, year = {2022}}"""


class ExactMatchRatio(evaluate.Metric):
    """Exact match ratio of questions with several right answers."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=exact_match_ratio.__doc__,
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
        return exact_match_ratio(predictions, references)
