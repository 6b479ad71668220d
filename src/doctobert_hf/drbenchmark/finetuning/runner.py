"""The whole benchmark of a model: task by task, tuned, every seed a cell with a file of its own.

A cell that has its file is not run again, a tuning that has its trials goes on from them, a cell
that fails is recorded and the rest goes on.
"""

from __future__ import annotations

import datetime
import json
import logging
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig
from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef, describe
from doctobert_hf.drbenchmark.finetuning.hyperparameters import read_spaces
from doctobert_hf.drbenchmark.finetuning.saving import (
    RECORD as TASK_RECORD,
    TaskRecord,
    read_record as read_task_record,
    save_model,
)
from doctobert_hf.drbenchmark.finetuning.tuning import Tuned, require_optuna, search_hyperparameters
from doctobert_hf.drbenchmark.finetuning.workbench import Context, workbench
from doctobert_hf.drbenchmark.results import Cell, Result, read_result
from doctobert_hf.drbenchmark.scoring import row_counts, score_test
from doctobert_hf.drbenchmark.spec import TaskSpec
from doctobert_hf.energy import EnergyMeter
from doctobert_hf.environment import check_bf16, environment_report
from doctobert_hf.errors import DataError, DoctobertError, OutputError, UsageError
from doctobert_hf.files import write_json_atomic, write_text_atomic
from doctobert_hf.recipes import find_recipe
from doctobert_hf.runs import open_run, remove_run, settings_of, staged_run
from doctobert_hf.runs.lock import RunLock
from doctobert_hf.statistics import document_interval

logger = logging.getLogger(__name__)
KIND = "benchmark"


@dataclass
class Outcome:
    """What came of a run.

    Attributes:
        done: Results of this run and of those before it.
        failed: Cells that failed: task, seed (None for a whole task), why, and whether the same
            command may succeed ``again``.
        elsewhere: Cells that another run in the folder works on: task, seed and who.
    """

    done: list[Result] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    elsewhere: list[dict[str, Any]] = field(default_factory=list)


