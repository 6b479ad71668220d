"""FineMed cards from the manifests of the stages that made the data."""

from __future__ import annotations

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from doctobert_hf.cli import main
from doctobert_hf.hub.cards.manifests import made_by
from doctobert_hf.hub.cards.metadata import license_ids
from doctobert_hf.hub.cards.render import front_matter

TEXTS = [
    "Le patient présente un diabète traité par metformine depuis plusieurs années déjà.",
    "Le patient présente un diabète traité par metformine depuis plusieurs années déjà.",
    "La patiente, suivie pour un asthme, appelle le 06 12 34 56 78 pour son ordonnance.",
    "Une radiographie du thorax est normale et le traitement par amoxicilline est arrêté.",
]


def stages(folder, monkeypatch):
    monkeypatch.chdir(folder)
    rows = {"id": list("abcd"), "text": TEXTS, "licence": ["CC BY-NC 4.0"] * 3 + ["CC BY 4.0"]}
    pq.write_table(pa.table(rows), folder / "corpus.parquet")
    units = [{"text": TEXTS[3], "task": "mine"}]
    (folder / "units.jsonl").write_text("\n".join(map(json.dumps, units)) + "\n")
    annotate = ["finemed", "annotate", "finemed/light", "--lexicons", "base"]
    assert main([*annotate, "--input", "corpus.parquet", "--output", "a"]) == 0
    clean = ["finemed", "clean", "--language", "none", "--pii", "mask"]
    assert main([*clean, "--input", "a", "--output", "b"]) == 0
    sought = ["finemed", "decontaminate", "--benchmark", "units.jsonl"]
    assert main([*sought, "--input", "b", "--output", "c"]) == 0


@pytest.mark.long
def test_the_card_says_what_the_stages_did(tmp_path, monkeypatch, capsys):
    stages(tmp_path, monkeypatch)
    made = made_by(tmp_path / "c")
    assert [s["name"] for s in made.stages] == ["annotate", "clean", "decontaminate"]
    assert [(s["read"], s["written"]) for s in made.stages] == [(4, 4), (4, 3), (3, 2)]
    assert made.unknown == ["corpus.parquet"] and not made.synthetic
    phone = {"phone": {"documents": 1, "matches": 1}}
    assert made.personal_data == [{"stage": "clean", "treatment": "mask", "found": phone}]
    assert made.contaminated == 1
    push = ["hub", "push-dataset", "c", "me/x", "--license", "cc-by-4.0", "--dry-run"]
    assert main([*push, "--output", "card"]) == 0
    card = (tmp_path / "card" / "README.md").read_text()
    assert "| clean | 4 | 3 |" in card and "exact duplicate 1" in card
    assert "found in lexicons" in card and "not by a model" in card
    assert "found and replaced by `clean` (documents, matches): phone 1, 1" in card
    assert "1 document with them was left out" in card
    assert "was not looked for" not in card and str(tmp_path) not in card
    # A mark that a removed row had stands nowhere; those of the rows that stay are all named.
    assert front_matter(card)["license"] == ["cc-by-4.0", "cc-by-nc-4.0"]
    assert "theirs too" in capsys.readouterr().err


def test_a_model_is_named_by_its_hub_id_a_folder_by_its_last_part(tmp_path):
    for name, said in (("acme/writer", "acme/writer"), ("/scratch/me/writer", "writer")):
        manifest = {"stage": "rephrase", "documents": 1, "settings": {"model": name}, "pieces": 2}
        (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"inputs": []}))
        [stage] = made_by(tmp_path).stages
        assert stage["what"].startswith(f"rewritten by {said}, 2 pieces")


@pytest.mark.long
def test_what_an_earlier_stage_replaced_a_later_one_does_not_unsay(tmp_path, monkeypatch):
    """And a stage's exclusions are contaminated documents only where they say so."""
    stages(tmp_path, monkeypatch)
    again = ["finemed", "clean", "--language", "none", "--pii", "count"]
    assert main([*again, "--input", "c", "--output", "d"]) == 0
    manifest = json.loads((tmp_path / "c" / "manifest.json").read_text())
    manifest["excluded"]["no text"] = 3
    (tmp_path / "c" / "manifest.json").write_text(json.dumps(manifest))
    made = made_by(tmp_path / "d")
    assert [bool(look["found"]) for look in made.personal_data] == [True, False]
    assert made.contaminated == 1
    push = ["hub", "push-dataset", "d", "me/x", "--license", "mit", "--dry-run", "--output", "card"]
    assert main(push) == 0
    card = (tmp_path / "card" / "README.md").read_text()
    assert "found and replaced by `clean`" in card and "none was found" not in card


