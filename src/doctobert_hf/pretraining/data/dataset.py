"""Training data: one item is one optimizer step, packed and masked, and knows its place.

Everything is a function of the stream, never of who computes it: rows are packed in one global
order, row ``r`` of a step goes to rank ``r % world``, and a row's masks are drawn from (seed, row
number). Ranks and loader workers only share the work out. Batch size and masking rate follow the
number of tokens before the step, so that a run can stop and go on anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from doctobert_hf.chunking.masking import IGNORED, TokenMasker
from doctobert_hf.errors import UsageError
from doctobert_hf.pretraining.data.packing import PackerState, SequencePacker, long_document_order
from doctobert_hf.pretraining.data.store import TokenStore
from doctobert_hf.pretraining.objectives import Objective, ObjectiveSchedule, next_tokens
from doctobert_hf.pretraining.schedules import batch_rows, masking_rate

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class StreamState:
    """The place in the stream in front of a step.

    Attributes:
        step: Optimizer steps before it.
        row: Rows before it.
        tokens: Tokens before it, padding not counted.
        packer: The packer's place.
    """

    step: int
    row: int
    tokens: int
    packer: PackerState

    def to_json(self) -> dict[str, Any]:
        """Return plain numbers and lists."""
        packer = self.packer.to_json()
        return {"step": self.step, "row": self.row, "tokens": self.tokens, "packer": packer}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> StreamState:
        """Read what :meth:`to_json` returned."""
        packer = PackerState(**data["packer"])
        return cls(data["step"], data["row"], data["tokens"], packer)


START = StreamState(0, 0, 0, PackerState())


class PackedMLMDataset(IterableDataset):
    """Packed, masked optimizer steps without end.

    Args:
        store: The tokenised corpus.
        tokenizer: The store's tokenizer.
        row_tokens: Tokens of a row (a micro-batch).
        rows_per_step: Rows of a step over all ranks; a multiple of ``world_size``.
        mlm_probability: Share of tokens to predict.
        mlm_probability_end: Share at ``mlm_decay_tokens``, linear in tokens; None: constant.
        mlm_decay_tokens: Tokens after which ``mlm_probability_end`` holds.
        batch_warmup_tokens: Tokens over which the rows of a step grow from ``world_size``.
        seed: Seed of order and masks.
        rank: Which ranks' rows to make.
        world_size: Number of ranks.
        skip: Ranges ``(first, last)`` of steps to leave out, as after a loss spike.
        long_tokens: With ``long_share``: see
            :func:`~doctobert_hf.pretraining.data.packing.long_document_order`.
        long_share: Share of tokens in long documents; None: documents as they are.
        pad_rows: Fill rows to ``row_tokens`` and lists to fixed lengths: static shapes for compile.
        first_position: Number of a document's first position: 0, or ``pad_id + 1`` for RoBERTa.
        start: Where to begin.
        objective: What is predicted, by tokens; None: masked tokens.
        whole_word_masking: Choose words, not tokens; the share of tokens stays.

    Yields:
        ``{"rows": [...], "masked": predicted tokens of these rows, a tensor, "empty": whether no
        rank has any, "state": StreamState after the step, "tokens": tokens of the step on all
        ranks, "mlm_probability": float, "objective": "mlm" or "clm", "skipped": steps left out just
        before}``. A row has ``input_ids`` and ``position_ids`` ``[1, tokens]``, ``cu_seq_lens_q``
        int32
        ``[documents + 1]``, ``max_length_q`` int, ``masked_positions`` and ``masked_labels``
        ``[masked]``.

    Raises:
        UsageError: Rows that cannot be shared out, or another value out of range.

    Example:
        >>> from doctobert_hf.pretraining import build_store
        >>> store = build_store(texts, tokenizer, "packed-store", max_length=64)
        >>> step = next(iter(PackedMLMDataset(store, tokenizer, row_tokens=256)))
        >>> row = step["rows"][0]
        >>> row["input_ids"].shape[1] <= 256
        True
        >>> len(row["masked_positions"]) == len(row["masked_labels"])
        True
    """

    def __init__(
        self,
        store: TokenStore,
        tokenizer: PreTrainedTokenizerBase,
        row_tokens: int,
        rows_per_step: int = 1,
        mlm_probability: float = 0.15,
        mlm_probability_end: float | None = None,
        mlm_decay_tokens: int = 0,
        batch_warmup_tokens: int = 0,
        seed: int = 17,
        rank: int = 0,
        world_size: int = 1,
        skip: tuple[tuple[int, int], ...] = (),
        long_tokens: int = 2048,
        long_share: float | None = None,
        pad_rows: bool = False,
        first_position: int = 0,
        start: StreamState = START,
        objective: ObjectiveSchedule | None = None,
        whole_word_masking: bool = False,
    ) -> None:
        if rows_per_step < 1 or rows_per_step % world_size:
            raise UsageError(
                f"{rows_per_step} rows a step on {world_size} ranks",
                f"a multiple of {world_size}",
                "Choose another global_batch_tokens, micro_batch_tokens or number of processes",
            )
        for rate in (mlm_probability, mlm_probability_end):
            if rate is not None and not 0.0 < rate < 1.0:
                raise UsageError(f"mlm_probability {rate}", "a share between 0 and 1")
        self.store, self.row_tokens, self.rows_per_step = store, row_tokens, rows_per_step
        self.rates = (mlm_probability, mlm_probability_end, mlm_decay_tokens)
        self.batch_warmup_tokens = batch_warmup_tokens
        self.objective = objective or ObjectiveSchedule()
        self.seed, self.rank, self.world_size = seed, rank, world_size
        self.skip, self.start, self.pad_rows = skip, start, pad_rows
        self.masker = TokenMasker(tokenizer, mlm_probability, whole_word_masking)
        self.words = whole_word_masking
        self.pad_id = tokenizer.pad_token_id
        self.first_position = first_position
        lengths = store.lengths
        order = long_share and long_document_order(lengths, seed, long_tokens, long_share)
        # A list of fixed length has to end somewhere: at twice the usual number of documents.
        most = int(2 * row_tokens / lengths.mean()) + 1 if pad_rows else None
        self.packer = SequencePacker(lengths, row_tokens, seed, order or None, max_documents=most)
        self.longest = int(lengths.max())
        self.max_documents = (most or 0) + row_tokens // self.longest + 2

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield steps from ``start``; a loader worker yields every n-th of them."""
        worker = get_worker_info()
        number, count = (worker.id, worker.num_workers) if worker else (0, 1)
        packer = self.packer
        packer.load(self.start.packer)
        step, row, tokens = self.start.step, self.start.row, self.start.tokens
        emitted, skipped = 0, 0
        while True:
            rows = [packer.next_row() for _ in range(self._rows(tokens))]
            rate = self.objective.share_at(tokens) or masking_rate(tokens, *self.rates)
            objective = self.objective.at(tokens)
            size = sum(int(self.store.lengths_of(documents).sum()) for documents in rows)
            first, row, tokens, step = row, row + len(rows), tokens + size, step + 1
            if any(low <= step <= high for low, high in self.skip):
                skipped += 1
                continue
            if emitted % count == number:
                mine = range(self.rank, len(rows), self.world_size)
                made = [self._row(rows[i], first + i, rate, objective) for i in mine]
                masked = sum(map(_predicted, made))
                yield {
                    "rows": made,
                    "masked": torch.tensor(float(masked)),
                    # Each rank finds the same without asking: it can make the others' rows.
                    "empty": not masked
                    and not any(
                        _predicted(self._row(rows[i], first + i, rate, objective))
                        for i in range(len(rows))
                        if i not in mine
                    ),
                    "state": StreamState(step, row, tokens, packer.state.copy()),
                    "tokens": size,
                    "mlm_probability": rate,
                    "objective": objective,
                    "skipped": skipped,
                }
            emitted, skipped = emitted + 1, 0

    def _rows(self, tokens: int) -> int:
        return batch_rows(tokens, self.rows_per_step, self.world_size, self.batch_warmup_tokens)

    def _row(
        self, documents: list[int], number: int, rate: float, objective: Objective
    ) -> dict[str, Any]:
        """Make a row from its documents; its masks depend on its number only."""
        ids = np.concatenate([self.store[d] for d in documents]).astype(np.int64)
        lengths = self.store.lengths_of(documents)
        if objective == "clm":
            static = self._static(rate, self.row_tokens) if self.pad_rows else None
            return causal_row(ids, lengths, self.pad_id, static, self.first_position)
        generator = np.random.default_rng([self.seed, 1, number])
        masked, positions = self.masker.sample(ids, generator, rate)
        return pack_row(
            masked,
            lengths,
            positions,
            ids[positions],
            self.pad_id,
            static=self._static(rate) if self.pad_rows else None,
            first_position=self.first_position,
        )

    def _static(self, rate: float, predicted: int | None = None) -> StaticShape:
        """Return the fixed sizes of a row: masked positions have six sigma above their mean."""
        if predicted is not None:
            return StaticShape(self.row_tokens, self.max_documents, predicted, self.longest)
        top = max(rate, self.rates[0], self.rates[1] or 0.0, self.objective.highest_share)
        spread = 6.0 * (self.row_tokens * top * (1 - top)) ** 0.5
        spread *= 4.0 if self.words else 1.0  # tokens of a word come and go together
        masked = int(self.row_tokens * top + spread) + 1
        return StaticShape(self.row_tokens, self.max_documents, masked, self.longest)


