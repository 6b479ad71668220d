"""Exact conversion of a SentencePiece BPE model to a fast tokenizer.

The converter of Transformers (``SpmConverter``) fails on BPE models (5.23) and treats runs of
spaces and a leading space or tab differently from SentencePiece. This one is built from the
``tokenizers`` parts so that ids agree with ``sentencepiece`` on any text, with these exceptions:

* special tokens (``[MASK]`` ...) and placeholders written out in a text are matched before
  normalisation, as everywhere in Transformers; SentencePiece spells special tokens out, and puts
  its leading space before a placeholder that begins a text;
* 172 code points whose compatibility form Unicode added or SentencePiece's table lacks, and
  combining marks where the table looks at fixed sequences and NFKC at any: two in a row, or one
  after a character that normalisation itself replaces or removes;
* a text that begins with a removed control character: no leading space is put before it here, and
  one that follows it is taken for that when decoding.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from doctobert_hf.tokenization.layout import (
    CLS,
    MASK,
    NEWLINE_RUNS,
    PAD,
    PLACEHOLDERS,
    SEP,
    SPACE,
    SPACE_RUNS,
    SPECIAL_TOKENS,
    TAB_RUNS,
    UNK,
)

if TYPE_CHECKING:
    import sentencepiece
    from tokenizers import Tokenizer, normalizers
    from transformers import PreTrainedTokenizerFast

# The "nmt" half of SentencePiece's nmt_nfkc (data/nmt.tsv there): what becomes a space, what goes.
NMT_SPACES = "\u000c\u000d\u061c\u1680\u200b\u200c\u200e\u200f\u2028\u2029\ufeff\ufffd"
NMT_REMOVED = "\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f"
LONGEST_RUN = 8


def convert_sentencepiece(
    processor: sentencepiece.SentencePieceProcessor, normalization: str, max_length: int
) -> PreTrainedTokenizerFast:
    """Convert a model trained by :func:`doctobert_hf.tokenization.train_tokenizer`.

    Args:
        processor: The loaded SentencePiece BPE model, in the layout of ``tokenization.layout``.
        normalization: ``"nmt_nfkc"`` or ``"identity"``, as the model was trained.
        max_length: ``model_max_length`` in tokens, special tokens counted.

    Returns:
        A fast tokenizer with the same ids.

    Example:
        >>> from sentencepiece import SentencePieceProcessor
        >>> processor = SentencePieceProcessor(model_file="encoder/sentencepiece.model")
        >>> fast = convert_sentencepiece(processor, "nmt_nfkc", 512)
        >>> fast.tokenize("Une toux.") == processor.encode("Une toux.", out_type=str)
        True
    """
    from tokenizers import AddedToken
    from transformers import PreTrainedTokenizerFast

    pieces = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    learned = [
        piece
        for index, piece in enumerate(pieces)
        if not (processor.is_control(index) or processor.is_byte(index))
        and not processor.is_unknown(index)
    ]
    return PreTrainedTokenizerFast(
        tokenizer_object=_backend(vocabulary, _merges(learned, vocabulary), normalization),
        unk_token=UNK,
        pad_token=PAD,
        cls_token=CLS,
        sep_token=SEP,
        mask_token=AddedToken(MASK, special=True, normalized=False, lstrip=True),
        bos_token=CLS,
        eos_token=SEP,
        model_max_length=max_length,
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )


def _backend(
    vocabulary: dict[str, int], merges: list[tuple[str, str]], normalization: str
) -> Tokenizer:
    """Assemble the tokenizer out of parts of the ``tokenizers`` library."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, pre_tokenizers, processors
    from tokenizers.models import BPE

    tokenizer: Tokenizer = Tokenizer(
        BPE(
            vocab=vocabulary,
            merges=merges,
            unk_token=UNK,
            byte_fallback=True,
            fuse_unk=True,
        )
    )
    tokenizer.normalizer = _normalizer(normalization)
    # Metaspace with a space as its own replacement prepends one to the first segment only, even to
    # text that begins with a space (turned to "▁" by then); plain Metaspace would leave that out.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(replacement=" ", prepend_scheme="first", split=False),
            pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="never", split=False),
            pre_tokenizers.Split(Regex(_words_pattern()), behavior="isolated"),
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace(SPACE, " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{CLS} $A {SEP}",
        pair=f"{CLS} $A {SEP} $B {SEP}",
        special_tokens=[(CLS, vocabulary[CLS]), (SEP, vocabulary[SEP])],
    )
    tokenizer.add_special_tokens(
        [
            AddedToken(token, special=True, normalized=False, lstrip=token == MASK)
            for token in SPECIAL_TOKENS
        ]
    )
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in PLACEHOLDERS])
    return tokenizer


