"""The labels of FineMed's annotation axes.

Source: the FineMed-fr dataset (Doctolib, 2026): 15 subdomains, 8 types of medical entities,
educational quality from 0 to 5.
"""

from __future__ import annotations

SUBDOMAINS = (
    "Clinical cases & vignettes",
    "Clinical guidelines & pathways",
    "Patient education & lifestyle",
    "Wellness, supplements & CAM",
    "Public health, policy & programs",
    "Commercial & promotional",
    "Drugs, trials & regulation",
    "Biomedical & mechanistic science",
    "Medical devices, diagnostics & imaging",
    "Health IT, telemedicine & operations",
    "Occupational health & safety",
    "Health workforce education & training",
    "Health services & facilities",
    "Other health",
    "Others",
)
BIOCLI5 = (
    "Biomedical & mechanistic science",
    "Clinical cases & vignettes",
    "Clinical guidelines & pathways",
    "Drugs, trials & regulation",
    "Medical devices, diagnostics & imaging",
)
"""The five biomedical and clinical subdomains of the annealing mix."""
ENTITY_TYPES = (
    *("disease", "drug", "body_part", "medical_procedure"),
    *("molecular_marker", "clinical_device", "vital_function", "living_beings"),
)
QUALITY = (0, 5)
"""Lowest and highest educational quality, normalised."""