class Benchmark:
    """A model's benchmark in a folder of results.

    Args:
        encoder: The model.
        config: What to measure.
        say: Takes progress, a line at a time.
        overwrite: Move results that are in the folder aside.
    """

    def __init__(
        self,
        encoder: ModelRef,
        config: BenchmarkConfig,
        say: Callable[[str], None] | None = None,
        overwrite: bool = False,
    ) -> None:
        self.overwrite = overwrite
        self.encoder, self.config = encoder, config
        self.tasks = config.task_specs()
        self.spaces = read_spaces(find_recipe(config.space), self.tasks)
        without = [n for n, space in self.spaces.items() if "learning_rate" not in space.values]
        if config.trials and without:
            raise UsageError(
                f"{config.trials} trials, and '{config.space}' searches nothing for {without[0]}",
                "a space with 'defaults', a learning_rate at least",
                "Pass --trials 0 to train with its untuned values, or another --space",
            )
        if config.bf16:
            check_bf16()
        if config.trials:
            require_optuna()
        self.say = say or (lambda line: print(line, file=sys.stderr, flush=True))

    def context(self, task: TaskSpec) -> Context:
        """What the runs on a task share."""
        config = self.config
        return Context(
            self.encoder,
            task.name,
            config.protocol,
            legacy=config.legacy,
            max_length=config.max_length,
            long_inputs=config.long_inputs,
            data_dir=str(config.data_dir) if config.data_dir else None,
            corpus=str(config.corpus) if config.corpus else None,
            max_train_rows=config.max_train_rows,
            evaluations=config.evaluations,
            bf16=config.bf16,
            tokens_at_once=config.tokens_at_once,
            metric=config.metric,
        )

    def cell(self, task: TaskSpec, seed: int) -> Cell:
        """The cell of a task and a seed."""
        config, encoder = self.config, self.encoder
        names = (encoder.name, encoder.version, task.name, config.protocol, config.procedure)
        return Cell(*names, seed)

    def finished(self, task: TaskSpec) -> dict[int, Result]:
        """Results that are there, by seed; a damaged file is put aside and told of."""
        found = {}
        for seed in self.config.seeds:
            path = self.cell(task, seed).path(self.config.output)
            if not path.is_file():
                continue
            try:
                found[seed] = read_result(path)
            except DataError as error:
                path.rename(path.with_suffix(".damaged"))
                self.say(f"{error} It is put aside and the cell is run again.")
        return found

    def settings(self, task: TaskSpec) -> dict[str, Any]:
        """What decides the score besides model, data, protocol, procedure and seed."""
        config, space = self.config, self.spaces[task.name]
        names = ("max_length", "long_inputs", "max_train_rows", "evaluations", "trials")
        found = {name: getattr(config, name) for name in names} | {"labels": list(task.labels)}
        found |= {"bf16": True} if config.bf16 else {}
        if config.tokens_at_once is not None:  # it decides which noise dropout draws
            found["tokens_at_once"] = config.tokens_at_once
        if config.trials:
            return found | {"space": dict(space.values), "grace": space.grace}
        return found | {"untuned": asdict(space.untuned)}

    def refuse_stale(self, task: TaskSpec, done: dict[int, Result]) -> None:
        """Refuse results of other data or settings: they would stand for what was asked for.

        Raises:
            UsageError: With the file, what differs and both values.
        """
        if not done:
            return
        try:
            data = workbench(self.context(task)).data_record
        except DoctobertError as error:
            self.say(f"{task.name}: not checked whether results are of this data: {error}")
            data = None
        wanted = json.loads(json.dumps(self.settings(task)))
        for seed, result in done.items():
            path = self.cell(task, seed).path(self.config.output)
            if result.metric != task.metric_key:
                raise _stale(path, "metric", result.metric, task.metric_key)
            for key, now in wanted.items() if result.settings else ():
                if (then := result.settings.get(key)) != now:
                    raise _stale(path, key, then, now)
            if data is not None and result.data["fingerprint"] != data["fingerprint"]:
                raise _stale(path, "data", *(d["fingerprint"][:12] for d in (result.data, data)))

    def run(self) -> Outcome:
        """Run what is not done.

        Raises:
            UsageError: The folder holds something else than results.
            OutputError: Results cannot be written; those written stay.
            KeyboardInterrupt: Stopped; the same call goes on.
        """
        self._open()
        outcome = Outcome()
        for number, task in enumerate(self.tasks, 1):
            head = f"[{number}/{len(self.tasks)}] {task.name}"
            done = self.finished(task)
            self.refuse_stale(task, done)
            done = {
                seed: result for seed, result in done.items() if not self._lacks_model(task, seed)
            }
            outcome.done += done.values()
            todo = [seed for seed in self.config.seeds if seed not in done]
            if not todo:
                self.say(f"{head}: {len(done)} of {len(done)} seeds done before")
                continue
            try:
                tuned = self._search(task, head)
            except (OutputError, KeyboardInterrupt):
                raise
            except Exception as error:
                self._fail(task, None, error, outcome)
                continue
            for seed in todo:
                self._cell(task, seed, tuned, head, outcome)
        return outcome

    def _open(self) -> None:
        """Check and record the folder of the results, which other runs may share."""
        config = self.config
        with open_run(
            config.output,
            KIND,
            settings_of(config, ("output", "jobs", "save_models")) | {"model": self.encoder.name},
            [path for path in (config.corpus,) if path is not None],
            again="any",
            overwrite=self.overwrite,
            recognise=lambda folder: any(folder.glob("*/*/*/seed-*.json")),
            uses=(self.encoder.source,),
            wait=60,
        ) as run:
            run.finish()

    def _search(self, task: TaskSpec, head: str) -> Tuned:
        config, space = self.config, self.spaces[task.name]
        folder = self.cell(task, 0).folder(config.output)
        workbench(self.context(task))  # what is wrong with data or model is told once, here
        tuned = search_hyperparameters(
            self.context(task),
            space,
            config.trials,
            folder,
            config.jobs,
            lambda line: self.say(f"{head}: {line}"),
        )
        if tuned.record is not None:
            write_json_atomic(folder / "tuning.json", tuned.record)
        return tuned

    def _cell(self, task: TaskSpec, seed: int, tuned: Tuned, head: str, outcome: Outcome) -> None:
        cell = self.cell(task, seed)
        path = cell.path(self.config.output)
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = RunLock(path.with_name(f".{path.stem}.lock"), f"Seed {seed} of {task.name}")
        try:
            lock.acquire()
        except UsageError as error:
            outcome.elsewhere.append({"task": task.name, "seed": seed, "why": error.got})
            self.say(f"{head}: {error.got}; left to it")
            return
        try:
            self._locked_cell(task, cell, tuned, head, outcome)
        finally:
            lock.release()

    def _locked_cell(
        self, task: TaskSpec, cell: Cell, tuned: Tuned, head: str, outcome: Outcome
    ) -> None:
        seed = cell.seed
        found = cell.path(self.config.output).is_file()
        if found and not self._lacks_model(task, seed):  # another run has finished it meanwhile
            outcome.done.append(read_result(cell.path(self.config.output)))
            return
        broken = cell.path(self.config.output).with_suffix(".error.json")
        try:
            result = self._measure(task, cell, tuned)
        except (OutputError, KeyboardInterrupt):
            raise
        except Exception as error:
            self._fail(task, seed, error, outcome)
            return
        broken.unlink(missing_ok=True)
        outcome.done.append(result)
        self.say(
            f"{head}: {self.encoder.name}, seed {seed}: {result.metric} "
            f"{100 * result.score:.2f}{_bounds(result)} (validation "
            f"{100 * result.validation_score:.2f}, {result.duration:.0f} s)"
        )
        if not result.score:
            self.say(
                f"{head}: nothing right: the training was too short, or learning_rate "
                f"{result.hyperparameters['learning_rate']:g} too high"
            )

    def _measure(self, task: TaskSpec, cell: Cell, tuned: Tuned) -> Result:
        """Train with a seed, predict the test split, and write predictions, then the result."""
        begin = time.perf_counter()
        meter = EnergyMeter() if EnergyMeter.available() else None
        bench = workbench(self.context(task))
        parameters = tuned.of(self.config.seeds.index(cell.seed))
        trainer = bench.fine_tune(parameters, cell.seed)
        test = bench.splits["test"]
        predictions = trainer.predictions(test.items)
        name = f"seed-{cell.seed}.predictions.jsonl"
        rows = [
            {"id": row["id"], "prediction": prediction, "reference": reference}
            | ({"tokens": row["tokens"]} if "tokens" in row else {})
            | ({"document": row["document_id"]} if "document_id" in row else {})
            for row, prediction, reference in zip(
                bench.rows["test"], predictions, test.references, strict=True
            )
        ]
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write_text_atomic(cell.folder(self.config.output) / name, lines)
        scores = score_test(task, predictions, test.references, test.items, self.config.legacy)
        energy = meter.stop() if meter else None
        result = Result(
            cell=cell,
            kind=task.kind,
            metric=task.metric_key,
            score=float(scores[task.metric_key]),
            scores=scores,
            validation_score=trainer.best,
            hyperparameters=asdict(parameters)
            | {"evaluations": self.config.evaluations, "tokens_at_once": trainer.tokens_at_once},
            tuning=tuned.record,
            data=bench.data_record,
            encoding=bench.encoding_record(),
            model=describe(trainer.model, self.encoder),  # type: ignore[arg-type]
            environment=environment_report(with_torch=True),
            duration=time.perf_counter() - begin,
            energy_kwh=(energy or {}).get("energy_kwh"),
            energy=energy,
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            predictions=name,
            settings=self.settings(task),
            interval=_interval(task, rows),
        )
        # The model first: a run that is killed between the two trains this cell again.
        if self.config.save_models != "none":
            self._keep_model(task, cell, trainer, bench, result)
        result.write(self.config.output)
        return result

    def _keep_model(
        self, task: TaskSpec, cell: Cell, trainer: Any, bench: Any, result: Result
    ) -> None:
        """Save the model of a cell; of several only the best by validation, if so configured."""
        others = self.kept_models(task)
        if self.config.save_models == "best" and any(
            score >= result.validation_score for score, _ in others
        ):
            return
        target = model_folder(cell, self.config.output)
        settings = {"cell": asdict(cell)}
        with staged_run(target, "finetuned-model", settings) as scratch:
            save_model(scratch, trainer.model, bench.tokenizer, self._record(task, bench, result))
        if self.config.save_models == "best":
            for _, folder in others:
                if folder != target:
                    remove_run(folder)

    def _lacks_model(self, task: TaskSpec, seed: int) -> bool:
        """Return whether a finished cell must be trained again, for its model to be kept."""
        wanted = self.config.save_models
        if wanted == "best":
            return not self.kept_models(task)
        return (
            wanted == "all"
            and not (
                model_folder(self.cell(task, seed), self.config.output) / TASK_RECORD
            ).is_file()
        )

    def kept_models(self, task: TaskSpec) -> list[tuple[float, Path]]:
        """Validation score and folder of each model of a task that is kept."""
        found = []
        for seed in self.config.seeds:
            folder = model_folder(self.cell(task, seed), self.config.output)
            if (folder / TASK_RECORD).is_file():
                found.append((read_task_record(folder).result["validation_score"], folder))
        return sorted(found, key=lambda item: -item[0])

    def _record(self, task: TaskSpec, bench: Any, result: Result) -> TaskRecord:
        return TaskRecord(
            task=task.name,
            kind=task.kind,
            labels=task.labels,
            metric=task.metric,
            label_column=task.label_column,
            threshold=task.threshold,
            protocol=self.config.protocol,
            max_length=bench.max_length,
            long_inputs="truncate" if self.config.legacy else self.config.long_inputs,
            split_words=self.config.legacy,
            base_model=self.encoder.name,
            base_model_id=self.encoder.hub_id,
            max_gap=task.max_gap,
            result={
                "metric": result.metric,
                "score": result.score,
                "validation_score": result.validation_score,
                "seed": result.cell.seed,
                "interval": result.interval,
                "scores": result.scores,
                "rows": result.data["rows"],
                "annotations": result.data.get("annotations", {}),
                "energy_kwh": result.energy_kwh,
                "energy": result.energy,
            },
        )

    def _fail(self, task: TaskSpec, seed: int | None, error: Exception, outcome: Outcome) -> None:
        text = (
            str(error) if isinstance(error, DoctobertError) else f"{type(error).__name__}: {error}"
        )
        seeds = self.config.seeds if seed is None else (seed,)
        for each in seeds:
            cell = self.cell(task, each)
            if cell.path(self.config.output).is_file():
                continue
            record = {
                "cell": asdict(cell),
                "error": text,
                "traceback": "".join(traceback.format_exception(error)),
            }
            write_json_atomic(cell.path(self.config.output).with_suffix(".error.json"), record)
        again = not isinstance(error, DoctobertError)
        outcome.failed.append({"task": task.name, "seed": seed, "error": text, "again": again})
        self.say(f"{task.name}: failed{'' if seed is None else f' at seed {seed}'}: {text}")


def _bounds(result: Result) -> str:
    if result.interval is None:
        return ""
    low, high = (100 * bound for bound in result.interval)
    return f" [{low:.2f}, {high:.2f}]"


def _interval(task: TaskSpec, rows: list[dict[str, Any]]) -> list[float] | None:
    """95 % interval of a score over test documents; None where the metric is no sum over them."""
    counts = row_counts(task, rows)
    if counts is None:
        return None
    found = document_interval([counts])
    return [found.low, found.high]


def model_folder(cell: Cell, root: Path) -> Path:
    """Where the model of a cell is kept."""
    return cell.folder(root) / f"seed-{cell.seed}-model"


def _stale(path: Any, key: str, then: Any, now: Any) -> UsageError:
    return UsageError(
        f"'{path}' was made with {key} {_short(then)}, not {_short(now)}",
        "results of the same data and settings",
        "Choose another --output, or pass --overwrite to move the results aside",
    )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}…"
