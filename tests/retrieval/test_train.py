import json

import pytest
from datasets import Dataset

from doctobert_hf.errors import UsageError
from doctobert_hf.retrieval import (
    Index,
    PairSet,
    RetrievalConfig,
    RetrievalRun,
    evaluate,
    load_splits,
    open_model,
    read_pairs,
)
from doctobert_hf.retrieval.examples import negatives, training_ids, training_rows
from doctobert_hf.retrieval.models import new_model, saved_kind
from doctobert_hf.retrieval.pairs import Pair
from doctobert_hf.retrieval.train import make_loss, make_trainer
from doctobert_hf.runs.record import weights_of

QUICK = dict(
    pooling="mean", batch_size=16, query_length=32, max_length=48, learning_rate=2e-3, epochs=6.0
)


@pytest.fixture
def recipe(encoder, pairs_file, tmp_path):
    def make(**keys):
        given = {**QUICK, "data": str(pairs_file), "output": tmp_path / "run", **keys}
        if given.get("kind") == "late-interaction":
            given["pooling"] = None
        return RetrievalConfig(encoder, **given)

    return make


@pytest.mark.long
@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"matryoshka": [64, 32], "mini_batch_size": 8, "batch_size": 32},
        {"kind": "late-interaction", "dimensions": 32, "query_prompt": "[Q] ",
         "document_prompt": "[D] ", "skiplist": ["punctuation"], "learning_rate": 1e-3},
        {"kind": "late-interaction", "query_expansion": "fixed", "mini_batch_size": 8,
         "learning_rate": 1e-3},
    ],
    ids=["dense", "matryoshka-cached", "late-interaction", "expansion-cached"],
)  # fmt: skip
def test_training_learns_saves_and_searches(recipe, keys):
    config = recipe(**keys)
    run = RetrievalRun(config)
    before = run.evaluate("before")
    target = run.train()
    after = run.evaluate("after")
    run.write_record([before, after])
    assert after.scores["ndcg@10"] > before.scores["ndcg@10"] + 0.15
    again = open_model(str(target))
    assert saved_kind(str(target)) == config.kind
    assert evaluate("again", run.splits.test, again).scores == pytest.approx(after.scores, abs=0.02)
    assert again.prompts["query"] == run.model.prompts["query"]
    assert (again[0].query_length, again[0].document_length) == (32, 48)
    record = json.loads((target / "retrieval.json").read_text())
    assert record["weights"] == weights_of(target)
    assert record["data"]["pairs test"]["questions"] == 10
    assert record["recipe"]["base_model"] == "encoder0" and "output" not in record["recipe"]
    lines = [json.loads(line) for line in (config.output / "metrics.jsonl").open()]
    assert any(line.get("tokens_per_second", 0) > 0 for line in lines)
    assert sum("eval_validation_ndcg@10" in line for line in lines) >= 4
    written = [p.read_text() for p in config.output.rglob("*") if p.suffix in (".md", ".json")]
    texts = [*run.splits.train.queries.values(), *run.splits.train.documents.values()]
    cards = " ".join(" ".join(text.split()) for text in written)
    assert len(written) > 8 and not [text for text in texts if text in cards and len(text) > 12]
    [hit] = Index.build(run.splits.test.documents, again).search("fièvre du rein", 1)
    assert hit.document in run.splits.test.documents


@pytest.mark.long
def test_matryoshka_sizes_search_almost_as_well(recipe):
    run = RetrievalRun(recipe(matryoshka=[32]))
    run.train()
    whole = run.evaluate("whole")
    run.model.truncate_dim = 32
    cut = run.evaluate("cut")
    assert cut.index_bytes == 10 * 32 * 4 < whole.index_bytes
    assert cut.scores["ndcg@10"] > 0.8 * whole.scores["ndcg@10"]


