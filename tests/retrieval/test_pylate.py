import importlib.util

import pytest

from doctobert_hf.cli import main
from doctobert_hf.errors import UsageError
from doctobert_hf.retrieval.pylate import run_script, space_behind
from doctobert_hf.retrieval.recipe import RetrievalConfig

HERE = importlib.util.find_spec("pylate") is not None


@pytest.mark.skipif(HERE, reason="PyLate is in this environment")
def test_the_wrong_environment_says_which_command_makes_the_right_one(tmp_path, capsys):
    with pytest.raises(UsageError, match="python -m venv pylate-env"):
        run_script(RetrievalConfig("x", kind="pylate", output=tmp_path / "run"), "retrieval/pylate")
    words = ["retrieval", "train", "retrieval/pylate", "--base-model", "x"]
    assert main(words) == 2
    assert "pylate-env/bin/doctobert-hf retrieval train" in capsys.readouterr().err


def test_a_marker_leaves_the_first_word_its_tokens(tokenizer, other_tokenizers):
    from copy import deepcopy

    def ids(tokenizer, text):
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    made = deepcopy(tokenizer)
    made.add_tokens(["[Q] "])
    assert space_behind("[Q] ", made) == " "
    marked = [made.convert_tokens_to_ids("[Q] "), *ids(made, "question")]
    assert ids(made, "[Q]  question") == marked
    assert ids(made, "[Q] question") != marked  # what PyLate's models open with

    wordpiece = deepcopy(other_tokenizers["wordpiece"])
    wordpiece.add_tokens(["[Q] "])
    assert space_behind("[Q] ", wordpiece) == ""


@pytest.mark.skipif(not HERE, reason="PyLate is not in this environment")
def test_pylate_trains_indexes_and_measures(encoder, pairs_file, tmp_path):
    config = RetrievalConfig(
        encoder,
        kind="pylate",
        output=tmp_path / "run",
        data=str(pairs_file),
        batch_size=16,
        query_length=32,
        max_length=48,
        dimensions=32,
        query_prompt="[Q] ",
        document_prompt="[D] ",
        epochs=2,
        hard_negatives=1,
    )
    assert run_script(config, "retrieval/pylate") == 0
    assert (tmp_path / "run" / "results.json").is_file()
    assert list((tmp_path / "run" / "plaid").rglob("*.json"))
    assert (tmp_path / "run" / "model" / "config_sentence_transformers.json").is_file()


@pytest.mark.skipif(not HERE, reason="PyLate is not in this environment")
def test_a_trained_colbert_keeps_its_projection(encoder, pairs_file, tmp_path, capsys):
    import runpy

    import torch

    from doctobert_hf.recipes import shared_folder

    script = runpy.run_path(str(shared_folder("recipes") / "retrieval" / "pylate" / "train.py"))
    base = script["make_model"](RetrievalConfig(encoder, kind="pylate", dimensions=32))
    script["save"](base, tmp_path / "base")
    again = script["make_model"](RetrievalConfig(str(tmp_path / "base"), kind="pylate", seed=5))
    assert torch.equal(again[-1].linear.weight, base[-1].linear.weight)
    assert (again.query_prefix, again.skiplist_words) == (base.query_prefix, base.skiplist_words)
    assert "is a ColBERT and keeps" in capsys.readouterr().err
    with pytest.raises(UsageError, match="token vectors have 32"):
        wrong = RetrievalConfig(str(tmp_path / "base"), kind="pylate", dimensions=16)
        script["make_model"](wrong)
