"""Errors of the package: each says what was got, what was expected, and how to mend it."""

from __future__ import annotations


class DoctobertError(Exception):
    """Base of every error this package raises on purpose.

    Args:
        got: What was found, as a sentence.
        expected: What would have been right, as a phrase that completes "Expected ...".
        fix: What the user can do about it, as a sentence.

    Attributes:
        exit_code: What the command line returns for it: 1 failed, 2 wrong usage.

    Example:
        >>> try:
        ...     raise UsageError("max_length 4", "8 or more", "Pass --max-length 512")
        ... except DoctobertError as error:
        ...     print(error, error.exit_code)
        max_length 4. Expected 8 or more. Pass --max-length 512. 2
    """

    exit_code = 1

    def __init__(self, got: str, expected: str = "", fix: str = "") -> None:
        self.got, self.expected, self.fix = got, expected, fix
        parts = [_sentence(got)]
        if expected:
            parts.append(_sentence(f"Expected {expected}"))
        if fix:
            parts.append(_sentence(fix))
        super().__init__(" ".join(parts))

    def __reduce__(self) -> tuple[type[DoctobertError], tuple[str, str, str]]:
        # Errors cross process borders (Dataset.map, loader workers); the default pickles only args.
        return type(self), (self.got, self.expected, self.fix)


class UsageError(DoctobertError, ValueError):
    """Raised when the caller asked for something that cannot be: a wrong argument, key or path."""

    exit_code = 2


class DataError(DoctobertError, ValueError):
    """Raised when the request is right but the data is not: empty, broken, of another shape."""


class OutputError(DoctobertError, OSError):
    """Raised when a result cannot be written: no permission, no space, a folder in the way."""


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", ":")) else text + "."


def nearest(name: str, names: list[str]) -> str:
    """Return ``"Did you mean 'x'?"`` for the closest of ``names``, or the list of all of them.

    A list of more than forty names would hide the error: ``--help`` shows them.

    Example:
        >>> nearest("ouput", ["output", "input"])
        "Did you mean 'output'?"
    """
    import difflib

    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{close[0]}'?"
    known = sorted(set(names))
    return f"Valid names: {', '.join(known)}." if len(known) <= 40 else "--help shows all of them."
