"""The annotation stage: the corpus by FineMed's light annotators, with figures."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from doctobert_hf.runs import is_stale

FOLDER = "finemed"


def annotation_record(folder: Path) -> dict[str, Any]:
    """Annotate the run's training documents and count what the published mixes would keep.

    Args:
        folder: The run; the annotated documents go to ``finemed/annotated``, figures to
            ``finemed/statistics``.

    Returns:
        ``documents``, ``medical`` (by the domain rule), ``words``, ``density_mean``, ``kept`` by
        mix; or ``not_run``, the reason.
    """
    if importlib.util.find_spec("datatrove") is None:
        return {"not_run": "pip install 'doctobert-hf[finemed]'"}
    from doctobert_hf.finemed.annotate import annotate
    from doctobert_hf.finemed.config import AnnotateConfig, StatsConfig
    from doctobert_hf.finemed.statistics import statistics

    place = folder / FOLDER
    documents = str(folder / "data" / "train.parquet")
    annotated = place / "annotated"
    manifest = annotate(
        AnnotateConfig(
            input=(documents,),
            output=annotated,
            domain="light",
            subdomain="light",
            quality="light",
            terms="lexicon",
            lexicons=("base",),
        ),
        # The run was moved after it was stopped here: its annotation is begun again.
        overwrite=is_stale(annotated, input=[documents]),
    )
    record = {"documents": manifest["read"], "medical": manifest["documents"]}
    if not manifest["documents"]:
        return {**record, "words": 0, "density_mean": None, "kept": {}}
    found = statistics(
        StatsConfig(
            input=(str(annotated),),
            output=place / "statistics",
            calibration=50,
            plots=False,
        ),
        overwrite=is_stale(place / "statistics", input=[str(annotated)]),
    )
    (source,) = found["sources"].values()
    return {**record, **{key: source[key] for key in ("words", "density_mean", "kept")}}


ANNOTATION_HEADER = ["mix", "documents", "words"]


def annotation_rows(record: dict[str, Any]) -> list[list[str]]:
    """What each published mix would keep of the medical documents."""
    return [
        [name, f"{kept['documents']:,}", f"{kept['words']:,}"]
        for name, kept in record["kept"].items()
    ]
