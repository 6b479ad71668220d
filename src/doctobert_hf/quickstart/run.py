"""The quickstart, top to bottom: from corpus and tokenizer to benchmark, search, cards and report.

Each stage leaves its result on disk and its record in ``state.json``; a run that was stopped goes
on with the first stage that has none, training with its last checkpoint.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.config import write_yaml
from doctobert_hf.environment import environment_report
from doctobert_hf.files import explained_output, write_json_atomic
from doctobert_hf.quickstart.config import QuickstartConfig
from doctobert_hf.quickstart.results import run_results
from doctobert_hf.reporting.progress import Progress
from doctobert_hf.runs import RunFolder, open_run, settings_of

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

CONFIG_FILE = "resolved_config.yaml"
STATE_FILE = "state.json"


KIND = "quickstart"


def open_quickstart(config: QuickstartConfig, overwrite: bool, resume: bool) -> RunFolder:
    """Open the run's folder, locked until it is closed.

    Raises:
        UsageError: The folder holds something else; or a run, and neither option is given;
            ``resume`` without a run or with other settings.
        OutputError: The folder cannot be written.
    """
    from doctobert_hf.quickstart.task import check_data_dir

    check_data_dir(config.data_dir)
    run = open_run(
        config.output,
        KIND,
        settings_of(config, ("output",)),
        [path for path in (config.corpus, config.data_dir) if path is not None],
        again="resume",
        resume=resume,
        overwrite=overwrite,
        recognise=lambda folder: (folder / STATE_FILE).is_file(),
    )
    with explained_output(run.folder):
        write_yaml(config, run.folder / CONFIG_FILE)
        if not run.resumed:
            write_json_atomic(run.folder / "environment.json", environment_report(with_torch=True))
    return run


def run_quickstart(config: QuickstartConfig, folder: RunFolder) -> dict[str, Any]:
    """Run all stages that are not done yet, close the folder and return the stages' records."""
    with folder:
        records = _run_stages(config, folder)
        folder.finish("report.md", "model", "tokenizer", STATE_FILE)
    return records


def _run_stages(config: QuickstartConfig, folder: RunFolder) -> dict[str, Any]:
    run = _Run(config, folder)
    run.stage("corpus", lambda: _corpus(config, run.folder))
    run.stage("annotation", lambda: _annotation(run.folder))
    run.stage("tokenizer", lambda: _tokenizer(config, run.folder))
    run.stage("chunks", lambda: _chunks(config, run.folder))
    run.stage("phase1", lambda: _phase(config, run.folder, "phase1"))
    run.stage("phase2", lambda: _phase(config, run.folder, "phase2"))
    run.stage("evaluation", lambda: _evaluation(config, run.folder))
    run.stage("drbenchmark", lambda: _drbenchmark(config, run.folder))
    run.stage("prediction", lambda: _prediction(config, run.folder, run.records))
    run.stage("retrieval", lambda: _retrieval(config, run.folder))
    run.stage("cards", lambda: _cards(run.folder))
    run.stage("report", lambda: _report(config, run.folder, run.records))
    return run.records


class _Run:
    """Stages of a run and their records in ``state.json``."""

    NAMES = (
        "corpus",
        "annotation",
        "tokenizer",
        "chunks",
        "phase1",
        "phase2",
        "evaluation",
        "drbenchmark",
        "prediction",
        "retrieval",
        "cards",
        "report",
    )

    def __init__(self, config: QuickstartConfig, run: RunFolder) -> None:
        self.config, self.run, self.folder = config, run, Path(config.output)
        path = self.folder / STATE_FILE
        self.records: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        self._forget_missing()
        self._describe()  # a run that an earlier version began, or that was killed between the two

    def _forget_missing(self) -> None:
        """Do retrieval and what follows again, if the extra it lacked has been installed since."""
        from doctobert_hf.quickstart.retrieval import missing_extra

        record = self.records.get("retrieval", {})
        if "not_run" in record and "pairs" not in record and missing_extra() is None:
            for name in self.NAMES[self.NAMES.index("retrieval") :]:
                self.records.pop(name, None)

    def _describe(self) -> None:
        """Say in the run's record what is done: cards and reports read it there."""
        self.run.record.results = run_results(self.config, self.folder, self.records)
        self.run.record.write(self.run.record_path)

    def stage(self, name: str, work: Callable[[], dict[str, Any]]) -> None:
        """Do a stage unless it is done, and record its result and seconds."""
        number = f"[{self.NAMES.index(name) + 1}/{len(self.NAMES)}] {name}"
        if name in self.records:
            print(f"{number}: done before", file=sys.stderr)
            return
        print(f"{number} ...", file=sys.stderr, flush=True)
        start = time.perf_counter()
        with explained_output(self.folder):
            record = work()
        self.records[name] = {**record, "seconds": round(time.perf_counter() - start, 1)}
        write_json_atomic(self.folder / STATE_FILE, self.records)
        self._describe()
        print(f"{number}: {self.records[name]['seconds']} s", file=sys.stderr)


