"""The quickstart: whole, stopped and resumed, and with wrong input."""

import importlib.metadata
import json
import shutil
import signal
import subprocess
import sys
import time

import pytest
import warm
from transformers import AutoModelForMaskedLM, AutoTokenizer

from doctobert_hf.config import build_config
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.quickstart import run as running
from doctobert_hf.quickstart.config import QuickstartConfig
from doctobert_hf.quickstart.report import gain_sentence, read_losses, tables
from doctobert_hf.quickstart.run import (
    Quickstart,
    is_medical,
    missing_extra,
    open_quickstart,
    run_quickstart,
)

SMALL = {
    "vocab_size": 1200,
    "max_length": 64,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "batch_tokens": 512,
    "phase1_tokens": 6000,
    "phase2_tokens": 3000,
    "save_tokens": 2000,
    "max_characters": 250_000,
    "retrieval_steps": 10,
}


def small(folder, **options):
    return build_config(QuickstartConfig, SMALL, {"output": folder, **options})


def go(config, resume=False):
    return run_quickstart(config, open_quickstart(config, overwrite=False, resume=resume))


def write_state(config, records):
    state = {"stages": list(Quickstart.STAGES), **records}
    (config.output / "state.json").write_text(json.dumps(state))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    config = small(tmp_path_factory.mktemp("run") / "run")
    return config, go(config)


@pytest.mark.long
def test_everything_is_there(finished):
    config, records = finished
    folder = config.output
    assert not list(folder.rglob(".cache")), "nothing stays that nobody asked for"
    for name in ("report.md", "environment.json", "resolved_config.yaml", "cards/model/README.md"):
        assert (folder / name).is_file()
    assert (folder / "results.png").stat().st_size > 10_000
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    model = AutoModelForMaskedLM.from_pretrained(folder / "model")
    batch = tokenizer("Le patient présente une [MASK].", return_tensors="pt")
    assert model(**batch).logits.shape[-1] == len(tokenizer) == 1200
    assert not model.config.sparse_prediction
    assert records["stores"]["over_length"] == 0


@pytest.mark.long
def test_the_report_says_what_the_records_say(finished):
    config, records = finished
    report = (config.output / "report.md").read_text(encoding="utf-8")
    final = records["phase2"]["held_out"]
    assert f"| {100 * final['accuracy']:.1f} % | {final['perplexity']:,.1f} |" in report
    assert f"{records['stores']['unigram']['perplexity']:,.1f}" in report
    assert "Le patient est traité par [MASK]." in report
    made = {table.title: table for table in tables(records)}
    assert [row[0] for row in made["Masked tokens"].rows[:2]] == ["unigrams", "untrained"]
    if missing_extra() is None:
        (row,) = (row for row in made["Search"].rows if "after training" in row[0])
        after = records["retrieval"]["systems"][2]["scores"]["ndcg@10"]
        assert row[1] == f"{after:.3f}"


def test_what_is_measured_is_what_was_saved(finished):
    """The model that was saved, loaded as a user would, finds the held-out tokens as recorded."""
    from doctobert_hf.pretraining import MLMTrainer, MLMTrainingArguments, TokenStore

    config, records = finished
    store = TokenStore(config.output / "data" / "held_out_store")
    tokenizer = AutoTokenizer.from_pretrained(config.output / "model")
    model = AutoModelForMaskedLM.from_pretrained(config.output / "model")
    arguments = MLMTrainingArguments(
        str(config.output.parent / "again"), max_tokens=1, micro_batch_tokens=512, report_to="none"
    )
    again = MLMTrainer(model, arguments, store, tokenizer, store).evaluate()
    assert again["eval_accuracy"] == pytest.approx(records["phase2"]["held_out"]["accuracy"])


def test_the_benchmark_ends_in_a_report(finished):
    config, records = finished
    record = records["benchmark"]
    assert record["made_up"] and record["rows"] == {"train": 260, "validation": 80, "test": 120}
    assert {len(scores) for scores in record["scores"].values()} == {3}
    folder = config.output / "benchmark" / "report"
    for name in ("report.md", "report.html", "report.json", "report.csv", "report.tex"):
        assert (folder / name).is_file()
    report = (config.output / "report.md").read_text(encoding="utf-8")
    assert f"{record['means']['quickstart']:.1f}" in report
    assert gain_sentence(record) in report


