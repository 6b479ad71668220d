"""Every promised name resolves, is listed, and mypy knows its type."""

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import doctobert_hf

ROOT = Path(doctobert_hf.__file__).parent
PACKAGES = sorted(
    f"doctobert_hf.{module.name}"
    for module in pkgutil.iter_modules([str(ROOT)])
    if module.ispkg and module.name not in ("cli", "quickstart", "reporting")
)
CONTRACT = """
HierarchicalChunker DataCollatorForHierarchicalChunking split_sentences train_tokenizer
evaluate_tokenizer MLMTrainingArguments MLMTrainer PackedMLMDataset StableAdamW TokenBudgetCallback
ThroughputCallback PackingEfficiencyCallback MaskingScheduleCallback LossSpikeCallback
ScheduledGCCallback FillMaskProbeCallback list_tasks register_task Predictor entity_f1 multilabel_f1
weighted_f1 edrm hamming_score exact_match_ratio medical_term_density check_rewrite
count_personal_data deidentify register DoctobertError min_max win_probability load parse
""".split()


def public(package):
    return importlib.import_module(package).__all__


@pytest.mark.parametrize("package", ["doctobert_hf", *PACKAGES])
def test_names_resolve_and_are_listed(package):
    module = importlib.import_module(package)
    for name in public(package):
        assert getattr(module, name) is not None
        assert name in dir(module)
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = module.nothing_here


def test_what_the_contract_names_is_there_from_the_top():
    assert set(CONTRACT) <= set(doctobert_hf.__all__)
    for module in ("metrics", "pretraining", "drbenchmark", "finemed", "statistics"):
        assert getattr(doctobert_hf, module).__name__ == f"doctobert_hf.{module}"
    assert doctobert_hf.drbenchmark.leaderboard.min_max is doctobert_hf.min_max
    assert doctobert_hf.finemed.filters.parse is doctobert_hf.parse


WORDS = {"Report": 1, "find_corpus": 1, "ModelRef": 1, "ExampleEncoder": 1, "TokenizerBackend": 1}
GONE = ("Encoder", "RowEncoder", "EncoderBackend", "FineTuner", "tune")


@pytest.mark.long
def test_one_name_for_one_thing():
    """The names of the glossary's kind stand once, and those they took the place of nowhere."""
    names = [
        node.name
        for path in ROOT.rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef))
    ]
    assert {name: names.count(name) for name in WORDS} == WORDS
    assert not set(GONE) & set(names)


def test_listing_before_use_needs_no_import():
    code = "import doctobert_hf.pretraining as p; print('MLMTrainer' in dir(p))"
    code += "; import sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


@pytest.mark.parametrize("package", ["doctobert_hf", *PACKAGES])
def test_lazy_names_are_those_a_checker_sees(package):
    path = ROOT.joinpath(*package.split(".")[1:], "__init__.py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lazy = [n for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "_NAMES"]
    if not lazy:
        pytest.skip("imports its names at once")
    seen = {
        name.asname: node.module
        for block in tree.body
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in block.body
        for name in node.names
    }
    told = {
        name: importlib.util.resolve_name(module, package)
        for name, module in ast.literal_eval(lazy[0].value).items()
    }
    assert told.items() <= seen.items()


def write_use(folder):
    """Write a file that asks a checker for the type of every public name."""
    names = [(p, n) for p in ("doctobert_hf", *PACKAGES) for n in public(p)]
    lines = [f"import {package}" for package in ("doctobert_hf", *PACKAGES)]
    lines += [f"reveal_type({package}.{name})" for package, name in names]
    lines += ["doctobert_hf.pretraining.build_store(42, nonsense=True)"]
    (folder / "use.py").write_text("\n".join(lines) + "\n")
    return names


NOT_READ = (
    *("torch", "transformers", "datasets", "huggingface_hub", "sentence_transformers", "numpy"),
    *("scipy", "sklearn", "pyarrow", "pandas", "datatrove", "optuna", "peft", "pydantic"),
    *("fastapi", "accelerate", "tokenizers"),
)


@pytest.mark.long
def test_none_is_any_under_mypy(tmp_path):
    pytest.importorskip("mypy")
    names = write_use(tmp_path)
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "use.py"]
    command += ["--cache-dir", str(tmp_path / "cache"), "--ignore-missing-imports"]
    # What others wrote is not read: it takes minutes, and says nothing of our names.
    others = "\n".join(f"[mypy-{name}.*]\nfollow_imports = skip" for name in NOT_READ)
    (tmp_path / "mypy.ini").write_text(f"[mypy]\n{others}\n")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    revealed = [line for line in done.stdout.splitlines() if "Revealed type" in line]
    assert len(revealed) == len(names), done.stdout + done.stderr
    anything = [
        names[number]
        for number, line in enumerate(revealed)
        if line.split("Revealed type is ")[1].strip('"') == "Any"
    ]
    assert anything == []
    assert 'Unexpected keyword argument "nonsense"' in done.stdout


@pytest.mark.long
def test_none_is_any_under_pyright(tmp_path):
    pytest.importorskip("basedpyright")  # pyright, with the Node that it needs
    names = write_use(tmp_path)
    settings = {
        "extraPaths": [str(ROOT.parent)],
        "typeCheckingMode": "standard",
        "reportMissingImports": "none",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    told = [item["message"] for item in json.loads(done.stdout)["generalDiagnostics"]]
    revealed = [text for text in told if text.startswith("Type of ")]
    assert len(revealed) == len(names), told
    assert [text for text in revealed if text.endswith((' is "Any"', ' is "Unknown"'))] == []
    assert 'No parameter named "nonsense"' in told
