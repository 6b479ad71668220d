"""Every example of a docstring runs, and every public name that is called has one."""

import contextlib
import doctest
import importlib
import inspect
import io
import pkgutil
import shutil

import pytest
from example_files import tune, write_files

import doctobert_hf
from doctobert_hf import extension
from doctobert_hf.drbenchmark import families, tasks
from doctobert_hf.errors import UsageError

ROOMS = (
    *("", "chunking", "tokenization", "pretraining", "models", "drbenchmark", "metrics", "finemed"),
    *("retrieval", "hub", "ablation", "corpus", "runs", "finemed.filters", "drbenchmark.source"),
    *("pretraining.callbacks", "drbenchmark.families", "drbenchmark.report"),
    *("statistics", "extension", "drbenchmark.leaderboard", "models.averaging"),
)
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(doctobert_hf.__path__, "doctobert_hf.")
    if not module.name.endswith("__main__") and ".modules." not in module.name
)

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL


def _result(model, score):
    """Return what a benchmark run of a task writes."""
    from doctobert_hf.drbenchmark.results import Cell, Result

    return Result(
        cell=Cell(model, "0" * 40, "quaero_emea", "doctobert", "standard", 42),
        kind="token-classification",
        metric="f1",
        score=score,
        scores={"f1": score, "precision": score, "support": 228},
        validation_score=score,
        hyperparameters={"learning_rate": 5e-5},
        tuning=None,
        data={"fingerprint": "rows", "train": 427, "validation": 355, "test": 348},
        encoding={"max_length": 512, "long_inputs": "chunk", "test_too_long": 3},
        model={"parameters": 110_000_000, "architecture": "RobertaModel", "fingerprint": "ab"},
        environment={"torch": "2.13", "hardware": "cpu"},
        duration=12.5,
        energy_kwh=None,
        date="2026-11-27",
        predictions="seed-42.predictions.jsonl",
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory, tokenizer, tokenizer_dir, sample_texts):
    """A folder with what the examples speak of: documents, and a tiny encoder."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForMaskedLM

    from doctobert_hf.models import preset_config
    from doctobert_hf.pretraining import build_store

    folder = tmp_path_factory.mktemp("examples")
    rows = [{"id": str(n), "text": text} for n, text in enumerate(sample_texts[:30])]
    Dataset.from_list(rows).to_parquet(folder / "documents.parquet")
    torch.manual_seed(0)
    model = AutoModelForMaskedLM.from_config(preset_config("doctobert-tiny", tokenizer))
    model.save_pretrained(folder / "encoder")
    tokenizer.save_pretrained(folder / "encoder")
    shutil.copy(tokenizer_dir / "sentencepiece.model", folder / "encoder")
    write_files(folder)
    tune(folder)
    build_store(sample_texts[:30], tokenizer, folder / "store", max_length=64)
    names = {
        "tokenizer": tokenizer,
        "texts": [row["text"] for row in rows],
        "text": rows[0]["text"],
        "dataset": Dataset.from_list(rows),
        "results": [_result(f"org/{name}", score) for name, score in (("one", 0.6), ("two", 0.5))],
    }
    for result in names["results"]:
        result.write(folder / "results")
    return folder, names


@pytest.mark.long
@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name, place, monkeypatch):
    folder, names = place
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        pytest.skip(f"needs {error.name}")
    except UsageError as error:  # says what to install
        pytest.skip(str(error))
    tests = [
        test
        for test in doctest.DocTestFinder(exclude_empty=True).find(module)
        if test.examples and test.filename
    ]
    if not tests:
        return
    monkeypatch.chdir(folder)
    # What examples register goes again.
    monkeypatch.setattr(tasks, "_TASKS", dict(tasks._TASKS))
    monkeypatch.setattr(families, "_FAMILIES", dict(families._FAMILIES))
    monkeypatch.setattr(extension, "_NAMED", dict(extension._NAMED))
    told = []
    for test in tests:
        test.globs = {**vars(module), **names}
        runner = doctest.DocTestRunner(optionflags=OPTIONS)
        with contextlib.redirect_stderr(io.StringIO()):
            runner.run(test, out=told.append)
        lacking = ("ModuleNotFoundError", "pip install")
        if runner.failures and any(word in "".join(told) for word in lacking):
            pytest.skip("needs a package that is not installed")
    assert not told, "".join(told)


@pytest.mark.parametrize(
    "name",
    [
        *("HierarchicalChunker", "DataCollatorForHierarchicalChunking", "retrieval.Index"),
        *("retrieval.PairSet", "pretraining.TokenStore", "pretraining.SequencePacker"),
    ],
)
def test_every_method_of_what_users_hold_has_an_example(name):
    room, _, own = name.rpartition(".")
    held = getattr(importlib.import_module(f"doctobert_hf.{room}".rstrip(".")), own)
    named = {n: getattr(m, "__func__", m) for n, m in vars(held).items() if not n.startswith("_")}
    methods = {n: method for n, method in named.items() if inspect.isfunction(method)}
    lacking = [
        method
        for method, called in methods.items()
        if ">>>" not in (called.__doc__ or "") and f".{method}(" not in (held.__doc__ or "")
    ]
    assert methods and not lacking


def _is_of(found, module):
    return getattr(found, "__module__", None) == module.__name__ and callable(found)


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_has_an_example(room):
    module = importlib.import_module(f"doctobert_hf.{room}".rstrip("."))
    lacking = []
    own_names = [n for n, f in vars(module).items() if n[0] != "_" and _is_of(f, module)]
    for name in getattr(module, "__all__", own_names):
        try:
            found = getattr(module, name)
        except ModuleNotFoundError:
            continue
        called = inspect.isclass(found) or inspect.isfunction(found)
        if inspect.isclass(found) and issubclass(found, Exception):
            continue  # raised, not called
        own = str(getattr(found, "__module__", "")).startswith("doctobert_hf")
        if called and own and ">>>" not in (found.__doc__ or ""):
            lacking.append(name)
    assert not lacking
