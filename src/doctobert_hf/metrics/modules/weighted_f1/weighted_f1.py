"""F1 of single-label classification, as an ``evaluate`` module over ``doctobert_hf.metrics.weighted_f1``."""

import datasets
import evaluate

from doctobert_hf.metrics import weighted_f1

_DESCRIPTION = """F1 of classes weighted by their frequency, macro F1 and accuracy."""
_CITATION = """@article{scikit-learn, author = {Pedregosa, F. and others}, title = {Scikit-learn: Machine Learning in Python}, journal = {JMLR}, year = {2011}}"""


class WeightedF1(evaluate.Metric):
    """F1 of single-label classification."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=weighted_f1.__doc__,
            features=[
                datasets.Features(
                    {"predictions": datasets.Value("int64"), "references": datasets.Value("int64")}
                ),
                datasets.Features(
                    {
                        "predictions": datasets.Value("string"),
                        "references": datasets.Value("string"),
                    }
                ),
            ],
        )

    def _compute(self, predictions: list, references: list) -> dict:
        return weighted_f1(predictions, references)
