"""Train a tokenizer, extend one, or measure tokenizers side by side.

doctobert-hf tokenizer train corpus.parquet --output my-tokenizer
doctobert-hf tokenizer train doctobert-base/tokenizer corpus.parquet --output my-tokenizer
doctobert-hf tokenizer extend almanach/camembert-base corpus.parquet --output extended --add 2000
doctobert-hf tokenizer evaluate my-tokenizer almanach/camembert-base --corpus test.tsv
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from pathlib import Path
from typing import Any

from doctobert_hf.cli.options import whole_number
from doctobert_hf.config import add_config_arguments, build_config, config_overrides, read_yaml
from doctobert_hf.errors import UsageError
from doctobert_hf.recipes import find_recipe, is_recipe
from doctobert_hf.runs.commands import command_line
from doctobert_hf.tokenization.train import TokenizerConfig

COLUMNS = ("fertility", "unk_rate", "byte_fallback_rate", "round_trip_rate", "tokens_per_second")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="extend|train|evaluate")
    train = actions.add_parser(
        "train", help="train a SentencePiece BPE tokenizer", allow_abbrev=False
    )
    train.add_argument(
        "recipe", nargs="?", help="recipe by name or path, e.g. doctobert-base/tokenizer"
    )
    train.add_argument("files", nargs="*", metavar="corpus", type=Path,
                       help="files or folders with text")  # fmt: skip
    train.add_argument("--corpus", nargs="+", type=Path, default=[], metavar="PATH",
                       help="the same as an option")  # fmt: skip
    train.add_argument("--output", required=True, type=Path, help="folder for the tokenizer")
    train.add_argument(
        "--overwrite", action="store_true", help="move another tokenizer in --output aside first"
    )
    train.add_argument("--recipe", dest="recipe_option", help=argparse.SUPPRESS)  # as in 0.1
    add_config_arguments(train, TokenizerConfig)
    extend = actions.add_parser(
        "extend", help="add the pieces that a text needs to a tokenizer", allow_abbrev=False
    )
    extend.add_argument("base", help="model or tokenizer: folder or Hub id")
    extend.add_argument("corpus", type=Path, help="file or folder with text")
    extend.add_argument("--output", required=True, type=Path, help="folder for the tokenizer")
    extend.add_argument(
        "--add", type=whole_number, default=2000, help="pieces to add (default: 2000)"
    )
    extend.add_argument("--text-column", default="text", help="column that holds the text")
    extend.add_argument(
        "--overwrite", action="store_true", help="move another tokenizer in --output aside first"
    )
    evaluate = actions.add_parser(
        "evaluate", help="fertility, unknowns, round trip, speed", allow_abbrev=False
    )
    evaluate.add_argument("tokenizers", nargs="+", help="folders or Hub ids")
    evaluate.add_argument("--corpus", nargs="+", required=True, type=Path, help="texts, each apart")
    evaluate.add_argument("--text-column", default="text", help="column that holds the text")
    evaluate.add_argument("--limit", type=int, help="only the first N documents of each corpus")
    evaluate.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Run a subcommand."""
    return {"train": _train, "extend": _extend, "evaluate": _evaluate}[args.action](args)


def _extend(args: argparse.Namespace) -> int:
    from doctobert_hf.models.opening import open_tokenizer
    from doctobert_hf.tokenization.extend import extend_tokenizer

    base = open_tokenizer(args.base)
    made = extend_tokenizer(
        base, args.corpus, args.output, args.add, args.text_column, args.overwrite
    )
    print(f"{len(made):,} tokens in {args.output}, {len(made) - len(base):,} of them new")
    column = None if args.text_column == "text" else args.text_column
    line = command_line(
        *("tokenizer", "evaluate", args.base, args.output),
        **{"corpus": args.corpus, "text_column": column, "limit": 1000},
    )
    print(f"next: {line}", file=sys.stderr)
    return 0


def _recipe_and_corpus(args: argparse.Namespace) -> tuple[Path | None, list[Path]]:
    """Return the recipe, if one is named, and the files: the first word may be either."""
    name, corpus = args.recipe_option, [*args.files, *args.corpus]
    if args.recipe is not None:
        if name is None and is_recipe(args.recipe):
            name = args.recipe
        else:
            corpus.insert(0, Path(args.recipe))
    if not corpus:
        raise UsageError(
            "No corpus", "files or folders with text", "doctobert-hf tokenizer train corpus.parquet"
        )
    return find_recipe(name, "tokenizer") if name else None, corpus


def _train(args: argparse.Namespace) -> int:
    from doctobert_hf.tokenization.train import train_with_config

    recipe, corpus = _recipe_and_corpus(args)
    config = build_config(
        TokenizerConfig,
        read_yaml(recipe) if recipe else {},
        config_overrides(args, TokenizerConfig),
        source=f"recipe '{recipe}'" if recipe else "options",
    )
    print(f"Training {config.vocab_size:,} tokens on {', '.join(map(str, corpus))} ...",
          file=sys.stderr)  # fmt: skip
    tokenizer, counts = train_with_config(corpus, args.output, config, args.overwrite)
    print(f"Read {counts.report()}.", file=sys.stderr)
    print(f"{len(tokenizer):,} tokens in {args.output}")
    column = None if config.text_column == "text" else config.text_column
    line = command_line(
        *("tokenizer", "evaluate", args.output),
        corpus=corpus,
        text_column=column,
        limit=1000,
    )
    print(f"next: {line}", file=sys.stderr)
    return 0


def _evaluate(args: argparse.Namespace) -> int:

    from doctobert_hf.corpus import iter_texts
    from doctobert_hf.models.opening import open_tokenizer
    from doctobert_hf.reporting.tables import text_table
    from doctobert_hf.tokenization.evaluate import evaluate_tokenizer

    if args.limit is not None and args.limit < 1:
        raise UsageError(f"--limit {args.limit}", "at least 1 document")
    results: list[dict[str, Any]] = []
    for name in args.tokenizers:
        tokenizer = open_tokenizer(name)
        for corpus in args.corpus:
            texts = itertools.islice(iter_texts(corpus, args.text_column), args.limit)
            measured = evaluate_tokenizer(tokenizer, texts)
            results.append({"tokenizer": name, "corpus": str(corpus), **measured})
    if args.json:
        print(json.dumps(results, indent=2))
        return 0
    rows = [
        [r["tokenizer"], Path(r["corpus"]).name, f"{r['fertility']:.3f}"]
        + [f"{100 * r[column]:.3f} %" for column in COLUMNS[1:4]]
        + [f"{r['tokens_per_second']:,.0f}"]
        for r in results
    ]
    print(text_table(["tokenizer", "corpus", *COLUMNS], rows))
    return 0