@pytest.mark.long
def test_a_mix_says_in_which_of_its_sources_nobody_looked(tmp_path, monkeypatch):
    stages(tmp_path, monkeypatch)
    made = made_by(tmp_path / "c")
    assert made.passed_by == {"contamination": [], "personal_data": []}
    (tmp_path / "m" / "data").mkdir(parents=True)
    pq.write_table(pa.table({"text": TEXTS[:2]}), tmp_path / "m" / "data" / "train.parquet")
    sources = [{"name": name, "input": [name], "where": None} for name in ("c", "a", "b")]
    manifest = {"stage": "mix", "documents": 2, "excluded": {}, "sources": sources}
    (tmp_path / "m" / "manifest.json").write_text(json.dumps(manifest))
    made = made_by(tmp_path / "m")
    assert made.passed_by == {"contamination": ["a", "b"], "personal_data": ["a"]}
    push = ["hub", "push-dataset", "m", "me/x", "--license", "mit", "--dry-run", "--output", "card"]
    assert main(push) == 0
    card = (tmp_path / "card" / "README.md").read_text()
    assert "In a, b they were not looked for." in card
    assert "In a personal data was not looked for." in card


def test_rows_that_name_their_rewriter_are_synthetic_without_a_manifest(tmp_path):
    rewriting = [{"model": "org/writer"}, None]
    rows = {"text": TEXTS[:2], "medical_entity_density": [0.1, 0.2], "rewriting_config": rewriting}
    (tmp_path / "rows").mkdir()
    pq.write_table(pa.table(rows), tmp_path / "rows" / "train.parquet")
    push = [
        "hub",
        "push-dataset",
        str(tmp_path / "rows"),
        "me/x",
        "--license",
        "mit",
        "--kind",
        "dataset",
    ]
    assert main([*push, "--dry-run", "--output", str(tmp_path / "card")]) == 0
    front = front_matter((tmp_path / "card" / "README.md").read_text())
    assert "synthetic" in front["tags"] and front["language_creators"] == ["machine-generated"]


@pytest.mark.long
def test_stages_moved_together_are_found_and_lost_ones_named(tmp_path, monkeypatch):
    (tmp_path / "before").mkdir()
    stages(tmp_path / "before", monkeypatch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "before").rename(tmp_path / "after")
    assert len(made_by(tmp_path / "after" / "c" / "data").stages) == 3
    shutil.rmtree(tmp_path / "after" / "a")
    made = made_by(tmp_path / "after" / "c")
    assert [s["name"] for s in made.stages] == ["clean", "decontaminate"]
    assert made.unknown == ["a"] and not made.annotations


@pytest.mark.long
def test_of_rows_that_no_stage_wrote_nothing_is_told(tmp_path, monkeypatch, capsys):
    """A stage that was run again, rows that somebody added, and rows that somebody edited."""
    stages(tmp_path, monkeypatch)
    shutil.copytree(tmp_path / "a", tmp_path / "moved" / "a")
    shutil.copytree(tmp_path / "b", tmp_path / "moved" / "b")
    (tmp_path / "moved" / "b" / "data" / ".DS_Store").write_bytes(b"x")  # macOS leaves them
    assert len(made_by(tmp_path / "moved" / "b").stages) == 2, "a copy is the same"
    [part] = (tmp_path / "b" / "data").glob("*.parquet")
    table = pq.read_table(part)
    text = table.column_names.index("text")
    other = pa.array([word.upper() for word in table["text"].to_pylist()])
    pq.write_table(table.set_column(text, "text", other), part)
    made = made_by(tmp_path / "c")
    assert [s["name"] for s in made.stages] == ["decontaminate"] and made.unknown == ["b"]
    assert not made.annotations and not made.personal_data and not made.masked
    [told] = made.changed
    assert "was changed after" in told
    assert made_by(tmp_path / "b").stages == [], "its own rows are others"
    pq.write_table(pa.concat_tables([table, table]), part)
    assert "has 6 rows, and its manifest says 3" in made_by(tmp_path / "b").changed[0]
    push = ["hub", "push-dataset", "b", "me/x", "--license", "cc-by-4.0", "--dry-run"]
    assert main([*push, "--output", "card"]) == 0
    assert "the card tells nothing of it" in capsys.readouterr().err
    assert "There are no records of the stages" in (tmp_path / "card" / "README.md").read_text()


def test_data_without_stages_claims_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = {"text": TEXTS, "medical_entity_density": pa.array([0.1] * 4, pa.float32())}
    pq.write_table(pa.table(rows), tmp_path / "x.parquet")
    push = ["hub", "push-dataset", "x.parquet", "me/x", "--license", "cc-by-4.0", "--dry-run"]
    assert main([*push, "--output", "card"]) == 0
    card = (tmp_path / "card" / "README.md").read_text()
    assert "There are no records of the stages" in card
    assert "classifier" not in card and "Models predicted" not in card


