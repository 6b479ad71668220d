"""Headers of weights: parameters are counted without loading any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def count_parameters(folder: Path, of: str = "") -> int | None:
    """Count parameters from the headers of safetensors files; None without such files.

    Args:
        folder: Of the model.
        of: Only those whose name has this part.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        return None
    total = 0
    for file in files:
        for name, entry in safetensors_header(file).items():
            if name != "__metadata__" and of in name:
                size = 1
                for length in entry["shape"]:
                    size *= length
                total += size
    return total


def safetensors_header(file: Path) -> dict[str, Any]:
    """Read the JSON header of a safetensors file."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        return json.loads(stream.read(length))
