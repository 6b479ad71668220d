"""``hub verify`` refuses folders that a push would refuse, and says why."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from doctobert_hf.hub.cards.facts import CardFacts
from doctobert_hf.hub.publish.push import Target, push_model
from doctobert_hf.hub.publish.verification import _check_model, verify

FACTS = CardFacts(license="mit", contact="a@example.org", authors=("A",))


def edit(folder, name, **values):
    path = folder / name
    content = json.loads(path.read_text())
    content.update(values)
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))


def weights(folder, change):
    file = folder / "model.safetensors"
    found = load_file(file)
    change(found)
    save_file({name: value.contiguous() for name, value in found.items()}, file, {"format": "pt"})


def first(found, ending="dense.weight"):
    return next(name for name in sorted(found) if name.endswith(ending))


def cut(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-500])


def swap(folder):
    path = folder / "tokenizer.json"
    state = json.loads(path.read_text())
    vocabulary = state["model"]["vocab"]
    one, two = [t for t, i in vocabulary.items() if i in (700, 701)]
    vocabulary[one], vocabulary[two] = vocabulary[two], vocabulary[one]
    path.write_text(json.dumps(state))


BROKEN = {
    "wrong padding id": (lambda f: edit(f, "config.json", pad_token_id=7), "pad_token_id is 7"),
    "wrong mask id": (lambda f: edit(f, "config.json", mask_token_id=9), "mask_token_id"),
    "no class": (lambda f: edit(f, "config.json", architectures=None), "names no class"),
    "unknown class": (lambda f: edit(f, "config.json", architectures=["MyBert"]), "MyBert"),
    "too few positions": (lambda f: edit(f, "tokenizer_config.json", model_max_length=4096),
                          "model_max_length is 4,096"),
    "smaller vocabulary": (lambda f: weights_of_vocabulary(f, 900), "rows of the embedding"),
    "a weight is missing": (lambda f: weights(f, lambda w: w.pop(first(w))), "missing keys"),
    "a weight too many": (lambda f: weights(f, lambda w: w.update(extra=torch.ones(3))),
                          "unexpected keys"),
    "another shape": (lambda f: weights(f, lambda w: w.update({first(w): torch.ones(2, 2)})),
                      "failed"),
    "not a number": (lambda f: weights(f, lambda w: w[first(w)].fill_(float("nan"))),
                     "not finite"),
    "cut short": (cut, "failed"),
    "another order of the vocabulary": (swap, "not the one that the run was trained with"),
    "all zero": (lambda f: weights(f, lambda w: [v.zero_() for v in w.values()]), "one number"),
    "another shape, named": (
        lambda f: weights(f, lambda w: w.update({first(w): torch.ones(2, 2)})),
        "dense.weight: (2, 2) for",
    ),
    "no tokenizer": (
        lambda f: [(f / n).unlink() for n in ("tokenizer.json", "tokenizer_config.json")],
        "there is none beside the model",
    ),
    "no such architecture": (
        lambda f: edit(f, "config.json", model_type="foobert"),
        "has model type `foobert`",
    ),
    "weights under other names": (
        lambda f: weights(f, lambda w: [w.update({f"module.{n}": w.pop(n)}) for n in list(w)]),
        "missing keys"),
}  # fmt: skip


def weights_of_vocabulary(folder, size):
    edit(folder, "config.json", vocab_size=size)

    def change(found):
        for name in list(found):
            if found[name].shape[0] > size and ("embeddings" in name or "bias" in name):
                found[name] = found[name][:size].clone()

    weights(folder, change)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_folder_is_refused(name, run_dir, tmp_path):
    shutil.copytree(run_dir, tmp_path / "run")
    folder = tmp_path / "run" / "model"
    assert [check.status for check in _check_model(folder)] == ["ok", "ok", "ok"]
    damage, word = BROKEN[name]
    damage(folder)
    checks = list(_check_model(folder))
    failed = [check for check in checks if check.status == "failed"]
    assert failed, checks
    assert word == "failed" or any(word in check.detail for check in failed), failed


def test_an_encoder_without_what_pools_is_whole(tokenizer, tmp_path):
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1,
                        num_attention_heads=2, intermediate_size=32, pad_token_id=1,
                        max_position_embeddings=512)  # fmt: skip
    BertModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    edit(tmp_path, "config.json", pad_token_id=tokenizer.pad_token_id)
    assert [check.status for check in _check_model(tmp_path)] == ["ok", "ok", "ok"]


@pytest.mark.long
def test_without_its_record_a_folder_is_known_by_its_card(run_dir, tmp_path):
    push_model(run_dir, Target("me/petit", dry_run=tmp_path / "dry"), FACTS)
    (tmp_path / "dry" / "publication.json").unlink()
    checks = {check.what: check for check in verify(str(tmp_path / "dry"))}
    assert {check.status for check in checks.values()} == {"ok", "not run"}
    assert "me/petit is taken for this folder" in checks["fingerprints"].detail
    (tmp_path / "dry" / "config.json").write_text("{}")
    failed = [check for check in verify(str(tmp_path / "dry")) if check.status == "failed"]
    assert failed and not any("internet connection" in check.detail for check in failed)
