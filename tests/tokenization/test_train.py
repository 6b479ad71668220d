"""Training: exact layout and size, nothing dropped unseen, errors with remedies."""

import os

import pytest
from transformers import AutoModelForMaskedLM, AutoTokenizer

from doctobert_hf.errors import DataError, OutputError, UsageError
from doctobert_hf.models import preset_config
from doctobert_hf.tokenization import train_tokenizer
from doctobert_hf.tokenization.layout import (
    PLACEHOLDERS,
    REQUIRED_CHARACTERS,
    SPECIAL_TOKENS,
    WHITESPACE_RUNS,
    reserved_size,
)
from doctobert_hf.tokenization.train import MAX_SENTENCE_BYTES, TrainingText, training_units


def test_layout(tokenizer):
    assert tokenizer.convert_ids_to_tokens([0, 1, 2, 3, 4]) == list(SPECIAL_TOKENS)
    assert (tokenizer.unk_token_id, tokenizer.pad_token_id, tokenizer.mask_token_id) == (0, 1, 4)
    assert (tokenizer.cls_token_id, tokenizer.sep_token_id) == (2, 3)
    vocabulary = tokenizer.get_vocab()
    assert len(vocabulary) == len(tokenizer) == 1500
    assert sorted(vocabulary.values()) == list(range(1500))
    for token in [*WHITESPACE_RUNS, *PLACEHOLDERS, *REQUIRED_CHARACTERS, "[unused0]", "[unused63]"]:
        assert token in vocabulary
    assert tokenizer.model_max_length == 512


def test_saved_and_loaded_alone_and_beside_a_model(tokenizer, tmp_path, sample_texts):
    for preset in ("doctobert-tiny", "doctomodernbert-tiny"):
        folder = tmp_path / preset
        model = AutoModelForMaskedLM.from_config(preset_config(preset, tokenizer))
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        loaded = AutoTokenizer.from_pretrained(folder)
        assert loaded(sample_texts[0])["input_ids"] == tokenizer(sample_texts[0])["input_ids"]
        assert loaded.mask_token_id == 4 and loaded.is_fast


def test_training_is_deterministic(sample_texts, tmp_path):
    for name in ("a", "b"):
        train_tokenizer(iter(sample_texts[:40]), tmp_path / name, vocab_size=800)
    a, b = ((tmp_path / name / "tokenizer.json").read_bytes() for name in ("a", "b"))
    assert a == b


def test_identity_changes_nothing(sample_texts, tmp_path):
    made = train_tokenizer(
        sample_texts[:40], tmp_path, vocab_size=800, normalization="identity", max_length=8192
    )
    text = "m² ﬁn ½\u00a0mg\r\n\x01\u200b\tÉ"
    assert made.decode(made(text, add_special_tokens=False)["input_ids"]) == text
    assert made.model_max_length == 8192


def test_nothing_is_dropped_unseen():
    long_line = "mot " * 10_000
    giant = "é" * 50_000
    counts = TrainingText()
    units = list(training_units([long_line, f"a\n\n{giant}\nb", "x▅y\x00z", " \n"], counts))
    assert all(len(unit.encode()) <= MAX_SENTENCE_BYTES for unit in units)
    text = "".join(units)
    assert text.count("mot") == 10_000 and text.count("é") == 50_000
    assert counts.documents == 4 and counts.units == len(units)
    assert counts.split_lines == 2 and counts.cut_words > 0 and counts.replaced_characters == 2
    for word in ("lines over", "words over", "reserves"):
        assert word in counts.report()


def test_long_lines_are_learned(tmp_path):
    # One line of 16,000 characters: SentencePiece alone would skip it and learn nothing.
    line = "hyperkaliémie familiale hétérozygote " * 400
    made = train_tokenizer([line, "petit texte"], tmp_path, vocab_size=650)
    assert len(made.tokenize("hyperkaliémie")) == 1


