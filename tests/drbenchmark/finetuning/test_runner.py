"""A benchmark run: every family, stopped and resumed, broken cells and files, both procedures."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
import warm

from doctobert_hf.drbenchmark.finetuning import tuning, workbench
from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig
from doctobert_hf.drbenchmark.finetuning.hyperparameters import read_spaces
from doctobert_hf.drbenchmark.finetuning.runner import Benchmark
from doctobert_hf.drbenchmark.readers.folder import split_documents
from doctobert_hf.drbenchmark.results import read_failures, read_result, read_results
from doctobert_hf.drbenchmark.scoring import score_predictions
from doctobert_hf.drbenchmark.tasks import get_task, list_tasks
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.recipes import find_recipe

SPACE = """
defaults:
  learning_rate: {low: 1.0e-3, high: 1.0e-2, log: true}
  dropout: {choices: [0.0, 0.1]}
  epochs: {choices: [1, 2]}
  batch_size: 16
  grace: 1
untuned: {learning_rate: 5.0e-3, epochs: 2}
"""
FAMILIES = ("quaero_medline", "morfitt", "diamed", "deft2020_sts", "frenchmedmcqa_mcqa",
            "deft2020_cls")  # fmt: skip


@pytest.fixture
def config(made_up, tmp_path):
    (tmp_path / "space.yaml").write_text(SPACE)
    return BenchmarkConfig(
        tasks=("quaero_medline",),
        trials=2,
        seeds=(42, 43),
        output=tmp_path / "results",
        data_dir=made_up,
        space=str(tmp_path / "space.yaml"),
        max_length=64,
    )


def benchmark(make_encoder, config, **changes):
    return Benchmark(make_encoder(), replace(config, **changes), lambda line: None)


@pytest.mark.long
def test_every_family_runs_and_says_what_it_did(make_encoder, config):
    outcome = benchmark(make_encoder, config, tasks=FAMILIES, seeds=(42,)).run()
    assert not outcome.failed
    results = {result.cell.task: result for result in read_results(config.output)}
    assert set(results) == set(FAMILIES)
    for name, result in results.items():
        task = get_task(name)
        assert result.metric == task.metric_key and 0.0 <= result.score <= 1.0
        assert result.score == result.scores[result.metric]
        assert result.tuning["trials"] == 2 and result.hyperparameters == {
            **result.tuning["winner"],
            "evaluations": 10,
            "tokens_at_once": 32_768 if torch.accelerator.is_available() else 2_048,
        }
        path = result.cell.path(config.output).parent / result.predictions
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert len(rows) == result.data["rows"]["test"]
        again = score_predictions(
            task, [r["prediction"] for r in rows], [r["reference"] for r in rows]
        )
        assert again[task.metric_key] == pytest.approx(result.score)


@pytest.mark.long
@pytest.mark.versions
def test_a_run_is_not_done_twice_and_goes_on_where_it_was(make_encoder, config, monkeypatch):
    first = benchmark(make_encoder, config).run()
    calls = []
    real = workbench.Workbench.fine_tune
    monkeypatch.setattr(
        workbench.Workbench, "fine_tune", lambda *a, **k: calls.append(a[2]) or real(*a, **k)
    )
    again = benchmark(make_encoder, config).run()
    assert not calls and [r.score for r in again.done] == [r.score for r in first.done]
    # One cell is damaged: nothing else is done again.
    path = first.done[1].cell.path(config.output)
    path.write_text(path.read_text()[:200])
    with pytest.raises(DataError, match="only this cell is computed anew"):
        read_result(path)
    third = benchmark(make_encoder, config).run()
    assert calls == [43]
    assert path.with_suffix(".damaged").is_file() and len(third.done) == 2


@pytest.mark.long
def test_the_same_run_gives_the_same_scores(make_encoder, config, tmp_path):
    scores = []
    for name in ("a", "b"):
        workbench.workbench.cache_clear()
        outcome = benchmark(make_encoder, config, output=tmp_path / name, seeds=(42,)).run()
        scores.append((outcome.done[0].score, outcome.done[0].hyperparameters))
    assert scores[0] == scores[1]


@pytest.mark.long
@pytest.mark.versions
def test_a_cell_that_fails_is_recorded_and_the_rest_goes_on(make_encoder, config, monkeypatch):
    real = workbench.Workbench.fine_tune

    def breaking(self, parameters, seed, *args, **kwargs):
        if seed == 42:
            raise RuntimeError("out of memory, say")
        return real(self, parameters, seed, *args, **kwargs)

    monkeypatch.setattr(workbench.Workbench, "fine_tune", breaking)
    outcome = benchmark(make_encoder, config, trials=0).run()
    assert [r.cell.seed for r in outcome.done] == [43]
    assert outcome.failed[0]["seed"] == 42
    (record,) = read_failures(config.output)
    assert "out of memory, say" in record["error"] and "RuntimeError" in record["traceback"]
    monkeypatch.undo()
    assert len(benchmark(make_encoder, config, trials=0).run().done) == 2
    assert not read_failures(config.output)


@pytest.mark.long
@pytest.mark.versions
def test_a_task_without_data_fails_alone(make_encoder, config, data_folder_of_one):
    outcome = benchmark(
        make_encoder, config, tasks=("clister", "morfitt"), trials=0, data_dir=data_folder_of_one
    ).run()
    assert {r.cell.task for r in outcome.done} == {"morfitt"}, outcome.failed
    assert outcome.failed[0]["task"] == "clister" and "clister" in outcome.failed[0]["error"]


@pytest.fixture
def data_folder_of_one(made_up, tmp_path):
    import zipfile

    with zipfile.ZipFile(made_up) as archive:
        names = [name for name in archive.namelist() if "morfitt" in name.lower()]
        archive.extractall(tmp_path / "one", names)
    return tmp_path / "one"


@pytest.mark.long
@pytest.mark.versions
def test_a_full_disk_ends_the_run_and_keeps_what_is_done(make_encoder, config, monkeypatch):
    import errno

    from doctobert_hf import files
    from doctobert_hf.errors import OutputError

    real = os.replace

    def full(source, target):
        if str(target).endswith("seed-43.json"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(source, target)

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(OutputError, match="Free some space"):
        benchmark(make_encoder, config, trials=0).run()
    assert [result.cell.seed for result in read_results(config.output)] == [42]
    assert not read_failures(config.output)


def test_rows_without_a_label_are_told(make_encoder, config, monkeypatch):
    real = workbench._load

    def without(context):
        task, rows = real(context)
        rows["test"][3]["ner_tags"] = None
        return task, rows

    monkeypatch.setattr(workbench, "_load", without)
    workbench.workbench.cache_clear()
    outcome = benchmark(make_encoder, config, trials=0).run()
    assert "1 of 22 rows of test have no ner_tags" in outcome.failed[0]["error"]


@pytest.mark.long
@pytest.mark.versions
def test_legacy_is_a_procedure_of_its_own(make_encoder, config):
    outcome = benchmark(make_encoder, config, legacy=True).run()
    assert {r.cell.procedure for r in outcome.done} == {"legacy"}
    assert outcome.done[0].cell.folder(config.output).name == "doctobert-legacy"
    record = outcome.done[0].tuning
    assert "last evaluation" in record["rule"] and record["sampler"] == "random"
    assert outcome.done[0].hyperparameters["batch_size"] == 8  # as the trials ran
    assert outcome.done[1].hyperparameters["batch_size"] == 16  # as the recipe says
    assert outcome.done[0].encoding["long_inputs"] == "truncate"


@pytest.mark.long
@pytest.mark.versions
def test_a_study_of_another_space_is_refused(make_encoder, config, tmp_path):
    benchmark(make_encoder, config, seeds=(42,)).run()
    other = tmp_path / "other.yaml"
    other.write_text(SPACE.replace("1.0e-2", "2.0e-2"))
    with pytest.raises(UsageError, match=r"seed-42.json' was made with space .*0\.01"):
        benchmark(make_encoder, config, space=str(other)).run()
    outcome = benchmark(make_encoder, config, space=str(other), seeds=(43,)).run()
    assert "another search space" in outcome.failed[0]["error"]


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"max_train_rows": 5}, "max_train_rows null, not 5"),
        ({"max_length": 32}, "max_length 64, not 32"),
        ({"evaluations": 2}, "evaluations 10, not 2"),
        ({"long_inputs": "truncate"}, 'long_inputs "chunk", not "truncate"'),
        ({"trials": 1}, "trials 0, not 1"),
        ({"tokens_at_once": 64}, "tokens_at_once null, not 64"),
    ],
)
def test_a_result_of_other_settings_is_not_reprinted(changes, words, make_encoder, config):
    fast = replace(config, trials=0, seeds=(42,), tasks=("diamed",))
    assert len(benchmark(make_encoder, fast).run().done) == 1
    again = benchmark(make_encoder, fast).run()
    assert [result.cell.seed for result in again.done] == [42]
    with pytest.raises(UsageError, match=words):
        benchmark(make_encoder, fast, **changes).run()


@pytest.mark.long
def test_a_result_of_other_data_is_not_reprinted(make_encoder, config, tmp_path):
    """Labels swapped, or another corpus in a folder of the same name."""
    note = {"text": "Il a de la fièvre.", "entities": [{"start": 11, "end": 17, "label": "X"}]}
    place = tmp_path / "notes"
    place.mkdir()

    def write(label):
        note["entities"][0]["label"] = label
        rows = "".join(json.dumps({**note, "id": str(n)}) + "\n" for n in range(20))
        (place / "n.jsonl").write_text(rows)
        split_documents.cache_clear()
        workbench.workbench.cache_clear()

    own = replace(config, trials=0, seeds=(42,), tasks=BenchmarkConfig.tasks, corpus=place)
    write("X")
    assert len(benchmark(make_encoder, own).run().done) == 1
    write("Y")
    with pytest.raises(UsageError, match=r"was made with (data|labels)"):
        benchmark(make_encoder, own).run()


@pytest.mark.long
def test_a_trial_of_a_live_process_is_left_alone_and_waited_for(make_encoder, config):
    """A second run in the folder (other seeds, say) ended the first one's live trial once."""
    import optuna

    from doctobert_hf.runs.process import this_process

    made = benchmark(make_encoder, config, trials=1)
    task = made.tasks[0]
    study = tuning._open(made.context(task), made.spaces[task.name], config.output)
    live, dead, unknown = study.ask(), study.ask(), study.ask()
    live.set_user_attr(tuning.OWNER, this_process())
    gone = subprocess.run(
        [sys.executable, "-c", "import json; from doctobert_hf.runs.process import this_process; "
         "print(json.dumps(this_process()))"], capture_output=True, text=True, check=True,
    )  # fmt: skip
    dead.set_user_attr(tuning.OWNER, json.loads(gone.stdout))
    elsewhere = {**this_process(), "host": "another-machine"}
    unknown.set_user_attr(tuning.OWNER, elsewhere)
    again = tuning._open(made.context(task), made.spaces[task.name], config.output)
    states = {trial.number: trial.state.name for trial in again.get_trials()}
    assert states == {0: "RUNNING", 1: "FAIL", 2: "RUNNING"}
    said = []
    monkey = iter([lambda: None, lambda: study.tell(0, state=optuna.trial.TrialState.FAIL)])
    original, tuning.time.sleep = tuning.time.sleep, lambda seconds: next(monkey)()
    try:
        tuning._await_others(again, said.append)
    finally:
        tuning.time.sleep = original
    assert said == ["waiting for 2 trials of another run in this folder"]


