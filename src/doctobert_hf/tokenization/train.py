"""Training a SentencePiece BPE tokenizer for French medical text.

Options as published for DoctoBERT (train_spm.py), with two differences: nothing is dropped unseen
(SentencePiece skips lines over ``max_sentence_length`` silently; here texts are split first),
and the final size is exact by construction, not padded afterwards.
"""

from __future__ import annotations

import io
import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from doctobert_hf.corpus import Source, fingerprint_of, inputs_of, iter_texts, list_files
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.reporting.progress import Progress, track
from doctobert_hf.runs import settings_of, staged_run
from doctobert_hf.runs.record import tell_of_replacement
from doctobert_hf.tokenization.layout import (
    CLS,
    DEFAULT_NUM_UNUSED,
    MASK,
    PAD,
    REQUIRED_CHARACTERS,
    SEP,
    TRAINER_RESERVED,
    UNK,
    USER_DEFINED,
    reserved_size,
    unused_tokens,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

logger = logging.getLogger(__name__)

MAX_SENTENCE_BYTES = 8192
MODEL_FILE = "sentencepiece.model"
_RESERVED = re.compile("[" + "".join(TRAINER_RESERVED) + "]")


class TokenizerOptions(TypedDict, total=False):
    """Fields of :class:`TokenizerConfig` that :func:`train_tokenizer` takes by their names."""

    normalization: Literal["nmt_nfkc", "identity"]
    character_coverage: float
    num_unused: int
    input_sentence_size: int
    num_threads: int
    text_column: str


@dataclass
class TokenizerConfig:
    """What decides a tokenizer besides its corpus.

    Example:
        >>> TokenizerConfig(vocab_size=8192).max_length
        512
    """

    vocab_size: int = field(
        default=32768, metadata={"help": "Final number of tokens, reserved ones counted."}
    )
    max_length: int = field(
        default=512, metadata={"help": "model_max_length in tokens, special tokens counted."}
    )
    normalization: Literal["nmt_nfkc", "identity"] = field(
        default="nmt_nfkc",
        metadata={"help": "nmt_nfkc as published (folds m² to m2), identity changes nothing."},
    )
    character_coverage: float = field(
        default=0.9995,
        metadata={"help": "Share of characters with a token; the rest falls back to bytes."},
    )
    num_unused: int = field(
        default=DEFAULT_NUM_UNUSED, metadata={"help": "Number of [unusedN] tokens for later use."}
    )
    input_sentence_size: int = field(
        default=0,
        metadata={"help": "Train on this many random lines; 0 for all. Bounds memory."},
    )
    num_threads: int = field(default=0, metadata={"help": "Threads; 0 for one per core."})
    text_column: str = field(default="text", metadata={"help": "Column that holds the text."})

    def __post_init__(self) -> None:
        least = reserved_size(self.num_unused) + 2
        if self.vocab_size < least:
            raise UsageError(
                f"vocab_size {self.vocab_size}",
                f"at least {least}: {least - 2} are reserved (bytes, special tokens, runs of "
                "whitespace, placeholders, the characters of French medical text)",
            )
        if self.max_length < 8:
            raise UsageError(f"max_length {self.max_length}", "at least 8 tokens")
        if not 0.9 <= self.character_coverage <= 1.0:
            raise UsageError(f"character_coverage {self.character_coverage}", "0.9 to 1.0")
        if self.normalization not in ("nmt_nfkc", "identity"):
            raise UsageError(f"normalization '{self.normalization}'", "nmt_nfkc or identity")


@dataclass
class TrainingText:
    """Counts of what went into training; ``report()`` says it in words."""

    documents: int = 0
    units: int = 0
    characters: int = 0
    split_lines: int = 0
    cut_words: int = 0
    replaced_characters: int = 0

    def report(self) -> str:
        """Return one line on what was read, split and replaced; nothing is left out unsaid."""
        parts = [f"{self.documents:,} documents, {self.characters:,} characters"]
        if self.split_lines:
            parts.append(f"{self.split_lines:,} lines over {MAX_SENTENCE_BYTES:,} bytes split")
        if self.cut_words:
            parts.append(f"{self.cut_words:,} words over that length cut")
        if self.replaced_characters:
            parts.append(
                f"{self.replaced_characters:,} characters that SentencePiece reserves "
                "(NUL, U+2585) read as spaces"
            )
        return "; ".join(parts)


def train_tokenizer(
    texts_or_files: Source,
    output_dir: str | Path,
    vocab_size: int = 32768,
    max_length: int = 512,
    overwrite: bool = False,
    **options: Unpack[TokenizerOptions],
) -> PreTrainedTokenizerFast:
    """Train a tokenizer, save it to ``output_dir`` and return it.

    Args:
        texts_or_files: A file (.txt, .jsonl, .json, .parquet), a folder, a ``Dataset``, or any
            iterable of strings, rows or paths. Read once, streamed.
        output_dir: Receives ``tokenizer.json``, ``tokenizer_config.json`` and
            ``sentencepiece.model``; files appear only once all are written.
        vocab_size: Final number of tokens, exactly.
        max_length: ``model_max_length``, special tokens counted.
        overwrite: Move a tokenizer of other settings that is in ``output_dir`` aside.
        **options: Further fields of :class:`TokenizerConfig`.

    Returns:
        The fast tokenizer: ``[UNK] [PAD] [CLS] [SEP] [MASK]`` are 0..4, each digit is a token, any
        character survives (byte fallback), and so do runs of spaces, tabs and line feeds.

    Raises:
        UsageError: A wrong option or path, or ``output_dir`` holds something else.
        DataError: An empty corpus, or one too small for ``vocab_size`` (the error says what fits).
        OutputError: ``output_dir`` cannot be written.

    Source: DoctoBERT's train_spm.py; layout in ``tokenization.layout``.

    Example:
        >>> made = train_tokenizer(texts, "my-tokenizer", vocab_size=600)
        >>> made.convert_ids_to_tokens([0, 1, 2, 3, 4])
        ['[UNK]', '[PAD]', '[CLS]', '[SEP]', '[MASK]']
    """
    from doctobert_hf.config import build_config

    given = {"vocab_size": vocab_size, "max_length": max_length, **options}
    config = build_config(TokenizerConfig, given, source="tokenizer options")
    tokenizer, counts = train_with_config(texts_or_files, output_dir, config, overwrite)
    logger.info("Tokenizer of %d tokens from %s", len(tokenizer), counts.report())
    return tokenizer


def train_with_config(
    source: Source, output_dir: str | Path, config: TokenizerConfig, overwrite: bool = False
) -> tuple[PreTrainedTokenizerFast, TrainingText]:
    """Like :func:`train_tokenizer`, and return what was read beside the tokenizer."""
    settings = settings_of(config, ("num_threads",)) | {"texts": fingerprint_of(source)}
    inputs = inputs_of(source)
    if not inputs:
        tell_of_replacement(output_dir, settings["texts"])
    for path in inputs:
        list_files(path)  # a wrong path is told before a folder is made
    with staged_run(output_dir, "tokenizer", settings, inputs, overwrite=overwrite) as scratch:
        proto, counts = _train_sentencepiece(iter_texts(source, config.text_column), config)
        tokenizer = _finish(proto, config)
        tokenizer.save_pretrained(scratch)
        (scratch / MODEL_FILE).write_bytes(proto)
    return tokenizer, counts


def _finish(proto: bytes, config: TokenizerConfig) -> PreTrainedTokenizerFast:
    import sentencepiece

    from doctobert_hf.tokenization.convert import convert_sentencepiece
    from doctobert_hf.tokenization.portable import portable

    processor = sentencepiece.SentencePieceProcessor(model_proto=proto)
    return portable(convert_sentencepiece(processor, config.normalization, config.max_length))


def _train_sentencepiece(
    texts: Iterable[str], config: TokenizerConfig
) -> tuple[bytes, TrainingText]:
    import sentencepiece

    counts = TrainingText()
    model = io.BytesIO()
    failure: list[BaseException] = []

    def guarded() -> Iterator[str]:
        # SentencePiece swallows an exception of its iterator and trains on what it had got so far.
        try:
            yield from training_units(texts, counts)
        except BaseException as error:
            failure.append(error)

    try:
        with Progress("learning the vocabulary"):
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=guarded(),
                model_writer=model,
                model_type="bpe",
                vocab_size=config.vocab_size,
                hard_vocab_limit=True,
                byte_fallback=True,
                required_chars=REQUIRED_CHARACTERS,
                character_coverage=config.character_coverage,
                normalization_rule_name=config.normalization,
                remove_extra_whitespaces=False,
                allow_whitespace_only_pieces=True,
                add_dummy_prefix=True,
                split_by_number=True,
                split_digits=True,
                max_sentence_length=MAX_SENTENCE_BYTES,
                input_sentence_size=config.input_sentence_size,
                shuffle_input_sentence=config.input_sentence_size > 0,
                num_threads=config.num_threads or os.cpu_count() or 1,
                unk_id=0,
                pad_id=1,
                bos_id=2,
                eos_id=3,
                unk_piece=UNK,
                pad_piece=PAD,
                bos_piece=CLS,
                eos_piece=SEP,
                control_symbols=[MASK, *unused_tokens(config.num_unused)],
                user_defined_symbols=list(USER_DEFINED),
                minloglevel=2,
            )
    except (RuntimeError, OSError) as error:
        if not failure:
            raise _explained(error, counts, config) from error
    if failure:
        raise failure[0]
    return model.getvalue(), counts


