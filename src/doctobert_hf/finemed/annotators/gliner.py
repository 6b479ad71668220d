"""Medical terms by GLiNER2 over the whole document, in windows, with character offsets.

The published code looked at the middle 512 tokens of each document. Here GLiNER2's own extraction
for long documents slides over all of it; its windows leave room for the entity types and their
descriptions, which take part of the encoder's 512 tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.annotators.lexicon import Term
from doctobert_hf.finemed.taxonomy import ENTITY_TYPES

WINDOW = 192
"""Words of a window: with about 1.6 tokens a word and 150 for the types, within 512 tokens."""
OVERLAP = 32
"""Words that neighbouring windows share, so that no term is cut by an edge."""
DESCRIPTIONS = {
    "disease": "Disease, syndrome, injury, symptom or clinical finding",
    "drug": "Substance given as treatment: medicine, vaccine, drug class, contrast agent",
    "body_part": "Anatomy: organ, tissue, cell, body fluid or region",
    "medical_procedure": "Examination, surgery, laboratory test or imaging",
    "molecular_marker": "Gene, protein, enzyme, receptor or analyte",
    "clinical_device": "Manufactured medical object: implant, instrument, monitor",
    "vital_function": "Physiological parameter: pulse, blood pressure, temperature",
    "living_beings": "Organism other than man: bacterium, virus, parasite, model animal",
}


class GlinerExtractor:
    """A GLiNER2 model by path or Hub id.

    Args:
        name: Model.
        revision: Revision of the model.
        threshold: Least score of a term.
        batch_size: Windows at once.

    Raises:
        UsageError: gliner2 is not installed, or the model cannot be loaded.
    """

    def __init__(
        self,
        name: str,
        revision: str | None = None,
        threshold: float = 0.5,
        batch_size: int = 16,
    ) -> None:
        self.name, self.threshold, self.batch_size = name, threshold, batch_size
        try:
            from gliner2 import AutoExtractor
        except ImportError as error:
            raise UsageError(
                f"The term extractor '{name}' without gliner2",
                fix="Install it (pip install gliner2), or choose terms: lexicon",
            ) from error
        more = {"revision": revision} if revision else {}
        try:
            self.model = AutoExtractor.from_pretrained(name, **more, trust_remote_code=False)
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(
                f"The term extractor '{name}' cannot be loaded ({str(error).splitlines()[0]})",
                "a GLiNER2 model by path or Hub id",
                "Check the name and the network, or choose terms: lexicon",
            ) from error

    def find(self, texts: Sequence[str]) -> list[list[Term]]:
        """Terms of each text, in order, with offsets in the whole text.

        Raises:
            DataError: The model names a type that the taxonomy lacks.
        """
        if not texts:
            return []
        answers = self.model.batch_extract_entities_long(
            list(texts),
            DESCRIPTIONS,
            batch_size=self.batch_size,
            threshold=self.threshold,
            include_spans=True,
            chunk_size=WINDOW,
            chunk_overlap=OVERLAP,
        )
        return [_terms(answer["entities"], self.name) for answer in answers]


def _terms(entities: dict[str, list[Any]], name: str) -> list[Term]:
    unknown = set(entities) - set(ENTITY_TYPES)
    if unknown:
        raise DataError(f"'{name}' gives the types {sorted(unknown)}", ", ".join(ENTITY_TYPES))
    found = (
        Term(span["start"], span["end"], kind) for kind, spans in entities.items() for span in spans
    )
    return sorted(found)
