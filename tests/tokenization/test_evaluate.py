"""Tokenizer measures, against counts made by hand."""

import pytest

from doctobert_hf.errors import DataError
from doctobert_hf.tokenization import evaluate_tokenizer


def test_rates_on_a_known_text(tokenizer):
    text = "12 34\n中"
    tokens = tokenizer.tokenize(text)
    measured = evaluate_tokenizer(tokenizer, [text])
    assert measured["words"] == 3 and measured["tokens"] == len(tokens)
    assert measured["fertility"] == len(tokens) / 3
    assert measured["byte_fallback_rate"] == 3 / len(tokens)  # three bytes of one character
    assert measured["unk_rate"] == 0 and measured["round_trip_rate"] == 1
    assert measured["tokens_per_second"] > 0


def test_a_lossy_tokenizer_shows(other_tokenizers):
    measured = evaluate_tokenizer(other_tokenizers["wordpiece"], ["中", "le"])
    assert measured["unk_rate"] > 0 and measured["round_trip_rate"] == 0.5


@pytest.mark.parametrize("text", [None, 3, "b\ud83d"])
def test_what_is_no_text_is_told_with_its_place(tokenizer, text):
    with pytest.raises(DataError, match="Item 1 has"):
        evaluate_tokenizer(tokenizer, ["a", text])


def test_no_words(tokenizer):
    with pytest.raises(DataError, match="no words"):
        evaluate_tokenizer(tokenizer, ["", " "])


@pytest.mark.long
def test_fertility_on_real_abstracts(corpora, data_dir, tmp_path):
    from doctobert_hf.corpus import iter_texts
    from doctobert_hf.tokenization import train_tokenizer

    texts = list(iter_texts(corpora / "e3c_layer3_fr.parquet"))
    made = train_tokenizer(texts[::8] + texts[-700:], tmp_path, vocab_size=32768)
    abstracts = iter_texts(data_dir / "morfitt" / "test.tsv", "abstract")
    measured = evaluate_tokenizer(made, abstracts)
    assert len(made) == 32768
    assert measured["fertility"] < 1.70  # XLM-R: 1.73
    assert measured["round_trip_rate"] == 1 and measured["unk_rate"] == 0
