"""Token stores: what goes in comes out; wrong ones are told."""

import pickle

import numpy as np
import pytest

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.pretraining import TokenStore, build_store, build_store_from_ids


def test_every_token_is_there(sample_texts, tokenizer, tmp_path):
    texts = [*sample_texts[:20], "  ", ""]
    store = build_store(texts, tokenizer, tmp_path, max_length=64)
    whole = [tokenizer(t, add_special_tokens=False)["input_ids"] for t in sample_texts[:20]]
    special = {tokenizer.cls_token_id, tokenizer.sep_token_id}
    kept = [i for d in range(len(store)) for i in store[d].tolist() if i not in special]
    assert len(kept) >= sum(map(len, whole))  # cutting may split a token, never lose one
    assert max(store.lengths) <= 64
    assert store.manifest.empty_documents == 2 and store.manifest.source_documents == 22
    first = "".join(tokenizer.decode(store[0], skip_special_tokens=True).split())
    assert "".join(sample_texts[0].split()).startswith(first)
    assert store.manifest.dtype == "uint16"
    again = pickle.loads(pickle.dumps(TokenStore(tmp_path, tokenizer)))
    assert np.array_equal(again[3], store[3])


def test_pre_tokenised_rows(tokenizer, tmp_path):
    rows = [[2, 7, 8, 3], [], [2, 9, 3]]
    store = build_store_from_ids(rows, tokenizer, tmp_path, max_length=4)
    assert [store[i].tolist() for i in range(len(store))] == [[2, 7, 8, 3], [2, 9, 3]]
    with pytest.raises(DataError, match="Row 0 has 5 tokens"):
        build_store_from_ids([[1] * 5], tokenizer, tmp_path / "a", max_length=4)
    with pytest.raises(DataError, match="has the id 99999"):
        build_store_from_ids([[2, 99999]], tokenizer, tmp_path / "b")
    with pytest.raises(DataError, match="no text"):
        build_store([" "], tokenizer, tmp_path / "c")
    assert not (tmp_path / "c" / "manifest.json").exists()


def test_another_tokenizer_and_damaged_files(tokenizer, other_tokenizers, tmp_path):
    build_store_from_ids([[2, 7, 3], [2, 8, 3]], tokenizer, tmp_path, max_length=8)
    with pytest.raises(UsageError, match="another tokenizer"):
        TokenStore(tmp_path, other_tokenizers["unigram"])
    tokens = tmp_path / "tokens.bin"
    whole = tokens.read_bytes()
    tokens.write_bytes(whole[:-2])
    with pytest.raises(DataError, match="10 bytes.*cut short"):
        TokenStore(tmp_path)
    tokens.write_bytes(whole)
    np.save(tmp_path / "offsets.npy", np.array([0, 3]))
    with pytest.raises(DataError, match="1 documents up to token 3"):
        TokenStore(tmp_path)
    with pytest.raises(UsageError, match="No token store"):
        TokenStore(tmp_path / "nothing")
