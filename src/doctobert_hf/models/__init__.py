"""Models as plain Transformers configurations: presets, and how many positions one has."""

from doctobert_hf.models.positions import first_position, max_positions
from doctobert_hf.models.presets import (
    count_parameters,
    list_presets,
    preset_config,
    preset_positions,
)

__all__ = [
    "count_parameters",
    "first_position",
    "list_presets",
    "max_positions",
    "preset_config",
    "preset_positions",
]
