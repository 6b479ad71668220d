"""The benchmark's stage: the run's own model beside itself untrained, and the report of both."""

from __future__ import annotations

from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

from doctobert_hf.corpus.sample_notes import write_notes
from doctobert_hf.quickstart.config import QuickstartConfig

if TYPE_CHECKING:
    from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig

SEEDS = (42, 43, 44)
MAX_ROWS = 400
NAMES = {"model": "quickstart", "untrained": "quickstart, untrained"}


def benchmark_record(config: QuickstartConfig, folder: Path, real: bool) -> dict[str, Any]:
    """Fine-tune both models on a task, through the benchmark's own commands' code.

    Args:
        config: Sizes of the run.
        folder: The run; results go to ``benchmark``.
        real: Whether QUAERO MEDLINE's raw files are there; else it is annotated notes that are
            made up.

    Returns:
        ``task, metric, rows``, and by model its ``scores`` in percent, a seed each.
    """
    from doctobert_hf.drbenchmark.finetuning.encoder import Encoder
    from doctobert_hf.drbenchmark.finetuning.runner import Benchmark
    from doctobert_hf.drbenchmark.report.write import write_report
    from doctobert_hf.errors import DataError

    settings = benchmark_settings(config, folder, real)
    if settings.corpus is not None:
        write_notes(settings.corpus, config.seed)
    scores, record = {}, {}
    for place, name in NAMES.items():
        outcome = Benchmark(Encoder.find(str(folder / place), name=name), settings).run()
        if outcome.failed:
            raise DataError(f"The benchmark failed: {outcome.failed[0]['error']}")
        scores[name] = [100 * result.score for result in outcome.done]
        record = {
            "task": outcome.done[0].cell.task,
            "metric": outcome.done[0].metric,
            "rows": outcome.done[0].data["rows"],
            "made_up": not real,
        }
    write_report(settings.output, settings.output / "report")
    return {**record, "scores": scores, "means": {name: mean(v) for name, v in scores.items()}}


def benchmark_settings(config: QuickstartConfig, folder: Path, real: bool) -> BenchmarkConfig:
    """Return how models are fine-tuned in this run; without data, on notes that are made up."""
    from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig

    corpus = None if real else folder / "data" / "notes"
    return BenchmarkConfig(
        tasks=("quaero_medline",) if real else BenchmarkConfig.tasks,
        protocol="doctobert" if real else "strict",
        trials=0,
        seeds=SEEDS,
        output=folder / "benchmark",
        data_dir=config.data_dir if real else None,
        corpus=corpus,
        space="tiny/benchmark",
        max_length=config.max_length,
        max_train_rows=MAX_ROWS,
        evaluations=4,
    )
