"""Progress: a line now and then in a log, nothing for what is quick."""

import io
import logging
import sys
import types

from doctobert_hf.reporting import progress
from doctobert_hf.reporting.progress import Progress, track


def test_quick_work_says_nothing(caplog):
    caplog.set_level(logging.INFO)
    assert list(track(range(3), "reading")) == [0, 1, 2]
    assert not caplog.text


def test_a_log_gets_lines_further_and_further_apart(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(progress.sys, "stderr", io.StringIO())
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))  # no notebook yet
    shown = Progress("encoding", total=200, unit="passages")
    times = []
    for second in range(200):
        clock[0] = float(second)
        shown.done = second
        before = len(caplog.records)
        shown._show()
        if len(caplog.records) > before:
            times.append(second)
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert times[0] == 5 and gaps == sorted(gaps) and max(gaps) <= 61 and len(times) >= 5
    assert "encoding: 5 s, 5 of 200 passages, about 195 s left" in caplog.text
    assert all(len(record.getMessage()) <= 80 for record in caplog.records)


def test_a_notebook_is_told_by_its_kernel(monkeypatch):
    monkeypatch.setattr(progress.sys, "stderr", io.StringIO())
    ipython, shell = types.ModuleType("IPython"), types.SimpleNamespace(config={})
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    ipython.get_ipython = lambda: None
    assert not progress._draws_bars()
    ipython.get_ipython = lambda: shell  # IPython in a terminal
    assert not progress._draws_bars()
    shell.config["IPKernelApp"] = {}
    assert progress._draws_bars()


def test_work_that_cannot_be_counted(caplog):
    assert Progress("learning the vocabulary").line(12.0) == "learning the vocabulary: 12 s"


def test_what_an_earlier_run_did_says_nothing_about_the_time_left():
    shown = Progress("training", total=1000, unit="tokens", begun=900)
    assert shown.line(5.0) == "training: 5 s, 900 of 1,000 tokens"
    shown.update(10)
    assert shown.line(5.0) == "training: 5 s, 910 of 1,000 tokens, about 45 s left"


def test_it_is_asked_for_its_state(monkeypatch):
    shown = Progress("annotate", poll=lambda: (3, 10))
    shown._show()
    assert (shown.done, shown.total) == (3, 10)


def test_in_a_notebook_there_is_one_bar(monkeypatch, tmp_path, tokenizer):
    """Transformers' notebook bar counts steps to a billion; MLMTrainer's counts tokens."""
    from transformers import RobertaForMaskedLM, TrainerCallback

    from doctobert_hf.models import preset_config
    from doctobert_hf.pretraining import MLMTrainer, MLMTrainingArguments, build_store
    from doctobert_hf.pretraining.callbacks import logs

    class NotebookProgressCallback(TrainerCallback):  # the real one needs IPython
        """What Trainer adds in a notebook."""

    monkeypatch.setattr("transformers.trainer.DEFAULT_PROGRESS_CALLBACK", NotebookProgressCallback)
    monkeypatch.setattr(logs, "DEFAULT_PROGRESS_CALLBACK", NotebookProgressCallback)
    store = build_store(["Le patient a de la fièvre."] * 9, tokenizer, tmp_path / "s", 64)
    model = RobertaForMaskedLM(preset_config("doctobert-tiny", tokenizer))
    arguments = MLMTrainingArguments(output_dir=str(tmp_path / "o"), micro_batch_tokens=128)
    made = MLMTrainer(model, arguments, store, tokenizer)
    names = [type(callback).__name__ for callback in made.callback_handler.callbacks]
    assert "NotebookProgressCallback" not in names
    assert [name for name in names if "Progress" in name] == ["TokenProgressCallback"]
