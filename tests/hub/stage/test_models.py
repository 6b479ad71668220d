"""Models: only what is whole, safe and fits together is staged."""

from __future__ import annotations

import json
import os
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.hub.cards.facts import CardFacts
from doctobert_hf.hub.cards.records import ModelFolder, locate_model, read_model
from doctobert_hf.hub.cards.weights import count_parameters
from doctobert_hf.hub.publish.preview import render_path
from doctobert_hf.hub.publish.push import Target, push_model, push_tokenizer
from doctobert_hf.hub.stage import models
from doctobert_hf.hub.stage.preflight import PreflightError

FACTS = CardFacts(license="mit", contact="a@example.org", authors=("A",))


@pytest.fixture
def copy(model_dir, tmp_path):
    return shutil.copytree(model_dir, tmp_path / "model")


def stage(folder, tmp_path):
    return models.stage_model(ModelFolder(folder, None), tmp_path / "staged")


def change(folder, name="config.json", **values):
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_staged_files_are_the_model(copy, tmp_path):
    torch.save({}, copy / "training_args.bin")
    torch.save({}, copy / "optimizer.pt")
    change(copy, "tokenizer_config.json", local_files_only=True, is_local=True)
    assert stage(copy, tmp_path) == []
    staged = tmp_path / "staged"
    assert {p.name for p in staged.iterdir()} <= {
        *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"),
        *("special_tokens_map.json", "sentencepiece.model"),
    }
    ours, theirs = (load_file(f / "model.safetensors") for f in (copy, staged))
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)
    assert "is_local" not in json.loads((staged / "tokenizer_config.json").read_text())


def test_code_of_the_models_own_is_not_named(copy, tmp_path):
    config = json.loads((copy / "config.json").read_text())
    config["auto_map"] = {"AutoModelForMaskedLM": "modeling_x.X"}
    (copy / "config.json").write_text(json.dumps(config))
    told = stage(copy, tmp_path)
    assert any("auto_map names code" in line for line in told)
    assert "auto_map" not in json.loads((tmp_path / "staged/config.json").read_text())


def test_another_vocabulary_than_the_run_recorded_is_refused(run_dir, tmp_path):
    run = shutil.copytree(run_dir, tmp_path / "run")
    shutil.rmtree(run / "stores")  # the record alone knows it
    path = run / "model" / "tokenizer.json"
    state = json.loads(path.read_text())
    assert models.stage_model(locate_model(run), tmp_path / "whole") == []
    path.write_text(json.dumps(state | {"truncation": None, "padding": None}))
    assert models.stage_model(locate_model(run), tmp_path / "same") == []
    vocabulary = state["model"]["vocab"]
    one, two = [token for token, i in vocabulary.items() if i in (700, 701)]
    vocabulary[one], vocabulary[two] = vocabulary[two], vocabulary[one]
    path.write_text(json.dumps(state))
    with pytest.raises(DataError, match="not the one that the run was trained with"):
        models.stage_model(locate_model(run), tmp_path / "other")


@pytest.mark.long
def test_what_stays_behind_is_told(copy, tmp_path):
    for name in ("onnx/model.onnx", "modeling_mine.py", "checkpoint-5/a.bin", ".cache/x"):
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_bytes(b"x")
    torch.save({}, copy / "training_args.bin")
    torch.save({}, copy / "pytorch_model.bin")
    report = push_model(copy, Target("me/it", dry_run=tmp_path / "dry"), FACTS)
    (told,) = [warning for warning in report.warnings if "Left out" in warning]
    assert told.endswith(": modeling_mine.py, onnx/model.onnx, pytorch_model.bin")


def test_torch_weights_become_safetensors(copy, tmp_path):
    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    stage(copy, tmp_path)
    names = {p.name for p in (tmp_path / "staged").iterdir()}
    assert "model.safetensors" in names and "pytorch_model.bin" not in names


def test_missing_weights_would_be_random(copy, tmp_path):
    weights = load_file(copy / "model.safetensors")
    name = next(k for k in weights if k.startswith("lm_head.dense"))
    save_file(
        {k: v for k, v in weights.items() if k != name},
        copy / "model.safetensors",
        metadata={"format": "pt"},
    )
    with pytest.raises(DataError, match=f"1 missing keys .{name}"):
        stage(copy, tmp_path)


@pytest.mark.parametrize(
    ("file", "values", "message"),
    [
        ("config.json", {"cls_token_id": 7, "bos_token_id": 7}, "bos_token_id is 7"),
        ("tokenizer_config.json", {"model_max_length": 600}, "600, and the model has 512"),
    ],
)
def test_what_does_not_fit_is_named(copy, tmp_path, file, values, message):
    change(copy, file, **values)
    with pytest.raises(DataError, match=message):
        stage(copy, tmp_path)


def test_a_tokenizer_of_more_tokens_is_refused(copy, tmp_path):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(copy)
    tokenizer.add_tokens([f"mot{i}" for i in range(100)])
    tokenizer.save_pretrained(copy)
    with pytest.raises(DataError, match="tokens for 1,5"):
        stage(copy, tmp_path)


def test_compare_finds_another_model(model_dir):
    ours, theirs = models.load_checked(model_dir), models.load_checked(model_dir)
    models.compare(ours, theirs, None)
    with torch.no_grad():
        theirs.roberta.encoder.layer[0].output.dense.bias += 1e-3
    with pytest.raises(DataError, match="outputs differ"):
        models.compare(ours, theirs, None)
    with torch.no_grad():
        ours.lm_head.bias += float("nan")
    with pytest.raises(DataError, match="not finite"):
        models.compare(ours, theirs, None)


