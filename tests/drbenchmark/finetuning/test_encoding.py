"""Words and tokens meet where they should, whatever the tokenizer; nothing long is lost."""

import pytest

from doctobert_hf.chunking.masking import IGNORED
from doctobert_hf.drbenchmark.finetuning.encoding import ExampleEncoder
from doctobert_hf.drbenchmark.tasks import get_task

WORDS = ["L'", "insuffisance", "cardiaque", ",", "à", "12,5", "mg", "/", "j", "—", "œdème", "."]
TAGS = [0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 1, 0]
KINDS = ("byte-level", "wordpiece", "unigram", "unsplit", "ours")


@pytest.fixture(params=KINDS)
def any_tokenizer(request, tokenizer, other_tokenizers):
    return tokenizer if request.param == "ours" else other_tokenizers[request.param]


def word_row(words, tags, **more):
    return {"id": "1", "document_id": "1", "tokens": words, "ner_tags": tags, **more}


def test_a_label_sits_on_the_first_token_of_its_word(any_tokenizer):
    encoder = ExampleEncoder(get_task("quaero_emea"), any_tokenizer, 512)
    (item,) = encoder([word_row(WORDS, TAGS)])
    text = " ".join(WORDS)
    offsets = any_tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    at = 0
    for word, tag, (number, position) in zip(WORDS, TAGS, item.places, strict=True):
        begin, end = offsets[position]
        assert number == 0 and begin < at + len(word) and end > at, word
        # No token before it touches the word.
        touching = [i for i, (a, b) in enumerate(offsets) if a < at + len(word) and b > at
                    and text[a:b].strip()]  # fmt: skip
        assert position == touching[0]
        if encoder.counts["share_a_token"] == 0:
            assert item.labels[0][position] == tag
        at += len(word) + 1
    labelled = sum(label != IGNORED for label in item.labels[0])
    assert labelled == len(WORDS) - encoder.counts["share_a_token"]


def test_words_keep_the_form_they_have_in_text(other_tokenizers):
    """The add_prefix_space trap: word by word, a byte-level tokenizer sees other tokens."""
    tokenizer = other_tokenizers["byte-level"]
    words = ["le", "patient", "présente", "une", "douleur"]
    (item,) = ExampleEncoder(get_task("quaero_emea"), tokenizer, 64)([word_row(words, [0] * 5)])
    assert item.inputs[0]["input_ids"] == tokenizer(" ".join(words))["input_ids"]
    (split,) = ExampleEncoder(get_task("quaero_emea"), tokenizer, 64, split_words=True)(
        [word_row(words, [0] * 5)]
    )
    assert split.inputs[0]["input_ids"] != item.inputs[0]["input_ids"]


def test_long_rows_are_chunked_and_every_word_is_there_once(any_tokenizer):
    words, tags = WORDS * 30, TAGS * 30
    encoder = ExampleEncoder(get_task("quaero_emea"), any_tokenizer, 64)
    (item,) = encoder([word_row(words, tags)])
    assert len(item.inputs) > 3 and item.longest <= 64
    assert encoder.counts["chunked"] == 1 and not encoder.counts["truncated"]
    assert (-1, -1) not in item.places
    assert item.places == sorted(item.places)
    labels = sorted(label for row in item.labels for label in row if label != IGNORED)
    if not encoder.counts["share_a_token"]:
        assert labels == sorted(tags)


def test_truncation_loses_words_and_says_so(tokenizer):
    encoder = ExampleEncoder(get_task("quaero_emea"), tokenizer, 64, long_inputs="truncate")
    (item,) = encoder([word_row(WORDS * 30, TAGS * 30)])
    assert len(item.inputs) == 1 and item.longest == 64
    assert encoder.counts["truncated"] == 1
    assert encoder.counts["without_token"] == item.places.count((-1, -1)) > 200


def test_a_row_with_its_text_keeps_line_breaks(tokenizer):
    text = "Antécédents :\n  - asthme\n\nTraitement"
    words, starts = ["Antécédents", ":", "-", "asthme", "Traitement"], [0, 12, 16, 18, 26]
    encoder = ExampleEncoder(get_task("quaero_emea"), tokenizer, 64)
    (item,) = encoder([word_row(words, [0, 0, 0, 1, 0], text=text, starts=starts)])
    assert item.inputs[0]["input_ids"] == tokenizer(text)["input_ids"]
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    for start, word, (_, position) in zip(starts, words, item.places, strict=True):
        begin, end = offsets[position]
        assert begin < start + len(word) and end > start


def test_texts_pairs_and_choices(tokenizer):
    long = "Le patient a de la fièvre. " * 60
    encoder = ExampleEncoder(get_task("diamed"), tokenizer, 64)
    first, second = encoder([{"text": long, "label": 3}, {"text": "", "label": 0}])
    assert len(first.inputs) > 2 and first.longest <= 64 and first.labels == 3
    assert len(second.inputs) == 1
    pairs = ExampleEncoder(get_task("clister"), tokenizer, 64)
    (item,) = pairs([{"text_1": long, "text_2": "Court.", "score": 2.5}])
    assert item.longest == 64 and item.labels == 2.5 and pairs.counts["truncated"] == 1
    question = {"question": "Laquelle ?", "correct_answers": [0, 2]}
    row = question | {f"answer_{x}": f"réponse {x}" for x in "abcde"}
    (item,) = ExampleEncoder(get_task("frenchmedmcqa_mcqa"), tokenizer, 64)([row])
    assert len(item.inputs) == 5 and item.labels == [1.0, 0.0, 1.0, 0.0, 0.0]
