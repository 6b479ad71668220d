"""What the commands' parsers share: types of options, and errors with the nearest name."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
import textwrap
from pathlib import Path
from typing import Any, NoReturn


def whole_number(text: str) -> int:
    """Return a number from 1 on; an option's type."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number, 1 or more")
    return number


COLUMNS = 79
MANY = 8
"""Options and arguments that a usage lists at most."""


def fitted(text: str) -> str:
    """Fit a command's description into a terminal of 80 columns.

    Prose is wrapped; what an example is for goes under it where both are too long for one line; a
    command that is too long alone goes on behind a backslash, so that it can be copied.

    Example:
        >>> print(fitted("doctobert-hf env      " + "x" * 60))
        doctobert-hf env
            xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    """
    lines = text.splitlines()
    under = any(len(line) > COLUMNS and _EXAMPLE.match(line) for line in lines)
    fit: list[str] = []
    prose: list[str] = []
    for line in [*lines, ""]:
        example = _EXAMPLE.match(line)
        if prose and (example or not line):
            fit += textwrap.wrap(" ".join(prose), COLUMNS)
            prose = []
        if example and (under or len(line) > COLUMNS):
            command, _, remark = line.partition("  ")
            fit += _continued(command) + ([f"    {remark.strip()}"] if remark else [])
        elif example or not line:
            fit.append(line)
        else:
            prose.append(line)
    return "\n".join(fit).rstrip()


_EXAMPLE = re.compile(r"(?:doctobert-hf|torchrun) ")


def _continued(command: str) -> list[str]:
    """Break a command before an option where it is too long."""
    lines = [""]
    for part in re.split(r" (?=--)", command):
        if lines[-1] and len(lines[-1]) + len(part) + 3 > COLUMNS:
            lines[-1] += " \\"
            lines.append(f"    {part}")
        else:
            lines[-1] += f" {part}" if lines[-1] else part
    return lines


def describe_actions(parser: argparse.ArgumentParser, examples: str) -> None:
    """Let the help of each subcommand begin with what it does and its lines of the examples.

    Args:
        parser: Parser of a command; its subparsers are described, theirs too.
        examples: Text with the command's examples, one in a line.
    """
    for group in parser._actions:
        if not isinstance(group, argparse._SubParsersAction):
            continue
        summaries = {choice.dest: choice.help or "" for choice in group._choices_actions}
        for name, sub in group.choices.items():
            lines = [x for x in examples.splitlines() if f"{x.strip()} ".startswith(f"{sub.prog} ")]
            summary = summaries.get(name, "")
            text = sub.description or f"{summary[:1].upper()}{summary[1:]}."
            if f"\n{sub.prog} " not in text:
                sub.description = fitted("\n".join([text, "", *lines]).rstrip())
                sub.formatter_class = argparse.RawDescriptionHelpFormatter
            describe_actions(sub, examples)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line with the nearest option, as all errors are here."""

    def format_help(self) -> str:
        """Return the help; the usage names arguments first, then the options that are needed.

        Of many options it names no others: else a screen of them stands before what the command
        does and its examples.
        """
        arguments = [action for action in self._actions if not action.option_strings]
        needed = [a for a in self._actions if a.option_strings and a.required]
        if self.usage is None and (len(self._actions) > MANY or (arguments and needed)):
            formatter = self._get_formatter()
            formatter.add_usage(None, arguments, [], prefix="")
            options = [_with_value(action) for action in needed]
            parts = [*formatter.format_help().split(), *options, "[--option value ...]"]
            words = [part.replace("%", "%%").replace(" ", "\0") for part in parts]
            usage = textwrap.wrap(" ".join(words), COLUMNS - len("usage: "))
            self.usage = "\n       ".join(usage).replace("\0", " ")
        return super().format_help()

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parse; an unknown option is an error of the subcommand it was given to."""
        found, left = self.parse_known_args(args, namespace)
        if left and hasattr(found, "files") and not any(word.startswith("-") for word in left):
            found.files += [Path(word) for word in left]  # files on both sides of an option
            left = []
        if left and hasattr(found, "other_options"):
            found.other_options = left  # the command knows more options than it lists
        elif left:
            self.unknown(left, args or [])
        return found

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parse; ``--max_length`` is ``--max-length``, as a recipe writes it."""
        words = sys.argv[1:] if args is None else list(args)
        return super().parse_known_args([self._dashed(word) for word in words], namespace)

    def _dashed(self, word: str) -> str:
        name, equals, value = word.partition("=")
        dashed = name.replace("_", "-")
        known = self._option_string_actions
        return dashed + equals + value if name not in known and dashed in known else word

    def unknown(self, left: list[str], given: list[str]) -> NoReturn:
        """End with the unknown arguments and the nearest options."""
        parser: argparse.ArgumentParser = self
        for word in given:
            for action in parser._actions:
                if isinstance(action, argparse._SubParsersAction) and word in action.choices:
                    parser = action.choices[word]
        names = [name for action in parser._actions for name in action.option_strings]
        wrong = next((word for word in left if word.startswith("--")), left[0])
        near = difflib.get_close_matches(wrong.split("=")[0], names, 1, 0.6)
        mend = f" Did you mean {near[0]}?" if near else f" See {parser.prog} --help."
        if wrong.startswith("--recipe") and any(a.dest == "recipe" for a in parser._actions):
            mend = f" A recipe is named right behind the command: {parser.prog} RECIPE."
        if left[0].lower() in ("true", "false", "yes", "no"):
            mend = " A switch takes no value: --key, or --no-key."
        told = " ".join(left)
        print(f"error: {parser.prog}: unrecognized arguments: {told}.{mend}", file=sys.stderr)
        raise SystemExit(2)

    def error(self, message: str) -> NoReturn:
        """End with one line."""
        print(f"error: {self.prog}: {message}. See {self.prog} --help.", file=sys.stderr)
        raise SystemExit(2)


def _with_value(action: argparse.Action) -> str:
    """Return an option as a usage names it, with what stands for its value if it has one."""
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    return f"{action.option_strings[-1]}{value}"


_SHOWN = {
    "verbose": "show the libraries' progress bars and warnings",
    "debug": "show these, and the traceback of an error",
}


def add_shown(parser: argparse.ArgumentParser, inner: bool = False) -> None:
    """Add ``--verbose`` and ``--debug`` to a parser and to its subcommands, however deep."""
    for name, help in _SHOWN.items():
        parser.add_argument(
            f"--{name}",
            action="store_true",
            default=argparse.SUPPRESS if inner else False,
            help=argparse.SUPPRESS if inner else help,
        )
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in set(action.choices.values()):
                add_shown(sub, inner=True)
