"""FineMed: annotated French medical documents, filtered, rephrased and mixed for training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doctobert_hf.lazy import lazy_names

if TYPE_CHECKING:
    from doctobert_hf.finemed import filters as filters
    from doctobert_hf.finemed.density import (
        find_terms as find_terms,
        medical_term_density as medical_term_density,
    )
    from doctobert_hf.finemed.masking import deidentify as deidentify
    from doctobert_hf.finemed.personal_data import count_personal_data as count_personal_data
    from doctobert_hf.finemed.rephrase.fidelity import check_rewrite as check_rewrite
    from doctobert_hf.finemed.taxonomy import (
        BIOCLI5 as BIOCLI5,
        ENTITY_TYPES as ENTITY_TYPES,
        SUBDOMAINS as SUBDOMAINS,
    )

_NAMES = {
    "BIOCLI5": ".taxonomy",
    "ENTITY_TYPES": ".taxonomy",
    "SUBDOMAINS": ".taxonomy",
    "check_rewrite": ".rephrase.fidelity",
    "count_personal_data": ".personal_data",
    "deidentify": ".masking",
    "find_terms": ".density",
    "medical_term_density": ".density",
}
_MODULES = ("filters",)
__all__ = [*_NAMES, "filters"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _NAMES, _MODULES)