def test_a_model_is_kept_and_used(finished):
    from doctobert_hf.drbenchmark import Predictor

    config, records = finished
    record = records["prediction"]
    assert record["documents"] == 6 and record["metric"] == "f1"
    page = (config.output / "annotated.html").read_text(encoding="utf-8")
    assert page.count("<h2>") == 6 and page.count("<mark") >= record["entities"]
    assert Predictor.from_pretrained(config.output / "ner")(["Rien."]) is not None


def test_the_cards_say_what_the_run_recorded(finished):
    from doctobert_hf.hub.cards.facts import CardFacts
    from doctobert_hf.hub.cards.render import front_matter, snippets
    from doctobert_hf.hub.publish.preview import render_path

    config, records = finished
    made = records["cards"]["parts"]
    card = (config.output / made["model"]["path"]).read_text(encoding="utf-8")
    # What is left is for people to say, or needs codecarbon.
    assert set(made["model"]["gaps"]) <= {"contact", "licence", "authors", "energy"}
    final, means = records["phase2"]["held_out"], records["benchmark"]["means"]
    assert f"| this model | {100 * final['accuracy']:.1f} % |" in card
    unigram = records["stores"]["unigram"]
    assert f"| unigram baseline | {100 * unigram['accuracy']:.1f} % |" in card
    assert f"| {means['quickstart']:.2f} ± " in card and "made up from the grammar" in card
    assert "| 0.004, " in card and "| 0.002, " in card  # each phase's own rate
    assert "no document in" in card and len(snippets(card)) == 4
    assert str(config.output) not in card and front_matter(card)["pipeline_tag"] == "fill-mask"
    tokenizer = (config.output / made["tokenizer"]["path"]).read_text(encoding="utf-8")
    assert f"{records['tokenizer']['fertility']:.3f}" in tokenizer and "no document in" in tokenizer
    again = render_path(config.output / "model", "OWNER/quickstart", CardFacts())
    assert again.text == card
    assert "cards/model/README.md" in (config.output / "report.md").read_text(encoding="utf-8")


def test_what_is_generated_is_on_record_by_its_content(finished):
    """A card says of these files alone that nobody in them is real."""
    from doctobert_hf.runs.record import read_record, sha256, weights_of

    folder = finished[0].output
    outputs = read_record(folder).outputs
    assert outputs["data/train.parquet"]["sha256"] == sha256(folder / "data" / "train.parquet")
    # Without the extra there is no retriever.
    there = "not_run" not in finished[1]["retrieval"]
    for name in ("model", *(["retrieval"] * there)):
        key = "retrieval/model" if name == "retrieval" else name
        assert outputs[key]["weights"] == weights_of(folder / key)
        card = (folder / "cards" / name / "README.md").read_text(encoding="utf-8")
        assert "no person in it is real" in card


def test_training_learns(finished):
    config, records = finished
    losses = [row["loss"] for row in read_losses(config.output)]
    held_out = [records["phase1"]["untrained"], records["phase2"]["held_out"]]
    assert losses and held_out[1]["perplexity"] < held_out[0]["perplexity"] * 0.8


def test_resume_of_a_finished_run_does_nothing_and_other_settings_are_refused(finished):
    config, records = finished
    before = (config.output / "state.json").stat().st_mtime_ns
    again = go(config, resume=True)
    assert again == records and (config.output / "state.json").stat().st_mtime_ns == before
    with pytest.raises(UsageError, match="started with phase1_tokens 6000, not 6001"):
        open_quickstart(small(config.output, phase1_tokens=6001), overwrite=False, resume=True)


@pytest.mark.long
def test_search_is_made_up_for_once_the_extra_is_installed(finished, tmp_path):
    if missing_extra():
        pytest.skip(missing_extra())
    config, records = finished
    copy = small(tmp_path / "copy")
    shutil.copytree(config.output, copy.output)
    shutil.rmtree(copy.output / "retrieval")
    lacking = {"not_run": "pip install 'doctobert-hf[retrieval]'", "lacks_extra": True}
    write_state(copy, records | {"retrieval": lacking})
    again = go(copy, resume=True)
    assert again["retrieval"]["questions"] == records["retrieval"]["questions"]
    assert (
        "retrieval" in again["cards"]["parts"] and "BM25" in (copy.output / "report.md").read_text()
    )


