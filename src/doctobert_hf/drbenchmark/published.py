"""Scores of eleven models on the seven tasks, as the DoctoBERT paper prints them.

Source: table 5 of the DoctoBERT paper (Doctolib, 2026; arXiv 2606.22079): mean F1 of five seeds
under what is here ``protocol="doctobert"``. The printed Min-Max values follow from the printed
cells to within 1.0: two cells seem to differ from those they were computed with (BioClinical-
ModernBERT on MEDLINE, 45.78 would fit, and one of CamemBERT's). WP follows exactly.
"""

from __future__ import annotations

TASKS = (
    *("quaero_emea", "quaero_medline", "e3c_clinical", "e3c_temporal"),
    *("morfitt", "deft2021_ner", "diamed"),
)
_CELLS = {
    "BioBERT": (58.77, 50.29, 55.02, 78.29, 66.99, 56.72, 59.26),
    "BioClinical-ModernBERT": (44.74, 44.44, 49.53, 76.11, 67.42, 53.97, 52.07),
    "ModernBERT-bio": (56.84, 46.60, 53.76, 78.85, 68.57, 56.43, 61.06),
    "CamemBERT": (65.43, 56.18, 59.82, 83.81, 71.54, 62.40, 60.26),
    "ModernCamemBERT": (61.98, 55.46, 57.62, 83.11, 70.01, 60.01, 53.26),
    "DrBERT-7GB": (64.37, 57.18, 58.01, 82.44, 70.42, 61.08, 64.87),
    "CamemBERT-bio": (64.98, 59.03, 61.40, 84.88, 71.48, 64.73, 64.63),
    "TransBERT-bio-fr": (67.37, 59.96, 62.36, 84.48, 74.04, 65.48, 70.91),
    "ModernCamemBERT-bio": (65.35, 56.81, 58.63, 83.31, 71.21, 61.35, 67.77),
    "DoctoBERT-fr": (68.39, 62.54, 62.75, 84.60, 73.36, 66.41, 72.56),
    "DoctoModernBERT-fr": (65.71, 59.65, 59.62, 84.06, 71.87, 63.81, 71.60),
}
SCORES: dict[str, dict[str, float]] = {
    model: dict(zip(TASKS, cells, strict=True)) for model, cells in _CELLS.items()
}
"""F1 in percent by model and task."""
MIN_MAX = dict(
    zip(
        _CELLS,
        (29.97, 0.88, 29.35, 69.37, 52.69, 65.08, 80.83, 93.88, 71.37, 98.17, 83.15),
        strict=True,
    )
)
"""Min-Max as printed."""
WIN_PROBABILITY = dict(
    zip(
        _CELLS,
        (15.71, 1.43, 17.14, 57.14, 28.57, 44.29, 70.00, 88.57, 54.29, 97.14, 75.71),
        strict=True,
    )
)
"""Win probability as printed."""
