"""The notebooks are what the pages say, and run from top to bottom."""

import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest
from warm import warm_commands

REPOSITORY = Path(__file__).resolve().parent.parent
spec = importlib.util.spec_from_file_location("notebooks", REPOSITORY / "scripts" / "notebooks.py")
notebooks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(notebooks)
SHORT = (
    "quickstart --phase1-tokens 40000 --phase2-tokens 20000 --retrieval-steps 10 "
    "--hidden-size 64 --num-hidden-layers 2"
)


@pytest.mark.parametrize("name", notebooks.NOTEBOOKS)
def test_they_are_made_from_the_pages(name):
    path = notebooks.TARGET / f"{name}.ipynb"
    assert path.read_text(encoding="utf-8") == notebooks.written(name), "make docs"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Where the quickstart of the first notebook goes: that of another is the same command."""
    return tmp_path_factory.mktemp("made") / "my-run"


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", notebooks.NOTEBOOKS)
def test_they_run(name, made, tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    if name == "search":
        pytest.importorskip("sentence_transformers")
        pytest.importorskip("bm25s")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "src"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    content = json.loads((notebooks.TARGET / f"{name}.ipynb").read_text(encoding="utf-8"))
    content["cells"] = content["cells"][1:]  # the package is here already
    for cell in content["cells"]:
        cell["source"] = "".join(cell["source"]).replace("quickstart --corpus", f"{SHORT} --corpus")
        if SHORT in cell["source"]:
            keep = f"{cell['source']}\ncp -r my-run {made}"
            cell["source"] = f"%%bash\ncp -r {made} my-run" if made.exists() else keep
    notebook = nbformat.from_dict(content)
    client = nbclient.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}
    )
    with warm_commands(dict(os.environ)) as warm:
        monkeypatch.setenv("PATH", warm["PATH"])
        client.execute()
    ran = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in ran)