@pytest.mark.long
def test_a_run_stopped_after_the_last_step_trains_no_further(finished, tmp_path):

    config, records = finished
    copy = small(tmp_path / "copy")
    shutil.copytree(config.output, copy.output)
    kept = ("corpus", "annotation", "tokenizer", "stores", "phase1")
    write_state(copy, {name: records[name] for name in kept})
    again = go(copy, resume=True)
    for key in ("steps", "loss"):
        assert again["phase2"][key] == records["phase2"][key]
    assert again["phase2"]["held_out"] == pytest.approx(records["phase2"]["held_out"])


def test_a_run_of_another_version_is_refused(finished, tmp_path):
    config, records = finished
    copy = small(tmp_path / "copy")
    shutil.copytree(config.output, copy.output)
    (copy.output / "state.json").write_text(json.dumps({"corpus": records["corpus"]}))
    with pytest.raises(UsageError, match=r"another version.*--overwrite"):
        go(copy, resume=True)


def test_without_extras_the_run_goes_on(finished, monkeypatch):
    config, _ = finished
    found = running.importlib.util.find_spec
    monkeypatch.setattr(
        running.importlib.util, "find_spec", lambda n: None if n == "datatrove" else found(n)
    )

    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    with open_quickstart(config, overwrite=False, resume=True) as folder:
        stages = Quickstart(config, folder)
        monkeypatch.setattr(importlib.metadata, "version", absent)
        assert "doctobert-hf[finemed]" in stages.annotation()["not_run"]
        assert "doctobert-hf[retrieval]" in stages.retrieval()["not_run"]


def test_the_task_is_that_of_the_benchmark(finished, monkeypatch):
    """Data that comes or goes between two starts does not change what the model is tuned for."""
    from doctobert_hf.drbenchmark import check
    from doctobert_hf.quickstart.settings import benchmark_settings

    config, records = finished
    made_up = records["benchmark"]["made_up"]
    monkeypatch.setattr(check, "is_here", lambda task, place: True)
    assert benchmark_settings(config).corpus is None
    assert benchmark_settings(config, made_up).corpus == config.output / "data" / "notes"


def test_raw_data_that_is_named_and_not_there(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "QUAERO_FrenchMed_brat.zip").write_bytes(b"PK cut")
    with pytest.raises(UsageError, match=r"No readable files of quaero_medline.*benchmark check"):
        open_quickstart(small(tmp_path / "run", data_dir=tmp_path / "raw"), False, False)
    assert not (tmp_path / "run").exists()


def test_logs_that_a_kill_cut_off(finished, tmp_path):
    from doctobert_hf.quickstart.report import _read_lines

    (tmp_path / "log.jsonl").write_text('{"a": 1}\n{"a": 2{"a": 3}\n{"a": 4}\n{"a"')
    assert _read_lines(tmp_path / "log.jsonl") == [{"a": 1}, {"a": 4}]


def test_too_few_questions_are_told_once(finished, tmp_path, monkeypatch):
    if missing_extra():
        pytest.skip(missing_extra())
    config, _ = finished
    copy = small(tmp_path / "copy")
    shutil.copytree(config.output, copy.output)
    shutil.rmtree(copy.output / "retrieval")
    with open_quickstart(copy, overwrite=False, resume=True) as folder:
        stages = Quickstart(copy, folder)
        monkeypatch.setattr(stages, "_texts", lambda name: ["Rien."] * 3)
        record = stages.retrieval()
        assert "has no pairs" in record["not_run"]
        stages.records["retrieval"] = record
        write_state(copy, stages.records)
        assert "retrieval" in Quickstart(copy, folder).records  # not tried again


def test_the_corpus_is_annotated(finished):
    pytest.importorskip("datatrove")
    record = finished[1]["annotation"]
    assert 0 < record["medical"] < record["documents"]
    assert record["kept"]["all"]["documents"] == record["medical"]