def _corpus(config: QuickstartConfig, folder: Path) -> dict[str, Any]:
    from doctobert_hf.quickstart.data import prepare_documents

    train, held_out, summary = prepare_documents(config)
    _write(train, folder / "data" / "train.parquet")
    _write(held_out, folder / "data" / "held_out.parquet")
    return asdict(summary)


def _tokenizer(config: QuickstartConfig, folder: Path) -> dict[str, Any]:
    from doctobert_hf.tokenization.evaluate import evaluate_tokenizer
    from doctobert_hf.tokenization.train import TokenizerConfig, train_with_config

    settings = TokenizerConfig(vocab_size=config.vocab_size, max_length=config.max_length)
    texts = _read(folder / "data" / "train.parquet")
    tokenizer, counts = train_with_config(texts, folder / "tokenizer", settings)
    held_out = _read(folder / "data" / "held_out.parquet")["text"]
    return {"training_text": counts.report(), **evaluate_tokenizer(tokenizer, held_out)}


def _chunks(config: QuickstartConfig, folder: Path) -> dict[str, Any]:
    from doctobert_hf.chunking import HierarchicalChunker
    from doctobert_hf.chunking.statistics import ChunkStatistics

    tokenizer = _load_tokenizer(folder)
    chunker = HierarchicalChunker(tokenizer, config.max_length)
    statistics = ChunkStatistics(chunker.capacity)
    for name in ("train", "held_out"):
        documents = _read(folder / "data" / f"{name}.parquet")
        with Progress(f"chunks, {name}"):
            chunks = documents.map(chunker, batched=True, remove_columns=documents.column_names)
        _write(chunks, folder / "data" / f"{name}_chunks.parquet")
        if name == "train":
            _count(statistics, documents["text"], chunks)
            _stores(folder, chunks, tokenizer)
    return {
        "documents": statistics.documents,
        "chunks": statistics.chunks,
        "over_length": statistics.over_length,
        "fill": statistics.fill,
        "sentence_share": statistics.sentence_share,
        "cuts": {level.name.lower(): n for level, n in sorted(statistics.cuts.items())},
    }


def _count(statistics: Any, texts: Any, chunks: Dataset) -> None:
    """Add every document's chunks; a chunk of index 0 begins the next document."""
    special = 2
    documents = iter(texts)
    spans: list[tuple[int, int]] = []
    tokens: list[int] = []
    columns = ("chunk_index", "char_start", "char_end", "num_tokens")
    for index, start, end, count in zip(*(chunks[name] for name in columns), strict=True):
        if index == 0 and spans:
            statistics.add(next(documents), spans, tokens)
            spans, tokens = [], []
        spans.append((start, end))
        tokens.append(count - special)
    statistics.add(next(documents), spans, tokens)


def _phase(config: QuickstartConfig, folder: Path, phase: str) -> dict[str, Any]:
    from doctobert_hf.models import count_parameters
    from doctobert_hf.quickstart.training import open_phase, phase_folder, train_phase

    tokenizer = _load_tokenizer(folder)
    record: dict[str, Any] = {}
    with open_phase(config, phase) as trainer:
        model = trainer.model
        if phase == "phase1":
            record["untrained"] = _measure(config, folder, model, tokenizer)
            if not (folder / "untrained").is_dir():  # the benchmark measures what training brings
                model.save_pretrained(folder / "untrained")
                tokenizer.save_pretrained(folder / "untrained")
        metrics = train_phase(config, phase, trainer)
        chunks = len(trainer.train_store)
    if phase == "phase2":
        shutil.copytree(phase_folder(folder, phase) / "model", folder / "model", dirs_exist_ok=True)
    return record | {
        "chunks": chunks,
        "parameters": count_parameters(model)["total"],
        **metrics,
        "held_out": _measure(config, folder, model, tokenizer),
    }


