"""Pretrain a masked language model by a recipe.

doctobert-hf pretrain doctobert-base/pretrain --corpus docs.parquet --tokenizer tok --dry-run
doctobert-hf pretrain doctobert-tiny/pretrain                  on a generated sample, on a laptop
doctobert-hf pretrain --resume --output pretrain-run           resume a stopped run
torchrun --nproc-per-node 8 -m doctobert_hf pretrain RECIPE    on all GPUs of a node
doctobert-hf pretrain store CORPUS --tokenizer T --output S    tokenise a corpus once, in parallel
doctobert-hf pretrain ablate PLAN.yaml --output ablation       several ways beside each other
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from typing import Any

from doctobert_hf.cli.options import Parser, add_shown, fitted
from doctobert_hf.config import add_config_arguments, build_config, config_overrides, read_yaml
from doctobert_hf.errors import UsageError, nearest
from doctobert_hf.pretraining.recipe import PretrainConfig
from doctobert_hf.pretraining.trainer_keys import merged, read_options, split_keys
from doctobert_hf.recipes import find_recipe, recipes_of
from doctobert_hf.runs.commands import command_line
from doctobert_hf.runs.resume import resumed_config

_ABLATE_HELP = """usage: doctobert-hf pretrain ablate PLAN.yaml --output DIR [--option ...]

Compare ways to pretrain: each arm of a plan through pretraining and the
benchmark, then one page with scores, intervals, curves and a recommendation.
The same command resumes a stopped study. Settings stand in the plan; the
documentation's page on pretraining has one.

doctobert-hf pretrain ablate plan.yaml --output ablation