def _predicted(row: dict[str, Any]) -> int:
    """Tokens of a row that are predicted; positions that fill it up are not."""
    return int((row["masked_labels"] != IGNORED).sum())


@dataclass(frozen=True)
class StaticShape:
    """Sizes that every row has where the model is compiled.

    Attributes:
        tokens: Tokens of a row.
        documents: Documents of a row, empty ones included.
        masked: Masked positions of a row.
        longest: Tokens of the longest document; a new value would compile again.
    """

    tokens: int
    documents: int
    masked: int
    longest: int


def causal_row(
    ids: NDArray[np.int64],
    lengths: NDArray[np.int64],
    pad_id: int,
    static: StaticShape | None = None,
    first_position: int = 0,
) -> dict[str, Any]:
    """Lay documents out for next-token prediction: attention sees the past, nothing is masked.

    Args:
        ids: Ids of all documents in a row.
        lengths: Tokens of each document.
        pad_id: Fills up static rows.
        static: As for :func:`pack_row`.
        first_position: As for :func:`pack_row`.
    """
    positions, labels = next_tokens(ids, lengths)
    row = pack_row(ids, lengths, positions, labels, pad_id, static, first_position)
    return {**row, "past_only": True}


def pack_row(
    ids: NDArray[np.int64],
    lengths: NDArray[np.int64],
    positions: NDArray[np.int64],
    labels: NDArray[np.int64],
    pad_id: int,
    static: StaticShape | None = None,
    first_position: int = 0,
) -> dict[str, Any]:
    """Lay documents out in one row as the attention and the sparse head take it.

    Args:
        ids: Ids of all documents in a row.
        lengths: Tokens of each document.
        positions: Indices of masked tokens.
        labels: What was there.
        pad_id: Fills up static rows.
        static: Sizes to fill up to; None: as they are. Padding is a document of its own, or
            several, never masked.
        first_position: Added to position numbers (RoBERTa counts from ``pad_id + 1``).

    Raises:
        UsageError: More documents or masked positions than ``static`` allows.
    """
    longest = int(lengths.max())
    if static is not None:
        documents, masked, longest = static.documents, static.masked, static.longest
        tail = static.tokens - len(ids)
        pieces = [min(longest, tail - at) for at in range(0, tail, longest)] if tail else []
        lengths = np.concatenate((lengths, np.asarray(pieces, dtype=np.int64)))
        if len(lengths) > documents or len(positions) > masked:
            raise UsageError(
                f"{len(lengths)} documents and {len(positions)} masked tokens in a row",
                f"at most {documents} and {masked}",
            )
        lengths = np.concatenate((lengths, np.zeros(documents - len(lengths), dtype=np.int64)))
        ids = np.concatenate((ids, np.full(tail, pad_id, dtype=np.int64)))
        extra = masked - len(positions)
        positions = np.concatenate((positions, np.zeros(extra, dtype=np.int64)))
        labels = np.concatenate((labels, np.full(extra, IGNORED, dtype=np.int64)))
    borders = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=borders[1:])
    places = np.arange(len(ids), dtype=np.int64) - np.repeat(borders[:-1], lengths)
    return {
        "input_ids": torch.from_numpy(ids)[None],
        "position_ids": torch.from_numpy(places + first_position)[None],
        "cu_seq_lens_q": torch.from_numpy(borders),
        "cu_seq_lens_k": torch.from_numpy(borders),
        "max_length_q": longest,
        "max_length_k": longest,
        "masked_positions": torch.from_numpy(positions),
        "masked_labels": torch.from_numpy(labels),
    }