@pytest.mark.parametrize(
    ("texts", "options", "error", "words"),
    [
        ([], {}, DataError, ["empty", "0 documents"]),
        (["", " \n"], {}, DataError, ["empty", "2 documents"]),
        (["trop peu de texte"], {"vocab_size": 32768}, DataError, ["too large", "vocab_size="]),
        (["a"], {"vocab_size": 100}, UsageError, ["at least"]),
        (["a"], {"max_length": 7}, UsageError, ["max_length 7", "8"]),
        (["a"], {"normalization": "nfc"}, UsageError, ["nfc", "identity"]),
        (["a"], {"vocabsize": 3}, UsageError, ["Did you mean 'vocab_size'"]),
        (["a", 3], {}, DataError, ["int"]),
    ],
)
def test_wrong_input(texts, options, error, words, tmp_path):
    given = {"vocab_size": 700, **options}
    with pytest.raises(error) as caught:
        train_tokenizer(texts, tmp_path / "out", **given)
    for word in words:
        assert word in str(caught.value)
    assert not os.path.exists(tmp_path / "out" / "tokenizer.json")


def test_the_suggested_size_works(sample_texts, tmp_path):
    with pytest.raises(DataError) as caught:
        train_tokenizer(sample_texts[:2], tmp_path, vocab_size=30000)
    size = int(caught.value.expected.rsplit(" ", 1)[1].replace(",", ""))
    assert len(train_tokenizer(sample_texts[:2], tmp_path, vocab_size=size)) == size


def test_an_unwritable_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="Cannot write"):
        train_tokenizer(["texte"], tmp_path / "file", vocab_size=600)


def test_reserved_size_counts_the_layout():
    assert reserved_size(0) == 5 + 23 + 11 + 256 + len(REQUIRED_CHARACTERS)
    assert len(set(REQUIRED_CHARACTERS)) == len(REQUIRED_CHARACTERS)


def test_older_transformers_know_the_tokenizers_class(tmp_path):
    import copy
    import json
    import pickle

    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    from doctobert_hf.models.opening import open_tokenizer

    texts = [f"Le patient numéro {n} présente une fièvre à {n} degrés." for n in range(200)]
    made = train_tokenizer(texts, tmp_path / "tok", vocab_size=600)
    opened = open_tokenizer(tmp_path / "tok")
    opened.save_pretrained(tmp_path / "again")
    ids = made("Le patient 12 a mal.")["input_ids"]
    for folder in ("tok", "again"):
        config = json.loads((tmp_path / folder / "tokenizer_config.json").read_text())
        assert config["tokenizer_class"] == "PreTrainedTokenizerFast"
        assert (
            AutoTokenizer.from_pretrained(tmp_path / folder)("Le patient 12 a mal.")["input_ids"]
            == ids
        )
    for one in (made, opened, pickle.loads(pickle.dumps(opened)), copy.deepcopy(opened)):
        assert isinstance(one, PreTrainedTokenizerFast)
        assert one("Le patient 12 a mal.")["input_ids"] == ids
        assert len(one) == 600 and one.mask_token_id == made.mask_token_id


def test_another_vocabulary_keeps_bytes_and_digits_or_is_refused(tmp_path, caplog):
    from transformers import AutoTokenizer

    from doctobert_hf.models.opening import open_tokenizer

    texts = [f"Le patient numéro {n} présente une fièvre à {n} degrés." for n in range(200)]
    made = train_tokenizer(texts, tmp_path / "tok", vocab_size=600)
    for one in (made, open_tokenizer(tmp_path / "tok")):
        with pytest.raises(UsageError, match="byte pieces.*tokenizer train"):
            one.train_new_from_iterator(iter([texts]), 500)
    assert "bytes" not in caplog.text
    # Where only Transformers is at work it cannot be refused: digits stay, the rest is told of.
    other = AutoTokenizer.from_pretrained(tmp_path / "tok").train_new_from_iterator([texts], 500)
    assert other.tokenize("Dose 12345")[-5:] == list("12345")
    other.save_pretrained(tmp_path / "other")
    open_tokenizer(tmp_path / "other")
    assert "falls back to bytes but has no piece" in caplog.text


def test_the_options_that_are_typed_are_those_of_the_configuration():
    from dataclasses import fields

    from doctobert_hf.tokenization.train import TokenizerConfig, TokenizerOptions

    names = {field.name for field in fields(TokenizerConfig)}
    assert set(TokenizerOptions.__annotations__) == names - {"vocab_size", "max_length"}
