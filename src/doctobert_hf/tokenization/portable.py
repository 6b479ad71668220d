"""Tokenizers that older Transformers open too.

Transformers 5 writes ``"tokenizer_class": "TokenizersBackend"``, a name that 4.57 does not know. A
tokenizer of the class below is the same in everything but its name in the file.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import UsageError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def portable(tokenizer: Any) -> PreTrainedTokenizerFast:
    """Let a fast tokenizer save under the name that all versions know; others stay as they are.

    Args:
        tokenizer: A tokenizer of Transformers; it is changed in place.

    Returns:
        The same object.
    """
    from transformers import PreTrainedTokenizerFast

    if type(tokenizer) is PreTrainedTokenizerFast and _new_name():
        tokenizer.__class__ = _class()
    return tokenizer


def says_bytes(tokenizer: Any) -> bool:
    """Return whether a tokenizer's model is one that falls back to bytes for unseen characters."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    return bool(getattr(getattr(backend, "model", None), "byte_fallback", False))


def spells_bytes(tokenizer: Any) -> bool:
    """Return whether it does so: it also has the pieces, ``<0x00>`` to ``<0xFF>``."""
    if not says_bytes(tokenizer):
        return False
    return all(tokenizer.backend_tokenizer.token_to_id(f"<0x{byte:02X}>") is not None
               for byte in range(256))  # fmt: skip


def _new_name() -> bool:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.__name__ != "PreTrainedTokenizerFast"


@lru_cache(maxsize=1)
def _class() -> Any:
    from transformers import PreTrainedTokenizerFast as Backend

    class PreTrainedTokenizerFast(Backend):  # type: ignore[valid-type, misc]
        """Named as Transformers has always named it."""

        def __reduce__(self) -> Any:
            """Pickle as the library's own class: this one is made when it is needed."""
            return (_rebuilt, (self.__dict__,))

        def train_new_from_iterator(self, *args: Any, **kwargs: Any) -> Any:
            """Train a vocabulary of other text, as Transformers does.

            Raises:
                UsageError: This tokenizer spells unseen characters in bytes, and the new one would
                    not: the library's trainer leaves the byte pieces out.
            """
            if spells_bytes(self):
                raise UsageError(
                    "train_new_from_iterator leaves out this tokenizer's byte pieces, so that "
                    f"every unseen character would become {self.unk_token}",
                    "a trainer that keeps them",
                    "Use doctobert_hf.train_tokenizer, or doctobert-hf tokenizer train",
                )
            return super().train_new_from_iterator(*args, **kwargs)

    return PreTrainedTokenizerFast


def _rebuilt(state: dict[str, Any]) -> Any:
    made = _class().__new__(_class())
    made.__dict__.update(state)
    return made
