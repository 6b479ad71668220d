"""Layout of the vocabulary: which ids are reserved, for both model families.

    0..4      [UNK] [PAD] [CLS] [SEP] [MASK]
    5..       [unused0] [unused1] ...  for later use; text never encodes to them
    then      runs of 2-8 spaces, 1-8 line feeds, 1-8 tabs
    then      the eleven de-identification placeholders
    then      256 bytes <0x00>..<0xFF>
    then      learned pieces, most frequent merge first, and single characters last

Low special ids fit both families. RoBERTa numbers positions from ``pad_token_id + 1``: with padding
at 1, a 514-row position table holds 512 tokens; with the high ids of other layouts it overflows.
"""

from __future__ import annotations

SPACE = "▁"
UNK, PAD, CLS, SEP, MASK = SPECIAL_TOKENS = ("[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]")
DEFAULT_NUM_UNUSED = 64

SPACE_RUNS = tuple(SPACE * length for length in range(2, 9))
NEWLINE_RUNS = tuple("\n" * length for length in range(1, 9))
TAB_RUNS = tuple("\t" * length for length in range(1, 9))
WHITESPACE_RUNS = SPACE_RUNS + NEWLINE_RUNS + TAB_RUNS

PLACEHOLDERS = tuple(
    f"|||{name}|||"
    for name in (
        "PATIENT_NAME",
        "AGE",
        "SEX",
        "DATE",
        "TIME",
        "ADDRESS",
        "PHONE_NUMBER",
        "EMAIL",
        "HOSPITAL",
        "SERVICE",
        "PHYSICIAN",
    )
)
USER_DEFINED = WHITESPACE_RUNS + PLACEHOLDERS

# SentencePiece uses these two inside its trainer and drops or misreads any sentence that has them.
TRAINER_RESERVED = ("\x00", "▅")

# Characters that always have a token. At a coverage of 0.9995 a corpus of leaflets leaves "É", "<",
# "°" or "μ" to bytes (2-3 tokens each), which French medical text cannot afford.
REQUIRED_CHARACTERS = "".join(
    dict.fromkeys(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
        "àâäçéèêëîïôöùûüÿœæÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒÆñáíóúÁ"
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΣΦΨΩ"
        "«»’‘“”–—‐•·…°±×÷−≤≥≠≈→€£§®†‰⁄"
    )
)


def unused_tokens(count: int) -> list[str]:
    """Return ``[unused0] .. [unused{count-1}]``."""
    return [f"[unused{index}]" for index in range(count)]


def reserved_size(num_unused: int = DEFAULT_NUM_UNUSED) -> int:
    """Return how many ids are taken whatever the corpus."""
    fixed = len(SPECIAL_TOKENS) + len(USER_DEFINED) + 256 + len(REQUIRED_CHARACTERS)
    return fixed + num_unused
