"""The fast tokenizer agrees with SentencePiece, and what it does to text is documented."""

import re
import unicodedata

import pytest
import sentencepiece
from hypothesis import HealthCheck, assume, example, given, settings, strategies as st

from doctobert_hf.tokenization import train_tokenizer
from doctobert_hf.tokenization.layout import PLACEHOLDERS, SPACE, SPECIAL_TOKENS

# Code points whose single-character normalisation differs; see `convert`'s docstring.
KNOWN_EXCEPTIONS = 172
REMOVED = re.compile("[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]")


@pytest.fixture(scope="module")
def spm(tokenizer_dir):
    return sentencepiece.SentencePieceProcessor(
        model_file=str(tokenizer_dir / "sentencepiece.model")
    )


@pytest.fixture(scope="module")
def exceptions(tokenizer, spm):
    """Return the characters that the two normalise differently on their own."""
    normalize = tokenizer.backend_tokenizer.normalizer.normalize_str
    found = set()
    for point in range(0x110000):
        if 0xD800 <= point < 0xE000 or unicodedata.combining(chr(point)):
            continue
        if spm.normalize(f"x{chr(point)}y") != f"▁x{normalize(chr(point))}y":
            found.add(chr(point))
    return found


def ids(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def is_exception(text: str, exceptions: set[str]) -> bool:
    """Tell whether a text is one of the documented exceptions."""
    if exceptions & set(text) or REMOVED.match(text):
        return True
    if any(token in text for token in SPECIAL_TOKENS) or text.startswith(PLACEHOLDERS):
        return True
    marks = [bool(unicodedata.combining(c)) for c in text]
    decomposed = unicodedata.normalize("NFKD", REMOVED.sub("", text))
    pairs = zip(decomposed, decomposed[1:])
    if any(unicodedata.combining(a) and unicodedata.combining(b) for a, b in pairs):
        return True
    return any(
        mark and index and unicodedata.normalize("NFKC", text[index - 1]) != text[index - 1]
        for index, mark in enumerate(marks)
    ) or any(mark and index and REMOVED.match(text[index - 1]) for index, mark in enumerate(marks))


@pytest.mark.long
def test_the_exceptions_are_as_many_as_documented(exceptions):
    # The table of a newer sentencepiece or the NFKC of a newer tokenizers may shrink the list.
    assert len(exceptions) <= KNOWN_EXCEPTIONS
    assert not exceptions & set("".join(map(chr, range(0x250))))


fuzz = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
whitespace_rich = st.text(st.sampled_from("ab é1.\n\r\t \u00a0\u200b▁|[]"), max_size=40)


@pytest.mark.long
@fuzz
@given(st.one_of(st.text(max_size=60), whitespace_rich))
@example("  deux espaces en tête")
@example("\ttabulation")
@example("a\r\n\r\nb" + " " * 21 + "c")
@example("." * 50 + "-" * 33)
@example("e\u0301te\u0301 en NFD, ﬁn, m², ½, Å")
@example("📄 👩‍⚕️ \x00 \ufeff\ufffd")
def test_same_ids_as_sentencepiece(tokenizer, spm, exceptions, text):
    assume(not is_exception(text, exceptions))
    assert ids(tokenizer, text) == spm.encode(text)


@pytest.mark.long
@fuzz
@given(st.one_of(st.text(max_size=60), whitespace_rich))
def test_no_unknown_and_round_trip_for_any_text(tokenizer, text):
    assume(not any(token in text for token in SPECIAL_TOKENS) and not REMOVED.match(text))
    encoded = ids(tokenizer, text)
    assert tokenizer.unk_token_id not in encoded
    normalized = tokenizer.backend_tokenizer.normalizer.normalize_str(text).replace(SPACE, " ")
    assert tokenizer.decode(encoded) == normalized


@pytest.mark.long
@fuzz
@given(st.integers(min_value=0), st.text(st.sampled_from("ab ,./-"), max_size=5))
def test_every_digit_is_a_token(tokenizer, number, around):
    tokens = tokenizer.convert_ids_to_tokens(ids(tokenizer, f"{around}{number}{around}"))
    assert [t for t in tokens if any(c.isdigit() for c in t)] == list(str(number))


def test_documented_exceptions_still_lose_nothing(tokenizer, spm):
    assert spm.encode("ﬁ\u0302", out_type=str)[0].startswith("▁fi")
    assert tokenizer.decode(ids(tokenizer, "ﬁ\u0302")) == "fî"
    assert tokenizer.decode(ids(tokenizer, "\x01a")) == "a"
    assert tokenizer.decode(ids(tokenizer, "\x01 a")) == "a"  # the one space that is lost
    for token in PLACEHOLDERS:
        assert tokenizer.convert_ids_to_tokens(ids(tokenizer, f"M. {token} :"))[-2:] == [
            token,
            "▁:",
        ]


def test_runs_of_whitespace_are_single_tokens(tokenizer):
    for length in range(1, 9):
        assert len(ids(tokenizer, "a" + "\n" * length)) == len(ids(tokenizer, "a")) + 1
        assert len(ids(tokenizer, "a" + "\t" * length)) == len(ids(tokenizer, "a")) + 1
        assert len(ids(tokenizer, "a" + " " * length)) == len(ids(tokenizer, "a")) + 1


def test_the_mask_swallows_its_space(tokenizer):
    tokens = tokenizer.convert_ids_to_tokens(tokenizer("le [MASK] est")["input_ids"])
    assert tokens[0] == "[CLS]" and tokens[-1] == "[SEP]"
    assert tokens[1:-1] == [*tokenizer.tokenize("le"), "[MASK]", *tokenizer.tokenize("est")]


def test_pairs_and_words(tokenizer):
    pair = tokenizer("un", "deux")["input_ids"]
    one, two = ids(tokenizer, "un"), ids(tokenizer, "deux")
    assert pair == [2, *one, 3, *two, 3]
    words = tokenizer(["un", "deux"], is_split_into_words=True, add_special_tokens=False)
    assert words["input_ids"] == one + two


@pytest.mark.long
def test_same_ids_on_every_document_of_the_real_corpora(corpora, tmp_path):
    import pyarrow.parquet as pq

    texts = [
        text
        for name in ("e3c_layer3_fr", "general_fr")
        for text in pq.read_table(corpora / f"{name}.parquet")["text"].to_pylist()
    ]
    tokenizer = train_tokenizer(texts[::10], tmp_path, vocab_size=16000)
    spm = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "sentencepiece.model"))
    # All 11,962 take two minutes and agree; the test's share is a tenth, and all short ones.
    chosen = texts[5::10] + [text for text in texts if len(text) < 3000]
    for first in range(0, len(chosen), 64):
        batch = chosen[first : first + 64]
        fast = tokenizer(batch, add_special_tokens=False, verbose=False)["input_ids"]
        assert fast == spm.encode(batch)


def test_offsets_hold_the_accents_of_decomposed_words(tokenizer):
    composed = "L'été, le patient âgé a été opéré à l'hôpital : aiguë, naïveté, ÉLEVÉ, déjà vu."
    text = unicodedata.normalize("NFD", composed)
    made = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
    assert made["input_ids"] == ids(tokenizer, composed)
    begins = {begin + (text[begin] == " ") for begin, _ in made["offset_mapping"]}
    ends = {end for _, end in made["offset_mapping"]}
    for word in re.finditer(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f])+", text):
        if unicodedata.normalize("NFC", word[0]) != "à":  # one character, one offset
            assert word.start() in begins and word.end() in ends, word[0]
