"""The command line ``doctobert-hf``: parses, calls, prints; the work is elsewhere.

Each command is a module of this package with ``add_arguments(parser)`` and ``run(args) -> int``; it
is imported only when it is asked for, so that ``--help`` costs nothing.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any

from doctobert_hf.cli.options import Parser, add_shown, describe_actions, fitted
from doctobert_hf.cli.plugins import load_plugins, take_plugins
from doctobert_hf.errors import DoctobertError, UsageError, nearest
from doctobert_hf.files import refuse_remote
from doctobert_hf.processes import rank
from doctobert_hf.reporting.loading import told_of_loading
from doctobert_hf.reporting.terminal import terminal_words
from doctobert_hf.runs.commands import PLUGINS
from doctobert_hf.version import __version__

COMMANDS = {
    "quickstart": "the whole way at laptop size: tokenizer, chunks, training, report",
    "pretrain": "pretrain a masked language model by a recipe",
    "tokenizer": "train a tokenizer, or measure tokenizers side by side",
    "finetune": "fine-tune an encoder for a task and keep the model",
    "predict": "use a fine-tuned model on new text, or score it again",
    "export": "export a fine-tuned model as ONNX, for processors",
    "benchmark": "DrBenchmark: tasks, raw data, a model's scores, reports",
    "finemed": "annotate, filter, clean, rephrase and mix a training corpus",
    "retrieval": "train, measure and use search models: dense, late interaction",
    "hub": "publish or verify models, tokenizers and datasets, with cards",
    "env": "print the versions and hardware a bug report needs",
    "completion": "print the script by which a shell completes commands and options",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal of cp1252 or ASCII: replace, never fail
            stream.reconfigure(errors="replace")
    code = 0
    try:
        with terminal_words():
            code = _main(list(sys.argv[1:] if argv is None else argv))
            if sys.stdout is not None:  # closed: a service may have none
                sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output went away ("| head"): not an error, but nothing more to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if error.filename is not None:  # a file's, not that of the output
            raise
        print(f"error: The output cannot be written: {error}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code or 1
    return code


def _main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_overview())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        print(f"doctobert-hf {__version__}")
        return 0
    ahead = list(takewhile(("--debug", "--verbose").__contains__, arguments))
    if ahead and len(arguments) > len(ahead):
        command, *rest = arguments[len(ahead) :]
        arguments = [command, *ahead, *rest]
    try:
        arguments, plugins = take_plugins(arguments)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    name = arguments[0] if arguments else ""
    if name not in COMMANDS:
        print(f"error: No command '{name}'. {nearest(name, list(COMMANDS))}", file=sys.stderr)
        return 2
    command, parser = command_parser(name)
    add_shown(parser)
    try:
        args = parser.parse_args(arguments[1:])
    except SystemExit as stop:
        return int(stop.code or 0)
    return _guarded(command.run, args, plugins)


def command_parser(name: str) -> tuple[Any, Parser]:
    """Return a command's module and its parser."""
    command = importlib.import_module(f"doctobert_hf.cli.{name}")
    parser = Parser(
        prog=f"doctobert-hf {name}",
        description=fitted(command.__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    describe_actions(parser, command.__doc__ or "")
    return command, parser


def _guarded(
    run: Callable[[argparse.Namespace], int], args: argparse.Namespace, plugins: Sequence[str] = ()
) -> int:
    """Run a command; an error is one line on stderr, a traceback only with ``--debug``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    if not args.debug and not args.verbose:
        _quieten()
    try:
        refuse_remote(getattr(args, "output", None), "--output")
        load_plugins(plugins)
        with told_of_loading():
            return run(args)
    except KeyboardInterrupt as stop:
        print(f"\nStopped. {stop}".rstrip(), file=sys.stderr)
        return 130
    except BrokenPipeError:
        raise
    except Exception as error:
        if args.debug:
            raise
        known = isinstance(error, DoctobertError)
        text = str(error) if known else f"{type(error).__name__}: {error}"
        print(f"error: {' '.join(text.split())}", file=sys.stderr)
        if not known:
            print("Run it again with --debug for the traceback.", file=sys.stderr)
        return error.exit_code if isinstance(error, DoctobertError) else 1
    finally:
        PLUGINS.clear()


_NOISY = (
    *("httpx", "httpx2", "datasets", "transformers", "matplotlib", "filelock", "fsspec"),
    *("huggingface_hub", "sentence_transformers", "accelerate", "torch", "bm25s", "codecarbon"),
)


def _quieten() -> None:
    """Keep the libraries' own warnings from the user; what matters, this package tells itself.

    ``--verbose`` shows them all.
    """
    for name in ("TRANSFORMERS_VERBOSITY", "HF_HUB_VERBOSITY", "DATASETS_VERBOSITY"):
        os.environ.setdefault(name, "error")  # read when the library is imported
    from doctobert_hf import registration
    from doctobert_hf.reporting import quiet

    quiet.ON = True
    registration.register()  # also of what is imported already
    if rank():  # of several processes one tells, and any may fail
        logging.getLogger("doctobert_hf").setLevel(logging.ERROR)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
    shown: set[str] = set()

    def show(message: Warning | str, category: type, filename: str, *_: object) -> None:
        if "doctobert_hf" in filename and str(message) not in shown:
            shown.add(str(message))
            print(f"warning: {message}", file=sys.stderr)

    warnings.showwarning = show  # type: ignore[assignment]


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()]
    return "\n".join(
        [
            "usage: doctobert-hf COMMAND [--help] ...",
            "",
            "French medical encoders: train, measure and publish them.",
            "",
            "  doctobert-hf quickstart --output my-run",
            "",
            "commands:",
            *lines,
            "",
            "  --version         print the version",
            "  --plugin FILE.py  with any command: a file that adds tasks, metrics ...",
            "",
            "Data goes to stdout, words to stderr.",
            "Exit codes: 0 done, 1 failed, 2 wrong usage.",
        ]
    )
