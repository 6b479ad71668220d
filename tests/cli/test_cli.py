"""The command line: exit codes, streams, one-line errors."""

import argparse
import json
import os
import subprocess
import sys

import pytest

from doctobert_hf.cli import COMMANDS, main


def run(capsys, *arguments):
    code = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_check_takes_the_words_for_several_tasks(tmp_path, capsys):
    assert main(["benchmark", "check", "--tasks", "doctobert", "--data-dir", str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert "quaero_emea" in told and "pxcorpus" not in told


def test_help_and_version(capsys):
    code, out, err = run(capsys, "--help")
    assert code == 0 and all(name in out for name in COMMANDS) and not err
    assert run(capsys)[0] == 2
    assert run(capsys, "--version")[1].startswith("doctobert-hf 0.")
    for name in COMMANDS:
        code, out, _ = run(capsys, name, "--help")
        assert code == 0 and "--debug" in out


def test_a_reader_that_goes_away_is_no_error():
    words = [sys.executable, "-m", "doctobert_hf"]
    for arguments in (["--help"], ["pretrain", "ablate", "-h"], ["benchmark", "tasks"]):
        done = subprocess.run(
            ["bash", "-c", '"$@" | true; exit ${PIPESTATUS[0]}', "_", *words, *arguments],
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_an_output_that_cannot_be_written_is_one_line():
    words = [sys.executable, "-m", "doctobert_hf", "--version"]
    for to, code, said in ((">/dev/full", 1, "error: The output cannot"), (">&-", 0, "")):
        shell = ["bash", "-c", f'"$@" {to}', "_", *words]
        done = subprocess.run(shell, capture_output=True, text=True)
        assert done.returncode == code and done.stderr.startswith(said)
        assert len(done.stderr.splitlines()) == bool(said)


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["finemed", "clean", "--recipe", "x"], "A recipe is named right behind the command"),
        (["pretrain", "--recipe", "x"], "A recipe is named right behind the command"),
        (["pretrain", "--nonsens", "3"], "--help shows all of them"),
        (["pretrain", "--max_token", "3"], "Did you mean 'max_tokens'?"),
    ],
)
def test_a_hint_is_near_or_none(arguments, mend, capsys):
    assert main(arguments) == 2
    assert mend in capsys.readouterr().err


def test_env(capsys):
    code, out, _ = run(capsys, "env", "--json")
    report = json.loads(out)
    assert code == 0 and report["packages"]["transformers"] and report["cpu_count"] >= 1
    assert "transformers" in run(capsys, "env")[1]


