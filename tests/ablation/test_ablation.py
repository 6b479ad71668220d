"""Ablations: plans, arms that go on, and a page that says what is noise."""

import json

import pytest

from doctobert_hf.ablation.page import Arm, advise
from doctobert_hf.ablation.plan import read_plan
from doctobert_hf.cli import main
from doctobert_hf.errors import UsageError

PHASE = """
recipe: doctobert-tiny/pretrain
max_tokens: 3000
settings:
  micro_batch_tokens: 512
  global_batch_tokens: 512
  warmup_tokens: 0
  batch_warmup_tokens: 0
  lr_schedule: constant
  decay_tokens: 0
  save_tokens: 1000
  eval_tokens: 1500
  dataloader_num_workers: 0
"""


@pytest.fixture
def notes(tmp_path):
    """Annotated notes as JSON lines: a disease in each."""
    folder = tmp_path / "notes"
    folder.mkdir()
    lines = []
    for n in range(30):
        disease = ("asthme", "diabète", "anémie")[n % 3]
        text = f"Le patient numéro {n} souffre de {disease} depuis {n} ans."
        start = text.index(disease)
        entity = {"start": start, "end": start + len(disease), "label": "DISO"}
        lines.append(json.dumps({"id": f"n{n}", "text": text, "entities": [entity]}))
    (folder / "notes.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def plan(tmp_path, notes):
    def write(arms, **keys):
        lines = [PHASE, f"corpus: {notes}", "seeds: [1, 2]", "arms:"]
        lines += [f"  {name}: {json.dumps(keys)}" for name, keys in arms.items()]
        lines += [f"{key}: {json.dumps(value)}" for key, value in keys.items()]
        path = tmp_path / "plan.yaml"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.mark.parametrize(
    ("arms", "keys", "message"),
    [
        ({}, {}, "A plan without arms"),
        ({"a": {"learning_rte": 1}}, {}, "Did you mean 'learning_rate'"),
        ({"untrained": {}, "b": {}}, {}, "An arm called 'untrained'"),
        ({"../x": {}, "b": {}}, {}, "An arm called"),
        ({"a": {}, "b": {}}, {"baseline": "c"}, "baseline 'c'"),
        ({"a": {}}, {"untrained": False}, "nothing to compare"),
        ({"a": {}, "b": {"corpus": "absent.parquet"}}, {}, "Arm 'b': No file or folder"),
        ({"a": {}}, {"benchmark": {"trails": 3}}, "Did you mean 'trials'"),
    ],
)
def test_wrong_plans(arms, keys, message, plan, tmp_path, capsys):
    path = plan(arms, **keys)
    assert main(["pretrain", "ablate", str(path), "--output", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_options_belong_into_the_plan(plan, tmp_path, capsys):
    path = str(plan({"a": {}, "b": {}}))
    assert main(["pretrain", "ablate", path, "--output", str(tmp_path), "--seed", "3"]) == 2
    assert "Write it into the plan" in capsys.readouterr().err
    assert main(["pretrain", "ablate", path]) == 2
    assert "No --output" in capsys.readouterr().err
    assert main(["pretrain", "ablate"]) == 2
    with pytest.raises(UsageError, match="No plan"):
        read_plan(tmp_path / "absent.yaml")


@pytest.mark.long
def test_an_ablation_runs_goes_on_and_takes_further_arms(plan, tmp_path, capsys, monkeypatch):
    from doctobert_hf.ablation import run as module

    output = tmp_path / "out"
    words = ["--output", str(output), "--json"]
    path = str(plan({"slow": {"learning_rate": 1e-4}, "fast": {"learning_rate": 1e-2}}))
    measured = []

    def stop_at_the_third(name, model, config):
        measured.append(name)
        if len(measured) == 3:
            raise KeyboardInterrupt
        measure(name, model, config)

    measure = module._measure
    monkeypatch.setattr(module, "_measure", stop_at_the_third)
    assert main(["pretrain", "ablate", path, *words]) == 130
    assert "Resume with: doctobert-hf pretrain ablate" in capsys.readouterr().err
    assert measured == ["slow", "untrained", "fast"]
    monkeypatch.setattr(module, "_measure", measure)
    trained = {
        name: (output / "arms" / name / "model" / "model.safetensors").stat().st_mtime_ns
        for name in measured
    }
    assert main(["pretrain", "ablate", path, *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [arm["name"] for arm in found["arms"]].count("slow") == 1 and len(found["arms"]) == 3
    by_name = {arm["name"]: arm for arm in found["arms"]}
    assert by_name["slow"]["gain"] is None and 0 <= by_name["fast"]["p_value"] <= 1
    assert by_name["fast"]["tokens"] >= 3000 and by_name["untrained"]["tokens"] == 0
    assert by_name["fast"]["curve"]
    for name, when in trained.items():
        path_of = output / "arms" / name / "model" / "model.safetensors"
        assert path_of.stat().st_mtime_ns == when, "nothing is trained twice"
    page = (output / "ablation.md").read_text()
    assert found["advice"] in page and "| fast |" in page
    assert "<table>" in (output / "ablation.html").read_text()
    more = {"slow": {"learning_rate": 1e-4}, "fast": {"learning_rate": 1e-2}, "third": {"seed": 5}}
    assert main(["pretrain", "ablate", str(plan(more)), *words]) == 0
    assert len(json.loads(capsys.readouterr().out)["arms"]) == 4
    changed = {"slow": {"learning_rate": 3e-4}, "fast": {}}
    assert main(["pretrain", "ablate", str(plan(changed)), *words]) == 2
    assert "was started with learning_rate" in capsys.readouterr().err


@pytest.mark.long
def test_a_finished_arm_of_changed_text_is_refused(plan, tokenizer_dir, sample_texts, tmp_path):
    from doctobert_hf.ablation.run import _train

    texts = tmp_path / "texts"
    texts.mkdir()
    for number, text in enumerate(sample_texts[:40]):
        (texts / f"{number}.txt").write_text(text)
    keys = {"corpus": str(texts), "tokenizer": str(tokenizer_dir), "eval_documents": 4}
    phase = read_plan(plan({"a": keys, "b": {}})).phase("a", tmp_path / "out")
    model = _train(phase)
    assert _train(phase) == model, "nothing is trained twice"
    (texts / "more.txt").write_text("Une toux sèche depuis trois jours.")
    with pytest.raises(UsageError, match="have changed since it was started"):
        _train(phase)


def arm(name, average, gain=None, p_value=None):
    return Arm(name, {}, 10, 1.0, {"t": average}, {}, average, gain, p_value)


def test_advice_says_what_is_noise():
    base = arm("base", 50.0)
    sure = advise([arm("a", 60.0, 10.0, 0.001), base, arm("c", 40.0, -10.0, 0.01)], "base", 3)
    assert sure.startswith("Take a: +10.0 points over base") and "worse than base: c" in sure
    noise = advise([arm("a", 51.0, 1.0, 0.4), base], "base", 3)
    assert "No arm is clearly better than base" in noise and "+1.0 points (p 0.4)" in noise
    only = advise([base, arm("untrained", 30.0, -20.0, 0.001)], "base", 3)
    assert only == "base is the only trained arm."


def test_advice_says_where_pretraining_shows_nothing():
    arms = [arm("untrained", 52.0, 2.0, 0.5), arm("a", 51.0, 1.0, 0.4), arm("base", 50.0)]
    assert "No arm is better than untrained" in advise(arms, "base", 3)


def test_a_seed_that_another_process_measures_ends_in_no_page(monkeypatch, tmp_path):
    from doctobert_hf.ablation.run import _measure
    from doctobert_hf.drbenchmark.finetuning import encoder, runner

    left = {"task": "quaero_emea", "seed": 3, "why": "in use"}
    outcome = runner.Outcome(elsewhere=[left])
    monkeypatch.setattr(encoder.ModelRef, "find", lambda *_: None)
    monkeypatch.setattr(runner, "Benchmark", lambda *_: type("B", (), {"run": lambda _: outcome})())
    with pytest.raises(UsageError, match="Seed 3 of quaero_emea, arm 'x', is measured by another"):
        _measure("x", tmp_path, None)
