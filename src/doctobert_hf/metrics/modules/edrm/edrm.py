"""Mean relative closeness to the solution (EDRM), as an ``evaluate`` module over ``doctobert_hf.metrics.edrm``."""

import datasets
import evaluate

from doctobert_hf.metrics import edrm

_DESCRIPTION = """EDRM of the DEFT campaigns on a scale, with Spearman, Pearson and RMSE."""
_CITATION = """@inproceedings{cardon-etal-2020-presentation, author = {Cardon, R. and Grabar, N. and Grouin, C. and Hamon, T.}, title = {Présentation de la campagne d'évaluation DEFT 2020}, year = {2020}}"""


class Edrm(evaluate.Metric):
    """Mean relative closeness to the solution (EDRM)."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=edrm.__doc__,
            features=datasets.Features(
                {
                    "predictions": datasets.Value("float64"),
                    "references": datasets.Value("float64"),
                }
            ),
        )

    def _compute(
        self, predictions: list, references: list, minimum: float = 0.0, maximum: float = 5.0
    ) -> dict:
        return edrm(predictions, references, minimum=minimum, maximum=maximum)
