"""The quickstart: whole, stopped and resumed, and with wrong input."""

import json
import shutil
import signal
import subprocess
import sys
import time

import pytest
from transformers import AutoModelForMaskedLM, AutoTokenizer

from doctobert_hf.config import build_config
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.quickstart.config import QuickstartConfig
from doctobert_hf.quickstart.data import medical_shares, prepare_documents
from doctobert_hf.quickstart.report import gain_sentence
from doctobert_hf.quickstart.run import open_quickstart, run_quickstart
from doctobert_hf.quickstart.training import read_metrics

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


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    config = small(tmp_path_factory.mktemp("run") / "run")
    return config, go(config)


def test_everything_is_there(finished):
    config, records = finished
    folder = config.output
    assert not list(folder.rglob(".cache")), "nothing stays that nobody asked for"
    for name in ("report.md", "environment.json", "resolved_config.yaml", "cards/model/README.md"):
        assert (folder / name).is_file()
    assert (folder / "figures" / "results.png").stat().st_size > 10_000
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    model = AutoModelForMaskedLM.from_pretrained(folder / "model")
    batch = tokenizer("Le patient présente une [MASK].", return_tensors="pt")
    assert model(**batch).logits.shape[-1] == len(tokenizer) == 1200
    assert not model.config.sparse_prediction
    assert records["chunks"]["over_length"] == 0


def test_the_report_says_what_the_records_say(finished):
    config, records = finished
    report = (config.output / "report.md").read_text(encoding="utf-8")
    final = records["evaluation"]["held_out"]
    assert f"{100 * final['accuracy']:.1f} %" in report
    assert f"{final['unigram_perplexity']:,.1f}" in report
    assert "left out to stay within max_characters" in report
    assert report.count("[MASK]") == 11
    assert final == pytest.approx(records["phase2"]["held_out"])  # saved, loaded, the same


def test_a_real_task_is_shown(finished, tmp_path, monkeypatch):
    from pathlib import Path

    from doctobert_hf.quickstart.report import write_report
    from doctobert_hf.quickstart.task import task_record

    config, records = finished
    monkeypatch.delenv("DOCTOBERT_DATA_DIR", raising=False)
    assert task_record(None) == {"found": []}
    made_up = Path(__file__).parents[1] / "drbenchmark" / "data" / "made_up.zip"
    record = task_record(made_up)
    assert record["task"] == "quaero_emea" and len(record["found"]) == 27
    total = sum(counts["train"] for counts in record["types"].values())
    assert total == record["splits"]["train"]["entities"] > 0
    assert 0.0 <= record["baseline"]["f1"] <= 1.0
    both = record | {"benchmark": records["drbenchmark"]["benchmark"]}
    report = write_report(config, config.output, records | {"drbenchmark": both}).read_text()
    assert "## DrBenchmark: quaero_emea" in report
    assert f"**{100 * record['baseline']['f1']:.1f}** entity F1" in report
    write_report(config, config.output, records)


def test_the_benchmark_ends_in_a_report(finished):
    config, records = finished
    record = records["drbenchmark"]["benchmark"]
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
    final, means = records["evaluation"]["held_out"], records["drbenchmark"]["benchmark"]["means"]
    assert f"| this model | {100 * final['accuracy']:.1f} % |" in card
    assert f"| {means['quickstart']:.2f} ± " in card and "made up from the grammar" in card
    assert "| 0.004 |" in card and "| 0.002 |" in card  # each phase's own rate
    assert "no document in" in card and len(snippets(card)) == 4
    assert str(config.output) not in card and front_matter(card)["pipeline_tag"] == "fill-mask"
    assert made["model"]["eval_results"] is None  # the notes are no task of DrBenchmark
    tokenizer = (config.output / made["tokenizer"]["path"]).read_text(encoding="utf-8")
    assert f"{records['tokenizer']['fertility']:.3f}" in tokenizer and "no document in" in tokenizer
    again = render_path(config.output / "model", "OWNER/quickstart", CardFacts())
    assert again.text == card
    assert "cards/model/README.md" in (config.output / "report.md").read_text(encoding="utf-8")


def test_training_learns(finished):
    config, records = finished
    losses = [row["loss"] for row in read_metrics(config.output) if "loss" in row]
    held_out = [records["phase1"]["untrained"], records["phase2"]["held_out"]]
    assert losses and held_out[1]["perplexity"] < held_out[0]["perplexity"] * 0.8


def test_resume_of_a_finished_run_does_nothing_and_other_settings_are_refused(finished):
    config, records = finished
    before = (config.output / "state.json").stat().st_mtime_ns
    again = go(config, resume=True)
    assert again == records and (config.output / "state.json").stat().st_mtime_ns == before
    with pytest.raises(UsageError, match="begun with phase1_tokens 6000, not 6001"):
        open_quickstart(small(config.output, phase1_tokens=6001), overwrite=False, resume=True)


