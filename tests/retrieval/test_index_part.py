"""A part knows the model that made it by what comes out, not by the weights alone."""

import json
import shutil

import pytest

from doctobert_hf.errors import DataError
from doctobert_hf.retrieval import index_part
from doctobert_hf.retrieval.index import Index
from doctobert_hf.retrieval.models import open_model
from doctobert_hf.retrieval.search import add_documents, build_index, delete_documents

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


@pytest.mark.long
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


def redescribed(index, describe):
    """Write the description of every file anew."""
    about = json.loads((index / "index.json").read_text())
    for kind, pieces in (("parts", about["parts"]), ("words", [about["words"]])):
        for piece in pieces:
            for name in piece["files"]:
                piece["files"][name] = describe(index / kind / piece["name"] / name)
    (index / "index.json").write_text(json.dumps(about))


def test_damage_inside_a_large_file_is_not_copied_into_a_new_part(made, monkeypatch):
    monkeypatch.setattr(index_part, "_EDGE", 64)  # the vectors' file is a large one
    index, _ = made
    redescribed(index, index_part.described)
    vectors = next((index / "parts").glob("*/vectors.npy"))
    about = json.loads((index / "index.json").read_text())
    assert about["parts"][0]["files"]["vectors.npy"].keys() == {"bytes", "sha256", "sha256_ends"}
    content = bytearray(vectors.read_bytes())
    content[len(content) // 2] ^= 1
    vectors.write_bytes(content)
    Index.load(index)  # opening reads the ends only, for indexes of many gigabytes
    with pytest.raises(DataError, match="vectors.npy' is not the file the index was made with"):
        delete_documents(index, ["a"])
    content[len(content) // 2] ^= 1
    content[3] ^= 1
    vectors.write_bytes(content)
    with pytest.raises(DataError, match="is not the file"):
        Index.load(index)


def test_indexes_that_hashed_the_ends_only_still_open(made, monkeypatch):
    monkeypatch.setattr(index_part, "_EDGE", 64)
    index, _ = made
    ends = index_part._hash_of_ends

    def before(path):
        large = index_part._is_large(path)
        digest = ends(path) if large else index_part.sha256(path)
        return {"bytes": path.stat().st_size, "sha256": digest}

    redescribed(index, before)
    assert Index.load(index).search("hepatite c", method="lexical")
    assert delete_documents(index, ["a"]).documents == 1
