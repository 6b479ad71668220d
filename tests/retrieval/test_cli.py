import json

import pytest

from doctobert_hf.cli import main


@pytest.fixture(scope="module")
def documents(sample_texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("documents")
    for number, text in enumerate(sample_texts[:10]):
        (folder / f"{number}.txt").write_text(text)
    return folder


def run(*words):
    return main(["retrieval", *map(str, words)])


@pytest.mark.long
def test_train_evaluate_index_search(encoder, pairs_file, documents, tmp_path, capsys):
    folder = tmp_path / "run"
    common = ["--base-model", encoder, "--data", pairs_file, "--max-steps", 6, "--batch-size", 16]
    assert run("train", "retrieval/dense", *common, "--output", folder, "--json") == 0
    results = json.loads(capsys.readouterr().out)
    assert [row["system"] for row in results] == ["BM25", "before training", "after training"]

    late = tmp_path / "late"
    assert run("train", "retrieval/late-interaction", *common, "--output", late) == 0
    assert "after training" in capsys.readouterr().out
    assert run("evaluate", folder, late, encoder, "--pooling", "mean", "--with-bm25", "--json") == 0
    table = json.loads(capsys.readouterr().out)
    assert [row["kind"] for row in table] == ["bm25", "dense", "late-interaction", "dense"]
    assert table[1]["scores"] == pytest.approx(results[2]["scores"], abs=0.02)

    index = tmp_path / "index"
    assert run("index", documents, "--model", late, "--output", index) == 0
    assert capsys.readouterr().out.strip() == str(index)
    assert run("search", index, "douleur", "--top", 2, "--json") == 0
    hits = json.loads(capsys.readouterr().out)
    assert len(hits) == 2 and hits[0]["source"].endswith(".txt")

    assert run("evaluate", folder, "--data", pairs_file) == 1  # it was trained on most of them
    assert "training questions are also in pairs" in capsys.readouterr().err


def test_search_without_a_model_is_bm25(documents, capsys):
    assert run("search", documents, "traitement de la douleur", "--top", 1) == 0
    assert capsys.readouterr().out.startswith("1. ")


@pytest.mark.long
def test_a_filter_that_keeps_nothing_is_told(encoder, documents, tmp_path, capsys):
    index = tmp_path / "index"
    from doctobert_hf.retrieval.models import open_model

    open_model(encoder, pooling="mean").save_pretrained(str(tmp_path / "model"))
    assert run("index", documents, "--model", tmp_path / "model", "--output", index) == 0
    for method in ("dense", "lexical", "hybrid"):
        assert run("search", index, "douleur", "--method", method, "--filter", "id == 'no'") == 0
        assert "Nothing found" in capsys.readouterr().err


@pytest.mark.long
def test_results_of_another_environment_join_the_table(encoder, pairs_file, tmp_path, capsys):
    words = ["evaluate", encoder, "--pooling", "mean", "--data", pairs_file]
    assert run(*words, "--json") == 0
    [row] = json.loads(capsys.readouterr().out)
    (tmp_path / "r.json").write_text(json.dumps({**row, "system": "other", "kind": "plaid"}))
    for option in ((), ("--with-bm25",)):  # the baseline stands in every table
        assert run(*words, *option, "--add", tmp_path / "r.json") == 0
        told = capsys.readouterr()
        assert [line.split()[1] for line in told.out.splitlines()[2:]] == ["bm25", "dense", "plaid"]
        assert "BM25 (bm25): " in told.err


@pytest.mark.parametrize(
    "words, message",
    [
        (["evaluate", "ENCODER", "--data", "PAIRS"], "no pooling configuration"),
        (["evaluate", "ENCODER", "--pooling", "mean"], "No questions"),
        (
            "evaluate ENCODER --kind late-interaction --dimensions 32 --data PAIRS".split(),
            "a dense model",
        ),
        (["train", "retrieval/dens", "--base-model", "x"], "Did you mean 'retrieval/dense'"),
        (["train", "retrieval/dense"], "No value for 'base_model'"),
        (["search", "no-such-folder", "q"], "No file or folder"),
    ],
)
def test_wrong_usage(words, message, encoder, pairs_file, capsys):
    given = {"ENCODER": encoder, "PAIRS": str(pairs_file)}
    assert run(*(given.get(word, word) for word in words)) == 2
    assert message in capsys.readouterr().err


def test_help_loads_no_torch():
    import subprocess
    import sys

    code = (
        "import sys; from doctobert_hf.cli import main; main(['retrieval', 'train', '--help']);"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.long
def test_the_index_commands(documents, tmp_path, capsys):
    index = tmp_path / "index"
    assert run("index", "build", documents, "--output", index, "--json") == 0
    assert json.loads(capsys.readouterr().out)["documents"] == 10
    more = tmp_path / "more.jsonl"
    more.write_text('{"id": "new", "text": "Une hépatite C.", "year": 2020}\n')
    assert run("index", "add", index, more) == 0
    assert "1 added; 11 documents" in capsys.readouterr().err
    assert run("search", index, "hepatite c", "--filter", "year > 2000", "--json") == 0
    assert [hit["document"] for hit in json.loads(capsys.readouterr().out)] == ["new"]
    more.write_text('{"id": "new", "text": "Une hépatite B.", "year": 2020}\n')
    assert run("index", "add", index, more) == 2
    assert "retrieval index update" in capsys.readouterr().err
    assert run("index", "update", index, more, "--json") == 0
    assert json.loads(capsys.readouterr().out)["replaced"] == 1
    assert run("search", index, "hépatite B") == 0
    assert "**Une hépatite B.**" in capsys.readouterr().out
    assert run("index", "delete", index, "new") == 0
    capsys.readouterr()
    assert run("search", index, "hépatite") == 0
    out, err = capsys.readouterr()
    assert out == "" and "In no document: hépatite" in err
    old = tmp_path / "old-form"
    assert run("index", documents, "--output", old) == 0
    assert (old / "index.json").is_file()
    assert run("index", "--output", tmp_path / "first", documents) == 0
    assert run("index", "delete", index, "x", "--filtr", "y") == 2
    assert "Did you mean --filter" in capsys.readouterr().err
    assert run("search", index, "x", "--method", "dense") == 2
    assert "one of lexical" in capsys.readouterr().err


def test_a_cross_encoder_reranks(documents, encoder, tmp_path, capsys):
    from sentence_transformers import CrossEncoder

    CrossEncoder(encoder, num_labels=1).save_pretrained(str(tmp_path / "ce"))
    assert run("search", documents, "douleur", "--rerank", tmp_path / "ce", "--json") == 0
    scores = [hit["score"] for hit in json.loads(capsys.readouterr().out)]
    assert scores == sorted(scores, reverse=True)
    assert run("search", documents, "douleur", "--rerank", tmp_path / "absent") == 2
    assert "is no CrossEncoder" in capsys.readouterr().err
