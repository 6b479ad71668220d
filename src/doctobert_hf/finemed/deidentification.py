"""De-identification: personal data replaced by placeholders, with offsets of what was replaced.

Rules over forms, titles and field names (:mod:`.personal_data`): what has no form of its own is
not found, and a text that was masked may still tell who it is about. It is a first pass for a model
and a reader, not a proof of anonymity.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from doctobert_hf.finemed.masking import deidentify

if TYPE_CHECKING:
    from doctobert_hf.finemed.config import DeidentifyConfig

COLUMNS = ("personal_data", "personal_data_count")


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
