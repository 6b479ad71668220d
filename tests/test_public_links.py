"""What a release's package page says: absolute links and addresses, once there is one."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("hatchling")
ROOT = Path(__file__).resolve().parent.parent
ADDRESS = "https://code.example.org/clinic/doctobert-hf"


def metadata_with(address):
    environment = {**os.environ, "DOCTOBERT_HF_REPOSITORY": address, "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "metadata"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    return done, json.loads(done.stdout) if done.returncode == 0 else None


def test_a_release_links_to_its_tag():
    done, found = metadata_with(ADDRESS + "/")
    assert found, done.stderr
    tag = "v" + found["version"]
    assert found["urls"]["Repository"] == ADDRESS
    assert found["urls"]["Changelog"] == f"{ADDRESS}/blob/{tag}/CHANGELOG.md"
    text = found["readme"]["text"]
    links = re.findall(r"\]\(([^)]*)\)", text)
    assert len(links) > 20
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    assert f"({ADDRESS}/raw/{tag}/docs/proof.png)" in text
    assert f"{ADDRESS}/blob/{tag}/docs/finetuning.md#classes" in links
    for link in links:
        if link.startswith(f"{ADDRESS}/"):
            assert (ROOT / link.split(f"/{tag}/")[1].split("#")[0]).exists(), link


def test_without_an_address_none_is_made_up():
    _, found = metadata_with("")
    assert "urls" not in found or not found["urls"]
    assert found["readme"]["text"] == (ROOT / "README.md").read_text(encoding="utf-8")


def test_something_else_than_an_address_is_refused():
    done, found = metadata_with("github.com/clinic")
    assert found is None
    assert "is not https://host/owner/name" in done.stderr
