"""Hostile and broken input: a clear error with the file's name, in bounded time and memory."""

import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile

import pytest
import warm

from doctobert_hf.cli import main
from doctobert_hf.config import build_config, read_yaml
from doctobert_hf.drbenchmark.results import Cell, Result, read_result
from doctobert_hf.drbenchmark.source import (
    RawFolder,
    archives,
    open_archive,
    open_folder,
    store as limits,
)
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.filters import parse
from doctobert_hf.pretraining.recipe import PretrainConfig

# ------------------------------------------------------------------------------------- archives


def make_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)


def make_tar(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize(("make", "name"), [(make_zip, "a.zip"), (make_tar, "a.tar.gz")])
def test_an_archive_is_read_up_to_a_total(make, name, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_MEMBER", 1000)
    monkeypatch.setattr(limits, "MAX_READ", 2500)
    make(
        tmp_path / name,
        [(f"c/{i}.txt", b"0" * 900) for i in range(6)] + [("c/big.txt", b"0" * 2000)],
    )
    folder = RawFolder(open_archive(tmp_path / name), "c")
    with pytest.raises(DataError, match=r"big\.txt is larger than"):
        folder.read_bytes("big.txt")
    folder = RawFolder(open_archive(tmp_path / name), "c")
    assert len(folder.read_bytes("0.txt")) == 900
    with pytest.raises(DataError, match=f"What is read of .*{name} is larger than"):
        for number in range(6):
            folder.read_bytes(f"{number}.txt")


def test_a_tar_keeps_no_more_than_the_corpus_needs(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_READ", 2500)
    make_tar(tmp_path / "a.tar.gz", [(f"c/{i}.txt", b"0" * 900) for i in range(6)])
    store = open_archive(tmp_path / "a.tar.gz")
    RawFolder(store, "c").read_bytes("3.txt")
    assert list(store._content) == ["c/3.txt"]


def test_a_tar_that_expands_without_end_is_not_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_UNPACKED", 3000)
    make_tar(tmp_path / "a.tar.gz", [(f"{i}.txt", b"0" * 900) for i in range(6)])
    with pytest.raises(DataError, match="is larger than"):
        open_archive(tmp_path / "a.tar.gz").names()


@pytest.mark.parametrize(("make", "name"), [(make_zip, "a.zip"), (make_tar, "a.tar.gz")])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_are_there_twice_are_told(make, name, tmp_path, caplog):
    make(tmp_path / name, [("c/a.txt", b"first"), ("c/a.txt", b"second")])
    store = open_archive(tmp_path / name)
    assert RawFolder(store, "c").read_bytes("a.txt") == b"second"
    assert "1 entries twice, e.g. 'c/a.txt'" in caplog.text


def test_a_pipe_does_not_hang(tmp_path, capsys):
    os.mkfifo(tmp_path / "quaero.zip")
    with pytest.raises(UsageError, match="pipe"):
        open_archive(tmp_path / "quaero.zip")
    assert main(["benchmark", "check", "--data-dir", str(tmp_path), "--tasks", "morfitt"]) == 1
    assert main(["benchmark", "check", "--data-dir", str(tmp_path / "quaero.zip"),
                 "--tasks", "morfitt"]) == 1  # fmt: skip
    capsys.readouterr()


def test_a_stray_quote_names_the_file_and_the_line(tmp_path):
    from doctobert_hf.drbenchmark.readers.table import read_table
    from doctobert_hf.drbenchmark.spec import Report

    rows = "".join(f"{n}\tun texte assez long pour compter\n" for n in range(40_000))
    (tmp_path / "t.tsv").write_text(f'id\ttext\n7\t"sans fin\n{rows}')
    with pytest.raises(DataError, match=r"t\.tsv:2"):
        list(read_table(open_folder(tmp_path), "t.tsv", ("id", "text"), Report()))


# -------------------------------------------------------------------------------------- filters


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (" and ".join(["edu >= 1"] * 5000), "5,000 comparisons"),
        (" or ".join(["edu >= 1"] * 5000), "5,000 comparisons"),
        ("not " * 2000 + "edu >= 1", "nested"),
        ("edu >= " + "9" * 20, "64 bits"),
        ("edu >= 1e999", "64 bits"),
        ("(" * 150 + "edu >= 1" + ")" * 150 + " and " + "not " * 60 + "edu >= 1", "nested"),
        ("edu >= 1 and " * 20_000 + "edu >= 1", "characters"),
        ("(" * 500 + "edu >= 1" + ")" * 500, "no filter"),
    ],
)
def test_filters_have_bounds(expression, words):
    with pytest.raises(UsageError, match=words) as caught:
        parse(expression)
    assert len(str(caught.value)) < 1500


def test_the_largest_filter_is_applied():
    import pyarrow as pa

    table = pa.table({"edu_quality_normalized_score": list(range(1000))})
    wanted = " or ".join(f"edu == {n}" for n in range(0, 1000, 2))
    assert parse(wanted).apply(table).num_rows == 500
    nested = " and ".join(f"(edu >= {n} or edu == 999)" for n in range(400))
    assert parse(nested).apply(table).num_rows == 601


# ----------------------------------------------------------------------------------------- YAML

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi")
)


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB.replace("i: &i", "corpus: &i"), "100,000 values"),
        ("output: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
        ("seed: 1\nmax_tokens: 5\nseed: 2\n", "line 3: the key 'seed' is given twice"),
        ("seed: [" + "1," * 5000 + "1]", "seed"),
    ],
)
def test_yaml_that_is_no_recipe(text, words, tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words) as caught:
        build_config(PretrainConfig, read_yaml(path), source=f"recipe '{path}'")
    assert "r.yaml" in str(caught.value) and len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("learning_rate", "nan"),
        ("learning_rate", "inf"),
        ("learning_rate", "-1"),
        ("max_tokens", "-5"),
        ("max_tokens", "nan"),
        ("warmup_tokens", "-5"),
        ("seed", "-1"),
        ("mlm_probability", "1.5"),
        ("tokens_per_second", "inf"),
        ("save_total_limit", "0"),
        ("lr_final_ratio", "2"),
    ],
)
def test_values_out_of_bounds_are_refused_before_any_work(key, value, capsys):
    option = "--" + key.replace("_", "-")
    words = ["pretrain", "doctobert-tiny/pretrain", "--dry-run", f"{option}={value}"]
    assert main(words) == 2
    assert key in capsys.readouterr().err


