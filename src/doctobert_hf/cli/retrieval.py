"""Retrieval: train dense, late-interaction and sparse models, measure them beside BM25, search.

doctobert-hf retrieval train retrieval/dense --data-dir raw --output my-retriever
doctobert-hf retrieval evaluate my-retriever other-retriever --data-dir raw --with-bm25
doctobert-hf retrieval index build documents.parquet --model my-retriever --output my-index
doctobert-hf retrieval index add my-index more.parquet
doctobert-hf retrieval index update my-index documents.parquet
doctobert-hf retrieval index delete my-index --filter "year < 2000"
doctobert-hf retrieval search my-index "effets indésirables du paracétamol ?" --top 3
doctobert-hf retrieval serve my-index
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.cli import retrieval_index
from doctobert_hf.config import add_config_arguments, build_config, config_overrides, read_yaml
from doctobert_hf.errors import UsageError
from doctobert_hf.processes import main_first, rank
from doctobert_hf.retrieval.recipe import RetrievalConfig, read_recipe
from doctobert_hf.runs.commands import command_line
from doctobert_hf.runs.resume import resumed_config

if TYPE_CHECKING:
    from doctobert_hf.retrieval.evaluation import Result
    from doctobert_hf.retrieval.pairs import PairSet, PairSplits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="train|evaluate|index|search|serve"
    )
    train = actions.add_parser("train", help="train by a recipe", allow_abbrev=False)
    train.add_argument(
        "recipe",
        nargs="?",
        help="recipe by name or path, e.g. retrieval/dense; not needed with --resume",
    )
    group = train.add_mutually_exclusive_group()
    group.add_argument(
        "--resume", action="store_true", help="resume the run in --output, with its settings"
    )
    group.add_argument(
        "--overwrite", action="store_true", help="move a run in --output aside first"
    )
    add_config_arguments(train, RetrievalConfig)

    evaluate = actions.add_parser(
        "evaluate", help="measure models in one table", allow_abbrev=False
    )
    evaluate.add_argument("models", nargs="+", metavar="MODEL", help="runs, models or encoders")
    evaluate.add_argument("--with-bm25", action="store_true",
                          help="BM25 in the JSON too; a printed table always has it")  # fmt: skip
    evaluate.add_argument("--with-hybrid", action="store_true", help="also vectors and words "
                          "together, and which of the two is better")  # fmt: skip
    evaluate.add_argument("--add", nargs="+", type=Path, default=[], metavar="JSON",
                          help="results to put beside, e.g. PyLate's results.json")  # fmt: skip
    evaluate.add_argument("--pooling", choices=("mean", "cls", "max"), help="for plain encoders")
    evaluate.add_argument("--kind", choices=("dense", "late-interaction"),
                          help="what to read a plain encoder as")  # fmt: skip
    evaluate.add_argument("--dimensions", type=int, help="cut dense vectors to this size")
    evaluate.add_argument("--data", help="labforsims2, frenchmedmcqa or a file of pairs; "
                          "default: the test questions of the first run's recipe")  # fmt: skip
    evaluate.add_argument("--data-dir", type=Path, help="folder of raw corpora")
    evaluate.add_argument("--mteb", nargs="+", metavar="TASK", help="mteb tasks instead of --data")

    for action in (train, evaluate):
        action.add_argument("--json", action="store_true", help="print JSON")
    retrieval_index.add_arguments(actions)


def run(args: argparse.Namespace) -> int:
    """Run a subcommand."""
    commands = {"train": _train, "evaluate": _evaluate, **retrieval_index.COMMANDS}
    return commands[args.action](args)


def _train(args: argparse.Namespace) -> int:
    config = _train_config(args)
    if config.kind == "pylate":
        from doctobert_hf.retrieval.pylate import run_script

        return run_script(config, args.recipe)
    from doctobert_hf.retrieval.evaluation import evaluate
    from doctobert_hf.retrieval.train import RetrievalRun, finished_results

    if args.resume and (done := finished_results(config, args.recipe)) is not None:
        if rank():
            return 0
        print(f"The run in '{config.output}' is finished: nothing is left to do.", file=sys.stderr)
        return _told(done, config, args.json)
    again = command_line("retrieval", "train", resume=True, output=config.output)
    with contextlib.redirect_stdout(sys.stderr):  # the trainer prints what it logs
        made = RetrievalRun(config, args.resume, args.overwrite, args.recipe)
        results = []
        with main_first(made.trainer.args):
            if rank() == 0:  # of several processes one measures and tells
                _tell_data(made.splits)
                results.append(evaluate("BM25", made.splits.test))
                if not made.resume:
                    results.append(made.evaluate("before training"))
        try:
            made.train()
        except KeyboardInterrupt as stop:
            made.close()
            raise KeyboardInterrupt(f"{stop} Resume with: {again}".strip()) from None
        if rank():
            return 0
        results.append(made.evaluate("after training"))
        made.write_record(results)
    return _told(results, config, args.json)


def _tell_data(splits: PairSplits) -> None:
    for part in splits:
        grades = part.grades()
        graded = f", graded {grades[0]:g} to {grades[-1]:g}" if len(grades) > 1 else ""
        counts = f"{len(part.queries):,} questions, {len(part.documents):,} documents"
        print(f"{part.name}: {counts}{graded}")
    for note in (note for part in splits for note in part.notes):
        print(note)


def _told(results: list[Result], config: RetrievalConfig, as_json: bool) -> int:
    _print(results, as_json)
    print(f"model: {Path(config.output) / 'model'}", file=sys.stderr)
    line = command_line(
        "retrieval", "evaluate", config.output, with_bm25=True, data_dir=config.data_dir
    )
    print(f"next: {line}", file=sys.stderr)
    return 0


def _train_config(args: argparse.Namespace) -> RetrievalConfig:
    given = config_overrides(args, RetrievalConfig)
    if args.resume:
        folder = given.get("output", RetrievalConfig.output)
        return resumed_config(RetrievalConfig, folder, "retrieval-train", given, args.recipe)
    if args.recipe is None:
        raise UsageError("No recipe", "one by name or path, e.g. retrieval/dense")
    return read_recipe(args.recipe, given)


def _evaluate(args: argparse.Namespace) -> int:
    from doctobert_hf.retrieval.bm25 import require_bm25
    from doctobert_hf.retrieval.evaluation import evaluate, evaluate_with_words
    from doctobert_hf.retrieval.models import (
        open_model,
        require_sentence_transformers,
        saved_kind,
    )
    from doctobert_hf.retrieval.other_kinds import evaluate_other, other_kind

    if args.mteb and args.with_hybrid:
        raise UsageError("--with-hybrid and --mteb", "--data: mteb's tasks are searched by vectors")
    if args.mteb:
        return _mteb(args)
    require_sentence_transformers()
    places = [retrieval_index.model_folder(name) for name in args.models]
    recipes = [_recipe_of(place) for place in places]
    # Of one model --pooling says how it is read; beside others it is for the plain ones.
    guess = args.pooling is None or len(places) > 1
    others = {place: other_kind(place, guess=guess) for place in places}
    _refuse_unused(args, [others[place] or saved_kind(place) for place in places])
    pairs = _questions(args, recipes)
    with contextlib.redirect_stdout(sys.stderr):
        results = []
        if args.with_bm25 or not args.json:  # a table without the baseline says little
            require_bm25()
            results.append(evaluate("BM25", pairs))
        for name, place, recipe in zip(args.models, places, recipes, strict=True):
            _check_unseen(recipe, args, pairs)
            kind = others[place]
            if kind is not None:
                results.append(evaluate_other(name.rstrip("/"), pairs, place, kind))
                continue
            model, system = _open(open_model, place, args), name.rstrip("/")
            if args.with_hybrid:
                results += evaluate_with_words(system, pairs, model)
            else:
                results.append(evaluate(system, pairs, model))
        results += [read_result(path) for path in args.add]
    _print(results, args.json)
    return 0


def _refuse_unused(args: argparse.Namespace, kinds: Sequence[str | None]) -> None:
    """Refuse options that would do nothing for any of the models, or for one without a word.

    Args:
        args: The command line.
        kinds: What each model was saved as; None: a plain encoder.
    """
    if None not in kinds:
        for option in ("kind", "pooling"):
            if getattr(args, option) is not None:
                raise UsageError(
                    f"--{option}, and every model is saved as what it is",
                    "a plain encoder among them, which it is for",
                )
    others = ("SparseEncoder", "CrossEncoder")
    if args.with_hybrid and all(kind in others for kind in kinds):
        raise UsageError(
            "--with-hybrid, and no model that has vectors", "a dense model, or ColBERT"
        )
    for name, kind in zip(args.models, kinds, strict=True):
        if args.dimensions and kind in others:
            raise UsageError(f"--dimensions for '{name}', a {kind}", "dense models")


def _open(open_model: Any, place: str, args: argparse.Namespace) -> Any:
    from doctobert_hf.retrieval.models import saved_kind

    plain = saved_kind(place) is None
    model = open_model(place, args.kind if plain else None, args.pooling if plain else None)
    if args.dimensions:
        width = getattr(model, "truncate_dim", None) or model.get_embedding_dimension()
        if not hasattr(model, "truncate_dim") or args.dimensions > width:
            raise UsageError(
                f"--dimensions {args.dimensions} for '{place}'",
                f"a dense model and at most its {width} dimensions",
            )
        model.truncate_dim = args.dimensions
    return model


def _questions(args: argparse.Namespace, recipes: list[RetrievalConfig | None]) -> PairSet:
    from doctobert_hf.retrieval.builders import load_splits, load_test

    own = next((recipe for recipe in recipes if recipe is not None), None)
    if args.data:
        given = {"data": args.data, "data_dir": args.data_dir, "leaked_questions": "drop"}
        return load_test(RetrievalConfig("none", **given))
    if own is None:
        raise UsageError(
            "No questions: none of the models is a run of 'retrieval train'",
            "--data",
            "Pass --data labforsims2 --data-dir FOLDER, or --data pairs.jsonl",
        )
    return load_splits(replace(own, **({"data_dir": args.data_dir} if args.data_dir else {}))).test


def _check_unseen(recipe: RetrievalConfig | None, args: argparse.Namespace, pairs: PairSet) -> None:
    """Refuse test questions that a run was trained on; tell where that cannot be known."""
    from doctobert_hf.retrieval.builders import load_splits
    from doctobert_hf.retrieval.pairs import refuse_leakage

    if recipe is None:
        return
    if args.data_dir:
        recipe = replace(recipe, data_dir=args.data_dir)
    try:
        train = load_splits(recipe).train
    except UsageError as error:
        print(f"Not checked whether training saw these questions: {error}", file=sys.stderr)
        return
    refuse_leakage(train, pairs)


def _recipe_of(place: str) -> RetrievalConfig | None:
    path = Path(place).parent / "resolved_config.yaml"
    if not (Path(place) / "retrieval.json").is_file() or not path.is_file():
        return None
    return build_config(RetrievalConfig, read_yaml(path), source=f"'{path}'")


def read_result(path: Path) -> Result:
    """Read one result that ``--json`` or a PyLate run wrote."""
    from doctobert_hf.retrieval.evaluation import Result

    try:
        return Result(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"'{path}' is no result ({error})", "a result's JSON") from error


def _mteb(args: argparse.Namespace) -> int:
    from doctobert_hf.reporting.tables import text_table
    from doctobert_hf.retrieval.models import open_model
    from doctobert_hf.retrieval.mteb_tasks import run_mteb

    with contextlib.redirect_stdout(sys.stderr):
        rows = [
            row
            for name in args.models
            for row in run_mteb(
                name.rstrip("/"),
                _open(open_model, retrieval_index.model_folder(name), args),
                args.mteb,
                args.data_dir,
            )
        ]
    if args.json:
        print(json.dumps(rows, indent=2))
    else:
        cells = [[*map(str, list(row.values())[:3]), f"{row['value']:.4f}"] for row in rows]
        print(text_table(["system", "task", "score", "value"], cells))
    return 0


def _print(results: list[Result], as_json: bool) -> None:
    from doctobert_hf.reporting.tables import text_table
    from doctobert_hf.retrieval.evaluation import table, verdict

    if as_json:
        print(json.dumps([result.as_json() for result in results], ensure_ascii=False, indent=2))
    else:
        print(text_table(*table(results)))
    for result in results:
        for note in result.notes:
            print(f"{result.system}: {note}", file=sys.stderr)
    for line in verdict(results):
        print(line, file=sys.stderr)
