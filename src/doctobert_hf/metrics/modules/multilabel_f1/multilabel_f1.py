"""F1 of multi-label classification, as an ``evaluate`` module over ``doctobert_hf.metrics.multilabel_f1``."""

import datasets
import evaluate

from doctobert_hf.metrics import multilabel_f1

_DESCRIPTION = (
    """Weighted, micro and macro F1 of several classes at once, probabilities cut at a threshold."""
)
_CITATION = """@article{scikit-learn, author = {Pedregosa, F. and others}, title = {Scikit-learn: Machine Learning in Python}, journal = {JMLR}, year = {2011}}"""


class MultilabelF1(evaluate.Metric):
    """F1 of multi-label classification."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=multilabel_f1.__doc__,
            features=datasets.Features(
                {
                    "predictions": datasets.Sequence(datasets.Value("float64")),
                    "references": datasets.Sequence(datasets.Value("int64")),
                }
            ),
        )

    def _compute(self, predictions: list, references: list, threshold: float = 0.5) -> dict:
        return multilabel_f1(predictions, references, threshold=threshold)