@pytest.mark.long
def test_a_stopped_run_goes_on_and_a_finished_one_is_kept(recipe):
    config = recipe(max_steps=8, evaluations=2)
    first = RetrievalRun(config)
    first.trainer.args.max_steps = 4  # as if it had been stopped there
    first.trainer.train()
    with pytest.raises(UsageError, match="holds a run"):
        RetrievalRun(config)
    second = RetrievalRun(config, resume=True)
    second.train()
    assert second.trainer.state.global_step == 8
    steps = [json.loads(line)["step"] for line in (config.output / "metrics.jsonl").open()]
    assert steps == sorted(steps) and steps[-1] == 8


@pytest.mark.long
def test_early_stopping_keeps_the_best(recipe):
    run = RetrievalRun(recipe(epochs=20.0, evaluations=20, patience=2, learning_rate=0.05))
    run.train()
    state = run.trainer.state
    assert state.global_step < state.max_steps
    assert run.trainer.state.best_metric == pytest.approx(
        evaluate("best", run.splits.validation, run.model).scores["ndcg@10"], abs=0.02
    )


@pytest.mark.long
def test_stock_trainer_and_ours_take_the_same_steps(recipe):
    """Ours counts tokens and nothing else: the same losses, step by step."""
    import sentence_transformers as st
    from transformers import set_seed

    from doctobert_hf.retrieval.train import training_arguments

    losses = []
    for ours in (True, False):
        config = recipe(max_steps=4, evaluations=1, patience=0, report_to=[])
        splits = load_splits(config)
        set_seed(0)
        model = new_model(config)
        rows = training_rows(splits.train, config, model)
        if ours:
            trainer = make_trainer(model, rows, splits.validation, config)
        else:
            arguments = training_arguments(config, rows)
            arguments.eval_strategy = arguments.save_strategy = "no"
            arguments.load_best_model_at_end = False
            trainer = st.SentenceTransformerTrainer(
                model, arguments, rows, loss=make_loss(model, config)
            )
        trainer.args.logging_steps = 1
        trainer.state.logging_steps = 1
        trainer.train()
        losses.append([row["loss"] for row in trainer.state.log_history if "loss" in row])
    assert losses[0] == losses[1] and len(losses[0]) == 4


def test_hard_negatives_are_given_then_random_and_counted(recipe):
    pairs = PairSet.from_pairs(
        "p",
        [Pair("Q1", ("a",), ("b", "c")), Pair("Q2", ("d",), ("a",)), Pair("Q3", ("c",))],
    )
    chosen = negatives(pairs, recipe(hard_negatives=2))
    assert all(len(ids) == 2 for ids in chosen.values())
    assert not any(set(ids) & set(pairs.relevant[query]) for query, ids in chosen.items())
    assert pairs.notes[-1] == "p: hard negatives: 3 given, 3 random"


def test_hard_negatives_are_mined(recipe, pairs_file):
    pairs = PairSet.from_pairs("p", list(read_pairs(pairs_file))[::7])
    config = recipe(hard_negatives=1, mine_negatives=True, mining_margin=0.0)
    rows = training_rows(pairs, config, new_model(config))
    assert rows.column_names == ["anchor", "positive", "negative_1"]
    assert all(row["positive"] != row["negative_1"] for row in rows)
    assert "mined" in pairs.notes[-1]


def test_rows_of_long_documents_have_the_nearest_chunk(recipe, sample_texts):
    from doctobert_hf.retrieval.pairs import Pair

    long = "\n\n".join(sample_texts[:4])
    pairs = PairSet.from_pairs("p", [Pair("Q1", (long,)), Pair("Q2", ("court",))])
    config = recipe(max_length=32)
    model = new_model(config)
    rows = training_rows(pairs, config, model)
    assert rows[1]["positive"] == "court"
    [hit] = Index.build({"long": long}, model).search("Q1", 1)
    assert rows[0]["positive"] == hit.text
    assert len(model.tokenizer(hit.text).input_ids) <= 32
    assert pairs.notes == [
        "p: 1 documents over 32 tokens are trained on by their chunk nearest to the question"
    ]
    assert isinstance(rows, Dataset)


