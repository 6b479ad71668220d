"""What a quickstart says of itself in ``run.json``, in the words that cards and reports read."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from doctobert_hf.hub.cards.records import logged
from doctobert_hf.quickstart.config import QuickstartConfig


def run_results(config: QuickstartConfig, folder: Path, records: dict[str, Any]) -> dict[str, Any]:
    """Return the results of the stages that are done.

    Args:
        config: Configuration of the run.
        folder: The run's folder, whose training logs are read.
        records: Records of the stages.

    Example:
        >>> done = {"corpus": {"source": "notes.parquet", "documents": 9}}
        >>> run_results(QuickstartConfig(), Path("."), done)["corpus"]["generated"]
        True
    """
    found: dict[str, Any] = {k: records[k] for k in ("tokenizer", "chunks") if k in records}
    if "corpus" in records:
        source = Path(str(records["corpus"]["source"])).name
        found["corpus"] = {
            **records["corpus"],
            "source": source,
            "generated": config.corpus is None,
        }
    if phases := _phases(config, folder, records):
        found["phases"] = phases
    evaluation = records.get("evaluation", {})
    found |= {key: evaluation[key] for key in ("held_out", "fill_mask") if key in evaluation}
    measured = records.get("drbenchmark", {}).get("benchmark", {})
    if measured.get("made_up"):
        found["made_up_task"] = measured["task"]
    if measured:
        found["benchmark"] = "benchmark"
    return found


def _phases(
    config: QuickstartConfig, folder: Path, records: dict[str, Any]
) -> list[dict[str, Any]]:
    values = asdict(config)
    shared = {key: values[key] for key in ("max_length", "learning_rate")}
    found = []
    for phase, name in (("phase1", "whole mix"), ("phase2", "medical subset")):
        if phase in records:
            log = logged(folder / "pretraining" / phase)
            # The stage's own time has the measuring before and after in it.
            times = {key: log[key] for key in ("seconds", "tokens_per_second") if key in log}
            rate = {"name": name, "mlm_probability": values[f"{phase}_mlm_probability"]}
            found.append({**shared, **records[phase], **times, **rate})
    return found
