"""What the commands' parsers share: types of options, and errors with the nearest name."""

from __future__ import annotations

import argparse
import difflib
import sys
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


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line with the nearest option, as all errors are here."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parse; an unknown option is an error of the subcommand it was given to."""
        found, left = self.parse_known_args(args, namespace)
        if left and hasattr(found, "other_options"):
            found.other_options = left  # the command knows more options than it lists
        elif left:
            self.unknown(left, args or [])
        return found

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
        told = " ".join(left)
        print(f"error: {parser.prog}: unrecognized arguments: {told}.{mend}", file=sys.stderr)
        raise SystemExit(2)

    def error(self, message: str) -> NoReturn:
        """End with one line."""
        print(f"error: {self.prog}: {message}. See {self.prog} --help.", file=sys.stderr)
        raise SystemExit(2)