@pytest.mark.long
def test_train_and_evaluate_a_tokenizer(capsys, tmp_path, sample_texts):
    corpus = tmp_path / "c.jsonl"
    corpus.write_text("".join(json.dumps({"texte": t}) + "\n" for t in sample_texts[:60]))
    options = [
        "--vocab-size",
        900,
        "--text-column",
        "texte",
    ]
    words = ["tokenizer", "train", "doctobert-base/tokenizer", corpus, "--output", tmp_path / "t"]
    code, out, err = run(capsys, *words, *options)
    assert code == 0 and out.startswith("900 tokens in") and "60 documents" in err
    arguments = ["tokenizer", "evaluate", tmp_path / "t", "--corpus", corpus, corpus]
    code, out, _ = run(capsys, *arguments, "--text-column", "texte", "--limit", 3)
    assert code == 0 and len(out.splitlines()) == 4 and "100.000 %" in out
    code, out, _ = run(capsys, *arguments, "--text-column", "texte", "--json")
    assert [row["texts"] for row in json.loads(out)] == [60, 60]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["tokenise"], 2, ["No command", "tokenizer"]),
        (["tokenizer"], 2, ["train|evaluate"]),
        (["tokenizer", "train", "absent.txt", "--output", "o"], 2, ["absent.txt"]),
        (["tokenizer", "train", "bad.txt", "--output", "o"], 1, ["UTF-8", "iconv"]),
        (["tokenizer", "train", "empty.txt", "--output", "o"], 1, ["empty"]),
        (["tokenizer", "train", "ok.txt", "--output", "o"], 1, ["too large", "--vocab-size"]),
        (["tokenizer", "train", "ok.txt", "--output", "o", "--vocab-size", "x"], 2, ["'x'", "int"]),
        (["tokenizer", "train", "ok.txt", "--output", "o", "--max-length", "7"], 2, ["at least 8"]),
        (["tokenizer", "train", "ok.txt", "--output", "o", "--recipe", "r.yaml"], 2,
         ["vocabsize", "Did you mean 'vocab_size'"]),
        (["tokenizer", "train", "no.parquet", "--output", "o"], 1, ["columns texte", "'text'"]),
        (["tokenizer", "train", "ok.txt", "--output", "ok.txt/x"], 1, ["Cannot write"]),
        (["tokenizer", "train", "--output", "o"], 2, ["No corpus", "corpus.parquet"]),
        (["tokenizer", "train", "doctobert-bse/tokenizer", "ok.txt", "--output", "o"], 2,
         ["Did you mean 'doctobert-base/tokenizer'"]),
        (["tokenizer", "train", "r.yaml", "--corpus", "ok.txt", "--output", "o"], 2,
         ["vocab_size"]),
        (["quickstart", "tiny/quickstar"], 2, ["Did you mean 'tiny/quickstart'"]),
        (["tokenizer", "evaluate", "nowhere", "--corpus", "ok.txt"], 2, ["nowhere"]),
        (["quickstart", "--corpus", "absent.parquet"], 2, ["absent.parquet"]),
        (["quickstart", "--preset", "doctobert-bse"], 2, ["Did you mean 'doctobert-base'"]),
        (["quickstart", "--max-length", "2000"], 2, ["at most 1024"]),
        (["quickstart", "--phase1-tokes", "4"], 2,
         ["unrecognized arguments: --phase1-tokes", "Did you mean --phase1-tokens?"]),
        (["hub", "push-model", "a", "b", "--licence", "x"], 2, ["Did you mean --license?"]),
        (["tokenizer", "train", "ok.txt", "--output", "/proc/no"], 1, ["Cannot write"]),
        (["quickstart", "--max-length", "4"], 2, ["at least 8"]),
        (["quickstart", "--resume", "--output", "nothing"], 2, ["No run to resume"]),
        (["quickstart", "--resume", "--overwrite"], 2, ["not allowed with"]),
        (["quickstart", "--recipe", "tiny/quickstar"], 2, ["tiny/quickstart"]),
    ],
)  # fmt: skip
def test_wrong_input_is_one_line_with_its_remedy(
    arguments, code, words, capsys, tmp_path, monkeypatch
):
    from datasets import Dataset

    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.txt").write_bytes(b"caf\xe9")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "ok.txt").write_text("un petit texte")
    (tmp_path / "r.yaml").write_text("vocabsize: 3\n")
    Dataset.from_list([{"texte": "a"}]).to_parquet(tmp_path / "no.parquet")
    got, out, err = run(capsys, *arguments)
    assert got == code and not out
    for word in words:
        assert word in err
    assert "Traceback" not in err
    if "usage:" not in err:
        assert [line.startswith("error: ") for line in err.strip().splitlines()][-1]
    assert not os.path.exists(tmp_path / "o" / "tokenizer.json")
    assert not (tmp_path / "quickstart-run").exists()


def test_debug_shows_the_traceback(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exception, match=r"absent\.txt"):
        main(["tokenizer", "train", "absent.txt", "--output", "o", "--debug"])


def test_a_key_written_as_in_a_recipe_is_the_option(capsys, tmp_path):
    code, _, err = run(capsys, "quickstart", "--max_length=4")
    assert code == 2 and "at least 8" in err
    code, _, err = run(
        capsys, "tokenizer", "train", "absent.txt", "--output", "o", "--vocab_size", 900
    )
    assert code == 2 and "absent.txt" in err


