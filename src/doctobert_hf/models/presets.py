"""The published architectures, small ones for CPUs, and tiny twins for tests and the quickstart.

Source: the models' training configurations (DoctoBERT 2026): DoctoBERT is RoBERTa-base with 514
positions; DoctoModernBERT is ModernBERT-base and -large with RoPE 160k global and 10k local.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import UsageError, nearest
from doctobert_hf.models.positions import max_positions

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedTokenizerBase

_ROBERTA: dict[str, Any] = {
    "vocab_size": 32768,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-12,
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
}
_MODERNBERT: dict[str, Any] = {
    "vocab_size": 50368,
    "hidden_size": 768,
    "num_hidden_layers": 22,
    "num_attention_heads": 12,
    "intermediate_size": 1152,
    "max_position_embeddings": 8192,
    "local_attention": 128,
    "global_attn_every_n_layers": 3,
    "rope_parameters": {
        "full_attention": {"rope_type": "default", "rope_theta": 160_000.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
    },
    "classifier_pooling": "mean",
}
_TINY = {
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 128,
}
_SMALL = {
    "hidden_size": 320,
    "num_hidden_layers": 6,
    "num_attention_heads": 5,
}
"""What two CPU cores train in hours: 11.6 and 10.2 M parameters with 12,288 pieces."""
_PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    "doctobert-base": ("roberta", _ROBERTA),
    "doctobert-small": (
        "roberta",
        _ROBERTA | _SMALL | {"vocab_size": 12288, "intermediate_size": 1280},
    ),
    "doctobert-tiny": ("roberta", _ROBERTA | _TINY),
    "doctomodernbert-base": ("modernbert", _MODERNBERT),
    "doctomodernbert-large": (
        "modernbert",
        _MODERNBERT
        | {
            "hidden_size": 1024,
            "num_hidden_layers": 28,
            "num_attention_heads": 16,
            "intermediate_size": 2624,
        },
    ),
    "doctomodernbert-large-tiny": (
        "modernbert",
        _MODERNBERT
        | _TINY
        | {
            "hidden_size": 96,
            "num_hidden_layers": 4,
            "num_attention_heads": 6,
            "intermediate_size": 192,
            "max_position_embeddings": 1024,
            "local_attention": 32,
        },
    ),
    "doctomodernbert-small": (
        "modernbert",
        _MODERNBERT
        | _SMALL
        | {
            "vocab_size": 12288,
            "intermediate_size": 640,
            "max_position_embeddings": 1024,
        },
    ),
    "doctomodernbert-tiny": (
        "modernbert",
        _MODERNBERT | _TINY | {"max_position_embeddings": 1024, "local_attention": 32},
    ),
}


def list_presets() -> list[str]:
    """Return the names of all presets.

    Example:
        >>> "doctomodernbert-base" in list_presets()
        True
    """
    return list(_PRESETS)


def preset_positions(name: str) -> int:
    """Return the most tokens a preset takes, special tokens counted.

    Raises:
        UsageError: An unknown name; the nearest is suggested.

    Example:
        >>> preset_positions("doctobert-base"), preset_positions("doctomodernbert-base")
        (512, 8192)
    """
    kind, values = _preset(name)
    return max_positions({"model_type": kind, **values}) or 0


def _preset(name: str) -> tuple[str, dict[str, Any]]:
    if name not in _PRESETS:
        raise UsageError(f"No preset '{name}'", fix=nearest(name, list_presets()))
    return _PRESETS[name]


def preset_config(
    name: str, tokenizer: PreTrainedTokenizerBase | None = None, **overrides: Any
) -> PretrainedConfig:
    """Return a preset as a Transformers configuration.

    Args:
        name: One of :func:`list_presets`.
        tokenizer: Sets vocabulary size and special ids; default: the published vocabulary's size
            and the special ids of this package's tokenizers.
        **overrides: Fields of the configuration to change.

    Returns:
        A ``RobertaConfig`` or ``ModernBertConfig``, for ``AutoModelForMaskedLM.from_config``.

    Raises:
        UsageError: An unknown name, or a padding id that leaves RoBERTa too few positions.

    Example:
        >>> config = preset_config("doctomodernbert-small", tokenizer, hidden_size=192)
        >>> config.model_type, config.hidden_size, config.vocab_size == len(tokenizer)
        ('modernbert', 192, True)
    """
    from transformers import AutoConfig

    from doctobert_hf.tokenization.layout import SPECIAL_TOKENS

    kind, values = _preset(name)
    ids = {token: index for index, token in enumerate(SPECIAL_TOKENS)}
    special = {
        "pad_token_id": ids["[PAD]"],
        "bos_token_id": ids["[CLS]"],
        "eos_token_id": ids["[SEP]"],
    }
    if kind == "modernbert":
        special |= {"cls_token_id": ids["[CLS]"], "sep_token_id": ids["[SEP]"]}
    if tokenizer is not None:
        special = {key: getattr(tokenizer, key) for key in special}
        values = values | {"vocab_size": len(tokenizer)}
    config = AutoConfig.for_model(kind, **(values | special | overrides))
    if kind == "roberta":
        _check_positions(config)
    return config


def _check_positions(config: PretrainedConfig) -> None:
    """A high padding id eats up RoBERTa's table of positions."""
    usable = max_positions(config) or 0
    if usable < min(512, config.max_position_embeddings - 2):
        raise UsageError(
            f"pad_token_id {config.pad_token_id} leaves RoBERTa {max(usable, 0)} of its "
            f"{config.max_position_embeddings} positions",
            "a padding id of 1",
            "Train the tokenizer with doctobert_hf.tokenization.train_tokenizer",
        )


def count_parameters(model: torch.nn.Module) -> dict[str, int]:
    """Return the number of parameters in all, in the token embeddings, and in the rest.

    Tied weights count once.

    Example:
        >>> from transformers import AutoModelForMaskedLM
        >>> counts = count_parameters(AutoModelForMaskedLM.from_pretrained("encoder"))
        >>> counts["total"] == sum(n for name, n in counts.items() if name != "total")
        True
    """
    total = sum(p.numel() for p in {id(p): p for p in model.parameters()}.values())
    embeddings = model.get_input_embeddings().weight.numel()  # type: ignore[operator,union-attr]
    return {"total": total, "embeddings": embeddings, "other": total - embeddings}
