"""Opening what a user names: errors that say what was there, and no code of others is run."""

from __future__ import annotations

import difflib
import logging
import re
from pathlib import Path
from typing import Any

from doctobert_hf.errors import UsageError
from doctobert_hf.requests import bounded_requests

logger = logging.getLogger(__name__)


def open_tokenizer(source: str | Path) -> Any:
    """Load a tokenizer by folder or Hub id; what it cannot spell is told.

    Raises:
        UsageError: There is none.
    """
    from transformers import AutoTokenizer

    from doctobert_hf.tokenization.portable import portable, says_bytes, spells_bytes

    _check_folder(source, "tokenizer")
    try:
        found = portable(AutoTokenizer.from_pretrained(source, trust_remote_code=False))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"No tokenizer at '{source}' ({_first_line(error)})",
            "a folder with tokenizer.json, or a Hub id",
            _near_folder(source),
        ) from error
    if not has_vocabulary(found):
        raise UsageError(
            f"No tokenizer at '{source}': no files of one, and what Transformers makes of "
            f"config.json alone knows {len(found)} special tokens and no word",
            "a folder with tokenizer.json, or a Hub id",
            "Name the tokenizer that belongs to the model",
        )
    if says_bytes(found) and not spells_bytes(found):
        logger.warning(
            "The tokenizer at '%s' falls back to bytes but has no piece for some of them (made by "
            "train_new_from_iterator?): characters it has not seen become %s. doctobert-hf "
            "tokenizer train keeps them.",
            source,
            found.unk_token,
        )
    return found


def has_vocabulary(tokenizer: Any) -> bool:
    """Return whether a tokenizer has more than special tokens.

    From a model saved without its tokenizer Transformers makes an empty one, and says nothing.
    """
    return len(tokenizer) - len(set(tokenizer.all_special_tokens)) > _OF_NO_VOCABULARY


_OF_NO_VOCABULARY = 4
"""Most tokens that an empty tokenizer has beside its special ones (SentencePiece's space)."""


def open_pretrained(maker: Any, source: str | Path, **options: Any) -> Any:
    """Load a model or configuration by folder or Hub id with a class of Transformers.

    Raises:
        UsageError: There is none, or none of this class.
    """
    _check_folder(source, "model")
    try:
        return maker.from_pretrained(source, trust_remote_code=False, **options)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"No model at '{source}' ({_first_line(error)})",
            "a folder with config.json and weights, or a Hub id",
            _near_folder(source),
        ) from error


_NOT_NEEDED = ("*.pt", "*.pth", "*.h5", "*.msgpack", "*.ckpt", "checkpoint-*", "onnx/*")
"""Files of a repository that no model is opened from."""


def fetch_folder(source: str | Path) -> Path:
    """Return a model's folder: as it is, or of a Hub id the copy in the cache.

    Raises:
        UsageError: There is neither such a folder nor such a model.
    """
    from huggingface_hub import snapshot_download

    folder = Path(source).expanduser()
    if folder.exists() or re.fullmatch(r"[\w.-]*\w/[\w.-]*\w", str(source)) is None:
        return folder
    try:
        with bounded_requests():
            return Path(snapshot_download(str(source), ignore_patterns=list(_NOT_NEEDED)))
    except Exception as error:
        raise UsageError(
            f"No model at '{source}' ({_first_line(error)})",
            "a folder, or the Hub id of a model",
            _near_folder(source),
        ) from error


def _check_folder(source: str | Path, what: str) -> None:
    """A name that can be no Hub id is a folder that is not there: the Hub is not asked."""
    text = str(source)
    if not Path(text).expanduser().exists() and (text.count("/") > 1 or text[:1] in (".", "~")):
        raise UsageError(f"No {what} at '{source}': there is no such folder", "a folder, or an id")


def _near_folder(source: str | Path) -> str:
    """Return a suggestion where a folder of nearly this name is there; empty: none is."""
    place = Path(source).expanduser()
    if place.exists() or not place.parent.is_dir() or len(place.parts) < 2:
        return ""
    names = [str(path) for path in place.parent.iterdir() if path.is_dir()]
    close = difflib.get_close_matches(str(place), names, n=1, cutoff=0.8)
    return f"Did you mean the folder '{close[0]}'?" if close else ""


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
