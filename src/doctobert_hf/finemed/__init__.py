"""FineMed: annotated French medical documents, filtered, rephrased and mixed for training."""

from doctobert_hf.finemed.density import find_terms, medical_term_density
from doctobert_hf.finemed.taxonomy import BIOCLI5, ENTITY_TYPES, SUBDOMAINS

__all__ = ["BIOCLI5", "ENTITY_TYPES", "SUBDOMAINS", "find_terms", "medical_term_density"]
