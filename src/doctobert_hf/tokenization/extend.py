"""A vocabulary extended by the pieces of a user's text: old pieces keep their ids.

Words are cut as the tokenizer cuts them, and the most frequent pairs of neighbouring pieces are
joined, one after another, as byte-pair encoding goes on learning. A byte-pair model gets the joined
pieces as merges after its own, a WordPiece model as entries, a unigram model as pieces with the log
of their frequency. Only letters are joined: digits, signs and byte pieces stay as they are.
"""

from __future__ import annotations

import copy
import heapq
import json
import logging
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.corpus import Source, fingerprint_of, inputs_of, iter_texts
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.files import write_json_atomic
from doctobert_hf.reporting.progress import Progress, track
from doctobert_hf.runs import staged_run
from doctobert_hf.tokenization.portable import portable

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

logger = logging.getLogger(__name__)
EXTENSION = "vocabulary_extension.json"
LEAST = 10
"""A piece that is rarer in the text is not added: its embedding would not be learned."""
_SPACE = "\u2581"


@dataclass(frozen=True)
class NewPiece:
    """A piece to add.

    Attributes:
        text: As it stands in the vocabulary.
        parts: The two pieces it joins.
        old: Ids of the base tokenizer's pieces it is made of.
        count: How often it stands in the text.
    """

    text: str
    parts: tuple[str, str]
    old: tuple[int, ...]
    count: int


def extend_tokenizer(
    base: PreTrainedTokenizerBase,
    texts_or_files: Source,
    output_dir: str | Path,
    add: int = 2000,
    text_column: str = "text",
    overwrite: bool = False,
) -> PreTrainedTokenizerFast:
    """Add pieces that a text needs to a tokenizer, save it and return it.

    Args:
        base: A fast tokenizer: byte-pair, WordPiece or unigram.
        texts_or_files: Files, a folder, a ``Dataset`` or strings.
        output_dir: Receives the tokenizer, and ``vocabulary_extension.json``, from which
            ``pretrain --init-from MODEL --tokenizer OUTPUT`` makes the new embeddings.
        add: Pieces to add; fewer where the text has no more that occur ten times.
        text_column: Column that holds the text.
        overwrite: Move a tokenizer of other settings that is in ``output_dir`` aside.

    Returns:
        The extended tokenizer: every old piece has its old id, new ones follow.

    Raises:
        UsageError: A model of another kind.
        DataError: The text has no piece that occurs often enough.

    Example:
        >>> more = extend_tokenizer(tokenizer, ["céphalées fébriles"] * 20, "extended", add=8)
        >>> len(tokenizer) < len(more) <= len(tokenizer) + 8
        True
    """
    if add < 1:
        raise UsageError(f"add {add}", "at least 1 piece")
    if not getattr(base, "is_fast", False):
        raise UsageError(f"{type(base).__name__} is a slow tokenizer", "a fast one")
    state = json.loads(base.backend_tokenizer.to_str())
    kind = _check_kind(state)
    settings = {"base": fingerprint(state), "add": add, "texts": fingerprint_of(texts_or_files)}
    with staged_run(
        output_dir, "tokenizer-extension", settings, inputs_of(texts_or_files), overwrite=overwrite
    ) as scratch:
        words = _words(base, track(iter_texts(texts_or_files, text_column), "counting words"))
        pieces = learn_pieces(base, state, words, add)
        if not pieces:
            raise DataError(
                f"No two pieces stand beside each other {LEAST} times", "a larger text",
                "The tokenizer knows this text's words already, or there is too little of it",
            )  # fmt: skip
        if len(pieces) < add:
            logger.warning("%d pieces of %d: the others are rarer than %d times in the text",
                           len(pieces), add, LEAST)  # fmt: skip
        total = sum(words.values())
        made = _rebuilt(base, _with_pieces(state, kind, pieces, len(base), total))
        _check(base, made, pieces)
        made.save_pretrained(scratch)
        record = {
            "base": settings["base"],
            "first_id": len(base),
            "pieces": [list(piece.old) for piece in pieces],
        }
        write_json_atomic(scratch / EXTENSION, record)
    from doctobert_hf.models.opening import open_tokenizer

    return open_tokenizer(output_dir)