def _stores(folder: Path, chunks: Dataset, tokenizer: PreTrainedTokenizerFast) -> None:
    """Tokenise the chunks once: all of them for phase 1, the medical ones for phase 2."""
    from doctobert_hf.pretraining import build_store
    from doctobert_hf.quickstart.training import STORES

    medical = chunks.filter(lambda row: row["medical"], desc="medical subset")
    for phase, rows in (("phase1", chunks), ("phase2", medical)):
        # Chunks fit, so that the store's own chunking keeps each as it is.
        texts = (text for batch in rows.iter(batch_size=256) for text in batch["text"])
        build_store(texts, tokenizer, folder / "data" / STORES[phase], tokenizer.model_max_length)


def _evaluation(config: QuickstartConfig, folder: Path) -> dict[str, Any]:
    from transformers import AutoModelForMaskedLM, PreTrainedTokenizerFast

    from doctobert_hf.quickstart.evaluation import fill_mask

    # Loaded from disk as a user would: what is measured is what was saved.
    model = AutoModelForMaskedLM.from_pretrained(folder / "model", trust_remote_code=False)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder / "model")
    return {
        "held_out": _measure(config, folder, model, tokenizer),
        "fill_mask": fill_mask(model, tokenizer),
    }


def _measure(
    config: QuickstartConfig,
    folder: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
) -> dict[str, float]:
    import numpy as np

    from doctobert_hf.quickstart.evaluation import evaluate_masked_lm

    path = folder / "data" / "unigrams.npy"
    if not path.is_file():
        counts = np.zeros(len(tokenizer), dtype=np.int64)
        chunks = _read(folder / "data" / "train_chunks.parquet")
        for batch in chunks.iter(batch_size=512):
            for ids in tokenizer(batch["text"], add_special_tokens=False)["input_ids"]:
                counts += np.bincount(ids, minlength=len(tokenizer))
        np.save(path, counts)
    texts = _read(folder / "data" / "held_out_chunks.parquet")["text"]
    # At most 1,024 chunks: some 15,000 masked tokens, a standard error of 0.4 points.
    return evaluate_masked_lm(model, tokenizer, texts[:1024], np.load(path), config.max_length)


def _drbenchmark(config: QuickstartConfig, folder: Path) -> dict[str, Any]:
    from doctobert_hf.quickstart.benchmark import benchmark_record
    from doctobert_hf.quickstart.task import task_record

    record = task_record(config.data_dir)
    return record | {
        "benchmark": benchmark_record(config, folder, "quaero_medline" in record["found"])
    }


def _prediction(config: QuickstartConfig, folder: Path, records: dict[str, Any]) -> dict[str, Any]:
    from doctobert_hf.quickstart.prediction import prediction_record

    return prediction_record(config, folder, not records["drbenchmark"]["benchmark"]["made_up"])


def _annotation(folder: Path) -> dict[str, Any]:
    from doctobert_hf.quickstart.annotation import annotation_record

    record = annotation_record(folder)
    if "not_run" in record:
        print(f"annotation is not run: {record['not_run']}", file=sys.stderr)
    return record


def _retrieval(config: QuickstartConfig, folder: Path) -> dict[str, Any]:
    from doctobert_hf.quickstart.retrieval import retrieval_record

    texts = [
        text
        for name in ("held_out", "train")
        for text in _read(folder / "data" / f"{name}.parquet")["text"]
    ]
    record = retrieval_record(config, folder, texts)
    if "not_run" in record:
        print(f"retrieval is not run: {record['not_run']}", file=sys.stderr)
    return record


def _cards(folder: Path) -> dict[str, Any]:
    from doctobert_hf.quickstart.cards import cards_record

    return cards_record(folder)


def _report(config: QuickstartConfig, folder: Path, records: dict[str, Any]) -> dict[str, Any]:
    from doctobert_hf.quickstart.report import write_report

    return {"path": str(write_report(config, folder, records).relative_to(folder))}


def _load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer")


def _write(dataset: Dataset, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    dataset.to_parquet(str(temporary))
    temporary.replace(path)


def _read(path: Path) -> Dataset:
    """Read a split into memory: it is small, and a cache would stay in the run's folder."""
    import pyarrow.parquet as pq
    from datasets import Dataset

    return Dataset(pq.read_table(path))
