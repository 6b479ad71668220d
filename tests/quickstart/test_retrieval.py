"""The retrieval stage: its questions, its figures, and an environment that lacks the extra."""

import importlib.metadata
import json

import pytest

from doctobert_hf.chunking import HierarchicalChunker
from doctobert_hf.corpus.sample import sample_documents
from doctobert_hf.quickstart.config import QuickstartConfig
from doctobert_hf.quickstart.report import _retrieval_section
from doctobert_hf.quickstart.retrieval import missing_extra, retrieval_record, write_pairs

LEAFLET = """# {name}

## Indications

{name} se prend en cas de fièvre, de douleur ou de toux qui dure plus de deux jours.

## Conservation

À conserver dans son emballage, à l'abri de la lumière et de l'humidité, hors de portée.
"""


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_sections_are_asked_for_by_title_and_heading(tokenizer, tmp_path):
    texts = [LEAFLET.format(name=f"Produit {n}") for n in range(20)]
    texts += ["Avis\n\nLe service est fermé pour travaux jusqu'à la fin du mois de juin."] * 2
    counts = write_pairs(tmp_path / "pairs.jsonl", texts, HierarchicalChunker(tokenizer, 64))
    pairs = read(tmp_path / "pairs.jsonl")
    assert counts == {"pairs": {"train": 32, "validation": 4, "test": 4}, "shared": 2, "cut": 0}
    assert pairs[0]["query"] == "Produit 0 – Indications" and pairs[0]["split"] == "test"
    assert pairs[0]["positive"].startswith("Produit 0 se prend")
    splits: dict = {}
    for pair in pairs:  # both questions of a document are in one part
        splits.setdefault(pair["query"].partition(" – ")[0], set()).add(pair["split"])
    assert all(len(found) == 1 for found in splits.values())


def test_a_long_passage_is_its_first_chunk(tokenizer, tmp_path):
    words = "Le malade va mieux depuis hier soir et rentre chez lui demain. " * 20
    counts = write_pairs(
        tmp_path / "pairs.jsonl", [f"Suite {n}\n{words}" for n in range(20)],
        HierarchicalChunker(tokenizer, 32),
    )  # fmt: skip
    assert counts["cut"] == 20
    positives = [pair["positive"] for pair in read(tmp_path / "pairs.jsonl")]
    assert all(words.startswith(text) for text in positives)
    assert max(len(ids) for ids in tokenizer(positives)["input_ids"]) <= 32


@pytest.fixture(scope="module")
def model_folder(tokenizer, tmp_path_factory):
    from transformers import AutoModelForMaskedLM

    from doctobert_hf.models import preset_config

    folder = tmp_path_factory.mktemp("run")
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
    config = preset_config("doctomodernbert-tiny", tokenizer, num_hidden_layers=1, **sizes)
    AutoModelForMaskedLM.from_config(config).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    return folder


def test_the_model_becomes_a_retriever(model_folder):
    if missing_extra():
        pytest.skip(missing_extra())
    from doctobert_hf.hub.cards.facts import CardFacts
    from doctobert_hf.hub.publish.preview import render_path
    from doctobert_hf.retrieval.models import open_model

    texts = [document.text for document in sample_documents(250)]
    config = QuickstartConfig(output=model_folder)
    for _ in range(2):  # again, as after a stop in the middle
        record = retrieval_record(config, model_folder, texts)
    bm25, before, after = (row["scores"]["ndcg@10"] for row in record["systems"])
    assert bm25 > 0 and after > before
    assert len(read(model_folder / "data" / "pairs.jsonl")) == sum(record["pairs"].values())
    results = json.loads((model_folder / "retrieval" / "results.json").read_text())
    assert [row["scores"]["ndcg@10"] for row in results] == [bm25, before, after]
    model = open_model(str(model_folder / "retrieval" / "model"))
    assert model.encode(["fièvre"]).shape == (1, 32)
    section = _retrieval_section(record)
    assert f"{100 * after:.1f}" in section and "BM25" in section
    card = render_path(model_folder / "retrieval", "me/it", CardFacts(license="mit", contact="a"))
    assert f"| after training | dense | {100 * after:.1f} % |" in card.text
    assert "Masked language modelling" not in card.text
    assert set(card.gaps) <= {"energy", "authors"}


def test_too_few_questions_are_told(model_folder):
    if missing_extra():
        pytest.skip(missing_extra())
    record = retrieval_record(QuickstartConfig(), model_folder, [LEAFLET.format(name="Un")] * 3)
    assert "at least 20 questions" in record["not_run"] and "gives 0, and 6" in record["not_run"]


def test_without_the_extra_the_run_goes_on(model_folder, monkeypatch):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    record = retrieval_record(QuickstartConfig(), model_folder, [])
    assert "pip install 'doctobert-hf[retrieval]'" in record["not_run"]
    assert "Not run: " in _retrieval_section(record)
