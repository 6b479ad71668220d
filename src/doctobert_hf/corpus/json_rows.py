"""JSON in which each key stands once: of two values Python keeps the last without a word."""

from __future__ import annotations

import json
from typing import Any


class RepeatedKey(ValueError):
    """A key is given twice in an object; its argument is the key."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RepeatedKey(_repeated(pairs))
    return found


def _repeated(pairs: list[tuple[str, Any]]) -> str:
    names = [key for key, _ in pairs]
    return next(key for key in names if names.count(key) > 1)


# One decoder for all: json.loads makes a new one at each call that has a hook.
_decode = json.JSONDecoder(object_pairs_hook=_unique).decode


def load_json(text: str) -> Any:
    """Return what a text of JSON holds, as ``json.loads``; of a repeated key it is an error.

    Raises:
        RepeatedKey: A key is given twice.
        json.JSONDecodeError: It is no JSON.

    Example:
        >>> load_json('{"text": "Le patient.", "more": {"a": 1}}')
        {'text': 'Le patient.', 'more': {'a': 1}}
        >>> load_json('{"text": "Le patient.", "text": ""}')
        Traceback (most recent call last):
            ...
        doctobert_hf.corpus.json_rows.RepeatedKey: text
    """
    return _decode(text)


class _Repeating(dict[str, Any]):
    """An object that has a key twice."""


def row_with_repeated_key(text: str) -> int | None:
    """Return which row of a list, from 0, has a key twice; None where the text is no list.

    Args:
        text: JSON that :func:`load_json` refused for one.

    Example:
        >>> row_with_repeated_key('[{"text": "a"}, {"text": "b", "text": "c"}]')
        1
    """

    def marked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        row = dict(pairs)
        return row if len(row) == len(pairs) else _Repeating(pairs)

    rows = json.loads(text, object_pairs_hook=marked)
    if not isinstance(rows, list):
        return None
    return next((index for index, row in enumerate(rows) if _repeats(row)), None)


def _repeats(value: Any) -> bool:
    if isinstance(value, dict):
        return isinstance(value, _Repeating) or any(map(_repeats, value.values()))
    return isinstance(value, list) and any(map(_repeats, value))
