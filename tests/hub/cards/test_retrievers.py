"""Cards of retrieval models: each class its own, and the code that they show runs."""

from __future__ import annotations

import json

import pytest

from doctobert_hf.cli import main
from doctobert_hf.hub.cards.render import front_matter, snippets
from doctobert_hf.hub.cards.retrievers import read_retriever

st = pytest.importorskip("sentence_transformers", minversion="6")
PROMPTS = {"query": "question : ", "document": "passage : "}


def dense(encoder):
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    part = Transformer(encoder)
    parts = [part, Pooling(part.get_embedding_dimension(), "mean")]
    return st.SentenceTransformer(modules=parts, prompts=PROMPTS)


def late(encoder):
    from doctobert_hf.retrieval.models import new_model
    from doctobert_hf.retrieval.recipe import RetrievalConfig

    return new_model(RetrievalConfig(base_model=encoder, kind="late-interaction", dimensions=16))


def sparse(encoder):
    from sentence_transformers.sparse_encoder.modules import MLMTransformer, SpladePooling

    return st.SparseEncoder(modules=[MLMTransformer(encoder), SpladePooling("max")])


def cross(encoder):
    return st.CrossEncoder(encoder, num_labels=1)


@pytest.mark.long
@pytest.mark.parametrize(
    ("make", "name", "pipeline"),
    [
        (dense, "SentenceTransformer", "sentence-similarity"),
        (late, "MultiVectorEncoder", "sentence-similarity"),
        (sparse, "SparseEncoder", "feature-extraction"),
        (cross, "CrossEncoder", "text-ranking"),
    ],
)
def test_the_card_is_of_the_class_and_its_code_runs(
    make, name, pipeline, model_dir, tmp_path, capsys
):
    model = make(str(model_dir))
    model.save_pretrained(str(tmp_path / "model"))
    record = {
        "recipe": {"data": "pairs.jsonl", "base_model": "x", "hard_negatives": 0, "batch_size": 8,
                   "learning_rate": 1e-4, "query_length": 32, "max_length": 64},
        "data": {}, "notes": [], "steps": 3,
        "results": [{"system": system, "kind": "k", "queries": 12, "documents": 30,
                     "scores": {"ndcg@10": score, "recall@10": 0.5, "mrr@10": 0.4},
                     "intervals": {"ndcg@10": [0.1, 0.9]}}
                    for system, score in (("before training", 0.1), ("after training", 0.625))],
    }  # fmt: skip
    (tmp_path / "model" / "retrieval.json").write_text(json.dumps(record))
    push = ["hub", "push-model", str(tmp_path / "model"), "me/x", "--license", "mit", "--dry-run"]
    assert main([*push, "--output", str(tmp_path / "out")]) == 0, capsys.readouterr().err
    card = (tmp_path / "out" / "README.md").read_text()
    front = front_matter(card)
    assert front["pipeline_tag"] == pipeline and front["library_name"] == "sentence-transformers"
    assert f"`{name}`" in card
    metrics = front["model-index"][0]["results"][0]["metrics"]
    assert metrics[0]["value"] == 62.5 and metrics[0]["type"] == "ndcg_at_10"
    (code,) = snippets(card)
    assert f"import {name}" in code
    exec(code.replace('"me/x"', repr(str(tmp_path / "out"))), {})
    found = read_retriever(tmp_path / "out")
    assert found.name == name
    if name == "SentenceTransformer":
        assert found.prompts == PROMPTS and "| Before a query | `question : ` |" in card
        assert found.dimensions == model.get_embedding_dimension()
    if name == "MultiVectorEncoder":
        assert found.dimensions == 16 and "16 dimensions, compared by" in card


def test_what_is_no_retriever_is_refused_as_one(model_dir, tmp_path, capsys):
    assert read_retriever(model_dir) is None
    push = ["hub", "card", str(model_dir), "me/x", "--license", "mit", "--kind", "retrieval"]
    assert main(push) == 2
    assert "modules.json" in capsys.readouterr().err


def test_the_owner_names_the_dataset_of_the_scores(tmp_path):
    import yaml

    from doctobert_hf.hub.cards.facts import CardFacts
    from doctobert_hf.hub.cards.retrievers import retrieval_index, write_retrieval_results

    scores = {"ndcg@10": 0.5, "mrr@10": 0.25}
    record = {"results": [{"system": "after training", "queries": 9, "scores": scores}]}
    assert write_retrieval_results(record, tmp_path, CardFacts()) is None
    (entry,) = retrieval_index(record, "x", CardFacts())
    assert entry["results"][0]["dataset"]["type"] == "private"
    facts = CardFacts(benchmark="owner/questions", benchmark_revision="v1")
    (entry,) = retrieval_index(record, "x", facts)
    told = entry["results"][0]["dataset"]
    assert (told["type"], told["revision"]) == ("owner/questions", "v1")
    written = yaml.safe_load(write_retrieval_results(record, tmp_path, facts).read_text())
    assert [row["value"] for row in written] == [50.0, 25.0]
    assert written[0]["dataset"]["id"] == "owner/questions"
    assert written[0]["dataset"]["revision"] == "v1"


@pytest.mark.long
@pytest.mark.parametrize("older", [False, True])
def test_what_pylate_saved_is_late_interaction_with_its_prompts(older, model_dir, tmp_path, capsys):
    """Before it wrote its class, PyLate's models passed for dense ones, and their code failed."""
    import shutil

    import torch
    from safetensors.torch import save_file

    folder = tmp_path / "model"
    shutil.copytree(model_dir, folder)
    (folder / "1_Dense").mkdir()
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Dense", "type": "pylate.models.Dense.Dense"},
    ]
    dense = {"in_features": 64, "out_features": 32, "bias": False}
    dense["activation_function"] = "torch.nn.modules.linear.Identity"
    settings = {"query_prefix": "[Q] ", "document_prefix": "[D] ", "query_length": 32}
    settings |= {"document_length": 180, "prompts": {}, "similarity_fn_name": "MaxSim"}
    settings |= {} if older else {"model_type": "ColBERT"}
    for name, content in (
        ("modules.json", modules),
        ("1_Dense/config.json", dense),
        ("config_sentence_transformers.json", settings),
    ):
        (folder / name).write_text(json.dumps(content))
    save_file({"linear.weight": torch.rand(32, 64)}, folder / "1_Dense" / "model.safetensors")
    push = ["hub", "push-model", str(folder), "me/x", "--license", "mit", "--dry-run"]
    assert main([*push, "--output", str(tmp_path / "out")]) == 0, capsys.readouterr().err
    card = (tmp_path / "out" / "README.md").read_text()
    for told in ("32 dimensions, compared by MaxSim", "| Before a query | `[Q] ` |",
                 "| Longest document | 180 tokens |", 'MultiVectorEncoder("me/x")'):  # fmt: skip
        assert told in card
    model = st.MultiVectorEncoder(str(tmp_path / "out"))
    assert model.encode_query(["Que faire ?"])[0].shape[1] == 32
    assert read_retriever(tmp_path / "out").prompts == model.prompts
