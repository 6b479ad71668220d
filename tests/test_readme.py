"""Every code block of the README and of the pages runs, in order, in one folder each."""

import ast
import os
import re
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest
from warm import warm_commands

REPOSITORY = Path(__file__).resolve().parent.parent
THREADS = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


README = REPOSITORY / "README.md"
ORDER = re.findall(
    r"\(docs/([\w-]+\.md)\)", README.read_text(encoding="utf-8").split("## Pages")[1]
)
"""Pages in the order in which the README lists them: later ones use what earlier ones made."""


def blocks(kind, *paths):
    found = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        found += [body for name, body in BLOCK.findall(text) if name == kind]
    return found


@pytest.fixture
def folder(tmp_path):
    """A folder with the documents, notes and raw corpora the pages speak of."""
    from datasets import Dataset

    from doctobert_hf.corpus.sample import sample_documents
    from doctobert_hf.corpus.sample_notes import write_notes

    documents = [{"id": d.id, "text": d.text} for d in sample_documents(300)]
    Dataset.from_list(documents).to_parquet(tmp_path / "documents.parquet")
    write_notes(tmp_path / "notes")
    (tmp_path / "raw").mkdir()
    made_up = Path(__file__).parent / "drbenchmark" / "data" / "made_up.zip"
    (tmp_path / "raw" / "corpora.zip").write_bytes(made_up.read_bytes())
    return tmp_path


def pages():
    return [REPOSITORY / "docs" / name for name in ORDER]


def test_languages_are_known_and_every_page_is_named():
    for path in [README, *pages()]:
        text = path.read_text(encoding="utf-8")
        assert {kind for kind, _ in BLOCK.findall(text)} <= {"bash", "python", "text", "yaml"}
    assert {path.name for path in (REPOSITORY / "docs").glob("*.md")} == set(ORDER)
    assert README.read_text(encoding="utf-8").count("\n") <= 150


def test_links_lead_somewhere():
    for path in [README, *pages()]:
        for link in re.findall(r"\]\(([^)#\s]+)\)", path.read_text(encoding="utf-8")):
            assert link.startswith("http") or (path.parent / link).exists(), f"{path.name}: {link}"


@pytest.mark.long
@pytest.mark.timeout(1200)  # a dozen commands, one after another
@pytest.mark.parametrize("paths", [[README], pages()], ids=["readme", "pages"])
def test_code_blocks_run(paths, folder):
    bin_folder = Path(sys.executable).parent
    environment = {
        "PATH": f"{bin_folder}:/usr/bin:/bin",
        "HF_HUB_OFFLINE": "1",
        "HOME": str(folder),
        "PYTHONPATH": str(REPOSITORY / "src"),  # this checkout, whatever is installed
        **{name: os.environ[name] for name in THREADS if name in os.environ},
    }
    with warm_commands(environment) as warm:
        for body in blocks("bash", *paths):
            if body.lstrip().startswith(("make ", "git ", "pip ", "python benchmarks/")):
                continue  # the environment itself, and the benchmarks: run by hand and by CI
            script = body.replace(
                "doctobert-hf quickstart",
                "doctobert-hf quickstart --phase1-tokens 40000 --phase2-tokens 20000 "
                "--retrieval-steps 10 --hidden-size 64 --num-hidden-layers 2",
            )
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],
                cwd=folder,
                env=warm,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, f"{body}\n{done.stderr[-3000:]}"
    program, expected = with_marks("\n".join(blocks("python", *paths)))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    shown = dict(re.findall(r"^\x01(\d+)\n(.*?)^\x02\n", done.stdout, re.MULTILINE | re.DOTALL))
    for number, wanted in expected.items():
        pattern = re.escape(wanted).replace(re.escape("..."), ".*")
        assert re.fullmatch(pattern, shown[str(number)].strip(), re.DOTALL), (
            f"the page says {wanted!r}, and what is printed is {shown[str(number)].strip()!r}"
        )


def with_marks(program):
    """Return a program that marks what it prints where a page says it, and what the page says.

    A page says it in comments directly below ``print(...)``; "..." stands for anything.
    """
    lines = program.splitlines()
    expected, ahead, behind = {}, {}, {}
    for node in ast.parse(program).body:
        called = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        if not called or getattr(node.value.func, "id", "") != "print":
            continue
        told = takewhile(lambda line: line.startswith("# "), lines[node.end_lineno :])
        wanted = "\n".join(line.removeprefix("# ") for line in told)
        if wanted:
            number = len(expected)
            expected[number] = wanted
            ahead[node.lineno - 1] = f'print("\\x01{number}")'
            behind[node.end_lineno - 1] = 'print("\\x02")'
    marked = []
    for place, line in enumerate(lines):
        marked += [*([ahead[place]] if place in ahead else []), line]
        marked += [behind[place]] if place in behind else []
    return "\n".join(marked), expected


def test_what_a_page_says_is_printed_is_compared():
    program, expected = with_marks(
        "print(1)\n# 1\nprint(2)\nx = 3\n# no output\nprint(\n    x\n)\n# 3"
    )
    assert expected == {0: "1", 1: "3"}
    assert program.splitlines()[:3] == ['print("\\x010")', "print(1)", 'print("\\x02")']
    told = [with_marks("\n".join(blocks("python", page)))[1] for page in [README, *pages()]]
    assert sum(map(len, told)) >= 10


def test_make_targets_named_in_the_readme_exist():
    makefile = (REPOSITORY / "Makefile").read_text()
    lines = [line for body in blocks("bash", README, *pages()) for line in body.splitlines()]
    named = [line.split("#")[0].split()[1:] for line in lines if line.startswith("make ")]
    assert named
    for target in (target for targets in named for target in targets):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
