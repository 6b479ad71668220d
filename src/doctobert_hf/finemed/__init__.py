"""FineMed: annotated French medical documents, filtered, rephrased and mixed for training."""

from doctobert_hf.finemed import filters
from doctobert_hf.finemed.density import find_terms, medical_term_density
from doctobert_hf.finemed.masking import deidentify
from doctobert_hf.finemed.personal_data import count_personal_data
from doctobert_hf.finemed.rephrase.fidelity import check_rewrite
from doctobert_hf.finemed.taxonomy import BIOCLI5, ENTITY_TYPES, SUBDOMAINS

__all__ = [
    "BIOCLI5",
    "ENTITY_TYPES",
    "SUBDOMAINS",
    "check_rewrite",
    "count_personal_data",
    "deidentify",
    "filters",
    "find_terms",
    "medical_term_density",
]
