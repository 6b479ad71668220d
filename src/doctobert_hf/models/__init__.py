"""Model presets: DoctoBERT and DoctoModernBERT as plain Transformers configurations."""

from doctobert_hf.models.presets import (
    count_parameters,
    list_presets,
    preset_config,
    preset_positions,
)

__all__ = ["count_parameters", "list_presets", "preset_config", "preset_positions"]
