"""A part knows the model that made it by what comes out, not by the weights alone."""

import json
import shutil

import pytest

from doctobert_hf.errors import DataError
from doctobert_hf.retrieval.index import Index
from doctobert_hf.retrieval.models import open_model
from doctobert_hf.retrieval.search import add_documents, build_index

TEXTS = {"a": "Une hépatite C chronique.", "b": "Une entorse de la cheville gauche."}


@pytest.fixture
def made(encoder, tmp_path):
    """An index, and the folder of the model that made it."""
    model = open_model(encoder, pooling="mean")
    model.prompts = {"query": "", "document": "document : "}
    model.save_pretrained(str(tmp_path / "model"))
    rows = [{"id": name, "text": text} for name, text in TEXTS.items()]
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows))
    build_index(corpus, tmp_path / "index", str(tmp_path / "model"))
    return tmp_path / "index", tmp_path / "model"


def change(path, **keys):
    path.write_text(json.dumps(json.loads(path.read_text()) | keys))


@pytest.mark.parametrize(
    "name, keys",
    [
        ("1_Pooling/config.json", {"pooling_mode": "cls"}),
        ("1_Pooling/config.json", {"include_prompt": False}),
        ("config.json", {"hidden_act": "relu"}),
    ],
)
def test_a_model_whose_settings_have_changed_is_told(made, tmp_path, name, keys):
    index, model = made
    assert Index.load(index).search("foie", method="dense")
    change(model / name, **keys)
    with pytest.raises(DataError, match="encodes a passage of the index .* otherwise"):
        Index.load(index).search("foie", method="dense")
    more = tmp_path / "more.jsonl"
    more.write_text('{"id": "c", "text": "Une toux."}\n')
    before = (index / "index.json").read_bytes()
    with pytest.raises(DataError, match="otherwise"):
        add_documents(index, more)
    assert (index / "index.json").read_bytes() == before
    with pytest.raises(DataError, match="otherwise"):
        Index.load(index, open_model(str(model)))
    assert Index.load(index).search("hepatite c", method="lexical"), "words need no model"


def test_what_an_index_gives_back_may_change_beside_the_model(made):
    index, model = made
    before = Index.load(index).search("foie", method="dense")
    place = model / "config_sentence_transformers.json"
    change(place, prompts={}, similarity_fn_name="dot", truncate_dim=8)
    assert Index.load(index).search("foie", method="dense") == before


def test_late_interaction_is_checked_by_its_tokens(encoder, tmp_path):
    model = open_model(encoder, "late-interaction")
    model.save_pretrained(str(tmp_path / "model"))
    index = Index.build(TEXTS, model)
    index.save(tmp_path / "index", tmp_path / "model")
    shutil.copytree(tmp_path / "model", tmp_path / "moved")
    assert Index.load(tmp_path / "index", tmp_path / "moved").search("foie")
    change(tmp_path / "model" / "1_MultiVectorMask" / "config.json", skiplist_words=["hépatite"])
    change(tmp_path / "model" / "config.json", hidden_act="relu")
    with pytest.raises(DataError, match="otherwise"):
        Index.load(tmp_path / "index").search("foie")
