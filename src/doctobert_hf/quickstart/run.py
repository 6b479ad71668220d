"""The quickstart in one page: from corpus and tokenizer to benchmark, search, cards and report.

Each stage calls what a command calls, with settings of laptop size, and leaves its result on disk
and its record in ``state.json``; a run that was stopped goes on with the first stage that has none,
training with its last checkpoint.
"""

from __future__ import annotations

import importlib.util
import random
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from statistics import mean
from typing import Any

from doctobert_hf.config import write_yaml
from doctobert_hf.environment import environment_report
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.files import explained_output, write_json_atomic, write_text_atomic
from doctobert_hf.quickstart.config import QuickstartConfig
from doctobert_hf.quickstart.settings import (
    SEARCHED,
    TASK,
    annotation_settings,
    benchmark_settings,
    data_file,
    phase_settings,
    retrieval_settings,
    statistics_settings,
    store_folder,
)
from doctobert_hf.runs import RunFolder, open_run, settings_of
from doctobert_hf.runs.record import describe_output, is_stale, read_record
from doctobert_hf.runs.stages import STATE_FILE, StagedRun

KIND = "quickstart"
CONFIG_FILE, REPORT_FILE = "resolved_config.yaml", "report.md"
NAME = "OWNER/quickstart"
"""The model's name on the Hub, to be replaced; the other parts' begin with it."""
HELD_OUT_SHARE, LEAST_DOCUMENTS = 0.05, 20
Record = dict[str, Any]


def open_quickstart(config: QuickstartConfig, overwrite: bool, resume: bool) -> RunFolder:
    """Open the run's folder, locked until it is closed.

    Raises:
        UsageError: The folder holds something else; or a run, and neither option is given;
            ``resume`` without a run, with other settings, or with one of an earlier version.
        OutputError: The folder cannot be written.
    """
    from doctobert_hf.drbenchmark.check import require_task

    require_task(TASK, config.data_dir)
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


def run_quickstart(config: QuickstartConfig, folder: RunFolder) -> Record:
    """Run all stages that are not done yet, close the folder and return the stages' records."""
    with folder:
        records = Quickstart(config, folder).run()
        folder.finish(REPORT_FILE, STATE_FILE, *_made(folder))
    return records


def _made(run: RunFolder) -> list[str]:
    """Put the texts on record by their content; return the folders of what was trained on them.

    Cards say of these, and of nothing else that lies here, that nobody in the text is real.
    """
    for place in ("data", "finemed"):
        for file in sorted((run.folder / place).rglob("*.parquet")):
            name = file.relative_to(run.folder).as_posix()
            run.record.outputs[name] = describe_output(file)
    names = ("model", "untrained", "tokenizer", "retrieval/model", "ner/model")
    return [name for name in names if (run.folder / name).is_dir()]