def test_logs_that_go_nowhere_are_told_before_any_work(recipe, tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'tensorboard'"):
        RetrievalRun(recipe(report_to=["tensorbord"]))
    assert not (tmp_path / "run").exists()


def test_models_that_cannot_be(recipe, encoder, tmp_path):
    with pytest.raises(UsageError, match="Pass --pooling mean"):
        open_model(encoder)
    with pytest.raises(UsageError, match="which the encoder has positions for"):
        new_model(recipe(max_length=100_000))
    with pytest.raises(UsageError, match="holds no model"):
        open_model(str(tmp_path))
    with pytest.raises(UsageError, match="matryoshka"):
        config = recipe(matryoshka=[4096])
        make_loss(new_model(config), config)


def test_markers_become_tokens_and_dimensions_a_projection(recipe):
    config = recipe(kind="late-interaction", dimensions=32, query_prompt="[Q] ")
    model = new_model(config)
    assert model.tokenizer.tokenize("[Q] mal")[0] == "[Q]"
    assert model.encode_query("mal").shape[1] == 32
    assert new_model(recipe(dimensions=24)).get_embedding_dimension() == 24


def test_more_hard_negatives_than_there_are_is_an_error(recipe):
    from doctobert_hf.errors import DataError
    from doctobert_hf.retrieval.pairs import Pair

    pairs = PairSet.from_pairs("p", [Pair("Q1", ("a", "b")), Pair("Q2", ("c", "A"))])
    with pytest.raises(DataError, match="has 1 wrong documents, and hard_negatives is 2"):
        negatives(pairs, recipe(hard_negatives=2))
    assert set(negatives(pairs, recipe(hard_negatives=1))) == set(pairs.queries)
    [q2] = [key for key, text in pairs.queries.items() if text == "Q2"]
    [wrong] = negatives(pairs, recipe(hard_negatives=1))[q2]
    assert pairs.documents[wrong] == "b", "'a' says what 'A' says, which is right"


@pytest.mark.parametrize("seed", range(5))
def test_an_answer_of_the_same_question_in_other_case_is_no_hard_negative(recipe, seed):
    said = [("Que faire ?", "boire"), ("que FAIRE", "dormir"), ("Où", "Lyon"), ("Qui", "Louis")]
    pairs = PairSet.from_pairs("p", [Pair(question, (answer,)) for question, answer in said])
    chosen = negatives(pairs, recipe(hard_negatives=2, seed=seed))
    for query, ids in chosen.items():
        if "faire" in pairs.queries[query].lower():
            assert {pairs.documents[key] for key in ids} == {"Lyon", "Louis"}


@pytest.mark.parametrize("kind", ["dense", "late-interaction"])
def test_a_base_that_is_a_retriever_keeps_what_it_has(kind, recipe, tmp_path, caplog):
    import logging

    import torch

    late = kind == "late-interaction"
    own = {"query_prompt": "[A] " if late else "question : ", "document_prompt": "texte : "}
    keys = {"pooling": None if late else "cls", "dimensions": 24, **own}
    extra = {"skiplist": [",", ";"], "query_expansion": "min"} if late else {}
    base = new_model(recipe(kind=kind, **keys, **extra))
    base.save_pretrained(str(tmp_path / "base"))
    caplog.set_level(logging.INFO)
    config = recipe(kind=kind, pooling=None)
    config.base_model = str(tmp_path / "base")
    again = new_model(config)
    assert again.get_embedding_dimension() == 24 and again.prompts == base.prompts
    texts = ["mal, au foie ; fièvre"]
    for before, after in (
        (base.encode_document(texts), again.encode_document(texts)),
        (base.encode_query(texts), again.encode_query(texts)),
    ):
        torch.testing.assert_close(
            torch.as_tensor(after[0]), torch.as_tensor(before[0]), atol=1e-6, rtol=0
        )
    assert f"is a {kind} retriever and keeps" in caplog.text
    assert "changes" not in caplog.text
    config.query_prompt = "Q : "
    changed = new_model(config)
    assert changed.prompts == {**base.prompts, "query": "Q : "}
    assert "the recipe changes the base's prompt of a query: 'Q : '" in caplog.text


@pytest.mark.long
def test_pooling_and_size_that_are_named_change_a_base(recipe, tmp_path, caplog):
    new_model(recipe(pooling="cls")).save_pretrained(str(tmp_path / "base"))
    config = recipe(pooling="max", dimensions=16)
    config.base_model = str(tmp_path / "base")
    model = new_model(config)
    assert model.get_embedding_dimension() == 16 and model[1].pooling_mode == "max"
    assert "pooling: max instead of cls" in caplog.text
    late = recipe(kind="late-interaction", dimensions=8)
    new_model(late).save_pretrained(str(tmp_path / "late"))
    late.base_model, late.dimensions = str(tmp_path / "late"), 12
    with pytest.raises(UsageError, match="token vectors have 8"):
        new_model(late)
    late.dimensions, late.kind = None, "dense"
    new_model(late)
    assert "of it only the encoder is used" in caplog.text


def test_wrong_documents_that_are_not_trained_on_are_told(recipe):
    pairs = PairSet.from_pairs("p", [Pair("q", ("a",), ("b", "c")), Pair("r", ("d",))])
    training_ids(pairs, recipe())
    assert "p: 2 wrong documents that the data names are not trained on" in pairs.notes[0]
    pairs.notes.clear()
    training_ids(pairs, recipe(hard_negatives=1))
    assert "hard negatives: 1 given, 1 random; 1 given ones are over" in pairs.notes[0]


@pytest.mark.long
def test_static_embeddings_are_trained_too(recipe, tokenizer, tmp_path, caplog):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    static = StaticEmbedding(tokenizer.backend_tokenizer, embedding_dim=32)
    SentenceTransformer(modules=[static]).save_pretrained(str(tmp_path / "static"))
    config = recipe(pooling=None, max_steps=2, evaluations=1)
    config.base_model = str(tmp_path / "static")
    run = RetrievalRun(config)
    assert "reads texts of any length" in caplog.text
    saved = open_model(str(run.train()))
    run.close()
    assert saved.encode(["mal au foie"]).shape == (1, 32)
    moved = saved[0].embedding.weight - static.embedding.weight
    assert float(moved.abs().max()) > 0


def test_a_projection_of_a_base_with_cut_vectors_reads_whole_ones(recipe, tmp_path):
    base = new_model(recipe())
    base.truncate_dim = 16
    base.save_pretrained(str(tmp_path / "base"))
    config = recipe(pooling=None)
    config.base_model = str(tmp_path / "base")
    assert new_model(config).encode(["toux"]).shape == (1, 16), "kept where nothing is named"
    config.dimensions = 8
    made = new_model(config)
    made.save_pretrained(str(tmp_path / "made"))
    assert open_model(str(tmp_path / "made")).encode(["toux"]).shape == (1, 8)


def test_lengths_are_the_bases_own_unless_the_recipe_names_them(recipe, tmp_path, caplog):
    model = new_model(recipe(query_length=24, max_length=40))
    model.save_pretrained(str(tmp_path / "base"))
    kept = new_model(RetrievalConfig(str(tmp_path / "base")))
    assert (kept[0].query_length, kept[0].document_length) == (24, 40)
    assert "tokens instead of" not in caplog.text
    named = new_model(RetrievalConfig(str(tmp_path / "base"), max_length=32))
    assert (named[0].query_length, named[0].document_length) == (24, 32)
    assert "max_length: 32 tokens instead of 40" in caplog.text
    base = new_model(recipe(max_length=40))
    base[0].max_seq_length = base[0].document_length = 10_000  # more than it has positions for
    base.save_pretrained(str(tmp_path / "long"))
    limit = base[0].config.max_position_embeddings
    assert new_model(RetrievalConfig(str(tmp_path / "long")))[0].document_length <= limit
    usual = new_model(recipe(query_length=None, max_length=None))
    assert (usual[0].query_length, usual[0].document_length) == (64, 128)