def test_links_out_of_the_folder(copy, tmp_path):
    shutil.move(copy / "model.safetensors", tmp_path / "elsewhere.safetensors")
    os.symlink(tmp_path / "elsewhere.safetensors", copy / "model.safetensors")
    with pytest.raises(PreflightError, match="link that leads out"):
        stage(copy, tmp_path)


@pytest.mark.long
def test_dry_run_of_a_run(run_dir, tmp_path):
    report = push_model(run_dir, Target("me/petit", dry_run=tmp_path / "dry"), FACTS)
    assert set(report.files) >= {"README.md", "model.safetensors", "training/metrics.jsonl"}
    assert not [name for name in report.files if name.endswith((".bin", ".pt", ".pth"))]
    config = json.loads((tmp_path / "dry/training/config.json").read_text())
    assert config["corpus"] == "leaflets.parquet" and config["output"] == "run"
    manifest = json.loads((tmp_path / "dry/publication.json").read_text())
    assert set(manifest["files"]) == set(report.files) - {"README.md", "publication.json"}
    again = push_model(run_dir, Target("me/petit", dry_run=tmp_path / "dry"), FACTS)
    assert again.files == report.files
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine").write_text("x")
    with pytest.raises(UsageError, match="in use"):
        push_model(run_dir, Target("me/petit", dry_run=tmp_path / "other"), FACTS)


@pytest.mark.long
def test_without_a_licence_nothing_is_written_off(run_dir, tmp_path):
    with pytest.raises(PreflightError, match="no licence"):
        push_model(run_dir, Target("me/petit", dry_run=tmp_path / "dry"), CardFacts())


@pytest.mark.long
def test_checkpoints_with_and_without_optimizer(run_dir, tmp_path):
    def names(**options):
        target = Target("me/steps", dry_run=tmp_path / str(len(options)))
        return push_model(run_dir, target, FACTS, checkpoints=True, **options)

    plain, full = names(), names(optimizer=True)
    folders = sorted({name.split("/")[0] for name in plain.files if "checkpoint-" in name})
    assert len(folders) == 2 and plain.kind == "checkpoints"
    assert not [name for name in plain.files if name.endswith(".pt")]
    assert {f"{folders[0]}/optimizer.pt", f"{folders[0]}/scheduler.pt"} <= set(full.files)
    card = (tmp_path / "0" / "README.md").read_text()
    assert f"| `{folders[0]}` |" in card and f'subfolder="{folders[-1]}"' in card
    with pytest.raises(UsageError, match="optimizer without checkpoints"):
        push_model(run_dir, Target("me/x", dry_run=tmp_path / "x"), FACTS, optimizer=True)


def test_a_damaged_checkpoint_is_named(run_dir, tmp_path):
    copy = shutil.copytree(run_dir, tmp_path / "run")
    file = next(copy.glob("checkpoint-*")) / "config.json"
    file.write_text(file.read_text() + " ")
    with pytest.raises(DataError, match="is damaged: config.json"):
        push_model(copy, Target("me/x", dry_run=tmp_path / "x"), FACTS, checkpoints=True)


@pytest.mark.long
def test_tokenizer_card_has_its_measures(tokenizer_dir, tmp_path):
    copy = shutil.copytree(tokenizer_dir, tmp_path / "tokenizer")
    measured = {"texts": 5, "words": 60, "fertility": 1.5, "unk_rate": 0.0}
    (copy / "evaluation.json").write_text(json.dumps(measured))
    report = push_tokenizer(copy, Target("me/tok", dry_run=tmp_path / "dry"), FACTS)
    card = (tmp_path / "dry" / "README.md").read_text()
    assert "| tokens per word (fertility) | 1.500 |" in card
    assert report.gaps == ["byte_fallback_rate", "round_trip_rate"]
    assert "Every digit is a token." in card


def test_records_of_phases_are_chained(run_dir, tmp_path):
    import yaml

    second = shutil.copytree(run_dir, tmp_path / "anneal")
    config = yaml.safe_load((second / "resolved_config.yaml").read_text())
    config["init_from"] = str(run_dir)
    (second / "resolved_config.yaml").write_text(yaml.safe_dump(config))
    record = read_model(locate_model(second))
    assert [phase["name"] for phase in record["phases"]] == ["run", "anneal"]
    config["init_from"] = "/nowhere/phase1"
    (second / "resolved_config.yaml").write_text(yaml.safe_dump(config))
    record = read_model(locate_model(second))
    assert record["phases"][0] == {"name": "phase1", "recorded": False}


def test_damaged_records_are_named(run_dir, tmp_path):
    copy = shutil.copytree(run_dir, tmp_path / "run")
    (copy / "environment.json").write_text("{")
    with pytest.raises(UsageError, match=r"environment.json' is damaged"):
        read_model(locate_model(copy))


def test_parameters_are_counted_without_torch(model_dir):
    from transformers import AutoModelForMaskedLM

    model = AutoModelForMaskedLM.from_pretrained(model_dir)
    assert count_parameters(model_dir) == model.num_parameters()


def test_a_dry_run_takes_a_name_too():
    from pathlib import Path

    from doctobert_hf.hub import Target

    assert Target("me/x", dry_run="folder").dry_run == Path("folder")


def test_an_adapter_and_an_export_are_no_models(copy, tmp_path):
    (copy / "model.safetensors").unlink()
    with pytest.raises(DataError, match="has no weights.*ONNX"):
        stage(copy, tmp_path)
    (copy / "adapter_config.json").write_text("{}")
    for named in (True, False):  # with a tokenizer alone it is not taken for a tokenizer
        with pytest.raises(UsageError, match="is an adapter"):
            render_path(copy, "me/x", FACTS)
        if named:
            (copy / "config.json").unlink()
