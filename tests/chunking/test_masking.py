"""Masking: shares, what is never masked, whole words."""

import numpy as np
import pytest

from doctobert_hf.chunking.masking import IGNORED, TokenMasker
from doctobert_hf.errors import UsageError


def draw(masker, ids, seed=0):
    return masker(ids, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def many(tokenizer):
    rng = np.random.default_rng(1)
    ids = rng.integers(103, len(tokenizer), 200_000)
    ids[::100] = rng.integers(0, 5, ids[::100].size)  # special tokens among them
    return ids


def test_shares_and_special_tokens(tokenizer, many):
    masker = TokenMasker(tokenizer, 0.3)
    masked, labels = draw(masker, many)
    special = many < 5
    chosen = labels != IGNORED
    assert not chosen[special].any() and (masked[~chosen] == many[~chosen]).all()
    assert (labels[chosen] == many[chosen]).all()
    assert chosen[~special].mean() == pytest.approx(0.3, abs=0.006)
    assert (masked[chosen] == tokenizer.mask_token_id).mean() == pytest.approx(0.8, abs=0.01)
    kept = (masked[chosen] == many[chosen]).mean()
    assert kept == pytest.approx(0.1, abs=0.01)
    others = masked[chosen & (masked != many) & (masked != tokenizer.mask_token_id)]
    unused = set(tokenizer.convert_tokens_to_ids([f"[unused{i}]" for i in range(64)]))
    assert others.size and not (set(others.tolist()) & (unused | {0, 1, 2, 3, 4}))


def test_a_seed_decides(tokenizer, many):
    masker = TokenMasker(tokenizer)
    assert (draw(masker, many)[0] == draw(masker, many)[0]).all()
    assert (draw(masker, many)[1] != draw(masker, many, 1)[1]).any()


def test_whole_words_are_masked_together(tokenizer, sample_texts):
    text = sample_texts[0].replace("\n", " ")
    ids = np.array(tokenizer(text)["input_ids"])
    tokens = tokenizer.convert_ids_to_tokens(ids.tolist())
    masker = TokenMasker(tokenizer, 0.5, whole_word_masking=True)
    _, labels = draw(masker, ids)
    chosen = labels != IGNORED
    assert not chosen[[0, -1]].any()
    for i in range(1, len(tokens) - 1):
        inside = tokens[i].isalpha() and not tokens[i].startswith("▁")
        if inside and tokens[i - 1].lstrip("▁").isalpha():
            assert chosen[i] == chosen[i - 1]
    starts = [i for i, t in enumerate(tokens) if t.startswith("▁") and len(t) > 1]
    assert 0.3 < chosen[starts].mean() < 0.7


def test_whole_words_of_a_wordpiece_tokenizer(other_tokenizers):
    made = other_tokenizers["wordpiece"]
    ids = np.array(made("bronchopneumopathie chronique obstructive")["input_ids"] * 50)
    tokens = made.convert_ids_to_tokens(ids.tolist())
    _, labels = draw(TokenMasker(made, 0.5, whole_word_masking=True), ids)
    pairs = [
        (labels[i] == IGNORED) == (labels[i - 1] == IGNORED)
        for i, t in enumerate(tokens)
        if t.startswith("##")
    ]
    assert pairs and all(pairs)


def words_of(tokenizer, text):
    """Tokens of a text, a list for each word that is masked as one."""
    ids = np.array(tokenizer(text, add_special_tokens=False)["input_ids"])
    tokens = tokenizer.convert_ids_to_tokens(ids.tolist())
    masker = TokenMasker(tokenizer, 0.5, whole_word_masking=True)
    drawn = np.stack([draw(masker, ids, seed)[1] != IGNORED for seed in range(40)])
    groups = [[tokens[0]]]
    for i in range(1, len(tokens)):
        if (drawn[:, i] == drawn[:, i - 1]).all():
            groups[-1].append(tokens[i])
        else:
            groups.append([tokens[i]])
    return groups


def test_a_heading_of_markdown_makes_no_wordpiece(tokenizer):
    """A vocabulary may hold "##" without its pieces going on words by it."""
    from copy import deepcopy

    marked = deepcopy(tokenizer)
    marked.add_tokens(["##", "## "])
    text = "bronchopneumopathie obstructive"
    assert words_of(marked, text) == words_of(tokenizer, text)
    assert any(len(group) > 1 for group in words_of(marked, text))


def test_byte_level_spaces_and_quotes_are_no_letters(other_tokenizers):
    from tokenizers import decoders

    decoder = decoders.ByteLevel()
    quoted = ["l\u2019œdème d\u2019une bronchopneumopathie n\u2019est pas obstructive"] * 20
    made = other_tokenizers["byte-level"].train_new_from_iterator(quoted, 400)
    assert "âĢĻ" in made.get_vocab()
    groups = words_of(made, "la bronchopneumopathie\nobstructive\u00a0: l\u2019œdème")
    shown = [decoder.decode(group) for group in groups]
    assert "".join(shown) == "la bronchopneumopathie\nobstructive\u00a0: l\u2019œdème"
    for word in shown:
        assert len(word.split()) <= 1, shown
        assert not ("\u2019" in word and any(c.isalpha() for c in word)), shown
    assert any(word.strip() == "bronchopneumopathie" for word in shown)


def test_empty(tokenizer):
    for whole in (False, True):
        masked, labels = draw(TokenMasker(tokenizer, 0.2, whole), np.array([], dtype=np.int64))
        assert masked.size == labels.size == 0


def test_wrong_input(tokenizer):
    from copy import deepcopy

    for share in (0, 1, -0.1, 1.5):
        with pytest.raises(UsageError, match="mlm_probability"):
            TokenMasker(tokenizer, share)
    bare = deepcopy(tokenizer)
    bare.mask_token = None
    with pytest.raises(UsageError, match="no mask token"):
        TokenMasker(bare)


def _bpe(sample_texts, suffix=None):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    ends = {"end_of_word_suffix": suffix} if suffix else {}
    made = Tokenizer(models.BPE(unk_token="[UNK]", **ends))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["[UNK]", "[MASK]", "[PAD]", "[CLS]", "[SEP]"]
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=special, show_progress=False, **ends
    )
    made.train_from_iterator(sample_texts[:60], trainer)
    names = ("unk", "mask", "pad", "cls", "sep")
    roles = {f"{n}_token": token for n, token in zip(names, special, strict=True)}
    return PreTrainedTokenizerFast(tokenizer_object=made, **roles)


def test_words_that_are_marked_at_their_end(sample_texts):
    tokenizer = _bpe(sample_texts, "</w>")
    ids = np.array(tokenizer("Le patient tousse, sans fièvre.", add_special_tokens=False).input_ids)
    tokens = tokenizer.convert_ids_to_tokens(ids)
    words = np.cumsum([0, *(token.endswith("</w>") for token in tokens[:-1])])
    assert len(set(words)) == 7 < len(tokens)
    masker = TokenMasker(tokenizer, 0.5, whole_word_masking=True)
    for seed in range(20):
        _, chosen = masker.sample(ids, np.random.default_rng(seed))
        for word in set(words[chosen]):
            assert set(np.flatnonzero(words == word)) <= set(chosen)


def test_words_that_nothing_marks_are_refused(sample_texts):
    tokenizer = _bpe(sample_texts)
    with pytest.raises(UsageError, match="do not tell where words begin"):
        TokenMasker(tokenizer, 0.15, whole_word_masking=True)
    tokenizer.add_tokens(["▁"])  # one of the corpus
    with pytest.raises(UsageError, match="do not tell where words begin"):
        TokenMasker(tokenizer, 0.15, whole_word_masking=True)
    TokenMasker(tokenizer, 0.15)