def test_every_licence_that_a_text_names():
    assert license_ids("CC-BY-4.0, GPL-3.0 (GitHub)") == ["cc-by-4.0", "gpl-3.0"]
    assert license_ids("CC-BY-4.0, per record") == ["cc-by-4.0"]
    assert license_ids("CC BY-NC") == ["cc"] and license_ids("NC") == ["other"]
    for written, known in (
        ("https://creativecommons.org/licenses/by-nc-nd/4.0/", "cc-by-nc-nd-4.0"),
        ("http://creativecommons.org/licenses/by/4.0/deed.fr", "cc-by-4.0"),
        ("CC BY-NC-ND 3.0 FR", "cc-by-nc-nd-3.0"),
        ("GPL v3", "gpl-3.0"),
        ("Licence Ouverte 2.0", "etalab-2.0"),
        ("CC0", "cc0-1.0"),
    ):
        assert license_ids(written) == [known], written
    assert license_ids("GFDL-1.3") == ["gfdl"] and license_ids("") == ["other"]


def test_a_mix_that_is_partly_rewritten_says_how_much(tmp_path):
    """Of chunks, by their sources; and a selection is not called a pool."""
    first = {"stage": "filter", "documents": 9, "excluded": {}, "inputs": []}
    written = {"stage": "rephrase", "documents": 8, "excluded": {}, "inputs": ["kept"]}
    sources = [
        {"name": name, "input": [name], "where": None, "share": share, "documents": 9}
        | {"chunks": 30, "kept_chunks": kept}
        for name, share, kept in (("kept", 0.75, 30), ("rewritten", 0.25, 10))
    ]
    mix = {"stage": "mix", "documents": 40, "excluded": {}, "sources": sources}
    for name, manifest in (("kept", first), ("rewritten", written), ("mix", mix)):
        (tmp_path / name / "data").mkdir(parents=True)
        pq.write_table(pa.table({"text": TEXTS[:2]}), tmp_path / name / "data" / "train.parquet")
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest))
    made = made_by(tmp_path / "mix")
    assert made.rewritten == (10, 40) and made.selected
    again = {"stage": "mix", "documents": 40, "excluded": {}}
    source = {"name": "mix", "input": ["mix"], "where": None, "share": None, "kept_chunks": 40}
    again["sources"] = [source]  # without shares, as a mix of all
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "manifest.json").write_text(json.dumps(again))
    made = made_by(tmp_path / "again")
    assert made.rewritten is None and "asked for" not in made.stages[-1]["what"].split("; ")[0]
    assert made_by(tmp_path / "kept").rewritten is None
    push = ["hub", "push-dataset", str(tmp_path / "mix"), "me/x", "--license", "mit", "--dry-run"]
    assert main([*push, "--output", str(tmp_path / "card")]) == 0
    card = (tmp_path / "card" / "README.md").read_text()
    assert "10 of 40 chunks were written by a language model" in card
    assert "dont 10 réécrites par un modèle" in card and "as its sources have it" not in card
    assert "rewritten, 25 % of the tokens asked for, 10 of its 30 chunks taken" in card
    assert front_matter(card)["language_creators"] == ["found", "machine-generated"]


def test_what_a_later_stage_replaced_was_not_left_as_it_is(tmp_path):
    found = {"personal_data": {"email": {"documents": 1, "matches": 1}}, "excluded": {}}
    counted = {"stage": "clean", "settings": {"pii": "count"}, "documents": 1, "inputs": []}
    masked = {"stage": "deidentify", "settings": {}, "documents": 1, "inputs": ["a"]}
    for name, manifest in (("a", counted), ("b", masked)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest | found))
    treated = [look["treatment"] for look in made_by(tmp_path / "b").personal_data]
    assert treated == ["later", "mask"] and made_by(tmp_path / "b").masked
    assert [look["treatment"] for look in made_by(tmp_path / "a").personal_data] == ["count"]
    other = {"stage": "deidentify", "settings": {}, "documents": 1, "inputs": []}
    sources = [{"name": name, "input": [name], "where": None} for name in ("a", "c")]
    mix = {"stage": "mix", "documents": 2, "excluded": {}, "sources": sources}
    for name, manifest in (("c", other | found), ("m", mix)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest))
    made = made_by(tmp_path / "m")  # on a's way nothing replaced what was counted
    assert [look["treatment"] for look in made.personal_data] == ["count", "mask"]
    assert not made.masked