@pytest.mark.long
def test_two_runs_share_a_folder_one_job_a_seed(make_encoder, config, made_up, tmp_path):
    words = [sys.executable, "-m", "doctobert_hf", "benchmark", "run", make_encoder().source]
    words += ["--tasks", "quaero_medline", "--data-dir", str(made_up), "--trials", "2"]
    words += ["--space", config.space, "--max-length", "64", "--output", str(config.output)]
    runs = [
        warm.Popen([*words, "--seeds", *seeds], stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True)
        for seeds in (("42", "43"), ("43", "44"))
    ]  # fmt: skip
    errors = [run.communicate(timeout=250)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], errors
    results = read_results(config.output)
    assert sorted(result.cell.seed for result in results) == [42, 43, 44]
    assert len({json.dumps(result.hyperparameters) for result in results}) == 1  # one winner
    assert not read_failures(config.output)
    assert (config.output / "report" / "report.md").is_file()


@pytest.mark.parametrize("most", [1, 209, 210, 500])
def test_so_many_training_rows_as_asked_for(most, make_encoder, tmp_path):
    note = {"text": "Il a de la fièvre.", "entities": [{"start": 11, "end": 17, "label": "X"}]}
    for split, count in (("train", 210), ("validation", 2), ("test", 2)):
        (tmp_path / "notes" / split).mkdir(parents=True)
        lines = (json.dumps({**note, "id": f"{split}{n}"}) + "\n" for n in range(count))
        (tmp_path / "notes" / split / "n.jsonl").write_text("".join(lines))
    made = Benchmark(
        make_encoder(),
        BenchmarkConfig(corpus=tmp_path / "notes", trials=0, max_train_rows=most),
        lambda line: None,
    )
    bench = workbench.Workbench(made.context(made.tasks[0]))
    assert bench.data_record["rows"]["train"] == min(most, 210)


