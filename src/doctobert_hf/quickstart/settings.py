"""What each stage of the quickstart is run with: the commands' own configurations, small."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from doctobert_hf.quickstart.config import QuickstartConfig

if TYPE_CHECKING:
    from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig
    from doctobert_hf.finemed.config import AnnotateConfig, StatsConfig
    from doctobert_hf.pretraining.recipe import PretrainConfig
    from doctobert_hf.retrieval.recipe import RetrievalConfig

TASK = "quaero_medline"
"""Of DrBenchmark, where its raw files are given."""
SEARCHED = 500
"""Documents among whose sections the retriever searches."""


def data_file(folder: Path, name: str) -> Path:
    """Documents of a run, by part: ``train``, ``medical``, ``held_out``, ``search``."""
    return folder / "data" / f"{name}.parquet"


def store_folder(folder: Path, name: str) -> Path:
    """Token store of a part."""
    return folder / "data" / f"{name}_store"


def phase_settings(config: QuickstartConfig, phase: str) -> PretrainConfig:
    """Return a phase as ``doctobert-hf pretrain`` takes it.

    As in DoctoBERT's annealing, phase 2 takes the weights of phase 1 only: fresh optimizer, half
    the peak rate.

    Args:
        config: Sizes of the run.
        phase: ``"phase1"`` or ``"phase2"``.

    Example:
        >>> phase_settings(QuickstartConfig(), "phase2").learning_rate
        0.002
    """
    from doctobert_hf.pretraining.recipe import PretrainConfig

    folder, first = config.output, phase == "phase1"
    tokens = config.phase1_tokens if first else config.phase2_tokens
    sizes = {
        "hidden_size": config.hidden_size,
        "num_hidden_layers": config.num_hidden_layers,
        "intermediate_size": 2 * config.hidden_size,
        "num_attention_heads": 4,
        # 0.02 is for widths of 768; at a sixth of that the loss stays on a plateau for long.
        "initializer_range": 0.06,
    }
    return PretrainConfig(
        output=folder / "pretraining" / phase,
        train_store=store_folder(folder, "train" if first else "medical"),
        eval_store=store_folder(folder, "held_out"),
        tokenizer=str(folder / "tokenizer"),
        preset=config.preset,
        init_from=None if first else str(folder / "pretraining" / "phase1" / "model"),
        max_length=config.max_length,
        max_tokens=tokens,
        micro_batch_tokens=config.batch_tokens,
        learning_rate=config.learning_rate if first else config.learning_rate / 2,
        warmup_tokens=tokens // 20,
        mlm_probability=config.phase1_mlm_probability if first else config.phase2_mlm_probability,
        save_tokens=config.save_tokens,
        save_total_limit=2,
        logging_steps=max(1, min(20, tokens // config.batch_tokens // 10)),
        dataloader_num_workers=0,
        seed=config.seed,
        architecture=sizes if first else None,
        training={"dataloader_pin_memory": False},
    )


def annotation_settings(config: QuickstartConfig) -> AnnotateConfig:
    """Return FineMed's light annotators, as ``finemed annotate`` takes them."""
    from doctobert_hf.finemed.config import AnnotateConfig

    return AnnotateConfig(
        input=(str(data_file(config.output, "train")),),
        output=config.output / "finemed" / "annotated",
        domain="light",
        subdomain="light",
        quality="light",
        terms="lexicon",
        lexicons=("base",),
    )


def statistics_settings(config: QuickstartConfig) -> StatsConfig:
    """Return what ``finemed stats`` counts of the annotated documents."""
    from doctobert_hf.finemed.config import StatsConfig

    return StatsConfig(
        input=(str(config.output / "finemed" / "annotated"),),
        output=config.output / "finemed" / "statistics",
        calibration=50,
        plots=False,
    )


def benchmark_settings(config: QuickstartConfig, made_up: bool | None = None) -> BenchmarkConfig:
    """Return QUAERO MEDLINE where its files are; else notes made up from the sample's grammar.

    Args:
        config: Sizes of the run.
        made_up: Which of the two, for a run that has decided; None: as the files are there now.
    """
    from doctobert_hf.drbenchmark.check import is_here
    from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig

    real = is_here(TASK, config.data_dir) if made_up is None else not made_up
    return BenchmarkConfig(
        tasks=(TASK,) if real else BenchmarkConfig.tasks,
        protocol="doctobert" if real else "strict",
        trials=0,
        seeds=(42, 43, 44),
        output=config.output / "benchmark",
        data_dir=config.data_dir if real else None,
        corpus=None if real else config.output / "data" / "notes",
        space="tiny/benchmark",
        max_length=config.max_length,
        max_train_rows=400,
        evaluations=4,
    )


def retrieval_settings(config: QuickstartConfig) -> RetrievalConfig:
    """Return a dense retriever as ``retrieval train`` takes it."""
    from doctobert_hf.retrieval.recipe import RetrievalConfig

    length = min(64, config.max_length)
    return RetrievalConfig(
        base_model=str(config.output / "model"),
        output=config.output / "retrieval",
        pooling="mean",
        query_length=length,
        max_length=length,
        data=str(data_file(config.output, "search")),
        format="passages",
        leaked_questions="drop",
        batch_size=16,
        max_steps=config.retrieval_steps,
        learning_rate=1e-3,
        evaluations=1,
        patience=0,
        seed=config.seed,
        report_to=[],
    )
