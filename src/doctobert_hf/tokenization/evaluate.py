"""Measuring tokenizers on a corpus: fertility, unknowns, byte fallback, round trip, speed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from doctobert_hf.corpus import require_texts
from doctobert_hf.corpus.formats import checked_row
from doctobert_hf.errors import DataError
from doctobert_hf.tokenization.layout import SPACE

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_BYTE_TOKEN = re.compile(r"<0x[0-9A-F]{2}>")
_BATCH = 256


def evaluate_tokenizer(
    tokenizer: PreTrainedTokenizerBase, texts: Iterable[str]
) -> dict[str, float]:
    """Measure a tokenizer on texts, special tokens apart.

    Args:
        tokenizer: Any Transformers tokenizer.
        texts: The corpus; streamed.

    Returns:
        ``fertility`` (tokens per whitespace word), ``unk_rate`` and ``byte_fallback_rate`` (shares
        of tokens), ``round_trip_rate`` (share of texts for which decoding gives back the text as
        the tokenizer's own normaliser leaves it), ``tokens_per_second`` (batches of 256, all
        threads), and the counts ``texts``, ``words``, ``tokens``.

    Raises:
        DataError: No words in the texts, or one that is no string of valid Unicode.

    Example:
        >>> measured = evaluate_tokenizer(tokenizer, texts)
        >>> measured["round_trip_rate"], measured["unk_rate"]
        (1.0, 0.0)
    """
    require_texts(texts)
    unk_id = tokenizer.unk_token_id
    byte_ids = {i for token, i in tokenizer.get_vocab().items() if _BYTE_TOKEN.fullmatch(token)}
    count = words = tokens = unknown = fallback = same = 0
    seconds = 0.0
    for batch in _batches(texts):
        start = time.perf_counter()
        encoded = tokenizer(batch, add_special_tokens=False, verbose=False)["input_ids"]
        seconds += time.perf_counter() - start
        for text, ids in zip(batch, encoded, strict=True):
            count += 1
            words += len(text.split())
            tokens += len(ids)
            unknown += 0 if unk_id is None else ids.count(unk_id)
            fallback += sum(i in byte_ids for i in ids) if byte_ids else 0
            decoded = tokenizer.decode(ids, clean_up_tokenization_spaces=False)
            same += decoded == _normalized(tokenizer, text)
    if not words:
        raise DataError("The texts hold no words", "text to measure on")
    return {
        "fertility": tokens / words,
        "unk_rate": unknown / tokens if tokens else 0.0,
        "byte_fallback_rate": fallback / tokens if tokens else 0.0,
        "round_trip_rate": same / count,
        "tokens_per_second": tokens / seconds,
        "texts": count,
        "words": words,
        "tokens": tokens,
    }


def _normalized(tokenizer: PreTrainedTokenizerBase, text: str) -> str:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    normalizer = backend.normalizer if backend is not None else None
    return normalizer.normalize_str(text).replace(SPACE, " ") if normalizer else text


def _batches(texts: Iterable[str]) -> Iterable[list[str]]:
    batch: list[str] = []
    for index, text in enumerate(texts):
        batch.append(checked_row({"text": text}, "text", f"Item {index}")["text"])
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