def test_the_value_of_a_trainer_key_is_never_taken_for_the_recipe(capsys, tmp_path):
    folder = ["--resume", "--output", tmp_path / "none"]
    for words in (["--ddp_timeout", 60], ["--ddp-timeout=60"], ["--max_tokens", 9]):
        code, _, err = run(capsys, "pretrain", *folder, *words)
        assert code == 2 and "No run to resume" in err, err
    code, _, err = run(
        capsys, "pretrain", "--ddp-timeot", 60, "doctobert-tiny/pretrain", "--dry-run"
    )
    assert code == 2 and "ddp_timeout" in err


def test_words_find_their_place_around_options(tmp_path, monkeypatch):
    from doctobert_hf.cli import command_parser
    from doctobert_hf.cli.tokenizer import _recipe_and_corpus

    parse = command_parser("pretrain")[1].parse_args
    recipe = "doctobert-tiny/pretrain"
    for words in (
        ["--gradient-checkpointing", recipe],
        ["--no-gradient-checkpointing", recipe],
        ["--report-to", "tensorboard", "--ddp-timeout", "60", recipe],
        ["--callbacks", "gc", "--ddp-timeout=60", recipe],
        [recipe, "--callbacks", "gc", "spikes", "--ddp-timeout", "60"],
    ):
        found = parse(words)
        assert found.recipe == recipe, words
        assert found.plan is None and recipe not in (getattr(found, "callbacks", None) or [])
    found = parse([recipe, "--label-names", "a", "b", "--fsdp-config", "f.yaml"])
    assert (found.recipe, found.plan) == (recipe, None)
    assert found.other_options == ["--label-names", "a", "b", "--fsdp-config", "f.yaml"]
    assert parse(["--ddp-timeout", "60", "mine.yaml"]).recipe == "mine.yaml"
    parse = command_parser("tokenizer")[1].parse_args
    monkeypatch.chdir(tmp_path)
    words = ["train", "doctobert-base/tokenizer", "--output", "o", "a.txt", "b.txt"]
    found, corpus = _recipe_and_corpus(parse(words))
    assert found.stem == "tokenizer" and [path.name for path in corpus] == ["a.txt", "b.txt"]
    (tmp_path / "finemed" / "mix").mkdir(parents=True)
    found, corpus = _recipe_and_corpus(parse(["train", "finemed/mix", "--output", "o"]))
    assert found is None and [path.name for path in corpus] == ["mix"]


@pytest.mark.parametrize("command", ["benchmark", "finemed", "hub", "retrieval", "tokenizer"])
def test_help_of_a_subcommand_begins_with_an_example(command):
    from doctobert_hf.cli import command_parser

    parser = command_parser(command)[1]
    (group,) = parser._subparsers._group_actions
    for name, sub in group.choices.items():
        assert f"\ndoctobert-hf {command} {name}" in sub.format_help(), name


def _parsers(parser):
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from _parsers(sub)


def test_help_fits_80_columns(monkeypatch):
    from doctobert_hf.cli import COMMANDS, _overview, command_parser

    monkeypatch.setenv("COLUMNS", "80")
    pages = [_overview()]
    for name in COMMANDS:
        pages += [parser.format_help() for parser in _parsers(command_parser(name)[1])]
    assert [line for page in pages for line in page.splitlines() if len(line) > 80] == []


def test_help_begins_with_an_example(monkeypatch):
    """At most two lines of usage and what it does stand before the first command to copy."""
    from doctobert_hf.cli import COMMANDS, command_parser

    monkeypatch.setenv("COLUMNS", "80")
    late = []
    for name in COMMANDS:
        for parser in _parsers(command_parser(name)[1]):
            lines = parser.format_help().splitlines()
            shown = [n for n, line in enumerate(lines) if f"{line} ".startswith(f"{parser.prog} ")]
            if not shown or shown[0] > 9:
                late.append(parser.prog)
    assert late == []


def test_the_list_of_tasks(capsys):
    assert main(["benchmark", "tasks", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"task", "metric", "license"} <= rows[0].keys()
    assert main(["benchmark", "tasks"]) == 0
    assert "quaero_emea" in capsys.readouterr().out


def test_verbose_shows_what_the_libraries_say(capsys):
    assert main(["--verbose", "hub", "verify", "nowhere"]) == 2
    assert main(["hub", "verify", "nowhere", "--verbose"]) == 2
    assert "Traceback" not in capsys.readouterr().err
