"""The fine-tuning stage: a model kept, and used on documents it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from doctobert_hf.quickstart.benchmark import benchmark_settings
from doctobert_hf.quickstart.config import QuickstartConfig

DOCUMENTS = 30


def prediction_record(config: QuickstartConfig, folder: Path, real: bool) -> dict[str, Any]:
    """Fine-tune the run's model as ``finetune`` does and annotate held-out documents.

    Args:
        config: Sizes of the run.
        folder: The run; the model goes to ``ner``, the documents to ``annotated.html``.
        real: Whether QUAERO MEDLINE's raw files are there.

    Returns:
        ``task, metric, score`` of the model that is kept, ``documents`` and ``entities`` found.
    """
    import dataclasses

    import pyarrow.parquet as pq
    from datasets import Dataset

    from doctobert_hf.drbenchmark.finetuning.finetune import finetune
    from doctobert_hf.drbenchmark.prediction import predict_files

    settings = benchmark_settings(config, folder, real)
    made = finetune(
        str(folder / "model"),
        folder / "ner",
        "quaero_medline" if real else None,
        dataclasses.replace(settings, seeds=settings.seeds[:1]),
        overwrite=(folder / "ner").exists(),  # of an earlier model of this run
    )
    held_out = folder / "data" / "held_out.parquet"
    documents = Dataset(pq.read_table(held_out))
    source = folder / "data" / "to_annotate.parquet"
    documents.select(range(min(DOCUMENTS, len(documents)))).to_parquet(str(source))
    target = folder / "annotated.html"
    counts = predict_files(folder / "ner", source, target, "html", overwrite=target.exists())
    return {name: made[name] for name in ("task", "metric", "score")} | counts
