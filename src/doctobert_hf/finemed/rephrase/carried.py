"""A document's other columns on their way through files of JSON, with the types they came with.

Answers lie in JSON lines until all are there. JSON has no dates, bytes, decimals or NaN, and a
column may be called like one of ours: the columns travel apart, what JSON lacks as
``{"$": kind, "of": text}``.
"""

from __future__ import annotations

import base64
import datetime
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

CARRIED = "carried"
_KIND, _OF = "$", "of"


def pack(value: Any) -> Any:
    """Return a value of an Arrow column, or a row of them, as JSON can hold it.

    Example:
        >>> pack({"day": datetime.date(2024, 3, 1), "n": 2})
        {'day': {'$': 'date', 'of': '2024-03-01'}, 'n': 2}
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {_KIND: "float", _OF: str(value)}
    if isinstance(value, dict):
        packed = {key: pack(part) for key, part in value.items()}
        return {_KIND: "dict", _OF: packed} if _KIND in packed else packed
    if isinstance(value, tuple):  # an entry of a map
        return {_KIND: "tuple", _OF: [pack(part) for part in value]}
    if isinstance(value, list):
        return [pack(part) for part in value]
    if isinstance(value, bytes):
        return {_KIND: "bytes", _OF: base64.b64encode(value).decode()}
    if isinstance(value, Decimal):
        return {_KIND: "decimal", _OF: str(value)}
    if isinstance(value, datetime.datetime):
        # With nanoseconds Arrow gives a subclass that Pandas has.
        kind = "datetime" if type(value) is datetime.datetime else "timestamp"
        return {_KIND: kind, _OF: value.isoformat()}
    if isinstance(value, datetime.timedelta):
        exact = type(value) is datetime.timedelta
        parts = [value.days, value.seconds, value.microseconds]
        return {_KIND: "delta", _OF: parts if exact else [*parts, value.nanoseconds]}  # type: ignore[attr-defined]
    if isinstance(value, datetime.date | datetime.time):
        return {_KIND: type(value).__name__, _OF: value.isoformat()}
    raise TypeError(f"a {type(value).__name__}, which no column of a corpus holds")


def unpack(value: Any) -> Any:
    """Return what :func:`pack` was given.

    Example:
        >>> unpack({"$": "decimal", "of": "1.50"})
        Decimal('1.50')
    """
    if isinstance(value, list):
        return [unpack(part) for part in value]
    if not isinstance(value, dict):
        return value
    if _KIND not in value:
        return {key: unpack(part) for key, part in value.items()}
    kind, of = value[_KIND], value[_OF]
    if kind == "dict":
        return {key: unpack(part) for key, part in of.items()}
    if kind == "tuple":
        return tuple(unpack(part) for part in of)
    return _READ[kind](of)


def _timestamp(text: str) -> Any:
    import pandas as pd

    return pd.Timestamp(text)


def _delta(parts: list[int]) -> Any:
    exact = datetime.timedelta(*parts[:3])
    if len(parts) == 3:
        return exact
    import pandas as pd

    return pd.Timedelta(exact) + pd.Timedelta(parts[3], "ns")


_READ: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "bytes": base64.b64decode,
    "decimal": Decimal,
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timestamp": _timestamp,
    "delta": _delta,
}
