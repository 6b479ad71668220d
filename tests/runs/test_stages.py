"""Stages of a run: done once, gone on with, and told where they cannot run."""

import json

import pytest

from doctobert_hf.errors import UsageError
from doctobert_hf.runs.stages import STATE_FILE, StagedRun


class Two(StagedRun):
    STAGES = ("first", "second")
    done = ()
    fails = False

    def first(self):
        self.done += ("first",)
        return {"value": 1}

    def second(self):
        if self.fails:
            raise KeyboardInterrupt
        self.done += ("second",)
        return {"not_run": "no extra"}


def test_a_stopped_run_goes_on(tmp_path, capsys):
    stopped = Two(tmp_path)
    stopped.fails = True
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    assert list(json.loads((tmp_path / STATE_FILE).read_text())) == ["stages", "first"]
    again = Two(tmp_path)
    records = again.run()
    assert again.done == ("second",) and records["first"]["value"] == 1
    assert "[1/2] first: done before" in capsys.readouterr().err
    again.forget("second")
    assert list(again.records) == ["first"]


def test_a_stage_that_cannot_run_is_told(tmp_path, capsys):
    Two(tmp_path).run()
    assert "second is not run: no extra" in capsys.readouterr().err


def test_stages_of_another_version_are_refused(tmp_path):
    for state in ('{"first": {}}', '{"stages": ["first", "third"], "first": {}}'):
        (tmp_path / STATE_FILE).write_text(state)
        with pytest.raises(UsageError, match="another version"):
            Two(tmp_path)
