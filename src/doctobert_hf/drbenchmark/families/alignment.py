"""Words as token sequences, aligned by characters: no word's tag is lost or moved.

Words are joined with spaces and encoded as text; a word's label sits on the first token that
touches one of its characters. No tokenizer is told that its input is split into words: byte-level
tokenizers without ``add_prefix_space`` would then read every word in a form they hardly know from
training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from doctobert_hf.drbenchmark.finetuning.encoding import ExampleEncoder

Sequences = list[tuple[dict[str, list[int]], list[tuple[int, int]]]]
"""What the tokenizer gives for each sequence and, for each token, the range of words it touches."""


def sequences_of(encoder: ExampleEncoder, row: Mapping[str, Any]) -> Sequences:
    """Return the sequences of a row of words."""
    if encoder.split_words:
        return _split_words(encoder, row["tokens"])
    return _joined_words(encoder, row)


def word_places(encoder: ExampleEncoder, count: int, sequences: Sequences) -> list[tuple[int, int]]:
    """Return sequence and first token of each word, (-1, -1) for a word without one."""
    places: list[tuple[int, int]] = [(-1, -1)] * count
    for number, (_, owners) in enumerate(sequences):
        for position, (first, last) in enumerate(owners):
            for word in range(first, last):
                if places[word] == (-1, -1):
                    places[word] = (number, position)
    seen = [place for place in places if place != (-1, -1)]
    encoder.counts["share_a_token"] += len(seen) - len(set(seen))
    encoder.counts["without_token"] += count - len(seen)
    return places


def _joined_words(encoder: ExampleEncoder, row: Mapping[str, Any]) -> Sequences:
    """Encode the words as a text.

    A row that has its ``text`` and the ``starts`` of its words keeps its line breaks.
    """
    import numpy as np

    words = row["tokens"]
    text = row.get("text") or " ".join(words)
    starts = np.asarray(
        row.get("starts") or np.cumsum([0, *(len(word) + 1 for word in words[:-1])])
    )
    spans = [(0, len(text))]
    if encoder.long_inputs == "chunk":
        spans = encoder.chunker.spans(text) or spans
        encoder.counts["chunked"] += len(spans) > 1
    found = []
    for begin, end in spans:
        encoded = encoder.tokenizer(text[begin:end], return_offsets_mapping=True, verbose=False)
        if len(encoded["input_ids"]) > encoder.max_length:
            encoder.counts["truncated"] += 1
            encoded = encoder.tokenizer(
                text[begin:end],
                return_offsets_mapping=True,
                truncation=True,
                max_length=encoder.max_length,
            )
        owners = [
            _touched(text, starts, begin + a, begin + b) for a, b in encoded["offset_mapping"]
        ]
        found.append((model_inputs(encoded), owners))
    return found


def _split_words(encoder: ExampleEncoder, words: Sequence[str]) -> Sequences:
    encoded = encoder.tokenizer(
        list(words), is_split_into_words=True, truncation=True, max_length=encoder.max_length
    )
    owners = [(0, 0) if word is None else (word, word + 1) for word in encoded.word_ids()]
    encoder.counts["truncated"] += max((last for _, last in owners), default=0) < len(words)
    return [(model_inputs(encoded), owners)]


def model_inputs(encoded: Mapping[str, Any]) -> dict[str, list[int]]:
    """What a model takes of a tokenizer's answer."""
    return {k: list(encoded[k]) for k in ("input_ids", "token_type_ids") if k in encoded}


def _touched(text: str, starts: NDArray[np.int64], begin: int, end: int) -> tuple[int, int]:
    """Words that have characters in ``text[begin:end]``, as a range; blanks belong to none."""
    import numpy as np

    while begin < end and text[begin].isspace():
        begin += 1
    while begin < end and text[end - 1].isspace():
        end -= 1
    if begin == end:
        return 0, 0
    first = int(np.searchsorted(starts, begin, side="right")) - 1
    last = int(np.searchsorted(starts, end - 1, side="right"))
    return first, last
