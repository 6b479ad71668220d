"""Rows of a task as token sequences: long inputs in chunks, words aligned by characters.

An item is one row: the sequences it becomes (the chunks of a text, the pairs of a question with
its answers) and what is to be predicted. Words are joined with spaces and encoded as text; a word's
label sits on the first token that touches one of its characters. No tokenizer is told that its
input is split into words: byte-level tokenizers without ``add_prefix_space`` would then read every
word in a form they hardly know from training.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.chunking import HierarchicalChunker
from doctobert_hf.chunking.masking import IGNORED
from doctobert_hf.drbenchmark.finetuning.config import LongInputs
from doctobert_hf.drbenchmark.spec import TaskSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase


@dataclass
class Item:
    """One row as a model sees it.

    Attributes:
        inputs: What the tokenizer gives for each sequence: ``input_ids`` and, where the model has
            them, ``token_type_ids``.
        labels: Token classification: for each sequence a label or -100 per token; else the row's
            target: a class, 0/1 per class, or a score.
        places: Token classification: sequence and token of each word, (-1, -1) for a word without
            a token.
        as_published: Whether tags are read as the published code reads them.
    """

    inputs: list[dict[str, list[int]]]
    labels: Any
    places: list[tuple[int, int]] = field(default_factory=list)
    as_published: bool = False

    def apart(self) -> list[Item]:
        """Return an item for each sequence, to train on tokens: batches are then of chunks."""
        if len(self.inputs) == 1:
            return [self]
        return [
            Item([inputs], [labels])
            for inputs, labels in zip(self.inputs, self.labels, strict=True)
        ]

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence."""
        return max(len(sequence["input_ids"]) for sequence in self.inputs)


class RowEncoder:
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
        rows = list(rows)
        if self.task.kind == "token-classification":
            return [self._words(row, row[self.task.label_column]) for row in rows]
        if self.task.kind in ("classification", "multilabel-classification"):
            return self._texts(rows)
        if self.task.kind == "similarity":
            return [Item([self._plain(r["text_1"], r["text_2"])], float(r["score"])) for r in rows]
        return [self._choices(row) for row in rows]

    # -- texts and pairs --------------------------------------------------------------------

    def _texts(self, rows: Sequence[Mapping[str, Any]]) -> list[Item]:
        items = []
        for row in rows:
            inputs = [self._plain(piece) for piece in self._pieces(row["text"] or "")]
            items.append(Item(inputs, self._target(row)))
        return items

    def _target(self, row: Mapping[str, Any]) -> Any:
        if self.task.kind == "multilabel-classification":
            return [float(i in row["labels"]) for i in range(len(self.task.labels))]
        return int(row["label"])

    def _pieces(self, text: str) -> list[str]:
        """The text, in chunks if it is too long; an empty text is one piece."""
        if self.long_inputs == "truncate":
            return [text]
        pieces = self.chunker.split(text) or [text]
        self.counts["chunked"] += len(pieces) > 1
        return pieces

    def _plain(self, *given: str | None) -> dict[str, list[int]]:
        texts = [text or "" for text in given]  # an empty XML element is None
        self.counts["without_text"] += not all(texts)
        # Encoded whole first: how many are cut is told, never silent.
        encoded = self.tokenizer(*texts, verbose=False)
        if len(encoded["input_ids"]) > self.max_length:
            self.counts["truncated"] += 1
            encoded = self.tokenizer(*texts, truncation=True, max_length=self.max_length)
        return {k: list(encoded[k]) for k in ("input_ids", "token_type_ids") if k in encoded}

    def _choices(self, row: Mapping[str, Any]) -> Item:
        if self.task.kind == "multiple-choice":
            inputs = [self._plain(row["question"], row[f"answer_{x}"]) for x in self.task.labels]
            right = row["correct_answers"]
            return Item(inputs, [float(i in right) for i in range(len(self.task.labels))])
        inputs = [self._plain(row["source"], row[f"candidate_{x}"]) for x in self.task.labels]
        return Item(inputs, int(row["label"]))

    # -- words ------------------------------------------------------------------------------

    def _words(self, row: Mapping[str, Any], tags: Sequence[int]) -> Item:
        words = row["tokens"]
        sequences = self._split_words(words) if self.split_words else self._joined_words(row)
        places: list[tuple[int, int]] = [(-1, -1)] * len(words)
        labels = [[IGNORED] * len(tokens["input_ids"]) for tokens, _ in sequences]
        for number, (_, owners) in enumerate(sequences):
            for position, (first, last) in enumerate(owners):
                for word in range(first, last):
                    if places[word] == (-1, -1):
                        places[word] = (number, position)
                        if labels[number][position] == IGNORED:
                            labels[number][position] = tags[word]
                        else:
                            self.counts["share_a_token"] += 1
        self.counts["without_token"] += sum(place == (-1, -1) for place in places)
        return Item([tokens for tokens, _ in sequences], labels, places, self.split_words)

    def _joined_words(
        self, row: Mapping[str, Any]
    ) -> list[tuple[dict[str, list[int]], list[tuple[int, int]]]]:
        """Sequences with, for each token, the range of words it touches.

        A row that has its ``text`` and the ``starts`` of its words keeps its line breaks.
        """
        words = row["tokens"]
        text = row.get("text") or " ".join(words)
        starts = np.asarray(
            row.get("starts") or np.cumsum([0, *(len(word) + 1 for word in words[:-1])])
        )
        spans = [(0, len(text))]
        if self.long_inputs == "chunk":
            spans = self.chunker.spans(text) or spans
            self.counts["chunked"] += len(spans) > 1
        found = []
        for begin, end in spans:
            encoded = self.tokenizer(text[begin:end], return_offsets_mapping=True, verbose=False)
            if len(encoded["input_ids"]) > self.max_length:
                self.counts["truncated"] += 1
                encoded = self.tokenizer(
                    text[begin:end],
                    return_offsets_mapping=True,
                    truncation=True,
                    max_length=self.max_length,
                )
            owners = [
                _touched(text, starts, begin + a, begin + b) for a, b in encoded["offset_mapping"]
            ]
            tokens = {k: list(encoded[k]) for k in ("input_ids", "token_type_ids") if k in encoded}
            found.append((tokens, owners))
        return found

    def _split_words(
        self, words: Sequence[str]
    ) -> list[tuple[dict[str, list[int]], list[tuple[int, int]]]]:
        encoded = self.tokenizer(
            list(words), is_split_into_words=True, truncation=True, max_length=self.max_length
        )
        owners = [(0, 0) if word is None else (word, word + 1) for word in encoded.word_ids()]
        self.counts["truncated"] += max((last for _, last in owners), default=0) < len(words)
        tokens = {k: list(encoded[k]) for k in ("input_ids", "token_type_ids") if k in encoded}
        return [(tokens, owners)]


def _touched(text: str, starts: NDArray[np.int64], begin: int, end: int) -> tuple[int, int]:
    """Words that have characters in ``text[begin:end]``, as a range; blanks belong to none."""
    while begin < end and text[begin].isspace():
        begin += 1
    while begin < end and text[end - 1].isspace():
        end -= 1
    if begin == end:
        return 0, 0
    first = int(np.searchsorted(starts, begin, side="right")) - 1
    last = int(np.searchsorted(starts, end - 1, side="right"))
    return first, last