def fingerprint(state: dict[str, Any]) -> str:
    """Hash a tokenizer's vocabulary: what an extension begins with."""
    import hashlib

    vocabulary = state["model"]["vocab"]
    return hashlib.sha256(json.dumps(vocabulary, sort_keys=True).encode()).hexdigest()


def _check_kind(state: dict[str, Any]) -> str:
    model = state["model"]
    kind = str(model.get("type"))
    if kind not in ("BPE", "WordPiece", "Unigram") or model.get("end_of_word_suffix"):
        raise UsageError(
            f"A tokenizer of kind {kind} cannot be extended", "BPE, WordPiece or Unigram"
        )
    return kind


def _words(base: PreTrainedTokenizerBase, texts: Iterable[str]) -> Counter[str]:
    """Count words as the model gets them: normalised, cut, with their mark of a space."""
    backend = base.backend_tokenizer
    added = sorted(base.get_added_vocab(), key=len, reverse=True)
    apart = re.compile("|".join(map(re.escape, added))) if added else None
    found: Counter[str] = Counter()
    for text in (part for whole in texts for part in (apart.split(whole) if apart else [whole])):
        given = backend.normalizer.normalize_str(text) if backend.normalizer else text
        cut = backend.pre_tokenizer.pre_tokenize_str(given) if backend.pre_tokenizer else [(given,)]
        for word, *_ in cut:  # some models get whole lines, with marks for spaces
            found.update(re.findall(f"{_SPACE}?[^{_SPACE}\\s]+", word))
    return found


def learn_pieces(
    base: PreTrainedTokenizerBase, state: dict[str, Any], words: Counter[str], add: int
) -> list[NewPiece]:
    """Join the most frequent pairs of pieces, up to ``add`` of them.

    Args:
        base: The tokenizer.
        state: What its ``tokenizer.json`` holds.
        words: Words with their counts.
        add: Most pieces.

    Returns:
        New pieces; each joins two that are old, or new and before it.
    """
    prefix = state["model"].get("continuing_subword_prefix") or ""
    known = base.get_vocab()
    letters = _Letters(state, prefix)
    corpus = _Corpus(base, words)
    old: dict[str, tuple[int, ...]] = {}
    found: list[NewPiece] = []
    with Progress("learning pieces", add, "pieces") as progress:
        while len(found) < add and (best := corpus.best()) is not None:
            pair, count = best
            text = pair[0] + pair[1].removeprefix(prefix)
            if not letters(text):
                corpus.forget(pair)
                continue
            if text not in known and text not in old:
                parts = [old.get(part) or (known[part],) for part in pair]
                old[text] = (*parts[0], *parts[1])
                found.append(NewPiece(text, pair, old[text], count))
                progress.update()
            corpus.join(pair, text)
    return found


class _Letters:
    """Tells whether a piece is letters only, whatever its model writes before or for them."""

    def __init__(self, state: dict[str, Any], prefix: str) -> None:
        self.prefix = prefix
        self.bytes = _byte_letters() if "ByteLevel" in json.dumps(state["pre_tokenizer"]) else None

    def __call__(self, piece: str) -> bool:
        text = piece.removeprefix(self.prefix) if self.prefix else piece
        if self.bytes is not None:
            try:
                text = bytes(self.bytes[letter] for letter in text).decode().removeprefix(" ")
            except (KeyError, UnicodeDecodeError):
                return False  # half a letter: its other half is joined to it first
        return text.removeprefix(_SPACE).isalpha()