def training_units(texts: Iterable[str], counts: TrainingText) -> Iterator[str]:
    """Yield lines of at most ``MAX_SENTENCE_BYTES`` UTF-8 bytes that cover every text.

    Longer lines are split after whitespace, longer words between characters; both are counted.
    Line feeds themselves are not learned: they have tokens of their own.
    """
    for text in track(texts, "reading"):
        counts.documents += 1
        counts.characters += len(text)
        text, replaced = _RESERVED.subn(" ", text)
        counts.replaced_characters += replaced
        for line in text.split("\n"):
            if not line.strip():
                continue
            # A character has at most 4 bytes: short lines need no encoding to be measured.
            if len(line) * 4 <= MAX_SENTENCE_BYTES or len(line.encode()) <= MAX_SENTENCE_BYTES:
                counts.units += 1
                yield line
            else:
                counts.split_lines += 1
                for part in _split_line(line, counts):
                    counts.units += 1
                    yield part


def _split_line(line: str, counts: TrainingText) -> Iterator[str]:
    start, limit = 0, MAX_SENTENCE_BYTES // 4
    while start < len(line):
        end = min(start + limit, len(line))
        if end < len(line):
            space = line.rfind(" ", start + 1, end)
            if space > start:
                end = space
            else:
                counts.cut_words += 1
        yield line[start:end]
        start = end


def _explained(error: Exception, counts: TrainingText, config: TokenizerConfig) -> DataError:
    message = str(error)
    if counts.units == 0:
        return DataError(
            f"The corpus is empty ({counts.documents} documents, no text)",
            "text to train on",
            "Check the path and the text column",
        )
    largest = re.search(r"value <= (\d+)", message)
    if largest:
        return DataError(
            f"vocab_size {config.vocab_size:,} is too large for this corpus "
            f"({counts.characters:,} characters)",
            f"at most {int(largest[1]):,}",
            f"Pass vocab_size={largest[1]} (--vocab-size {largest[1]}) or give more text",
        )
    smallest = re.search(r"smaller than required_chars. (\d+) vs (\d+)", message)
    if smallest:
        return DataError(
            f"vocab_size {config.vocab_size:,} has no room for the corpus's characters",
            f"at least {int(smallest[2]) + 1:,}",
            "Raise vocab_size or lower character_coverage",
        )
    return DataError(f"SentencePiece failed: {message[-300:]}")
