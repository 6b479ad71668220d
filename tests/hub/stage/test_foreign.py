"""A push onto what others wrote: told, kept where it holds, and without rows of a training set."""

import json
import shutil
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from doctobert_hf.hub.cards.render import front_matter
from doctobert_hf.hub.stage.foreign import (
    fingerprints,
    is_generated,
    is_same,
    told_of_local,
    without_rows,
)
from doctobert_hf.hub.stage.merging import Changes, Remote, merge_card, plan_files

PATIENT = "Jeanne Dupont-Martin"
MIT = ("--license", "mit")
GENERATED = f"""---
tags:
- sentence-transformers
- generated_from_trainer
widget:
- source_sentence: {PATIENT}
---

# SentenceTransformer

## Usage

```python
sentences = ["{PATIENT} est suivie pour un diabète."]
```

## Evaluation

| Metric | Value |
|:-------|:------|
| ndcg   | 0.81  |

#### Unnamed Dataset

* Samples:
  | anchor | positive |
  |:-------|:---------|
  | <code>Qui est {PATIENT} ?</code> | <code>{PATIENT}, 41 ans</code> |

## Ours

Recueilli au CHU.
"""


def folder_of(tmp_path, *names):
    folder = tmp_path / "-".join(names)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"text": [name]}), folder / name)
    return folder


def card_of(hub, kind="dataset", name="me/x"):
    return hub.files(kind, name)["README.md"].decode()


def default_of(hub):
    entries = front_matter(card_of(hub))["configs"]
    return [entry["config_name"] for entry in entries if entry.get("default")]


@pytest.mark.long
def test_a_card_that_a_library_generated_stays_without_its_samples(hub, command, model_dir):
    hub.create("model", "me/x")
    hub.write("model", "me/x", "README.md", GENERATED.encode())
    done = command("push-model", model_dir, "me/x", *MIT)
    assert "they may hold rows of a training set" in done.stderr
    card = card_of(hub, "model")
    assert PATIENT not in card and "Recueilli au CHU." in card and "| ndcg   | 0.81  |" in card


def test_code_and_tables_of_people_are_no_samples():
    plain = "# It\n\n```python\nx = 1\n```\n\n| a | b |\n| - | - |\n| 1 | `2` |\n"
    assert not is_generated(f"---\ntags:\n- mine\n---\n{plain}")
    assert without_rows("| a | b |\n| - | - |\n| 1 | 2 |\n")[1] == 0


def test_data_of_others_without_any_card_is_not_hidden(hub, command, documents):
    hub.create("dataset", "me/x")
    hub.write("dataset", "me/x", "data/train-00000-of-00001.parquet", b"rows")
    done = command("push-dataset", documents, "me/x", *MIT, check=False)
    assert done.returncode == 2 and "which this push would hide" in done.stderr
    assert "README.md" not in hub.files("dataset", "me/x")


@pytest.mark.parametrize("name", ["default", "theirs"])
def test_what_is_loaded_without_a_name_stays_what_it_was(name, hub, command, tmp_path):
    """Datasets takes one that is flagged, else 'default', else the only one."""
    hub.create("dataset", "me/x")
    card = f"---\nconfigs:\n- config_name: {name}\n  data_files: t/*\n---\n"
    hub.write("dataset", "me/x", "README.md", card.encode())
    hub.write("dataset", "me/x", "t/train.csv", b"a,b")
    command("push-dataset", folder_of(tmp_path, "ours/train.parquet"), "me/x", *MIT)
    assert default_of(hub) == ([] if name == "default" else [name])


@pytest.mark.long
def test_each_configuration_keeps_its_own_licence_and_no_other_is_claimed(hub, command, tmp_path):
    one, two = (folder_of(tmp_path, f"{name}/train.parquet") for name in "ab")
    command("push-dataset", one, "me/x", "--license", "cc-by-4.0")
    command("push-dataset", two, "me/x", *MIT)
    command("push-dataset", one, "me/x", "--license", "apache-2.0")
    assert front_matter(card_of(hub))["license"] == ["mit", "apache-2.0"]
    (two / "card.yaml").write_text("license: cc0-1.0\n")
    done = command("push-dataset", two, "me/x", check=False)
    assert done.returncode == 2 and "is under the licence mit" in done.stderr
    (two / "card.yaml").write_text("license: mit\n")
    command("push-dataset", two, "me/x")
    assert front_matter(card_of(hub))["license"] == ["apache-2.0", "mit"]


