"""Nested, crossing and discontinuous annotations: trained, scored, predicted, and accounted for."""

import json

import pytest
import torch

from doctobert_hf.drbenchmark.families import Item, family_of
from doctobert_hf.drbenchmark.families.nested import layer_types
from doctobert_hf.drbenchmark.families.token import entities_of
from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig
from doctobert_hf.drbenchmark.finetuning.encoding import ExampleEncoder
from doctobert_hf.drbenchmark.finetuning.finetune import finetune
from doctobert_hf.drbenchmark.finetuning.private import (
    annotation_accounts,
    list_private_tasks,
    read_corpus,
)
from doctobert_hf.drbenchmark.formats import Predicted, brat_annotations, conll, page
from doctobert_hf.drbenchmark.predictor import Predictor
from doctobert_hf.drbenchmark.readers.folder import split_documents
from doctobert_hf.drbenchmark.tasks import get_task, list_tasks
from doctobert_hf.errors import UsageError
from doctobert_hf.statistics import document_interval

TEXT = "Cancer du foie gauche. Fracture nette du bras droit. Pas de fièvre."


@pytest.fixture(autouse=True)
def fresh():
    split_documents.cache_clear()


def brat(number):
    """Nested across types, nested in its own type, in fragments, and on an event."""
    return (
        "T1\tDISO 0 14\tCancer du foie\n"
        "T2\tANAT 10 14\tfoie\n"
        "T3\tANAT 10 21\tfoie gauche\n"  # the longer of its type is kept
        "T4\tDISO 23 31;41 45\tFracture bras\n"
        "T5\tDISO 60 66\tfièvre\n"
        "E1\tDISO:T5\n"
        "A1\tnegation E1\n"
        "A2\tnothing R9\n"
        "R1\tof Arg1:T1 Arg2:T3\n"
    )


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(20):
        (folder / f"n{number:02}.txt").write_text(TEXT, encoding="utf-8")
        (folder / f"n{number:02}.ann").write_text(brat(number), encoding="utf-8")
    return str(folder)


def test_a_corpus_that_nests_has_a_layer_for_each_type(notes, caplog):
    tasks = {task.name: task for task in list_private_tasks(notes, extra=True)}
    assert set(tasks) == {"notes_entities", "notes_flat", "notes_negation"}
    task = tasks["notes_entities"]
    assert task.kind == "nested-token-classification" and layer_types(task) == ["ANAT", "DISO"]
    assert task.max_gap == 2  # "nette du"
    assert tasks["notes_flat"].kind == tasks["notes_negation"].kind == "token-classification"
    assert "notes_flat" not in {task.name for task in list_private_tasks(notes)}
    _, rows = read_corpus(notes, "notes_entities")
    words = rows["train"][0]["tokens"]
    anat, diso = rows["train"][0]["ner_tags"]
    assert [w for w, tag in zip(words, anat, strict=True) if tag] == ["foie", "gauche"]
    assert [w for w, tag in zip(words, diso, strict=True) if tag] == [
        *("Cancer", "du", "foie", "Fracture", "bras", "fièvre")
    ]
    assert "attribute of no text-bound annotation or event not read" in caplog.text


def test_what_is_lost_is_counted_by_type_and_reason(notes):
    assert annotation_accounts(notes, "notes_entities") == {
        "ANAT": {"kept": 20, "nested in or crossing another of its type": 20},
        "DISO": {"kept": 40, "kept as fragments": 20},
    }
    flat = annotation_accounts(notes, "notes_flat")
    assert flat["ANAT"] == {"nested in or crossing another": 40}
    # An attribute of an event belongs to the word that triggers it.
    assert annotation_accounts(notes, "notes_negation") == {"negation": {"kept": 20}}


def test_perfect_outputs_give_the_entities_back(notes, tokenizer):
    task, rows = read_corpus(notes, "notes_entities")
    family = family_of(task)
    encoder = ExampleEncoder(task, tokenizer, 32)
    items = encoder(rows["test"])
    assert any(len(item.inputs) > 1 for item in items)
    batch = family.collate(task, tokenizer, items)
    labels = batch["labels"]
    logits = torch.nn.functional.one_hot(labels.clamp(min=0), 3).float() * 9
    outputs = family.outputs(task, logits.flatten(-2), batch["owner"])
    assert float(family.loss(task, outputs, labels)) < 1e-2
    predictions = family.decode(task, items, outputs)
    references = [family.reference(task, row) for row in rows["test"]]
    assert predictions == references
    scores = family.score_test(task, predictions, references, items, False)
    assert scores["f1"] == scores["partial"]["f1"] == 1.0
    assert scores["per_type"]["DISO"]["support"] == 4 * len(items)  # fragments count each
    counts = family.counts(task, predictions, references, [r["id"] for r in rows["test"]])
    assert document_interval([counts]).value == 1.0
    assert len(counts.ids) == len(items)
    scored = family.decode_scored(task, items, outputs)
    spans = [
        (start, start + len(word))
        for start, word in zip(rows["test"][0]["starts"], rows["test"][0]["tokens"], strict=True)
    ]
    found = family.entities(task, TEXT, spans, scored[0])
    assert [(e["type"], e["text"]) for e in found] == [
        ("DISO", "Cancer du foie"),
        ("ANAT", "foie gauche"),
        ("DISO", "Fracture nette du bras"),
        ("DISO", "fièvre"),
    ]
    assert found[2]["fragments"] == [[23, 31], [41, 45]] and "fragments" not in found[0]
    lines = brat_annotations(Predicted("n", TEXT, found))
    assert "DISO 23 31;41 45\tFracture bras\n" in lines


