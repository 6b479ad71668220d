"""No text of a corpus leaves with a model: not in what other libraries and callbacks wrote."""

import json
import shutil

import pytest

from doctobert_hf.hub.cards.facts import CardFacts
from doctobert_hf.hub.publish.push import Target, push_model

PATIENT = "Jeanne Dupont-Martin, 2 85 05 78 006 084 36"
FACTS = CardFacts(license="mit")


@pytest.fixture
def leaks(tmp_path):
    """Stages a model, and returns the files in which the patient is."""

    def run(folder):
        target = Target("me/x", dry_run=tmp_path / "out", overwrite=True)
        report = push_model(folder, target, FACTS)
        files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
        assert files and PATIENT not in " ".join(report.warnings)
        return [str(path) for path in files if PATIENT.encode() in path.read_bytes()]

    return run


def amend(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values, ensure_ascii=False))


@pytest.fixture
def run(run_dir, tmp_path):
    return shutil.copytree(run_dir, tmp_path / "run")


@pytest.mark.long
def test_what_a_callback_logged_leaves_without_its_texts(run, leaks, tmp_path):
    row = {"step": 8, "sample": PATIENT, "scores": [0.5], "best": {"text": PATIENT, "loss": 1.5}}
    with (run / "metrics.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(row, ensure_ascii=False) + "\n")
    assert leaks(run) == []
    last = (tmp_path / "out" / "training" / "metrics.jsonl").read_text().splitlines()[-1]
    assert json.loads(last) == {"step": 8, "scores": [0.5], "best": {"loss": 1.5}}


@pytest.mark.long
def test_sentences_that_others_ask_a_model_are_in_no_card(run, leaks, tmp_path):
    line = json.loads((run / "fill_mask.jsonl").read_text().splitlines()[-1])
    line["answers"][f"{PATIENT} souffre de [MASK]."] = ["diabète"]
    (run / "fill_mask.jsonl").write_text(json.dumps(line, ensure_ascii=False) + "\n")
    assert leaks(run) == []
    assert "Une fracture du [MASK]" in (tmp_path / "out" / "README.md").read_text()
    results = {"fill_mask": [{"sentence": PATIENT, "answers": ["oui"]}], "held_out": {}}
    amend(run / "run.json", results=results)
    assert leaks(run) == []


@pytest.mark.long
@pytest.mark.parametrize(
    "name", ["1_Pooling/notes.txt", "1_Pooling/pairs.json", "sentence_pairs_config.json"]
)
def test_files_beside_the_modules_of_a_retriever_stay(name, model_dir, leaks, tmp_path):
    folder = shutil.copytree(model_dir, tmp_path / "retriever")
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {
            "idx": 1,
            "name": "1",
            "path": "1_Pooling",
            "type": "sentence_transformers.models.Pooling",
        },
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 64}')
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"word_embedding_dimension": 64}')
    (folder / name).write_text(json.dumps({"text": PATIENT}, ensure_ascii=False))
    assert leaks(folder) == []
    for kept in ("1_Pooling/config.json", "sentence_bert_config.json"):
        assert (tmp_path / "out" / kept).is_file()
    report = push_model(folder, Target("me/x", dry_run=tmp_path / "told"), FACTS)
    assert any(name in warning for warning in report.warnings)


@pytest.mark.long
def test_a_fine_tuned_models_record_leaves_with_what_it_is_known_for(model_dir, leaks, tmp_path):
    folder = shutil.copytree(model_dir, tmp_path / "tuned")
    record = {"format": 1, "task": "t", "labels": [], "result": {}, "examples": [PATIENT]}
    (folder / "doctobert_task.json").write_text(json.dumps(record, ensure_ascii=False))
    assert leaks(folder) == []
    assert "task" in json.loads((tmp_path / "out" / "doctobert_task.json").read_text())


@pytest.mark.long
@pytest.mark.parametrize(
    "corpus", ["s3://prive/zq9chu/notes.parquet", "/ccc/x/zq9chu/notes.parquet"]
)
def test_where_a_corpus_lay_is_in_no_card(corpus, run, tmp_path):
    config = (run / "resolved_config.yaml").read_text().splitlines()
    lines = [f"corpus: {corpus}" if line.startswith("corpus:") else line for line in config]
    (run / "resolved_config.yaml").write_text("\n".join(lines))
    push_model(run, Target("me/x", dry_run=tmp_path / "out"), FACTS)
    assert "`notes.parquet`" in (tmp_path / "out" / "README.md").read_text()
    for path in (tmp_path / "out").rglob("*"):
        assert not path.is_file() or b"zq9chu" not in path.read_bytes(), path