class Quickstart(StagedRun):
    """The stages, a method each, in the order of :attr:`STAGES`; each returns its record."""

    STAGES = (
        *("corpus", "annotation", "tokenizer", "stores", "phase1", "phase2"),
        *("benchmark", "prediction", "retrieval", "cards", "report"),
    )

    def __init__(self, config: QuickstartConfig, run: RunFolder) -> None:
        super().__init__(Path(config.output))
        self.config, self.opened = config, run
        for stage, lacking in (("annotation", _lacks_datatrove), ("retrieval", missing_extra)):
            if self.records.get(stage, {}).get("lacks_extra") and lacking() is None:
                del self.records[stage]  # it is installed now
                self.forget("cards")

    def describe(self) -> None:
        """Say in the run's record what is done: cards and reports read it there."""
        found = {"tokenizer": self.records.get("tokenizer"), "chunks": self.records.get("stores")}
        if "corpus" in self.records:
            found["corpus"] = {**self.records["corpus"], "generated": self.config.corpus is None}
        if "phase1" in self.records:
            from doctobert_hf.hub.cards.phases import read_pretraining

            last = "phase2" if "phase2" in self.records else "phase1"
            found = read_pretraining(self.folder / "pretraining" / last) | found
            baseline = self.records["stores"]["unigram"]
            found["held_out"] |= {f"unigram_{name}": value for name, value in baseline.items()}
            found["held_out"]["of_all_phases"] = True  # both phases leave them out
            found["untrained"] = "untrained"
        if "benchmark" in self.records:
            found["benchmark"] = "benchmark"
            if self.records["benchmark"]["made_up"]:
                found["made_up_task"] = self.records["benchmark"]["task"]
        self.opened.record.results = {key: value for key, value in found.items() if value}
        self.opened.record.write(self.opened.record_path)

    # -- data ---------------------------------------------------------------------------------

    def corpus(self) -> Record:
        """Draw documents, hold some out, and find the medical ones for phase 2."""
        from doctobert_hf.corpus.subset import draw_characters

        config, column = self.config, self.config.text_column
        drawn = draw_characters(self._documents(), config.max_characters, config.seed, column)
        rows = [{"id": str(row.get("id")), "text": row[column]} for row in drawn.rows]
        if len(rows) < LEAST_DOCUMENTS:
            source = f"The corpus '{config.corpus}'" if config.corpus else "The generated sample"
            raise DataError(
                f"{source} gives {len(rows)} documents with text",
                f"at least {LEAST_DOCUMENTS}, so that some can be held out",
                "Give more documents, or raise max_characters if they are long",
            )
        random.Random(config.seed).shuffle(rows)
        held_out = max(1, int(len(rows) * HELD_OUT_SHARE))
        medical = [row for row in rows[held_out:] if is_medical(row["text"])]
        self._write("held_out", rows[:held_out])
        self._write("train", rows[held_out:])
        self._write("medical", medical or rows[held_out:])
        return {
            "source": "generated sample" if config.corpus is None else Path(config.corpus).name,
            **{f"documents_{name}": getattr(drawn, name) for name in ("read", "empty")},
            "documents_used": len(rows),
            "characters_read": drawn.characters,
            "characters_used": sum(len(row["text"]) for row in rows),
            "held_out": held_out,
            "medical": len(medical),
            "medical_rule": "documents about health by FineMed's light domain rule"
            if medical
            else "none is about health by FineMed's light domain rule, so that all of them count",
        }

    def _documents(self) -> Iterator[Record]:
        if self.config.corpus is not None:
            from doctobert_hf.corpus import iter_documents

            return iter_documents(self.config.corpus, self.config.text_column)
        from doctobert_hf.corpus.sample import sample_documents

        column = self.config.text_column
        return ({"id": document.id, column: document.text} for document in sample_documents())

    def annotation(self) -> Record:
        """Annotate the documents by FineMed's light rules; count what each mix would keep."""
        if (reason := _lacks_datatrove()) is not None:
            return {"not_run": reason, "lacks_extra": True}
        from doctobert_hf.finemed.annotate import annotate
        from doctobert_hf.finemed.statistics import statistics

        settings, counting = annotation_settings(self.config), statistics_settings(self.config)
        # The run was moved after it was stopped here: its annotation is begun again.
        made = annotate(settings, overwrite=is_stale(settings.output, input=list(settings.input)))
        record: Record = {"documents": made["read"], "medical": made["documents"], "kept": {}}
        if made["documents"]:
            stale = is_stale(counting.output, input=list(counting.input))
            (source,) = statistics(counting, overwrite=stale)["sources"].values()
            record |= {key: source[key] for key in ("words", "density_mean", "kept")}
        return record

    def tokenizer(self) -> Record:
        """Train a tokenizer and measure it on the held-out documents."""
        from doctobert_hf.tokenization.evaluate import evaluate_tokenizer
        from doctobert_hf.tokenization.train import TokenizerConfig, train_with_config

        sizes = TokenizerConfig(
            vocab_size=self.config.vocab_size, max_length=self.config.max_length
        )
        tokenizer, counts = train_with_config(
            self._texts("train"), self.folder / "tokenizer", sizes
        )
        return {
            "training_text": counts.report(),
            **evaluate_tokenizer(tokenizer, self._texts("held_out")),
        }

    def stores(self) -> Record:
        """Cut the documents along their structure and tokenise them once."""
        from doctobert_hf.chunking import HierarchicalChunker
        from doctobert_hf.chunking.statistics import chunk_statistics
        from doctobert_hf.models.opening import open_tokenizer
        from doctobert_hf.pretraining import build_store
        from doctobert_hf.pretraining.evaluation import unigram_scores

        tokenizer, length = open_tokenizer(self.folder / "tokenizer"), self.config.max_length
        train, _, held_out = (
            build_store(self._texts(name), tokenizer, store_folder(self.folder, name), length)
            for name in ("train", "medical", "held_out")
        )
        found = chunk_statistics(HierarchicalChunker(tokenizer, length), self._texts("train"))
        return {
            **{key: getattr(found, key) for key in ("documents", "chunks", "over_length")},
            **{key: getattr(found, key) for key in ("fill", "sentence_share")},
            "cuts": {level.name.lower(): n for level, n in sorted(found.cuts.items())},
            "unigram": unigram_scores(train, held_out),
        }

    # -- training -----------------------------------------------------------------------------

    def phase1(self) -> Record:
        """Train on the whole mix; keep the untrained model, to show what training brings."""
        return self._train("phase1")

    def phase2(self) -> Record:
        """Anneal on the medical documents: the weights of phase 1, half its rate."""
        record = self._train("phase2")
        source = self.folder / "pretraining" / "phase2" / "model"
        shutil.copytree(source, self.folder / "model", dirs_exist_ok=True)
        return record

    def _train(self, phase: str) -> Record:
        from doctobert_hf.pretraining.checkpoints import list_checkpoints
        from doctobert_hf.pretraining.recipe import (
            close_pretraining,
            finish_pretraining,
            open_pretraining,
        )

        recipe = phase_settings(self.config, phase)
        # The run was moved after it was stopped here: its phase is begun again.
        paths = {k: settings_of(recipe)[k] for k in ("train_store", "tokenizer", "init_from")}
        moved = is_stale(recipe.output, **paths)
        begun = not moved and read_record(recipe.output) is not None
        trainer = open_pretraining(recipe, resume=begun, overwrite=moved)
        try:
            record: Record = {}
            if phase == "phase1":
                record["untrained"] = _held_out(trainer.evaluate())
                trainer.save_model(str(self.folder / "untrained"))
            resume = True if list_checkpoints(recipe.output) else None
            trainer.train(resume_from_checkpoint=resume)
            if not trainer.is_over:
                raise KeyboardInterrupt(f"{phase} is saved at {trainer.tokens_seen:,} tokens.")
            record |= {"held_out": _held_out(trainer.evaluate()), "tokens": trainer.tokens_seen}
            finish_pretraining(trainer, recipe)
        finally:
            close_pretraining(trainer)
        return record | {
            "chunks": len(trainer.train_store),
            "steps": trainer.state.global_step,
            "parameters": trainer.model.num_parameters(),
            # Trainer's own mean counts only the steps since a resume; the last logged is the same.
            "loss": [row["loss"] for row in trainer.state.log_history if "loss" in row][-1],
        }

    # -- use ----------------------------------------------------------------------------------

    def benchmark(self) -> Record:
        """Fine-tune the model and its untrained twin for entities, three seeds each."""
        from doctobert_hf.corpus.sample_notes import write_notes
        from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef
        from doctobert_hf.drbenchmark.finetuning.runner import Benchmark
        from doctobert_hf.drbenchmark.report.write import write_report

        settings = benchmark_settings(self.config)
        if settings.corpus is not None:
            write_notes(settings.corpus, self.config.seed)
        scores = {}
        for place, name in (("model", "quickstart"), ("untrained", "quickstart, untrained")):
            outcome = Benchmark(ModelRef.find(str(self.folder / place), name=name), settings).run()
            if outcome.failed:
                raise DataError(f"The benchmark failed: {outcome.failed[0]['error']}")
            scores[name] = [100 * result.score for result in outcome.done]
        write_report(settings.output, settings.output / "report")
        result = outcome.done[0]
        return {
            "task": result.cell.task,
            "metric": result.metric,
            "rows": result.data["rows"],
            "made_up": settings.corpus is not None,
            "scores": scores,
            "means": {name: mean(values) for name, values in scores.items()},
        }

    def prediction(self) -> Record:
        """Fine-tune as ``finetune`` does, keep the model, and annotate held-out documents."""
        import dataclasses

        from doctobert_hf.drbenchmark.finetuning.finetune import finetune
        from doctobert_hf.drbenchmark.prediction import predict_files

        settings = benchmark_settings(self.config, self.records["benchmark"]["made_up"])
        model, source, target = (
            self.folder / name for name in ("ner", "data/to_annotate.parquet", "annotated.html")
        )
        made = finetune(
            str(self.folder / "model"),
            model,
            settings.tasks[0] if settings.corpus is None else None,
            dataclasses.replace(settings, seeds=settings.seeds[:1]),
            overwrite=model.exists(),  # of an earlier model of this run
        )
        self._write(source.stem, [{"text": text} for text in self._texts("held_out")[:30]])
        counts = predict_files(model, source, target, "html", overwrite=target.exists())
        return {name: made[name] for name in ("task", "metric", "score")} | counts

    def retrieval(self) -> Record:
        """Train the model for search, of titles and headings for their sections, beside BM25."""
        if (reason := missing_extra()) is not None:
            return {"not_run": reason, "lacks_extra": True}
        from doctobert_hf.retrieval.evaluation import evaluate
        from doctobert_hf.retrieval.train import RetrievalRun

        texts = [*self._texts("held_out"), *self._texts("train")][:SEARCHED]
        splits = ["test"] * (len(texts) // 10) + ["validation"] * (len(texts) // 10)
        splits += ["train"] * (len(texts) - len(splits))
        rows = [{"text": t, "split": s} for t, s in zip(texts, splits, strict=True)]
        self._write("search", rows)
        recipe = retrieval_settings(self.config)
        # The run was moved after it was stopped here: the stage is begun again.
        moved = is_stale(recipe.output, base_model=str((self.folder / "model").resolve()))
        begun = not moved and read_record(recipe.output) is not None
        try:
            run = RetrievalRun(recipe, resume=begun, overwrite=moved)
        except DataError as error:
            return {"not_run": str(error)}
        results = [evaluate("BM25", run.splits.test), run.evaluate("before training")]
        run.train()
        results.append(run.evaluate("after training"))
        run.write_record(results)
        questions = {part.name.split()[-1]: len(part.queries) for part in run.splits}
        return {
            "questions": questions,
            "documents": results[0].documents,
            "steps": run.trainer.state.global_step,
            "systems": [result.as_json() for result in results],
        }

    def cards(self) -> Record:
        """Render what the Hub would show of the model, the tokenizer and the retriever."""
        from doctobert_hf.hub.cards.facts import read_facts
        from doctobert_hf.hub.publish.preview import render_path

        self.opened.finish(*_made(self.opened), status="running")  # what cards are told by
        made: Record = {}
        for name in ("model", "tokenizer", "retrieval"):
            path = self.folder / name
            if path.is_dir() and "not_run" not in self.records.get(name, {}):
                repo = NAME if name == "model" else f"{NAME}-{name}"
                card = render_path(path, repo, read_facts(path))
                target = self.folder / "cards" / name / "README.md"
                write_text_atomic(target, card.text)
                made[name] = {
                    "path": target.relative_to(self.folder).as_posix(),
                    "gaps": card.gaps,
                }
        return {"parts": made}

    def report(self) -> Record:
        """Write the report, every number of it from the records."""
        from doctobert_hf.quickstart.report import write_report

        return {"path": write_report(self.folder, self.records).name}

    # -- files --------------------------------------------------------------------------------

    def _write(self, name: str, rows: list[Record]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = data_file(self.folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)

    def _texts(self, name: str) -> list[str]:
        from doctobert_hf.corpus import iter_texts

        return list(iter_texts(data_file(self.folder, name)))


def _lacks_datatrove() -> str | None:
    found = importlib.util.find_spec("datatrove")
    return "pip install 'doctobert-hf[finemed]'" if found is None else None


def missing_extra() -> str | None:
    """Say why search cannot be trained in this environment; None: it can."""
    from doctobert_hf.retrieval.bm25 import require_bm25
    from doctobert_hf.retrieval.models import require_sentence_transformers

    try:
        require_sentence_transformers()
        require_bm25()
    except UsageError as error:
        return str(error)
    return None


@lru_cache(maxsize=1)
def _lexicon() -> Any:
    from doctobert_hf.finemed.annotators.lexicon import load_lexicons

    return load_lexicons(("base",))


def is_medical(text: str) -> bool:
    """Return whether a text is about human health, by FineMed's light rule."""
    from doctobert_hf.finemed.annotators.light import domain_scores

    return domain_scores(text, _lexicon().find(text))[0] >= 0.5


def _held_out(metrics: Record) -> dict[str, float]:
    """Return accuracy, perplexity and number of the masked tokens.

    Raises:
        DataError: None was masked.
    """
    if not metrics:
        raise DataError(
            "The held-out documents are too short: no token of them was masked",
            "some hundred held-out words",
            "Give more or longer documents",
        )
    return {name: metrics[f"eval_{name}"] for name in ("accuracy", "perplexity", "masked_tokens")}
