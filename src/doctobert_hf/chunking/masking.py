"""Masking for masked-language-model training, vectorised over flat arrays of ids.

Devlin et al. 2019: each token is chosen with probability p; of the chosen, 80 % become the mask
token, 10 % a random token, 10 % stay. Special tokens are never chosen and never drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from doctobert_hf.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
_LEAST_MARKED = 0.002
"""Share of tokens that begin or end words, at least, where words are marked at all: a token of a
blank, or a "▁" of the corpus, marks none."""


class TokenMasker:
    """Chooses and replaces tokens; holds tables over the vocabulary, no state.

    Args:
        tokenizer: Has a mask token; its special tokens are left alone.
        mlm_probability: Share of tokens to predict, in (0, 1).
        whole_word_masking: Choose words, not tokens; the share of tokens stays as given. Words are
            read off the tokens: a leading space begins one, a mark such as "</w>" ends one, and
            punctuation is one.

    Raises:
        UsageError: No mask token, a probability outside (0, 1), or whole words of a tokenizer whose
            tokens do not tell where words begin.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        mlm_probability: float = 0.15,
        whole_word_masking: bool = False,
    ) -> None:
        if tokenizer.mask_token_id is None:
            raise UsageError(
                "The tokenizer has no mask token",
                "one for masked language modelling",
                "Set tokenizer.mask_token, or take an encoder's tokenizer",
            )
        if not 0.0 < mlm_probability < 1.0:
            raise UsageError(f"mlm_probability {mlm_probability}", "a share between 0 and 1")
        self.mlm_probability = mlm_probability
        self.mask_id = tokenizer.mask_token_id
        size = len(tokenizer)
        self.maskable = np.ones(size, dtype=bool)
        self.maskable[[i for i in tokenizer.all_special_ids if i < size]] = False
        self.regular_ids = np.flatnonzero(self.maskable & ~_unused(tokenizer, size))
        self._words = _word_tables(tokenizer, size) if whole_word_masking else None

    def __call__(
        self,
        ids: NDArray[np.int64],
        rng: np.random.Generator,
        mlm_probability: float | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Mask a flat array of ids.

        Args:
            ids: Shape [tokens], special tokens included where the text has them.
            rng: Source of all draws.
            mlm_probability: Share to predict this time; default: the one given at the start.

        Returns:
            The masked ids and the labels, both [tokens]; labels are -100 where nothing is asked.
        """
        masked, chosen = self.sample(ids, rng, mlm_probability)
        labels = np.full(ids.size, IGNORED, dtype=np.int64)
        labels[chosen] = ids[chosen]
        return masked, labels

    def sample(
        self,
        ids: NDArray[np.int64],
        rng: np.random.Generator,
        mlm_probability: float | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Mask a flat array of ids; as calling it, with the masked places instead of labels.

        Returns:
            The masked ids, [tokens], and the indices to predict, [masked], ascending.
        """
        rate = self.mlm_probability if mlm_probability is None else mlm_probability
        if self._words:
            drawn = self._draw_words(ids, *self._words, rng, rate)
        else:
            drawn = rng.random(ids.size, dtype=np.float32) < rate
        chosen = np.flatnonzero(drawn & self.maskable[ids])
        masked = ids.copy()
        fate = rng.random(chosen.size, dtype=np.float32)
        masked[chosen[fate < 0.8]] = self.mask_id
        random = chosen[(fate >= 0.8) & (fate < 0.9)]
        masked[random] = self.regular_ids[rng.integers(0, self.regular_ids.size, random.size)]
        return masked, chosen

    def _draw_words(
        self,
        ids: NDArray[np.int64],
        begin: NDArray[np.bool_],
        separate: NDArray[np.bool_],
        end: NDArray[np.bool_],
        rng: np.random.Generator,
        rate: float,
    ) -> NDArray[np.bool_]:
        begins = begin[ids] | separate[ids]
        begins[1:] |= separate[ids[:-1]] | end[ids[:-1]]
        words = np.cumsum(begins)
        if ids.size == 0:
            return np.zeros(0, dtype=bool)
        chosen = rng.random(int(words[-1]) + 1, dtype=np.float32) < rate
        return chosen[words]


def _unused(tokenizer: PreTrainedTokenizerBase, size: int) -> NDArray[np.bool_]:
    unused = np.zeros(size, dtype=bool)
    for token, index in tokenizer.get_vocab().items():
        if token.startswith("[unused") and index < size:
            unused[index] = True
    return unused


def _word_tables(
    tokenizer: PreTrainedTokenizerBase, size: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which tokens begin a word, are words of their own (punctuation, special), and end one.

    Raises:
        UsageError: They tell none of it: words are split off, and their blanks are lost.
    """
    vocabulary = {i: token for token, i in tokenizer.get_vocab().items() if i < size}
    continued, bytes_of = _continued_by(tokenizer), _byte_alphabet(tokenizer)
    suffix = _ended_by(tokenizer)
    begins, separates, ends = (np.zeros(size, dtype=bool) for _ in range(3))
    for index, token in vocabulary.items():
        text: str | None = token
        if bytes_of is not None and all(c in bytes_of for c in token):
            try:
                text = bytes(bytes_of[c] for c in token).decode()
            except UnicodeDecodeError:
                text = None  # part of a character
        if text is None or token.startswith("<0x"):
            continue
        bare = text[1:] if text[:1] == "▁" or text[:1].isspace() else text
        begins[index] = bare != text
        if suffix and bare.endswith(suffix):
            bare, ends[index] = bare.removesuffix(suffix), True
        if continued is not None:
            begins[index] |= not token.startswith(continued) or not continued
        separates[index] = not any(c.isalnum() for c in bare) and bool(bare or text.isspace())
    separates[[i for i in tokenizer.all_special_ids if i < size]] = True
    if (begins | ends).sum() < _LEAST_MARKED * size:
        raise UsageError(
            "The tokenizer's tokens do not tell where words begin: none has a mark such as '▁', "
            "'Ġ', '##' or '</w>'",
            "one that marks them, for whole_word_masking",
            "Leave out whole_word_masking, or take a tokenizer with Metaspace or ByteLevel",
        )
    return begins, separates, ends


def _ended_by(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """Return the suffix of pieces that end a word ("</w>" of GPT and XLM), if there is one."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    return getattr(getattr(backend, "model", None), "end_of_word_suffix", None) or None


def _continued_by(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """Return the prefix of pieces that go on a word; "" if none does, None if spaces are marked.

    The model tells, not the vocabulary: "##" is also a heading of Markdown.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return "##" if hasattr(tokenizer, "wordpiece_tokenizer") else None
    kind = type(backend.model).__name__
    if kind == "WordLevel":
        return ""
    if kind == "WordPiece":
        return str(backend.model.continuing_subword_prefix)
    return getattr(backend.model, "continuing_subword_prefix", None) or None


def _byte_alphabet(tokenizer: PreTrainedTokenizerBase) -> dict[str, int] | None:
    """Return the byte of each character of a byte-level vocabulary, None for another one."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or "ByteLevel(" not in f"{backend.pre_tokenizer!r}{backend.decoder!r}":
        return None
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    return {character: byte for byte, character in bytes_to_unicode().items()}