def test_wrong_input(make_encoder, config, tmp_path, tokenizer):
    from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef

    for changes, message in (
        ({"tasks": ("quaero_medlin",)}, "Did you mean 'quaero_medline'"),
        ({"protocol": "strikt"}, "one of drbenchmark, doctobert, strict"),
        ({"seeds": (1, 1)}, "different seeds"),
        ({"trials": -1}, "at least 0"),
    ):
        with pytest.raises(UsageError, match=message):
            benchmark(make_encoder, config, **changes)
    with pytest.raises(UsageError, match="No model"):
        ModelRef.find("no/such-model")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no config\.json"):
        ModelRef.find(str(tmp_path / "empty"))
    bare = tmp_path / "bare"
    model = make_encoder().load(get_task("diamed"), None)
    model.save_pretrained(bare)
    with pytest.raises(UsageError, match="tokenizer"):
        ModelRef.find(str(bare)).tokenizer()
    for text, message in (
        ("defalts: {}", "Did you mean 'defaults'"),
        ("tasks: {quaero_eme: {}}", "Did you mean 'quaero_emea'"),
        ("untuned: {learning_rate: 1.0e-3}\ndefaults: {dropout: {low: 3}}", "dropout is"),
    ):
        (tmp_path / "bad.yaml").write_text(text)
        with pytest.raises(UsageError, match=message):
            read_spaces(tmp_path / "bad.yaml", [get_task("quaero_emea")])


