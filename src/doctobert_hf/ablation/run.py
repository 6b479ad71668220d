"""Running an ablation: each arm is pretrained and measured, and goes on where it was stopped."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.ablation.plan import UNTRAINED, AblationPlan
from doctobert_hf.errors import UsageError
from doctobert_hf.runs import finished_run, open_run, read_record, settings_of

if TYPE_CHECKING:
    from doctobert_hf.ablation.page import Finding
    from doctobert_hf.pretraining.recipe import PretrainConfig

KIND = "pretrain-ablate"


def run_ablation(plan: AblationPlan, output: Path, overwrite: bool = False) -> Finding:
    """Pretrain and measure every arm of a plan, and write the page.

    The same call goes on where one was stopped; arms may be added to the plan, those that are done
    must stay as they are.

    Args:
        plan: The plan.
        output: Folder of the ablation: ``arms/NAME`` (pretraining runs), ``results`` (of the
            benchmark), ``ablation.html``, ``.md`` and ``.json``.
        overwrite: Move an ablation that is there aside.

    Raises:
        UsageError: The folder holds something else, or an arm that is done was changed.

    Example:
        >>> from doctobert_hf.ablation import read_plan
        >>> finding = run_ablation(read_plan("study.yaml"), Path("ablation"))
    """
    phases = {name: plan.phase(name, output) for name in plan.arms}
    measuring = plan.measuring(output)
    _check(phases)
    settings = {"plan": settings_of(plan)}
    with open_run(output, KIND, settings, again="any", overwrite=overwrite) as run:
        for name in _order(plan):
            model = _untrained(plan, phases, output) if name == UNTRAINED else _train(phases[name])
            _measure(name, model, measuring)
        from doctobert_hf.ablation.page import findings, write_page

        found = findings(plan, phases, output)
        with run.staged() as scratch:
            write_page(found, scratch)
        run.finish("arms", "results")
    return found


def _check(phases: dict[str, PretrainConfig]) -> None:
    """Refuse inputs that are missing before the first arm is trained."""
    from doctobert_hf.pretraining.recipe import check_inputs

    for name, config in phases.items():
        try:
            check_inputs(config)
        except UsageError as error:
            raise UsageError(f"Arm '{name}': {error}") from error


def _order(plan: AblationPlan) -> list[str]:
    """The untrained model comes second: it takes the tokenizer of the first arm."""
    first, *others = plan.arms
    return [first, *([UNTRAINED] if plan.untrained else []), *others]


def _train(config: PretrainConfig) -> Path:
    from doctobert_hf.pretraining.checkpoints import list_checkpoints
    from doctobert_hf.pretraining.recipe import (
        KIND as PRETRAIN,
        close_pretraining,
        finish_pretraining,
        open_pretraining,
        read_files,
    )

    folder = Path(config.output)
    record = read_record(folder)
    if record is not None and record.kind == PRETRAIN:
        now = settings_of(config, ("output",)) | {"recipe": None}
        # A key that is younger than the record and is not used changes nothing.
        known = {k: v for k, v in now.items() if k in record.settings or v not in (None, [], False)}
        changed = [key for key, value in known.items() if record.settings.get(key) != value]
        if changed:
            raise UsageError(
                f"The arm '{folder.name}' was started with {changed[0]} "
                f"{record.settings.get(changed[0])!r}, and the plan says {now[changed[0]]!r}",
                "the same settings",
                "Give the arm another name, or pass --overwrite to start over",
            )
        if finished_run(folder, PRETRAIN, now, read_files(config)) is not None:
            return folder / "model"
    print(f"arm {folder.name}: pretraining", file=sys.stderr)
    with contextlib.redirect_stdout(sys.stderr):
        trainer = open_pretraining(config, resume=record is not None)
        try:
            there = bool(list_checkpoints(folder))
            trainer.train(resume_from_checkpoint=True if there else None)
            if not trainer.is_over:
                raise KeyboardInterrupt("Stopped; run the same command to resume.")
            return finish_pretraining(trainer, config)
        finally:
            close_pretraining(trainer)


def _untrained(plan: AblationPlan, phases: dict[str, PretrainConfig], output: Path) -> Path:
    """Save the model that the first arm began with, drawn with the same seed."""
    from transformers import set_seed

    from doctobert_hf.models.opening import open_tokenizer
    from doctobert_hf.pretraining.initial_model import make_model

    first = phases[next(iter(plan.arms))]
    folder = output / "arms" / UNTRAINED
    settings = {"of": settings_of(first, ("output", "max_tokens"))}
    with open_run(folder, "pretrain-untrained", settings, again="same") as run:
        if not (folder / "model" / "config.json").is_file():
            tokenizer = open_tokenizer(str(Path(first.output) / "model"))
            set_seed(first.seed)
            model = make_model(first, tokenizer)
            with run.staged() as scratch:
                model.save_pretrained(scratch / "model")
                tokenizer.save_pretrained(scratch / "model")
    return folder / "model"


def _measure(name: str, model: Path, config: Any) -> None:
    from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef
    from doctobert_hf.drbenchmark.finetuning.runner import Benchmark

    benchmark = Benchmark(ModelRef.find(str(model), None, name), config)
    outcome = benchmark.run()
    if outcome.failed:
        raise UsageError(
            f"The arm '{name}' failed on {outcome.failed[0]['task']}: "
            f"{outcome.failed[0].get('error', outcome.failed[0])}",
            "every task of the plan",
            "Mend it, and run the same command to resume",
        )
    if outcome.elsewhere:  # its score would be of fewer seeds, and the page would not say so
        left = outcome.elsewhere[0]
        raise UsageError(
            f"Seed {left['seed']} of {left['task']}, arm '{name}', is measured by another process",
            "every seed of the plan",
            "Run the same command when that is done",
        )
