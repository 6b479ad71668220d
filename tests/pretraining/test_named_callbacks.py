"""Callbacks that a recipe names: found, given their arguments, or refused before any work."""

import sys

import pytest

from doctobert_hf.cli import main
from doctobert_hf.errors import UsageError
from doctobert_hf.pretraining.callbacks import FillMaskProbeCallback, LossSpikeCallback
from doctobert_hf.pretraining.named_callbacks import make_callbacks, split_named


def test_a_default_is_replaced_and_others_follow():
    made = make_callbacks([{"spikes": {"factor": 9.0}}, "gc"],
                          [LossSpikeCallback(), FillMaskProbeCallback()])  # fmt: skip
    assert [type(c).__name__ for c in made] == [
        "FillMaskProbeCallback", "LossSpikeCallback", "ScheduledGCCallback"
    ]  # fmt: skip
    assert made[1].factor == 9.0


@pytest.mark.parametrize(
    ("item", "match"),
    [
        ("spike", "there is no 'spike'.*Did you mean 'spikes'"),
        ({"gc": {"step": 3}}, "gc has no 'step'.*'steps'"),
        ("no.such.module:Thing", "cannot be imported"),
        ("json:JSONDecoder", "is no callback"),
        (3, "a name"),
        ({"gc": 3}, "a name"),
        ({"a": {}, "b": {}}, "a name"),
        ("{gc: {step: 3}}", "gc has no 'step'"),
        ("{gc: {steps: 3}", "is no YAML"),
        ("{gc: {steps: 3, steps: 4}}", "'steps' is given twice"),
    ],
)
def test_what_is_wrong_is_told(item, match):
    with pytest.raises(UsageError, match=match):
        make_callbacks([item])


def test_arguments_on_the_command_line():
    found = split_named(["{spikes: {factor: 2}}", "{mine.py:Count: {file: a}}", "gc"])
    assert found == [("spikes", {"factor": 2}), ("mine.py:Count", {"file": "a"}), ("gc", {})]


def test_names_are_read_without_importing_anything():
    assert split_named(["gc", {"x:Y": {"a": 1}}, {"spikes": None}]) == [
        ("gc", {}), ("x:Y", {"a": 1}), ("spikes", {})
    ]  # fmt: skip


@pytest.mark.long
def test_one_of_the_users_own_in_a_recipe(tmp_path, monkeypatch):
    (tmp_path / "mine_too.py").write_text(
        "from transformers import TrainerCallback\n"
        "class Count(TrainerCallback):\n"
        "    def __init__(self, file):\n        self.file = file\n"
        "    def on_train_end(self, args, state, control, **_):\n"
        "        open(self.file, 'w').write(str(state.global_step))\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p not in ("", str(tmp_path))])
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(
        "preset: doctobert-tiny\nmax_length: 64\nmax_tokens: 2000\nmicro_batch_tokens: 512\n"
        "dataloader_num_workers: 0\ncallbacks:\n  - mine_too:Count: {file: steps.txt}\n"
    )
    assert main(["pretrain", str(recipe), "--output", str(tmp_path / "run")]) == 0
    assert int((tmp_path / "steps.txt").read_text()) >= 3
    again = [str(recipe), "--callbacks", "nothing", "--output", str(tmp_path / "r2")]
    assert main(["pretrain", *again]) == 2 and not (tmp_path / "r2").exists()
