"""A collator that takes raw documents: it chunks, masks and pads, for a stock ``Trainer``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.chunking.backend import special_tokens_around, text_problem
from doctobert_hf.chunking.chunker import HierarchicalChunker
from doctobert_hf.chunking.draws import MaskDraws
from doctobert_hf.chunking.masking import IGNORED, TokenMasker
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.models.isolation import keeps_apart
from doctobert_hf.models.positions import first_position

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class DataCollatorForHierarchicalChunking:
    """Turns documents into a masked batch; each row is one chunk, and no text is lost.

    A batch of documents becomes as many rows as they have chunks, so the number of rows varies;
    the loss of ``Trainer`` is averaged over masked tokens all the same. Rows that already have
    ``input_ids`` (from ``dataset.map(chunker)`` and the tokenizer) are masked and padded as they
    are, at a fraction of the cost.

    For ``eval_dataset``, chunk beforehand with ``dataset.map(chunker, batched=True,
    remove_columns=dataset.column_names)``: ``Trainer`` cuts the last evaluation batch to as many
    rows as the dataset has left, so there one document must be one row. With an ``IterableDataset``
    and several processes set ``accelerator_config={"dispatch_batches": False}``.

    Args:
        tokenizer: A fast tokenizer with a mask token.
        max_length: Most tokens in a row, special tokens counted.
        mlm_probability: Share of tokens to predict.
        whole_word_masking: Mask words, not tokens (see :class:`~.masking.TokenMasker`).
        seed: Makes masks reproducible. In a ``Trainer`` they follow from it, the epoch and the
            batch alone: the same with loader workers, and where a run goes on in mid-epoch. In a
            loop of your own see :meth:`set_epoch`. None follows torch's seed, which ``Trainer``
            sets, and counts batches: other masks after a resume.
        max_rows: Most rows a batch may have; more is an error, never a cut.
        pad_to_multiple_of: Round the padded length up, for tensor cores.
        text_column: Column that holds the text.
        packing: Lay all chunks of a batch in one row without padding, with the borders that
            ``attn_implementation="doctobert_varlen"`` needs; any other attention would let
            documents see each other, so ``model`` is checked.
        model: The model to train, required with ``packing``: tells its attention and where its
            positions begin.

    Example:
        >>> from transformers import AutoModelForMaskedLM, Trainer, TrainingArguments
        >>> trainer = Trainer(  # and then trainer.train()
        ...     model=AutoModelForMaskedLM.from_pretrained("encoder"),
        ...     args=TrainingArguments(output_dir="run", remove_unused_columns=False),
        ...     train_dataset=dataset,  # {"text": ...}
        ...     data_collator=DataCollatorForHierarchicalChunking(tokenizer, max_length=512),
        ... )

        In a loop of one's own the collator is told the epoch, so that masks differ by it:

        >>> collator = DataCollatorForHierarchicalChunking(tokenizer, max_length=64, seed=3)
        >>> collator.set_epoch(1)
        >>> collator([{"text": text}])["input_ids"].shape[1] <= 64
        True

    Raises:
        UsageError: See :class:`~.chunker.HierarchicalChunker` and :class:`~.masking.TokenMasker`.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        max_length: int = 512,
        mlm_probability: float = 0.15,
        *,
        whole_word_masking: bool = False,
        seed: int | None = None,
        max_rows: int = 512,
        pad_to_multiple_of: int | None = None,
        text_column: str = "text",
        packing: bool = False,
        model: PreTrainedModel | None = None,
    ) -> None:
        if tokenizer.pad_token_id is None:
            raise UsageError("The tokenizer has no padding token", fix="Set tokenizer.pad_token")
        self.chunker = HierarchicalChunker(tokenizer, max_length, text_column=text_column)
        self.masker = TokenMasker(tokenizer, mlm_probability, whole_word_masking)
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.seed = seed
        self.max_rows = max_rows
        self.pad_to_multiple_of = pad_to_multiple_of
        self.text_column = text_column
        self.packing = packing
        self._first_position = _packed_positions(model) if packing else 0
        self._special = special_tokens_around(tokenizer)
        self._draws = MaskDraws(seed)

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch it is, in a training loop without Accelerate.

        Masks then follow from the seed, the epoch and the batch alone, as they do in ``Trainer``
        by themselves. Loader workers that stay (``persistent_workers``) do not hear of it.
        """
        self._draws.epoch = epoch

    def __call__(self, features: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Collate documents or tokenised rows.

        Args:
            features: Rows with the text column, or rows with ``input_ids``.

        Returns:
            ``input_ids``, ``attention_mask`` and ``labels``, int64, [rows, longest row]; labels
            are -100 where nothing is to be predicted. With ``packing``: ``input_ids``,
            ``position_ids`` and ``labels``, [1, tokens], ``cu_seq_lens_q`` and ``cu_seq_lens_k``,
            int32 [chunks + 1], and ``max_length_q`` and ``max_length_k``.

        Raises:
            DataError: No text in the rows, or a document too long for one batch.
            UsageError: Accelerate would cut the batch for several processes and drop rows.
        """
        import torch

        rows = self._rows(features)
        lengths = np.fromiter((len(row) for row in rows), dtype=np.int64, count=len(rows))
        flat = _flatten(rows, int(lengths.sum()))
        ids, labels = self.masker(flat, self._draws(flat, lengths))
        if self.packing:
            return _packed(ids, labels, lengths, self._first_position)
        width = int(lengths.max(initial=1))
        if self.pad_to_multiple_of:
            width = -(-width // self.pad_to_multiple_of) * self.pad_to_multiple_of
        real = np.arange(width) < lengths[:, None]
        batch = {"input_ids": np.full(real.shape, self.tokenizer.pad_token_id, dtype=np.int64)}
        batch["input_ids"][real] = ids
        batch["attention_mask"] = real.astype(np.int64)
        batch["labels"] = np.full(real.shape, IGNORED, dtype=np.int64)
        batch["labels"][real] = labels
        return {name: torch.from_numpy(array) for name, array in batch.items()}

    def _rows(self, features: Sequence[Mapping[str, Any]]) -> list[Any]:
        if not features:
            raise DataError("An empty batch", "at least one document")
        if isinstance(features, Mapping):
            raise UsageError(
                "The collator got one mapping of columns", "a list of rows", "Pass [row, ...]"
            )
        first = features[0]
        if not isinstance(first, Mapping):
            raise UsageError(
                f"The collator got rows that are a {type(first).__name__}",
                f"rows of a dataset, with a column '{self.text_column}'",
                f"Pass [{{'{self.text_column}': text}}, ...]",
            )
        if "input_ids" in first:
            if (self.pad_to_multiple_of or 0) < self.max_length or self.packing:
                _refuse_dispatch()  # batches of other widths cannot be joined
            rows = [_unpadded(feature) for feature in features]
            self._refuse_long_rows(rows)
            return rows
        _refuse_dispatch()
        missing = next((f for f in features if self.text_column not in f), None)
        if missing is not None:
            have = f"the columns {', '.join(missing)}" if missing else "no columns at all"
            raise DataError(
                f"The collator got rows with {have}",
                f"a column '{self.text_column}' with the document",
                "Set remove_unused_columns=False in TrainingArguments (Trainer drops columns the "
                "model does not take), or name the column with text_column=...",
            )
        documents = self.chunker.encode([self._text(f, n) for n, f in enumerate(features)])
        self._refuse_large_batch(features, [len(chunks) for chunks in documents])
        before, after = self._special
        return [before + chunk.ids + after for chunks in documents for chunk in chunks] or [
            before + after
        ]

    def _text(self, feature: Mapping[str, Any], number: int) -> str:
        text = feature[self.text_column]
        name = next((feature[key] for key in ("document_id", "id") if key in feature), None)
        which = f"Row {number} of the batch" if name is None else f"Document {name!r}"
        if (problem := text_problem(text, which)) is not None:
            raise problem
        return text

    def _refuse_long_rows(self, rows: list[Any]) -> None:
        longest = max(len(row) for row in rows)
        if longest > self.max_length:
            raise DataError(
                f"A tokenised row of {longest} tokens",
                f"at most max_length={self.max_length}",
                "Cut documents with dataset.map(HierarchicalChunker(...)) before tokenising, or "
                "give the collator the raw text",
            )

    def _refuse_large_batch(self, features: Sequence[Mapping[str, Any]], counts: list[int]) -> None:
        if sum(counts) <= self.max_rows:
            return
        worst = int(np.argmax(counts))
        ways = (
            "Chunk beforehand with dataset.map(HierarchicalChunker(tokenizer, max_length), "
            "batched=True, remove_columns=dataset.column_names), or raise max_rows"
        )
        if counts[worst] <= self.max_rows:
            raise DataError(
                f"A batch of {len(features)} documents makes {sum(counts)} rows",
                f"at most max_rows={self.max_rows}",
                f"Lower per_device_train_batch_size. {ways}",
            )
        feature = features[worst]
        name = next((feature[key] for key in ("document_id", "id") if key in feature), None)
        label = repr(name) if name is not None else f"'{feature[self.text_column][:40]}...'"
        raise DataError(
            f"The document {label} makes {counts[worst]} rows on its own",
            f"at most max_rows={self.max_rows} in a batch",
            ways,
        )


def _refuse_dispatch() -> None:
    """Refuse to make batches that accelerate cuts into as many parts as there are processes.

    Of a dataset that is iterated (``IterableDataset``) it reads batches in the first process, gives
    each rows // processes of them and drops the rest silently: documents make any number of
    rows here.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return
    from accelerate.data_loader import DataLoaderDispatcher
    from accelerate.state import GradientState

    if isinstance(GradientState().active_dataloader, DataLoaderDispatcher):
        raise UsageError(
            "Batches of an IterableDataset that are cut for several processes, which loses rows",
            "each process to read its own batches",
            'Set accelerator_config={"dispatch_batches": False} in TrainingArguments',
        )


def _packed_positions(model: PreTrainedModel | None) -> int:
    """Check that a model keeps packed documents apart; return the number of its first position."""
    name = None if model is None else model.config._attn_implementation
    if model is None or (
        name != "doctobert_varlen" and not str(name).startswith("flash_attention")
    ):
        raise UsageError(
            "packing=True without a model"
            if model is None
            else f"packing=True and attn_implementation='{name}', which would mix documents",
            "model=MODEL with attn_implementation='doctobert_varlen'",
            "Load it with attn_implementation='doctobert_varlen' and pass it to the collator",
        )
    if not keeps_apart(model):
        raise UsageError(
            f"packing=True and {type(model).__name__}, whose attention is its own and mixes "
            "documents of a row",
            "an encoder whose attention can be replaced",
            "Leave packing out, or pretrain with MLMTrainer, which unpacks for such models",
        )
    return first_position(model.config)


def _packed(
    ids: NDArray[np.int64],
    labels: NDArray[np.int64],
    lengths: NDArray[np.int64],
    first_position: int,
) -> dict[str, Any]:
    """Lay rows out behind one another, with their borders."""
    import torch

    borders = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=borders[1:])
    places = np.arange(len(ids), dtype=np.int64) - np.repeat(borders[:-1], lengths)
    cumulative, longest = torch.from_numpy(borders), int(lengths.max())
    return {
        "input_ids": torch.from_numpy(ids)[None],
        "position_ids": torch.from_numpy(places + first_position)[None],
        "labels": torch.from_numpy(labels)[None],
        "cu_seq_lens_q": cumulative,
        "cu_seq_lens_k": cumulative,
        "max_length_q": longest,
        "max_length_k": longest,
    }


def _flatten(rows: list[Any], size: int) -> NDArray[np.int64]:
    """Concatenate rows of ids, lists or arrays, to int64 [size]."""
    if all(isinstance(row, list) for row in rows):
        return np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=size)
    return np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])


def _unpadded(feature: Mapping[str, Any]) -> Any:
    """Return a row's ids without the padding that a tokenizer may have put there."""
    ids, mask = feature["input_ids"], feature.get("attention_mask")
    if mask is None:
        return ids
    mask = np.asarray(mask, dtype=bool)
    return ids if mask.all() else np.asarray(ids)[mask]