def _normalizer(normalization: str) -> normalizers.Normalizer:
    """Return SentencePiece's normalisation out of ``tokenizers`` parts.

    Not ``normalizers.Precompiled`` with the model's own table: it works by grapheme cluster and
    loses characters (the line feed of CRLF, the accent of a ligature).
    """
    from tokenizers import Regex, normalizers

    spaces = normalizers.Replace(" ", SPACE)
    if normalization == "identity":
        return spaces
    return normalizers.Sequence(
        [
            normalizers.Replace(Regex(f"[{NMT_REMOVED}]"), ""),
            normalizers.Replace(Regex(f"[{NMT_SPACES}]"), " "),
            *(normalizers.Replace(Regex(p), letter) for p, letter in _last_letters()),
            normalizers.NFKC(),
            spaces,
        ]
    )


def _last_letters() -> Iterable[tuple[str, str]]:
    """Yield pattern and letter to compose the accented last letter of a word of decomposed text.

    NFKC would do, with the same ids, but a character of ``tokenizers`` has the offsets of a single
    one before it: NFKC gives it the letter's, so that an entity cut out at the offsets of "opéré"
    loses its last accent; ``Replace`` gives it the accent's. A word of one letter ("à") stays with
    the first, and offsets inside words still pass over accents.
    """
    for letter in "éèëàùûïôÉÈËÀÙÛÏÔ":  # no French word ends with another one
        decomposed = unicodedata.normalize("NFD", letter)
        # Begins with the letter itself, which the engine finds at speed.
        yield rf"{decomposed}(?<=[\p{{L}}\p{{M}}]{decomposed})(?![\p{{L}}\p{{M}}])", letter


def _words_pattern() -> str:
    """Return the pattern of what BPE never merges across: words, and whitespace runs on their own.

    SentencePiece takes the longest known run first and freezes it; a learned piece has a space
    only at its beginning and no digit beside anything else, so cuts before each space and around
    each digit change no merge. They stand here and not in the vocabulary alone, so that one of
    other text that is put in its place (``train_new_from_iterator``) has single digits too.
    """
    runs = "|".join(
        [f"{SPACE}{{2,{LONGEST_RUN}}}", f"\\n{{1,{LONGEST_RUN}}}", f"\\t{{1,{LONGEST_RUN}}}"]
    )
    return f"{runs}|[0-9]|{SPACE}?[^{SPACE}\\n\\t0-9]+|{SPACE}"


def _merges(learned: list[str], vocabulary: dict[str, int]) -> list[tuple[str, str]]:
    """Return merges in SentencePiece's order: by piece id, that is by score.

    SentencePiece merges the best-scoring pair, the leftmost of equals. Two ways to the same piece
    are equals there and ranks here; a run of one character ("....") is worked off from the left,
    longest first, so the longer left half goes first.
    """
    known = set(learned)
    skipped = {*SPACE_RUNS, *NEWLINE_RUNS, *TAB_RUNS, *PLACEHOLDERS}
    merges: list[tuple[str, str]] = []
    for piece in sorted(known - skipped, key=vocabulary.__getitem__):
        halves = ((piece[:cut], piece[cut:]) for cut in range(len(piece) - 1, 0, -1))
        merges.extend((left, right) for left, right in halves if {left, right} <= known)
    for run in (SPACE_RUNS, NEWLINE_RUNS, TAB_RUNS):
        merges.extend(_run_merges(run[0][0]))
    return merges


def _run_merges(character: str) -> Iterable[tuple[str, str]]:
    """Yield merges that join any run of 2 to 8 ``character`` to one token (powers of two first)."""
    done = set()
    pairs = [(1, 1), (2, 2), (4, 4)]
    pairs += [(a, b) for a in range(7, 0, -1) for b in range(7, 0, -1) if a + b <= LONGEST_RUN]
    for left, right in pairs:
        if (left, right) not in done:
            done.add((left, right))
            yield character * left, character * right
