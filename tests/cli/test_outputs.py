"""Every command that writes: folders of others stay as they are, hashed before and after."""

import os
from pathlib import Path

import pytest
from cli_helpers import COMMANDS, command, hashes

from doctobert_hf.cli import main


@pytest.mark.long
@pytest.mark.parametrize("more", [[], ["--overwrite"]], ids=["plain", "overwrite"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_of_strangers_stays_as_it_is(name, more, place, made, capsys):
    before = hashes(place)
    code = main([*command(name, made, "mine"), *more])
    error = capsys.readouterr().err
    assert code in (1, 2), error
    assert "mine" in error and "this tool did not write" in error and "--output" in error
    assert hashes(place) == before


@pytest.mark.parametrize("name", COMMANDS)
def test_a_run_of_another_kind_is_refused_and_can_be_moved_aside(name, place, made, capsys):
    from doctobert_hf.runs import open_run

    with open_run("other", "another-kind", {"a": 1}) as run:
        (Path("other") / "note.txt").write_text("mine")
        run.finish("note.txt")
    if name.startswith("push"):  # keep their record beside the folder
        with open_run("other2", "another-kind", {"a": 1}, beside=True) as run:
            (Path("other2") / "note.txt").write_text("mine")
            run.finish("note.txt")
    target = "other2" if name.startswith("push") else "other"
    before = hashes(place / target)
    assert main(command(name, made, target)) in (1, 2)
    error = capsys.readouterr().err
    assert "another kind, another-kind" in error and "--overwrite" in error
    assert hashes(place / target) == before


@pytest.mark.parametrize("name", [n for n in COMMANDS if "corpus.jsonl" in COMMANDS[n]])
def test_output_that_holds_the_input(name, place, made, capsys):
    """``--output .`` where the input lies, and the corpus itself as output."""
    before = hashes(place)
    for output in (".", "corpus.jsonl"):
        assert main(command(name, made, output)) in (1, 2)
        capsys.readouterr()
    assert hashes(place) == before


def test_a_folder_of_documents_is_not_its_own_index(place, capsys):
    pytest.importorskip("bm25s")
    for output in ("corpus", "corpus/index"):
        assert main(["retrieval", "index", "corpus", "--output", output]) == 2
        assert "input" in capsys.readouterr().err
    assert sorted(os.listdir("corpus")) == ["a.parquet"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["pretrain", "doctobert-tiny/pretrain", "--corpus", "absent.jsonl"],
        ["pretrain", "doctobert-tiny/pretrain", "--corpus", "corpus.jsonl"],
        ["pretrain", "doctobert-tiny/pretrain", "--init-from", "nowhere/at/all"],
        ["tokenizer", "train", "absent.txt"],
        ["tokenizer", "train", "corpus.jsonl", "--vocab-size", "30000"],
        ["finemed", "annotate", "finemed/light", "--input", "absent"],
        ["finemed", "annotate", "finemed/light", "--input", "corpus.jsonl",
         "--lexicons", "no-such-lexicon"],
        ["finemed", "decontaminate", "--input", "corpus.jsonl", "--benchmark", "no_such_task"],
        ["finemed", "distil", "--input", "corpus.jsonl"],
        ["finemed", "stats", "--input", "absent"],
        ["retrieval", "train", "retrieval/dense", "--base-model", "m", "--data", "absent.jsonl"],
        ["retrieval", "train", "retrieval/dense", "--base-model", "m", "--data", "corpus.jsonl"],
        ["retrieval", "index", "absent"],
        ["hub", "push-dataset", "corpus", "me/data", "--dry-run"],
        ["quickstart", "--corpus", "absent"],
    ],
)  # fmt: skip
def test_a_refused_start_leaves_nothing(arguments, place, made, capsys):
    before = hashes(place), sorted(os.listdir(place))
    assert main([*arguments, "--output", "deep/new"]) in (1, 2)
    assert "error: " in capsys.readouterr().err
    assert (hashes(place), sorted(os.listdir(place))) == before


@pytest.mark.long
def test_files_beside_a_dry_run_stay(place, capsys):
    words = ["hub", "push-tokenizer", "tok", "me/tok", "--license", "mit", "--dry-run"]
    for name in ("d.plan.json", "d.run.json", ".d.staging/mine.txt"):
        (place / "h" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "h" / name).write_text('{"mine": 1}')
        before = hashes(place)
        assert main([*words, "--output", "h/d"]) in (1, 2), name
        assert "this tool did not write" in capsys.readouterr().err
        assert hashes(place) == before, name
        (place / "h" / name).unlink()
        if name.startswith("."):
            (place / "h" / ".d.staging").rmdir()
    assert main([*words, "--output", "h/d"]) == 0


@pytest.mark.long
def test_a_recipe_that_was_changed_since_is_not_ignored(place, capsys):
    recipe = place / "my.yaml"
    recipe.write_text(
        "learning_rate: 0.001\nmax_tokens: 2000\npreset: doctobert-tiny\n"
        "micro_batch_tokens: 512\ndataloader_num_workers: 0\nmax_length: 64\n"
    )
    assert main(["pretrain", "my.yaml", "--output", "run"]) == 0, capsys.readouterr().err
    assert main(["pretrain", "./my.yaml", "--resume", "--output", "run"]) == 0
    recipe.write_text(recipe.read_text().replace("0.001", "0.00001"))
    capsys.readouterr()
    assert main(["pretrain", "my.yaml", "--resume", "--output", "run"]) == 2
    assert "which was changed since" in capsys.readouterr().err


def test_stages_of_finemed_notice_what_has_changed(place, capsys):
    words = ["finemed", "filter", "--input", "corpus.jsonl", "--where", "kind == 'a'"]
    assert main([*words, "--output", "kept"]) == 0
    text = (place / "corpus.jsonl").read_text()
    (place / "corpus.jsonl").write_text(text.replace("patient", "malades"))  # as many bytes
    assert main([*words, "--output", "kept"]) == 2
    assert "have changed" in capsys.readouterr().err
    (place / "corpus.jsonl").write_text(text)
    assert main([*words, "--output", "kept"]) == 0
    for path in (place / "kept" / "data").iterdir():
        path.unlink()
    assert main([*words, "--output", "kept"]) == 1
    assert "manifest says 30" in capsys.readouterr().err
    (place / "kept" / "manifest.json").write_text("{")
    assert main([*words, "--output", "kept"]) == 1
    assert "manifest.json' is damaged" in capsys.readouterr().err


def test_python_calls_do_not_replace_results_of_other_texts(place, tokenizer, caplog):
    from doctobert_hf.errors import UsageError
    from doctobert_hf.pretraining import build_store
    from doctobert_hf.tokenization import train_tokenizer

    texts = [f"Le patient {n} a de la fièvre." for n in range(30)]
    build_store(texts, tokenizer, "store", 64)
    build_store(texts, tokenizer, "store", 64)
    with pytest.raises(UsageError, match="texts"):
        build_store(texts[:9], tokenizer, "store", 64)
    with pytest.raises(UsageError, match="One string"):
        build_store(texts[0], tokenizer, "other", 64)
    train_tokenizer(texts, "made", vocab_size=560)
    with pytest.raises(UsageError, match="texts"):
        train_tokenizer(texts[:29], "made", vocab_size=560)
    build_store((text for text in texts[:9]), tokenizer, "lazy", 64)
    build_store((text for text in texts), tokenizer, "lazy", 64)
    assert "'lazy' is written anew; its texts cannot be compared" in caplog.text
