"""Values of an architecture that a recipe sets: ``hidden_size``, ``num_hidden_layers`` and so on.

A model that begins anew takes any of them. A model that is continued has its architecture from its
weights: only dropout may be set, for the training, and the saved model keeps its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import UsageError, nearest

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

_DECIDED = {
    "vocab_size": "the tokenizer",
    "pad_token_id": "the tokenizer",
    "bos_token_id": "the tokenizer",
    "eos_token_id": "the tokenizer",
    "cls_token_id": "the tokenizer",
    "sep_token_id": "the tokenizer",
    "rope_parameters": "rope_theta_global and rope_theta_local",
    "model_type": "preset",
    "layer_types": "num_hidden_layers and global_attn_every_n_layers",
}
_NOT_OURS = ("id2label", "label2id", "problem_type", "architectures", "dtype", "return_dict")
_KINDS = ("roberta", "modernbert")


def is_architecture_key(key: str) -> bool:
    """Return whether a preset's configuration has such a value."""
    return key in architecture_keys()


def architecture_keys() -> list[str]:
    """Return the names of all values that a preset's configuration has."""
    from transformers import AutoConfig

    found: set[str] = set()
    for kind in _KINDS:
        found |= set(AutoConfig.for_model(kind).to_dict())
    return sorted(name for name in found if name not in _NOT_OURS and name[0] != "_")


def check_architecture(given: Mapping[str, Any], architecture: PretrainedConfig) -> dict[str, Any]:
    """Check names and types of values against the configuration that is to have them.

    Args:
        given: Values as they are written.
        architecture: The preset's configuration, without them.

    Returns:
        The values, in the types of the configuration.

    Raises:
        UsageError: A name that this architecture does not have, one that something else decides,
            a value of another type, or a width that the heads do not divide.

    Example:
        >>> from doctobert_hf.models import preset_config
        >>> check_architecture({"hidden_size": 128}, preset_config("doctobert-tiny"))
        {'hidden_size': 128}
    """
    there = architecture.to_dict()
    found = {}
    for key, value in given.items():
        if key in _DECIDED:
            raise UsageError(f"{key} in a recipe", f"nothing: {_DECIDED[key]} decides it")
        if key not in there:
            names = [name for name in there if name not in _NOT_OURS]
            raise UsageError(
                f"A {architecture.model_type} model has no '{key}'", fix=nearest(key, names)
            )
        found[key] = _typed(key, value, there[key])
    both = there | found
    width, heads = both["hidden_size"], both["num_attention_heads"]
    if width % heads or (architecture.model_type == "modernbert" and (width // heads) % 2):
        raise UsageError(
            f"hidden_size {width} in {heads} heads",
            "a width that num_attention_heads divides"
            + (", into even parts" if architecture.model_type == "modernbert" else ""),
        )
    return found


def _typed(key: str, value: Any, usual: Any) -> Any:
    if isinstance(usual, bool) or usual is None or isinstance(usual, (list, dict)):
        fits = usual is None or isinstance(value, type(usual))
    elif isinstance(usual, int):
        fits = isinstance(value, int) and not isinstance(value, bool) and value > 0
    elif isinstance(usual, float):
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
        fits = fits and (value < 1 or "dropout" not in key)
        value = float(value) if fits else value
    else:
        fits = isinstance(value, type(usual))
    if not fits:
        raise UsageError(f"{key} {value!r:.80}", f"a value such as {usual!r:.80}")
    if key.endswith(("_act", "_activation")) and isinstance(value, str):
        from transformers.activations import ACT2FN

        if value not in ACT2FN:
            raise UsageError(f"{key} {value!r:.80}", fix=nearest(value, sorted(ACT2FN)))
    return value


def set_dropout(architecture: PretrainedConfig, given: Mapping[str, Any]) -> dict[str, Any]:
    """Set dropout of a model that is continued, in its configuration.

    Returns:
        The values that were there, for :func:`restore`.

    Raises:
        UsageError: A value that is not dropout, or that the model does not have.
    """
    own = {}
    for key, value in given.items():
        if "dropout" not in key:
            raise UsageError(
                f"{key} for a model that is continued",
                "dropout alone: the rest of its architecture is that of its weights",
            )
        if not hasattr(architecture, key):
            names = [name for name in architecture.to_dict() if "dropout" in name]
            raise UsageError(
                f"A {architecture.model_type} model has no '{key}'", fix=nearest(key, names)
            )
        own[key] = getattr(architecture, key)
        setattr(architecture, key, _typed(key, value, 0.1))
    return own


def restore(model: PreTrainedModel, own: Mapping[str, Any]) -> None:
    """Give a model's configuration its own values back; its layers keep those they began with."""
    for key, value in own.items():
        setattr(model.config, key, value)
