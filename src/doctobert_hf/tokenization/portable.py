"""Tokenizers that older Transformers open too.

Transformers 5 writes ``"tokenizer_class": "TokenizersBackend"``, a name that 4.57 does not know. A
tokenizer of the class below is the same in everything but its name in the file.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

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

    return PreTrainedTokenizerFast


def _rebuilt(state: dict[str, Any]) -> Any:
    made = _class().__new__(_class())
    made.__dict__.update(state)
    return made
