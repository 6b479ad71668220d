"""The pre-flight: everything that must not leave is found, named, and never quoted."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
import torch

from doctobert_hf.hub.stage.preflight import (
    PreflightError,
    check_folder,
    check_name,
    check_sources,
    redact,
    refuse,
)
from doctobert_hf.hub.stage.secrets import find_secrets

CARD = "---\nlicense: mit\n---\n\n# It\n"
# Put together here, so that no scanner takes this file for a leak.
HF = "hf_" + "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA" * 1
LEAKS = {
    "a Hugging Face token": HF,
    "an AWS key": "AKIA" + "ABCDEFGHIJKLMNOP",
    "a GitHub token": "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8",
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "a password in an address": "https://user:" + "geheimnis@example.org/x",
    "a key or password": '"api_key": "' + "0123456789abcdef0123" + '"',
    "an OpenAI key": "sk-" + "proj-" + "a1B2c3D4" * 5,
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "README.md").write_text(CARD)
    return tmp_path


@pytest.mark.parametrize("what", LEAKS)
@pytest.mark.parametrize("name", ["config.json", "notes.txt", "README.md"])
def test_secrets(folder, what, name):
    (folder / name).write_text(f"{CARD if name == 'README.md' else ''}\n{LEAKS[what]}\n")
    found = [finding for finding in check_folder(folder, "model") if what in finding.what]
    assert [finding.file for finding in found] == [name]
    assert LEAKS[what] not in str(PreflightError(found))


def test_a_secret_in_the_header_of_weights(folder):
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(2)}, folder / "model.safetensors", metadata={"note": HF})
    (finding,) = check_folder(folder, "model")
    assert finding.file == "model.safetensors" and "Hugging Face" in finding.what


def test_a_secret_in_a_text_of_windows(folder):
    """PowerShell writes UTF-16."""
    (folder / "notes.txt").write_text(f"jeton : {HF}\n", encoding="utf-16")
    (finding,) = check_folder(folder, "model")
    assert finding.file == "notes.txt" and "Hugging Face" in finding.what


def test_the_token_in_use_is_found_as_it_is(folder):
    (folder / "a.json").write_text('{"x": "an-unusual-token"}')
    assert not check_folder(folder, "model")
    (finding,) = check_folder(folder, "model", tokens=["an-unusual-token"])
    assert "the token in use" in finding.what


@pytest.mark.long
def test_a_secret_across_two_blocks_is_found(folder):
    (folder / "big.bin.txt").write_bytes(b"x" * ((1 << 22) - 10) + b" " + HF.encode())
    assert any("Hugging Face" in f.what for f in check_folder(folder, "model"))


def test_words_that_only_look_like_it():
    for text in (b'{"pad_token": "[PAD]", "mask_token_id": 4}', b"https://example.org:80/a@b"):
        assert not find_secrets(text)


@pytest.mark.parametrize(
    "path", ["/home/anne/run", "/Users/jean/x.parquet", "/tmp/run", "~/corpus", "C:\\\\Users\\\\x"]
)
def test_paths_of_a_machine(folder, path):
    (folder / "config.json").write_text(f'{{"corpus": "{path}"}}')
    assert any("path of this machine" in f.what for f in check_folder(folder, "model"))


def test_paths_that_are_none(folder):
    text = CARD + "data/train.parquet https://example.org/home/anne s3://bucket/tmp/x 140/90"
    (folder / "README.md").write_text(text)
    assert not check_folder(folder, "model")


def test_a_card_may_name_files_of_its_own(folder):
    (folder / "data" / "a").mkdir(parents=True)
    (folder / "data" / "a" / "train.parquet.txt").write_text("x")
    own = "See /data/a and `/data/a/train.parquet.txt`, or /data/a/train.parquet.txt."
    (folder / "README.md").write_text(CARD + own)
    assert not check_folder(folder, "model")
    (folder / "README.md").write_text(CARD + own + " From /data/chu/notes.parquet.")
    (finding,) = check_folder(folder, "model")
    assert "'/data/chu/notes.parquet" in finding.what


@pytest.mark.parametrize("name", ["LICENSE", "CITATION.cff", "figure.svg", "model.safetensors"])
def test_paths_in_what_travels_along(folder, name):
    from safetensors.torch import save_file

    path = "/lustre/fsn1/anne/run"
    if name.endswith("safetensors"):
        save_file({"x": torch.zeros(2)}, folder / name, metadata={"from": path})
    else:
        (folder / name).write_text(f"from {path}\n")
    (finding,) = check_folder(folder, "model")
    assert finding.file == name and path in finding.what


def test_pickles(folder):
    torch.save({"x": torch.zeros(1)}, folder / "optimizer.pt")
    torch.save({"x": torch.zeros(1)}, folder / "named.txt")
    (folder / "plain").write_bytes(pickle.dumps({"a": 1}))
    found = {f.file for f in check_folder(folder, "model") if "pickle" in f.what}
    assert found == {"optimizer.pt", "named.txt", "plain"}
    kept = {f.file for f in check_folder(folder, "model", allowed=["optimizer.pt"])}
    assert kept == {"named.txt", "plain"}


def test_arrays_of_numbers_are_no_pickles(folder):
    np.save(folder / "vectors.npy", np.zeros((2, 3)))
    np.savez(folder / "several.npz", a=np.zeros(2), b=np.ones(3))
    assert not check_folder(folder, "model")
    np.save(folder / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(folder / "mixed.npz", a=np.zeros(2), b=np.array([{}], dtype=object))
    assert {f.file for f in check_folder(folder, "model")} == {"objects.npy", "mixed.npz"}


@pytest.mark.parametrize("name", ["model.safetensors", "data/train.bin.txt"])
def test_a_pointer_of_git_lfs_is_not_the_file(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 9\n"
    (folder / name).write_text(pointer)
    (finding,) = check_folder(folder, "model")
    assert finding.file == name and "pointer of Git LFS" in finding.what


def test_links(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.txt"
    outside.write_text("x")
    os.symlink(outside, folder / "link.txt")
    assert [f.what for f in check_folder(folder, "model")] == ["a link"]
    assert check_sources(folder, [folder / "link.txt"])
    assert not check_sources(folder, [folder / "README.md"])


@pytest.mark.parametrize(
    "name", ["it", "a/b/c", "me/-x", "me/x--y", "me/x..y", "me/" + "x" * 97, "me/é", "me/x.git"]
)
def test_names_that_the_hub_refuses(name):
    with pytest.raises(PreflightError, match="name"):
        refuse(check_name(name))
    assert not check_name("me/doctobert-fr_1.0")


def test_card(folder):
    (folder / "README.md").unlink()
    assert [f.what for f in check_folder(folder, "model")] == ["no card"]
    (folder / "README.md").write_text("# No front matter")
    assert any("no licence" in f.what for f in check_folder(folder, "model"))
    (folder / "README.md").write_text(
        "---\nlicense: mit\nconfigs:\n- config_name: a\n  data_files:\n  - split: train\n"
        "    path: data/*.parquet\n---\n"
    )
    assert any("matches no file" in f.what for f in check_folder(folder, "dataset"))


def test_redact():
    assert redact(f"x {HF} abc123", ["abc123"]) == "x <token> <token>"
