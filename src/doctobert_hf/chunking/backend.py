"""What the chunker needs to know of a fast tokenizer: how it encodes, and how local it is."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DataError, UsageError

if TYPE_CHECKING:
    from tokenizers import Encoding
    from transformers import PreTrainedTokenizerBase

MIN_LENGTH = 8
# The process that imported this: a forked worker has the same value and another pid.
_HOME = os.getpid()


class TokenizerBackend:
    """Encodes texts without special tokens, truncation or padding.

    Attributes:
        word_local: Whether the tokenizer treats each pre-token (word) on its own, so that a chunk's
            tokens differ from its slice of the document's only near its two ends.
        trailing_space_tokens: Tokens that a chunk gains because it ends with a space and the
            document's offsets do not show it (byte-level BPE with trimmed offsets: 1).
        special_tokens: Number of special tokens around one sequence.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        if not getattr(tokenizer, "is_fast", False):
            raise UsageError(
                f"{type(tokenizer).__name__} is not a fast tokenizer",
                "one with offsets",
                "Load it with AutoTokenizer.from_pretrained(...), or convert it",
            )
        self.tokenizer = tokenizer
        self.special_tokens = tokenizer.num_special_tokens_to_add(pair=False)
        words = self.encode("mot mot mot")
        self.word_local = len({words.token_to_word(i) for i in range(len(words))}) >= 3
        self.trailing_space_tokens = self._probe_trailing_space()

    def capacity(self, max_length: int) -> int:
        """Return how many tokens besides the special ones fit in ``max_length``.

        Raises:
            UsageError: ``max_length`` is no number of tokens or under 8.
        """
        if not isinstance(max_length, int) or isinstance(max_length, bool):
            raise UsageError(f"max_length {max_length!r}", "a number of tokens")
        least = max(MIN_LENGTH, self.special_tokens + 4)
        if max_length < least:
            raise UsageError(
                f"max_length {max_length}",
                f"at least {least}, {self.special_tokens} special tokens counted",
            )
        limit = self.tokenizer.model_max_length
        if limit and max_length > limit:
            # Chunks need not be for this tokenizer's model: 8,192 tokens for a rewriter, say.
            warnings.warn(
                f"max_length {max_length} is over the tokenizer's model_max_length {limit}: its "
                f"model may have no positions for such chunks; max_length {limit} keeps to it",
                stacklevel=3,
            )
        return max_length - self.special_tokens

    def encode(self, text: str) -> Encoding:
        """Encode one text."""
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: list[str]) -> list[Encoding]:
        """Encode texts with the tokenizer's threads."""
        if os.getpid() != _HOME:
            # A worker. The thread pool did not survive the fork, and waiting for it never ends when
            # TOKENIZERS_PARALLELISM=true; workers are the parallelism here anyway.
            os.environ["TOKENIZERS_PARALLELISM"] = "false"
        backend = self.tokenizer.backend_tokenizer  # type: ignore[attr-defined]
        # Transformers sets these for each call of its own and leaves them behind.
        backend.no_truncation()
        backend.no_padding()
        try:
            return backend.encode_batch(texts, add_special_tokens=False)
        except (TypeError, UnicodeError) as error:
            raise _unreadable(texts) or error from error

    def _probe_trailing_space(self) -> int:
        pair = self.encode("mot mot")
        starts = [token_chars(pair, i)[0] for i in range(len(pair))]
        if 3 in starts:  # the second word's token begins at the space: offsets show it
            return 0
        return len(self.encode("mot ")) - len(self.encode("mot"))


def _unreadable(texts: list[str]) -> DataError | None:
    """Name the first text that no tokenizer can take."""
    found = (text_problem(text, f"Text {number}") for number, text in enumerate(texts))
    return next(filter(None, found), None)


def text_problem(text: Any, which: str) -> DataError | None:
    """Return what keeps a text from being tokenised, if anything does.

    Args:
        text: What stands where a text is wanted.
        which: What the error calls it: "Document 'a1'".
    """
    if not isinstance(text, str):
        return DataError(
            f"{which} has {text!r:.60} as its text",
            "a string",
            "Filter out rows without text first"
            if text is None
            else "Name the column that holds the text, or turn its values into strings",
        )
    if text.isascii():
        return None
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return DataError(
            f"{which} has invalid Unicode (a lone surrogate) at position {error.start}, near "
            f"{text[max(0, error.start - 20) : error.start]!r}",
            "valid Unicode",
            "Repair it: text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')",
        )
    return None


def token_chars(encoding: Encoding, token: int) -> tuple[int, int]:
    """Return the characters ``[start, end)`` that a token stands for."""
    span = encoding.token_to_chars(token)
    if span is None:
        raise IndexError(f"token {token} of {len(encoding)}")
    return span


def special_tokens_around(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """Return the special tokens that the tokenizer puts before and after one sequence.

    Raises:
        UsageError: It changes the text's own tokens when it adds them.
    """
    bare = tokenizer("mot", add_special_tokens=False)["input_ids"]
    full = tokenizer("mot")["input_ids"]
    for start in range(len(full) - len(bare) + 1):
        if full[start : start + len(bare)] == bare:
            return full[:start], full[start + len(bare) :]
    raise UsageError(
        f"{type(tokenizer).__name__} changes a text when it adds special tokens",
        "special tokens before and after the text only",
    )