options:
  --output DIR  folder of the study; each arm has its own in it
  --overwrite   move another study there aside first
  --json        print the scores as JSON"""


class _PretrainParser(Parser):
    """``pretrain store ...`` has options of its own; the trainer's keys are options too."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # type: ignore[override]
        if args and args[0] == "ablate" and {"-h", "--help"} & set(args):
            print(_ABLATE_HELP)
            raise SystemExit(0)
        if not args or args[0] != "store":
            # Taken out first: argparse would read the value of an option that it does not know,
            # as in "--resume --ddp-timeout 60", as the recipe.
            mine, others = self._split(args or [])
            found, left = super().parse_known_args(mine, namespace)
            return found, left + others
        from doctobert_hf.cli import pretrain_store

        parser = Parser(
            prog=f"{self.prog} store",
            description=fitted(pretrain_store.__doc__ or ""),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        pretrain_store.add_arguments(parser)
        add_shown(parser)
        return parser.parse_args(args[1:]), []

    def _split(self, words: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the words of listed options and arguments, and those of options that are not."""
        mine: list[str] = []
        others: list[str] = []
        taken = 0  # whether the next word may be a value of an option that is not listed; which
        named = recipes_of("pretrain")
        for word in words:
            if word.startswith("--"):
                name = self._dashed(word).partition("=")[0]
                listed = name in self._option_string_actions
                alone = "=" in word or word.startswith("--no-")
                taken = 0 if listed else 2 if alone else 1
                (mine if listed else others).append(word)
            elif taken == 0:
                mine.append(word)
            elif word in named or (taken > 1 and word.endswith((".yaml", ".yml"))):
                mine.insert(0, word)  # the recipe, and no value of a listed option before it
                taken = 0
            else:
                others.append(word)
                taken = 2
        return mine, others


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.__class__ = _PretrainParser
    parser.usage = (
        f"{parser.prog} RECIPE | store CORPUS | ablate PLAN.yaml\n       [--option value ...]"
    )
    parser.add_argument(
        "recipe",
        nargs="?",
        help="recipe by name or path, e.g. doctobert-base/pretrain; not needed with --resume",
    )
    parser.add_argument("plan", nargs="?", help="with 'ablate': the YAML file that names the arms")
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--resume", action="store_true", help="resume the run in --output, with its settings"
    )
    group.add_argument(
        "--overwrite", action="store_true", help="move a run in --output aside first"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_config_arguments(parser, PretrainConfig)
    parser.set_defaults(other_options=[])  # keys of the trainer's arguments, see --help's end
    parser.epilog = (
        "Every key of TrainingArguments is an option too,\ne.g. --gradient-checkpointing true."
    )


def further_options() -> list[str]:
    """Return what a shell completes beside the listed options: the trainer's keys, the store's."""
    from doctobert_hf.cli import pretrain_store
    from doctobert_hf.pretraining.trainer_keys import argument_names
    from doctobert_hf.pretraining.unused_keys import UNUSED

    store = argparse.ArgumentParser(add_help=False)
    pretrain_store.add_arguments(store)
    keys = {"--" + name.replace("_", "-") for name in argument_names() - UNUSED.keys()}
    return sorted(keys | {word for word in store._option_string_actions if word[:2] == "--"})


def run(args: argparse.Namespace) -> int:
    """Run, resume or plan a phase, or an ablation."""
    if args.recipe == "ablate":
        return _ablate(args)
    if args.recipe == "store":
        from doctobert_hf.cli import pretrain_store

        return pretrain_store.run(args)
    if args.plan is not None:
        raise UsageError(f"unrecognized arguments: {args.plan}", "one recipe")
    config = _config(args)
    if args.dry_run:
        return _plan(config, args.json)
    from doctobert_hf.pretraining.recipe import (
        close_pretraining,
        finish_pretraining,
        open_pretraining,
    )

    again = command_line("pretrain", resume=True, output=config.output)
    with contextlib.redirect_stdout(sys.stderr):  # Trainer prints what it logs
        trainer = open_pretraining(config, args.resume, args.overwrite, args.recipe)
        resume = args.resume and _has_checkpoint(config)
        try:
            trainer.train(resume_from_checkpoint=True if resume else None)
            stopped = not trainer.is_over
            target = None if stopped else finish_pretraining(trainer, config)
        except KeyboardInterrupt as stop:
            raise KeyboardInterrupt(f"{stop} Resume with: {again}".strip()) from None
        finally:
            close_pretraining(trainer)
    if not trainer.is_world_process_zero():
        return 0
    if stopped:
        where = f"at {trainer.tokens_seen:,} tokens"
        how = f"Saved {where}." if trainer.is_saved else f"Not saved {where}: the loss spiked."
        print(f"Stopped. {how} Resume with: {again}", file=sys.stderr)
        return 143
    result: dict = {"tokens": trainer.tokens_seen, "steps": trainer.state.global_step}
    result |= {
        k: v
        for row in trainer.state.log_history
        for k, v in row.items()
        if k.startswith(("eval_", "averaged_"))
    }
    if args.json:
        print(json.dumps({**result, "model": str(target)}, indent=2))
    else:
        for name, value in result.items():
            print(f"{name}: {value:,.4g}" if isinstance(value, float) else f"{name}: {value:,}")
        print(f"model: {target}")
    if config.average_share:
        other = config.average_with or config.init_from
        print(
            f"The model is an average: {config.average_share:g} of '{other}', the rest of this "
            "training. averaged_* are its figures, eval_* those of the last checkpoint.",
            file=sys.stderr,
        )
    line = command_line("benchmark", "probe", target)
    print(f"next, with raw corpora: {line} --data-dir RAW", file=sys.stderr)
    return 0


def _config(args: argparse.Namespace) -> PretrainConfig:
    given = config_overrides(args, PretrainConfig)
    if words := getattr(args, "other_options", None):
        given = split_keys(given | read_options(words), PretrainConfig, "options")
    if args.resume:
        folder = given.get("output", PretrainConfig.output)
        return resumed_config(PretrainConfig, folder, "pretrain", given, args.recipe)
    if args.recipe is None:
        raise UsageError("No recipe", "one by name or path", nearest("", recipes_of("pretrain")))
    recipe = find_recipe(args.recipe, "pretrain")
    source = f"recipe '{recipe}'"
    saved = split_keys(read_yaml(recipe), PretrainConfig, source)
    return build_config(PretrainConfig, saved, merged(saved, given), source=source)


def _ablate(args: argparse.Namespace) -> int:
    from pathlib import Path

    from doctobert_hf.ablation.plan import read_plan

    given = config_overrides(args, PretrainConfig)
    output = given.pop("output", None)
    others = [f"--{name.replace('_', '-')}" for name in given] + getattr(args, "other_options", [])
    others += [f"--{n.replace('_', '-')}" for n in ("resume", "dry_run") if getattr(args, n)]
    if others:
        raise UsageError(
            f"{others[0]} with 'ablate'",
            "only --output, --overwrite and --json",
            "Write it into the plan (settings:, arms:); run the same command to resume",
        )
    if args.plan is None or output is None:
        raise UsageError(
            "No plan" if args.plan is None else "No --output",
            "doctobert-hf pretrain ablate PLAN.yaml --output FOLDER",
        )
    plan = read_plan(args.plan)
    from doctobert_hf.ablation.page import table
    from doctobert_hf.ablation.run import run_ablation
    from doctobert_hf.reporting.tables import text_table

    try:
        found = run_ablation(plan, Path(output), args.overwrite)
    except KeyboardInterrupt:
        again = command_line("pretrain", "ablate", args.plan, output=output)
        raise KeyboardInterrupt(f"Resume with: {again}") from None
    if args.json:
        print(json.dumps(found.as_json(), ensure_ascii=False, indent=2, default=str))
    else:
        print(text_table(*table(found)))
    print(found.advice, file=sys.stderr)
    print(f"page: {Path(output) / 'ablation.html'}", file=sys.stderr)
    return 0


def _has_checkpoint(config: PretrainConfig) -> bool:
    from pathlib import Path

    from doctobert_hf.pretraining.checkpoints import list_checkpoints

    return bool(list_checkpoints(Path(config.output)))


def _plan(config: PretrainConfig, as_json: bool) -> int:
    import os

    from doctobert_hf.pretraining.planning import check_rows, plan

    devices = int(os.environ.get("WORLD_SIZE", "1"))
    check_rows(config, devices)
    result = plan(config, devices)
    if as_json:
        print(json.dumps(result, indent=2))
        return 0
    from doctobert_hf.reporting.tables import text_table

    rows = [
        [k.replace("_", " "), f"{v:,}" if not isinstance(v, str) else v] for k, v in result.items()
    ]
    print(text_table(["plan", "value"], rows))
    return 0
