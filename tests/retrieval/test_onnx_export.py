"""A retriever as an ONNX graph ranks as before, is measured, and is known as what it is."""

import json

import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

import torch

from doctobert_hf.cli import main
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.retrieval.index import Index
from doctobert_hf.retrieval.models import new_model, open_model
from doctobert_hf.retrieval.onnx_encoder import is_export
from doctobert_hf.retrieval.onnx_export import export_retriever
from doctobert_hf.retrieval.recipe import RetrievalConfig
from doctobert_hf.retrieval.search import add_documents, build_index

TEXTS = ["Une hépatite C chronique.", "Une toux sèche, sans fièvre depuis trois jours.", "Entorse."]


@pytest.fixture(scope="module", params=["dense", "late-interaction"])
def model(request, encoder, tmp_path_factory):
    """Folder of a model with prompts and a projection."""
    folder = tmp_path_factory.mktemp("trained")
    pooling = "mean" if request.param == "dense" else None
    config = RetrievalConfig(
        encoder, kind=request.param, pooling=pooling, dimensions=24, query_prompt="q : "
    )
    new_model(config).save_pretrained(str(folder / "model"))
    return folder / "model"


@pytest.fixture(scope="module")
def exported(model):
    output = model.parent / "onnx"
    record = export_retriever(model, output)
    assert record == json.loads((output / "onnx.json").read_text())
    return output, record


@pytest.mark.long
def test_an_export_ranks_as_before_and_is_measured(model, exported):
    output, record = exported
    assert record["largest_difference"] < 1e-3
    assert record["same_first"] == record["same_ten"] == 1
    assert set(record["documents_per_second"]) == {"torch", "onnx"}
    before, after = open_model(str(model)), open_model(str(output))
    assert after.prompts == before.prompts
    for encode in ("encode_document", "encode_query"):
        pairs = zip(getattr(before, encode)(TEXTS), getattr(after, encode)(TEXTS), strict=True)
        for one, other in pairs:
            torch.testing.assert_close(
                torch.as_tensor(other), torch.as_tensor(one), atol=1e-4, rtol=0
            )


@pytest.mark.long
def test_int8_is_smaller_and_ranks_alike(model, exported):
    record = export_retriever(model, model.parent / "int8", int8=True)
    assert record["bytes"] < exported[1]["bytes"]
    assert record["same_ten"] > 0.5 and record["largest_difference"] > 0


@pytest.mark.long
@pytest.mark.parametrize("kind", ["dense", "late-interaction"])
def test_an_index_of_an_int8_export_is_built_opened_and_extended(kind, encoder, tmp_path):
    """What int8 computes is scaled by all of a batch: alone, a passage is encoded otherwise."""
    pooling = "mean" if kind == "dense" else None
    model = new_model(RetrievalConfig(encoder, kind=kind, pooling=pooling))
    with torch.no_grad():
        for name, weights in model.named_parameters():
            weights *= 6 if "norm" not in name.lower() and weights.ndim > 1 else 1
    model.save_pretrained(str(tmp_path / "model"))
    export_retriever(tmp_path / "model", tmp_path / "int8", int8=True)
    for name, part in (("corpus", range(30)), ("more", range(30, 40))):
        texts = [f"Une toux depuis {n} jours, {'sans fièvre ' * n}." for n in part]
        rows = [{"id": f"{name} {n}", "text": text} for n, text in enumerate(texts)]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(lines)
    build_index(tmp_path / "corpus.jsonl", tmp_path / "index", str(tmp_path / "int8"))
    add_documents(tmp_path / "index", tmp_path / "more.jsonl")
    index = Index.load(tmp_path / "index")
    assert len(index.search("toux", top=40)) == 40
    if kind == "dense":
        settings = tmp_path / "int8" / "1_Pooling" / "config.json"
        settings.write_text(json.dumps(json.loads(settings.read_text()) | {"pooling_mode": "cls"}))
        with pytest.raises(DataError, match="otherwise"):
            Index.load(tmp_path / "index").search("toux")


@pytest.mark.long
def test_an_index_knows_an_export_from_its_model(model, exported, tmp_path):
    corpus = tmp_path / "corpus.jsonl"
    rows = [{"id": str(n), "text": text} for n, text in enumerate(TEXTS)]
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows))
    index = build_index(corpus, tmp_path / "index", str(exported[0]))
    assert Index.load(tmp_path / "index").search("toux") == index.search("toux")
    with pytest.raises(DataError, match="another model"):
        Index.load(tmp_path / "index", str(model)).search("toux")


@pytest.mark.long
def test_an_export_is_neither_trained_nor_exported_again(exported, tmp_path):
    assert is_export(exported[0])
    with pytest.raises(UsageError, match="an export, which cannot be trained"):
        new_model(RetrievalConfig(str(exported[0])))
    with pytest.raises(UsageError, match="is an export"):
        export_retriever(exported[0], tmp_path / "again")


@pytest.mark.long
def test_the_command_takes_a_run(model, tmp_path, capsys):
    words = ["export", str(model.parent), "--onnx", "--output", str(tmp_path / "out")]
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["same_first"] == 1
    assert is_export(tmp_path / "out")
    assert main([*words, "--overwrite"]) == 0
    told = capsys.readouterr()
    assert "documents a second" in told.err and "retrieval evaluate" in told.err
