"""Saving a model so that other programs read it too.

Sentence Transformers 6 names modules by new paths and pools by one new key. Version 5, which PyLate
pins, cannot import those; vLLM and llama.cpp's converter look for the names and keys of before and,
where they find none, pool in another way silently. Version 6 reads the names and keys of
before as its own, so that a dense model is written with these. The most tokens of a question and of
a passage, which version 5 has no word for, stand in ``config_sentence_transformers.json``, from
where :func:`.models.open_model` reads them.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from doctobert_hf.files import write_json_atomic

logger = logging.getLogger(__name__)
SETTINGS, ABOUT = "sentence_bert_config.json", "config_sentence_transformers.json"
_NAMES = {
    "sentence_transformers.base.modules.transformer.Transformer": "Transformer",
    "sentence_transformers.sentence_transformer.modules.pooling.Pooling": "Pooling",
    "sentence_transformers.base.modules.dense.Dense": "Dense",
    "sentence_transformers.base.modules.normalize.Normalize": "Normalize",
    "sentence_transformers.sentence_transformer.modules.layer_norm.LayerNorm": "LayerNorm",
    "sentence_transformers.sentence_transformer.modules.static_embedding.StaticEmbedding": (
        "StaticEmbedding"
    ),
}
_MODES = {
    "cls": "pooling_mode_cls_token",
    "mean": "pooling_mode_mean_tokens",
    "max": "pooling_mode_max_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}
_DENSE = ("in_features", "out_features", "bias", "activation_function")
_LENGTHS = ("query_length", "document_length")
_USUAL = {  # of an encoder; version 5 refuses the keys, whatever they say
    "transformer_task": "feature-extraction",
    "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
    "module_output_name": "token_embeddings",
}


def save_model(model: Any, folder: Path, **options: Any) -> None:
    """Save a retrieval model; a dense one with the names and keys that all programs read.

    A model with other modules than encoder, pooling, projection and normalisation is left as
    Sentence Transformers 6 writes it, which is told.

    Args:
        model: The model.
        folder: Where to.
        options: Of ``save_pretrained``.
    """
    model.save_pretrained(str(folder), **options)
    if type(model).__name__ != "SentenceTransformer":
        return
    modules = _read(folder / "modules.json")
    unknown = [module["type"] for module in modules if module["type"] not in _NAMES]
    unknown += _unusual(folder)
    if unknown:
        logger.warning(
            "Sentence Transformers 5, vLLM and llama.cpp may not read this model: it has %s",
            unknown[0].rpartition(".")[2],
        )
        return
    for module in modules:
        name = module["type"] = f"sentence_transformers.models.{_NAMES[module['type']]}"
        place = folder / module["path"] / "config.json"
        if name.endswith(".Pooling"):
            write_json_atomic(place, _pooling(_read(place)))
        elif name.endswith(".Dense"):
            config = _read(place)
            write_json_atomic(place, {key: config[key] for key in _DENSE if key in config})
        elif name.endswith(".Transformer"):
            settings = _read(folder / SETTINGS)
            kept = {"max_seq_length": model.max_seq_length, "do_lower_case": False}
            write_json_atomic(folder / SETTINGS, kept)
            about = _read(folder / ABOUT)
            about |= {name: settings[name] for name in _LENGTHS if settings.get(name)}
            write_json_atomic(folder / ABOUT, about)
    write_json_atomic(folder / "modules.json", modules)


def _pooling(config: dict[str, Any]) -> dict[str, Any]:
    modes = config["pooling_mode"]
    modes = [modes] if isinstance(modes, str) else modes
    return {
        "word_embedding_dimension": config["embedding_dimension"],
        **{key: mode in modes for mode, key in _MODES.items()},
        "include_prompt": config.get("include_prompt", True),
    }


def _unusual(folder: Path) -> list[str]:
    """Return settings of the encoder that have no key in version 5."""
    path = folder / SETTINGS
    settings = _read(path) if path.is_file() else {}  # static embeddings have none
    known = ("max_seq_length", "do_lower_case", *_LENGTHS)
    return [k for k, v in settings.items() if v and k not in known and _USUAL.get(k) != v]


def set_saved_lengths(model: Any, about: dict[str, Any]) -> None:
    """Give a dense model the lengths it was trained with, see :func:`save_model`.

    Args:
        model: The model as Sentence Transformers opens it.
        about: Its ``config_sentence_transformers.json``.
    """
    for name in _LENGTHS:
        if about.get(name) and getattr(model[0], name, 0) is None:
            setattr(model[0], name, about[name])


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