def _byte_letters() -> dict[str, int]:
    """The letters that byte-level models write for bytes (GPT-2's table)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(b): b for b in plain} | {chr(256 + n): b for n, b in enumerate(others)}


class _Corpus:
    """Words as pieces, with the counts of pairs kept up to date."""

    def __init__(self, base: PreTrainedTokenizerBase, words: Counter[str]) -> None:
        model = base.backend_tokenizer.model
        special = {base.unk_token}
        self.words: list[list[str]] = []
        self.counts: list[int] = []
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.places: dict[tuple[str, str], set[int]] = {}
        for word, count in words.items():
            pieces = [token.value for token in model.tokenize(word)]
            if len(pieces) > 1 and not special & set(pieces):
                self._add(pieces, count)
        self.heap = [(-count, pair) for pair, count in self.pairs.items()]
        heapq.heapify(self.heap)

    def _add(self, pieces: list[str], count: int) -> None:
        self.words.append(pieces)
        self.counts.append(count)
        for pair in pairwise(pieces):
            self.pairs[pair] += count
            self.places.setdefault(pair, set()).add(len(self.words) - 1)

    def best(self) -> tuple[tuple[str, str], int] | None:
        """Return the most frequent pair, of equal ones the first in order of the alphabet."""
        while self.heap:
            count, pair = self.heap[0]
            now = self.pairs.get(pair, 0)
            if now == -count:
                return (pair, now) if now >= LEAST else None
            heapq.heappop(self.heap)
            if now >= LEAST:
                heapq.heappush(self.heap, (-now, pair))
        return None

    def forget(self, pair: tuple[str, str]) -> None:
        """Leave a pair out for good."""
        del self.pairs[pair]
        self.places.pop(pair, None)

    def join(self, pair: tuple[str, str], text: str) -> None:
        """Join a pair wherever it stands."""
        for number in self.places.pop(pair, set()):
            before, count = self.words[number], self.counts[number]
            after: list[str] = []
            for piece in before:
                if after and (after[-1], piece) == pair:
                    after[-1] = text
                else:
                    after.append(piece)
            for one in pairwise(before):
                self.pairs[one] -= count
            for one in pairwise(after):
                self.pairs[one] += count
                self.places.setdefault(one, set()).add(number)
                if text in one:
                    heapq.heappush(self.heap, (-self.pairs[one], one))
            self.words[number] = after
        self.pairs.pop(pair, None)


def _with_pieces(
    state: dict[str, Any], kind: str, pieces: list[NewPiece], first: int, total: int
) -> dict[str, Any]:
    """Return ``tokenizer.json`` with more pieces, whose ids begin at ``first``."""
    state = copy.deepcopy(state)
    model = state["model"]
    if kind == "Unigram":
        # A piece's id is its place: ids that only added tokens have are written out first.
        added = {token["id"]: token["content"] for token in state["added_tokens"]}
        for number in range(len(model["vocab"]), first):
            model["vocab"].append([added.get(number, f"<unused{number}>"), -1e4])
        scores = dict(model["vocab"])
        for piece in pieces:
            joined = sum(scores[part] for part in piece.parts)
            scores[piece.text] = max(math.log(piece.count / total), joined + 1e-3)
            model["vocab"].append([piece.text, scores[piece.text]])
        return state
    for token in state["added_tokens"]:  # those of no other place get new ids when it is loaded
        model["vocab"].setdefault(token["content"], token["id"])
    for number, piece in enumerate(pieces, first):
        model["vocab"][piece.text] = number
    if kind == "BPE":
        written = model["merges"] and isinstance(model["merges"][0], str)
        model["merges"] += [
            " ".join(piece.parts) if written else list(piece.parts) for piece in pieces
        ]
    return state


def _rebuilt(base: PreTrainedTokenizerBase, state: dict[str, Any]) -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    special = {
        f"{name}_token": getattr(base, f"{name}_token")
        for name in ("unk", "pad", "cls", "sep", "mask", "bos", "eos")
        if getattr(base, f"{name}_token") is not None
    }
    return portable(
        PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer.from_str(json.dumps(state, ensure_ascii=False)),
            model_max_length=base.model_max_length,
            model_input_names=base.model_input_names,
            padding_side=base.padding_side,
            truncation_side=base.truncation_side,
            **special,
        )
    )


def _check(
    base: PreTrainedTokenizerBase, made: PreTrainedTokenizerBase, pieces: list[NewPiece]
) -> None:
    """Raise where an old piece has another id, or a new one none of its own."""
    before, after = base.get_vocab(), made.get_vocab()
    moved = next((token for token, number in before.items() if after.get(token) != number), None)
    places = range(len(base), len(base) + len(pieces))
    if moved is not None or [after.get(piece.text) for piece in pieces] != list(places):
        raise DataError(
            f"The extended tokenizer gives '{moved or pieces[0].text}' another id",
            "old ids as they were",
        )
