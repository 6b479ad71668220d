r"""Escapes, and what they stand for: in JSON, in HTML, in an address, in coloured output.

One table serves both searches, that of a text by Python and that of a column by Arrow. Where they
say the same, so do the searches, as no two of its patterns can overlap and none finds what another
leaves.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_LETTERS = (("e9", "é"), ("e8", "è"), ("ea", "ê"), ("e0", "à"), ("c9", "É"), ("c8", "È"))
"""Of the words by which a secret is told: "clé", "accès", "clé secrète"."""
_ACCENTS = (("e\u0301", "é"), ("e\u0300", "è"), ("a\u0300", "à"), ("E\u0301", "É"))
_TABLE = (
    *((rf"\\+(?:u00|x){code}", letter) for code, letter in _LETTERS),
    *((rf"\\+(?:u00|x){code.upper()}", letter) for code, letter in _LETTERS if not code.isdigit()),
    *((rf"e\\+u030{mark}", letter) for mark, letter in ((1, "é"), (0, "è"))),
    *_ACCENTS,
    (r"\\+u00[aA][bB]", "\u00ab"),
    (r"\\+(?:u00|x)3[aA]", ":"),
    (r"\\+(?:u00|x)3[dD]", "="),
    (r"\\+(?:(?:u001b|x1b|033)\[[0-9;]*m|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})", " "),
    (r"\\+[nrtbf]", " "),
    (r"\\+\"", '"'),
    (r"\\+'", "'"),
    (r"\x1b\[[0-9;]*m", " "),
    ("\u00a0", " "),
    ("\u202f", " "),
    (r"&nbsp;", " "),
    (r"&quot;", '"'),
    (r"%(?:0[aAdD]|2[02cC]|5[bBdD]|7[bBdD])", " "),
    (r"%3[aA]", ":"),
    (r"%3[dD]", "="),
    (r"%3[fF]", "?"),
    (r"%26", "&"),
)
"""Pattern, in what Python's and RE2's languages share, and what is written for it.

No more than a space, but for the signs by which a value is told.
"""
_RUN = r"\\+"
_PATH = r"[a-z]+[\\:]"
_LETTER = _RUN + "[nrtbf]"
r"""``\n`` and its like, but for ``C:\notes\``: a letter that begins a folder's name."""


def _for_python(pattern: str) -> bytes:
    """A run of backslashes is looked at from its first on: else its time is quadratic."""
    if pattern.startswith(_RUN):
        after = f"(?!{_PATH})" if pattern == _LETTER else ""
        pattern = r"\\(?<!\\\\)\\*" + pattern.removeprefix(_RUN) + after
    return pattern.encode()


_ANY = re.compile(b"|".join(_for_python(pattern) for pattern, _ in _TABLE))
_EACH = [(re.compile(pattern.encode()), plain.encode()) for pattern, plain in _TABLE]


def undone(content: bytes) -> bytes:
    r"""Replace the escapes in a text.

    Example:
        >>> undone(rb"mot\u00a0de&nbsp;passe%3A C:\notes\x")
        b'mot de passe: C:\\notes\\x'
    """
    return _ANY.sub(lambda escape: _plain(escape[0]), content)


@lru_cache(maxsize=1024)
def _plain(escape: bytes) -> bytes:
    return next(plain for pattern, plain in _EACH if pattern.fullmatch(escape))


def undone_column(words: pa.Array) -> pa.Array:
    r"""Replace the escapes in a column, as :func:`undone` does in a text.

    Args:
        words: Strings or binary.

    Returns:
        Binary, in which RE2 counts bytes, as Python does in a text of bytes. A backslash that
        is none of an escape, ``C:\notes\``, may have the byte FF behind it.

    Example:
        >>> import pyarrow as pa
        >>> undone_column(pa.array(["mot&nbsp;de passe%3A x"]))[0].as_py()
        b'mot de passe: x'
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    large = pa.types.is_large_string(words.type) or pa.types.is_large_binary(words.type)
    words = words.cast(pa.large_binary() if large else pa.binary())
    # What RE2 cannot look ahead to is marked; twice, as one may end where the next begins.
    marks = [(rf"\\([nrtbf]{_PATH})".encode(), b"\\\\\xff\\1")] * 2
    for pattern, plain in [*marks, *((p.encode(), plain.encode()) for p, plain in _TABLE)]:
        # With one backslash it is found where a run is, ten times as fast.
        one = pattern.replace(_RUN.encode(), rb"\\")
        if pc.any(pc.match_substring_regex(words, one)).as_py():
            words = pc.replace_substring_regex(words, pattern, plain)
    return words