def test_an_existing_folder(finished, tmp_path):
    config, _ = finished
    with pytest.raises(UsageError, match=r"--resume .* --overwrite"):
        open_quickstart(config, overwrite=False, resume=False)
    (tmp_path / "mine.txt").write_text("do not delete")
    with pytest.raises(UsageError, match="did not write"):
        open_quickstart(small(tmp_path), overwrite=True, resume=False)
    assert (tmp_path / "mine.txt").exists()
    with pytest.raises(UsageError, match="No run to resume"):
        open_quickstart(small(tmp_path), overwrite=False, resume=True)
    new = small(tmp_path / "new")
    open_quickstart(new, overwrite=False, resume=False).close()
    (new.output / "note.txt").write_text("mine")
    open_quickstart(new, overwrite=True, resume=False).close()
    assert not (new.output / "note.txt").exists()
    assert (tmp_path / "new.replaced" / "note.txt").read_text() == "mine"


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_run_goes_on(number, tmp_path):
    options = {**SMALL, "phase1_tokens": 75_000, "save_tokens": 2500}
    command = [sys.executable, "-m", "doctobert_hf", "quickstart", "--output", "run"]
    for name, value in options.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    first = warm.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    checkpoints = tmp_path / "run" / "pretraining" / "phase1"
    deadline = time.monotonic() + 100
    while not list(checkpoints.glob("checkpoint-*/trainer_state.json")):
        assert first.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    first.send_signal(number)
    _, words = first.communicate(timeout=60)
    assert first.returncode == (-9 if number == signal.SIGKILL else 130)
    assert not (tmp_path / "run" / "model").exists()
    if number != signal.SIGKILL:
        assert "Resume with: doctobert-hf quickstart --resume --output run" in words
    # Settings come from the run itself.
    resume = [*command[:4], "--resume", "--output", "run", "--json"]
    second = warm.run(resume, cwd=tmp_path, capture_output=True, text=True)
    assert second.returncode == 0, second.stderr[-2000:]
    assert "[1/11] corpus: done before" in second.stderr
    records = json.loads(second.stdout)
    state = json.loads((tmp_path / "run" / "state.json").read_text())
    assert {"stages": list(Quickstart.STAGES), **records} == state
    steps = [r["step"] for r in read_losses(tmp_path / "run") if r["phase"] == "phase1"]
    assert records["phase1"]["tokens"] >= 75_000 and max(steps) == records["phase1"]["steps"]
    assert len(steps) == len(set(steps))


def drawn(config):
    """The first stage alone: its record and the texts of its parts."""
    with open_quickstart(config, overwrite=False, resume=False) as folder:
        stages = Quickstart(config, folder)
        record = stages.corpus()
        return record, *(stages._texts(name) for name in ("train", "held_out", "medical"))


@pytest.mark.long
def test_documents_are_split_without_overlap(tmp_path):
    record, train, held_out, medical = drawn(small(tmp_path / "a"))
    assert not set(train) & set(held_out) and set(medical) < set(train)
    assert len(train) + len(held_out) == record["documents_used"] < record["documents_read"]
    assert record["characters_used"] <= SMALL["max_characters"]
    assert record["medical"] == len(medical) > 0
    assert drawn(small(tmp_path / "b"))[1] == train


def test_phase_2_has_the_medical_documents(tmp_path):
    texts = ["Le patient a une insuffisance cardiaque chronique."] * 20
    other = ["Le jardin est très beau quand vient le printemps."] * 20
    rows = [{"text": text} for text in [*texts, *other, ""]]
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    record, train, _, medical = drawn(small(tmp_path / "run", corpus=tmp_path / "c.jsonl"))
    assert medical == [text for text in train if "patient" in text]
    assert record["documents_empty"] == 1
    assert is_medical(texts[0]) and not is_medical(other[0])
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[20:]))
    record, train, _, medical = drawn(small(tmp_path / "none", corpus=tmp_path / "c.jsonl"))
    assert medical == train and record["medical"] == 0 and "none is about" in record["medical_rule"]


def test_small_and_empty_corpora(tmp_path):
    for text in ('{"text": "a"}\n{"text": " "}\n', ""):
        (tmp_path / "c.jsonl").write_text(text)
        with pytest.raises(DataError, match="at least 20"):
            drawn(small(tmp_path / f"run{len(text)}", corpus=tmp_path / "c.jsonl"))
