"""A document with its encoding, and the look-ups that planning and splicing chunks take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doctobert_hf.chunking.backend import token_chars
from doctobert_hf.chunking.headings import Headings

if TYPE_CHECKING:
    from tokenizers import Encoding

# Tokens encoded again at each end of a chunk; several words, so that the two streams meet.
WINDOW = 16


class EncodedDocument:
    """A text with its encoding, and the few look-ups the chunker makes, each O(log n) at most.

    ``Encoding.offsets`` would build millions of tuples; single look-ups cost nothing.
    """

    __slots__ = ("_headings", "encoding", "ids", "prefixes", "size", "text")

    def __init__(self, text: str, encoding: Encoding) -> None:
        self.text = text
        self.encoding = encoding
        self.size = len(encoding)
        self.ids = encoding.ids
        self.prefixes: dict[str, int] = {}
        self._headings: Headings | None = None

    @property
    def headings(self) -> Headings:
        """The document's headings, sought when they are first asked for."""
        if self._headings is None:
            self._headings = Headings(self.text)
        return self._headings

    def start_of(self, token: int) -> int:
        """Return the first character of a token; the text's end for one past the last."""
        if token >= self.size:
            return len(self.text)
        return self._chars(max(token, 0))[0]

    def _chars(self, token: int) -> tuple[int, int]:
        return token_chars(self.encoding, token)

    def token_at(self, position: int, low: int = 0, high: int | None = None) -> int:
        """Return the first token that ends after ``position``, known to lie in [low, high]."""
        high = self.size if high is None else min(high, self.size)
        while low < high:
            middle = (low + high) // 2
            if self._chars(middle)[1] > position:
                high = middle
            else:
                low = middle + 1
        return low

    def begins_word(self, token: int) -> bool:
        """Return whether a token is the first of its pre-token."""
        encoding = self.encoding
        return token == 0 or encoding.token_to_word(token) != encoding.token_to_word(token - 1)

    def meet(self, window: Encoding, low: int, first: int) -> tuple[int, int] | None:
        """Find the first word from which a window and the document run on alike.

        Args:
            window: Encoding of the text from character ``low`` on.
            low: Where the window begins in the document.
            first: A token of the document at or before ``low``.

        Returns:
            The word's first token in the window and in the document; None if they never meet.
        """
        ids = window.ids
        for token in range(1, len(ids) - 2):
            if window.token_to_word(token) == window.token_to_word(token - 1):
                continue
            mine = self._token_from(low + token_chars(window, token)[0], max(first, 0))
            if mine is not None and ids[token : token + 2] == self.ids[mine : mine + 2]:
                return token, mine
        return None

    def _token_from(self, position: int, first: int) -> int | None:
        """Return the token that begins a pre-token exactly at ``position``, near ``first``."""
        for token in range(first, min(first + 2 * WINDOW, self.size)):
            begin = self._chars(token)[0]
            if begin == position and self.begins_word(token):
                return token
            if begin > position:
                return None
        return None
