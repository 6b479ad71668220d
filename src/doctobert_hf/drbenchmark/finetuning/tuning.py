"""Choosing hyper-parameters on the validation split with Optuna, restartable.

The winner is the trial with the highest validation score at any of its evaluations; of equal ones
the earliest. Every seed is trained with the winner. With ``legacy`` the published procedure: random
draws, batches of 8 where the batch is not searched, and for all seeds but the first another trial,
the one whose metrics of the last evaluation have the highest sum.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf import extension
from doctobert_hf.drbenchmark import tasks
from doctobert_hf.drbenchmark.finetuning.hyperparameters import HyperParameters, SearchSpace
from doctobert_hf.drbenchmark.finetuning.workbench import Context, workbench
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.runs.process import is_alive, this_process

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FixedTrial

logger = logging.getLogger(__name__)
RULE = "highest validation score at any evaluation; of equal trials the earliest"
LEGACY_RULE = (
    "first seed: highest validation score at any evaluation; other seeds: highest sum of all "
    "metrics at the last evaluation"
)
SEED = 42
FAILURES = 3
OWNER = "owner"
"""Attribute of a trial: the process that works on it."""


@dataclass(frozen=True)
class Tuned:
    """What tuning found.

    Attributes:
        first: Hyper-parameters of the first seed.
        others: Hyper-parameters of the other seeds; the same but for ``legacy``.
        record: Trials, winner and rule, for result files.
    """

    first: HyperParameters
    others: HyperParameters
    record: dict[str, Any] | None

    def of(self, position: int) -> HyperParameters:
        """Hyper-parameters of the n-th seed."""
        return self.first if position == 0 else self.others


def search_hyperparameters(
    context: Context,
    space: SearchSpace,
    trials: int,
    folder: Path,
    jobs: int = 1,
    say: Callable[[str], None] = logger.info,
) -> Tuned:
    """Run trials until there are as many as wanted; those of an earlier run count.

    Args:
        context: Model, task and data.
        space: What to draw from.
        trials: Trials in all, pruned ones counted; 0: the space's untuned values.
        folder: Where ``study.db`` is kept.
        jobs: Trials at once, each in a process of its own; above 1 the order in which they end
            decides what is drawn next.
        say: Takes a line about each trial.

    Raises:
        DataError: Three trials in a row failed.
        UsageError: Optuna is not installed (extra ``hpo``), or the study is of another space.
    """
    if trials < 1:
        return Tuned(space.untuned, space.untuned, None)
    study = _open(context, space, folder)
    failed = 0
    while (left := trials - len(_counted(study))) > 0:
        batch = [study.ask() for _ in range(min(jobs, left))]
        for trial in batch:
            trial.set_user_attr(OWNER, this_process())
        outcomes = _evaluate(study, batch, context, space, folder, jobs)
        for trial, outcome in zip(batch, outcomes, strict=True):
            _tell(study, trial, outcome, say, trials)
            failed = failed + 1 if isinstance(outcome, Exception) else 0
            if failed == FAILURES:
                raise DataError(
                    f"{FAILURES} trials of {context.task} in a row failed, the last with "
                    f"{type(outcome).__name__}: {outcome}"
                ) from outcome
    _await_others(study, say)
    return _winner(study, context, space)


def _await_others(study: Study, say: Callable[[str], None]) -> None:
    """Wait for trials of other live processes: all seeds are trained with one winner."""
    from optuna.trial import TrialState

    told = False
    while True:
        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        if not any(is_alive(trial.user_attrs.get(OWNER)) for trial in running):
            return
        if not told:
            say(f"waiting for {len(running)} trials of another run in this folder")
            told = True
        time.sleep(1)


def require_optuna() -> None:
    """Raise where what tuning is done with is not installed.

    Raises:
        UsageError: Optuna is absent, with the command that installs it.
    """
    if importlib.util.find_spec("optuna") is None:
        raise UsageError(
            "Tuning needs Optuna, which is not installed",
            fix="pip install 'doctobert-hf[hpo]', or pass --trials 0",
        )


def _open(context: Context, space: SearchSpace, folder: Path) -> Study:
    require_optuna()
    import filelock

    folder.mkdir(parents=True, exist_ok=True)
    # Two runs that share the folder may begin at once: tables and attributes are made once.
    with filelock.FileLock(folder / ".study.lock"):
        return _open_alone(context, space, folder)


def _open_alone(context: Context, space: SearchSpace, folder: Path) -> Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = _storage(folder)
    study = optuna.create_study(
        study_name="tuning",
        storage=storage,
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=space.grace, reduction_factor=2),
    )
    described = {
        "values": dict(space.values),
        "data": workbench(context).data_record,
        "inputs": {
            "max_length": context.max_length,
            "long_inputs": context.long_inputs,
            "evaluations": context.evaluations,
            **({"bf16": True} if context.bf16 else {}),
            **({"tokens_at_once": context.tokens_at_once} if context.tokens_at_once else {}),
        },
    }
    known = study.user_attrs.get("space")
    if known is None:
        study.set_user_attr("space", described)
    elif known != json.loads(json.dumps({key: described[key] for key in known})):
        raise UsageError(
            f"{folder / 'study.db'} was started with another search space, other data or other "
            "settings",
            "the same to resume it",
            "Take another --output, or delete the file to start over",
        )
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        # Other runs may share the folder (one job a seed): only what nobody works on was killed.
        if is_alive(trial.user_attrs.get(OWNER)) is False:
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    # A new sampler of the same seed would draw the first trials again.
    seed = SEED + len(study.get_trials(deepcopy=False))
    study.sampler = (
        optuna.samplers.RandomSampler(seed=seed)
        if context.legacy
        else optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    )
    return study


def _storage(folder: Path) -> str:
    return f"sqlite:///{(folder / 'study.db').resolve()}"


def _counted(study: Study) -> list[Any]:
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def _evaluate(
    study: Study,
    batch: list[Trial],
    context: Context,
    space: SearchSpace,
    folder: Path,
    jobs: int,
) -> list[Any]:
    parameters = [_parameters(trial, context, space) for trial in batch]
    if jobs == 1:
        return [run_trial(context, p, trial) for p, trial in zip(parameters, batch, strict=True)]
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        jobs, spawn, _run_plugins, (list(extension.LOADED), dict(tasks.RUN_FILES))
    ) as pool:
        futures = [
            pool.submit(_in_process, context, p, str(folder), trial._trial_id)
            for p, trial in zip(parameters, batch, strict=True)
        ]
        return [future.exception() or future.result() for future in futures]


def _run_plugins(groups: list[str], files: dict[str, str]) -> None:
    """Make known in a new process what plugins and task files made known in this one."""
    for group in groups:
        extension.load_installed(group)
    for path, what in files.items():
        tasks.run_task_file(Path(path), what)


def _in_process(context: Context, parameters: HyperParameters, folder: str, trial_id: int) -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name="tuning", storage=_storage(Path(folder)))
    return run_trial(context, parameters, optuna.trial.Trial(study, trial_id))


def _parameters(trial: Trial | FixedTrial, context: Context, space: SearchSpace) -> HyperParameters:
    parameters = space.suggest(trial)
    if context.legacy and not isinstance(space.values.get("batch_size"), dict):
        # The published trials ran with Trainer's default batch, whatever the recipe said.
        parameters = replace(parameters, batch_size=8)
    return parameters


def run_trial(context: Context, parameters: HyperParameters, trial: Trial) -> Any:
    """Train once and return the scores of a trial; what fails is returned as an exception.

    Returns:
        ``(best score, sum of metrics at the last evaluation, whether pruned)``, or the exception.
    """
    import optuna

    def report(number: int, score: float) -> None:
        trial.report(score, number)
        best.append(score)
        if trial.should_prune():
            raise optuna.TrialPruned

    best: list[float] = []
    try:
        trainer = workbench(context).fine_tune(parameters, SEED, report)
    except optuna.TrialPruned:
        return max(best), float("-inf"), True
    except Exception as error:  # one trial's trouble must not lose the others
        return error
    return trainer.best, trainer.last_sum, False


def _tell(
    study: Study, trial: Trial, outcome: Any, say: Callable[[str], None], trials: int
) -> None:
    from optuna.trial import TrialState

    if isinstance(outcome, Exception):
        trial.set_user_attr("error", f"{type(outcome).__name__}: {outcome}"[:500])
        study.tell(trial, state=TrialState.FAIL)
        say(f"trial {trial.number}: failed ({type(outcome).__name__}: {outcome})"[:300])
        return
    best, last_sum, pruned = outcome
    trial.set_user_attr("best", best)
    trial.set_user_attr("last_sum", last_sum)
    if pruned:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, best)
    top = max(t.user_attrs["best"] for t in _counted(study))
    done = len(_counted(study))
    ended = " (pruned)" if pruned else ""
    say(f"trial {done}/{trials}: {100 * best:.2f}{ended}, best so far {100 * top:.2f}")


def _winner(study: Study, context: Context, space: SearchSpace) -> Tuned:
    from optuna.trial import FixedTrial

    trials = _counted(study)
    best = max(trials, key=lambda t: (t.user_attrs["best"], -t.number))
    other = best
    if context.legacy:
        other = max(trials, key=lambda t: (t.user_attrs["last_sum"], -t.number))
    first = _parameters(FixedTrial(best.params), context, space)
    others = space.suggest(FixedTrial(other.params)) if context.legacy else first
    record = {
        "trials": len(trials),
        "pruned": sum(trial.state.name == "PRUNED" for trial in trials),
        "best_trial": best.number,
        "best_validation_score": best.user_attrs["best"],
        "rule": LEGACY_RULE if context.legacy else RULE,
        "sampler": "random" if context.legacy else "TPE",
        "seed": SEED,
        "space": dict(space.values),
        "winner": asdict(first),
    }
    if context.legacy:
        record |= {"other_trial": other.number, "other_winner": asdict(others)}
    return Tuned(first, others, record)