@pytest.mark.long
def test_files_of_others_are_told_of_before_they_are_replaced(hub, command, model_dir, tmp_path):
    hub.create("model", "me/x")
    for name in ("config.json", "model.safetensors", "onnx/model.onnx"):
        hub.write("model", "me/x", name, b"{}")
    push = ["push-model", model_dir, "me/x", *MIT]
    told = command(*push, "--dry-run", "--output", tmp_path / "dry").stderr
    for words in (
        "What others wrote is replaced: config.json, model.safetensors",
        "files that change: config.json, model.safetensors",
        "Of the weights before, and it stays: onnx/model.onnx",
    ):
        assert words in told
    command(*push)
    assert "others wrote" not in command(*push).stderr
    hub.write("model", "me/x", "config.json", b'{"mended": "on the Hub"}')
    again = command(*push).stderr
    assert "What others wrote is replaced: config.json" in again and "safetensors" not in again


RESULT = {
    "task": {"type": "fill-mask"},
    "dataset": {"type": "theirs", "name": "Theirs"},
    "metrics": [{"type": "f1", "value": 12.5}],
}


def amend_front(hub, **values):
    import yaml

    front = front_matter(card_of(hub, "model")) | values
    body = card_of(hub, "model").split("---\n", 2)[2]
    hub.write("model", "me/x", "README.md", f"---\n{yaml.safe_dump(front)}---\n{body}".encode())


@pytest.mark.long
def test_figures_of_others_hold_as_long_as_the_weights_do(hub, command, model_dir, tmp_path):
    folder = shutil.copytree(model_dir, tmp_path / "model")
    command("push-model", folder, "me/x", *MIT)
    amend_front(hub, **{"model-index": [{"name": "x", "results": [RESULT]}]})
    for _ in range(2):
        done = command("push-model", folder, "me/x", *MIT)
        assert "1 result(s) that others added to model-index stay" in done.stderr
        (entry,) = front_matter(card_of(hub, "model"))["model-index"]
        assert entry["results"] == [RESULT]
    from safetensors.torch import load_file, save_file

    weights = {name: value + 1 for name, value in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    done = command("push-model", folder, "me/x", *MIT)
    assert "result(s) of model-index on the Hub is of the weights that" in done.stderr
    assert "model-index" not in front_matter(card_of(hub, "model"))


@pytest.mark.long
def test_a_readme_beside_it_is_told_of_and_its_licence_stands(documents, command, tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    shutil.copy(documents, folder / "train.parquet")
    (folder / "card.yaml").write_text("license: mit\n")
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n# Notes\n\nDu CHU.\n")
    push = ["push-dataset", folder, "me/x", "--dry-run", "--overwrite", "--output", tmp_path / "o"]
    done = command(*push, check=False)
    assert done.returncode == 2
    assert "README.md in 'notes' is under the licence cc-by-nc-4.0" in done.stderr
    done = command(*push, *MIT)
    assert "The text of the README.md in 'notes' is not published" in done.stderr
    assert told_of_local("# It\n\n<!-- keep:a -->\nx\n<!-- /keep -->\n", "a") == []
    assert told_of_local(GENERATED, "a") == []


def test_a_file_is_the_hubs_as_it_is_or_as_a_pointer(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"abc\n")
    # As 'git hash-object' says, of the file and of its LFS pointer.
    assert is_same(file, "8baef1b4abc478178b004d62031cf7fe6db6f903")
    assert not is_same(file, "0" * 40)


def test_a_file_is_hashed_once_and_again_when_it_changes(tmp_path):
    file = tmp_path / "a.parquet"
    file.write_text("rows")
    opened: list[str] = []
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
    first = fingerprints(file)
    assert not is_same(file, "0" * 40) and fingerprints(file) == first
    assert opened.count(str(file)) == 1
    file.write_text("other rows")
    assert fingerprints(file) != first


def test_figures_of_a_card_that_is_not_ours_are_told_of():
    text = "---\nlicense: mit\n---\n\n# Ours\n"
    index = f"model-index:\n- name: x\n  results:\n  - {json.dumps(RESULT)}\n"
    card = f"---\n{index}co2_eq_emissions: 3\n---\n"
    _, changes = merge_card(text, Remote("h", card, {}, {}), "model", (), False, "me/x")
    assert sum("is left out" in told for told in changes.told) == 2
    changes = Changes()
    plan_files(["LICENSE"], Remote("h", card, {}, {"LICENSE": "1"}), "model", (), (), changes)
    assert changes.told == ["What others wrote is replaced: LICENSE"]
