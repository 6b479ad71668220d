"""Sparse encoders and rerankers are measured as what they are, equal to Sentence Transformers."""

import json

import pytest

pytest.importorskip("sentence_transformers", minversion="6")
pytest.importorskip("bm25s")

import torch
from transformers import (
    AutoConfig,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
)

from doctobert_hf.cli import main
from doctobert_hf.retrieval import PairSet
from doctobert_hf.retrieval.models import new_model
from doctobert_hf.retrieval.other_kinds import evaluate_other, other_kind
from doctobert_hf.retrieval.recipe import RetrievalConfig

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "initializer_range": 0.3,
}


@pytest.fixture(scope="module")
def pairs(sample_texts):
    documents = {f"d{n}": text[:300] for n, text in enumerate(sample_texts[:40])}
    queries = {f"q{n}": text[20:80] for n, text in enumerate(sample_texts[:20])}
    return PairSet("mine", queries, documents, {f"q{n}": [f"d{n}"] for n in range(20)})


@pytest.fixture(scope="module")
def models(tokenizer, tmp_path_factory):
    """Folders of a sparse encoder, a reranker, and a reranker as they were saved before."""
    from sentence_transformers import CrossEncoder, SparseEncoder
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sparse_encoder.modules import SpladePooling

    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("kinds")
    config = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, **SIZES}
    for name, head, more in (
        ("mlm", AutoModelForMaskedLM, {}),
        ("old", AutoModelForSequenceClassification, {"num_labels": 1}),
    ):
        head.from_config(AutoConfig.for_model("bert", **config, **more)).save_pretrained(
            root / name
        )
        tokenizer.save_pretrained(root / name)
    CrossEncoder(str(root / "old")).save_pretrained(str(root / "reranker"))
    part = Transformer(str(root / "mlm"), transformer_task="fill-mask")
    SparseEncoder(modules=[part, SpladePooling("max")]).save_pretrained(str(root / "sparse"))
    return root


def test_what_a_folder_is(models):
    kinds = {name: other_kind(str(models / name)) for name in ("sparse", "reranker", "old", "mlm")}
    assert kinds == {
        "sparse": "SparseEncoder", "reranker": "CrossEncoder", "old": "CrossEncoder", "mlm": None
    }  # fmt: skip
    assert other_kind(str(models / "old"), guess=False) is None


@pytest.mark.long
def test_sparse_equals_sentence_transformers(models, pairs):
    from sentence_transformers import SparseEncoder
    from sentence_transformers.sparse_encoder.evaluation import (
        SparseInformationRetrievalEvaluator,
    )

    ours = evaluate_other("s", pairs, str(models / "sparse"), "SparseEncoder")
    theirs = SparseInformationRetrievalEvaluator(
        pairs.queries, pairs.documents, {q: set(d) for q, d in pairs.relevant.items()},
        ndcg_at_k=[10], mrr_at_k=[10], precision_recall_at_k=[10], map_at_k=[10],
        accuracy_at_k=[10],
    )(SparseEncoder(str(models / "sparse")))  # fmt: skip
    [ndcg] = [value for name, value in theirs.items() if name.endswith("dot_ndcg@10")]
    assert ours.kind == "sparse"
    assert ours.scores["ndcg@10"] == pytest.approx(ndcg, abs=1e-6)


@pytest.mark.long
def test_a_reranker_orders_what_bm25_finds(models, pairs):
    from sentence_transformers import CrossEncoder

    from doctobert_hf.retrieval import Index

    ours = evaluate_other("r", pairs, str(models / "reranker"), "CrossEncoder")
    index, model = Index.build(pairs.documents), CrossEncoder(str(models / "reranker"))
    found = [hit.document for hit in index.search(pairs.queries["q3"], 40, "lexical")]
    scores = model.predict([(pairs.queries["q3"], pairs.documents[name]) for name in found])
    best = [found[i] for i in scores.argsort()[::-1][:10]]
    rank = best.index("d3") if "d3" in best else None
    expected = 0.0 if rank is None else 1 / torch.log2(torch.tensor(rank + 2.0)).item()
    assert ours.kind == "reranker"
    assert ours.per_query[3] == pytest.approx(expected, abs=1e-6)
    old = evaluate_other("o", pairs, str(models / "old"), "CrossEncoder")
    assert old.scores == ours.scores


@pytest.mark.long
def test_the_command_measures_each_as_what_it_is(models, tmp_path, capsys):
    rows = [{"query": f"maladie {n}", "positive": f"La maladie {n} est rare."} for n in range(60)]
    data = tmp_path / "pairs.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    places = [str(models / name) for name in ("sparse", "reranker")]
    assert main(["retrieval", "evaluate", *places, "--data", str(data), "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert [result["kind"] for result in results] == ["sparse", "reranker"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--dimensions", "8"), "--dimensions for '"),
        (("--pooling", "mean"), "every model is saved as what it is"),
        (("--kind", "dense"), "every model is saved as what it is"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(models, options, message, capsys):
    words = ["retrieval", "evaluate", str(models / "sparse"), str(models / "reranker")]
    assert main([*words, *options]) == 2
    assert message in capsys.readouterr().err


def test_they_are_not_indexed(models, tmp_path, capsys):
    (tmp_path / "a.txt").write_text("Toux sèche.")
    for name, word in (("sparse", "not indexed"), ("reranker", "reranks")):
        command = ["retrieval", "index", "build", str(tmp_path / "a.txt"), "--model"]
        assert main([*command, str(models / name), "--output", str(tmp_path / name)]) == 2
        assert word in " ".join(capsys.readouterr().err.split())


def test_only_a_reranker_reranks(models, tmp_path, capsys):
    documents = tmp_path / "documents.jsonl"
    documents.write_text(
        '{"id": "a", "text": "Une toux"}\n{"id": "b", "text": "Une toux grasse"}\n'
    )
    search = ["retrieval", "search", str(documents), "toux", "--rerank"]
    for name, what in (
        ("mlm", "a plain encoder's model"),
        ("sparse", "a SparseEncoder model"),
    ):
        assert main([*search, str(models / name)]) == 2
        assert f"is no CrossEncoder but {what}" in capsys.readouterr().err
    for name in ("old", "reranker"):
        assert main([*search, str(models / name)]) == 0


def test_a_reranker_as_base_is_told(models, caplog):
    new_model(RetrievalConfig(str(models / "old")))
    assert "is a CrossEncoder: its encoder is used" in caplog.text
    caplog.clear()
    new_model(RetrievalConfig(str(models / "mlm")))
    assert "CrossEncoder" not in caplog.text
