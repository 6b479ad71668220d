"""Licence texts, notices and linked documents travel with what is published; nothing else does."""

import os

import pytest

from doctobert_hf.hub.stage.companions import companions, licence_text_warnings, stage_companions
from doctobert_hf.hub.stage.preflight import PreflightError

LONG = "y" * 300
README = f"""# Notes
![plan](img/plan.png) [guide](guide.md "Guide") <img src="logo.svg"> [site](https://x.org/a.png)
[out](../secret.txt) [hidden](.env) [weights](model.pt) [absolute](/etc/passwd) [gone](gone.md)
[plan](my%20plan.png) [plan](<my plan.png>) [xxxxxxxxxxxxxxxxxxxx]({LONG})
"""


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / "data"
    for name in (
        *("LICENSE", "LICENSE-CC-BY.txt", "NOTICE", "CITATION.cff", "LICENSES/gpl-3.0.txt"),
        *("img/plan.png", "guide.md", "logo.svg", ".env", "model.pt", "private.txt", "train.csv"),
        *("LICENSE-CC-BY-4.0", "COPYING.LESSER", "LICENSES/CC-BY-4.0", "my plan.png"),
        # In French a notice is a leaflet, and these are documents.
        *("notice_patient_0001.txt", "Notice.pdf", "authors.txt", "citation_patient.md"),
    ):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name} GNU GENERAL PUBLIC LICENSE")
    (source / "README.md").write_text(README)
    (tmp_path / "secret.txt").write_text("x")
    return source


def test_what_travels(folder, tmp_path):
    placed = stage_companions(folder, tmp_path / "out")
    assert {path.relative_to(tmp_path / "out").as_posix() for path in placed} == {
        *("LICENSE", "LICENSE-CC-BY.txt", "NOTICE", "CITATION.cff", "LICENSES/gpl-3.0.txt"),
        *("img/plan.png", "guide.md", "logo.svg", "my plan.png"),
        *("LICENSE-CC-BY-4.0", "COPYING.LESSER", "LICENSES/CC-BY-4.0"),
    }
    assert not licence_text_warnings(["gpl-3.0", "cc-by-4.0"], placed)


def test_of_several_corpora_only_the_licences(folder):
    names = [path.name for path in companions(folder, own=False)]
    assert names == ["CC-BY-4.0", "gpl-3.0.txt"]


def test_a_link_that_leads_out_is_refused(folder, tmp_path):
    (folder / "NOTICE").unlink()
    os.symlink(tmp_path / "secret.txt", folder / "NOTICE")
    with pytest.raises(PreflightError, match="NOTICE: a link that leads out"):
        stage_companions(folder, tmp_path / "out")


def test_a_licence_without_its_text_is_told():
    (told,) = licence_text_warnings(["mit", "gpl-3.0", None], [])
    assert told.startswith("gpl-3.0 asks that its text travels")


def test_a_dataset_leaves_with_its_licence(folder, command, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "train.csv").unlink()
    pq.write_table(pa.table({"text": ["Pas de fièvre."] * 3}), folder / "train.parquet")
    done = command(
        "push-dataset", str(folder), "OWNER/notes", "--license", "gpl-3.0", "--dry-run",
        "--output", str(tmp_path / "dry"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "dry" / "LICENSE").is_file() and "LICENSE " in done.stdout
    assert "asks that its text" not in done.stderr


@pytest.mark.timeout(60)  # it took minutes for a tenth of this
def test_a_hostile_readme_is_read(tmp_path):
    (tmp_path / "README.md").write_text("](a" * 200_000 + "(" * 200_000)
    assert companions(tmp_path) == []
