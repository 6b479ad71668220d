"""From an encoder to a fine-tuned model in a folder, by the benchmark's own runner."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DataError, UsageError

if TYPE_CHECKING:
    from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig

KIND = "finetune"


def finetune(
    model: str,
    output: Path,
    task: str | None,
    config: BenchmarkConfig,
    revision: str | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Fine-tune a model for one task; of several seeds the best on validation is kept.

    The folder holds ``model`` (plain Transformers, with a card), ``result.json``, ``run.json`` and
    ``runs`` (every seed's result and predictions, trials). A run that was stopped goes on with the
    same call.

    Args:
        model: Folder of an encoder, or its id on the Hub.
        output: Folder of the run.
        task: Task of DrBenchmark; of ``config.corpus``, default its entities.
        config: How; its ``tasks`` and ``output`` are not read.
        revision: On the Hub.
        overwrite: Move another run that is in ``output`` aside.

    Returns:
        What ``result.json`` has: ``task, metric, score, validation_score, seed, seeds, scores``.

    Raises:
        UsageError: No such model or task, or ``output`` holds something else.
        DataError: The data cannot be used, or training failed.
    """
    from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef
    from doctobert_hf.drbenchmark.finetuning.runner import Benchmark
    from doctobert_hf.drbenchmark.finetuning.workbench import workbench
    from doctobert_hf.runs import open_run, settings_of

    chosen = _task_name(task, config)
    encoder = ModelRef.find(model, revision)
    settings = settings_of(config, ("output", "tasks", "jobs", "save_models"))
    settings |= {"model": encoder.name, "model_fingerprint": encoder.fingerprint, "task": chosen}
    inputs = [config.corpus] if config.corpus is not None else []
    runs = Path(os.path.abspath(output)) / "runs"
    made = Benchmark(
        encoder, dataclasses.replace(config, tasks=(chosen,), output=runs, save_models="best")
    )
    workbench(made.context(made.tasks[0]))  # absent data are told before anything is written
    with open_run(output, KIND, settings, inputs, overwrite=overwrite, uses=(model,)) as run:
        outcome = made.run()
        if outcome.failed:
            raise DataError(f"Fine-tuning failed: {outcome.failed[0]['error']}")
        if outcome.elsewhere:  # of the seeds asked for, none is left out in silence
            first = outcome.elsewhere[0]
            raise DataError(
                f"{len(outcome.elsewhere)} seed(s) were not trained, the first is "
                f"{first['seed']}: {first['why']}",
                fix="Run the same command again when it has ended",
            )
        result = _keep(run.folder, made, outcome)
        run.finish("model", "runs", "result.json")
    return result


def _task_name(task: str | None, config: BenchmarkConfig) -> str:
    from doctobert_hf.drbenchmark.tasks import get_task

    if config.corpus is None:
        if task is None:
            raise UsageError("No task", "the name of one, or a corpus")
        return get_task(task).name
    from doctobert_hf.drbenchmark.finetuning.private import list_private_tasks

    return task or list_private_tasks(str(config.corpus))[0].name


def _keep(folder: Path, made: Any, outcome: Any) -> dict[str, Any]:
    """Put the best model into ``model`` with its card, and write ``result.json``."""
    import shutil

    from doctobert_hf.drbenchmark.finetuning.saving import read_record
    from doctobert_hf.files import write_json_atomic
    from doctobert_hf.runs import staged_run
    from doctobert_hf.runs.record import RECORD

    (_, source), *_ = made.kept_models(made.tasks[0])
    record = read_record(source)
    result = {
        "task": record.task,
        **record.result,
        "protocol": record.protocol,
        "seeds": {str(r.cell.seed): r.score for r in outcome.done},
    }
    settings = {"task": record.task, "base_model": record.base_model}
    with staged_run(folder / "model", "finetuned-model", settings) as scratch:
        for path in source.iterdir():
            if path.name != RECORD:
                shutil.copy(path, scratch / path.name)
        (scratch / "README.md").write_text(_card(source, folder.name, record), encoding="utf-8")
    write_json_atomic(folder / "result.json", result)
    return result


def _card(source: Path, name: str, record: Any) -> str:
    from doctobert_hf.hub.cards.facts import CardFacts
    from doctobert_hf.hub.publish.preview import render_path

    return render_path(source, f"OWNER/{name}", CardFacts(), kind="head").text
