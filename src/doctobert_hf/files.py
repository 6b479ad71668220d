"""Writing results so that nothing half-written is ever taken for finished."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from doctobert_hf.errors import DoctobertError, OutputError, UsageError


@contextmanager
def explained_output(target: str | Path) -> Iterator[None]:
    """Turn an error of writing into an :class:`OutputError` that says what to do.

    Writers in Rust (tokenizers, safetensors) raise classes of their own, with the number in words:
    "No space left on device (os error 28)". Errors of another kind pass.
    """
    try:
        yield
    except DoctobertError:
        raise
    except Exception as error:
        if isinstance(error, ValueError) and "embedded null" in str(error):
            raise OutputError(f"Cannot write to {str(target)!r}", "a name without NUL") from error
        if isinstance(error, RuntimeError) and _TORCH_WRITER.search(str(error)):
            raise OutputError(
                f"Cannot write to '{target}': torch could not write a whole file, and "
                f"{_free(target)} are free there",
                fix=_OUTPUT_FIXES[errno.ENOSPC],
            ) from error
        found = re.search(r"os error (\d+)", str(error))
        number = int(found[1]) if found else getattr(error, "errno", None)
        if number not in _OUTPUT_FIXES:
            raise
        raise OutputError(
            f"Cannot write to '{target}' ({os.strerror(number)})", fix=_OUTPUT_FIXES[number]
        ) from error


_TORCH_WRITER = re.compile("inline_container|PytorchStreamWriter")
"""``torch.save`` has no number for a full disk: its writer finds itself at another place."""


def _free(target: str | Path) -> str:
    place = Path(target).absolute()
    there = next(path for path in (place, *place.parents) if path.exists())
    return f"{shutil.disk_usage(there).free / 1e6:,.0f} MB"


_OUTPUT_FIXES = {
    errno.EACCES: "Choose a folder you may write to",
    errno.EPERM: "Choose a folder you may write to",
    errno.EROFS: "Choose a folder on a writable disk",
    errno.ENOSPC: "Free some space or choose another disk",
    errno.EFBIG: "A file of this size is not allowed here (ulimit -f): raise the limit",
    errno.EDQUOT: "Your quota is used up: free some space or choose another disk",
    errno.ENAMETOOLONG: "Choose a shorter name",
    errno.EISDIR: "A folder stands where a file should be: choose another name",
    errno.EBUSY: "It is a mount point: choose a folder in it",
    errno.ENOENT: "No folder can be made there: choose another path",
    errno.EEXIST: "A file stands where a folder should be: choose another name",
    errno.ENOTDIR: "A file stands where a folder should be: choose another name",
}


def write_text_atomic(path: str | Path, text: str) -> None:
    """Write UTF-8 text through a temporary file beside ``path`` and an atomic rename."""
    path = Path(path)
    with explained_output(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            temporary.write_text(text, encoding="utf-8")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def write_json_atomic(path: str | Path, content: Any) -> None:
    """Write JSON, readable and with a final newline, atomically."""
    write_text_atomic(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def is_remote(place: object) -> bool:
    """Return whether a place is an address (``s3://...``), also after ``Path`` has shortened it.

    Example:
        >>> is_remote("s3://bucket/notes"), is_remote(Path("hf://x")), is_remote("C:/notes")
        (True, True, False)
    """
    return re.match(r"[A-Za-z][A-Za-z0-9+]+:/", str(place)) is not None and not os.path.exists(
        str(place)
    )


def refuse_remote(
    place: object,
    what: str,
    mend: str = "Write here and copy it there (for example with 'aws s3 sync' or 'hf upload'), or "
    "mount it",
) -> None:
    """Refuse an address where a place on this machine is meant.

    Args:
        place: What was given.
        what: What it is for, for the message.
        mend: What to do instead.

    Raises:
        UsageError: It is an address: locks, records and resuming need a file system.
    """
    if is_remote(place):
        address = re.sub(r":/+", "://", str(place), count=1)
        raise UsageError(
            f"'{address}' is remote storage", f"a path of this machine for {what}", mend
        )
