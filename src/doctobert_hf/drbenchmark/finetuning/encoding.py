"""Rows of a task as token sequences: long inputs in chunks, nothing cut without a count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from doctobert_hf.chunking import HierarchicalChunker
from doctobert_hf.drbenchmark.families import Item, family_of
from doctobert_hf.drbenchmark.families.alignment import model_inputs
from doctobert_hf.drbenchmark.finetuning.config import LongInputs
from doctobert_hf.drbenchmark.spec import TaskSpec

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class ExampleEncoder:
    """Encodes the rows of a task for one tokenizer.

    Args:
        task: The task.
        tokenizer: A fast tokenizer.
        max_length: Most tokens of a sequence, special tokens counted.
        long_inputs: ``chunk``: along the document's structure, nothing is lost; ``truncate``: the
            published way, everything behind ``max_length`` is lost. Pairs are always truncated,
            the longer text first.
        split_words: Give words to the tokenizer one by one, as the published code does.

    Attributes:
        counts: Rows ``chunked``, sequences ``truncated`` or ``without_text``, words
            ``without_token`` and words that ``share_a_token`` with the word before.
    """

    def __init__(
        self,
        task: TaskSpec,
        tokenizer: PreTrainedTokenizerBase,
        max_length: int,
        long_inputs: LongInputs = "chunk",
        split_words: bool = False,
    ) -> None:
        self.task, self.tokenizer, self.max_length = task, tokenizer, max_length
        self.long_inputs, self.split_words = long_inputs, split_words
        self.chunker = HierarchicalChunker(tokenizer, max_length)
        self.counts: Counter[str] = Counter()

    def __call__(self, rows: Iterable[Mapping[str, Any]]) -> list[Item]:
        """Encode rows as the dataset has them, labels as numbers."""
        return family_of(self.task).encode(self, list(rows))

    def pieces(self, text: str) -> list[str]:
        """The text, in chunks if it is too long; an empty text is one piece."""
        if self.long_inputs == "truncate":
            return [text]
        pieces = self.chunker.split(text) or [text]
        self.counts["chunked"] += len(pieces) > 1
        return pieces

    def plain(self, *given: str | None) -> dict[str, list[int]]:
        """A text or a pair as one sequence; what is cut is counted."""
        texts = [text or "" for text in given]  # an empty XML element is None
        self.counts["without_text"] += not all(texts)
        # Encoded whole first: how many are cut is told, never silent.
        encoded = self.tokenizer(*texts, verbose=False)
        if len(encoded["input_ids"]) > self.max_length:
            self.counts["truncated"] += 1
            encoded = self.tokenizer(*texts, truncation=True, max_length=self.max_length)
        return model_inputs(encoded)