def test_search_is_made_up_for_once_the_extra_is_installed(finished, tmp_path):

    from doctobert_hf.quickstart.retrieval import missing_extra

    if missing_extra():
        pytest.skip(missing_extra())
    config, records = finished
    copy = small(tmp_path / "copy")
    shutil.copytree(config.output, copy.output)
    shutil.rmtree(copy.output / "retrieval")
    state = records | {"retrieval": {"not_run": "pip install 'doctobert-hf[retrieval]'"}}
    (copy.output / "state.json").write_text(json.dumps(state))
    again = go(copy, resume=True)
    assert again["retrieval"]["pairs"] == records["retrieval"]["pairs"]
    assert (
        "retrieval" in again["cards"]["parts"] and "BM25" in (copy.output / "report.md").read_text()
    )


def test_a_run_stopped_after_the_last_step_trains_no_further(finished, tmp_path):

    config, records = finished
    copy = small(tmp_path / "copy")
    shutil.copytree(config.output, copy.output)
    kept = ("corpus", "tokenizer", "chunks", "phase1")
    state = json.dumps({name: records[name] for name in kept})
    (copy.output / "state.json").write_text(state)
    again = go(copy, resume=True)
    for key in ("steps", "loss"):
        assert again["phase2"][key] == records["phase2"][key]
    assert again["evaluation"]["held_out"] == pytest.approx(records["evaluation"]["held_out"])


def test_a_phase_of_a_version_without_records_is_begun_again(finished, tmp_path):
    from doctobert_hf.quickstart.training import open_phase, phase_folder

    config, _ = finished
    copy = small(tmp_path / "copy")
    shutil.copytree(config.output, copy.output)
    phase = phase_folder(copy.output, "phase1")
    for name in ("run.json", "resolved_config.yaml"):
        (phase / name).unlink()
    with open_phase(copy, "phase1") as trainer:
        assert trainer.state.global_step == 0 and (phase / "run.json").is_file()
    assert not list(phase.glob("checkpoint-*"))


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


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, marks=pytest.mark.long),
        pytest.param(signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
def test_a_stopped_run_goes_on(number, tmp_path):
    options = {**SMALL, "phase1_tokens": 75_000, "save_tokens": 2500}
    command = [sys.executable, "-m", "doctobert_hf", "quickstart", "--output", "run"]
    for name, value in options.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    first = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
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
        assert "Go on with: doctobert-hf quickstart --resume --output run" in words
    # Settings come from the run itself.
    resume = [*command[:4], "--resume", "--output", "run", "--json"]
    second = subprocess.run(resume, cwd=tmp_path, capture_output=True, text=True)
    assert second.returncode == 0, second.stderr[-2000:]
    assert "[1/12] corpus: done before" in second.stderr
    records = json.loads(second.stdout)
    assert records == json.loads((tmp_path / "run" / "state.json").read_text())
    rows = [row for row in read_metrics(tmp_path / "run") if row["phase"] == "phase1"]
    steps = [row["step"] for row in rows if "loss" in row]
    assert records["phase1"]["tokens"] >= 75_000 and max(steps) == records["phase1"]["steps"]
    assert len(steps) == len(set(steps))


def test_documents_are_split_without_overlap(tmp_path):
    config = small(tmp_path)
    train, held_out, summary = prepare_documents(config)
    assert not set(train["text"]) & set(held_out["text"])
    assert len(train) + len(held_out) == summary.documents_used < summary.documents_read
    assert summary.characters_used <= config.max_characters
    assert summary.medical == sum(train["medical"]) > 0
    assert prepare_documents(config)[0].to_list() == train.to_list()


def test_a_corpus_without_domains_gets_its_medical_half(tmp_path):
    texts = ["Le patient a une insuffisance cardiaque chronique."] * 20
    texts += ["Le jardin est très beau quand vient le printemps."] * 20
    (tmp_path / "c.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in [*texts, ""]))
    train, _, summary = prepare_documents(small(tmp_path, corpus=tmp_path / "c.jsonl"))
    assert all(row["medical"] == ("patient" in row["text"]) for row in train)
    assert summary.documents_empty == 1
    most, least = medical_shares([texts[0], texts[-1]])
    assert most > 0.4 > least == 0


def test_small_and_empty_corpora(tmp_path):
    (tmp_path / "c.jsonl").write_text('{"text": "a"}\n{"text": " "}\n')
    with pytest.raises(DataError, match="at least 20"):
        prepare_documents(small(tmp_path, corpus=tmp_path / "c.jsonl"))
    (tmp_path / "c.jsonl").write_text("")
    with pytest.raises(DataError, match="no document"):
        prepare_documents(small(tmp_path, corpus=tmp_path / "c.jsonl"))
