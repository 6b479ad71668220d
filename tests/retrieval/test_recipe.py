import pytest

from doctobert_hf.errors import UsageError
from doctobert_hf.retrieval.recipe import RetrievalConfig, read_recipe

NAMES = ("retrieval/dense", "retrieval/late-interaction", "retrieval/pylate")


@pytest.mark.parametrize("name", NAMES)
def test_recipes_are_whole_but_for_the_encoder(name):
    assert read_recipe(name, {"base_model": "x"}).base_model == "x"
    with pytest.raises(UsageError, match="No value for 'base_model'"):
        read_recipe(name)


def test_the_three_kinds_share_data_and_training():
    dense, late, pylate = (read_recipe(name, {"base_model": "x"}) for name in NAMES)
    for key in ("data", "split", "batch_size", "epochs", "learning_rate", "seed", "max_length"):
        assert getattr(dense, key) == getattr(late, key) == getattr(pylate, key), key
    assert late.skipped_words == pylate.skipped_words and "." in late.skipped_words
    assert (dense.loss_scale, late.loss_scale) == (20.0, 1.0)


@pytest.mark.parametrize(
    "keys, message",
    [
        ({"kind": "late-interaction", "matryoshka": [64]}, "matryoshka"),
        ({"kind": "late-interaction", "pooling": "mean"}, "pooling"),
        ({"query_expansion": "fixed"}, "query_expansion"),
        ({"skiplist": ["."]}, "skiplist"),
        ({"mine_negatives": True}, "mine_negatives"),
        ({"batch_size": 0}, "batch_size 0"),
        ({"matryoshka": [256], "dimensions": 128}, "sizes up to 128"),
    ],
)
def test_keys_that_do_not_fit_together(keys, message):
    with pytest.raises(UsageError, match=message):
        RetrievalConfig("x", **keys)
