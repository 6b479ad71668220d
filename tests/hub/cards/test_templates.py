"""What cards say of each kind: no field of another kind, no claim that no record holds."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from doctobert_hf.cli import main
from doctobert_hf.errors import UsageError
from doctobert_hf.hub.cards.facts import CardFacts, read_facts
from doctobert_hf.hub.cards.front import model_metadata
from doctobert_hf.hub.cards.records import read_family
from doctobert_hf.hub.cards.render import body_of, front_matter, snippets
from doctobert_hf.hub.publish.preview import render_path

FACTS = CardFacts(license="mit")
TAGS = ("O", "B-DISO", "I-DISO")


def head(encoder, folder, kind, record=True):
    """A model with a head, and the note that ``finetune`` leaves beside it."""
    import transformers

    names = dict(enumerate(TAGS if kind == "Token" else ("urgent", "routine", "autre")))
    model = getattr(transformers, f"AutoModelFor{kind}Classification").from_pretrained(
        encoder, id2label=names, label2id={name: n for n, name in names.items()}
    )
    model.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(encoder).save_pretrained(folder)
    note = {
        "format": 1, "task": "visites", "kind": "ner" if kind == "Token" else "cls",
        "labels": list(names.values()), "metric": "entity_f1", "label_column": "ner_tags",
        "threshold": 0.5, "protocol": "drbenchmark", "max_length": 64, "long_inputs": "chunk",
        "split_words": False, "base_model": "encodeur",
        "result": {"metric": "f1", "score": 0.625, "validation_score": 0.7, "seed": 3,
                   "interval": [0.5, 0.75], "scores": {}, "rows": {"train": 40, "test": 10},
                   "annotations": {}},
    }  # fmt: skip
    if record:
        (folder / "doctobert_task.json").write_text(json.dumps(note))
    return folder


@pytest.mark.parametrize("kind", ["Token", "Sequence"])
def test_a_fine_tuned_model_has_its_score_and_no_field_of_an_encoder(kind, model_dir, tmp_path):
    card = render_path(head(model_dir, tmp_path / "m", kind), "me/x", FACTS)
    for word in ("perplexity", "Phases", "DrBenchmark", "Trained on: *not"):
        assert word not in card.text, word
    assert "Fine-tuned from a local model, `encodeur`, on 40 rows" in card.text
    assert "energy" in card.gaps
    path = tmp_path / "m" / "doctobert_task.json"
    note = json.loads(path.read_text())
    note["result"]["energy_kwh"] = 0.25
    path.write_text(json.dumps(note))
    measured = render_path(tmp_path / "m", "me/x", FACTS)
    assert "scoring: 0.25 kWh" in measured.text and "energy" not in measured.gaps
    assert "co2_eq_emissions" not in front_matter(measured.text)
    session = {"emissions_kg": 0.05, "country": "BEL", "codecarbon": "3", "cpu": "X", "gpu": ""}
    note["result"]["energy"] = session
    path.write_text(json.dumps(note))
    placed = render_path(tmp_path / "m", "me/x", FACTS).text
    assert "0.05 kg CO₂e with the electricity mix of BEL" in placed
    front = front_matter(placed)["co2_eq_emissions"]
    assert front["emissions"] == 50 and front["training_type"] == "fine-tuning"
    assert "F1 on its test split" in card.text and "**62.50 %**" in card.text
    labels = card.text.split("### 🏷️ Labels")[1].split("\n## ")[0].split()
    assert labels == (
        ["-", "`DISO`"] if kind == "Token" else "- `urgent` - `routine` - `autre`".split()
    )
    assert ("doctobert-entities" in card.text) == (kind == "Token")
    assert ("repère des entités" in card.text) == (kind == "Token")
    (result,) = front_matter(card.text)["model-index"][0]["results"]
    assert result["metrics"][0]["value"] == 62.5 and result["dataset"]["type"] == "private"


def test_a_classifier_without_records_has_gaps_of_its_own_alone(model_dir, tmp_path):
    card = render_path(head(model_dir, tmp_path / "m", "Sequence", record=False), "me/x", FACTS)
    assert card.gaps[:2] == ["fine-tuning", "scores"] and "perplexity" not in card.text
    exec(snippets(card.text)[0].replace('"me/x"', repr(str(tmp_path / "m"))), {})


def test_a_card_claims_no_recipe_for_what_was_only_published(model_dir, run_dir):
    assert "Trained with `doctobert-hf`" in render_path(run_dir, "me/x", FACTS).text
    card = render_path(model_dir, "me/x", FACTS).text
    assert "Trained with" not in card and "recipes follow" not in card
    assert "This card and the files' layout were made with" in card


def test_parameters_of_embeddings_and_the_length_of_training_rows(run_dir):
    card = render_path(run_dir, "me/x", FACTS).text
    assert "129 k of embeddings, 106 k beside them" in card and "MLP of 128" in card
    assert "| Longest input | 512 tokens; trained on rows of at most 64 |" in card


def test_the_sizes_of_the_family(model_dir, tmp_path):
    """Their figures are read from the models; no place of this machine is shown."""
    import shutil

    mine, other = tmp_path / "mine", tmp_path / "small"
    shutil.copytree(model_dir, mine)
    shutil.copytree(model_dir, other)
    (mine / "card.yaml").write_text("family:\n  me/small: ../small\n  me/tiny: ../small\n")
    card = render_path(mine, "me/mine", read_facts(mine))
    rows = [line for line in card.text.splitlines() if line.startswith("| [me/")]
    assert [row.split("]")[0] for row in rows] == ["| [me/small", "| [me/tiny"]
    record = read_family({"x": str(other)})[0]
    assert f"{record['num_hidden_layers']} × {record['hidden_size']}" in rows[0]
    assert str(tmp_path) not in card.text and "../small" not in card.text
    assert "other sizes" not in render_path(model_dir, "me/mine", FACTS).text
    (mine / "card.yaml").write_text("family:\n  me/small: ../nothing\n")
    with pytest.raises(UsageError, match="nothing"):
        render_path(mine, "me/mine", read_facts(mine))


def test_an_unmeasured_tokenizer_has_one_gap(tokenizer_dir):
    card = render_path(tokenizer_dir, "me/x", FACTS)
    assert card.gaps[0] == "measurements" and "on *not recorded*" not in card.text


@pytest.mark.parametrize("key", ["retrieval", "finetuning", None])
def test_the_type_of_training_is_that_of_the_records(key):
    energy = {"kg": 0.1, "codecarbon": "3", "country": "FRA", "hardware": "CPU"}
    record = {"energy": energy, "architecture": {"classes": []}, **({key: {"x": 1}} if key else {})}
    context = {"facts": FACTS, "record": record, "retriever": None, "scores": None, "name": "x"}
    front = model_metadata("encoder", context).to_dict()
    assert front["co2_eq_emissions"]["training_type"] == ("fine-tuning" if key else "pre-training")


def pushed(tmp_path, capsys, rows, *more):
    pq.write_table(pa.table(rows), tmp_path / "rows.parquet")
    push = ["hub", "push-dataset", str(tmp_path / "rows.parquet"), "me/x", "--license", "mit"]
    assert main([*push, "--dry-run", "--output", str(tmp_path / "out"), *more]) == 0
    capsys.readouterr()
    return (tmp_path / "out" / "README.md").read_text()


def test_every_licence_of_the_metadata_stands_in_the_text(tmp_path, capsys):
    rows = {"text": ["Un.", "Deux."], "licence": ["CC BY-NC 4.0", "MIT"], "zz": [1, 2]}
    card = pushed(tmp_path, capsys, rows)
    assert front_matter(card)["license"] == ["mit", "cc-by-nc-4.0"]
    section = body_of(card).split("## ⚖️ Licence")[1].split("##")[0]
    assert "which hold for them: `cc-by-nc-4.0`" in section
    assert "| mit, cc-by-nc-4.0 |" in card and "| `zz` | int64 | – |" in card
    assert "recipes" not in card and "FineMed" not in card


def test_a_rephrased_card_says_of_its_rows_what_they_have(tmp_path, capsys):
    rows = {"text": ["Un."], "original_text": ["Deux."], "rewriting_config": [{"model": "o/m"}]}
    card = " ".join(pushed(tmp_path, capsys, rows).split())
    for claim in ("annotations of both", "public", "invented. Each", "ne décrivent aucun"):
        assert claim not in card.split("### Personal data")[0] + card.split("En français")[1], claim
    assert "Each row keeps its original and how it was rewritten (`rewriting_config`)." in card


def test_published_scores_stand_beside_as_a_reference():
    from doctobert_hf.hub.cards.results import published_rows
    from doctobert_hf.hub.cards.templates import template_environment

    tasks = ["morfitt", "mantra"]
    cell = {"mean": 70.0, "std": None, "seeds": 1}
    scores = {
        "tasks": tasks, "protocol": "doctobert", "procedure": "standard", "ranked": False,
        "rows": [{"model": "x", "ours": True, "cells": dict.fromkeys(tasks, cell)}],
        "metrics": dict.fromkeys(tasks, "F1"), "private": [],
        "published": published_rows(tasks, "doctobert", "standard"),
    }  # fmt: skip
    part = template_environment().get_template("parts/drbenchmark.md")
    text = part.render(scores=scores, name="x", record={})
    assert "| BERT | DoctoBERT-fr | 73.36 |" in text
    assert "| ModernBERT | DoctoModernBERT-fr | 71.87 |" in text and "As a reference" in text
    table = text.split("| family | model |")[1].splitlines()
    assert len({line.count("|") for line in table[1:] if line.startswith("|")}) == 1
    other = part.render(scores=scores | {"published": []}, name="x", record={})
    assert "As a reference" not in other


def test_a_plain_dataset_does_not_say_who_wrote_it(tmp_path):
    pq.write_table(pa.table({"text": ["Un texte."] * 3}), tmp_path / "notes.parquet")
    plain = front_matter(render_path(tmp_path, "me/notes", FACTS).text)
    assert "language_creators" not in plain and plain["license"] == "mit"
