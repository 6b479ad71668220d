"""Reading records: JSON that is absent, whole or damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from doctobert_hf.errors import UsageError


def read_json(path: Path) -> Any:
    """Read a JSON file; None where it is absent.

    Raises:
        UsageError: It is there and damaged.
    """
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"The record '{path}' is damaged ({error})", "JSON") from error
