"""Sparse models are trained like the others, of a masked language model's own head."""

import json

import pytest

pytest.importorskip("sentence_transformers", minversion="6")

from doctobert_hf.cli import main
from doctobert_hf.errors import UsageError
from doctobert_hf.retrieval import PairSet, RetrievalConfig, RetrievalRun, read_pairs
from doctobert_hf.retrieval.examples import training_rows
from doctobert_hf.retrieval.models import open_model
from doctobert_hf.retrieval.recipe import read_recipe
from doctobert_hf.retrieval.saved_kinds import other_kind
from doctobert_hf.retrieval.sparse import (
    SparseTable,
    evaluate_sparse,
    make_sparse_loss,
    new_sparse,
    open_sparse,
)

QUICK = dict(kind="sparse", batch_size=16, query_length=32, max_length=48, learning_rate=2e-3)


@pytest.fixture
def recipe(encoder, pairs_file, tmp_path):
    def make(**keys):
        given = {**QUICK, "data": str(pairs_file), "output": tmp_path / "run", **keys}
        return RetrievalConfig(**{"base_model": encoder, **given})

    return make


@pytest.mark.long
@pytest.mark.parametrize("keys", [{}, {"mini_batch_size": 8}], ids=["plain", "cached"])
def test_training_learns_and_is_measured_as_saved(recipe, keys, capsys):
    config = recipe(epochs=8.0, **keys)
    run = RetrievalRun(config)
    before = run.evaluate("before training")
    target = run.train()
    after = run.evaluate("after training")
    run.write_record([before, after])
    assert after.kind == "sparse"
    assert after.scores["ndcg@10"] > before.scores["ndcg@10"] + 0.15
    assert other_kind(str(target)) == "SparseEncoder"
    assert main(["retrieval", "evaluate", str(config.output), "--json"]) == 0
    [told] = json.loads(capsys.readouterr().out)
    assert told["scores"] == pytest.approx(after.scores, abs=0.02)
    record = json.loads((target / "retrieval.json").read_text())
    assert record["recipe"]["document_sparsity"] == 3e-5
    card = [
        *("hub", "push-model", str(config.output), "me/sparse", "--dry-run"),
        *("--output", str(config.output.parent / "staged"), "--license", "apache-2.0"),
    ]
    assert main(card) == 0, capsys.readouterr().err
    text = next((config.output.parent / "staged").rglob("README.md")).read_text()
    assert "SparseEncoder" in text and "weights of the words" in text


@pytest.mark.long
def test_a_few_steps_are_taken_and_resumed(recipe):
    config = recipe(max_steps=4, evaluations=2)
    first = RetrievalRun(config)
    first.trainer.args.max_steps = 2
    first.trainer.train()
    first.close()
    second = RetrievalRun(config, resume=True)
    second.train()
    assert second.trainer.state.global_step == 4
    assert other_kind(str(config.output / "model")) == "SparseEncoder"


def test_a_base_without_a_head_is_refused(encoder, recipe, tmp_path):
    open_model(encoder, pooling="mean").save_pretrained(str(tmp_path / "dense"))
    with pytest.raises(UsageError, match="a masked language model with its head"):
        new_sparse(recipe(base_model=str(tmp_path / "dense")))


def test_a_sparse_base_keeps_what_it_has(recipe, tmp_path, caplog):
    from sentence_transformers.sparse_encoder.modules import SpladePooling

    model = new_sparse(recipe())
    model.prompts = {"query": "question : ", "document": ""}
    model[1] = SpladePooling("sum")
    model.save_pretrained(str(tmp_path / "sparse"))
    again = new_sparse(recipe(base_model=str(tmp_path / "sparse"), document_prompt="texte : "))
    assert again[1].pooling_strategy == "sum"
    assert again.prompts == {"query": "question : ", "document": "texte : "}
    assert "prompt of a document: 'texte : ' instead of ''" in caplog.text


def test_the_loss_wants_few_weights(recipe):
    loss = make_sparse_loss(new_sparse(recipe()), recipe(document_sparsity=0.5, query_sparsity=0.0))
    assert (loss.document_regularizer_weight, loss.query_regularizer_weight) == (0.5, 0.0)


def test_long_documents_are_trained_on_by_their_nearest_chunk(recipe):
    words = [f"mot{n} remède{n} signe{n}." for n in range(40)]
    documents = {"a": " ".join(words), "b": "Une toux sèche."}
    pairs = PairSet("mine", {"q": "mot30 remède30"}, documents, {"q": ["a"]})
    config = recipe()
    model = new_sparse(config)
    [row] = training_rows(pairs, config, model)
    table = SparseTable({"a": documents["a"]}, model)
    [scores] = table.scores(["mot30 remède30"])
    assert row["positive"] == table.passages[int(scores.argmax())].text
    assert row["positive"] != documents["a"]
    result = evaluate_sparse("s", pairs, model)
    assert any("1 documents are over the model's length" in note for note in result.notes)


def test_what_is_for_other_kinds_is_refused(encoder):
    for key, value in (
        ("pooling", "mean"), ("dimensions", 32), ("matryoshka", [32]), ("query_prompt", "[Q] "),
        ("skiplist", ["punctuation"]), ("query_expansion", "fixed"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match="with kind 'sparse'"):
            RetrievalConfig(encoder, kind="sparse", **{key: value})
    with pytest.raises(UsageError, match="document_sparsity with kind 'dense'"):
        RetrievalConfig(encoder, document_sparsity=0.1)
    assert read_recipe("retrieval/sparse", {"base_model": encoder}).kind == "sparse"


def test_opened_again_it_gives_the_same_scores(recipe, pairs_file, tmp_path):
    model = new_sparse(recipe())
    model.save_pretrained(str(tmp_path / "saved"))
    texts = {str(n): pair.positives[0] for n, pair in enumerate(list(read_pairs(pairs_file))[:5])}
    before = SparseTable(texts, model).scores(["que faire ?"])
    after = SparseTable(texts, open_sparse(str(tmp_path / "saved"))).scores(["que faire ?"])
    assert after == pytest.approx(before, abs=1e-5)