def test_the_published_spaces():
    spaces = read_spaces(find_recipe("drbenchmark/search"), list_tasks())
    assert len(spaces) == 27
    assert spaces["quaero_emea"].values["epochs"] == {"choices": [10, 20, 30]}
    assert spaces["e3c_clinical"].values["batch_size"] == {"choices": [8, 16]}
    assert spaces["morfitt"].grace == 3 and spaces["diamed"].grace == 4
    assert spaces["morfitt"].values["learning_rate"] == {"low": 1e-6, "high": 1e-4, "log": True}
    assert spaces["deft2020_sts"].values["gradient_accumulation_steps"] == 1


def test_trials_in_a_space_without_a_search(make_encoder, config):
    wrong = replace(config, space="tiny/benchmark", trials=2)
    with pytest.raises(UsageError, match="2 trials.*searches nothing.*--trials 0"):
        Benchmark(make_encoder(), wrong)


@pytest.mark.long
def test_killed_twice_and_nothing_is_lost(make_encoder, config, made_up, tmp_path):
    command = [sys.executable, "-m", "doctobert_hf", "benchmark", "run", make_encoder().source]
    command += ["--tasks", "quaero_medline", "morfitt", "--trials", "3", "--seeds", "42", "43"]
    command += ["--output", str(config.output), "--data-dir", str(made_up)]
    command += ["--space", config.space, "--max-length", "64", "--json"]
    environment = {**os.environ, "HF_HOME": str(tmp_path / "hf")}
    kept = {}
    for _ in range(2):
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if "trial 2/3" in line or "seed 42" in line:
                break
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept |= {p: p.stat().st_mtime_ns for p in config.output.rglob("seed-*.json")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert all(path.stat().st_mtime_ns == time_ns for path, time_ns in kept.items())
    rows = json.loads(done.stdout)["results"]
    assert {row["task"]: len(row["scores"]) for row in rows} == {"quaero_medline": 2, "morfitt": 2}
    assert all(result.tuning["trials"] == 3 for result in read_results(config.output))
    page = (config.output / "report" / "report.html").read_text(encoding="utf-8")
    assert "DoctoBERT-fr" in page  # ranked among the published models


@pytest.mark.long
def test_dry_run_and_table(make_encoder, config, capsys):
    from doctobert_hf.cli import main

    command = ["benchmark", "run", make_encoder().source, "--tasks", "quaero_medline", "clister"]
    command += ["--output", str(config.output), "--data-dir", str(config.data_dir)]
    command += ["--space", config.space, "--trials", "0", "--seeds", "42", "--max-length", "64"]
    assert main([*command, "--dry-run"]) == 0
    out = capsys.readouterr()
    assert "quaero_medline" in out.out and "hours on this machine" in out.err
    assert not config.output.exists()
    assert main(command) == 0
    assert "clister" in capsys.readouterr().out
    assert main([*command[:3], "--tasks", "nope"]) == 2


@pytest.mark.long
def test_trials_in_processes_of_their_own(make_encoder, config):
    outcome = benchmark(make_encoder, config, jobs=2, seeds=(42,)).run()
    assert not outcome.failed and outcome.done[0].tuning["trials"] == 2
