"""De-identification: personal data replaced by placeholders, with offsets of what was replaced.

Rules over forms, titles and field names (:mod:`.personal_data`): what has no form of its own is
not found, and a text that was masked may still tell who it is about. It is a first pass for a model
and a reader, not a proof of anonymity.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from doctobert_hf.finemed.personal_data import Finding, find_personal_data

if TYPE_CHECKING:
    from doctobert_hf.finemed.config import DeidentifyConfig

PLACEHOLDERS = {
    "email": "|||EMAIL|||",
    "phone": "|||PHONE_NUMBER|||",
    "birth_date": "|||DATE|||",
    "postal_address": "|||ADDRESS|||",
    "name": "|||PATIENT_NAME|||",
}
"""Those that the published tokenizers have as single tokens; other kinds are ``|||KIND|||``."""
_PHYSICIAN = re.compile(
    r"(?:Dr|DR|Dre|Docteure?|DOCTEUR|Pr|PR|Prof\w*|PROF\w*|[Mm][ée]decin[^:\n]{0,20}:)\.?\s*\Z"
)
COLUMNS = ("personal_data", "personal_data_count")


def deidentify(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Replace personal data by placeholders.

    Args:
        text: A document.

    Returns:
        The text with placeholders, and what was replaced, in order: ``start, end`` (characters of
        the text as given, end excluded), ``kind`` and ``replacement``.

    Raises:
        UsageError: Not a string, or the extra ``finemed`` is missing.

    Example:
        >>> deidentify("Vu par le Dr MARTIN, tél. 01 42 34 56 78.")[0]
        'Vu par le Dr |||PHYSICIAN|||, tél. |||PHONE_NUMBER|||.'
    """
    pieces, replaced, at = [], [], 0
    for finding in find_personal_data(text):
        placeholder = _placeholder(text, finding)
        pieces += [text[at : finding.start], placeholder]
        at = finding.end
        replaced.append(
            {
                "start": finding.start,
                "end": finding.end,
                "kind": finding.kind,
                "replacement": placeholder,
            }
        )
    return "".join([*pieces, text[at:]]), replaced


def _placeholder(text: str, finding: Finding) -> str:
    before = text[max(0, finding.start - 30) : finding.start]
    if finding.kind == "name" and _PHYSICIAN.search(before):
        return "|||PHYSICIAN|||"
    return PLACEHOLDERS.get(finding.kind, f"|||{finding.kind.upper()}|||")


def deidentify_documents(config: DeidentifyConfig, overwrite: bool = False) -> dict[str, Any]:
    """Run the stage and return its manifest.

    Documents get the columns ``personal_data`` (JSON of what was replaced, offsets of the text as
    it was) and ``personal_data_count``.

    Raises:
        UsageError: The extra is missing, or the output holds another run.
        DataError: The input cannot be read.
    """
    import pyarrow as pa

    from doctobert_hf.finemed.input_columns import input_schema
    from doctobert_hf.finemed.personal_data import KINDS
    from doctobert_hf.finemed.stage import Stage

    deidentify("")  # a missing extra is told before anything is written
    config.check_input()
    schema = input_schema(config)
    for name, kind in zip(COLUMNS, (pa.string(), pa.int64()), strict=True):
        if name in schema.names:
            schema = schema.remove(schema.get_field_index(name))
        schema = schema.append(pa.field(name, kind))
    with Stage("deidentify", config, overwrite=overwrite) as stage:
        if (done := stage.finished()) is not None:
            return done
        if not stage.run([*stage.readers(), masking_step(), stage.writer(schema)]):
            return {}
        return stage.close(
            read=stage.counted("rows"),
            personal_data={
                kind: {
                    "documents": stage.counted(f"pii_documents_{kind}"),
                    "matches": stage.counted(f"pii_{kind}"),
                }
                for kind in KINDS
            },
        )


def masking_step() -> Any:
    """Return a datatrove step that masks texts and counts what it replaced."""
    from datatrove.pipeline.base import PipelineStep

    class Deidentify(PipelineStep):
        """Masks personal data."""

        name = "de-identify"
        type = "FineMed"

        def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
            """Yield the documents masked."""
            for document in data:
                document.text, replaced = deidentify(document.text)
                for kind, count in Counter(item["kind"] for item in replaced).items():
                    self.stat_update(f"pii_{kind}", value=count)
                    self.stat_update(f"pii_documents_{kind}")
                found = json.dumps(replaced, ensure_ascii=False)
                document.metadata |= dict(zip(COLUMNS, (found, len(replaced)), strict=True))
                yield document

    return Deidentify()
