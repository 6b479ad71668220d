"""A private corpus in BRAT and in JSON lines, with qualifiers."""

import json

import pytest

from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig
from doctobert_hf.drbenchmark.finetuning.private import list_private_tasks, read_corpus
from doctobert_hf.drbenchmark.finetuning.runner import Benchmark
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.metrics import partial_entity_f1

SENTENCES = (
    ("Pas de fièvre.", ("fièvre", "symptom", {"negation": True})),
    ("Il prend du paracétamol.", ("paracétamol", "drug", {})),
    ("Sa mère avait une toux sèche.", ("toux sèche", "symptom", {"experiencer": "family"})),
)


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(20):
        text, ann = "", ""
        for index, (sentence, (surface, label, qualifiers)) in enumerate(SENTENCES):
            at = len(text) + sentence.index(surface)
            ann += f"T{index}\t{label} {at} {at + len(surface)}\t{surface}\n"
            for name, value in qualifiers.items():
                more = "" if value is True else f" {value}"
                ann += f"A{index}\t{name} T{index}{more}\n"
            text += sentence + "\n"
        (folder / f"note{number:02}.txt").write_text(text, encoding="utf-8")
        (folder / f"note{number:02}.ann").write_text(ann, encoding="utf-8")
    return folder


def test_entities_and_qualifiers_are_tasks(notes):
    tasks = {task.name: task for task in list_private_tasks(str(notes))}
    assert set(tasks) == {"notes_entities", "notes_experiencer", "notes_negation"}
    assert tasks["notes_entities"].labels == ("O", "B-drug", "I-drug", "B-symptom", "I-symptom")
    assert tasks["notes_experiencer"].labels == ("O", "B-family", "I-family")
    _task, rows = read_corpus(str(notes), "notes_entities")
    assert {name: len(split) for name, split in rows.items()} == {
        "train": 14, "validation": 2, "test": 4
    }  # fmt: skip
    row = rows["train"][0]
    found = [w for w, t in zip(row["tokens"], row["ner_tags"], strict=True) if t]
    assert found == ["fièvre", "paracétamol", "toux", "sèche"]
    assert all(row["text"][s : s + len(w)] == w for w, s in zip(row["tokens"], row["starts"]))
    _, negated = read_corpus(str(notes), "notes_negation")
    row = negated["train"][0]
    assert [w for w, t in zip(row["tokens"], row["ner_tags"]) if t] == ["fièvre"]


def test_json_lines_with_folders_give_the_same(notes, tmp_path):
    folder = tmp_path / "json" / "notes"
    _, rows = read_corpus(str(notes), "notes_entities")
    for name, split in (("train", "train"), ("dev", "validation"), ("test", "test")):
        (folder / name).mkdir(parents=True)
        with open(folder / name / "d.jsonl", "w") as file:
            for row in rows[split]:
                entities = []
                for _, (surface, label, qualifiers) in SENTENCES:
                    start = row["text"].index(surface)
                    end = start + len(surface)
                    entity = {"start": start, "end": end, "label": label, "qualifiers": qualifiers}
                    entities.append(entity)
                line = {"id": row["id"], "text": row["text"], "entities": entities}
                file.write(json.dumps(line) + "\n")
    _, same = read_corpus(str(folder), "notes_entities")
    assert same == {k: sorted(v, key=lambda r: rows[k].index(r)) for k, v in same.items()}
    assert {k: sorted(r["id"] for r in v) for k, v in same.items()} == {
        k: sorted(r["id"] for r in v) for k, v in rows.items()
    }


def test_wrong_files(notes, tmp_path):
    with pytest.raises(UsageError, match="No task 'x'"):
        read_corpus(str(notes), "x")
    bad = tmp_path / "bad"
    bad.mkdir()
    with pytest.raises(UsageError, match="No annotated document"):
        list_private_tasks(str(bad))
    line = {"id": "1", "text": "abc", "entities": [{"start": 2, "end": 9, "label": "x"}]}
    (tmp_path / "bad2").mkdir()
    (tmp_path / "bad2" / "d.jsonl").write_text(json.dumps(line))
    with pytest.raises(DataError, match=r"d\.jsonl, line 1.*goes from 2 to 9 of 3"):
        list_private_tasks(str(tmp_path / "bad2"))


@pytest.mark.long
def test_the_same_machine_learns_it(notes, make_encoder, tmp_path):
    (tmp_path / "space.yaml").write_text("untuned: {learning_rate: 1.0e-2, epochs: 12}\n")
    config = BenchmarkConfig(
        corpus=notes,
        protocol="strict",
        trials=0,
        seeds=(42,),
        output=tmp_path / "out",
        space=str(tmp_path / "space.yaml"),
        max_length=64,
    )
    outcome = Benchmark(make_encoder(), config, lambda line: None).run()
    assert not outcome.failed, outcome.failed
    scores = {result.cell.task: result.scores for result in outcome.done}
    assert scores["notes_entities"]["f1"] > 0.9  # the same sentences in every note
    assert set(scores["notes_entities"]["partial"]) == {"precision", "recall", "f1", "support"}
    assert scores["notes_entities"]["strict"]["f1"] <= scores["notes_entities"]["partial"]["f1"]


def test_partial_f1():
    gold = [["B-a", "I-a", "O", "B-b", "O", "B-a"]]
    assert partial_entity_f1(gold, gold)["f1"] == 1.0
    found = partial_entity_f1([["B-a", "O", "O", "B-a", "O", "B-a"]], gold)
    # One exact, one with a wrong end, one of the wrong type: 1.5 of 3 and 3.
    assert found["precision"] == found["recall"] == pytest.approx(0.5)
    assert found["per_type"]["a"]["recall"] == pytest.approx(0.75)
    assert partial_entity_f1([["O"]], [["O"]])["f1"] == 0.0
