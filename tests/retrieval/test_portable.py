"""Saved dense models have the names and keys that other programs read, and the same vectors.

vLLM and llama.cpp's converter cannot be installed here: what their loaders read of a folder is
written down below (vLLM's ``get_pooling_config`` and ``get_sentence_transformer_tokenizer_config``,
llama.cpp's ``_try_set_pooling_type``, November 2026).
"""

import json

import pytest

pytest.importorskip("sentence_transformers", minversion="6")

import torch
from sentence_transformers import SentenceTransformer

from doctobert_hf.retrieval import RetrievalConfig, open_model
from doctobert_hf.retrieval.models import new_model
from doctobert_hf.retrieval.portable import save_model

TEXTS = ["Pas de fièvre.", "Une toux sèche depuis deux jours, sans expectoration ni dyspnée."]
LEGACY = {
    "cls": "pooling_mode_cls_token",
    "mean": "pooling_mode_mean_tokens",
    "max": "pooling_mode_max_tokens",
}


def read(path):
    return json.loads(path.read_text())


def pooling_of_vllm(folder):
    """Return the pooling and whether vectors are normalised, as vLLM finds them; None: neither."""
    modules = read(folder / "modules.json")
    types = [module["type"] for module in modules]
    if "sentence_transformers.models.Pooling" not in types:
        return None
    place = modules[types.index("sentence_transformers.models.Pooling")]["path"]
    on = [key for key, value in read(folder / place / "config.json").items() if value is True]
    names = [key.split("_")[2].upper() for key in on if key.startswith("pooling_mode_")]
    return names, "sentence_transformers.models.Normalize" in types


def pooling_of_llama(folder):
    """Return the pooling that llama.cpp's converter writes."""
    [place] = [
        module["path"]
        for module in read(folder / "modules.json")
        if module["type"] == "sentence_transformers.models.Pooling"
    ]
    pooling = read(folder / place / "config.json")
    for name in ("mean", "cls", "lasttoken"):
        key = "pooling_mode_lasttoken" if name == "lasttoken" else LEGACY[name]
        if pooling[key]:
            return name
    return None


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
@pytest.mark.parametrize("dimensions", [None, 32])
def test_all_programs_find_the_pooling_and_vectors_are_equal(
    encoder, tmp_path, pooling, dimensions
):
    config = RetrievalConfig(
        encoder, pooling=pooling, dimensions=dimensions, query_prompt="question : ", max_length=96
    )
    model = new_model(config).eval()
    save_model(model, tmp_path / "m")
    assert pooling_of_vllm(tmp_path / "m") == ([pooling.upper()], True)
    assert pooling_of_llama(tmp_path / "m") == (pooling if pooling != "max" else None)
    settings = read(tmp_path / "m" / "sentence_bert_config.json")
    assert settings == {"max_seq_length": 96, "do_lower_case": False}, "others stop version 5"
    pools = read(tmp_path / "m" / "1_Pooling" / "config.json")
    assert "pooling_mode" not in pools and "embedding_dimension" not in pools
    if dimensions:
        dense = read(tmp_path / "m" / "2_Dense" / "config.json")
        assert set(dense) == {"in_features", "out_features", "bias", "activation_function"}
    plain = SentenceTransformer(str(tmp_path / "m"))
    ours = open_model(str(tmp_path / "m"))
    for name in ("encode_query", "encode_document"):
        before = getattr(model, name)(TEXTS, convert_to_tensor=True)
        for opened in (plain, ours):
            assert torch.equal(getattr(opened, name)(TEXTS, convert_to_tensor=True), before)
    assert plain.max_seq_length == 96
    assert (ours[0].query_length, ours[0].document_length) == (64, 96)


def test_saved_again_it_is_the_same(encoder, tmp_path):
    model = new_model(RetrievalConfig(encoder, dimensions=32))
    save_model(model, tmp_path / "a")
    save_model(open_model(str(tmp_path / "a")), tmp_path / "b")
    for path in sorted((tmp_path / "a").rglob("*.json")):
        assert read(path) == read(tmp_path / "b" / path.relative_to(tmp_path / "a")), path.name


def test_what_version_5_has_no_word_for_is_told(encoder, tmp_path, caplog):
    model = new_model(RetrievalConfig(encoder))
    model[0].processing_kwargs = {"text": {"padding": "longest"}}
    save_model(model, tmp_path / "m")
    assert "may not read this model: it has processing_kwargs" in caplog.text
    assert open_model(str(tmp_path / "m")).encode(TEXTS).shape == (2, 64)


@pytest.mark.long
def test_an_export_has_them_too(encoder, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from doctobert_hf.retrieval.onnx_export import export_retriever

    save_model(new_model(RetrievalConfig(encoder)), tmp_path / "m")
    export_retriever(tmp_path / "m", tmp_path / "onnx")
    assert pooling_of_vllm(tmp_path / "onnx") == (["MEAN"], True)
    opened = open_model(str(tmp_path / "onnx"))
    assert (opened[0].query_length, opened[0].document_length) == (64, 128)


@pytest.mark.long
def test_training_saves_so(encoder, pairs_file, tmp_path):
    from doctobert_hf.retrieval import RetrievalRun

    config = RetrievalConfig(
        encoder, data=str(pairs_file), output=tmp_path / "run", max_steps=1, batch_size=8
    )
    assert pooling_of_vllm(RetrievalRun(config).train()) == (["MEAN"], True)
