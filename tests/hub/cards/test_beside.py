"""Records that travel beside weights: of other weights they say nothing."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from doctobert_hf.errors import UsageError
from doctobert_hf.hub.cards.beside import RETRIEVAL, TASK, portable_task, read_beside
from doctobert_hf.hub.cards.facts import CardFacts
from doctobert_hf.hub.cards.records import locate_model, read_model
from doctobert_hf.hub.stage.package import model_context
from doctobert_hf.runs.record import weights_of

SCORED = {"task": "visites", "result": {"metric": "f1", "score": 0.625, "seed": 1}}
FOUND = {"recipe": {"data": "pairs"}, "data": {}, "results": [{"system": "after training"}]}


@pytest.fixture
def folder(model_dir, tmp_path):
    """A model's folder, copied away from its run with the records beside it."""
    folder = shutil.copytree(model_dir, tmp_path / "copied")
    for name, record in ((TASK, {"format": 1, **SCORED}), (RETRIEVAL, FOUND)):
        content = record | {"weights": weights_of(folder)}
        (folder / name).write_text(json.dumps(content))
    return folder


def replace_weights(folder):
    weights = load_file(folder / "model.safetensors")
    first = sorted(weights)[0]
    weights[first] = weights[first] + 1
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def test_scores_are_of_the_weights_they_were_measured_on(folder):
    found = read_model(locate_model(folder))
    assert found["finetuning"]["result"]["score"] == 0.625 and found["retrieval"]
    assert portable_task(folder)["result"]["score"] == 0.625
    replace_weights(folder)
    found, warnings = model_context(folder, "me/x", CardFacts(license="mit"))
    assert not {"finetuning", "retrieval"} & found["record"].keys()
    assert sum("is of other weights" in warning for warning in warnings) == 2
    assert portable_task(folder)["result"] == {} and portable_task(folder)["task"] == "visites"


def test_weights_of_modules_are_weights_too(folder):
    """A projection that was swapped is another retriever; earlier records knew the body alone."""
    before = weights_of(folder)
    modules = [{"path": ""}, {"path": "1_Dense"}, {"path": "../other"}, {"path": "/tmp"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Dense").mkdir()
    save_file({"linear.weight": torch.ones(2, 2)}, folder / "1_Dense" / "model.safetensors")
    assert read_beside(folder, RETRIEVAL), "a record of before, which hashed the body alone"
    whole = weights_of(folder)
    assert whole != before
    (folder / RETRIEVAL).write_text(json.dumps(FOUND | {"weights": whole}))
    assert read_beside(folder, RETRIEVAL)
    save_file({"linear.weight": torch.zeros(2, 2)}, folder / "1_Dense" / "model.safetensors")
    found, warnings = model_context(folder, "me/x", CardFacts(license="mit"))
    assert "retrieval" not in found["record"]
    assert any("is of other weights" in warning for warning in warnings)


def test_a_record_without_a_hash_is_of_what_it_lies_beside(folder):
    """Version 0.1 wrote none."""
    (folder / RETRIEVAL).write_text(json.dumps(FOUND))
    replace_weights(folder)
    assert read_beside(folder, RETRIEVAL)


@pytest.mark.parametrize("content", ['{"rows": []}', "[]", '{"recipe": null}'])
def test_a_record_of_another_form_is_damaged_and_no_crash(content, folder):
    (folder / RETRIEVAL).write_text(content)
    with pytest.raises(UsageError, match=r"retrieval\.json' is damaged"):
        read_beside(folder, RETRIEVAL)