@pytest.mark.parametrize(
    "more",
    [
        ["--corpus", "absent.parquet"],
        ["--tokenizer", "./absent"],
        ["--init-from", "no/such/model"],
        ["--init-from", "absent-model"],
        ["--train-store", "absent"],
    ],
)
def test_a_plan_for_what_is_not_there_is_an_error(more, capsys):
    assert main(["pretrain", "doctobert-tiny/pretrain", "--dry-run", *more]) in (1, 2)
    assert more[1] in capsys.readouterr().err


def test_a_plan_is_of_the_model_that_init_from_names(tmp_path, tokenizer, capsys):
    from transformers import RobertaConfig, RobertaForMaskedLM

    config = RobertaConfig(vocab_size=len(tokenizer), hidden_size=24, num_hidden_layers=1,
                           num_attention_heads=2, intermediate_size=32, pad_token_id=1,
                           max_position_embeddings=140)  # fmt: skip
    model = RobertaForMaskedLM(config)
    model.save_pretrained(tmp_path / "m")
    tokenizer.save_pretrained(tmp_path / "m")
    words = ["pretrain", "doctobert-base/pretrain", "--init-from", str(tmp_path / "m")]
    assert main([*words, "--dry-run", "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert planned["parameters"] == sum(p.numel() for p in model.parameters())
    assert planned["model"] == str(tmp_path / "m")


# --------------------------------------------------------------------------------- result files


def result(**changes):
    cell = Cell("m", "local-1", "quaero_emea", "strict", "standard", 42)
    empty = {name: {} for name in ("hyperparameters", "data", "encoding", "model", "environment")}
    values = {"kind": "token-classification", "metric": "f1", "score": 0.5, "scores": {"f1": 0.5},
              "validation_score": 0.5, "tuning": None, "duration": 1.0, "energy_kwh": None,
              "date": "2026-01-01", "predictions": "p", **empty}  # fmt: skip
    return Result(cell, **{**values, **changes})


def test_a_result_file_is_read(tmp_path):
    assert read_result(result().write(tmp_path)).score == 0.5


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"score": 0.5', '"score": 7.5'),
        ('"score": 0.5', '"score": -3'),
        ('"score": 0.5', '"score": NaN'),
        ('"score": 0.5', '"score": "0.5"'),
        ('"score": 0.5', '"score": true'),
        ('"score": 0.5', '"score": 0.5, "score": 0.9'),
        ('"score": 0.5', '"score": 0.4'),
        ('"validation_score": 0.5', '"validation_score": null'),
        ('"f1": 0.5', '"f1": 0.7'),
        ('"metric": "f1"', '"metric": ["f1"]'),
        ('"seed": 42', '"seed": "42"'),
        ('"task": "quaero_emea"', '"task": null'),
        ('"procedure": "standard"', '"procedure": "other"'),
        ('"duration": 1.0', '"duration": -1.0'),
        ('"scores": {', '"scores": [{'),
        ('"data": {}', '"data": []'),
        ('"format": 1', '"format": 2'),
        ('"date": "2026-01-01"', '"date": 5'),
        ('"predictions": "p"', '"prediction": "p"'),
    ],
)  # fmt: skip
def test_a_damaged_result_file_is_named(old, new, tmp_path):
    path = result().write(tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(DataError, match=r"seed-42\.json"):
        read_result(path)


@pytest.mark.parametrize("content", ["[]", "3", "null", "{", "\x00", "[" * 5000])
def test_a_result_file_that_is_none(content, tmp_path):
    path = result().write(tmp_path)
    path.write_text(content)
    with pytest.raises(DataError, match=r"seed-42\.json"):
        read_result(path)


# ------------------------------------------------------------------------------------- terminal


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_that_cannot_show_a_character(encoding, tmp_path):
    result().write(tmp_path / "results")
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    words = ["benchmark", "report", "results"]
    done = subprocess.run([sys.executable, "-m", "doctobert_hf", *words], cwd=tmp_path,
                          capture_output=True, env=environment)  # fmt: skip
    assert done.returncode == 0, done.stderr[-1000:]


# ---------------------------------------------------------------------------------- remote code


@pytest.mark.long
@pytest.mark.parametrize(
    "words",
    [
        ["benchmark", "run", "M", "--corpus", "notes", "--trials", "0", "--output", "o"],
        ["benchmark", "probe", "M"],
        ["pretrain", "doctobert-tiny/pretrain", "--init-from", "M", "--output", "o"],
        ["retrieval", "index", "notes.txt", "--model", "M", "--output", "o"],
        ["tokenizer", "evaluate", "M", "--corpus", "notes.txt"],
        ["hub", "push-model", "M", "me/m", "--license", "mit", "--dry-run", "--output", "o"],
        ["finemed", "distil", "--input", "labels.jsonl", "--model", "M", "--output", "o"],
    ],
)  # fmt: skip
def test_a_models_own_code_is_never_run(words, tmp_path):
    """With a piped "y", which Transformers would take for consent."""
    model = tmp_path / "M"
    model.mkdir()
    maps = {"AutoConfig": "evil.Evil", "AutoTokenizer": ["evil.Evil", "evil.Evil"],
            "AutoModel": "evil.Evil", "AutoModelForMaskedLM": "evil.Evil",
            "AutoModelForTokenClassification": "evil.Evil"}  # fmt: skip
    (model / "config.json").write_text(json.dumps({"model_type": "evil", "auto_map": maps}))
    (model / "tokenizer_config.json").write_text(json.dumps({"auto_map": maps}))
    (model / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Evil: pass\n")
    (model / "model.safetensors").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("Le patient a de la fièvre.")
    (tmp_path / "notes").mkdir()
    note = {"id": "1", "text": "Il va.", "entities": [{"start": 0, "end": 2, "label": "X"}]}
    lines = "".join(json.dumps({**note, "id": str(n)}) + "\n" for n in range(10))
    (tmp_path / "notes" / "n.jsonl").write_text(lines)
    labels = "".join(json.dumps({"text": f"t {n}", "label": "Others"}) + "\n" for n in range(60))
    (tmp_path / "labels.jsonl").write_text(labels)
    done = warm.run([sys.executable, "-m", "doctobert_hf", *words], cwd=tmp_path,
                          input="y\ny\ny\n", capture_output=True, text=True)  # fmt: skip
    assert done.returncode in (1, 2), done.stderr
    assert not (tmp_path / "ran").exists(), done.stderr
    assert "[y/N]" not in done.stdout + done.stderr and "Traceback" not in done.stderr