def test_stock_trainer_arrays_give_the_same_score(notes, tokenizer):
    from types import SimpleNamespace

    from doctobert_hf.drbenchmark.scoring import compute_metrics

    task, rows = read_corpus(notes, "notes_entities")
    family = family_of(task)
    items = ExampleEncoder(task, tokenizer, 64)(rows["test"])
    labels = family.collate(task, tokenizer, items)["labels"]
    logits = torch.nn.functional.one_hot(labels.clamp(min=0), 3).flatten(-2)
    output = SimpleNamespace(predictions=logits.numpy(), label_ids=labels.numpy())
    assert compute_metrics(task)(output)["f1"] == 1.0


def test_fragments_are_joined_no_farther_than_the_corpus_does():
    spans = [(0, 1), (2, 3), (4, 5), (6, 7)]
    tags, scores = ["B-X", "O", "O", "I-X"], [1.0] * 4
    assert len(entities_of("a b c d", spans, tags, scores)) == 2
    assert len(entities_of("a b c d", spans, tags, scores, max_gap=1)) == 2
    (joined,) = entities_of("a b c d", spans, tags, scores, max_gap=2)
    assert joined["fragments"] == [[0, 1], [6, 7]] and joined["text"] == "a b c d"


def test_left_padding_and_words_that_share_a_token(tokenizer):
    task = get_task("quaero_emea_nested")
    family = family_of(task)
    width = len(layer_types(task))
    items = [Item([{"input_ids": [1, 2, 3]}], [[[0] * width] * 3], [(0, 0), (0, 0), (0, 2)])]
    assert family.targets(items, 5, left=True)[0, :2].eq(-100).all()
    outputs = torch.zeros(1, 3, width, 3)
    outputs[0, 0, 1, 1] = 5.0  # one token begins an entity of the second type, for two words
    (layers,) = family.decode(task, items, outputs)
    name = layer_types(task)[1]
    assert layers[1] == [f"B-{name}", f"I-{name}", "O"]


def test_the_benchmarks_own_list_is_as_it_was():
    names = [task.name for task in list_tasks()]
    assert len(names) == 27 and not [name for name in names if "nested" in name]
    assert get_task("quaero_medline_nested").extra


def test_a_page_shows_marks_in_marks_and_conll_refuses():
    found = [
        {"start": 0, "end": 14, "type": "DISO", "text": "", "score": 0.9},
        {"start": 10, "end": 21, "type": "ANAT", "text": "", "score": 0.8},
    ]
    document = Predicted("n", TEXT, found)
    made = page([document], ["DISO", "ANAT"], "m")
    body = made[made.index("<div") : made.index("</div>")]
    assert body.count("<mark") == body.count("</mark>") == 3  # the crossing one is in two parts
    assert body.count("<small>DISO") == body.count("<small>ANAT") == 1
    with pytest.raises(UsageError, match="overlap"):
        conll(document)


@pytest.mark.long
def test_nested_models_are_trained_kept_and_used(notes, make_encoder, tmp_path):
    encoder = make_encoder()
    (tmp_path / "space.yaml").write_text("untuned: {learning_rate: 1.0e-2, epochs: 20}\n")
    config = BenchmarkConfig(
        corpus=notes, protocol="strict", trials=0, seeds=(42,), max_length=64,
        space=str(tmp_path / "space.yaml"),
    )  # fmt: skip
    result = finetune(encoder.source, tmp_path / "out", None, config)
    assert result["task"] == "notes_entities" and result["score"] > 0.9
    assert result["annotations"]["ANAT"]["nested in or crossing another of its type"] == 20
    predictor = Predictor.from_pretrained(tmp_path / "out")
    [found] = predictor([TEXT])
    kinds = {(e["type"], e["text"]) for e in found}
    assert {("DISO", "Cancer du foie"), ("ANAT", "foie gauche")} <= kinds
    card = (tmp_path / "out" / "model" / "README.md").read_text()
    assert "| ANAT | 40 | 20 | 20 | 20 nested in or crossing another of its type |" in card
    row = json.loads(
        next((tmp_path / "out").rglob("*.predictions.jsonl")).read_text().split("\n")[0]
    )
    assert len(row["prediction"]) == 2 and len(row["prediction"][0]) == len(row["tokens"])


def test_quaero_nested_holds_all_but_what_nests_in_its_own_type(data_dir):
    from datasets import load_dataset

    data = load_dataset("doctobert_hf/drbenchmark", "quaero_medline_nested", data_dir=data_dir)
    flat = load_dataset("doctobert_hf/drbenchmark", "quaero_medline", data_dir=data_dir)
    begun = sum(tag == 1 for row in data["test"] for layer in row["ner_tags"] for tag in layer)
    names = flat["test"].features["ner_tags"].feature.names
    kept = sum(names[tag][0] == "B" for row in flat["test"] for tag in row["ner_tags"])
    assert begun > kept
